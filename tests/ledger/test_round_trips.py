"""How often a request goes to the ledger, counted on the wire: each trip costs money and time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from cfn_once import CustomResource, InProgress, Provider
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.testing import Crashed, FakeCloudFormation
from ledger.engines import count_requests
from support.ministack import MiniStack

HOUR = timedelta(hours=1)
WRITE, READ = "UpdateItem", "GetItem"


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes the steps that its property Plan names, one after another."""

    replace_on = {"Group"}

    def create(self) -> dict[str, str]:
        self._run(self.properties["Plan"])
        return {"Plan": self.properties["Plan"]}

    def update(self) -> dict[str, str]:
        return self.create()

    def delete(self) -> None:
        self.step("delete", lambda _: None, repeat=True)

    def _run(self, plan: str) -> None:
        for number, kind in enumerate(plan.split()):
            match kind:
                case "step":
                    self.step(f"{kind}{number}", lambda step: step.token, window=HOUR)
                case "find":
                    self.step(f"{kind}{number}", lambda _: 1, find=lambda step: {"at": step.token})
                case "once":
                    self.step(f"{kind}{number}", lambda _: {"Id": "x"}, once=True)
                case "repeat":
                    self.step(f"{kind}{number}", lambda _: None, repeat=True)
                case "id":
                    self.physical_resource_id = "thing-1"


class Stack(FakeCloudFormation):
    """A stack whose ledger lies on MiniStack, every request to it noted."""

    def __init__(self, table: str, client: Any, name: str) -> None:
        ledger = DynamoDBStore(table, client=client)
        super().__init__(Provider(Thing, ledger=ledger), ledger=ledger, stack_name=name)
        self.requests = count_requests(client)

    def trips(self, act: Callable[[], object]) -> list[str]:
        """Return the requests that an act makes."""
        before = len(self.requests)
        act()
        return self.requests[before:]


@pytest.fixture
def stack(ministack: MiniStack, table: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    yield Stack(table, ministack.client("dynamodb"), name)


@pytest.mark.parametrize(
    ("plan", "trips"),
    [
        ("", 2),
        ("step", 2),
        ("step step step", 4),
        ("step step step step step", 6),
        ("find find find", 4),
        ("step id", 2),
        ("repeat", 2),
        ("repeat repeat repeat", 2),
        ("repeat step", 2),
        ("step repeat", 2),
        ("repeat step repeat step repeat", 3),
        ("once", 4),
        ("once once", 6),
        ("once step", 4),
        ("step once", 4),
        ("step once step", 4),
    ],
)
def test_a_request(stack: Stack, plan: str, trips: int) -> None:
    """
    Two trips for none or one step, one more for each further step, two for each `once` step, and
    none for a call that is repeated at will. All are writes: nothing is read first.
    """
    create = stack.event("Create", "Thing", {"Plan": plan})

    made = stack.trips(lambda: stack.send(create))

    assert [WRITE] * trips == made


def test_duplicates_of_a_request(stack: Stack) -> None:
    """A duplicate takes one trip: the write that is refused brings the response along."""
    create = stack.event("Create", "Thing", {"Plan": "step step step"})
    stack.send(create)

    made = [stack.trips(lambda: stack.send(create)) for _ in range(2)]

    assert [[WRITE], [WRITE]] == made


def test_requests_that_come_too_late(stack: Stack) -> None:
    """A duplicate of an older request, and an older one that comes first now: one trip each."""
    create = stack.event("Create", "Thing", {"Plan": "step step step"})
    late = stack.event("Delete", "Thing", physical_resource_id="thing-1")
    stack.create("Thing", {"Plan": "step"})
    stack.update("Thing", {"Plan": "step step"})

    made = [stack.trips(lambda event=event: stack.send(event)) for event in (create, late)]

    assert [[WRITE], [WRITE]] == made
    assert not stack.answer_to(late).succeeded


def test_a_life_in_order(stack: Stack) -> None:
    """
    Create, Update and Delete, each upon the one before: two trips each, begun without a look. So
    it is when what was deleted is made again under the same id.
    """
    made = [
        trips
        for _ in range(2)
        for trips in (
            stack.trips(lambda: stack.create("Thing", {"Plan": "step id"})),
            stack.trips(lambda: stack.update("Thing", {"Plan": "step step"})),
            stack.trips(lambda: stack.update("Thing", {"Plan": "step step"})),
            stack.trips(lambda: stack.delete("Thing")),
        )
    ]

    assert [[WRITE] * count for count in (2, 3, 2, 2)] * 2 == made


def test_a_takeover(stack: Stack) -> None:
    """Three trips: a look, a claim, and the response; the recorded steps come along."""
    create = stack.event("Create", "Thing", {"Plan": "step step"})
    with pytest.raises(Crashed):
        stack.send(create, crash_before="step1")
    stack.clock.advance(180)

    made = stack.trips(lambda: stack.send(create))

    assert [WRITE] * 3 == made


def test_a_twin_at_work(stack: Stack) -> None:
    """While a twin waits it reads, at longer and longer intervals; it writes nothing."""
    create = stack.event("Create", "Thing", {"Plan": "step"})
    with pytest.raises(Crashed):
        stack.send(create, crash_before="step0")

    def come_again() -> None:
        with pytest.raises(InProgress):
            stack.send(create)

    made = stack.trips(come_again)

    assert [WRITE] + [READ] * (len(made) - 1) == made
    assert 10 <= len(made) <= 20, "of 115 seconds"


def test_a_request_asked_again_after_it_failed(stack: Stack) -> None:
    """
    A look, the new round, and the response. It begins at once: a hook that ended in order begins
    no further call.
    """
    create = stack.event("Create", "Thing", {})
    stack.send(create)
    again = stack.asked_again(create)
    asked = stack.clock.now()

    made = stack.trips(lambda: stack.send(again))

    assert not stack.answer_to(create).succeeded
    assert [WRITE] * 3 == made
    assert asked == stack.clock.now()


def test_a_delete_after_a_failed_create(stack: Stack) -> None:
    """A look, a begin over what was left, and the response."""
    create = stack.event("Create", "Thing", {})
    answer = stack.send(create)
    delete = stack.event("Delete", "Thing", {}, physical_resource_id=answer.physical_resource_id)

    made = stack.trips(lambda: stack.send(delete))

    assert [WRITE] * 3 == made
    assert stack.answer_to(delete).succeeded


def test_a_replacement_and_its_clean_up(stack: Stack) -> None:
    """Two trips for the Update; the Delete of what it replaced looks first."""
    stack.create("Thing", {"Plan": "step", "Group": "a"})

    made = stack.trips(lambda: stack.update("Thing", {"Plan": "step", "Group": "b"}))

    assert [WRITE] * (2 + 3) == made
