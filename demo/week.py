"""
A week of one provider in virtual time, and the lines of metrics that its function prints.

What happens to it is ordinary: Lambda delivers twice, executions die, an API refuses, hooks wait.
"""

import contextlib
import io
import logging
import os
import random
from collections.abc import Iterator
from typing import Any

from cfn_once import CustomResource, Provider
from cfn_once.testing import Crashed, FakeCloudFormation, VirtualClock

FUNCTION = "my-provider"
BEGINS = 1_799_798_400  # 2027-01-13T00:00:00Z
DAYS, EVERY = 7, 1_200  # a stack every 20 minutes
RARE = 0.03
SCHEDULER = "scheduler://waits?role=arn:aws:iam::123456789012:role/waits"


class Thing(CustomResource[dict, dict]):
    """A thing of an API that takes long now and then, refuses some, and takes no token."""

    resource_type = "Custom::Thing"

    def create(self):
        if self.properties["Kind"] == "refused":
            raise ValueError("the API refuses a thing of this kind")
        if seconds := int(self.properties["Seconds"]):
            self.wait(seconds)
        self.physical_resource_id = self.step("thing", self.make, **self.sureness())
        return {}

    def make(self, step):
        return f"thing-{self.properties['Name']}"

    def sureness(self) -> dict[str, Any]:
        if self.properties["Kind"] == "once":  # nobody can look it up
            return {"once": True}
        return {"find": self.make}

    def delete(self):
        pass


def lines(seed: int = 2027) -> Iterator[str]:
    """Yield the lines that the function prints."""
    chance, clock = random.Random(seed), VirtualClock(float(BEGINS))
    printed = io.StringIO()
    with _in_lambda(), _without_logs(), contextlib.redirect_stdout(printed):
        for n in range(DAYS * 86_400 // EVERY):
            clock.advance(BEGINS + n * EVERY - clock.now())
            _stack(n, clock, chance)
    yield from (line for line in printed.getvalue().splitlines() if '"_aws"' in line)


def _stack(n: int, clock: VirtualClock, chance: random.Random) -> None:
    """Create a stack and delete it, with what happens to it."""
    draw = chance.random()
    faults: dict[str, Any] = {}
    kind = "plain"
    if draw < RARE:
        faults = {"late": 600.0}
    elif draw < 2 * RARE:
        faults = {"times": 2}
    elif draw < 3 * RARE:
        faults = {"crash_after": "thing"}
    elif draw < 3.3 * RARE:
        faults, kind = {"crash_after": "thing"}, "once"
    elif draw < 3.8 * RARE:
        kind = "refused"
    elif draw < 4.2 * RARE:
        faults = {"lost_answers": 1}
    busy = 1 + (n * EVERY // 3_600 % 24 in range(8, 18))  # by day there are more
    for again in range(busy):
        seconds = int(chance.expovariate(1 / 120)) if chance.random() < 0.2 and not faults else 0
        asked = {"Name": f"{n}-{again}", "Kind": kind, "Seconds": min(seconds, 3_000)}
        stack = FakeCloudFormation(
            Provider(Thing, ledger="memory://", allow_local_ledger=True, continuation=SCHEDULER),
            clock=clock,
            stack_name=f"stack-{n}-{again}",
        )
        with contextlib.suppress(Crashed):
            stack.create("Thing", asked, **faults)
        stack.delete_stack()
        faults, kind = {}, "plain"


@contextlib.contextmanager
def _without_logs() -> Iterator[None]:
    logger = logging.getLogger("cfn_once")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextlib.contextmanager
def _in_lambda() -> Iterator[None]:
    before = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = FUNCTION
    try:
        yield
    finally:
        del os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        if before is not None:
            os.environ["AWS_LAMBDA_FUNCTION_NAME"] = before
