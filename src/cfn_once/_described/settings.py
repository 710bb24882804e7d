"""What `[tool.cfn-once]` of a provider's pyproject.toml says."""

import os
from typing import NamedTuple

from .._errors import ConfigurationError
from .._properties.names import meant

FILE = "pyproject.toml"
PROVIDER = "provider:provider"


class Settings(NamedTuple):
    """The settings of one provider's folder; a flag stands over each.

    Attributes:
        provider: Module and name of the `Provider`.
        python: The Python version that the function runs on.
        architecture: The processor that it runs on: `arm64` or `x86_64`.
        stack: The name of the provider's stack.
        ledger_stack: The name of the ledger's stack.
        external_api: Module and name of what makes the stand-in for the API that the hooks call.
        is_told: The provider is named there, and not only supposed.
    """

    provider: str = PROVIDER
    python: str = ""
    architecture: str = ""
    stack: str = ""
    ledger_stack: str = ""
    external_api: str = ""
    is_told: bool = False


def settings_of(folder: str) -> Settings:
    """Read the settings of a folder; where it has none, everything has its default.

    Raises:
        ConfigurationError: The file cannot be read, or holds a setting that nobody knows.
    """
    import tomllib  # only for tools

    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file).get("tool", {}).get("cfn-once", {})
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    known = [name.replace("_", "-") for name in Settings._fields if name != "is_told"]
    for name, value in table.items():
        where = f"{path}, [tool.cfn-once]: {name}"
        if name not in known:
            raise ConfigurationError(f"{where}: unknown{meant(name, known)}")
        if not isinstance(value, str):
            raise ConfigurationError(f'{where}: expected text, as in {name} = "..."')
    told = {name.replace("-", "_"): value for name, value in table.items()}
    return Settings(**told, is_told="provider" in told)
