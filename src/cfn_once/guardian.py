"""The Lambda function that responds for one that died.

Handler: `cfn_once.guardian.handler`, as on-failure destination of the provider's function, or
behind the queue that is its dead-letter queue. It sends the response that the function recorded. If
there is none, the request fails, under the id that the ledger knows. After all of Lambda's retries
it does so at once, and the next request waits until the function that died can no longer act.

`CFN_ONCE_GUARDS` names what it guards, joined by commas: ARNs of functions, and of the queues and
topics that are their dead-letter queues. A record of anything else is refused.
"""

import logging
from typing import Any

from ._clock import SYSTEM_CLOCK, Clock
from ._cloudformation.envelopes import open_failures
from ._lambda.environment import guarded
from ._provider import Provider

log = logging.getLogger("cfn_once")

WAYS = {
    "RetriesExhausted": "the function failed or ran out of time or memory in every try",
    "EventAgeExceeded": "the function could not be run before the event was too old",
}


def handler(event: Any, context: Any = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
    """Answer for each request of which Lambda says that its function failed.

    Raises:
        InProgress, LedgerUnavailable, DeliveryError: Let Lambda come again.
    """
    errors: list[Exception] = []
    named = guarded()
    for failure in open_failures(event):
        if failure is None:
            log.error(
                "a record is not of a failed custom resource request: the guardian did nothing"
            )
            continue
        if named and failure.source not in named:
            log.error(
                "a record is of %s, which this guardian does not guard: it did nothing, and sent no"
                " response. To guard it, name it in CFN_ONCE_GUARDS",
                failure.source or "no function",
            )
            continue
        reason, exhausted = _reason(failure.condition), failure.condition == "RetriesExhausted"
        try:
            Provider.unable(reason, guards=True, retries_exhausted=exhausted, clock=clock)(
                failure.event, context
            )
        except Exception as error:  # noqa: BLE001 - raised below, after the others' turn
            errors.append(error)
    if errors:
        raise errors[0]


def _reason(condition: str) -> str:
    way = WAYS.get(condition, "the function failed")
    return f"{way} (Lambda: {condition}); its log group tells why"
