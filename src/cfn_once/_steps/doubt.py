"""A step in doubt: looked up, allowed a second call, or reported as in doubt."""

import re
from typing import Any, NoReturn

from .._clock import utc
from .._errors import InDoubt, Superseded, TemporaryError, text_of
from .._observability import telemetry
from .._observability.places import line_of
from ..ledger import IN_FLIGHT_GRACE
from .call import Repetition
from .caller import Caller
from .journal import Journal, StepAttempt
from .pacing import Pacing
from .policy import Policy
from .ports import Ports
from .settling import settling

VISIBLE_AFTER = 60.0  # seconds after which an absent look-up is believed, unless the provider says


class OutOfTime(InDoubt):
    """A step could not be looked up in the time that was left."""


class FailedLookUp(InDoubt):
    """A step in doubt has a look-up that does not work."""


class Doubts:
    """Resolves the doubts of one run of a hook."""

    def __init__(
        self, journal: Journal, caller: Caller, pacing: Pacing, ports: Ports, policy: Policy
    ) -> None:
        self._journal, self._caller, self._pacing = journal, caller, pacing
        self._deadline, self._clock = ports.deadline, ports.deadline.clock
        self._visible_after, self._policy, self._mask = ports.visible_after, policy, ports.mask

    def resolve(
        self, attempt: StepAttempt, ended_at: float, error: Exception | None = None
    ) -> tuple[Any] | None:
        """Return the result of an effect in doubt, or None where the call may be made again.

        Args:
            attempt: The call.
            ended_at: Since when nobody is at work on it, in seconds since 1970.
            error: What its call has raised here; None where an execution before this one made it.

        Raises:
            InDoubt: Neither is possible, or our time is too short for it.
        """
        why = self.named(error) if error is not None else "its execution died"
        remembered = self._is_remembered(attempt)
        if attempt.call.find is None:
            if not remembered:
                self.report(attempt, why, error)
            self._pause(0.5, attempt, why)
            return None
        # Under a token, a second call makes no second effect though the look-up came too early.
        # Seeded bug: absent-believed
        believed_after = IN_FLIGHT_GRACE if remembered else self._visible_after
        self._pause(ended_at + IN_FLIGHT_GRACE - self._clock.now(), attempt, why)
        while (found := self._look_up(attempt)) is None:
            if self._clock.now() >= ended_at + believed_after:
                return None
            self._pause(5.0, attempt, why)
        return (found,)

    def _is_remembered(self, attempt: StepAttempt) -> bool:
        """Tell whether the API still knows the step's token: a second call makes nothing new."""
        call, first_used = attempt.call, attempt.record.first_used / 1000
        if call.repetition is not Repetition.TOKEN or call.window is None:
            return False
        # Seeded bug: token-window
        return self._clock.now() - first_used < call.window

    def _pause(self, pause: float, attempt: StepAttempt, why: str) -> None:
        """Wait at least so long; where time is too short, leave the doubt to another delivery."""
        until = self._clock.now() + pause
        while (left := until - self._clock.now()) > 0:
            # Twice as long, for a pause is at least half as long as asked for.
            if not self._deadline.pause(max(left * 2, 0.01), reserve=self._deadline.reserve):
                self.out_of_time(attempt, why)

    def out_of_time(self, attempt: StepAttempt, why: str) -> NoReturn:
        """Leave a doubt to another delivery, or report it where none comes.

        Raises:
            Superseded, Suspended: Another delivery goes on with it.
            OutOfTime: None comes.
        """
        if self._policy.hands_over:
            self._leave_to_another(attempt, why)
        self.report(attempt, f"{why}, and no time is left", None, kind=OutOfTime)

    def _leave_to_another(self, attempt: StepAttempt, why: str) -> None:
        """Leave what is in doubt to another invocation, if one comes."""
        journal = self._journal
        journal.pending[attempt.key] = attempt.record
        self._pacing.hand_over()
        if journal.lease.has_retries_left():
            journal.lease.park(journal.progress())
            journal.pending.clear()
            text = f"{journal.request}: step {attempt.key} is in doubt ({why}), and no time is left"
            # Seeded bug: left-to-another
            raise Superseded(text, again=True)

    def _look_up(self, attempt: StepAttempt) -> Any:
        """Return what a look-up finds; one that the network fails is made again."""
        find, step = attempt.call.find, attempt.step
        if find is None:
            return None
        while True:
            try:
                with self._journal.keeping_what_is_cut_short(attempt):
                    found = self._caller.look(f"find {attempt.call.name}", step, lambda: find(step))
            except TemporaryError:
                raise
            except Exception as failed:  # noqa: BLE001 - a look-up raises what it likes
                why = f"its look-up failed with {self.named(failed)}"
                if not self._caller.read_may_succeed_later(failed):
                    self.report(attempt, self.named(failed), failed, kind=FailedLookUp)
            else:
                if _is_empty(found):
                    said = f"an empty answer, {found!r}: return what was found, or None"
                    self.report(attempt, said, None, kind=FailedLookUp)
                return found
            self._pause(2.0, attempt, why)

    def report(
        self,
        attempt: StepAttempt,
        why: str,
        error: Exception | None,
        kind: type[InDoubt] = InDoubt,
    ) -> NoReturn:
        """Record that a step may have taken effect, and raise InDoubt.

        Raises:
            InDoubt: Always.
        """
        request_id = self._journal.request.request_id
        self._journal.pending[attempt.key] = attempt.record
        telemetry.in_doubt(f"{attempt.key} of {request_id}")
        hint = ""
        if attempt.call.find is None:
            hint = f"; {attempt.call.remedy}"
        elif kind is OutOfTime:
            hint = "; a longer Timeout, or CFN_ONCE_CONTINUATION, gives its look-up more time"
        step, at = attempt.key, utc(attempt.record.first_used / 1000)
        if kind is FailedLookUp:  # what is to be corrected comes first
            text = f"the find= of step {step} failed with {why}. The step of request {request_id}"
            message = f"{text} may have run at {at}. Correct find=, or look for what it made"
            raise kind(f"{message}; then: {self._settling(step)}") from error
        raise kind(
            f"in doubt: step {step} of request {request_id} may have run at {at} and cannot be"
            f" repeated safely: {why}. Look for what it made{hint}; then: {self._settling(step)}"
        ) from error

    def _settling(self, step: str) -> str:
        """Spell the command by which an operator says whether the step was made."""
        request = self._journal.request
        return settling(f"{request.stack_name} {request.logical_resource_id}", step)

    def named(self, error: Exception) -> str:
        """Spell an error without what follows a question mark: a URL's query may hold a key."""
        # Masked first: a secret may have a question mark in it.
        message = re.sub(r"\?\S*", "?...", self._mask.text(text_of(error)))
        return f"{type(error).__name__}: {message}{line_of(error)}"


def _is_empty(found: Any) -> bool:
    """Tell whether a look-up returned nothing in another form than None, such as an empty list.

    An empty map is an object that has been found, and has no properties.
    """
    kinds = (str, bytes, list, tuple, set, frozenset)
    return found is False or (isinstance(found, kinds) and not found)
