"""The log of cfn-once's function in the month, as `cfn-once diagnose` reads it."""

import contextlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ._plan import Delivery, Plan

FUNCTION = "elastigroup"
RETRY, TWICE, SENDER = "lambda-retry", "lambda-twice", "sender"
HOUR = 3_600


def kinds_of(plan: Plan) -> dict[int, list[str]]:
    """Return why each create comes again, by stack and in order: the study did not record it."""
    pick = random.Random(f"kinds {plan.seed}").choice
    return {
        stack: [pick((RETRY, TWICE, SENDER)) for _ in range(copies)]
        for stack, copies in plan.copies.items()
    }


class Context(NamedTuple):
    """What Lambda hands over besides the event."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class Logs:
    """Writes events of CloudWatch Logs, one a line, with Lambda's own lines around ours."""

    def __init__(self, path: Path, plan: Plan, share: int, *, at: int = 0) -> None:
        self._share, self._kinds = share, kinds_of(plan)
        self._last = 0  # the time of the last line: lines of one second stand in their order
        self._file = path.open("a")
        self._file.truncate(at)

    def position(self) -> int:
        """Return how much is written."""
        self._file.flush()
        return self._file.tell()

    @contextlib.contextmanager
    def delivery(self, delivery: Delivery) -> Iterator[Context]:
        """Write what is printed inside as the lines of one invocation."""
        lambdas = self._invocation(delivery)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            yield Context(lambdas)
        again = self._kinds.get(delivery.stack, []) if delivery.request_type == "Create" else []
        is_retried = again[delivery.copy : delivery.copy + 1] == [RETRY]
        status = "\tStatus: timeout" if is_retried else ""
        lines = [
            f"START RequestId: {lambdas} Version: $LATEST",
            *printed.getvalue().splitlines(),
            f"END RequestId: {lambdas}",
            f"REPORT RequestId: {lambdas}\tDuration: 12.00 ms\tBilled Duration: 13 ms{status}",
        ]
        hour = delivery.at // HOUR
        for line in lines:
            self._last = max(delivery.at * 1000, self._last + 1)
            event: dict[str, Any] = {
                "logStreamName": f"2017/02/01/[$LATEST]{self._share:08x}{hour:024x}",
                "timestamp": self._last,
                "message": f"{line}\n",
            }
            self._file.write(json.dumps(event) + "\n")

    def _invocation(self, delivery: Delivery) -> str:
        """Return Lambda's request id: another one for each time that the event was sent."""
        again = self._kinds.get(delivery.stack, []) if delivery.request_type == "Create" else []
        sent = again[: delivery.copy].count(SENDER)
        kind = 1 if delivery.request_type == "Create" else 2
        return f"{delivery.stack:08x}-f27b-41e6-8a00-{kind:04x}{sent:08x}"
