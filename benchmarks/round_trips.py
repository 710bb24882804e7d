"""Requests to the ledger for each delivery, counted on the wire to a DynamoDB of MiniStack.

Beside them, the same number of side effects guarded by Powertools' idempotency: one decorated
handler, and one decorated function for each.
"""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import boto3

from cfn_once import CustomResource, Provider
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.testing import Crashed, FakeCloudFormation
from support.ministack import MiniStack

from . import FUNCTIONS, _peers
from ._figures import Figure, Measured, indented, table
from ._wire import CountingWire

HOUR = timedelta(hours=1)
REGION = "us-east-1"
_AS_CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
STEPS = (0, 1, 3, 10)
MOST = {
    "step": lambda n: max(n, 1) + 1,
    "replay": 1,
    "takeover": 3,
    "over": 3,
    "repeat": 2,
    "once": 4,
}
_HOW = "requests on the wire between boto3 and a DynamoDB on MiniStack; all retries would count"


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Runs as many steps of a kind as its properties say."""

    def create(self) -> dict[str, str]:
        for number in range(int(self.properties["Steps"])):
            match self.properties["Kind"]:
                case "step":
                    self.step(f"step{number}", lambda step: step.token, window=HOUR)
                case "once":
                    self.step(f"step{number}", lambda step: step.token, once=True)
                case "repeat":
                    self.step(f"step{number}", lambda step: step.token, repeat=True)
        return {}

    def delete(self) -> None:
        self.step("delete", lambda _: None, repeat=True)


def run() -> Measured:
    """Count."""
    with MiniStack() as aws:
        client = aws.client("dynamodb")
        _make_table(client, "ledger", pk="HASH", sk="RANGE")
        _make_table(client, "powertools", id="HASH")
        with CountingWire(aws.url) as wire:
            ours = _Ours(wire)
            peer = _powertools(wire)
            counted = ours.count()
    rows = [(name, requests, told) for name, (requests, told) in counted.items()]
    rows += [(f"Powertools, {n} steps", len(made), _told(made)) for n, made in peer.items()]
    print(indented(table(("delivery", "requests", "which"), rows)))
    figures = [
        Figure(
            name=f"ledger requests, {n} step{'' if n == 1 else 's'}",
            ours=counted[f"create, {n} step{'' if n == 1 else 's'}"][0],
            peer=len(peer[n]),
            against="Powertools",
            bar=MOST["step"](n),
            absolute=True,
            how=_HOW,
        )
        for n in STEPS
    ]
    bars = {
        "create, 1 once step": MOST["once"],
        "create, 3 repeated calls": MOST["repeat"],
        "a copy of an answered request": MOST["replay"],
        "takeover of a dead execution, 1 step": MOST["takeover"],
        "Delete over a Create that died": MOST["over"],
    }
    figures += [
        Figure(
            name=f"ledger requests, {name}",
            ours=counted[name][0],
            bar=bar,
            absolute=True,
            how=_HOW,
        )
        for name, bar in bars.items()
    ]
    return Measured(figures, {delivery: which for delivery, _, which in rows})


class _Ours:
    def __init__(self, wire: CountingWire) -> None:
        self._wire = wire
        client = boto3.client(
            "dynamodb", endpoint_url=wire.url, region_name=REGION, **_AS_CREDENTIALS
        )
        self._ledger = DynamoDBStore("ledger", client=client)
        self._counted: dict[str, tuple[int, str]] = {}
        self._number = 0

    def count(self) -> dict[str, tuple[int, str]]:
        """Return, for each kind of delivery, how many requests it made and which."""
        for n in STEPS:
            self._create(f"create, {n} step{'' if n == 1 else 's'}", "step", n)
        self._create("create, 1 once step", "once", 1)
        self._create("create, 3 repeated calls", "repeat", 3)
        self._after_it_was_answered()
        self._after_a_crash()
        begun, called = 1, 3  # points: behind the first write, behind the call
        self._over_a_create("Delete over a Create that died", 0, begun, 1000)
        self._over_a_create("Delete over a Create that died, 1 step in doubt", 1, called, 1000)
        self._over_a_create("Delete over a Create that is not over yet", 0, begun, 100)
        return self._counted

    def _create(self, name: str, kind: str, steps: int) -> None:
        stack = self._stack()
        create = stack.event("Create", "Thing", {"Kind": kind, "Steps": str(steps)})
        self._deliver(name, lambda: stack.send(create))

    def _after_it_was_answered(self) -> None:
        stack = self._stack()
        create = stack.event("Create", "Thing", {"Kind": "step", "Steps": "1"})
        stack.send(create)
        self._deliver("a copy of an answered request", lambda: stack.send(create))
        stack = self._stack()
        stack.create("Thing", {"Kind": "step", "Steps": "1"})
        self._deliver("update, nothing changed", lambda: stack.update("Thing"))
        self._deliver("delete", lambda: stack.delete("Thing"))
        self._deliver("a Create that comes back after it", lambda: stack.send(stack.answers[0][0]))

    def _after_a_crash(self) -> None:
        stack = self._stack()
        create = stack.event("Create", "Thing", {"Kind": "step", "Steps": "1"})
        with suppress(Crashed):
            stack.send(create, crash_after="step0")
        stack.clock.advance(1000)  # past its lease
        self._deliver("takeover of a dead execution, 1 step", lambda: stack.send(create))

    def _over_a_create(self, name: str, steps: int, dies: int, passed: float) -> None:
        """Delete what a Create may have made that died; its time ends two minutes later."""
        stack = self._stack()
        properties = {"Kind": "step", "Steps": str(steps)}
        with suppress(Crashed):
            stack.send(stack.event("Create", "Thing", properties), crash_at=dies)
        stack.clock.advance(passed)
        delete = stack.event("Delete", "Thing", properties, physical_resource_id="made-up")
        self._deliver(name, lambda: stack.send(delete))

    def _stack(self) -> FakeCloudFormation:
        self._number += 1
        provider = Provider(Thing, ledger=self._ledger)
        name = f"stack{self._number}"
        return FakeCloudFormation(provider, ledger=self._ledger, stack_name=name)

    def _deliver(self, name: str, act: Callable[[], object]) -> None:
        before = len(self._wire.requests)
        act()
        made = self._wire.requests[before:]
        self._counted[name] = (len(made), _told(made))


def _powertools(wire: CountingWire) -> dict[int, list[str]]:
    made = {}
    for n in STEPS:
        before = len(wire.requests)
        subprocess.run(
            [
                str(_peers.install()),
                "-W",
                "error::UserWarning",
                str(FUNCTIONS / "powertools_peer.py"),
                str(n),
            ],
            check=True,
            env={
                "DYNAMODB": wire.url,
                "AWS_DEFAULT_REGION": REGION,
                **{name.upper(): value for name, value in _AS_CREDENTIALS.items()},
                "POWERTOOLS_SERVICE_NAME": "peer",
            },
        )
        made[n] = wire.requests[before:]
    return made


def _told(requests: list[str]) -> str:
    counts = {name: requests.count(name) for name in dict.fromkeys(requests)}
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _make_table(client: Any, name: str, **keys: str) -> None:
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )
