"""A whole life on every store, where the engine answers, loses its answers, or loses requests."""

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
    Granted,
    Head,
    Ledger,
    MemoryStore,
    Progress,
    Record,
    Store,
    Write,
    Written,
)
from cfn_once.testing import VirtualClock


class Loses:
    """A store behind a bad line: every other request for a write, or its answer, is lost."""

    keeps_secrets = True

    def __init__(self, store: Store, *, request: bool) -> None:
        self._store, self._request, self.lost = store, request, 0
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
            raise LedgerUnavailable("the line is bad")
        return written

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        self._store.spill(key, name, data, expires)

    def unspill(self, key: str, name: str) -> str | None:
        return self._store.unspill(key, name)


class Patient(VirtualClock):
    """A clock that stands still while somebody waits, so that all lives have the same times."""

    waits = 0

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        self.waits += 1
        assert self.waits < 100, "somebody waits for ever"


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

    def granted(self, request: Request) -> Granted:
        claimed = self.claim(request)
        assert isinstance(claimed, Granted)
        return claimed

    def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def look(self) -> None:
        """Keep what the head is like now, but for how often it was written."""
        head = self._store.read(self._key)
        assert head is not None
        self._stages.append(json.dumps(replace(head, writes=0).to_doc(), sort_keys=True))

    def stages(self) -> list[str]:
        return self._stages


def done(result: str) -> Record:
    return Record(state="D", result=json.dumps(result), first_used=1, fence=1)


def ending(succeeded: bool, physical_id: str, **parts: Any) -> Ending:
    body = json.dumps({"Status": "SUCCESS" if succeeded else "FAILED", "Id": physical_id})
    return Ending(succeeded=succeeded, body=body, physical_id=physical_id, **parts)


def live(life: Life) -> list[str]:
    """Live through every write of the ledger, and return what the head was like after each."""
    create = life.request(RequestType.CREATE, 1)
    first = life.granted(create)  # begin
    first.record(Progress(steps={"thing#0": done("thing-1")}, running_id="thing-1"))
    life.look()
    first.park(Progress())
    life.look()
    second = life.granted(create)  # take over
    with pytest.raises(Superseded):
        first.record(Progress(steps={"late#0": done("late")}))
    second.finish(ending(False, "thing-1"), Progress())
    life.look()
    assert life.claim(create) == Answered(ending(False, "thing-1").body.encode())
    life.wait(600)
    again = replace(create, issued_at=life.request(RequestType.CREATE, 1).issued_at)
    third = life.granted(again)  # round
    delete = life.request(RequestType.DELETE, 2, "thing-1")
    fourth = life.granted(delete)  # supersede
    with pytest.raises(Superseded):
        third.record(Progress(steps={"more#0": done("more")}))  # leave
    life.look()
    fourth._look()
    fourth.note(fourth.head.owed()[0], "found#0", done("found"))
    life.look()
    fourth.finish(ending(True, "thing-1", removed=["thing-1"]), Progress())
    life.look()
    fifth = life.granted(life.request(RequestType.CREATE, 3))  # begin
    fifth.finish(ending(False, "none"), Progress(steps={"thing#0": done("thing-3")}))
    sixth = life.granted(life.request(RequestType.DELETE, 4, "none"))  # begin over
    sixth.finish(ending(True, "none"), Progress())
    life.look()
    return life.stages()


@pytest.mark.parametrize(
    "line",
    [lambda store: Loses(store, request=False), lambda store: Loses(store, request=True)],
    ids=["answers are lost", "requests are lost"],
)
def test_a_life_on_a_bad_line(any_store: Store, line: Callable[[Store], Loses], key: str) -> None:
    """
    Whoever loses answers to his writes comes to the same heads as who does not: each write, made
    again, recognises itself.
    """
    good = live(Life(MemoryStore(), key))
    bad = line(any_store)

    stages = live(Life(bad, key))

    assert good == stages
    assert bad.lost >= 15


def test_a_life_on_a_good_line(any_store: Store, key: str) -> None:
    """Every store tells the same life."""
    assert live(Life(MemoryStore(), key)) == live(Life(any_store, key))
