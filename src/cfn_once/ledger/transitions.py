"""The writes of the ledger: when each is allowed, and what it makes of a head.

    begin ──────► RUN ───── finish: the answer is kept ────► DONE    a copy is told the same again
    begin_over    ▲ ▼ park / take_over                       │
    take_over: the lease ran out, fence + 1                  ├──► begin, begin_over: a newer one
    supersede: a newer request, fence + 1; what the older    └──► round: asked again after FAILED
    one left is kept as a debt, to be cleaned up

begin and record are blind: they need no look at the head first. begin_over and supersede are
computed from a look, and compare the count of writes: a step recorded meanwhile must not be lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from .head import VERSION, Debt, Doc, Head, Old, Record, State
from .store import Absent, AllOf, AnyOf, Below, Change, Equals, Guard, Lacks, Path, Write

MOST_RECENT, MOST_OLDS, MOST_REMOVED, MOST_HISTORY = 32, 16, 32, 16
TOMBSTONE_DAYS = 14  # well over Lambda's six hours of event age, with its retries
LEASE_SLACK = 1000  # ms; clocks differ by at most a second (ledger.md, A2)
# Seeded bug: in-flight-grace
SETTLE = 5.0  # seconds in which a request of a dead process is applied, or never (ledger.md, A3)


class Claimant(NamedTuple):
    """Who asks for the lease, and until when.

    Attributes:
        owner: The execution's nonce.
        lease: Lambda's deadline and 2 s more, in milliseconds since 1970.
        box: The sandbox's id, where that can prove that an earlier owner is dead.
        now: Milliseconds since 1970.
        due: When the wait is over that our event has come back from; 0 for one that has not.
        is_last: Every other delivery of the request has failed, and none is waited for.
    """

    owner: str
    lease: int
    box: str | None
    now: int
    due: int = 0
    is_last: bool = False

    def to_doc(self) -> Doc:
        doc: Doc = {"own": self.owner, "lu": self.lease, "st": State.RUN.value}
        return doc if self.box is None else {**doc, "box": self.box}


class Progress(NamedTuple):
    """How far a hook has come since its last write.

    Attributes:
        steps: What its steps came to.
        running_id: The physical id that it has set so far.
        acted: It has made calls that are repeated at will and never recorded.
    """

    steps: Mapping[str, Record] = MappingProxyType({})
    running_id: str | None = None
    acted: bool = False


def issued(request: Request, now: int) -> int:
    """Return the request's issue time; of an undated one, the moment it was first seen."""
    return now // 1000 if request.issued_at is None else request.issued_at


def _set(values: Doc) -> dict[Path, object]:
    return {(name,): value for name, value in values.items()}


def _operation(request: Request, me: Claimant) -> Doc:
    doc: Doc = {
        "v": VERSION,
        "rid": request.request_id,
        "typ": request.type.value,
        "iss": issued(request, me.now),
        "fp": request.fingerprint,
        "pfp": request.properties_fingerprint,
        "att": 1,
        "took": False,
        "act": False,
        "rnd": 0,
        "g0": 0,
        "beg": me.now,
        "steps": {},
    }
    if request.physical_resource_id is not None:
        doc["base"] = request.physical_resource_id
    return doc | me.to_doc()


def begin(request: Request, me: Claimant) -> Write:
    """Begin where nothing is owed and CloudFormation holds what the head says: without a look."""
    # Seeded bug: newer-blind
    nothing_owed: list[Guard] = [
        Equals(("st",), State.DONE.value),
        Equals(("ok",), value=True),
        Below(("hi",), issued(request, me.now)),
        Lacks(("recent",), request.request_id),
        Absent(("debts",)),
        Equals(("v",), VERSION),
    ]
    values = _operation(request, me) | {"hi": issued(request, me.now)}
    removed = ["out", "ok", "ttl", "id", "back"] + ([] if me.box else ["box"])
    default: Doc = {}
    if request.type is RequestType.CREATE:
        held: list[Guard] = [Absent(("phys",)), Absent(("olds",))]
        removed += ["base", "phys", "seen", "ppfp", "attrs"]
    else:
        held = [Equals(("phys",), request.physical_resource_id)]
        if not request.is_placeholder:
            default, values = {"phys": request.physical_resource_id}, values | {"seen": True}
    return Write(
        name="begin",
        guard=AnyOf([AllOf([Absent(("v",)), Absent(("w",))]), AllOf([*nothing_owed, *held])]),
        change=Change(
            set=_set(values),
            default=default,
            add={"f": 1},
            append={"recent": request.request_id},
            remove=[(name,) for name in removed],
        ),
    )


def is_settled(head: Head, request: Request) -> bool:
    """Tell whether CloudFormation holds, retained or removed the result of the head's operation."""
    if head.type == RequestType.DELETE:
        return head.state == State.DONE  # a failed Delete leaves nothing that is not known already
    if not head.is_good:
        return False
    # Seeded bug: retained
    if request.type is RequestType.CREATE or head.seen:
        return True  # a Create over a held object: it was retained
    known = [head.physical_id]
    if request.type is RequestType.DELETE:
        known += [*(old.id for old in head.replaced()), *head.removed]
    return request.physical_resource_id in known


def quiet_from(lease: int) -> int:
    """Return from when no call of an execution with this lease can land any more, in ms."""
    return quiet_after(lease + LEASE_SLACK)


def quiet_after(ended: int) -> int:
    """Return from when no call of an execution that is over by then can land any more, in ms."""
    return ended + int(SETTLE * 1000)


def leaves_something(head: Head) -> bool:
    """Tell whether the head's operation may have had an effect, or may still have one."""
    may_have = head.state == State.RUN or head.took_over or head.acted
    return bool(head.steps or head.running_id or head.is_good or may_have)


def debt_of(head: Head, now: int) -> Debt:
    """Return what the head's operation leaves to a request that begins over it."""
    # Seeded bug: tail-in-doubt
    return Debt(
        request_id=head.request_id,
        type=head.type,
        properties=head.properties,
        base=head.base,
        id=head.physical_id if head.is_good else head.running_id,
        owner=head.owner,
        lease=head.lease,
        box=head.box,
        gone=head.state != State.RUN or now > quiet_from(head.lease),
        edge=head.state == State.RUN or head.took_over,
        acted=head.acted,
        begun=head.begun,
        ended=head.ended if head.state != State.RUN else 0,
        first_generation=head.first_generation,
        round=head.round,
        steps=head.steps,
    )


def begin_over(head: Head, request: Request, me: Claimant) -> Write:
    """Begin over what is owed: over a head that is DONE, or in the place of one at work."""
    supersedes = head.state != State.DONE
    settled = is_settled(head, request)
    phys, properties, attributes = head.physical_id, head.held_properties, head.attributes
    olds = head.replaced()
    if not settled and head.is_good:  # never heard of: what held before it holds again
        phys = head.base if head.type == RequestType.UPDATE else None
        before = next((old for old in olds if old.id == phys), None)
        if phys != head.physical_id:
            properties = before.properties if before else None
            attributes = before.attributes if before else None
        if head.went_back:  # it made nothing: what it went back to is replaced as it was before
            # Seeded bug: restored-replaced
            olds = [*(old for old in olds if old is not before), _held(head)]
    if request.type is RequestType.CREATE:  # CloudFormation retained what there was
        phys = properties = attributes = None
        olds = [replace(old, properties=None, attributes=None) for old in olds]
    elif phys is None and request.type is RequestType.UPDATE and not request.is_placeholder:
        phys = request.physical_resource_id
    # Seeded bug: leftovers-kept
    owes = not settled and not head.went_back and leaves_something(head)
    debts = [*head.owed(), *([debt_of(head, me.now)] if owes else [])]
    again = request.request_id in head.recent
    values = _operation(request, me) | {
        "hi": max(head.highest_issue, issued(request, me.now)),
        "f": head.fence + 1,
        "recent": [*(r for r in head.recent if r != request.request_id), request.request_id][
            -MOST_RECENT:
        ],
        "phys": phys,
        "seen": phys is not None
        and (request.physical_resource_id == phys or (head.seen and phys == head.physical_id)),
        "ppfp": properties,
        "attrs": attributes,
        "olds": [old.to_doc() for old in olds] or None,
        "debts": [debt.to_doc() for debt in debts] or None,
    }
    if again:  # used again after other requests: above every generation and round it ever had
        # Seeded bug: reused-request-id
        values |= {"g0": head.fence + 1, "rnd": head.fence + 1}
    # Seeded bug: begin-over-guard
    return Write(
        name="supersede" if supersedes else "begin_over",
        guard=AllOf(
            [
                Equals(("f",), head.fence),
                Equals(("w",), head.writes),
                Equals(("st",), head.state),
            ]
        ),
        change=_replacing(values, also=["out", "ok", "ttl", "id", "back", "base", "box", "due"]),
    )


def _replacing(values: Mapping[str, object], also: Sequence[str]) -> Change:
    kept = {name: value for name, value in values.items() if value is not None}
    gone = [name for name in dict.fromkeys([*values, *also]) if name not in kept]
    return Change(set=_set(kept), remove=[(name,) for name in gone])


def take_over(head: Head, request: Request, me: Claimant) -> Write:
    """Go on with an operation whose execution is over."""
    now_issued = max(head.issued_at, issued(request, me.now))
    if request.issued_at is None:
        now_issued = head.issued_at
    free: list[Guard] = [Equals(("st",), State.PARK.value)]
    still = AllOf([Equals(("st",), State.RUN.value), Equals(("own",), head.owner)])
    return Write(
        name="take_over",
        guard=AllOf(
            [
                Equals(("f",), head.fence),
                Equals(("rid",), request.request_id),
                AnyOf([*free, still]),
            ]
        ),
        change=_replacing(
            {
                **me.to_doc(),
                "f": head.fence + 1,
                "att": 1 if me.due and head.state == State.PARK else head.attempts + 1,
                "took": head.state != State.PARK or head.took_over,
                "iss": now_issued,
                "hi": max(head.highest_issue, now_issued),
            },
            also=["due"] if me.box else ["due", "box"],
        ),
    )


def new_round(head: Head, request: Request, me: Claimant) -> Write:
    """Try a failed operation again, because CloudFormation asked again."""
    return Write(
        name="round",
        guard=AllOf(
            [
                Equals(("f",), head.fence),
                Equals(("rid",), request.request_id),
                Equals(("st",), State.DONE.value),
                Equals(("ok",), value=False),
                Below(("iss",), issued(request, me.now)),
            ]
        ),
        change=_replacing(
            {
                **me.to_doc(),
                "f": head.fence + 1,
                "att": 1,
                "rnd": head.round + 1,
                "beg": me.now,
                "iss": issued(request, me.now),
                "hi": max(head.highest_issue, issued(request, me.now)),
            },
            also=["out", "ok"] + ([] if me.box else ["box"]),
        ),
    )


def held_by(owner: str, fence: int) -> Guard:
    """Allow a write to the execution that holds the resource."""
    # Seeded bug: held-by
    return AllOf(
        [
            Equals(("own",), owner),
            Equals(("f",), fence),
            Equals(("st",), State.RUN.value),
        ]
    )


def record(progress: Progress, head: Head) -> Change:
    """Keep what steps came to, and the id that the hook has set so far."""
    values: dict[Path, object] = {
        ("steps", key): one.to_doc() for key, one in progress.steps.items()
    }
    running_id = progress.running_id
    if running_id is not None:
        values[("id",)] = running_id
    if running_id in head.removed:  # made again: it is no longer an id that is gone
        values[("removed",)] = [one for one in head.removed if one != running_id]
    if progress.acted:
        values[("act",)] = True
    return Change(set=values)


def note(place: int, key: str, found: Record) -> Change:
    """Keep what a step of a debt came to, before anything is removed because of it."""
    return Change(
        set={("debts", place, "steps", key): found.to_doc(), ("debts", place, "edge"): False}
    )


def settle(stays: Sequence[Debt], removed: Sequence[str], head: Head) -> Change:
    """Take cleaned-up debts off the books, before anything is made that would pass for theirs."""
    gone = list(dict.fromkeys([*head.removed, *removed]))[-MOST_REMOVED:]
    debts = [debt.to_doc() for debt in stays]
    return _replacing({"debts": debts or None, "removed": gone or None}, also=[])


def park(
    progress: Progress, head: Head, now: int, *, in_doubt: bool, due: int | None = None
) -> Change:
    """Give the lease back, the work not being done; a doubt about the next step stays."""
    change = record(progress, head)
    # Seeded bug: park
    ended: Doc = {"st": State.PARK.value, "lu": 0, "took": in_doubt, "end": now}
    if due is not None:
        ended["due"] = due
    return Change(set={**change.set, **_set(ended)})


def leave(place: int, owner: str, progress: Progress, now: int, *, in_doubt: bool) -> Write:
    """Keep the last facts of an execution that was superseded: the fence refuses no facts."""
    debt: Path = ("debts", place)
    # Seeded bug: last-facts
    values: dict[Path, object] = {
        (*debt, "steps", key): one.to_doc() for key, one in progress.steps.items()
    }
    # Seeded bug: last-doubt
    values |= {(*debt, "gone"): True, (*debt, "edge"): in_doubt, (*debt, "end"): now}
    if progress.running_id is not None:
        values[*debt, "id"] = progress.running_id
    if progress.acted:
        # Seeded bug: last-unrecorded
        values[*debt, "act"] = True
    return Write(
        name="leave",
        guard=AllOf([Equals((*debt, "own"), owner), Equals((*debt, "gone"), value=False)]),
        change=Change(set=values),
    )


class Ending(NamedTuple):
    """How an operation ended, for `finish`.

    Attributes:
        body: The answer, exact text.
        physical_id: The id that it answers.
        attributes: JSON text of what an unchanged Update answers later; None for a Delete.
        removed: Ids whose objects this request removed.
        kept: The debts that stay on the books.
        spares: A Delete that leaves the held object alone: a clean-up, or an id nobody can place.
    """

    succeeded: bool
    body: str
    physical_id: str
    attributes: str | None = None
    removed: Sequence[str] = ()
    kept: Sequence[Debt] = ()
    spares: bool = False


def finish(head: Head, ending: Ending, progress: Progress, now: int, *, in_doubt: bool) -> Change:
    """Record the answer, and what holds from now on."""
    running_id = progress.running_id or head.running_id
    values: Doc = {
        "st": State.DONE.value,
        "ok": ending.succeeded,
        "out": ending.body,
        "end": now,
        "took": in_doubt,
        "id": running_id,
        "hist": [*head.history, _history(head, ending, now)][-MOST_HISTORY:],
        "recent": list(head.recent[-MOST_RECENT:]),
    }
    if ending.succeeded:
        values |= _holding(head, ending)
        # Seeded bug: live-no-ttl
        if head.type == RequestType.DELETE and not ending.spares:  # results are erased at once
            values |= {"ttl": now // 1000 + TOMBSTONE_DAYS * 86400, "steps": {}, "attrs": None}
            return _replacing(values, also=[])
    change = _replacing(values, also=[])
    kept = {path: one for path, one in record(progress, head).set.items() if path[0] not in values}
    return change._replace(set={**kept, **change.set})


def _held(head: Head) -> Old:
    """Return what a head holds, as something that is replaced."""
    return Old(
        id=str(head.physical_id), properties=head.held_properties, attributes=head.attributes
    )


def _holding(head: Head, ending: Ending) -> Doc:
    deleting = head.type == RequestType.DELETE
    phys = head.physical_id if ending.spares else None if deleting else ending.physical_id
    gone = (head.base,) if deleting else (phys, head.physical_id)
    olds = [old for old in head.replaced() if old.id not in gone]
    if head.type == RequestType.UPDATE and head.physical_id not in (None, phys):
        olds.append(_held(head))
    removed = [one for one in dict.fromkeys([*head.removed, *ending.removed]) if one != phys]
    # Seeded bug: acknowledged
    return {
        "phys": phys,
        "seen": head.seen and phys == head.physical_id,
        "back": (not deleting and phys in [old.id for old in head.replaced()]) or None,
        "ppfp": head.held_properties if deleting else head.properties,
        "attrs": head.attributes if deleting else ending.attributes,
        "olds": [old.to_doc() for old in olds[-MOST_OLDS:]] or None,
        "removed": removed[-MOST_REMOVED:] or None,
        "debts": [debt.to_doc() for debt in ending.kept] or None,
    }


def _history(head: Head, ending: Ending, now: int) -> Doc:
    return {
        "rid": head.request_id,
        "typ": head.type,
        "ok": ending.succeeded,
        "id": ending.physical_id,
        "beg": head.begun,
        "end": now,
    }
