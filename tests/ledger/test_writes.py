"""Every write of the ledger on every store: applied, repeated after a lost answer, and refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from cfn_once import Request, RequestType
from cfn_once.ledger import (
    Change,
    CleanupRecord,
    Deed,
    Ending,
    ExecutionRecord,
    Head,
    HeldObject,
    MemoryStore,
    Operation,
    Origin,
    Progress,
    State,
    StepRecord,
    Store,
    Write,
    transitions,
)
from cfn_once.ledger.document import Doc
from cfn_once.ledger.head import VERSION
from cfn_once.ledger.store import Absent, AllOf, Equals, Path
from cfn_once.ledger.transitions import Candidate
from ledger.told import Told, text

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/prod/0f7a1f60-52a3-11ee-8c99-0242ac12"
ISSUED = 1_800_000_000  # seconds; each request is issued ten seconds after the one before
PARKED_AT, ENDED_AT, LEFT_AT = 77, 99, 55  # milliseconds
THING = StepRecord(state="D", result='{"id": "Größe"}', first_used=ISSUED * 1000)
MORE = StepRecord(state="S", generation=2, first_used=ISSUED * 1000 + 7, arguments="0123")
MADE = {"thing#0": THING}
INVENTED = "prod-Thing-1M3QXZ5T8W2KD"  # as CloudFormation makes ids up
LEFT: Path = ("pend", 0)


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
        old_properties={"Name": "before"} if kind is RequestType.UPDATE else {},
        issued_at=ISSUED + 10 * number,
    )


def execution(owner: str, number: int, **more: Any) -> Candidate:
    """Return an execution of the request with this number, one second after its issue."""
    now = (ISSUED + 10 * number + 1) * 1000
    return Candidate(
        **{"owner": owner, "lease": now + 123_000, "sandbox_id": None, "now": now} | more
    )


def begun(request: Request, owner: str, number: int, **more: Any) -> Operation:
    """Return the operation that an execution of the request with this number begins."""
    candidate = execution(owner, number)
    told = {name: more.pop(name) for name in ("lease", "sandbox_id", "invocation") if name in more}
    told["deliveries"] = more.pop("deliveries", 1)
    told["due"] = more.pop("due", None)
    updates = request.type is RequestType.UPDATE
    return Operation(
        **{
            "request_id": request.request_id,
            "type": request.type.value,
            "issued_at": ISSUED + 10 * number,
            "properties": request.properties_fingerprint,
            "old_properties": request.old_properties_fingerprint if updates else None,
            "event_physical_id": request.physical_resource_id,
            "state": "RUNNING",
            "execution": ExecutionRecord(**{"owner": owner, "lease": candidate.lease} | told),
            "begun": candidate.now,
        }
        | more
    )


CREATE = ask(RequestType.CREATE, 1, Name="a")
UPDATE = ask(RequestType.UPDATE, 2, "thing-1", Name="b")
DELETE = ask(RequestType.DELETE, 2, "thing-1", Name="a")
NONE = CREATE.placeholder_id("none")
DELETE_OF_NOTHING = ask(RequestType.DELETE, 2, NONE, Name="a")

YES, NO = '{"Status":"SUCCESS"}', '{"Status":"FAILED"}'
GOOD = Ending(succeeded=True, response=YES, physical_id="thing-1")
BAD = Ending(succeeded=False, response=NO, physical_id="thing-1", reason="a" + "ü" * 60)
DELETED = GOOD._replace(removed=["thing-1"])
FIRST = HeldObject(
    id="thing-1",
    properties=CREATE.properties_fingerprint,
    response=YES,
    operation=CREATE.operation_name,
    made_by=Origin.CREATED.value,
)
FAILED = begun(CREATE, "A", 1, state="FAILED", lease=ENDED_AT, assigned_id="thing-1", steps=MADE)
SECOND = HeldObject(
    id="thing-2",
    properties=UPDATE.properties_fingerprint,
    response=YES,
    operation=UPDATE.operation_name,
    made_by=Origin.REPLACED.value,
)
ADOPTED = HeldObject(id="thing-1", properties=UPDATE.old_properties_fingerprint)


def may_return(replaced: HeldObject, **more: Any) -> HeldObject:
    """Return a replaced object that a rollback may return to."""
    return replace(replaced, returns=True, **more)


def entry(kind: str, outcome: str, **more: str) -> Doc:
    """Return an entry of the history."""
    return {"typ": kind, "st": outcome, "at": ENDED_AT, **more}


def names(*numbers: int) -> list[str]:
    """Return the names of the operations with these numbers."""
    return [CREATE.operation_name_of(f"request-{number}") for number in numbers]


def shorts(*numbers: int) -> list[str]:
    """Return what is kept of these among the recent ones."""
    return [name[:8] for name in names(*numbers)]


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

    def begin(self, request: Request, owner: str, number: int = 1) -> Head:
        return self.make(transitions.begin(request, execution(owner, number)))

    def begin_over(self, request: Request, owner: str, number: int = 2) -> Write:
        return transitions.begin_over(self.head, request, execution(owner, number))

    def resume(self, request: Request, owner: str, number: int = 2, **more: Any) -> Write:
        return transitions.resume(self.head, request, execution(owner, number, **more))

    def record(self, owner: str, **progress: Any) -> Write:
        return held("record", owner, transitions.record(Progress(**progress), self.head))

    def record_left(self, owner: str, **progress: Any) -> Write:
        change = transitions.record_left(Progress(**progress), self.head, 0)
        return held("record", owner, change)

    def record_cleanup(self, owner: str, stays: list[Operation], removed: list[str]) -> Write:
        change = transitions.record_cleanup(stays, removed, self.head)
        return held("record_cleanup", owner, change)

    def park(self, owner: str, *, due: int | None = None, **progress: Any) -> Write:
        change = transitions.park(Progress(**progress), self.head, PARKED_AT, due=due)
        return held("park", owner, change)

    def park_left(self, owner: str, at: Path = LEFT, **progress: Any) -> Write:
        change = transitions.park(Progress(**progress), self.head, LEFT_AT, at=at)
        return held("park", owner, change, at)

    def finish(self, owner: str, ending: Ending, **progress: Any) -> Write:
        operation = CREATE.operation_name_of(self.head.operation.request_id)
        ending = ending._replace(operation=operation)
        change = transitions.finish(self.head, ending, Progress(**progress), ENDED_AT)
        return held("finish", owner, change)

    def created(self) -> None:
        """A Create has succeeded under thing-1."""
        self.begin(CREATE, "A")
        self.make(self.finish("A", GOOD, steps=MADE, assigned_id="thing-1"))

    def failed(self) -> None:
        """A Create has failed after it had made thing-1."""
        self.begin(CREATE, "A")
        self.make(self.finish("A", BAD, steps=MADE, assigned_id="thing-1"))

    def deleted(self) -> None:
        """A Create has succeeded under thing-1, and its Delete, too."""
        self.created()
        self.begin(DELETE, "B", 2)
        self.make(self.finish("B", DELETED))

    def replaced(self) -> None:
        """An Update has put thing-2 in the place of thing-1."""
        self.created()
        self.begin(UPDATE, "B", 2)
        self.make(self.finish("B", GOOD._replace(physical_id="thing-2")))

    def overtaken(self) -> None:
        """A has taken a Create over, and B has begun a Delete over it."""
        self.begin(CREATE, "Z")
        self.make(self.resume(CREATE, "A", 1))
        self.make(self.begin_over(DELETE_OF_NOTHING, "B"))


def held(name: str, owner: str, change: Change, at: Path = transitions.OPERATION) -> Write:
    return Write(name=name, guard=transitions.held_by(owner, at), change=change)


def is_of(operation: Operation, owner: str, state: State) -> bool:
    return (operation.execution.owner, operation.state) == (owner, state)


def is_at_work(owner: str) -> Callable[[Head], bool]:
    return lambda head: is_of(head.operation, owner, State.RUNNING)


def is_parked(owner: str) -> Callable[[Head], bool]:
    return lambda head: is_of(head.operation, owner, State.PARKED)


def is_left_parked(owner: str) -> Callable[[Head], bool]:
    return lambda head: any(is_of(left, owner, State.PARKED) for left in head.pending_cleanup)


def is_answered(response: str) -> Callable[[Head], bool]:
    return lambda head: head.operation.is_over and head.response == response


@dataclass(frozen=True, kw_only=True)
class Case:
    """A write, and what else may happen at its moment.

    Attributes:
        meanwhile: A write of another execution, after which it is refused.
        operation: The operation that it leaves at work, or answered.
        makes: Parts of the head that it makes; None for what is absent.
        is_mine: Tells from the head that refused a repetition that the first one was applied; None
            where a repetition is allowed, and makes the same again.
    """

    write: Write
    meanwhile: Write
    operation: Operation
    makes: Mapping[str, Any]
    is_mine: Callable[[Head], bool] | None = field(default=None)


def begins(
    request: Request,
    owner: str,
    number: int,
    *,
    makes: Mapping[str, Any],
    over: Book | None = None,
    meanwhile: Write | None = None,
    **operation: Any,
) -> Case:
    """An execution begins a request, without a look or over what it sees; another one does so too,
    unless something else happens meanwhile.
    """

    def begin_by(who: str) -> Write:
        candidate = execution(who, number)
        if over is None:
            return transitions.begin(request, candidate)
        return transitions.begin_over(over.head, request, candidate)

    return Case(
        write=begin_by(owner),
        meanwhile=meanwhile or begin_by("Z"),
        operation=begun(request, owner, number, **operation),
        makes=makes,
        is_mine=is_at_work(owner),
    )


def finishes(
    book: Book,
    request: Request,
    ending: Ending,
    owner: str,
    number: int,
    *,
    makes: Mapping[str, Any],
    response: str | None = None,
    **progress: Any,
) -> Case:
    """An execution answers its request, with what it has come to; another delivery resumes it
    meanwhile. The operation keeps a response that does not lie with the held object.
    """
    state = State.SUCCEEDED if ending.succeeded else State.FAILED
    known = {"state": state, "lease": ENDED_AT, "response": response, "given": ending.given}
    return Case(
        write=book.finish(owner, ending, **progress),
        meanwhile=book.resume(request, "Z", number + 1),
        operation=begun(request, owner, number, **known, **progress),
        makes=makes,
        is_mine=is_answered(ending.response),
    )


def begin(book: Book) -> Case:
    execution_a = execution("A", 1, sandbox_id="box-1", invocation="lambda-1")
    return Case(
        write=transitions.begin(CREATE, execution_a),
        meanwhile=transitions.begin(CREATE, execution("B", 1)),
        operation=begun(CREATE, "A", 1, sandbox_id="box-1", invocation="lambda-1"),
        makes={
            "v": 2, "w": 1, "stk": STACK, "lid": "Thing", "rt": "Custom::Thing",
            "recent": shorts(1), "held": None, "ack": None, "repl": None, "gone": None,
            "forg": None, "pend": None, "hist": None, "ttl": None, "ucf": names(1),
        },
        is_mine=is_at_work("A"),
    )  # fmt: skip


def begin_an_undated_create(book: Book) -> Case:
    """It was issued when it was first seen, for all that is known, and the item says so."""
    undated = replace(CREATE, issued_at=None)
    return begins(undated, "A", 1, issued_at=ISSUED + 11, undated=True, makes={"w": 1})


def begin_an_update(book: Book) -> Case:
    """Nothing is moved: the operation before it is replaced, and its result is held already."""
    book.created()
    return begins(
        UPDATE, "B", 2,
        makes={
            "w": 3, "held": FIRST.to_doc(), "ack": True, "repl": None, "gone": None, "pend": None,
            "recent": shorts(1, 2), "hist": [entry("Create", "SUCCEEDED")], "ucf": names(1),
        },
    )  # fmt: skip


def begin_an_update_of_what_is_not_known(book: Book) -> Case:
    """Somebody else made it: it is held from now on, of the properties before the Update."""
    return begins(
        UPDATE, "B", 2, makes={"w": 1, "held": ADOPTED.to_doc(), "ack": True, "ucf": None}
    )


def begin_a_delete_of_what_is_not_known(book: Book) -> Case:
    """Its id names an object that somebody made, and it holds nothing by that."""
    return begins(DELETE, "B", 2, makes={"held": None, "ack": True})


def begin_a_delete_of_an_invented_id_that_is_not_known(book: Book) -> Case:
    """It names no object: nothing is held."""
    delete = ask(RequestType.DELETE, 2, INVENTED, Name="a")
    return begins(delete, "B", 2, makes={"held": None, "ack": None})


def begin_an_update_of_a_placeholder_that_is_not_known(book: Book) -> Case:
    """The same."""
    update = ask(RequestType.UPDATE, 2, NONE)
    return begins(update, "B", 2, makes={"held": None, "ack": None})


def begin_after_a_delete(book: Book) -> Case:
    book.deleted()
    again = ask(RequestType.CREATE, 3, Name="a")
    return begins(
        again, "C", 3,
        makes={
            "w": 5, "held": None, "ack": None, "gone": ["thing-1"], "recent": shorts(1, 2, 3),
            "pend": None, "ttl": None, "ucf": names(3),
        },
    )  # fmt: skip


def begin_over_a_failure(book: Book) -> Case:
    """What a failed operation has left moves to what is to be cleaned up, whole."""
    book.failed()
    return begins(
        DELETE_OF_NOTHING, "B", 2, over=book,
        makes={
            "w": 3, "v": 2, "stk": STACK, "lid": "Thing", "rt": "Custom::Thing", "held": None,
            "ack": None, "pend": [FAILED.to_doc()], "recent": shorts(1, 2), "ucf": None,
        },
    )  # fmt: skip


def begin_over_one_at_work(book: Book) -> Case:
    book.begin(CREATE, "A")
    return begins(
        DELETE_OF_NOTHING, "B", 2, over=book, meanwhile=book.record("A", steps=MADE),
        makes={"w": 2, "pend": [begun(CREATE, "A", 1).to_doc()]},
    )  # fmt: skip


def begin_a_delete_over_a_create_that_was_never_heard(book: Book) -> Case:
    """CloudFormation has invented an id, and a Delete moves nothing: what is held stays held."""
    book.created()
    delete = ask(RequestType.DELETE, 2, INVENTED)
    return begins(
        delete, "B", 2, over=book,
        makes={"held": FIRST.to_doc(), "ack": None, "repl": None, "pend": None, "ucf": names(1)},
    )  # fmt: skip


def begin_over_an_update_that_was_never_heard(book: Book) -> Case:
    """An Update is rolled back from an answer that CloudFormation lost: what was held before is
    held again, with its response, and the new object is left under the id that was answered.
    """
    book.replaced()
    back = ask(RequestType.UPDATE, 3, "thing-1", Name="a")
    unheard = begun(UPDATE, "B", 2, state="SUCCEEDED", lease=ENDED_AT, assigned_id="thing-2")
    return begins(
        back, "C", 3, over=book,
        makes={
            "w": 5, "held": may_return(FIRST).to_doc(), "ack": True, "repl": None,
            "pend": [unheard.to_doc()], "ucf": None,
        },
    )  # fmt: skip


def begin_over_what_went_back_unheard(book: Book) -> Case:
    """An Update that made nothing leaves nothing: what it went back to is replaced as before."""
    book.replaced()
    book.begin(ask(RequestType.UPDATE, 3, "thing-2", Name="a"), "C", 3)
    book.make(book.finish("C", GOOD))
    back = ask(RequestType.UPDATE, 4, "thing-2", Name="b")
    return begins(
        back, "D", 4, over=book,
        makes={
            "held": may_return(SECOND).to_doc(), "ack": True, "pend": None,
            "repl": [may_return(FIRST, made_by=Origin.RETURNED.value).to_doc()],
        },
    )  # fmt: skip


def begin_a_create_over_what_is_held(book: Book) -> Case:
    """CloudFormation never named what is held: it is forgotten. A rollback returns to nothing."""
    book.replaced()
    create = ask(RequestType.CREATE, 3, Name="c")
    return begins(
        create, "C", 3, over=book,
        makes={
            "held": None, "ack": None, "repl": [{"id": "thing-1"}], "forg": [SECOND.to_doc()],
            "pend": None, "ucf": names(3),
        },
    )  # fmt: skip


def begin_a_create_of_another_type(book: Book) -> Case:
    """It takes the head over: what is held is replaced, and of the type that made it."""
    book.created()
    create = replace(ask(RequestType.CREATE, 3), resource_type="Custom::Other")
    return begins(
        create, "C", 3, over=book,
        makes={
            "rt": "Custom::Other", "held": None, "ack": None, "pend": None, "ucf": names(3),
            "repl": [{"id": "thing-1", "rt": "Custom::Thing"}],
        },
    )  # fmt: skip


def begin_a_delete_of_what_another_type_left(book: Book) -> Case:
    """The head stays the other type's."""
    book.created()
    other = replace(ask(RequestType.CREATE, 3), resource_type="Custom::Other")
    book.make(book.begin_over(other, "C", 3))
    delete = ask(RequestType.DELETE, 4, "thing-1", Name="a")
    return begins(
        delete, "D", 4, over=book,
        makes={"rt": "Custom::Other", "repl": [{"id": "thing-1", "rt": "Custom::Thing"}]},
    )  # fmt: skip


def begin_a_delete_of_an_unknown_id(book: Book) -> Case:
    """CloudFormation has carried the held object's id back before: it holds that, and no other."""
    book.created()
    book.begin(UPDATE, "B", 2)
    book.make(book.finish("B", GOOD))
    delete = ask(RequestType.DELETE, 3, "another")
    return begins(
        delete, "C", 3, over=book,
        makes={
            "held": replace(FIRST, properties=UPDATE.properties_fingerprint).to_doc(),
            "ack": True,
            "pend": None,
            "ucf": None,
        },
    )  # fmt: skip


def begin_an_undated_update_over_a_failure(book: Book) -> Case:
    """It is as old as what it follows, at least, and what it carries is held."""
    book.failed()
    undated = replace(UPDATE, issued_at=None)
    return begins(
        undated, "B", 0, over=book, issued_at=ISSUED + 10, undated=True,
        makes={"held": ADOPTED.to_doc(), "ack": True, "pend": [FAILED.to_doc()]},
    )  # fmt: skip


def begin_a_request_id_again(book: Book) -> Case:
    """A RequestId that comes again after others begins above every generation that it had."""
    book.deleted()
    again = replace(CREATE, issued_at=ISSUED + 30)
    return begins(
        again, "C", 3, over=book, generation=5, round=5,
        makes={
            "w": 5, "recent": shorts(2, 1), "held": None, "ack": None, "gone": ["thing-1"],
            "pend": None, "ttl": None, "ucf": names(1),
        },
    )  # fmt: skip


def resume_after_a_death(book: Book) -> Case:
    book.begin(CREATE, "A")
    book.make(book.record("A", steps=MADE, assigned_id="thing-1"))
    return Case(
        write=book.resume(CREATE, "B", sandbox_id="box-2", invocation="lambda-2"),
        meanwhile=book.park("A"),  # it was not dead, and no call of it is in doubt
        operation=begun(
            CREATE, "B", 1, lease=execution("B", 2).lease, sandbox_id="box-2",
            invocation="lambda-2", deliveries=2, tail_in_doubt=True, steps=MADE,
            assigned_id="thing-1",
        ),
        makes={"w": 3, "pend": None, "recent": shorts(1)},
        is_mine=is_at_work("B"),
    )  # fmt: skip


def resume_what_was_parked(book: Book) -> Case:
    book.make(
        transitions.begin(CREATE, execution("A", 1, sandbox_id="box-1", invocation="lambda-1"))
    )
    book.make(book.park("A", steps=MADE))
    return Case(
        write=book.resume(CREATE, "B"),
        meanwhile=book.resume(CREATE, "C"),
        operation=begun(CREATE, "B", 1, lease=execution("B", 2).lease, deliveries=2, steps=MADE),
        makes={"w": 3},
        is_mine=is_at_work("B"),
    )


def resume_after_a_wait(book: Book) -> Case:
    """An event that comes back from a wait has deliveries of its own."""
    book.begin(CREATE, "A")
    book.make(book.park("A", due=500, tail_in_doubt=True))
    return Case(
        write=book.resume(CREATE, "B", due=500),
        meanwhile=book.resume(CREATE, "C", due=500),
        operation=begun(CREATE, "B", 1, lease=execution("B", 2).lease, tail_in_doubt=True),
        makes={"w": 3},
        is_mine=is_at_work("B"),
    )


def resume_after_a_failure(book: Book) -> Case:
    book.failed()
    again, later = replace(CREATE, issued_at=ISSUED + 60), execution("B", 6)
    return Case(
        write=book.resume(again, "B", 6),
        meanwhile=book.resume(again, "C", 6),
        operation=begun(
            CREATE, "B", 1, lease=later.lease, issued_at=ISSUED + 60, round=1, begun=later.now,
            steps=MADE, assigned_id="thing-1",
        ),
        makes={"w": 3, "held": None, "pend": None, "recent": shorts(1)},
        is_mine=is_at_work("B"),
    )  # fmt: skip


def resume_an_undated_one(book: Book) -> Case:
    """What was begun without a date stays undated, whatever a later copy bears."""
    undated = replace(CREATE, issued_at=None)
    book.begin(undated, "A")
    dated = replace(undated, issued_at=ISSUED + 60)
    return Case(
        write=book.resume(dated, "B", 6),
        meanwhile=book.park("A"),
        operation=begun(
            undated, "B", 1, lease=execution("B", 6).lease, issued_at=ISSUED + 11, undated=True,
            deliveries=2, tail_in_doubt=True,
        ),
        makes={"w": 2},
        is_mine=is_at_work("B"),
    )  # fmt: skip


def record(book: Book) -> Case:
    book.begin(CREATE, "A")
    steps = {"thing#0": THING, "iam.CreateRole#0": MORE, "http.POST.api.example.com#1": MORE}
    return Case(
        write=book.record("A", steps=steps, assigned_id="thing-1", has_unrecorded_calls=True),
        meanwhile=book.resume(CREATE, "B"),
        operation=begun(
            CREATE, "A", 1, steps=steps, assigned_id="thing-1", has_unrecorded_calls=True
        ),
        makes={"w": 2},
    )


def record_what_an_update_does(book: Book) -> Case:
    """It is recorded before it is done: a clean-up asks this, and not today's code."""
    book.created()
    book.begin(UPDATE, "B", 2)
    return Case(
        write=book.record("B", deed=Deed.MAKES.value),
        meanwhile=book.resume(UPDATE, "C", 3),
        operation=begun(UPDATE, "B", 2, deed="C"),
        makes={"w": 4, "held": FIRST.to_doc()},
    )


def record_over_a_start(book: Book) -> Case:
    book.begin(CREATE, "A")
    book.make(book.record("A", steps={"mail#0": MORE}))
    return Case(
        write=book.record("A", steps={"mail#0": THING}),
        meanwhile=book.resume(CREATE, "B"),
        operation=begun(CREATE, "A", 1, steps={"mail#0": THING}),
        makes={"w": 3},
    )


def record_what_makes_a_removed_id_again(book: Book) -> Case:
    book.created()
    book.begin(DELETE, "B", 2)
    book.make(book.finish("B", GOOD._replace(removed=["thing-0", "thing-1"])))
    again = ask(RequestType.CREATE, 3, Name="a")
    book.begin(again, "C", 3)
    return Case(
        write=book.record("C", steps=MADE, assigned_id="thing-1"),
        meanwhile=book.resume(again, "D", 4),
        operation=begun(again, "C", 3, steps=MADE, assigned_id="thing-1"),
        makes={"w": 6, "gone": ["thing-0"]},
    )


def record_left(book: Book) -> Case:
    """Whoever cleans up records what a step of an operation left behind came to."""
    book.overtaken()
    known = begun(CREATE, "A", 1, state="PARKED", deliveries=2, steps={"found#0": THING})
    return Case(
        write=book.record_left("B", steps={"found#0": THING}),
        meanwhile=book.resume(DELETE_OF_NOTHING, "C", 3),
        operation=begun(DELETE_OF_NOTHING, "B", 2),
        makes={"w": 4, "pend": [known.to_doc()]},
    )


def record_cleanup(book: Book) -> Case:
    """What is cleaned up goes, what stays says who has looked at it, and the ids are gone."""
    book.overtaken()
    delete = ask(RequestType.DELETE, 3, NONE, Name="a")
    book.make(book.begin_over(delete, "C", 3))
    first, _ = book.head.pending_cleanup
    stays = replace(first, cleanup=CleanupRecord(by="request-3", doubts=("mail#0",)))
    return Case(
        write=book.record_cleanup("C", [stays], ["thing-1"]),
        meanwhile=book.resume(delete, "D", 4),
        operation=begun(delete, "C", 3),
        makes={"w": 5, "pend": [stays.to_doc()], "gone": ["thing-1"]},
    )


def record_that_all_is_cleaned_up(book: Book) -> Case:
    book.overtaken()
    return Case(
        write=book.record_cleanup("B", [], []),
        meanwhile=book.resume(DELETE_OF_NOTHING, "C", 3),
        operation=begun(DELETE_OF_NOTHING, "B", 2),
        makes={"w": 4, "pend": None, "gone": None},
    )


def park(book: Book) -> Case:
    book.begin(CREATE, "A")
    return Case(
        write=book.park(
            "A", tail_in_doubt=True, steps=MADE, assigned_id="thing-1", has_unrecorded_calls=True
        ),
        meanwhile=book.resume(CREATE, "B"),
        operation=begun(
            CREATE, "A", 1, state="PARKED", lease=PARKED_AT, tail_in_doubt=True, steps=MADE,
            assigned_id="thing-1", has_unrecorded_calls=True,
        ),
        makes={"w": 2},
        is_mine=is_parked("A"),
    )  # fmt: skip


def park_for_a_wait(book: Book) -> Case:
    """A doubt that a step has cleared since the takeover is taken back."""
    book.begin(CREATE, "Z")
    book.make(book.resume(CREATE, "A", 1))
    return Case(
        write=book.park("A", due=1_000, steps=MADE),
        meanwhile=book.resume(CREATE, "B"),
        operation=begun(
            CREATE, "A", 1, state="PARKED", lease=PARKED_AT, due=1_000, deliveries=2, steps=MADE
        ),
        makes={"w": 3},
        is_mine=is_parked("A"),
    )


def park_what_was_left(book: Book) -> Case:
    """An execution that another has begun over keeps its last facts where its operation is."""
    book.overtaken()
    parked = begun(
        CREATE, "A", 1, state="PARKED", lease=LEFT_AT, deliveries=2, steps=MADE,
        assigned_id="thing-1", has_unrecorded_calls=True,
    )  # fmt: skip
    return Case(
        write=book.park_left("A", steps=MADE, assigned_id="thing-1", has_unrecorded_calls=True),
        meanwhile=book.record_cleanup("B", [], []),
        operation=begun(DELETE_OF_NOTHING, "B", 2),
        makes={"w": 4, "pend": [parked.to_doc()]},
        is_mine=is_left_parked("A"),
    )


def finish(book: Book) -> Case:
    """The response lies with the held object, and nowhere else."""
    book.begin(CREATE, "A")
    return Case(
        write=book.finish("A", GOOD, steps=MADE, assigned_id="thing-1"),
        meanwhile=book.begin_over(DELETE_OF_NOTHING, "B"),
        operation=begun(
            CREATE, "A", 1, state="SUCCEEDED", lease=ENDED_AT, steps=MADE, assigned_id="thing-1"
        ),
        makes={
            "w": 2, "held": FIRST.to_doc(), "ack": None, "repl": None, "pend": None, "ttl": None,
            "hist": [entry("Create", "SUCCEEDED")], "recent": shorts(1), "ucf": names(1),
        },
        is_mine=is_answered(YES),
    )  # fmt: skip


def finish_a_failure(book: Book) -> Case:
    """The history keeps 80 bytes of the reason, in whole characters."""
    book.begin(CREATE, "A")
    return finishes(
        book, CREATE, BAD, "A", 1, response=NO,
        steps=MADE, assigned_id="thing-1", tail_in_doubt=True,
        makes={"held": None, "hist": [entry("Create", "FAILED", why="a" + "ü" * 39)]},
    )  # fmt: skip


def finish_a_failed_update(book: Book) -> Case:
    """What is held stays, with its own response."""
    book.created()
    book.begin(UPDATE, "B", 2)
    return finishes(
        book, UPDATE, BAD._replace(reason="no"), "B", 2, response=NO,
        makes={
            "held": FIRST.to_doc(), "ack": True, "repl": None,
            "hist": [entry("Create", "SUCCEEDED"), entry("Update", "FAILED", why="no")],
        },
    )  # fmt: skip


def finish_what_made_the_id_that_it_replaces(book: Book) -> Case:
    """Its properties are kept: the resource's own Delete removes what was made of them, too."""
    book.created()
    book.begin(UPDATE, "B", 2)
    return finishes(
        book, UPDATE, BAD._replace(given='{"Name": "b"}'), "B", 2, response=NO,
        makes={"held": FIRST.to_doc()},
    )  # fmt: skip


def finish_an_update_in_place(book: Book) -> Case:
    """The object is of other properties from now on, and still its Create's, which is confirmed."""
    book.created()
    book.begin(UPDATE, "B", 2)
    changed = replace(FIRST, properties=UPDATE.properties_fingerprint)
    return finishes(
        book, UPDATE, GOOD, "B", 2,
        makes={"held": changed.to_doc(), "ack": True, "repl": None, "ucf": None},
    )  # fmt: skip


def finish_with_what_stays(book: Book) -> Case:
    """A success keeps what it could not clean up, and the ids that it removed."""
    book.overtaken()
    (left,) = book.head.pending_cleanup
    stays = replace(left, cleanup=CleanupRecord(by="request-2", doubts=("mail#0",)))
    ending = Ending(
        succeeded=True, response=YES, physical_id=NONE, removed=["thing-9"],
        pending_cleanup=[stays],
    )  # fmt: skip
    return finishes(
        book, DELETE_OF_NOTHING, ending, "B", 2, response=YES,
        makes={"pend": [stays.to_doc()], "gone": ["thing-9"]},
    )  # fmt: skip


def finish_a_replacement(book: Book) -> Case:
    """What is replaced keeps the response that told CloudFormation of it."""
    book.created()
    book.begin(UPDATE, "B", 2)
    return finishes(
        book, UPDATE, GOOD._replace(physical_id="thing-2"), "B", 2, assigned_id="thing-2",
        makes={
            "held": SECOND.to_doc(),
            "ack": None,
            "repl": [may_return(FIRST).to_doc()],
            "ucf": None,
        },
    )  # fmt: skip


def finish_a_second_replacement(book: Book) -> Case:
    """A rollback may return to what the last success replaced, and to nothing before that."""
    book.replaced()
    third = ask(RequestType.UPDATE, 3, "thing-2", Name="c")
    book.begin(third, "C", 3)
    return finishes(
        book, third, GOOD._replace(physical_id="thing-3"), "C", 3,
        makes={"repl": [FIRST.to_doc(), may_return(SECOND).to_doc()]},
    )  # fmt: skip


def finish_what_goes_back(book: Book) -> Case:
    """An Update that answers a replaced object has made nothing."""
    book.replaced()
    back = ask(RequestType.UPDATE, 3, "thing-2", Name="a")
    book.begin(back, "C", 3)
    return finishes(
        book, back, GOOD, "C", 3,
        makes={
            "held": replace(FIRST, made_by=Origin.RETURNED.value).to_doc(),
            "ack": None,
            "repl": [may_return(SECOND).to_doc()],
        },
    )  # fmt: skip


def finish_a_delete(book: Book) -> Case:
    """Nothing is held, and the results of steps are erased."""
    book.created()
    book.begin(DELETE, "B", 2)
    book.make(book.record("B", steps={"gone#0": THING}))
    makes: Doc = {"held": None, "ack": None, "gone": ["thing-1"], "ttl": 14 * 86400}
    makes["recent"] = shorts(1, 2)
    case = finishes(book, DELETE, DELETED, "B", 2, response=YES, makes=makes)
    return replace(case, write=book.finish("B", DELETED, steps={"gone#1": THING}))


def finish_the_delete_of_what_was_replaced(book: Book) -> Case:
    """What is held stays, and so does the item."""
    book.replaced()
    delete = ask(RequestType.DELETE, 3, "thing-1", Name="a")
    book.make(book.begin_over(delete, "C", 3))
    return finishes(
        book, delete, DELETED._replace(keeps_current=True), "C", 3, response=YES, steps=MADE,
        makes={"held": SECOND.to_doc(), "repl": None, "gone": ["thing-1"], "ttl": None},
    )  # fmt: skip


def finish_a_create_over_what_was_forgotten(book: Book) -> Case:
    """What an earlier Create made stays known until it is removed."""
    book.created()
    create = ask(RequestType.CREATE, 3, Name="c")
    book.make(book.begin_over(create, "C", 3))
    return finishes(
        book, create, GOOD._replace(physical_id="thing-3"), "C", 3,
        makes={"forg": [FIRST.to_doc()], "ucf": names(1, 3)},
    )  # fmt: skip


def finish_the_delete_of_what_was_forgotten(book: Book) -> Case:
    """What is removed is no longer forgotten, and the one Create without an outcome has its end."""
    book.created()
    create = ask(RequestType.CREATE, 3, Name="c")
    book.make(book.begin_over(create, "C", 3))
    book.make(book.finish("C", GOOD._replace(physical_id="thing-3")))
    delete = ask(RequestType.DELETE, 4, INVENTED, Name="a")
    book.make(book.begin_over(delete, "D", 4))
    return finishes(
        book, delete, DELETED._replace(keeps_current=True, invented=True), "D", 4, response=YES,
        makes={
            "forg": None,
            "gone": ["thing-1", INVENTED],
            "ack": None,
            "ucf": names(3),
            "ttl": None,
        },
    )  # fmt: skip


def finish_what_makes_a_removed_id_again(book: Book) -> Case:
    book.deleted()
    again = ask(RequestType.CREATE, 3, Name="a")
    book.begin(again, "C", 3)
    return finishes(
        book, again, GOOD, "C", 3, steps=MADE, assigned_id="thing-1",
        makes={
            "held": replace(FIRST, operation=again.operation_name).to_doc(),
            "gone": None,
            "ttl": None,
        },
    )  # fmt: skip


CASES = [
    begin,
    begin_an_update,
    begin_an_undated_create,
    begin_an_update_of_what_is_not_known,
    begin_a_delete_of_what_is_not_known,
    begin_a_delete_of_an_invented_id_that_is_not_known,
    begin_an_update_of_a_placeholder_that_is_not_known,
    begin_after_a_delete,
    begin_over_a_failure,
    begin_over_one_at_work,
    begin_a_delete_over_a_create_that_was_never_heard,
    begin_over_an_update_that_was_never_heard,
    begin_over_what_went_back_unheard,
    begin_a_create_over_what_is_held,
    begin_a_create_of_another_type,
    begin_a_delete_of_what_another_type_left,
    begin_a_delete_of_an_unknown_id,
    begin_an_undated_update_over_a_failure,
    begin_a_request_id_again,
    resume_after_a_death,
    resume_what_was_parked,
    resume_after_a_wait,
    resume_after_a_failure,
    resume_an_undated_one,
    record,
    record_what_an_update_does,
    record_over_a_start,
    record_what_makes_a_removed_id_again,
    record_left,
    record_cleanup,
    record_that_all_is_cleaned_up,
    park,
    park_for_a_wait,
    park_what_was_left,
    finish,
    finish_a_failure,
    finish_a_failed_update,
    finish_what_made_the_id_that_it_replaces,
    finish_an_update_in_place,
    finish_with_what_stays,
    finish_a_replacement,
    finish_a_second_replacement,
    finish_what_goes_back,
    finish_a_delete,
    finish_the_delete_of_what_was_replaced,
    finish_a_create_over_what_was_forgotten,
    finish_the_delete_of_what_was_forgotten,
    finish_what_makes_a_removed_id_again,
]


every_write = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@pytest.fixture
def book(any_store: Store, key: str) -> Book:
    return Book(Told(any_store, key))


def holds_no_more_than(head: Head) -> AllOf:
    """Allow a write where the item has no attribute that this head, as it is read, leaves out."""
    doc, at = head.to_doc(), transitions.OPERATION
    shown = [*((name,) for name in doc), *((*at, name) for name in doc["op"])]
    names = [(kept.metadata["short"],) for kept in fields(Head)]
    parts = (Operation, ExecutionRecord, CleanupRecord)
    inner = (kept.metadata.get("short") for part in parts for kept in fields(part))
    names += [(*at, short) for short in inner if short is not None]
    idle = [name for name in names if name not in shown]
    return AllOf([Equals(("v",), VERSION), *map(Absent, idle)])


@every_write
def test_a_write_whose_answer_is_lost(book: Book, case: Callable[[Book], Case]) -> None:
    """
    A write makes the same head on every store; repeated, it finds that, or makes it again. What
    has its default value takes no room in the item.
    """
    made = case(book)

    first = book.make(made.write)
    doc = book.told.doc()
    again = book.told.write(made.write)

    assert made.operation == first.operation
    assert dict(made.makes) == {part: doc.get(part) for part in made.makes}
    assert again.head is not None
    assert (made.is_mine is None) == again.applied
    assert made.is_mine is None or made.is_mine(again.head)
    assert text(first) == text(replace(again.head, revision=first.revision))
    book.make(Write(name="probe", guard=holds_no_more_than(first), change=Change()))


@every_write
def test_a_write_that_comes_too_late(book: Book, case: Callable[[Book], Case]) -> None:
    """A write that another one has outrun changes nothing, and gets the head that refused it."""
    made = case(book)
    winner = book.make(made.meanwhile)

    written = book.told.write(made.write)

    assert not written.applied
    assert text(winner) == text(written.head) == text(book.head)
    assert made.is_mine is None or not made.is_mine(winner)


def one_at_work(book: Book) -> Request:
    book.created()
    book.begin(UPDATE, "B", 2)
    return ask(RequestType.UPDATE, 3, "thing-1")


def one_that_waits(book: Book) -> Request:
    request = one_at_work(book)
    book.make(book.park("B"))
    return request


def a_failure(book: Book) -> Request:
    request = one_at_work(book)
    book.make(book.finish("B", BAD))
    return request


def what_is_to_be_cleaned_up(book: Book) -> Request:
    request = one_at_work(book)
    left = begun(ask(RequestType.UPDATE, 9, "thing-1"), "A", 9, state="PARKED")
    book.make(book.finish("B", GOOD._replace(pending_cleanup=[left])))
    return request


def one_of_the_same_second(book: Book) -> Request:
    book.created()
    return replace(UPDATE, issued_at=CREATE.issued_at)


def its_own_request_id(book: Book) -> Request:
    book.created()
    return replace(UPDATE, request_id=CREATE.request_id)


def another_object(book: Book) -> Request:
    book.created()
    return replace(UPDATE, physical_resource_id="thing-2")


def a_held_object(book: Book) -> Request:
    book.created()
    return ask(RequestType.CREATE, 3)


def a_replaced_object(book: Book) -> Request:
    book.replaced()
    book.begin(ask(RequestType.DELETE, 3, "thing-2"), "C", 3)
    book.make(book.finish("C", DELETED._replace(removed=["thing-2"])))
    return ask(RequestType.CREATE, 4)


@pytest.mark.parametrize(
    "meets",
    [
        one_at_work,
        one_that_waits,
        a_failure,
        what_is_to_be_cleaned_up,
        one_of_the_same_second,
        its_own_request_id,
        another_object,
        a_held_object,
        a_replaced_object,
    ],
    ids=lambda meets: meets.__name__,
)
def test_a_begin_that_has_to_look(book: Book, meets: Callable[[Book], Request]) -> None:
    """A request begins without a look only where nothing is left, and CloudFormation holds what
    the head says.
    """
    request = meets(book)
    before = book.head

    written = book.told.write(transitions.begin(request, execution("Z", 9)))

    assert not written.applied
    assert text(before) == text(written.head) == text(book.head)


@pytest.mark.parametrize(
    ("progress", "leaves"),
    [
        ({}, False),
        ({"steps": MADE}, True),
        ({"assigned_id": "thing-1"}, True),
        ({"has_unrecorded_calls": True}, True),
        ({"tail_in_doubt": True}, True),
    ],
    ids=str,
)
def test_what_a_failure_leaves(key: str, progress: dict[str, Any], leaves: bool) -> None:
    """An operation is left to be cleaned up where it may have had an effect, and only there."""
    book = Book(Told(MemoryStore(), key))
    book.created()
    book.begin(UPDATE, "B", 2)
    book.make(book.finish("B", BAD, **progress))
    failed = replace(book.head.operation, response=None)

    head = book.make(book.begin_over(ask(RequestType.UPDATE, 3, "thing-1"), "C", 3))

    assert ((failed,) if leaves else ()) == head.pending_cleanup


def test_operations_that_two_executions_have_left(book: Book) -> None:
    """Each execution parks its own operation, at its place, and only once."""
    book.overtaken()
    book.make(book.begin_over(ask(RequestType.DELETE, 3, NONE, Name="a"), "C", 3))
    first, second = ("pend", 0), ("pend", 1)

    for owner, place in [("B", first), ("C", first), ("A", second), ("A", ("pend", 2))]:
        assert not book.told.write(book.park_left(owner, place)).applied
    for owner, place in [("A", first), ("B", second)]:
        book.make(book.park_left(owner, place, steps=MADE))
        assert not book.told.write(book.park_left(owner, place)).applied

    left = [(left.execution.owner, left.state, left.steps) for left in book.head.pending_cleanup]
    assert [("A", "PARKED", MADE), ("B", "PARKED", MADE)] == left
    assert is_at_work("C")(book.head)


def test_many_requests(key: str) -> None:
    """The head keeps a short hash of the last 32 RequestIds, and how the last four ended."""
    book = Book(Told(MemoryStore(), key))
    book.created()
    last = 40
    for number in range(2, last + 1):
        book.begin(ask(RequestType.UPDATE, number, "thing-1"), "A", number)
        book.make(book.finish("A", GOOD if number < last else BAD._replace(reason="no")))
    finished = book.told.doc()
    book.make(book.begin_over(ask(RequestType.UPDATE, last + 1, "thing-1"), "A", last + 1))

    assert shorts(*range(last - 31, last + 1)) == finished["recent"]
    assert {8} == {len(short) for short in finished["recent"]}
    assert shorts(*range(last - 30, last + 2)) == book.told.doc()["recent"]
    succeeded = entry("Update", "SUCCEEDED")
    assert [*[succeeded] * 3, entry("Update", "FAILED", why="no")] == finished["hist"]
