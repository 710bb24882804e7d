"""The writes of an operator: a step in doubt is settled, a resource is forgotten.

What an operator says of a step is what its look-up would have said: it was made, with this result,
or it was not made. Each write is computed from a look at the head, and refused if anything was
written since; none is made while an execution may still act. Who wrote it, why and when is in the
history.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from .head import Head, HistoryEntry, Operation, State
from .step_record import StepRecord, StepState, step_of
from .store import Change, Equals, Path, Write
from .transitions import MOST_REMOVED, OPERATION, in_flight_until, kept_history

LONGEST_MADE = 1024  # bytes of a result that an operator gives: it is in the head
MOST_SHOWN = 200  # characters of it in the history
LONGEST_WHY = 200  # bytes


class Operator(NamedTuple):
    """Who writes, why, and when.

    Attributes:
        now: Milliseconds since 1970.
    """

    by: str
    why: str
    now: int


class OpenStep(NamedTuple):
    """A step in doubt, and where it lies.

    Attributes:
        at: Of its operation.
        key: Of its record; empty for a step that is not recorded.
    """

    at: Path
    operation: Operation
    key: str

    @property
    def is_made(self) -> bool:
        """Tell whether it was made, and is in doubt because the code of today has no such step."""
        return bool(self.key) and self.operation.steps[self.key].state == StepState.DONE


def open_steps(head: Head) -> Iterator[OpenStep]:
    """Yield what an operator may settle: steps in doubt, and those that are not recorded."""
    places: list[tuple[Path, Operation]] = [(OPERATION, head.operation)]
    places += [(("pend", place), left) for place, left in enumerate(head.pending_cleanup)]
    for at, operation in places:
        keys = doubted(operation)
        # Of one that is not answered, the next delivery finds out.
        is_left = at != OPERATION or operation.state == State.FAILED
        if is_left and operation.may_have_acted_last and "" not in keys:
            keys.append("")
        yield from (OpenStep(at, operation, key) for key in keys)


def doubted(operation: Operation) -> list[str]:
    """Return the keys of the steps in doubt of an operation; "" for those without a record.

    A clean-up doubts more than the records do: what today's code has no step for any more, and
    repeatable calls.
    """
    started = [key for key, step in operation.steps.items() if step.state == StepState.STARTED]
    known = [step_of(words) for words in operation.cleanup.doubts]
    states = {key: operation.steps[key].state for key in known if key in operation.steps}
    named = [key for key in states if states[key] == StepState.DONE]
    others = [""] if any(key not in states for key in known) else []
    return list(dict.fromkeys([*started, *named, *others]))


def at_work_until(head: Head, now: int, *operations: Operation) -> int:
    """Return until when an execution may act, of the head's or one of these; 0 where none may.

    Args:
        head: The resource.
        now: Milliseconds since 1970.
        operations: Those that may have calls on their way, which end later than a lease.
    """
    lease = head.operation.execution.lease
    ends = [in_flight_until(left.execution.lease) for left in operations]
    ends += [lease] if head.operation.state == State.RUNNING else []
    return max((end for end in ends if now < end), default=0)


def settle(head: Head, step: OpenStep, made: str | None, operator: Operator) -> Write:
    """Say of a step in doubt that it was made, and with which result, or that it was not.

    Args:
        head: As it was looked at.
        step: One of its `open_steps`.
        made: JSON text of the result; None where it was not made.
        operator: Who says so.
    """
    values: dict[Path, object] = {}
    gone: list[Path] = []
    if step.key:
        record = _settled(step.operation, step.key, made, operator)
        values[*step.at, "steps", step.key] = record.to_doc()
    else:
        gone.append((*step.at, "tail"))
        if "" in doubted(step.operation):  # else the next clean-up may still remove what they made
            gone.append((*step.at, "unrec"))
        values[*step.at, "st"] = _state_without_tail(step.operation)
    if step.at != OPERATION:  # it is looked through again, by whichever request comes next
        gone += [(*step.at, name) for name in _stale_cleanup(head, step.operation)]
    outcome = "NOT MADE" if made is None else "MADE"
    entry = _entry("Resolve", outcome, operator, step.key or "a step that is not recorded", made)
    values[("hist",)] = [kept.to_doc() for kept in kept_history([*head.history, entry])]
    return _guarded("settle", head, Change(set=values, remove=gone))


def _settled(operation: Operation, key: str, made: str | None, operator: Operator) -> StepRecord:
    record = operation.steps[key]
    if made is not None:
        return replace(record, state=StepState.DONE.value, result=made)
    error = {"kind": "StepFailed", "message": f"not made, {operator.by} says: {operator.why}"}
    # As a look-up that finds nothing: a request that is not answered yet may call it again.
    number = operation.round if operation.is_over else operation.round - 1
    return replace(record, state=StepState.FAILED.value, result=json.dumps(error), round=number)


def _state_without_tail(operation: Operation) -> str:
    """Return the state of an operation of which no step without a record is in doubt any more."""
    return State.PARKED.value if operation.state == State.RUNNING else operation.state


def _stale_cleanup(head: Head, left: Operation) -> list[str]:
    """Return what is to be taken off what was learned of an operation left behind.

    A request that makes something has cleaned up before that, and may not do so again: under the
    ids of what was left may be its own.
    """
    makes = head.operation.type != "Delete"
    is_its_own = left.cleanup.by == head.operation.request_id and makes
    return ["dbt"] if is_its_own else ["dbt", "cln"]


def without_doubts(head: Head, words: Sequence[str], operator: Operator) -> Write:
    """Take doubts off what a Delete could not tell: nothing of them is there.

    Args:
        head: As it was looked at.
        words: Some of its `doubts`.
        operator: Who says so.
    """
    stays = [doubt for doubt in head.doubts if doubt not in words]
    entry = _entry("Resolve", "NOT MADE", operator, words[0].partition(" of ")[0])
    history = [kept.to_doc() for kept in kept_history([*head.history, entry])]
    values: dict[Path, object] = {("hist",): history}
    if stays:
        values[("dbt",)] = stays
    return _guarded("settle", head, Change(set=values, remove=[] if stays else [("dbt",)]))


def forget(head: Head, operator: Operator) -> Write:
    """Forget what a resource holds and what is left of it: all of it is gone, the operator says.

    The item stays, with its requests and the ids that it knew: late copies find them.
    """
    operation = head.operation
    ids = [old.id for old in (*head.replaced, *head.forgotten)]
    ids += [left.assigned_id for left in (*head.pending_cleanup, operation) if left.assigned_id]
    ids += [] if head.held is None else [head.held.id]
    entry = _entry("Forget", "FORGOTTEN", operator)
    values: dict[Path, object] = {
        ("hist",): [kept.to_doc() for kept in kept_history([*head.history, entry])],
        (*OPERATION, "fgt"): True,
        (*OPERATION, "steps"): {},
    }
    # Seeded bug: forgotten-owner
    values[*OPERATION, "own"] = f"forgotten-{head.revision}"  # who has looked has to look again
    if not operation.is_over:
        values[*OPERATION, "st"] = State.PARKED.value
    if head.response is not None:  # it may lie with what is held
        values[*OPERATION, "out"] = head.response
    if gone := list(dict.fromkeys([*head.removed, *ids])):
        values[("gone",)] = gone[-MOST_REMOVED:]
    emptied: list[Path] = [
        (name,) for name in ("held", "ack", "repl", "forg", "pend", "ucf", "dbt")
    ]
    emptied += [(*OPERATION, name) for name in ("tail", "unrec", "id", "did", "giv", "due")]
    return _guarded("forget", head, Change(set=values, remove=emptied))


def note(head: Head, outcome: str, operator: Operator) -> Write:
    """Keep that an operator has answered a request."""
    entry = _entry("Respond", outcome, operator)
    history = [kept.to_doc() for kept in kept_history([*head.history, entry])]
    return _guarded("note", head, Change(set={("hist",): history}))


def _entry(
    kind: str, outcome: str, operator: Operator, step: str | None = None, made: str | None = None
) -> HistoryEntry:
    if made is not None and len(made) > MOST_SHOWN:
        made = f"{made[:MOST_SHOWN]}..."
    return HistoryEntry(
        type=kind,
        outcome=outcome,
        at=operator.now,
        reason=operator.why,
        by=operator.by,
        step=step,
        made=made,
    )


def _guarded(name: str, head: Head, change: Change) -> Write:
    """Allow a write where nothing has been written since the look that it is computed from."""
    # Seeded bug: operator-guard
    guard = Equals(("w",), head.revision)
    return Write(name=name, guard=guard, change=change)
