"""The writes of the ledger: when each is allowed, and what it makes of a head.

    begin ───────► RUNNING ───── finish ─────► SUCCEEDED, FAILED   duplicates get the same response
    begin_over      ▲ ▼ park                    │
                    │ PARKED                    └──► begin, begin_over: a newer request
    resume ─────────┘                           └──► resume: asked again after FAILED

`begin` and `record` are blind: they need no look at the head first. `begin_over` and `resume` are
computed from a look. `begin_over` compares the revision, for a step that is recorded meanwhile must
not be lost; it moves an operation that may have left something into `pending_cleanup`, where
`record` and `park` go on writing to it: the owner's nonce refuses decisions, never facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from .document import Doc
from .head import (
    VERSION,
    ExecutionRecord,
    Head,
    HistoryEntry,
    Operation,
    State,
    short_name,
)
from .held_objects import Ending, Objects, adopted, begun_over, succeeded
from .step_record import StepRecord
from .store import Absent, AllOf, AnyOf, Below, Change, Equals, Guard, Lacks, Path, Write

MOST_RECENT, MOST_REMOVED, MOST_HISTORY = 32, 32, 4
MOST_WRITTEN, MOST_DOUBTS = 8, 16  # entries of operators in the history; doubts of Deletes
LONGEST_REASON = 80  # bytes of a reason in the history; the whole of it is in the response
TOMBSTONE_DAYS = 14  # well over Lambda's six hours of event age, with its retries
# Seeded bug: in-flight-grace
IN_FLIGHT_GRACE = 5.0  # seconds in which a request of a dead process is applied, or never (A3)
OPERATION: Path = ("op",)


class Candidate(NamedTuple):
    """Who asks for the lease, and until when.

    Attributes:
        owner: The execution's nonce.
        lease: From when it certainly acts no more: Lambda's deadline, the time that Lambda takes to
            end an invocation, and what clocks differ by, in milliseconds since 1970.
        sandbox_id: The sandbox's id, where that can prove that an earlier owner is dead.
        now: Milliseconds since 1970.
        due: When the wait is over that our event has come back from; 0 for one that has not.
        guards: It is the guardian, and no delivery of the function's.
        retries_exhausted: Every other delivery of the request has failed, and none is waited for.
        invocation: Lambda's request id.
    """

    owner: str
    lease: int
    sandbox_id: str | None
    now: int
    due: int = 0
    guards: bool = False
    retries_exhausted: bool = False
    invocation: str | None = None


class Progress(NamedTuple):
    """How far a hook has come since its last write.

    Attributes:
        steps: What its steps came to.
        assigned_id: The physical id that it has set so far.
        has_unrecorded_calls: It has made repeatable calls, which are never recorded.
        tail_in_doubt: The first step without a record may have happened.
        deed: What an Update does; None until its hook begins.
    """

    steps: Mapping[str, StepRecord] = MappingProxyType({})
    assigned_id: str | None = None
    has_unrecorded_calls: bool = False
    tail_in_doubt: bool = False
    deed: str | None = None


def issued(request: Request, now: int) -> int:
    """Return the request's issue time; of an undated one, the moment it was first seen."""
    return now // 1000 if request.issued_at is None else request.issued_at


def in_flight_until(ended: int) -> int:
    """Return from when no call of an execution that ended then can land any more, in ms."""
    return ended + int(IN_FLIGHT_GRACE * 1000) + 1


def _begun(request: Request, candidate: Candidate) -> Operation:
    updates = request.type is RequestType.UPDATE
    return Operation(
        request_id=request.request_id,
        type=request.type.value,
        issued_at=issued(request, candidate.now),
        undated=request.issued_at is None,
        properties=request.properties_fingerprint,
        old_properties=request.old_properties_fingerprint if updates else None,
        event_physical_id=request.physical_resource_id,
        state=State.RUNNING.value,
        execution=ExecutionRecord(
            owner=candidate.owner,
            lease=candidate.lease,
            sandbox_id=candidate.sandbox_id,
            invocation=candidate.invocation,
            deliveries=1,
            guarded=candidate.guards,
        ),
        begun=candidate.now,
    )


def _identity(request: Request, resource_type: str = "") -> Doc:
    """Return whose a head is; a Delete of what another type left does not change it."""
    return {
        "v": VERSION,
        "stk": request.stack_id,
        "lid": request.logical_resource_id,
        "rt": resource_type or request.resource_type,
    }


def _set(values: Doc, at: Path = ()) -> dict[Path, object]:
    return {(*at, name): value for name, value in values.items()}


def _making(values: Mapping[str, object], at: Path = ()) -> Change:
    """Return a change that sets these values, and removes those that are nothing."""
    kept = {name: value for name, value in values.items() if value not in (None, False, [])}
    gone = [(*at, name) for name in values if name not in kept]
    return Change(set=_set(kept, at), remove=gone)


def begin(request: Request, candidate: Candidate) -> Write:
    """Begin where nothing is left and CloudFormation holds what the head says: without a look."""
    # Seeded bug: newer-blind
    idle: list[Guard] = [
        Equals((*OPERATION, "st"), State.SUCCEEDED.value),
        Below((*OPERATION, "iss"), issued(request, candidate.now)),
        Lacks(("recent",), short_name(request.operation_name)),
        Absent(("pend",)),
        Equals(("v",), VERSION),
        Equals(("rt",), request.resource_type),
    ]
    values: Doc = {**_identity(request), "op": _begun(request, candidate).to_doc()}
    default: Doc = {}
    append: Doc = {"recent": short_name(request.operation_name)}
    if request.type is RequestType.CREATE:
        held: list[Guard] = [Absent(("held",)), Absent(("repl",))]
        append["ucf"] = request.operation_name
    else:
        held = [Equals(("held", "id"), request.physical_resource_id)]
        if request.carries_an_object:
            values["ack"] = True
        # A Delete adopts nothing: where it fails, another id may be what CloudFormation holds.
        # Seeded bug: update-adopts
        if request.type is RequestType.UPDATE and request.placeholder is None:
            # Seeded bug: begin-adopts
            default, values["ack"] = {"held": adopted(request).to_doc()}, True
    return Write(
        name="begin",
        guard=AnyOf([AllOf([Absent(("v",)), Absent(("w",))]), AllOf([*idle, *held])]),
        change=Change(
            set=_set(values),
            default=default,
            append=append,
            remove=[("ttl",)],
        ),
    )


def begin_over(head: Head, request: Request, candidate: Candidate) -> Write:
    """Begin over an operation that is over and has left something, or that is still at work."""
    objects, creates = begun_over(head, request), request.type is RequestType.CREATE
    operation, short = head.operation, short_name(request.operation_name)
    owner = operation.execution.owner
    begun = _begun(request, candidate)
    begun = replace(begun, issued_at=max(operation.issued_at, begun.issued_at))
    if short in head.recent:  # used again: above every generation and round it ever had
        # Seeded bug: reused-request-id
        begun = replace(begun, generation=head.revision + 1, round=head.revision + 1)
    change = _making(
        {
            **_identity(request, "" if creates else head.resource_type),
            "op": begun.to_doc(),
            **_to_doc(objects),
            "recent": [*(known for known in head.recent if known != short), short][-MOST_RECENT:],
            "ttl": None,
        }
    )
    # Seeded bug: begin-over-guard
    guard = AllOf([Equals(("w",), head.revision), Equals((*OPERATION, "own"), owner)])
    return Write(name="begin_over", guard=guard, change=change)


def resume(head: Head, request: Request, candidate: Candidate) -> Write:
    """Go on with an operation whose execution is over, or that failed and was asked for again."""
    operation = head.operation
    seen = operation.issued_at
    if request.issued_at is not None and not operation.undated:
        seen = max(seen, request.issued_at)
    values: Doc = {
        "st": State.RUNNING.value,
        "own": candidate.owner,
        "lu": candidate.lease,
        "box": candidate.sandbox_id,
        "inv": candidate.invocation,
        "iss": seen,
        "due": None,
        "dlv": operation.execution.deliveries + 1,
        "gua": operation.execution.guarded and candidate.guards,
    }
    if operation.state == State.RUNNING:
        values["tail"] = True
    elif operation.state == State.FAILED:
        values |= {"dlv": 1, "rnd": operation.round + 1, "beg": candidate.now, "out": None}
    elif candidate.due:
        values["dlv"] = 1
    return Write(
        name="resume",
        guard=AllOf(
            [
                Equals((*OPERATION, "rid"), request.request_id),
                Equals((*OPERATION, "own"), operation.execution.owner),
                Equals((*OPERATION, "st"), operation.state),
            ]
        ),
        change=_making(values, OPERATION),
    )


def held_by(owner: str, at: Path = OPERATION) -> Guard:
    """Allow a write to the execution that an operation belongs to, while it runs."""
    # Seeded bug: held-by
    return AllOf([Equals((*at, "own"), owner), Equals((*at, "st"), State.RUNNING.value)])


def _recorded(progress: Progress, head: Head, at: Path) -> dict[Path, object]:
    values: dict[Path, object] = {
        (*at, "steps", key): step.to_doc() for key, step in progress.steps.items()
    }
    assigned_id = progress.assigned_id
    if assigned_id is not None:
        values[*at, "id"] = assigned_id
    if assigned_id in head.removed and at == OPERATION:  # made again: it is no longer gone
        values[("gone",)] = [removed for removed in head.removed if removed != assigned_id]
    if progress.has_unrecorded_calls:
        values[*at, "unrec"] = True
    if progress.deed is not None:
        values[*at, "did"] = progress.deed
    return values


def record(progress: Progress, head: Head) -> Change:
    """Keep what steps came to, and the id that the hook has set so far."""
    return _without_empty(_recorded(progress, head, OPERATION))


def record_left(progress: Progress, head: Head, place: int) -> Change:
    """Keep what a step of an operation left behind came to, before anything is removed for it."""
    at: Path = ("pend", place)
    values = _recorded(progress, head, at)
    if head.pending_cleanup[place].state == State.RUNNING:  # it is over, and in doubt no more
        values[*at, "st"] = State.PARKED.value
    return Change(set=values, remove=[(*at, "tail")])


def _without_empty(values: Mapping[Path, object], remove: Sequence[Path] = ()) -> Change:
    """Return a change that removes a list of which nothing is left."""
    kept = {path: value for path, value in values.items() if value != []}
    return Change(set=kept, remove=[*remove, *(path for path in values if path not in kept)])


def _with_facts(known: Mapping[Path, object], *changes: Change) -> Change:
    """Return changes as one that keeps what is known as well, where none says otherwise."""
    made = {path: value for change in changes for path, value in change.set.items()}
    gone = [path for change in changes for path in change.remove]
    kept = {path: value for path, value in known.items() if path not in gone}
    return _without_empty({**kept, **made}, gone)


def record_cleanup(stays: Sequence[Operation], removed: Sequence[str], head: Head) -> Change:
    """Take off what is cleaned up, before anything is made that would pass for it."""
    gone = dict.fromkeys([*head.removed, *(old for old in removed if old != head.held_id)])
    return _making(
        {
            "pend": [left.to_doc() for left in stays],
            "gone": list(gone)[-MOST_REMOVED:],
            "forg": [old.to_doc() for old in head.forgotten if old.id not in removed],
        }
    )


def park(
    progress: Progress, head: Head, ended: int, *, due: int | None = None, at: Path = OPERATION
) -> Change:
    """End an execution, the work not being done; a doubt about the next step stays."""
    # Seeded bug: park
    values: Doc = {"st": State.PARKED.value, "lu": ended, "tail": progress.tail_in_doubt}
    if due is not None:
        values["due"] = due
    # Seeded bug: last-facts
    known = _recorded(progress, head, at)
    return _with_facts(known, _making(values, at))


def finish(head: Head, ending: Ending, progress: Progress, ended: int) -> Change:
    """Record the response, and what holds from now on."""
    operation = head.operation
    deletes = operation.type == RequestType.DELETE
    known = _recorded(progress, head, OPERATION)
    of_operation: Doc = {
        "st": ending.state.value,
        "out": ending.response if deletes or ending.untold or not ending.succeeded else None,
        "lu": ended,
        "tail": progress.tail_in_doubt,
        "giv": ending.given,
    }
    fails = head.fails if ending.fails is None else ending.fails
    of_head: Doc = {
        "fail": fails,
        "recent": list(head.recent[-MOST_RECENT:]),
        "hist": [entry.to_doc() for entry in _history(head, ending, ended)],
    }
    if operation.execution.guarded and operation.type == RequestType.CREATE:
        of_head["gua"] = [*head.guarded, ending.operation][-MOST_RECENT:]
    if ending.succeeded:
        objects = succeeded(head, ending)
        of_head |= {**_to_doc(objects), "gone": _removed(head, ending, objects)}
        # Seeded bug: live-no-ttl
        if deletes and not (ending.keeps_current and _is_left(objects)):  # results are erased now
            of_head["ttl"] = ended // 1000 + TOMBSTONE_DAYS * 86400
            of_head["dbt"] = list(dict.fromkeys([*head.doubts, *ending.doubts]))[-MOST_DOUBTS:]
            of_operation["steps"], known = {}, {}
    return _with_facts(known, _making(of_head), _making(of_operation, OPERATION))


def _removed(head: Head, ending: Ending, objects: Objects) -> list[str]:
    """Return the ids that are gone once a request has succeeded."""
    # An invented id has had its Delete: sent again, it may not stand for another Create.
    ended = [str(head.operation.event_physical_id)] if ending.invented else []
    removed = dict.fromkeys([*head.removed, *ending.removed, *ended])
    held_id = None if objects.held is None else objects.held.id
    return [known for known in removed if known != held_id][-MOST_REMOVED:]


def _is_left(objects: Objects) -> bool:
    """Tell whether there is anything that a later request may have to know."""
    return bool(objects.held or objects.replaced or objects.forgotten or objects.pending)


def _to_doc(objects: Objects) -> Doc:
    return {
        "held": None if objects.held is None else objects.held.to_doc(),
        "ack": objects.acknowledged,
        "repl": [old.to_doc() for old in objects.replaced],
        "forg": [old.to_doc() for old in objects.forgotten],
        "pend": [left.to_doc() for left in objects.pending],
        "ucf": list(objects.unconfirmed),
    }


def _history(head: Head, ending: Ending, ended: int) -> list[HistoryEntry]:
    why = ending.reason.encode(errors="replace")[:LONGEST_REASON]
    entry = HistoryEntry(
        type=head.operation.type,
        outcome=ending.state.value,
        at=ended,
        reason=why.decode(errors="ignore") or None,
    )
    return kept_history([*head.history, entry])


def kept_history(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return what is kept of a history: the last requests, and the last writes of operators."""
    numbers = range(len(entries))
    requests = [n for n in numbers if entries[n].by is None][-MOST_HISTORY:]
    written = [n for n in numbers if entries[n].by is not None][-MOST_WRITTEN:]
    return [entries[n] for n in sorted([*requests, *written])]
