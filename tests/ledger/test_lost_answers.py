"""A whole life on every store: the engine answers, loses its answers, or loses requests."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cfn_once import LedgerUnavailable, Request, RequestType, Superseded
from cfn_once._clock import Deadline
from cfn_once.ledger import (
    Answered,
    Claimed,
    Ending,
    Head,
    Lease,
    Ledger,
    MemoryStore,
    Progress,
    StepRecord,
    Store,
    Write,
    Written,
)
from cfn_once.testing import VirtualClock
from ledger.told import text

WRITES = {"begin", "begin_over", "resume", "record", "park", "finish", "record_cleanup"}


class Loses:
    """A store behind a bad line: every other request for a write, or its answer, is lost.

    Attributes:
        lost: How many were lost.
        names: Of the writes whose request or answer was lost.
    """

    keeps_secrets = True

    def __init__(self, store: Store, *, request: bool) -> None:
        self._store, self._request = store, request
        self.lost, self.names = 0, set[str]()
        self._good = True

    def read(self, key: str) -> Head | None:
        return self._store.read(key)

    def write(self, key: str, write: Write) -> Written:
        self._good = not self._good
        written = None
        if self._good or not self._request:
            written = self._store.write(key, write)
        if written is None or not self._good:
            self.lost += 1
            self.names.add(write.name)
            raise LedgerUnavailable("the line is bad")
        return written

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        self._store.spill(key, name, data, expires)

    def unspill(self, key: str, name: str) -> str | None:
        return self._store.unspill(key, name)


class Patient(VirtualClock):
    """A clock that stands still while an execution waits: all lives have the same times."""

    waits = 0

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        self.waits += 1
        assert self.waits < 100, "an execution waits for ever"


class Life:
    """One resource, its requests, and the executions that work on them."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._clock, self._name = store, Patient(), name
        self._stages: list[str] = []
        self._key = ""

    def request(self, kind: RequestType, number: int, held: str | None = None) -> Request:
        self._clock.advance(60)
        request = Request(
            type=kind,
            request_id=f"request-{number}",
            stack_id=f"arn:aws:cloudformation:us-east-1:123456789012:stack/prod/{self._name}",
            logical_resource_id="Thing",
            resource_type="Custom::Thing",
            response_url="https://nowhere.example.com/",
            physical_resource_id=held,
            properties={"Name": "a"},
            issued_at=int(self._clock.now()),
        )
        self._key = "r" + request.correlation_id
        return request

    def claim(self, request: Request) -> Claimed:
        claimed = Ledger(self._store).claim(request, Deadline(self._clock))
        self.look()
        return claimed

    def lease(self, request: Request) -> Lease:
        claimed = self.claim(request)
        assert isinstance(claimed, Lease)
        return claimed

    def keep(self, write: Callable[..., None], *arguments: Any) -> None:
        """Let an execution write."""
        write(*arguments)
        self.look()

    def look(self) -> None:
        """Keep what the head is like now, but for how often it was written."""
        head = self._store.read(self._key)
        assert head is not None
        self._stages.append(text(replace(head, revision=0)))

    def stages(self) -> list[str]:
        return self._stages


def done(result: str) -> StepRecord:
    return StepRecord(state="D", result=json.dumps(result), first_used=1)


def ending(succeeded: bool, physical_id: str, **parts: Any) -> Ending:
    response = json.dumps({"Status": "SUCCESS" if succeeded else "FAILED", "Id": physical_id})
    return Ending(succeeded=succeeded, response=response, physical_id=physical_id, **parts)


def live(life: Life) -> list[str]:
    """Live through every write of the ledger, and return what the head was like after each."""
    create = life.request(RequestType.CREATE, 1)
    first = life.lease(create)  # begin
    life.keep(first.record, Progress(steps={"thing#0": done("thing-1")}, assigned_id="thing-1"))
    life.keep(first.park, Progress())
    second = life.lease(create)  # resume what was parked
    with pytest.raises(Superseded):
        first.record(Progress(steps={"late#0": done("late")}))
    life.keep(second.finish, ending(False, "thing-1"), Progress())
    assert life.claim(create) == Answered(ending(False, "thing-1").response)
    again = replace(create, issued_at=life.request(RequestType.CREATE, 1).issued_at)
    third = life.lease(again)  # resume after a failure
    fourth = life.lease(life.request(RequestType.DELETE, 2, "thing-1"))  # begin over one at work
    with pytest.raises(Superseded):
        third.record(Progress(steps={"more#0": done("more")}))  # park what was left
    life.look()
    fourth.wait_for_previous_owners()
    left = third.head.operation.execution.owner
    life.keep(fourth.record, Progress(steps={"found#0": done("found")}), left)
    life.keep(fourth.finish, ending(True, "thing-1", removed=["thing-1"]), Progress())
    fifth = life.lease(life.request(RequestType.CREATE, 3))  # begin
    made = Progress(steps={"thing#0": done("thing-3")}, assigned_id="thing-3")
    life.keep(fifth.finish, ending(True, "thing-3"), made)
    sixth = life.lease(life.request(RequestType.UPDATE, 4, "thing-3"))  # begin
    made = Progress(steps={"thing#0": done("thing-4")}, assigned_id="thing-4")
    life.keep(sixth.finish, ending(False, "thing-3"), made)
    seventh = life.lease(life.request(RequestType.UPDATE, 5, "thing-3"))  # begin over
    life.keep(seventh.record_cleanup, [], ["thing-4"])
    life.keep(seventh.finish, ending(True, "thing-3"), Progress())
    return life.stages()


@pytest.mark.parametrize(
    "line",
    [lambda store: Loses(store, request=False), lambda store: Loses(store, request=True)],
    ids=["answers are lost", "requests are lost"],
)
def test_a_life_on_a_bad_line(any_store: Store, line: Callable[[Store], Loses], key: str) -> None:
    """An execution that loses the answers to its writes makes the same heads as one that does not:
    each write, when it is repeated, recognises itself.
    """
    good = live(Life(MemoryStore(), key))
    bad = line(any_store)

    stages = live(Life(bad, key))

    assert good == stages
    assert bad.lost >= len(good)
    assert WRITES == bad.names


def test_a_life_on_a_good_line(any_store: Store, key: str) -> None:
    """Every store keeps the same heads."""
    assert live(Life(MemoryStore(), key)) == live(Life(any_store, key))
