"""How an execution spends its time: it waits here, or goes on in another invocation."""

from typing import NoReturn

from .._errors import PermanentError, Suspended
from .._lambda.continuation import Continuation
from .journal import Journal
from .ports import Ports

CONTINUATION = "continuation"  # the name of the call that brings an event back
LAST_MINUTE = 60.0  # seconds of CloudFormation's patience kept for an answer after a wait
LONGEST_WAY = 90.0  # seconds until an event is back that is sent at once; Scheduler's minute
LONGEST_RETRY_AFTER = 60.0  # seconds that an external API may ask to be waited for


class Pacing:
    """The time of one run of a hook."""

    def __init__(self, journal: Journal, ports: Ports) -> None:
        self._journal, self._resumption = journal, ports.resumption
        self._calls, self._deadline, self._clock = ports.calls, ports.deadline, ports.deadline.clock
        self._has_waited = False
        self._longest: float | None = None  # seconds that a step took here; None before one is done

    def step_took(self, seconds: float) -> None:
        """Note how long a step took."""
        self._longest = max(self._longest or 0.0, seconds)

    def has_time(self) -> bool:
        """Tell whether a step would end in time, as far as those before it tell."""
        needed = self._longest or 0.0
        if self._has_waited:  # what came before tells nothing of what was waited for
            needed = max(needed, self._deadline.total / 2)
        return self._deadline.allows(needed, reserve=self._deadline.reserve)

    def pause_after(self, error: Exception, pause: float) -> bool:
        """Wait before the next try, as long as the API asks; False where time is too short."""
        asked = min(float(getattr(error, "retry_after", 0.0) or 0.0), LONGEST_RETRY_AFTER)
        # Twice as long, for a pause is at least half as long as asked for.
        return self._deadline.pause(max(pause, 2 * asked), reserve=self._deadline.reserve)

    def last_moment(self) -> float:
        """Return until when it may be waited, so that an answer still comes in time."""
        request = self._journal.request
        begun = self._journal.operation.begun / 1000
        issued = begun if request.issued_at is None else request.issued_at
        patience = request.service_timeout
        return issued + patience - min(LAST_MINUTE, patience / 4)

    def pass_time(self, until: float) -> None:
        """Wait here, or in no invocation at all."""
        left = until - self._clock.now()
        continuation = self._resumption.continuation
        if left <= 0:
            return
        fits = self._deadline.allows(left, reserve=self._deadline.reserve)
        if fits and (continuation is None or left < continuation.shortest):
            self._clock.sleep(left)
            self._has_waited = True
            return
        if continuation is None:
            raise PermanentError(
                f"a wait of {left:.0f} s does not fit the {self._deadline.remaining():.0f} s that"
                " this invocation has left: set CFN_ONCE_CONTINUATION, so that it can go on in"
                " another one (docs/continuations.md)"
            )
        self._suspend(continuation, until)

    def hand_over(self) -> None:
        """Leave the rest to another invocation, where one can be had and this one has got on."""
        continuation, now = self._resumption.continuation, self._clock.now()
        has_got_on = self._longest is not None or self._has_waited
        in_time = now + LONGEST_WAY < self.last_moment()
        # What is secret is not kept, and would be missing there.
        if continuation and has_got_on and in_time and not self._journal.has_secrets:
            self._suspend(continuation, now)

    def _suspend(self, continuation: Continuation, until: float) -> NoReturn:
        now, journal = self._clock.now(), self._journal
        self._calls.call(CONTINUATION, lambda: self._resumption.send(continuation, until, now=now))
        # Seeded bug: hand-over
        journal.lease.park(journal.progress(), due=until)
        journal.pending.clear()
        raise Suspended(
            f"{journal.request} goes on in another invocation, in {max(0.0, until - now):.0f} s"
        )
