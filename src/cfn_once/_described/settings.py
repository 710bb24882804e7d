"""What `[tool.cfn-once]` of a provider's pyproject.toml says."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .._errors import ConfigurationError
from .._properties.suggestions import did_you_mean

FILE = "pyproject.toml"
PROVIDER = "provider:provider"
NO_API = "none"  # for hooks that call nothing outside
TABLES = ("properties", "changed", "replaced")
FLAGS = ("allow-in-doubt",)
LISTS = ("include", "policies")
VALUES = ("parameters",)
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Settings(NamedTuple):
    """The settings of one provider's folder; a flag takes precedence over each.

    Attributes:
        provider: Module and name of the `Provider`.
        python: The Python version that the function runs on.
        architecture: The processor that it runs on: `arm64` or `x86_64`.
        stack: The name of the provider's stack.
        ledger_stack: The name of the ledger's stack.
        include: Patterns of files that the function's zip holds besides modules.
        policies: What the hooks may do: files with policies, and ARNs of managed ones.
        parameters: Parameters of the provider's template, by name.
        external_api: Module and name of what makes the stand-in for the API that the hooks call,
            or `none` where they call nothing.
        allow_in_doubt: `test` takes a FAILED answer that names what is in doubt, as it comes where
            a call takes no token and can be looked up by nothing.
        properties: Properties of a Create that succeeds, by type.
        changed: Those of an Update in place.
        replaced: Those of an Update that replaces the resource.
        is_told: The provider is named there, and not only supposed.
    """

    provider: str = PROVIDER
    python: str = ""
    architecture: str = ""
    stack: str = ""
    ledger_stack: str = ""
    include: Sequence[str] = ()
    policies: Sequence[str] = ()
    parameters: Mapping[str, str] = NOTHING
    external_api: str = ""
    allow_in_doubt: bool = False
    properties: Mapping[str, Any] = NOTHING
    changed: Mapping[str, Any] = NOTHING
    replaced: Mapping[str, Any] = NOTHING
    names_provider: bool = False


def settings_of(folder: str) -> Settings:
    """Read the settings of a folder; where it has none, everything has its default.

    Raises:
        ConfigurationError: The file cannot be read, or holds a setting that nobody knows.
    """
    import tomllib  # only for tools

    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            table = _table_in(tomllib.load(file), path)
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{path} cannot be read: it is nested without end") from None
    _check(table, f"{path}, [tool.cfn-once]: ")
    named = {name.replace("-", "_"): value for name, value in table.items()}
    return Settings(**named, names_provider="provider" in named)


def _table_in(document: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    table = document
    for name in ("tool", "cfn-once"):
        found = table.get(name, {})
        if not isinstance(found, dict):
            raise ConfigurationError(f"{path}, {name}: expected a table")
        table = found
    return table


def _check(table: Mapping[str, Any], place: str) -> None:
    known = [name.replace("_", "-") for name in Settings._fields if name != "is_told"]
    for name, value in table.items():
        where = f"{place}{name}"
        if name not in known:
            raise ConfigurationError(f"{where}: unknown{did_you_mean(name, known)}")
        if expected := _expected(name, value):
            raise ConfigurationError(f"{where}: expected {expected}")


def _expected(name: str, value: Any) -> str:
    """Return what a setting should be; nothing where it is that."""
    if name in TABLES:
        return "" if _holds_tables(value) else f'a table for each type: {name}."Custom::A"'
    if name in FLAGS:
        return "" if isinstance(value, bool) else "true or false"
    if name in LISTS:
        return "" if _holds_text(value, list) else f'a list of text, as in {name} = ["..."]'
    if name in VALUES:
        return "" if _holds_text(value, dict) else f'a table of text, as in {name}.Name = "..."'
    return "" if isinstance(value, str) else f'text, as in {name} = "..."'


def _holds_text(value: Any, kind: type) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    return isinstance(value, kind) and all(isinstance(part, str) for part in parts)


def _holds_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(table, dict) for table in value.values())
