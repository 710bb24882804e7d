"""What a Delete leaves, in the words of its answer: CloudFormation may forget it from now on."""

from collections.abc import Mapping, Sequence

from .._clock import utc
from .._cloudformation.request import Request, RequestType
from .._steps.settling import settling
from ..ledger import Head, HeldObject, Operation, Origin, StepRecord, StepState
from ..ledger.step_record import step_of


def besides(head: Head, request: Request, own: str = "") -> tuple[str, ...]:
    """Name what stays when a Delete has removed its own.

    Args:
        head: Before that.
        request: The Delete.
        own: The name of the Create that it stands for.
    """
    others = [old for old in head.forgotten if old.operation != own]
    if head.held is not None:  # its own Delete names the rest, where CloudFormation knows of it
        waiting = waiting_for_held(head, request, own)
        return (*unheard(head), *forgotten(others), *twins(head), *waiting)
    event_id = request.physical_resource_id
    rest = [old for old in head.replaced if old.id != event_id]
    return (*replaced(rest), *forgotten(others), *pending(head, request, own))


def around(head: Head, request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name what stays when what an Update replaced is removed, and what is held in its place.

    CloudFormation removes it when it knows the new object. It does not where a rollback was skipped
    and the stack is deleted. cfn-once cannot tell these apart: it names the new object, and does
    not fail for it.
    """
    left, held = besides(head, request), unheard(head)
    if head.held is None or head.held.made_by not in (Origin.REPLACED, Origin.RETURNED):
        return left, ()
    waiting = waiting_for_held(head, request)
    # Seeded bug: in-its-place
    in_its_place = tuple(f"{head.held.id} is held in its place" for _ in held)
    rest = tuple(text for text in left if text not in (*held, *waiting))
    return rest, (*in_its_place, *waiting)


def unheard(head: Head) -> tuple[str, ...]:
    """Name the held object where CloudFormation may not know of it."""
    if head.held is None or head.acknowledged:
        return ()
    # Seeded bug: unheard-named
    return (f"{head.held.id} is held, and no request has named it yet",)


def waiting_for_held(head: Head, request: Request, own: str = "") -> tuple[str, ...]:
    """Name what the Delete of the held object would clean up or name, where none may come."""
    if not unheard(head):
        return ()
    # Seeded bug: waiting-named
    return pending(head, request, own)


def replaced(objects: Sequence[HeldObject]) -> tuple[str, ...]:
    """Name objects that were replaced: they may have been retained."""
    failed, never = "its Delete failed", "no Delete of it has come"
    return tuple(
        f"{old.id} was replaced, and {failed if old.deleting else never}" for old in objects
    )


def forgotten(objects: Sequence[HeldObject]) -> tuple[str, ...]:
    """Name what Creates made before another one began."""
    # Seeded bug: forgotten-named
    return tuple(f"{old.id} was made, and no request has named it" for old in objects)


def twins(head: Head) -> tuple[str, ...]:
    """Name what replacements made under the ids that they were to replace."""
    # Seeded bug: twins-named
    return tuple(
        f"{bears_the_id(left)} of {left.request_id} at {utc(left.begun / 1000)}"
        for left in head.pending_cleanup
        if left.has_kept_id
    )


def bears_the_id(left: Operation) -> str:
    """Say what a replacement made under the id that it was to replace."""
    return f"what was made under the id {left.event_physical_id} with other properties"


def of_another_type(head: Head) -> tuple[str, ...]:
    """Name what a resource of another type has left, whose place a Create takes."""
    objects = tuple(
        f"{old.id} of type {old.resource_type} was there before"
        for old in (*head.replaced, *head.forgotten)
        if old.resource_type not in (None, head.resource_type)
    )
    return (*objects, *pending_of_another_type(head))


def pending_of_another_type(head: Head) -> tuple[str, ...]:
    """Name what requests of another type left, which only the Deletes of that type clean up."""
    return _pending(head.pending_of_other_types)


def pending(head: Head, request: Request, own: str) -> tuple[str, ...]:
    """Name what other requests left, where no Delete of what is held will clean it up."""
    others = [
        left for left in head.pending_cleanup if request.operation_name_of(left.request_id) != own
    ]
    return _pending(others)


def _pending(operations: Sequence[Operation]) -> tuple[str, ...]:
    names = dict.fromkeys(left.request_id for left in operations if left.type != RequestType.DELETE)
    # Seeded bug: pending-named
    return tuple(f"what {name} may have made is not cleaned up yet" for name in names)


def unknown(head: Head, request: Request) -> tuple[str, ...]:
    """Name that the Create is not known that the id in a Delete stands for."""
    if not (head.recent[1:] or head.pending_cleanup):
        return (f"no Create of {request.logical_resource_id} is in the ledger",)
    placeholder = request.placeholder
    if placeholder is not None and placeholder.operation in head.guarded:
        # The function may have been at work with another ledger than the guardian's.
        return ("the guardian responded to that Create, and no delivery of it is in the ledger",)
    # Seeded bug: unknown-named
    if placeholder is None or head.has_begun(placeholder.operation):
        return ()
    return (stands_for_nothing(request),)


def stands_for_nothing(request: Request) -> str:
    """Name an id that stands for a Create, and for none that the ledger knows."""
    return f"{request.physical_resource_id} stands for no Create that is known here"


def in_doubt(request: Request, doubts: Sequence[str], *, may_be_made: bool) -> str:
    """Name what is in doubt of earlier requests, and the command that settles the first of it."""
    if not doubts:
        return ""
    place = f"{request.stack_name} {request.logical_resource_id}"
    first = settling(place, step_of(doubts[0]), may_be_made=may_be_made)
    return f"in doubt: {'; '.join(doubts)}. Look for what it made; then: {first}"


def unsettled(request: Request, steps: Mapping[str, StepRecord]) -> str:
    """Name the first step that may have run, and the command that settles it; else nothing."""
    started = [key for key, step in steps.items() if step.state == StepState.STARTED]
    if not started:
        return ""
    key, at = started[0], utc(steps[started[0]].first_used / 1000)
    command = settling(f"{request.stack_name} {request.logical_resource_id}", key)
    return f". In doubt: step {key} may have run at {at}. Look for what it made; then: {command}"
