"""The Lambda entry that answers although the provider cannot be imported.

Handler: `cfn_once.entry.handler`, with `CFN_ONCE_PROVIDER=module:name` in the environment. A
function whose module fails at import answers nobody, and the stack hangs for an hour; here it is
imported when the first event comes, and if that fails, it responds FAILED.
"""

import functools
import logging
import os
from typing import Any

from ._described.importing import import_provider, reason_of, trace_of
from ._provider import Provider

log = logging.getLogger("cfn_once")


def handler(event: Any, context: Any = None) -> dict[str, Any] | None:
    """Work on what Lambda hands over, with the provider that the environment names."""
    return provider()(event, context)


def provider() -> Provider:
    """Return the provider that `CFN_ONCE_PROVIDER` names, or one that answers why there is none."""
    try:
        return _imported(os.environ.get("CFN_ONCE_PROVIDER", ""))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module may do anything when it is imported
        log.error("the provider cannot be imported\n%s", trace_of(error))  # noqa: TRY400 - masked here
        return Provider.unable(reason_of(error))


@functools.lru_cache(maxsize=1)  # a failure is not kept: the next event may find it gone
def _imported(name: str) -> Provider:
    return import_provider(name, told_by="CFN_ONCE_PROVIDER")
