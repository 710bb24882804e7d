"""The Lambda entry that answers although the provider cannot be imported.

Handler: `cfn_once.entry.handler`, with `CFN_ONCE_PROVIDER=module:name` in the environment. A
function whose module fails at import answers nobody, and the stack hangs for an hour; here it is
imported when the first event comes, and what goes wrong is answered FAILED.
"""

import functools
import importlib
import json
import logging
import os
import re
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from ._errors import ConfigurationError
from ._observability.mask import Mask
from ._provider import Provider

log = logging.getLogger("cfn_once")

LINES = 4  # of the traceback, from its end: the line that failed, and the error
SECRET_NAMES = (
    *("SECRET", "TOKEN", "PASS", "PWD", "KEY", "CREDENTIAL", "AUTH", "PRIVATE", "SIGNATURE"),
    *("SALT", "COOKIE", "JWT", "BEARER", "WEBHOOK", "DATABASE_URL", "DSN", "CONNECTION_STRING"),
)
FOLDERS = ("PWD", "OLDPWD")  # of a shell
PASSWORDS = re.compile(r"://[^/@\s]*:([^/@\s]+)@")  # in a URL, whatever the setting is called


def handler(event: Any, context: Any = None) -> dict[str, Any] | None:
    """Work on what Lambda hands over, with the provider that the environment names."""
    return provider()(event, context)


def provider() -> Provider:
    """Return the provider that `CFN_ONCE_PROVIDER` names, or one that answers why there is none."""
    try:
        return _imported(os.environ.get("CFN_ONCE_PROVIDER", ""))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module may do anything when it is imported
        trace = "".join(traceback.format_exception(error))
        log.error("the provider cannot be imported\n%s", _without_secrets(trace))  # noqa: TRY400 - masked here
        return Provider.unable(_reason(error))


@functools.lru_cache(maxsize=1)  # a failure is not kept: the next event may find it gone
def _imported(name: str) -> Provider:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigurationError(
            "CFN_ONCE_PROVIDER must say where the provider is: module:name, such as"
            " provider:provider"
        )
    found = getattr(importlib.import_module(module), attribute, None)
    if not isinstance(found, Provider):
        raise ConfigurationError(
            f"CFN_ONCE_PROVIDER={name}: there is no cfn_once.Provider of that name in {module}"
        )
    return found


def _reason(error: BaseException) -> str:
    if isinstance(error, ConfigurationError):
        return _without_secrets(str(error))
    # Masked before it is cut into lines: a secret may have several.
    trace = _without_secrets("".join(traceback.format_exception(error)))
    lines = trace.strip().splitlines()[-LINES:]
    return f"the provider cannot be imported: {' | '.join(line.strip() for line in lines)}"


def _without_secrets(text: str) -> str:
    """Mask the values of settings whose names say that they are secret, and passwords in URLs."""
    mask = Mask()
    for name, value in os.environ.items():
        mask.hide(map(unquote, PASSWORDS.findall(value)))
        if name not in FOLDERS and any(word in name.upper() for word in SECRET_NAMES):
            mask.hide([value, *_texts_in(value)])
    return mask.text(text)


def _texts_in(value: str) -> Iterator[str]:
    """Yield the texts of a map in JSON, as Secrets Manager keeps several in one."""
    try:
        parts = json.loads(value)
    except ValueError:
        return
    if isinstance(parts, dict):
        yield from (part for part in parts.values() if isinstance(part, str))
