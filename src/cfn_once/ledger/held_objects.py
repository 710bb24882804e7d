"""What holds, what was replaced and what is left: when a request begins, and when it succeeds.

A Delete moves nothing. An Update says by its id what CloudFormation holds: the held object is
acknowledged, or its operation was never heard of, or somebody else's object is adopted. A Create
begins again: what was held is retained if CloudFormation knew it, and forgotten if it may not.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from .head import Head, HeldObject, Operation, Origin, State, Touched

MOST_REPLACED, MOST_FORGOTTEN, MOST_UNCONFIRMED = 16, 8, 8


class Ending(NamedTuple):
    """How an operation ended, for `finish`.

    Attributes:
        response: What is answered, without the request's ids: exact text.
        physical_id: The id that it answers.
        removed: Ids whose objects this request removed.
        pending_cleanup: What is still left to be cleaned up.
        keeps_current: A Delete that leaves the held object alone: of a replaced one, or of an id
            that nobody can place.
        reason: Why it failed; for people.
        operation: The operation's name, which what it made bears.
        invented: It was the Delete of an id that CloudFormation made up.
        given: Its properties as JSON text, where it made something under the id that it was to
            replace.
        fails: What the class says of a Delete that leaves something; None where there is no class.
        untold: It tells of an object whose attributes no hook of ours has returned.
        doubts: What the last Delete could not tell of earlier requests, in the answer's words.
    """

    succeeded: bool
    response: str
    physical_id: str
    removed: Sequence[str] = ()
    pending_cleanup: Sequence[Operation] = ()
    keeps_current: bool = False
    reason: str = ""
    operation: str = ""
    invented: bool = False
    given: str | None = None
    untold: bool = False
    fails: bool | None = None
    doubts: Sequence[str] = ()

    @property
    def state(self) -> State:
        """The state that the operation ends in."""
        return State.SUCCEEDED if self.succeeded else State.FAILED


class Objects(NamedTuple):
    """The objects of a head, and what is left to be cleaned up."""

    held: HeldObject | None
    acknowledged: bool
    replaced: Sequence[HeldObject]
    forgotten: Sequence[HeldObject]
    pending: Sequence[Operation]
    unconfirmed: Sequence[str]


def begun_over(head: Head, request: Request) -> Objects:
    """Return what holds when a request begins over a head."""
    before = _with_half_deleted(head, _as_left(head), request)
    match request.type:
        case RequestType.CREATE:
            after = _for_create(head, before, request)
        case RequestType.UPDATE:
            after = _for_update(head, before, request)
        case RequestType.DELETE:
            carries = before.held is not None and before.held.id == request.physical_resource_id
            after = before._replace(acknowledged=before.acknowledged or carries)
    placeholder = request.placeholder
    answered = set() if placeholder is None else {placeholder.operation}
    return after._replace(unconfirmed=_unconfirmed(after, answered))


def succeeded(head: Head, ending: Ending) -> Objects:
    """Return what holds once a request has succeeded."""
    if head.operation.type == RequestType.DELETE:
        held = head.held if ending.keeps_current else None
        gone = {head.operation.event_physical_id, *ending.removed}
        replaced = [old for old in head.replaced if old.id not in gone]
    else:
        # Seeded bug: untold
        response = None if ending.untold else ending.response
        held = _answered(head, ending.physical_id, response, ending.operation)
        replaced = _replaced_by(head, held)
    # Seeded bug: acknowledged
    acknowledged = held is not None and head.acknowledged and held.id == head.held_id
    return Objects(
        held=held,
        acknowledged=acknowledged,
        replaced=replaced[-MOST_REPLACED:],
        forgotten=[old for old in head.forgotten if old.id not in ending.removed],
        pending=ending.pending_cleanup,
        unconfirmed=confirmed(head, held, invented=ending.invented),
    )


def confirmed(head: Head, held: HeldObject | None, *, invented: bool) -> Sequence[str]:
    """Return the Creates without confirmation when an operation has succeeded.

    Args:
        head: Before that.
        held: What is held from now on.
        invented: It was the Delete of an id that CloudFormation made up. It is the end of one
            Create, and of one alone; which one is known only where there is no other.
    """
    left = _unconfirmed(head, set())
    if not invented:
        return left
    stays = None if held is None else held.operation
    ended = next((name for name in reversed(left) if name != stays), None)
    return [name for name in left if name != ended]


def _replaced_by(head: Head, held: HeldObject) -> list[HeldObject]:
    """Return what is replaced once a Create or Update has answered an object."""
    # A rollback may return to what this one replaces, and to nothing that was replaced before.
    ours = (held.id, head.held_id)
    # Seeded bug: returns
    replaced = [replace(old, returns=False) for old in head.replaced if old.id not in ours]
    before = head.held
    if head.operation.type == RequestType.UPDATE and before is not None and before.id != held.id:
        replaced.append(replace(before, returns=True))
    return replaced


def _answered(head: Head, physical_id: str, response: str | None, operation: str) -> HeldObject:
    """Return the object that a Create or Update has answered.

    Args:
        head: Before that.
        physical_id: Its id.
        response: The response, without the ids of its request; None where it tells no attributes.
        operation: The name of the Create or Update.
    """
    held = next((old for old in head.replaced if old.id == physical_id), None)
    if head.held is not None and head.held.id == physical_id:
        held = head.held
        origin = held.made_by
    elif held is not None:
        origin = Origin.RETURNED.value
    else:
        creates = head.operation.type == RequestType.CREATE
        origin = (Origin.CREATED if creates else Origin.REPLACED).value
        held = HeldObject(id=physical_id, operation=operation)
    return HeldObject(
        id=held.id,
        properties=head.operation.properties,
        response=response,
        operation=held.operation,
        made_by=origin,
    )


def _unconfirmed(known: Head | Objects, answered: set[str]) -> list[str]:
    held = known.held
    if held is not None and known.acknowledged and held.operation is not None:
        answered = {*answered, held.operation}
    # Seeded bug: unconfirmed
    left = [name for name in known.unconfirmed if name not in answered]
    return left[-MOST_UNCONFIRMED:]


def adopted(request: Request) -> HeldObject:
    """Return the object of an Update's id that somebody else made, or that we no longer know."""
    before = request.old_properties_fingerprint
    return HeldObject(id=str(request.physical_resource_id), properties=before)


def leaves_something(operation: Operation) -> bool:
    """Tell whether an operation may have had an effect, or may still have one."""
    succeeded = operation.state == State.SUCCEEDED
    return succeeded or operation.assigned_id is not None or operation.may_have_acted


def _as_left(head: Head) -> Objects:
    """Return the objects of a head as its last operation has left them."""
    held, operation = head.held, head.operation
    named = {held.operation} if held is not None and head.acknowledged else set()
    return Objects(
        held=None if held is None else _as_touched(held, operation),
        acknowledged=head.acknowledged,
        replaced=[_as_half_deleted(old, operation) for old in head.replaced],
        forgotten=head.forgotten,
        pending=_pending(head),
        unconfirmed=[name for name in head.unconfirmed if name not in named],
    )


def _as_touched(held: HeldObject, operation: Operation) -> HeldObject:
    """Return the held object with what an Update that has not succeeded may have done to it."""
    # Seeded bug: touched
    touched = None if operation.leaves_as_it_was(held) else operation.has_touched
    if touched is None or held.id != operation.event_physical_id:
        return held
    worst = max(touched, Touched(held.touched or touched))
    alone = held.touched is None or held.touched_by == operation.properties
    by = operation.properties if alone else None
    return replace(held, touched=worst.value, touched_by=by)


def _as_half_deleted(old: HeldObject, operation: Operation) -> HeldObject:
    """Return a replaced object without its properties where its Delete has not succeeded."""
    deletes = operation.type == RequestType.DELETE and old.id == operation.event_physical_id
    # Seeded bug: half-deleted
    if deletes and operation.state != State.SUCCEEDED:
        return replace(old, properties=None, returns=False, deleting=True)
    return old


def _with_half_deleted(head: Head, before: Objects, request: Request) -> Objects:
    """Keep what a Delete has failed to remove of which nothing else is known."""
    operation, event_id = head.operation, head.operation.event_physical_id
    known = {old.id for old in before.replaced}
    if operation.type != RequestType.DELETE or operation.state == State.SUCCEEDED:
        return before
    if event_id is None or event_id in known or before.held is not None:
        return before
    # Seeded bug: failed-unknown
    if not replace(request, physical_resource_id=event_id).carries_an_object:
        return before
    half = HeldObject(id=event_id, deleting=True)
    return before._replace(replaced=[*before.replaced, half])


def _pending(head: Head) -> list[Operation]:
    operation = head.operation
    failed_delete = operation.type == RequestType.DELETE and operation.is_over
    is_left = operation.state != State.SUCCEEDED and not failed_delete
    # Seeded bug: leftovers-kept
    if is_left and leaves_something(operation):
        return [*head.pending_cleanup, left_behind(head)]
    return list(head.pending_cleanup)


def left_behind(head: Head) -> Operation:
    """Return the head's operation as it is left to be cleaned up: under the id that it answered."""
    execution = replace(head.operation.execution, due=None)
    operation = replace(head.operation, response=None, execution=execution)
    if operation.state == State.SUCCEEDED:
        return replace(operation, assigned_id=head.held_id)
    return operation


def _for_create(head: Head, before: Objects, request: Request) -> Objects:
    operation, held = head.operation, before.held
    # Seeded bug: other-type-begins
    if head.resource_type != request.resource_type:
        return _for_another_type(head, before, request)
    pending, forgotten = before.pending, before.forgotten
    is_same = (operation.request_id, operation.type) == (request.request_id, RequestType.CREATE)
    # Seeded bug: retained
    if held is not None and is_same and operation.state == State.SUCCEEDED:
        pending = [*pending, left_behind(head)]  # its own earlier life, never retained
    elif held is not None and not before.acknowledged:
        forgotten = [*forgotten, held][-MOST_FORGOTTEN:]
    return Objects(
        held=None,
        acknowledged=False,
        replaced=[_without_properties(old) for old in before.replaced],
        forgotten=forgotten,
        pending=pending,
        unconfirmed=[*before.unconfirmed, request.operation_name],
    )


def _for_another_type(head: Head, before: Objects, request: Request) -> Objects:
    """Take over the head of a resource of another type: what that one left, its Deletes remove."""
    kind = head.resource_type
    held = [] if before.held is None else [before.held]
    replaced = [_without_properties(_of_type(kind, old)) for old in (*before.replaced, *held)]
    return Objects(
        held=None,
        acknowledged=False,
        replaced=replaced,
        forgotten=[_of_type(kind, old) for old in before.forgotten],
        pending=[_cleaned_up_as(kind, left) for left in before.pending],
        unconfirmed=[request.operation_name],
    )


def _cleaned_up_as(kind: str, left: Operation) -> Operation:
    """Return an operation that no request of another type cleans up."""
    resource_type = left.cleanup.resource_type or kind
    return replace(left, cleanup=replace(left.cleanup, resource_type=resource_type))


def _of_type(kind: str, old: HeldObject) -> HeldObject:
    """Return an object that no Delete of another type may remove, by whatever it is guessed."""
    return replace(old, properties=None, resource_type=old.resource_type or kind)


def _without_properties(old: HeldObject) -> HeldObject:
    return HeldObject(id=old.id, resource_type=old.resource_type)


def _for_update(head: Head, before: Objects, request: Request) -> Objects:
    held, event_id = before.held, request.physical_resource_id
    if request.placeholder is not None:
        return before
    if held is None:
        return before._replace(held=adopted(request), acknowledged=True)
    if held.id == event_id:
        return before._replace(acknowledged=True)
    known = {old.id for old in before.replaced} | {head.operation.event_physical_id}
    is_success = head.operation.state == State.SUCCEEDED
    unheard = is_success and not before.acknowledged and head.operation.type != RequestType.DELETE
    if event_id in known and unheard:
        return _unheard(head, before, request)
    others = [old for old in before.replaced if old.id != event_id]
    displaced = [
        replace(_without_properties(old), deleting=old.deleting) for old in (*others, held)
    ]
    # Seeded bug: adopted
    return before._replace(held=adopted(request), acknowledged=True, replaced=displaced)


def _unheard(head: Head, before: Objects, request: Request) -> Objects:
    """Return what held before an operation of whose success CloudFormation never heard."""
    held, base = head.held, head.operation.event_physical_id
    former = next((old for old in before.replaced if old.id == base), None)
    replaced = [old for old in before.replaced if old is not former]
    pending = before.pending
    # Seeded bug: returned
    if held is not None and held.made_by == Origin.RETURNED:
        # It made nothing: what it went back to is replaced as it was before.
        # Seeded bug: restored-replaced
        replaced = [*replaced, replace(held, returns=True)]
    elif head.held_id != base:
        # Seeded bug: unheard
        pending = [*pending, left_behind(head)]
    if former is None:
        former = adopted(request) if base == request.physical_resource_id else None
    if former is None and base is not None:
        former = HeldObject(id=base)
    return before._replace(
        held=former,
        acknowledged=former is not None and former.id == request.physical_resource_id,
        replaced=replaced,
        pending=pending,
    )
