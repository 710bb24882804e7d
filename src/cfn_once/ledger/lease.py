"""The right to work on one request, until somebody newer takes it."""

import math
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from .._clock import Deadline
from .._cloudformation.request import Request
from .._errors import InProgress, Superseded
from . import transitions
from .head import Head, Operation, State
from .held_objects import Ending
from .patient import PatientStore
from .step_record import StepState
from .store import Change, Path, Write
from .transitions import Progress, held_by, in_flight_until

MOST_DELIVERIES = 3  # Lambda tries an event three times; one that died early is not in our count
LAST_TRY = 180.0  # seconds of age at which Lambda's last try begins: after 1 and 2 minutes
SPILL_DAYS = 30  # over the hour of a request many times; a head alone outlives it


class Lease:
    """The right to work on one request.

    Attributes:
        head: The resource as our last write left it.
        previous_owner_ended_at: When an earlier execution of this request is over, in seconds since
            1970.
        is_over: It was given back, answered or lost: nothing may be begun under it any more.
        exclusive: Keeps the hook and its watchdog apart: one of them acts, the other finds it over.
    """

    def __init__(
        self,
        store: PatientStore,
        request: Request,
        deadline: Deadline,
        head: Head,
        previous_owner_ended_at: float,
        due: float = 0.0,
    ) -> None:
        self._store, self._request, self._deadline, self._due = store, request, deadline, due
        self._owner = head.operation.execution.owner
        self._is_held = held_by(self._owner)
        self.exclusive = threading.RLock()
        self.head, self.previous_owner_ended_at = head, previous_owner_ended_at
        self.is_over = self._is_parked = False

    def has_retries_left(self) -> bool:
        """Tell whether another delivery of the request is still to be expected."""
        operation = self.head.operation
        if operation.execution.deliveries >= MOST_DELIVERIES:
            return False
        return has_retries_left(self._request, self._deadline, operation.begun, self._due)

    def wait_for_previous_owners(self) -> None:
        """Wait until no earlier execution that left something can act any more.

        Raises:
            Superseded: A newer request holds the resource.
            InProgress: Our own time is short; the lease was given back.
        """
        # Where another delivery comes, the hook is to begin with time enough.
        spared = self._deadline.total / 2 if self.has_retries_left() else 0.0
        reserve = max(spared, self._deadline.reserve)
        while self.head.pending_cleanup:
            now = self._deadline.clock.now()
            acting = [left for left in self.head.pending_cleanup if now < _acts_until(left)]
            if not acting:
                return
            pause = min(max(0.2, (_acts_until(acting[0]) - now)), 5.0)
            if not self._deadline.pause(pause, reserve=reserve, polling=True):
                self.park(self._nothing_new())
                raise InProgress(
                    f"{self._request}: the execution of {acting[0].request_id} is not over yet"
                )
            self._read()

    def _nothing_new(self) -> Progress:
        return Progress(tail_in_doubt=self.head.operation.tail_in_doubt)

    def _read(self) -> None:
        head = self._store.read(self._request, self._deadline)
        if head is None or not self._is_ours(head) or head.operation.state != State.RUNNING:
            self._lose(head, self._nothing_new())
        else:
            self.head = head

    def ensure_held(self) -> None:
        """Refuse what would be begun after the end.

        Raises:
            Superseded: It was given back, answered or lost.
        """
        if self.is_over:
            text = f"{self._request}: this execution of it is over"
            raise Superseded(text, again=self._is_parked)

    def record(self, progress: Progress, owner: str | None = None) -> None:
        """Keep what steps came to, or that one is about to be called.

        Args:
            progress: What is new.
            owner: Of an operation left behind; of our own unless given.
        """

        def applied(head: Head) -> bool:
            steps = self.operation_of(owner, head).steps
            return all(steps.get(key) == step for key, step in progress.steps.items())

        if owner is None:
            change = transitions.record(progress, self.head)
        else:
            place = _place(self.head, owner)
            change = transitions.record_left(progress, self.head, place)
            progress = self._nothing_new()  # nothing of ours is lost with it
        self._write("record", change, applied, progress)

    def operation_of(self, owner: str | None, head: Head | None = None) -> Operation:
        """Return our operation, or the one left behind whose last execution had this nonce."""
        head = head or self.head
        if owner is None:
            return head.operation
        return next(left for left in head.pending_cleanup if left.execution.owner == owner)

    def spill(self, name: str, text: str) -> None:
        """Keep a long result beside the head, before the head refers to it."""
        expires = int(self._deadline.clock.now()) + SPILL_DAYS * 86400
        self._store.spill(self._request, name, text, expires, self._deadline)

    def unspill(self, name: str) -> str | None:
        """Return a long result, or None where it is gone."""
        return self._store.unspill(self._request, name, self._deadline)

    def record_cleanup(self, stays: Sequence[Operation], removed: Sequence[str]) -> None:
        """Keep what is cleaned up: no later execution of this request does it again."""

        def applied(head: Head) -> bool:
            return list(head.pending_cleanup) == list(stays)

        change = transitions.record_cleanup(stays, removed, self.head)
        self._write("record_cleanup", change, applied, self._nothing_new())

    def park(self, progress: Progress, *, due: float | None = None) -> None:
        """Give the lease back: another delivery may go on, one that was `due` then at the latest.

        Raises:
            Superseded: It was lost before.
        """

        def applied(head: Head) -> bool:
            return head.operation.state == State.PARKED

        until = None if due is None else milliseconds(due)
        change = transitions.park(progress, self.head, self._all_over(), due=until)
        self._write("park", change, applied, progress)
        self.is_over = self._is_parked = True

    def finish(self, ending: Ending, progress: Progress, *, timed_out: bool = False) -> None:
        """Record the response; it may be delivered afterwards.

        Args:
            ending: How the operation ended.
            progress: What its steps came to since the last write.
            timed_out: The hook has not ended: it may be stuck in a call until Lambda ends it.

        Raises:
            Superseded: It was lost before, and nothing may be delivered.
        """
        ended = self._cut_off(progress) if timed_out else self._all_over()
        change = transitions.finish(self.head, ending, progress, ended)

        def applied(head: Head) -> bool:
            return head.operation.is_over and head.response == ending.response

        self._write("finish", change, applied, progress)
        self.is_over = True

    def _cut_off(self, progress: Progress) -> int:
        """Return from when a hook that has not ended acts no more: Lambda ends it."""
        ends = self.head.operation.execution.lease
        started = any(step.state == StepState.STARTED for step in progress.steps.values())
        # The cleanup waits for what a step in doubt has on its way; what a call
        # without a record has, by nobody else.
        return ends if started or progress.tail_in_doubt else in_flight_until(ends)

    def _all_over(self) -> int:
        """Return from when nobody is at work for this request, if we end now."""
        # Seeded bug: guardian-end
        return milliseconds(max(self._deadline.clock.now(), self.previous_owner_ended_at))

    def _is_ours(self, head: Head) -> bool:
        return head.operation.execution.owner == self._owner

    def _write(
        self,
        name: str,
        change: Change,
        applied: Callable[[Head], bool],
        progress: Progress,
    ) -> None:
        write = Write(name=name, guard=self._is_held, change=change)
        with self.exclusive:
            self.ensure_held()
            written = self._store.write(self._request, write, self._deadline, limit=math.inf)
            head = written.head
            # Seeded bug: write-recognised
            if written.applied or (head is not None and self._is_ours(head) and applied(head)):
                # A write that was refused because it had been applied before: its answer was lost.
                self.head = head if head is not None else self.head
                return
            self._lose(head, progress)

    def _lose(self, head: Head | None, progress: Progress) -> NoReturn:
        """Keep our last facts where our operation was moved to, and end."""
        self.is_over = True
        while head is not None and any(map(self._is_our_own_left, head.pending_cleanup)):
            at: Path = ("pend", _place(head, self._owner))
            change = transitions.park(progress, head, self._all_over(), at=at)
            write = Write(name="park", guard=held_by(self._owner, at), change=change)
            head = self._store.write(self._request, write, self._deadline).head
        ours = head is not None and head.operation.request_id == self._request.request_id
        raise Superseded(f"{self._request} is held by another execution", again=ours)

    def _is_our_own_left(self, left: Operation) -> bool:
        return left.execution.owner == self._owner and left.state == State.RUNNING


def has_retries_left(request: Request, deadline: Deadline, begun: int, due: float) -> bool:
    """Tell by an event's age whether Lambda may come again.

    An undated one is as old as what it has `begun`; one that was `due` after a wait is an event of
    its own, with tries of its own.
    """
    issued = begun / 1000 if request.issued_at is None else request.issued_at
    return deadline.begun_at() - max(issued, due) < LAST_TRY


def milliseconds(seconds: float) -> int:
    """Return a time as the ledger keeps it."""
    return int(seconds * 1000)


def _place(head: Head, owner: str) -> int:
    return [left.execution.owner for left in head.pending_cleanup].index(owner)


def _acts_until(left: Operation) -> float:
    """Return from when nothing of an operation left behind can happen any more, in seconds."""
    # Its execution is over then, but a call that timed out may still be on its way.
    # Seeded bug: timed-out-call
    until = in_flight_until(left.execution.lease) if left.is_in_doubt else left.execution.lease
    return until / 1000
