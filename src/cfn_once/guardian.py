"""The Lambda function that answers for one that died.

Handler: `cfn_once.guardian.handler`, as on-failure destination of the provider's function, or
behind the queue that is its dead-letter queue. What the function had recorded is told; else the
request is answered FAILED, under the id that the ledger knows. After all of Lambda's retries that
is done at once, and the next request waits until the dead one cannot act any more.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

from ._clock import SYSTEM_CLOCK, Clock
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
    failed: list[Exception] = []
    for request, condition in failed_requests(event):
        exhausted = condition == "RetriesExhausted"
        try:
            Provider.unable(_reason(condition), retries_exhausted=exhausted, clock=clock)(
                request, context
            )
        except Exception as error:  # noqa: BLE001 - raised below, after the others' turn
            failed.append(error)
    if failed:
        raise failed[0]


def failed_requests(event: Any) -> Iterator[tuple[Any, str]]:
    """Yield each request in what Lambda sends, and Lambda's word for how it failed."""
    if not (isinstance(event, dict) and isinstance(event.get("Records"), list)):
        yield from _failed_request(event, "")
        return
    for record in event["Records"]:
        if isinstance(record, dict) and isinstance(record.get("body"), str):
            said = (record.get("messageAttributes") or {}).get("ErrorMessage") or {}
            body = _json(record["body"])
            if isinstance(body, dict) and body.get("Type") == "Notification":
                body = _json(body.get("Message"))
            yield from _failed_request(body, said.get("stringValue", ""))
        elif isinstance(record, dict) and isinstance(record.get("Sns"), dict):
            yield from _failed_request(_json(record["Sns"].get("Message")), "")
        else:
            yield from _failed_request(None, "")


def _failed_request(record: Any, message: str) -> Iterator[tuple[Any, str]]:
    if isinstance(record, dict) and isinstance(record.get("requestPayload"), dict):
        condition = str((record.get("requestContext") or {}).get("condition", "unknown"))
        yield record["requestPayload"], condition
    elif isinstance(record, dict) and "RequestType" in record:
        yield record, message or "dead-letter queue"
    else:
        log.error("a record that is not of a failed custom resource request: nothing was done")


def _reason(condition: str) -> str:
    way = WAYS.get(condition, "the function failed")
    return f"{way} (Lambda: {condition}); its log group tells why"


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
