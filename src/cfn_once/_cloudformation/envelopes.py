"""The envelopes that Lambda hands over: an event alone, from SNS or SQS, or one that failed."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .canonical import Json

DUE = "CfnOnceDue"  # seconds since 1970; added to an event that is to come back then
_NEVER = 1e11  # the year 5138


ARN_PARTS = 7  # of a function's ARN; an eighth is its version or alias


class Envelope(NamedTuple):
    """One event as it lay in what Lambda handed over.

    Attributes:
        message_id: The SQS message's id, for a partial batch response; else None.
        event: The event inside, not yet read; None where `problem` says what is wrong.
        problem: Why there is no event to read.
        attributes: Of the SQS message, where Lambda says why it gave an event up.
        source: The ARN of the queue or topic that it came through; empty where it came through
            none.
        transport: How it came: `lambda`, `sns` or `sqs`.
        delivery_id: The id of the message that it came in, of SNS or SQS.
        receive_count: How often SQS has handed the message over.
    """

    message_id: str | None
    event: Json
    problem: str = ""
    attributes: Json = None
    source: str = ""
    transport: str = "lambda"
    delivery_id: str = ""
    receive_count: int = 0

    @property
    def due(self) -> float:
        """When an event that comes back was to come, in seconds since 1970; 0 for any other."""
        due = self.event.get(DUE, 0) if isinstance(self.event, dict) else 0
        # Compared before it is converted: JSON can spell an integer that no float holds.
        return float(due) if isinstance(due, int | float) and 0 <= due < _NEVER else 0.0


class FailedEvent(NamedTuple):
    """One event on which the function failed.

    Attributes:
        event: What CloudFormation sent, not yet read.
        condition: Lambda's word for how the function failed.
        source: The ARN of the function, without version or alias; of the dead-letter queue or
            topic where the record does not say which function it was.
    """

    event: Json
    condition: str
    source: str = ""


def open_envelopes(event: Any) -> Iterator[Envelope]:
    """Yield what CloudFormation sent, out of Lambda's, SNS's or SQS's wrapping."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        yield Envelope(None, event)
        return
    for record in records:
        yield _open_record(record)


def open_failures(event: Any) -> Iterator[FailedEvent | None]:
    """Yield what Lambda sends to an on-failure destination or to a dead-letter queue.

    None stands for a record without a request of CloudFormation.
    """
    for envelope in open_envelopes(event):
        yield _open_failure(envelope)


def _open_failure(envelope: Envelope) -> FailedEvent | None:
    record = envelope.event
    if not isinstance(record, dict):
        return None
    if isinstance(payload := record.get("requestPayload"), dict):
        context = record.get("requestContext")
        function = str(_part(context, "functionArn") or "")
        unqualified = ":".join(function.split(":")[:ARN_PARTS])
        return FailedEvent(payload, str(_part(context, "condition") or "unknown"), unqualified)
    if "RequestType" in record:
        said = _part(_part(envelope.attributes, "ErrorMessage"), "stringValue")
        return FailedEvent(record, str(said or "dead-letter queue"), envelope.source)
    return None


def _part(value: Json, name: str) -> Json:
    """Return what a map has under a name; None where it is no map."""
    return value.get(name) if isinstance(value, dict) else None


def _open_record(record: Any) -> Envelope:
    if not isinstance(record, dict):
        return Envelope(None, None, "a record that is no map")
    if isinstance(sns := record.get("Sns"), dict):
        return _parsed(sns.get("Message"))._replace(
            source=str(sns.get("TopicArn", "")),
            transport="sns",
            delivery_id=str(sns.get("MessageId", "")),
        )
    if record.get("eventSource") == "aws:sqs":
        return _open_message(record)
    return Envelope(None, None, "a record of neither SNS nor SQS; send the request itself")


def _open_message(message: dict[str, Json]) -> Envelope:
    envelope = _parsed(message.get("body"))
    if isinstance(envelope.event, dict) and envelope.event.get("Type") == "Notification":
        envelope = _parsed(envelope.event.get("Message"))  # else raw delivery: the event itself
    count = str(_part(message.get("attributes"), "ApproximateReceiveCount") or "")
    message_id = str(message.get("messageId", ""))
    return envelope._replace(
        message_id=message_id,
        transport="sqs",
        delivery_id=message_id,
        receive_count=int(count) if re.fullmatch("[0-9]{1,9}", count) else 0,
        attributes=message.get("messageAttributes"),
        source=str(message.get("eventSourceARN", "")),
    )


def _parsed(text: Any) -> Envelope:
    try:
        return Envelope(None, json.loads(text))
    except (TypeError, ValueError):
        return Envelope(None, None, "a message that is not JSON")
    except RecursionError:
        return Envelope(None, None, "a message that is nested too deep to be read")
