"""However much fails, an item holds its Delete: DynamoDB takes at most 400 KB."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfn_once import CustomResource, Provider
from cfn_once.ledger import Head, MemoryStore
from cfn_once.testing import Crashed, FakeCloudFormation

LARGEST_ITEM = 400_000  # bytes, of which DynamoDB's own form takes fewer than our JSON
MOST_LEFT = 9  # requests whose traces are in doubt: then no further one is begun


class Try(NamedTuple):
    """One request that makes something, and fails.

    Attributes:
        steps: How many calls it makes.
        name: How long their names are.
        result: How long what they return is.
        dies: The process dies in the last step, again and again, instead of an error after it.
    """

    steps: int
    name: int
    result: int
    dies: bool


class Thing(CustomResource[dict[str, Any], dict[str, Any]]):
    """A class whose objects cannot be deleted, until somebody repairs that."""

    replace_on = frozenset({"Name"})
    failing: Try
    is_repaired = False

    def create(self) -> None:
        if not self.properties.get("Fails"):
            return
        for number in range(self.failing.steps):
            self.step(f"{number:x}".rjust(self.failing.name, "n"), self.make, once=True)
        raise ValueError("e" * 3000)

    def make(self, _: object) -> str:
        return "r" * self.failing.result

    def delete(self) -> None:
        if not self.is_repaired:
            raise ValueError("d" * 3000)


class Sizes(MemoryStore):
    """A ledger that measures each item that is written."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = self.most_left = 0

    def write(self, key: str, write: Any) -> Any:
        written = super().write(key, write)
        head: Head | None = self.read(key)
        if head is not None:
            self.largest = max(self.largest, len(json.dumps(head.to_doc()).encode()))
            self.most_left = max(self.most_left, len(head.pending_cleanup))
        return written


tries = st.builds(
    Try,
    steps=st.integers(0, 30),
    name=st.integers(3, 240),
    result=st.sampled_from([0, 100, 4_000]),
    dies=st.booleans(),
)


def fail(stack: FakeCloudFormation, failing: Try, number: int) -> None:
    """Send an Update that replaces, makes something, and fails; CloudFormation rolls it back."""
    Thing.failing = failing
    last = f"{failing.steps - 1:x}".rjust(failing.name, "n")
    asked = {"Name": str(number), "Fails": True}
    if not (failing.dies and failing.steps):
        stack.update("Thing", asked)
        return
    event = stack.event("Update", "Thing", asked)
    with pytest.raises((Crashed, AssertionError)):  # none where the step is refused
        stack.send(event, crash_after=last)
    stack.deliver(event)
    stack.settle()


@settings(max_examples=8)
@given(st.lists(tries, max_size=6))
@example([Try(99, 240, 0, dies=False)] * 9)
@example([Try(120, 240, 4_000, dies=True)] * 3)
def test_an_item_holds_its_delete(failing: list[Try]) -> None:
    """
    Requests fail and cannot be cleaned up; what is too much is refused before anything is made,
    and the Delete has room, while it fails and once it does not.
    """
    ledger = Sizes()
    stack = FakeCloudFormation(Provider(Thing, ledger=ledger), ledger=ledger)
    Thing.is_repaired = False
    stack.create("Thing", {"Name": "a"})

    for number, attempt in enumerate(failing):
        fail(stack, attempt, number)
    stuck = stack.delete("Thing")
    Thing.is_repaired = True
    gone = stack.delete("Thing")

    assert not stuck.succeeded
    assert gone.succeeded, gone.reason
    assert ledger.largest <= LARGEST_ITEM


def test_too_much_is_in_doubt() -> None:
    """
    Beyond nine requests whose traces nobody can remove, a tenth is refused before it makes more.
    """
    ledger = Sizes()
    stack = FakeCloudFormation(Provider(Thing, ledger=ledger), ledger=ledger)
    Thing.is_repaired = False
    stack.create("Thing", {"Name": "a"})

    for number in range(MOST_LEFT + 3):
        fail(stack, Try(steps=2, name=3, result=0, dies=True), number)
    refused = stack.update("Thing", {"Name": "b"})

    assert MOST_LEFT == ledger.most_left
    assert refused.reason.startswith("too much is in doubt: what the requests ")
