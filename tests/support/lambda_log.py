"""The log of a function, as CloudWatch Logs has it: what it prints, between Lambda's own lines."""

import contextlib
import io
import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

STREAM = "2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef"
BEGINS = 1_800_000_000  # 2027-01-15T08:00:00Z


class Context(NamedTuple):
    aws_request_id: str

    def get_remaining_time_in_millis(self):
        return 120_000


def lambdas(n):
    """Return Lambda's request id number n."""
    return f"{n:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


class LambdaLog:
    """Invokes handlers, and keeps the lines.

    Attributes:
        now: Seconds since 1970.
        events: As `aws logs filter-log-events` has them.
    """

    def __init__(self, now: float = BEGINS) -> None:
        self.now = now
        self.events: list[dict[str, Any]] = []
        self._last = 0

    def line(self, text: str, stream: str = STREAM) -> None:
        """Write a line."""
        self._last = max(round(self.now * 1000), self._last + 1)
        event = {"logStreamName": stream, "timestamp": self._last, "message": f"{text}\n"}
        self.events.append({**event, "ingestionTime": self._last + 14, "eventId": str(len(text))})

    def set_back(self, seconds: float) -> None:
        """Let the clock go back, and the times of further lines with it."""
        self.now, self._last = self.now - seconds, 0

    def invoke(self, handler, event, invocation, *, after=0.0, ends="", stream=STREAM, name="f"):
        """Invoke a handler; where it is None, it dies without a word."""
        self.now += after
        printed = io.StringIO()
        with _named(name), contextlib.redirect_stdout(printed):
            try:
                if handler is not None:
                    handler(event, Context(invocation))
            except Exception as error:
                print(f"[ERROR] {type(error).__name__}: x\rTraceback (most recent call last):")
        self.lines(printed.getvalue().splitlines(), invocation, ends=ends, stream=stream)

    def lines(self, lines: Iterable[str], invocation, *, ends="", stream=STREAM) -> None:
        """Write the lines of an invocation between Lambda's own."""
        self.line(f"START RequestId: {invocation} Version: $LATEST", stream)
        for line in lines:
            self.line(line, stream)
        if ends == "timeout":
            self.line(f"2027-01-15T08:02:00.000Z {invocation} Task timed out after 3.00 s", stream)
        self.line(f"END RequestId: {invocation}", stream)
        status = f"\tStatus: {ends}" if ends else ""
        self.line(f"REPORT RequestId: {invocation}\tDuration: 12.00 ms{status}", stream)

    def document(self) -> str:
        """Return it as `aws logs filter-log-events` prints it."""
        return json.dumps({"events": self.events, "searchedLogStreams": []}, indent=4)

    def rows(self) -> str:
        """Return it as JSON, one event a line."""
        return "".join(f"{json.dumps(event)}\n" for event in self.events)

    def plain(self) -> str:
        """Return it as `aws logs tail` prints it."""
        return "".join(
            f"{_spelled(event['timestamp'] - BEGINS * 1000)} {event['logStreamName']}"
            f" {event['message']}"
            for event in self.events
        )


@contextlib.contextmanager
def _named(name: str):
    before = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        else:
            os.environ["AWS_LAMBDA_FUNCTION_NAME"] = before


def _spelled(at: int) -> str:
    """Spell a moment so many milliseconds after the beginning, as `aws logs tail` does."""
    hours, minutes, seconds = 8 + at // 3_600_000, at // 60_000 % 60, at // 1000 % 60
    return f"2027-01-15T{hours:02}:{minutes:02}:{seconds:02}.{at % 1000:03}000+00:00"
