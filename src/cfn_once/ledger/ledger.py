"""The state machine over any store: who may work, what steps came to, what was answered."""

from collections.abc import Callable
from typing import assert_never

from .._clock import Deadline
from .._cloudformation.request import Request
from .._errors import InProgress
from .claim import Answered, Claim, Ignored, ReadFirst, Refused, Stale, Wait, admit, blindly
from .head import Head, State
from .lease import LAST_TRY, Lease, has_retries_left, milliseconds
from .patient import EXIT_RESERVE, RETRY_IN_PLACE, PatientStore
from .store import Store
from .transitions import Candidate

DEATH_SLACK = 2.0  # seconds that Lambda may take to end an invocation (A2)
CLOCK_SLACK = 1.0  # seconds that clocks differ by at most (A2)
# How a duplicate waits for the delivery at work: it looks after a moment, then ever less often. The
# one at work answers by itself; what a duplicate must not miss is the end of that one's lease.
FIRST_LOOK, LATER_LOOKS, LAST_LOOKS = 1.0, 1.6, 20.0  # seconds, times, seconds
JUST_AFTER = 0.02  # seconds
LEDGER_OUTAGE_GRACE = 300.0  # seconds of an event's age; then it fails without one

Claimed = Lease | Answered | Stale | Ignored | Refused


class Ledger:
    """The one state machine, over a store.

    Args:
        store: Where heads lie.
        sandbox_id: Returns this sandbox's id, where its being ours proves that an earlier owner is
            dead.
    """

    def __init__(
        self, store: Store, *, sandbox_id: Callable[[], str | None] = lambda: None
    ) -> None:
        self.store, self._store = store, PatientStore(store)
        self.sandbox_id = sandbox_id

    def claim(
        self,
        request: Request,
        deadline: Deadline,
        *,
        due: float = 0.0,
        guards: bool = False,
        retries_exhausted: bool = False,
    ) -> Claimed:
        """Decide who works on a request; waits for another delivery for as long as our time allows.

        Args:
            request: What is asked for.
            deadline: How long we have.
            due: When the wait was over that the event has come back from; 0 for one that has not.
            guards: We are the guardian, and no delivery of the function's.
            retries_exhausted: Every other delivery has failed, and none is waited for.

        Raises:
            InProgress: Another delivery is at work and our time is short: let Lambda retry.
            LedgerUnavailable: The ledger cannot be reached, or must not be touched by us.
        """
        candidate = self._candidate(deadline)._replace(
            due=milliseconds(due), guards=guards, retries_exhausted=retries_exhausted
        )
        decision, waits = blindly(request, candidate), 0
        while True:
            match decision:
                case Claim(write, ended, goes_on):
                    _spare_a_short_invocation(request, candidate, deadline, goes_on=goes_on)
                    limit = _patience(request, deadline)
                    written = self._store.write(request, write, deadline, limit=limit)
                    head = written.head
                    if head is not None and (written.applied or _is_mine(head, candidate)):
                        return Lease(self._store, request, deadline, head, ended / 1000, due)
                case ReadFirst():
                    head = self._store.read(request, deadline)
                case Wait(until):
                    self._wait(request, deadline, until, waits)
                    waits += 1
                    head = self._store.read(request, deadline)
                case Answered() | Stale() | Ignored() | Refused():
                    return decision
                case never:
                    assert_never(never)
            candidate = candidate._replace(now=milliseconds(deadline.clock.now()))
            decision = admit(head, request, candidate)

    def _candidate(self, deadline: Deadline) -> Candidate:
        clock = deadline.clock
        return Candidate(
            owner=clock.nonce(),
            lease=milliseconds(deadline.ends_at() + DEATH_SLACK + CLOCK_SLACK),
            sandbox_id=self.sandbox_id(),
            now=milliseconds(clock.now()),
            invocation=deadline.invocation or None,
        )

    def _wait(self, request: Request, deadline: Deadline, until: int, waits: int) -> None:
        pause = min(FIRST_LOOK * LATER_LOOKS**waits, LAST_LOOKS)
        left = max(0.0, until / 1000 - deadline.clock.now()) + JUST_AFTER
        ends = left <= pause  # then the other one has died or responded: no sooner, and no later
        if not deadline.pause(
            left if ends else pause, reserve=EXIT_RESERVE, polling=True, exactly=ends
        ):
            raise InProgress(f"{request}: another delivery of it is at work; let Lambda come again")


def _patience(request: Request, deadline: Deadline) -> float:
    """Return for how long a ledger in trouble is asked again, in seconds.

    In what may be Lambda's last try, until the event is so old that it is answered without.
    """
    issued = request.issued_at
    age = 0.0 if issued is None else deadline.clock.now() - issued
    if age < LAST_TRY:
        return RETRY_IN_PLACE
    return max(RETRY_IN_PLACE, LEDGER_OUTAGE_GRACE + 1 - age)


def _spare_a_short_invocation(
    request: Request, candidate: Candidate, deadline: Deadline, *, goes_on: bool
) -> None:
    """Leave the work to another delivery, if one comes, that has the whole of its time."""
    if deadline.remaining() >= deadline.total / 2:
        return
    due = candidate.due / 1000
    if goes_on or has_retries_left(request, deadline, candidate.now, due):
        raise InProgress(f"{request}: too little time is left to begin with it")


def _is_mine(head: Head, candidate: Candidate) -> bool:
    """Tell whether a refused write had been applied before, and its answer was lost."""
    operation = head.operation
    # Seeded bug: claim-recognised
    return operation.execution.owner == candidate.owner and operation.state == State.RUNNING
