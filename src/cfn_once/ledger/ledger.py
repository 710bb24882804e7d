"""The state machine over any store: who may work, what steps came to, what was answered."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, TypeVar, assert_never

from .._clock import Deadline
from .._cloudformation.request import Request
from .._errors import InProgress, LedgerUnavailable, Superseded
from . import transitions as _writes
from .claim import (
    Claim,
    Drop,
    Late,
    Look,
    Refuse,
    Replay,
    Wait,
    decide,
    without_a_look,
)
from .head import CorruptHead, Debt, Head, Record, State, StepState
from .store import Change, Store, Write, Written
from .transitions import LEASE_SLACK, SETTLE, Claimant, Ending, Progress, quiet_from

DEATH_SLACK = 2.0  # seconds that Lambda may take to end an invocation (ledger.md, A2)
IN_PLACE = 30.0  # seconds of retries while the ledger is in trouble; IAM propagates in about ten
OLD = 300.0  # seconds of an event's age after which a ledger in trouble is answered FAILED
LAST_TRY = 180.0  # seconds of age at which Lambda's last try begins: after 1 and 2 minutes
SHORT = 5.0  # seconds kept for leaving in order
SPILL_DAYS = 30  # over the hour of a request many times; a head alone outlives it
LAST_ATTEMPT = 3  # Lambda tries an event three times; one that died early is not in our count

T = TypeVar("T")


class Answered(NamedTuple):
    """It was answered before: tell these bytes again."""

    body: bytes


class Stale:
    """A late first delivery: a newer request has begun."""


class Ignored(NamedTuple):
    """No effect and no answer."""

    reason: str


class Granted:
    """The right to work on one request, until somebody newer takes it.

    Attributes:
        head: The resource as our last write left it.
        owner_gone: When an earlier execution of this request is over, in seconds since 1970.
        frontier: The first step without a record may have happened; that step takes it down.
        pending: What steps came to and the ledger has not been told yet.
        is_over: It was given back, answered or lost: nothing may be begun under it any more.
    """

    def __init__(
        self,
        ledger: "Ledger",
        request: Request,
        deadline: Deadline,
        head: Head,
        owner_gone: float,
        due: float = 0.0,
    ) -> None:
        self._ledger, self._request, self._deadline, self._due = ledger, request, deadline, due
        self._owner, self._fence = head.owner, head.fence
        self._alone = threading.RLock()
        self._in_the_air: tuple[str, Record | None] | None = None
        self.head, self.owner_gone, self.frontier = head, owner_gone, head.took_over
        self.pending: dict[str, Record] = {}
        self.is_over = self._is_left = False

    def comes_again(self) -> bool:
        """Tell whether another delivery of the request is still to be expected."""
        few = self.head.attempts < LAST_ATTEMPT
        return few and _another_comes(self._request, self._deadline, self.head.begun, self._due)

    def wait_for_the_dead(self) -> None:
        """Wait until no earlier execution whose work is owed can act any more.

        Raises:
            Superseded: A newer request holds the resource.
            InProgress: Our own time is short; the lease was given back.
        """
        # Where another delivery comes, the hook is to begin with time enough.
        spared = self._deadline.total / 2 if self.comes_again() else 0.0
        reserve = max(spared, self._deadline.reserve)
        while self.head.debts:
            now = self._deadline.clock.now()
            alive = [debt for debt in self.head.owed() if not _is_dead(debt, now)]
            if not alive:
                return
            pause = min(max(0.2, (_dead_at(alive[0]) - now)), 5.0)
            if not self._deadline.pause(pause, reserve=reserve, polling=True):
                self.park(Progress())
                raise InProgress(
                    f"{self._request}: the execution of {alive[0].request_id} is not over yet"
                )
            self._look()

    def _look(self) -> None:
        head = self._ledger.read(self._request, self._deadline)
        if head is None or not self._is_ours(head) or head.state != State.RUN:
            self._lose(head, Progress())
        else:
            self.head = head

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the hook and its watchdog apart: one of them acts, the other finds it over."""
        with self._alone:
            yield

    def takes_off(self, key: str, record: Record | None) -> None:
        """Note that a call leaves, which may happen from now on; without record, a repeated one.

        Raises:
            Superseded: Nothing may be begun any more.
        """
        # Seeded bug: call-after-end
        with self._alone:
            self.go_on()
            self._in_the_air = (key, record)

    def lands(self) -> None:
        """Note that a repeated call is over."""
        self._in_the_air = None

    def in_the_air(self) -> tuple[str, Record | None] | None:
        """Return the call that may have happened, and of which nothing is known yet."""
        if self._in_the_air is None:
            return None
        key, record = self._in_the_air
        known = {**self.head.records(), **self.pending}.get(key)
        if record is None or known is None or known.state == StepState.STARTED:
            return key, record
        # Failed in an earlier round, and called anew since.
        return None if known.generation >= record.generation else (key, record)

    def go_on(self) -> None:
        """Refuse what would be begun after the end.

        Raises:
            Superseded: It was given back, answered or lost.
        """
        if self.is_over:
            text = f"{self._request}: this execution of it is over"
            raise Superseded(text, again=self._is_left)

    def record(self, progress: Progress) -> None:
        """Keep what steps came to, or that one is about to be called."""

        def applied(head: Head) -> bool:
            kept = head.records()
            return all(kept.get(key) == one for key, one in progress.steps.items())

        self._write("record", _writes.record(progress, self.head), applied, progress)

    def spill(self, name: str, text: str) -> None:
        """Keep a long result beside the head, before the head refers to it."""
        expires = int(self._deadline.clock.now()) + SPILL_DAYS * 86400
        self._ledger.spill(self._request, name, text, expires, self._deadline)

    def unspill(self, name: str) -> str | None:
        """Return a long result, or None where it is gone."""
        return self._ledger.unspill(self._request, name, self._deadline)

    def note(self, debt: Debt, key: str, found: Record) -> None:
        """Keep what a step of a debt came to, before anything is removed because of it."""
        place = next(n for n, one in enumerate(self.head.owed()) if one.owner == debt.owner)

        def applied(head: Head) -> bool:
            return head.owed()[place].records().get(key) == found

        self._write("note", _writes.note(place, key, found), applied, Progress())

    def settle(self, stays: Sequence[Debt], removed: Sequence[str]) -> None:
        """Keep that debts are cleaned up: no later execution of this request does it again."""

        def applied(head: Head) -> bool:
            return [one.to_doc() for one in head.owed()] == [one.to_doc() for one in stays]

        self._write("settle", _writes.settle(stays, removed, self.head), applied, Progress())

    def park(self, progress: Progress, *, due: float | None = None) -> None:
        """Give the lease back: another delivery goes on, none before `due`."""
        until = None if due is None else _milliseconds(due)
        now = self._all_over()
        change = _writes.park(progress, self.head, now, in_doubt=self.frontier, due=until)
        self._write("park", change, lambda head: head.state == State.PARK, progress)
        self.is_over, self._is_left = True, due is None

    def finish(self, ending: Ending, progress: Progress, *, cut_short: bool = False) -> None:
        """Record the answer; after this, and only after this, it may be told.

        A hook that is `cut_short` is still at work: it is over for certain when Lambda has ended
        it, and what it calls now is in doubt.
        """
        now, in_doubt = self._all_over(), self.frontier
        if cut_short:
            now = self.head.lease + LEASE_SLACK
            flying = self.in_the_air()
            # Seeded bug: time-out-call
            if flying is not None:
                key, record = flying
                started = {} if record is None else {key: record}
                progress = progress._replace(steps={**progress.steps, **started})
        change = _writes.finish(self.head, ending, progress, now, in_doubt=in_doubt)

        def applied(head: Head) -> bool:
            return head.state == State.DONE and head.body == ending.body

        self._write("finish", change, applied, progress)
        self.is_over = True

    def _all_over(self) -> int:
        """Return from when nobody is at work for this request, if we end now."""
        # Seeded bug: guardian-end
        return _milliseconds(max(self._deadline.clock.now(), self.owner_gone))

    def _is_ours(self, head: Head) -> bool:
        return head.owner == self._owner and head.fence == self._fence

    def _write(
        self,
        name: str,
        change: Change,
        applied: Callable[[Head], bool],
        progress: Progress,
    ) -> None:
        write = Write(name=name, guard=_writes.held_by(self._owner, self._fence), change=change)
        with self._alone:
            self.go_on()
            written = self._ledger.write(self._request, write, self._deadline, limit=math.inf)
            head = written.head
            # Seeded bug: write-recognised
            if written.applied or (head is not None and self._is_ours(head) and applied(head)):
                # A write that was refused because it had been applied before: its answer was lost.
                self.head = head if head is not None else self.head
                return
            self._lose(head, progress)

    def _lose(self, head: Head | None, progress: Progress) -> NoReturn:
        self.is_over = True
        while head is not None:
            place = next(
                (n for n, debt in enumerate(head.owed()) if debt.owner == self._owner), None
            )
            if place is None or head.owed()[place].gone:
                break
            now = self._all_over()
            write = _writes.leave(place, self._owner, progress, now, in_doubt=self.frontier)
            written = self._ledger.write(self._request, write, self._deadline)
            if written.applied or written.head is None:
                break
            head = written.head
        ours = head is not None and head.request_id == self._request.request_id
        raise Superseded(f"{self._request} is held by another execution", again=ours)


Claimed = Granted | Answered | Stale | Ignored


class Ledger:
    """The one state machine, over a store.

    Attributes:
        box: This sandbox's id, where its being ours proves that an earlier owner is dead.
    """

    def __init__(self, store: Store, *, box: Callable[[], str | None] = lambda: None) -> None:
        self.store, self._box = store, box

    def claim(
        self, request: Request, deadline: Deadline, *, due: float = 0.0, is_last: bool = False
    ) -> Claimed:
        """Decide who works on a request; waits for a twin as long as our own time allows.

        An event that has come back from a wait says when that was `due`. Who `is_last` comes when
        every other delivery has failed, and waits for none of them.

        Raises:
            InProgress: A twin is still at work and our time is short: let Lambda come again.
            LedgerUnavailable: The ledger cannot be reached, or must not be touched by us.
        """
        me = self._claimant(deadline)._replace(due=_milliseconds(due), is_last=is_last)
        decision, waits = without_a_look(request, me), 0
        while True:
            match decision:
                case Claim(write, gone):
                    _spare_a_short_invocation(request, write, me, deadline)
                    written = self.write(
                        request, write, deadline, limit=_patience(request, deadline)
                    )
                    head = written.head
                    if head is not None and (written.applied or _is_mine(head, me)):
                        return Granted(self, request, deadline, head, gone / 1000, due)
                case Look():
                    head = self.read(request, deadline)
                case Wait(until):
                    self._wait(request, deadline, until, waits)
                    waits += 1
                    head = self.read(request, deadline)
                case Replay(body):
                    return Answered(body.encode())
                case Drop(reason):
                    return Ignored(reason)
                case Late():
                    return Stale()
                case Refuse(reason):
                    raise LedgerUnavailable(f"{request}: {reason}")
                case never:
                    assert_never(never)
            me = me._replace(now=_milliseconds(deadline.clock.now()))
            decision = decide(head, request, me)

    def _claimant(self, deadline: Deadline) -> Claimant:
        clock = deadline.clock
        return Claimant(
            owner=clock.nonce(),
            lease=_milliseconds(deadline.ends_at() + DEATH_SLACK),
            box=self._box(),
            now=_milliseconds(clock.now()),
        )

    def _wait(self, request: Request, deadline: Deadline, until: int, waits: int) -> None:
        left = until / 1000 - deadline.clock.now()
        pause = max(0.05, min(1.0 + waits, 10.0, left + 0.05))
        if not deadline.pause(pause, reserve=SHORT, polling=True):
            raise InProgress(f"{request}: another delivery of it is at work; let Lambda come again")

    def read(self, request: Request, deadline: Deadline) -> Head | None:
        """Return the head, with retries."""
        return self._retried(request, deadline, lambda: self.store.read(_key(request)))

    def write(
        self, request: Request, write: Write, deadline: Deadline, *, limit: float = IN_PLACE
    ) -> Written:
        """Make one write, with retries: each write recognises its own earlier success."""
        return self._retried(
            request, deadline, lambda: self.store.write(_key(request), write), limit=limit
        )

    def spill(
        self, request: Request, name: str, text: str, expires: int, deadline: Deadline
    ) -> None:
        """Keep a long result, with retries."""
        self._retried(
            request, deadline, lambda: self.store.spill(_key(request), name, text, expires)
        )

    def unspill(self, request: Request, name: str, deadline: Deadline) -> str | None:
        """Return a long result, with retries."""
        return self._retried(request, deadline, lambda: self.store.unspill(_key(request), name))

    def _retried(
        self, request: Request, deadline: Deadline, ask: Callable[[], T], limit: float = IN_PLACE
    ) -> T:
        since, pause = deadline.clock.now(), 0.2
        while True:
            try:
                return ask()
            except CorruptHead as error:
                raise LedgerUnavailable(
                    f"{request}: the ledger's item {_key(request)} is no head of ours: {error}."
                    " Nothing was done. Restore the item from the table's backup"
                ) from None
            except LedgerUnavailable:
                if deadline.clock.now() - since > limit:
                    raise
                if not deadline.pause(pause, reserve=SHORT, polling=True):
                    raise
            pause = min(pause * 2, 5.0)


def _key(request: Request) -> str:
    return "r" + request.correlation_id


def _patience(request: Request, deadline: Deadline) -> float:
    """Return for how long a ledger in trouble is asked again, in seconds.

    In what may be Lambda's last try, until the event is so old that it is answered without.
    """
    issued = request.issued_at
    age = 0.0 if issued is None else deadline.clock.now() - issued
    return max(IN_PLACE, OLD + 1 - age) if age >= LAST_TRY else IN_PLACE


def _spare_a_short_invocation(
    request: Request, write: Write, me: Claimant, deadline: Deadline
) -> None:
    """Leave the work to another delivery, if one comes, that has the whole of its time."""
    if deadline.remaining() >= deadline.total / 2:
        return
    if write.name == "take_over" or _another_comes(request, deadline, me.now, me.due / 1000):
        raise InProgress(f"{request}: too little time is left to begin with it")


def _another_comes(request: Request, deadline: Deadline, begun: int, due: float) -> bool:
    """Tell by an event's age whether Lambda may come again.

    An undated one is as old as what it has `begun`; one that was `due` after a wait is an event of
    its own, with tries of its own.
    """
    issued = begun / 1000 if request.issued_at is None else request.issued_at
    return deadline.begun_at() - max(issued, due) < LAST_TRY


def _is_mine(head: Head, me: Claimant) -> bool:
    """Tell whether a refused write had been applied before, and its answer was lost."""
    # Seeded bug: claim-recognised
    return head.owner == me.owner and head.state == State.RUN


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _dead_at(debt: Debt) -> float:
    """Return when nothing of a debt's execution can happen any more, in seconds since 1970."""
    if not debt.gone:
        return quiet_from(debt.lease) / 1000
    # It is over, but a call that timed out may still be on its way.
    # Seeded bug: timed-out-call
    return debt.ended / 1000 + SETTLE if debt.is_in_doubt else 0.0


def _is_dead(debt: Debt, now: float) -> bool:
    return now > _dead_at(debt)
