"""What holds, was replaced, and is left, when a request begins over a head: one row a branch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from cfn_once import Request, RequestType
from cfn_once._cloudformation.canonical import fingerprint
from cfn_once.ledger import (
    CleanupRecord,
    Deed,
    ExecutionRecord,
    Head,
    HeldObject,
    Operation,
    Origin,
    State,
    StepRecord,
    StepState,
    Touched,
)
from cfn_once.ledger.held_objects import (
    MOST_FORGOTTEN,
    MOST_UNCONFIRMED,
    Objects,
    begun_over,
    confirmed,
    leaves_something,
    left_behind,
)

THING, OTHER = "Custom::Thing", "Custom::Other"
OF_A_THING = CleanupRecord(resource_type=THING)
CREATE, UPDATE, DELETE = RequestType.CREATE, RequestType.UPDATE, RequestType.DELETE
RUNNING, PARKED, SUCCEEDED, FAILED = State
INVENTED = "prod-Thing-1M3QXZ5T8W2KD"  # as CloudFormation makes ids up
DONE = {"thing#0": StepRecord(state=StepState.DONE)}
STARTED = {"thing#0": StepRecord(state=StepState.STARTED)}
FAILED_STEP = {"thing#0": StepRecord(state=StepState.FAILED)}
WAITING = {"thing#0": StepRecord(state=StepState.WAITING)}


def ask(
    kind: RequestType, physical_id: str | None = None, *, number: int = 9, type_: str = THING
) -> Request:
    """Return a request; the ninth unless its number is given."""
    return Request(
        type=kind,
        request_id=f"request-{number}",
        stack_id="arn:aws:cloudformation:us-east-1:123456789012:stack/prod/0f7a1f60",
        logical_resource_id="Thing",
        resource_type=type_,
        response_url="https://nowhere.example.com/",
        physical_resource_id=physical_id,
        properties={"Name": "new"},
        old_properties={"Name": "old"} if kind is UPDATE else {},
    )


def name(number: int) -> str:
    """Return the name of the operation with this number."""
    return ask(CREATE, number=number).operation_name


def placeholder(number: int) -> str:
    """Return the id that stands for the Create with this number."""
    return ask(CREATE, number=number).placeholder_id("none")


def thing(number: int, *, by: Origin = Origin.CREATED, **more: Any) -> HeldObject:
    """Return the object that the operation with this number made."""
    return HeldObject(
        **{
            "id": f"thing-{number}",
            "properties": f"properties-{number}",
            "response": "{}",
            "operation": name(number),
            "made_by": by.value,
        }
        | more
    )


def operation(
    kind: RequestType,
    number: int,
    state: State,
    event_id: str | None = None,
    *,
    due: int | None = None,
    **more: Any,
) -> Operation:
    """Return an operation that its execution has left."""
    return Operation(
        request_id=f"request-{number}",
        type=kind.value,
        state=state.value,
        event_physical_id=event_id,
        execution=ExecutionRecord(owner=f"owner-{number}", due=due),
        **more,
    )


def head(op: Operation, **more: Any) -> Head:
    return Head(resource_type=THING, operation=op, **more)


def as_it_is(of: Head, **more: Any) -> Objects:
    """Return the objects of a head as they are, but for these."""
    objects = Objects(
        held=of.held,
        acknowledged=of.acknowledged,
        replaced=of.replaced,
        forgotten=of.forgotten,
        pending=of.pending_cleanup,
        unconfirmed=of.unconfirmed,
    )
    return objects._replace(**more)


def plain(objects: Objects) -> Objects:
    """Return the same in tuples: whether it is a list or a tuple says nothing."""
    return Objects(*(tuple(part) if isinstance(part, list) else part for part in objects))


class Row(NamedTuple):
    """A head, a request that begins over it, and what changes of the objects."""

    head: Head
    request: Request
    changes: Mapping[str, Any]


def bare(number: int, **more: Any) -> HeldObject:
    """Return what is kept of an object to which no rollback may return."""
    return HeldObject(id=f"thing-{number}", **more)


ADOPTED = HeldObject(id="foreign", properties=fingerprint({"Name": "old"}))
CREATED = head(operation(CREATE, 1, SUCCEEDED), held=thing(1), unconfirmed=(name(1),))
USED = replace(CREATED, acknowledged=True, unconfirmed=())
FULL = replace(
    CREATED,
    replaced=(thing(2, returns=True), thing(3, deleting=True)),
    forgotten=(thing(4),),
    pending_cleanup=(operation(UPDATE, 5, PARKED, "thing-1", steps=DONE),),
)
REPLACED = head(
    operation(UPDATE, 2, SUCCEEDED, "thing-1", steps=DONE, response=None),
    held=thing(2, by=Origin.REPLACED),
    replaced=(thing(3), thing(1, returns=True)),
)
RETURNED = head(
    operation(UPDATE, 3, SUCCEEDED, "thing-2", steps=DONE),
    held=thing(1, by=Origin.RETURNED),
    replaced=(thing(2, by=Origin.REPLACED, returns=True),),
)
IN_PLACE = head(operation(UPDATE, 2, SUCCEEDED, "thing-1"), held=thing(1), acknowledged=True)
DELETED = head(operation(DELETE, 2, SUCCEEDED, "thing-1", steps={}))

ROWS: dict[str, Row] = {
    # A Delete moves nothing, and acknowledges only its own id.
    "a Delete of the held id": Row(
        FULL, ask(DELETE, "thing-1"), {"acknowledged": True, "unconfirmed": ()}
    ),
    "a Delete of a replaced id": Row(FULL, ask(DELETE, "thing-2"), {}),
    "a Delete of an invented id": Row(FULL, ask(DELETE, INVENTED), {}),
    "a Delete of a foreign id": Row(FULL, ask(DELETE, "foreign"), {}),
    "a Delete of another id after the held one was named": Row(
        replace(FULL, acknowledged=True, unconfirmed=()), ask(DELETE, "foreign"), {}
    ),
    "a Delete where nothing is held": Row(DELETED, ask(DELETE, "thing-1"), {}),
    # An Update says what CloudFormation holds.
    "an Update of the held id": Row(
        FULL, ask(UPDATE, "thing-1"), {"acknowledged": True, "unconfirmed": ()}
    ),
    "an Update where nothing is held": Row(
        DELETED, ask(UPDATE, "foreign"), {"held": ADOPTED, "acknowledged": True}
    ),
    "an Update of a placeholder": Row(REPLACED, ask(UPDATE, placeholder(8)), {}),
    "an Update of a placeholder where nothing is held": Row(
        DELETED, ask(UPDATE, placeholder(8)), {}
    ),
    "an Update of a foreign id": Row(
        FULL,
        ask(UPDATE, "foreign"),
        {
            "held": ADOPTED,
            "acknowledged": True,
            "replaced": (bare(2), bare(3, deleting=True), bare(1)),
        },
    ),
    "an Update of a replaced id that is of no last operation's": Row(
        replace(FULL, replaced=(thing(2),), acknowledged=True, unconfirmed=()),
        ask(UPDATE, "thing-2"),
        {
            "held": HeldObject(id="thing-2", properties=ADOPTED.properties),
            "acknowledged": True,
            "replaced": (bare(1),),
        },
    ),
    "an Update of the id before a replacement that was named": Row(
        replace(REPLACED, acknowledged=True),
        ask(UPDATE, "thing-1"),
        {
            "held": HeldObject(id="thing-1", properties=ADOPTED.properties),
            "replaced": (bare(3), bare(2)),
        },
    ),
    "an Update of the id before a replacement that failed": Row(
        head(
            operation(UPDATE, 2, FAILED, "foreign"),
            held=thing(1),
            replaced=(thing(3),),
        ),
        ask(UPDATE, "foreign"),
        {"held": ADOPTED, "acknowledged": True, "replaced": (bare(3), bare(1))},
    ),
    "an Update of the id that a Delete has left": Row(
        head(operation(DELETE, 2, SUCCEEDED, "foreign"), held=thing(1)),
        ask(UPDATE, "foreign"),
        {"held": ADOPTED, "acknowledged": True, "replaced": (bare(1),)},
    ),
    # The last operation was never heard of.
    "after a replacement that was never heard of": Row(
        REPLACED,
        ask(UPDATE, "thing-1"),
        {
            "held": thing(1, returns=True),
            "acknowledged": True,
            "replaced": (thing(3),),
            "pending": (replace(REPLACED.operation, assigned_id="thing-2"),),
        },
    ),
    "after a replacement that was never heard of, back to an older one": Row(
        REPLACED,
        ask(UPDATE, "thing-3"),
        {
            "held": thing(1, returns=True),
            "replaced": (thing(3),),
            "pending": (replace(REPLACED.operation, assigned_id="thing-2"),),
        },
    ),
    "after a replacement of what is known no more": Row(
        replace(REPLACED, replaced=()),
        ask(UPDATE, "thing-1"),
        {
            "held": HeldObject(id="thing-1", properties=ADOPTED.properties),
            "acknowledged": True,
            "pending": (replace(REPLACED.operation, assigned_id="thing-2"),),
        },
    ),
    "after a replacement of what is known no more, back to an older one": Row(
        replace(REPLACED, replaced=(thing(3),)),
        ask(UPDATE, "thing-3"),
        {
            "held": bare(1),
            "pending": (replace(REPLACED.operation, assigned_id="thing-2"),),
        },
    ),
    "after a return that was never heard of": Row(
        RETURNED,
        ask(UPDATE, "thing-2"),
        {
            "held": thing(2, by=Origin.REPLACED, returns=True),
            "acknowledged": True,
            "replaced": (thing(1, by=Origin.RETURNED, returns=True),),
        },
    ),
    # A Create begins anew.
    "a Create over what was named": Row(
        replace(USED, replaced=(thing(2, returns=True),)),
        ask(CREATE),
        {"held": None, "acknowledged": False, "replaced": (bare(2),), "unconfirmed": (name(9),)},
    ),
    "a Create over what was not named": Row(
        FULL,
        ask(CREATE),
        {
            "held": None,
            "replaced": (bare(2), bare(3)),
            "forgotten": (thing(4), thing(1)),
            "unconfirmed": (name(1), name(9)),
        },
    ),
    "a Create over as much as is kept": Row(
        replace(CREATED, forgotten=tuple(map(thing, range(20, 20 + MOST_FORGOTTEN)))),
        ask(CREATE),
        {
            "held": None,
            "forgotten": (*map(thing, range(21, 20 + MOST_FORGOTTEN)), thing(1)),
            "unconfirmed": (name(1), name(9)),
        },
    ),
    "a Create over as many Creates as are kept": Row(
        replace(USED, unconfirmed=tuple(map(name, range(20, 20 + MOST_UNCONFIRMED)))),
        ask(CREATE),
        {
            "held": None,
            "acknowledged": False,
            "unconfirmed": (*map(name, range(21, 20 + MOST_UNCONFIRMED)), name(9)),
        },
    ),
    "a Create over its own earlier life": Row(
        CREATED,
        ask(CREATE, number=1),
        {
            "held": None,
            "pending": (replace(CREATED.operation, assigned_id="thing-1"),),
            "unconfirmed": (name(1), name(1)),
        },
    ),
    "a Create over its own earlier life that was named": Row(
        USED,
        ask(CREATE, number=1),
        {
            "held": None,
            "acknowledged": False,
            "pending": (replace(CREATED.operation, assigned_id="thing-1"),),
            "unconfirmed": (name(1),),
        },
    ),
    "a Create over an Update of the same RequestId": Row(
        replace(IN_PLACE, acknowledged=False),
        ask(CREATE, number=2),
        {"held": None, "forgotten": (thing(1),), "unconfirmed": (name(2),)},
    ),
    "a Create over its own failure": Row(
        head(operation(CREATE, 1, FAILED), held=thing(4)),
        ask(CREATE, number=1),
        {"held": None, "forgotten": (thing(4),), "unconfirmed": (name(1),)},
    ),
    # Another type's Create takes the head over.
    "another type's Create over what is held": Row(
        replace(USED, unconfirmed=(name(7),)),
        ask(CREATE, type_=OTHER),
        {
            "held": None,
            "acknowledged": False,
            "replaced": (bare(1, resource_type=THING),),
            "unconfirmed": (name(9),),
        },
    ),
    "another type's Create over what is left": Row(
        head(
            operation(CREATE, 1, FAILED, steps=DONE, assigned_id="thing-1"),
            pending_cleanup=(operation(CREATE, 2, PARKED, steps=DONE),),
        ),
        ask(CREATE, type_=OTHER),
        {
            "pending": (
                operation(CREATE, 2, PARKED, steps=DONE, cleanup=OF_A_THING),
                operation(CREATE, 1, FAILED, steps=DONE, assigned_id="thing-1", cleanup=OF_A_THING),
            ),
            "unconfirmed": (name(9),),
        },
    ),
    "another type's Create over what is forgotten": Row(
        replace(head(operation(CREATE, 1, FAILED)), forgotten=(thing(4),)),
        ask(CREATE, type_=OTHER),
        {
            "forgotten": (thing(4, properties=None, resource_type=THING),),
            "unconfirmed": (name(9),),
        },
    ),
    "a third type's Create": Row(
        head(
            operation(CREATE, 1, FAILED),
            replaced=(HeldObject(id="thing-2", resource_type=OTHER),),
        ),
        ask(CREATE, type_="Custom::Third"),
        {"replaced": (HeldObject(id="thing-2", resource_type=OTHER),), "unconfirmed": (name(9),)},
    ),
    "a Create over what another type left": Row(
        replace(USED, replaced=(HeldObject(id="thing-2", resource_type=OTHER),)),
        ask(CREATE),
        {
            "held": None,
            "acknowledged": False,
            "replaced": (HeldObject(id="thing-2", resource_type=OTHER),),
            "unconfirmed": (name(9),),
        },
    ),
    # What a Delete has begun to remove, nothing returns to.
    **{
        f"after a Delete that is {state}": Row(
            replace(
                FULL,
                operation=operation(DELETE, 6, state, "thing-2"),
                replaced=(thing(2, returns=True), thing(3)),
            ),
            ask(DELETE, "thing-2"),
            {
                "replaced": (
                    thing(2, properties=None, returns=False, deleting=True),
                    thing(3),
                ),
            }
            | (
                {
                    "pending": (
                        *FULL.pending_cleanup,
                        operation(DELETE, 6, state, "thing-2"),
                    )
                }
                if state is RUNNING
                else {}
            ),
        )
        for state in (RUNNING, PARKED, FAILED)
    },
    "after a Delete that succeeded": Row(
        replace(FULL, operation=operation(DELETE, 6, SUCCEEDED, "thing-2")),
        ask(DELETE, "thing-2"),
        {},
    ),
    "after an Update of a replaced id that failed": Row(
        replace(FULL, operation=operation(UPDATE, 6, FAILED, "thing-2")),
        ask(DELETE, "thing-2"),
        {},
    ),
    # Creates without confirmation.
    "a placeholder is the end of its Create": Row(
        replace(CREATED, unconfirmed=(name(7), name(1))),
        ask(DELETE, placeholder(7)),
        {"unconfirmed": (name(1),)},
    ),
    "a placeholder of a Create that is not known": Row(
        replace(CREATED, unconfirmed=(name(7), name(1))), ask(DELETE, placeholder(8)), {}
    ),
    "an acknowledgement is the end of the Create that made it": Row(
        replace(CREATED, unconfirmed=(name(7), name(1))),
        ask(DELETE, "thing-1"),
        {"acknowledged": True, "unconfirmed": (name(7),)},
    ),
    "what nobody of ours made confirms nothing": Row(
        head(operation(UPDATE, 2, FAILED, "foreign"), held=ADOPTED, unconfirmed=(name(7),)),
        ask(UPDATE, "foreign"),
        {"acknowledged": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "request_", "changes"), ROWS.values(), ids=ROWS)
def test_what_holds(of: Head, request_: Request, changes: Mapping[str, Any]) -> None:
    """A request that begins over a head moves what it says it does, and nothing else."""
    wanted = as_it_is(of, **changes)

    objects = begun_over(of, request_)

    assert wanted == plain(objects)


class Left(NamedTuple):
    """An Update of thing-1, and what it may have done to the object."""

    state: State
    parts: Mapping[str, Any]
    touched: Touched | None


NOT, MAYBE, REPLACED, SURELY = None, Touched.MAYBE, Touched.REPLACED, Touched.SURELY
LEFT: dict[str, Left] = {
    "nothing was done": Left(FAILED, {}, NOT),
    "a step failed": Left(FAILED, {"steps": FAILED_STEP}, NOT),
    "a wait": Left(PARKED, {"steps": WAITING}, NOT),
    "a step before it says what it does": Left(FAILED, {"steps": DONE}, MAYBE),
    "a start before it says what it does": Left(FAILED, {"steps": STARTED}, MAYBE),
    "at work": Left(RUNNING, {}, MAYBE),
    "a tail in doubt": Left(PARKED, {"tail_in_doubt": True}, MAYBE),
    "a call without a record": Left(FAILED, {"has_unrecorded_calls": True}, MAYBE),
    "a step in place": Left(FAILED, {"steps": DONE, "deed": Deed.IN_PLACE.value}, SURELY),
    "a start in place": Left(FAILED, {"steps": STARTED, "deed": Deed.IN_PLACE.value}, SURELY),
    "at work in place": Left(RUNNING, {"deed": Deed.IN_PLACE.value}, SURELY),
    "nothing in place": Left(FAILED, {"deed": Deed.IN_PLACE.value}, NOT),
    "a replacement": Left(FAILED, {"steps": DONE, "deed": Deed.MAKES.value}, NOT),
    "a replacement at work": Left(RUNNING, {"deed": Deed.MAKES.value}, NOT),
    "a success": Left(SUCCEEDED, {"steps": DONE, "deed": Deed.IN_PLACE.value}, NOT),
    "a replacement under the id that it replaces": Left(
        FAILED, {"steps": DONE, "deed": Deed.MAKES.value, "given": "{}"}, REPLACED
    ),
}


def touched_after(op: Operation, before: Touched | None) -> str | None:
    """Return what is said of thing-1 when a Delete begins over an operation."""
    held = thing(1, touched=None if before is None else before.value)
    after = begun_over(head(op, held=held), ask(DELETE, "thing-1")).held
    assert after is not None
    assert after == replace(held, touched=after.touched, touched_by=after.touched_by)
    return after.touched


@pytest.mark.parametrize(("state", "parts", "touched"), LEFT.values(), ids=LEFT)
def test_what_an_update_may_have_touched(
    state: State, parts: Mapping[str, Any], touched: Touched | None
) -> None:
    """
    An Update that has not succeeded may have acted on its object: surely where it was in place,
    maybe where it had not said. What an earlier one did is never taken back.
    """
    update = operation(UPDATE, 2, state, "thing-1", **parts)

    assert touched == touched_after(update, before=NOT)
    assert (touched or MAYBE) == touched_after(update, before=MAYBE)
    assert SURELY == touched_after(update, before=SURELY)


@pytest.mark.parametrize(
    "op",
    [
        operation(UPDATE, 2, FAILED, "thing-2", steps=DONE, deed=Deed.IN_PLACE.value),
        operation(DELETE, 2, FAILED, "thing-1", steps=DONE),
    ],
    ids=["an Update of another object", "a Delete"],
)
def test_what_else_touches_no_object(op: Operation) -> None:
    """Only an Update of the held object does."""
    assert touched_after(op, before=NOT) is None


def test_what_was_touched_is_so_where_it_is_no_longer_held() -> None:
    """A Create forgets it as the Update has left it."""
    update = operation(UPDATE, 2, RUNNING, "thing-1", properties="Q", deed=Deed.IN_PLACE.value)

    objects = begun_over(head(update, held=thing(1)), ask(CREATE))

    assert [thing(1, touched=SURELY.value, touched_by="Q")] == objects.forgotten


@pytest.mark.parametrize(("earlier", "wanted"), [("Q", "Q"), ("R", None)])
def test_which_update_touched_an_object(earlier: str, wanted: str | None) -> None:
    """An object knows whose traces it bears, while they are those of one change alone."""
    update = operation(UPDATE, 2, RUNNING, "thing-1", properties="Q", deed=Deed.IN_PLACE.value)
    held = thing(1, touched=MAYBE.value, touched_by=earlier)

    after = begun_over(head(update, held=held), ask(DELETE, "thing-1")).held

    assert after is not None
    assert wanted == after.touched_by


@pytest.mark.parametrize(
    ("op", "leaves"),
    [
        (operation(CREATE, 1, FAILED), False),
        (operation(CREATE, 1, PARKED), False),
        (operation(CREATE, 1, RUNNING), True),
        (operation(CREATE, 1, SUCCEEDED), True),
        (operation(CREATE, 1, FAILED, steps=FAILED_STEP), False),
        (operation(CREATE, 1, FAILED, steps=STARTED), True),
        (operation(CREATE, 1, FAILED, assigned_id="thing-1"), True),
        (operation(CREATE, 1, PARKED, tail_in_doubt=True), True),
        (operation(CREATE, 1, PARKED, has_unrecorded_calls=True), True),
    ],
    ids=str,
)
def test_what_leaves_something(op: Operation, leaves: bool) -> None:
    """An operation leaves something where it may have had an effect, or may still have one."""
    assert leaves == leaves_something(op)


@pytest.mark.parametrize(
    ("op", "is_left"),
    [
        (operation(CREATE, 1, FAILED, steps=DONE), True),
        (operation(CREATE, 1, FAILED), False),
        (operation(UPDATE, 1, RUNNING, "thing-1"), True),
        (operation(UPDATE, 1, SUCCEEDED, "thing-1", steps=DONE), False),
        (operation(DELETE, 1, FAILED, "thing-1", steps=DONE), False),
        (operation(DELETE, 1, PARKED, "thing-1", steps=DONE), True),
        (operation(DELETE, 1, RUNNING, "thing-1"), True),
    ],
    ids=str,
)
@pytest.mark.parametrize("request_", [ask(DELETE, "foreign"), ask(CREATE)], ids=str)
def test_what_is_to_be_cleaned_up(request_: Request, op: Operation, is_left: bool) -> None:
    """What has left something, and was not answered with a success; a Delete only until its end."""
    before = operation(CREATE, 7, PARKED, steps=DONE)
    waiting = replace(op.execution, due=5)
    op = replace(op, execution=waiting, response=None)

    objects = begun_over(head(op, pending_cleanup=(before,)), request_)

    left = [replace(op, execution=replace(waiting, due=None))] if is_left else []
    assert [before, *left] == objects.pending


@pytest.mark.parametrize(
    ("of", "assigned_id"),
    [
        (head(operation(CREATE, 1, SUCCEEDED, assigned_id="thing-8"), held=thing(1)), "thing-1"),
        (
            head(
                operation(UPDATE, 1, FAILED, assigned_id="thing-8", response="{}", due=5),
                held=thing(1),
            ),
            "thing-8",
        ),
        (head(operation(UPDATE, 1, RUNNING, due=5), held=thing(1)), None),
    ],
    ids=["a success", "a failure", "at work"],
)
def test_what_is_left_behind(of: Head, assigned_id: str | None) -> None:
    """An operation is left under the id that it answered; what it answered is left out."""
    execution = replace(of.operation.execution, due=None)
    wanted = replace(of.operation, response=None, execution=execution, assigned_id=assigned_id)

    assert wanted == left_behind(of)


class Success(NamedTuple):
    """Creates without confirmation, before and after an operation has succeeded."""

    before: Sequence[int]
    held: HeldObject | None
    after: Sequence[int]
    invented: bool = False
    acknowledged: bool = False


SUCCESSES: dict[str, Success] = {
    "another id confirms nothing": Success([7, 1], thing(1), [7, 1]),
    "an invented id is the end of one": Success([7, 1], thing(1), [1], invented=True),
    "an invented id is the end of one alone": Success([6, 7, 1], thing(1), [6, 1], invented=True),
    "an invented id is not the end of what stays": Success([1], thing(1), [1], invented=True),
    "an invented id where nothing stays": Success([7, 1], None, [7], invented=True),
    "an invented id where no Create is open": Success([], None, [], invented=True),
    "what was named is confirmed": Success([7, 1], thing(1), [7], acknowledged=True),
    "both": Success([6, 7, 1], thing(1), [6], invented=True, acknowledged=True),
}


@pytest.mark.parametrize("success", SUCCESSES.values(), ids=SUCCESSES)
def test_what_a_success_confirms(success: Success) -> None:
    """The Delete of an invented id is the end of one Create, never of what stays held."""
    before = head(
        operation(DELETE, 9, RUNNING, INVENTED),
        held=thing(1),
        acknowledged=success.acknowledged,
        unconfirmed=tuple(map(name, success.before)),
    )

    left = confirmed(before, success.held, invented=success.invented)

    assert [*map(name, success.after)] == left
