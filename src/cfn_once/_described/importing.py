"""A provider, imported by its name; and what may be reported of an import that fails."""

import contextlib
import importlib
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator
from urllib.parse import unquote

from .._errors import ConfigurationError
from .._observability.mask import Mask
from .._provider import Provider

LONGEST_TRACE = 20_000  # characters
LINES = 4  # of the traceback, from its end: the line that failed, and the error
SECRET_NAMES = (
    *("SECRET", "TOKEN", "PASS", "PWD", "KEY", "CREDENTIAL", "AUTH", "PRIVATE", "SIGNATURE"),
    *("SALT", "COOKIE", "JWT", "BEARER", "WEBHOOK", "DATABASE_URL", "DSN", "CONNECTION_STRING"),
)
SECRET_WORDS = frozenset({"PIN", "PW"})  # within other words they mean nothing
FOLDERS = ("PWD", "OLDPWD")  # of a shell
PASSWORDS = re.compile(r"://[^/@\s]*:([^/@\s]+)@")  # in a URL, whatever the setting is called


class Unreadable(Exception):
    """A provider cannot be imported.

    Attributes:
        trace: The traceback, without secret settings; nothing where the text says it all.
    """

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text)
        self.trace = trace


def import_provider(place: str, *, told_by: str) -> Provider:
    """Return the provider that `module:name` names, or that of the helper that it names.

    Args:
        place: The module and the name.
        told_by: The setting that names it, for messages.

    Raises:
        ConfigurationError: It names no provider.
        Exception: Whatever the module raises when it is imported.
    """
    module, _, attribute = place.partition(":")
    if not all(name.isidentifier() for name in (*module.split("."), *attribute.split("."))):
        raise ConfigurationError(
            f"{told_by} must say where the provider is: module:name, such as provider:provider"
        )
    found = getattr(importlib.import_module(module), attribute, None)
    found = getattr(found, "provider", found)  # of a helper of cfn_once.crhelper
    if not isinstance(found, Provider):
        raise ConfigurationError(
            f"{told_by}={place}: there is no cfn_once.Provider of that name in {module}"
        )
    return found


def import_here(place: str, *, told_by: str = "provider") -> Provider:
    """Return a provider of the working directory, for a tool that sends it no real request.

    It is given a ledger in memory, so that its import makes no file; what it prints goes to
    standard error.

    Raises:
        Unreadable: It cannot be imported, or is no provider.
    """
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with _ledger_in_memory(), contextlib.redirect_stdout(sys.stderr):
            return import_provider(place, told_by=told_by)
    except ConfigurationError as error:
        raise Unreadable(without_secrets(str(error))) from None
    except ModuleNotFoundError as error:
        if error.name == place.partition(":")[0]:
            raise Unreadable(f"{told_by}={place}: there is no {error.name}.py here") from None
        raise Unreadable(reason_of(error), trace_of(error)) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a module may do anything when it is imported
        raise Unreadable(reason_of(error), trace_of(error)) from None


@contextlib.contextmanager
def _ledger_in_memory() -> Iterator[None]:
    name, was = "CFN_ONCE_LEDGER", os.environ.get("CFN_ONCE_LEDGER")
    os.environ[name] = "memory://"
    try:
        yield
    finally:
        del os.environ[name]
        if was is not None:
            os.environ[name] = was


def reason_of(error: BaseException) -> str:
    """Say in one line why a module cannot be imported, without secret settings."""
    if isinstance(error, ConfigurationError):
        return without_secrets(str(error))
    return f"the provider cannot be imported: {end_of(error)}"


def end_of(error: BaseException) -> str:
    """Return the end of an error's traceback in one line, without secret settings."""
    # Masked before it is cut into lines: a secret may have several.
    lines = [line.strip() for line in trace_of(error).splitlines()]
    return " | ".join([line for line in lines if line.strip("^~ ")][-LINES:])


def trace_of(error: BaseException) -> str:
    """Return an error's traceback, without secret settings."""
    # Masked before it is cut: half a secret is found nowhere.
    text = without_secrets("".join(traceback.format_exception(error)))
    if len(text) <= LONGEST_TRACE:
        return text
    half = LONGEST_TRACE // 2
    return f"{text[:half]}\n... {len(text) - 2 * half:,} characters ...\n{text[-half:]}"


def without_secrets(text: str) -> str:
    """Mask the values of settings whose names say that they are secret, and passwords in URLs."""
    mask = Mask()
    for name, value in os.environ.items():
        mask.hide(map(unquote, PASSWORDS.findall(value)))
        if name not in FOLDERS and _is_secret(name.upper()):
            mask.hide([value, *_texts_in(value)])
    return mask.text(text)


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_NAMES) or not SECRET_WORDS.isdisjoint(
        name.split("_")
    )


def _texts_in(value: str) -> Iterator[str]:
    """Yield the texts of a map in JSON, as Secrets Manager keeps several in one."""
    try:
        parts = json.loads(value)
    except (ValueError, RecursionError):
        return
    if isinstance(parts, dict):
        yield from (part for part in parts.values() if isinstance(part, str))
