"""A log group of CloudWatch Logs, as `cfn-once diagnose` reads it."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clients import client_of, troubled
from .console import Stop
from .log_lines import LogLine, of_event

_HINTS = {
    "AccessDeniedException": "you need logs:FilterLogEvents on it",
    "ResourceNotFoundException": "is it another Region's, or another account's? The function's"
    " stack names it: LogGroupName",
    "UnrecognizedClientException": "AWS does not take the credentials",
}


class LogGroup:
    """A log group.

    Args:
        name: Its name, or its ARN.
        client: boto3's; one for the Region of the environment, unless given.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._client = client or client_of("logs")

    def lines(self, since: int, until: int) -> Iterator[LogLine]:
        """Yield its lines of a range, in milliseconds since 1970; the oldest first.

        Raises:
            Stop: It cannot be read.
        """
        key = "logGroupIdentifier" if self.name.startswith("arn:") else "logGroupName"
        asked = {key: self.name, "startTime": since, "endTime": until}
        try:
            for page in self._client.get_paginator("filter_log_events").paginate(**asked):
                for event in page["events"]:
                    yield of_event(event)
        except BotoCoreError as error:
            why = troubled(error, "logs")
            raise Stop(f"the log group {self.name} cannot be read: {why}") from None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            hint = f"; {_HINTS[code]}" if code in _HINTS else ""
            raise Stop(f"the log group {self.name} cannot be read: {error}{hint}") from None
