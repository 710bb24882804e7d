"""Every write of the ledger on every store: made, repeated after a lost answer, and refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cfn_once import Request, RequestType
from cfn_once.ledger import Change, Debt, Ending, Head, Progress, Record, Store
from cfn_once.ledger import transitions as _writes
from cfn_once.ledger.store import Write
from cfn_once.ledger.transitions import Claimant
from ledger.told import Told, text

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/prod/0f7a1f60-52a3-11ee-8c99-0242ac12"
ISSUED = 1_800_000_000  # seconds; each request is issued ten seconds after the one before
THING = Record(state="D", result='{"id": "Größe"}', generation=0, first_used=ISSUED * 1000, fence=1)
MORE = Record(state="S", generation=2, first_used=ISSUED * 1000 + 7, fence=1, arguments="0123")
NONE = "cfn-once.none.abc"


def ask(kind: RequestType, number: int, held: str | None = None, **properties: str) -> Request:
    """Return the request with this number, issued in its turn."""
    return Request(
        type=kind,
        request_id=f"request-{number}",
        stack_id=STACK,
        logical_resource_id="Thing",
        resource_type="Custom::Thing",
        response_url="https://nowhere.example.com/",
        physical_resource_id=held,
        properties=properties,
        issued_at=ISSUED + 10 * number,
    )


def execution(owner: str, number: int, box: str | None = None) -> Claimant:
    """Return somebody who works on the request with this number, one second after its issue."""
    now = (ISSUED + 10 * number + 1) * 1000
    return Claimant(owner=owner, lease=now + 122_000, box=box, now=now)


CREATE = ask(RequestType.CREATE, 1, Name="a")
UPDATE = ask(RequestType.UPDATE, 2, "thing-1", Name="b")
DELETE = ask(RequestType.DELETE, 2, "thing-1", Name="a")
DELETE_OF_NOTHING = ask(RequestType.DELETE, 2, NONE, Name="a")


class Book:
    """One resource, on a store and its reference."""

    def __init__(self, told: Told) -> None:
        self.told = told

    @property
    def head(self) -> Head:
        head = self.told.store.read(self.told.key)
        assert head is not None
        return head

    def make(self, write: Write) -> Head:
        written = self.told.write(write)
        assert written.applied, f"{write.name} was refused"
        assert written.head is not None
        return written.head

    def begin(self, request: Request, owner: str) -> Head:
        return self.make(_writes.begin(request, execution(owner, 1)))

    def record(self, owner: str, **progress: Any) -> Write:
        return self._held("record", owner, _writes.record(Progress(**progress), self.head))

    def note(self, owner: str, found: Record) -> Write:
        return self._held("note", owner, _writes.note(0, "found#0", found))

    def park(self, owner: str, *, in_doubt: bool = False, **progress: Any) -> Write:
        change = _writes.park(Progress(**progress), self.head, 77, in_doubt=in_doubt)
        return self._held("park", owner, change)

    def finish(self, owner: str, ending: Ending, **progress: Any) -> Write:
        change = _writes.finish(self.head, ending, Progress(**progress), 99, in_doubt=False)
        return self._held("finish", owner, change)

    def _held(self, name: str, owner: str, change: Change) -> Write:
        return Write(name=name, guard=_writes.held_by(owner, self.head.fence), change=change)

    def created(self) -> None:
        """A Create was answered SUCCESS under thing-1."""
        self.begin(CREATE, "A")
        self.make(self.finish("A", GOOD, steps={"thing#0": THING}, running_id="thing-1"))

    def failed(self) -> None:
        """A Create was answered FAILED after it had made thing-1."""
        self.begin(CREATE, "A")
        self.make(self.finish("A", BAD, steps={"thing#0": THING}, running_id="thing-1"))

    def overtaken(self) -> None:
        """A Create at work, by A, was superseded by a Delete, by B."""
        self.begin(CREATE, "A")
        self.make(_writes.begin_over(self.head, DELETE_OF_NOTHING, execution("B", 2)))


YES, NO = '{"Status":"SUCCESS"}', '{"Status":"FAILED"}'
GOOD = Ending(succeeded=True, body=YES, physical_id="thing-1", attributes="[{},false]")
BAD = Ending(succeeded=False, body=NO, physical_id="thing-1")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A write, and what else may happen at its moment.

    Attributes:
        meanwhile: A write of somebody else, after which it is refused.
        makes: Parts of the head that it makes; None for what is absent.
        is_mine: Tells from the head that refused a repetition that the first one was made; None
            where a repetition is allowed, and makes the same again.
    """

    write: Write
    meanwhile: Write
    makes: Mapping[str, Any]
    is_mine: Callable[[Head], bool] | None = field(default=None)


def begin(book: Book) -> Case:
    return Case(
        write=_writes.begin(CREATE, execution("A", 1, box="box-1")),
        meanwhile=_writes.begin(CREATE, execution("B", 1)),
        makes={
            "v": 1, "f": 1, "w": 1, "rid": "request-1", "typ": "Create", "iss": ISSUED + 10,
            "hi": ISSUED + 10, "st": "RUN", "own": "A", "box": "box-1", "att": 1, "took": False,
            "rnd": 0, "g0": 0, "steps": {}, "recent": ["request-1"], "base": None, "phys": None,
            "seen": False, "ok": None, "out": None, "ttl": None, "debts": [],
        },
        is_mine=lambda head: head.owner == "A" and head.state == "RUN",
    )  # fmt: skip


def begin_an_update(book: Book) -> Case:
    book.created()
    return Case(
        write=_writes.begin(UPDATE, execution("B", 2)),
        meanwhile=_writes.begin(UPDATE, execution("C", 2)),
        makes={
            "f": 2, "w": 3, "rid": "request-2", "typ": "Update", "hi": ISSUED + 20, "st": "RUN",
            "own": "B", "base": "thing-1", "phys": "thing-1", "seen": True, "attrs": "[{},false]",
            "recent": ["request-1", "request-2"], "steps": {}, "ok": None, "out": None, "id": None,
        },
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )  # fmt: skip


def begin_an_update_of_what_is_not_known(book: Book) -> Case:
    return Case(
        write=_writes.begin(UPDATE, execution("B", 2)),
        meanwhile=_writes.begin(UPDATE, execution("C", 2)),
        makes={"f": 1, "w": 1, "base": "thing-1", "phys": "thing-1", "seen": True},
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )


def begin_over(book: Book) -> Case:
    book.failed()
    return Case(
        write=_writes.begin_over(book.head, DELETE_OF_NOTHING, execution("B", 2)),
        meanwhile=_writes.begin_over(book.head, DELETE_OF_NOTHING, execution("C", 2)),
        makes={
            "f": 2, "w": 3, "st": "RUN", "own": "B", "steps": {}, "phys": None, "id": None,
            "debts": [
                replace(
                    a_debt, id="thing-1", gone=True, edge=False, ended=99,
                    steps={"thing#0": THING.to_doc()},
                ).to_doc()
            ],
        },
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )  # fmt: skip


a_debt = Debt(
    request_id="request-1",
    type="Create",
    properties=CREATE.properties_fingerprint,
    owner="A",
    lease=execution("A", 1).lease,
    gone=False,
    edge=True,
    begun=execution("A", 1).now,
    steps={},
)


def supersede(book: Book) -> Case:
    book.begin(CREATE, "A")
    return Case(
        write=_writes.begin_over(book.head, DELETE_OF_NOTHING, execution("B", 2)),
        meanwhile=book.record("A", steps={"thing#0": THING}),  # must not be lost
        makes={"f": 2, "w": 2, "own": "B", "rid": "request-2", "debts": [a_debt.to_doc()]},
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )


def take_over(book: Book) -> Case:
    book.begin(CREATE, "A")
    book.make(book.record("A", steps={"thing#0": THING}, running_id="thing-1"))
    return Case(
        write=_writes.take_over(book.head, CREATE, execution("B", 2, box="box-2")),
        meanwhile=_writes.take_over(book.head, CREATE, execution("C", 2)),
        makes={
            "f": 2, "w": 3, "st": "RUN", "own": "B", "box": "box-2", "att": 2, "took": True,
            "lu": execution("B", 2).lease, "steps": {"thing#0": THING.to_doc()}, "id": "thing-1",
        },
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )  # fmt: skip


def take_over_what_was_given_back(book: Book) -> Case:
    book.begin(CREATE, "A")
    book.make(book.park("A", steps={"thing#0": THING}))
    return Case(
        write=_writes.take_over(book.head, CREATE, execution("B", 2)),
        meanwhile=_writes.take_over(book.head, CREATE, execution("C", 2)),
        makes={"f": 2, "w": 3, "st": "RUN", "own": "B", "box": None, "att": 2, "took": False},
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )


def new_round(book: Book) -> Case:
    book.failed()
    again = replace(CREATE, issued_at=ISSUED + 60)
    return Case(
        write=_writes.new_round(book.head, again, execution("B", 6)),
        meanwhile=_writes.new_round(book.head, again, execution("C", 6)),
        makes={
            "f": 2, "w": 3, "st": "RUN", "own": "B", "rnd": 1, "iss": ISSUED + 60, "ok": None,
            "out": None, "hi": ISSUED + 60, "steps": {"thing#0": THING.to_doc()}, "id": "thing-1",
        },
        is_mine=lambda head: head.owner == "B" and head.state == "RUN",
    )  # fmt: skip


def record(book: Book) -> Case:
    book.begin(CREATE, "A")
    steps = {"thing#0": THING, "iam.CreateRole#0": MORE, "http.POST.api.example.com#1": MORE}
    return Case(
        write=book.record("A", steps=steps, running_id="thing-1", acted=True),
        meanwhile=_writes.take_over(book.head, CREATE, execution("B", 2)),
        makes={
            "f": 1, "w": 2, "st": "RUN", "id": "thing-1",
            "steps": {name: one.to_doc() for name, one in steps.items()},
        },
    )  # fmt: skip


def record_over_a_start(book: Book) -> Case:
    book.begin(CREATE, "A")
    book.make(book.record("A", steps={"mail#0": MORE}))
    return Case(
        write=book.record("A", steps={"mail#0": THING}),
        meanwhile=_writes.take_over(book.head, CREATE, execution("B", 2)),
        makes={"f": 1, "w": 3, "steps": {"mail#0": THING.to_doc()}},
    )


def note(book: Book) -> Case:
    book.overtaken()
    return Case(
        write=book.note("B", THING),
        meanwhile=_writes.take_over(book.head, DELETE_OF_NOTHING, execution("C", 3)),
        makes={
            "f": 2,
            "w": 3,
            "debts": [replace(a_debt, edge=False, steps={"found#0": THING.to_doc()}).to_doc()],
        },
    )


def park(book: Book) -> Case:
    book.begin(CREATE, "A")
    return Case(
        write=book.park("A", in_doubt=True, steps={"thing#0": THING}, running_id="thing-1"),
        meanwhile=_writes.take_over(book.head, CREATE, execution("B", 2)),
        makes={
            "f": 1, "w": 2, "st": "PARK", "lu": 0, "took": True, "id": "thing-1",
            "steps": {"thing#0": THING.to_doc()},
        },
        is_mine=lambda head: head.owner == "A" and head.state == "PARK",
    )  # fmt: skip


def leave(book: Book) -> Case:
    book.overtaken()
    ending = GOOD._replace(physical_id=NONE)
    return Case(
        write=_writes.leave(0, "A", Progress(steps={"thing#0": THING}), 5, in_doubt=False),
        meanwhile=book.finish("B", ending),
        makes={
            "f": 2, "w": 3, "st": "RUN", "own": "B",
            "debts": [
                replace(
                    a_debt, gone=True, edge=False, ended=5, steps={"thing#0": THING.to_doc()}
                ).to_doc()
            ],
        },
        is_mine=lambda head: any(debt.owner == "A" and debt.gone for debt in head.owed()),
    )  # fmt: skip


def finish(book: Book) -> Case:
    book.begin(CREATE, "A")
    return Case(
        write=book.finish("A", GOOD, steps={"thing#0": THING}, running_id="thing-1"),
        meanwhile=_writes.begin_over(book.head, DELETE_OF_NOTHING, execution("B", 2)),
        makes={
            "f": 1, "w": 2, "st": "DONE", "ok": True, "out": YES, "id": "thing-1",
            "phys": "thing-1", "seen": False, "ppfp": CREATE.properties_fingerprint,
            "attrs": "[{},false]", "steps": {"thing#0": THING.to_doc()}, "ttl": None,
        },
        is_mine=is_answered(YES),
    )  # fmt: skip


def finish_a_failure(book: Book) -> Case:
    book.begin(CREATE, "A")
    return Case(
        write=book.finish("A", BAD, steps={"thing#0": THING}, running_id="thing-1"),
        meanwhile=_writes.take_over(book.head, CREATE, execution("B", 2)),
        makes={"st": "DONE", "ok": False, "out": NO, "id": "thing-1", "phys": None},
        is_mine=is_answered(NO),
    )  # fmt: skip


def finish_a_replacement(book: Book) -> Case:
    book.created()
    book.begin(UPDATE, "B")
    former = {"id": "thing-1", "pfp": CREATE.properties_fingerprint, "attrs": "[{},false]"}
    return Case(
        write=book.finish("B", GOOD._replace(physical_id="thing-2"), running_id="thing-2"),
        meanwhile=_writes.take_over(book.head, UPDATE, execution("C", 3)),
        makes={"ok": True, "phys": "thing-2", "seen": False, "olds": [former], "base": "thing-1"},
        is_mine=is_answered(YES),
    )


def finish_a_delete(book: Book) -> Case:
    book.created()
    book.begin(DELETE, "B")
    book.make(book.record("B", steps={"gone#0": THING}))
    ending = GOOD._replace(attributes=None, removed=["thing-1"])
    return Case(
        write=book.finish("B", ending, steps={"gone#1": THING}),
        meanwhile=_writes.take_over(book.head, DELETE, execution("C", 3)),
        makes={
            "st": "DONE", "ok": True, "phys": None, "steps": {}, "attrs": None,
            "removed": ["thing-1"], "ttl": 14 * 86400, "recent": ["request-1", "request-2"],
        },
        is_mine=is_answered(YES),
    )  # fmt: skip


def finish_what_makes_a_removed_id_again(book: Book) -> Case:
    book.created()
    book.begin(DELETE, "B")
    book.make(book.finish("B", GOOD._replace(attributes=None, removed=["thing-1"])))
    again = ask(RequestType.CREATE, 3, Name="a")
    book.make(_writes.begin(again, execution("C", 3)))
    return Case(
        write=book.finish("C", GOOD, steps={"thing#0": THING}, running_id="thing-1"),
        meanwhile=_writes.take_over(book.head, again, execution("D", 4)),
        makes={"ok": True, "phys": "thing-1", "removed": [], "ttl": None},
        is_mine=is_answered(YES),
    )


def is_answered(body: str) -> Callable[[Head], bool]:
    return lambda head: head.state == "DONE" and head.body == body


CASES = [
    begin,
    begin_an_update,
    begin_an_update_of_what_is_not_known,
    begin_over,
    supersede,
    take_over,
    take_over_what_was_given_back,
    new_round,
    record,
    record_over_a_start,
    note,
    park,
    leave,
    finish,
    finish_a_failure,
    finish_a_replacement,
    finish_a_delete,
    finish_what_makes_a_removed_id_again,
]


every_write = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@pytest.fixture
def book(any_store: Store, key: str) -> Book:
    return Book(Told(any_store, key))


@every_write
def test_a_write_whose_answer_is_lost(book: Book, case: Callable[[Book], Case]) -> None:
    """A write makes the same head on every store; repeated, it finds that, or makes it again."""
    made = case(book)

    first = book.make(made.write)
    doc = book.told.doc()
    again = book.told.write(made.write)

    assert dict(made.makes) == {part: doc.get(part) for part in made.makes}
    assert again.head is not None
    assert (made.is_mine is None) == again.applied
    assert made.is_mine is None or made.is_mine(again.head)
    assert text(first) == text(replace(again.head, writes=first.writes))


@every_write
def test_a_write_that_comes_too_late(book: Book, case: Callable[[Book], Case]) -> None:
    """A write that another one has outrun changes nothing, and is told what outran it."""
    made = case(book)
    winner = book.make(made.meanwhile)

    written = book.told.write(made.write)

    assert not written.applied
    assert text(winner) == text(written.head) == text(book.head)
    assert made.is_mine is None or not made.is_mine(winner)
