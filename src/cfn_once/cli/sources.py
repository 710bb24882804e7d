"""Where CloudFormation's events lie that nobody has answered: a file, a queue, a schedule."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .._cloudformation.envelopes import DUE, open_failures
from .clients import client_of, troubled
from .console import Exit, Stop

Event = dict[str, Any]
LOOK = 30  # seconds for which a message that is looked at is hidden from others
MOST_MESSAGES = 1_000


def events_in(text: str) -> Iterator[Event]:
    """Yield the events in a text: as Lambda, SNS or SQS hand them over, or a record of a failure.

    Raises:
        ValueError: It is not JSON, or nested without end.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested without end") from None
    for event in found if isinstance(found, list) else [found]:
        yield from _events_of(event)


def _events_of(event: Any) -> Iterator[Event]:
    for failure in open_failures(event):
        if failure is not None and isinstance(failure.event, dict):
            yield {name: value for name, value in failure.event.items() if name != DUE}


def of_file(path: str) -> list[Event]:
    """Return the events in a file.

    Raises:
        Stop: It cannot be read, or is not JSON.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return list(events_in(file.read()))
    except (OSError, ValueError) as error:
        kind = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise Stop(f"{path} holds no event: {kind}", Exit.WRONG_CALL) from None


def of_queue(url: str, client: Any = None) -> tuple[list[Event], int]:
    """Return the events in a queue, and how many messages there are; each stays in it.

    Raises:
        Stop: It cannot be read.
    """
    found: list[Event] = []
    receipts: dict[str, str] = {}
    named = re.search(r"//sqs\.([a-z0-9-]+)\.", url)
    try:
        client = client or client_of("sqs", named[1] if named else "")
        while len(receipts) < MOST_MESSAGES:
            answer = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK, WaitTimeSeconds=1
            )
            messages = [m for m in answer.get("Messages", []) if m["MessageId"] not in receipts]
            if not messages:
                break
            for message in messages:
                receipts[message["MessageId"]] = message["ReceiptHandle"]
                found += _of_message(message)
        for receipt in receipts.values():
            _show_again(client, url, receipt)
    except ClientError as error:
        raise Stop(f"the queue cannot be read: {error}") from None
    except BotoCoreError as error:
        raise Stop(f"the queue cannot be read: {troubled(error, 'sqs')}") from None
    return found, len(receipts)


def _show_again(client: Any, url: str, receipt: str) -> None:
    """Let others see a message at once; the first of many may be seen again by now."""
    with contextlib.suppress(ClientError):
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)


def _of_message(message: Event) -> list[Event]:
    record = {"eventSource": "aws:sqs", "body": message["Body"], "messageId": message["MessageId"]}
    return list(events_in(json.dumps({"Records": [record]})))


def of_schedule(name: str, client: Any = None) -> list[Event]:
    """Return the event that a schedule of EventBridge Scheduler is to bring back.

    Args:
        name: Its name, or its group's, a slash and its name.
        client: boto3's; one for the Region of the environment, unless given.

    Raises:
        Stop: It cannot be read.
    """
    group, _, own = name.rpartition("/")
    asked = {"Name": own, **({"GroupName": group} if group else {})}
    try:
        client = client or client_of("scheduler")
        return list(events_in(client.get_schedule(**asked)["Target"].get("Input", "null")))
    except ClientError as error:
        raise Stop(f"the schedule {name} cannot be read: {error}") from None
    except BotoCoreError as error:
        why = troubled(error, "scheduler")
        raise Stop(f"the schedule {name} cannot be read: {why}") from None
    except ValueError:
        raise Stop(f"the schedule {name} holds no event") from None
