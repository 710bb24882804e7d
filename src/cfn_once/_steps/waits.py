"""Waits of a hook: time that passes once, however often the hook runs."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._clock import Clock
from .._errors import NonDeterminism, PermanentError, WaitTimeout
from ..ledger import StepRecord, StepState
from .call import Call, Step
from .caller import Caller
from .journal import Journal, StepAttempt
from .pacing import Pacing
from .policy import Policy

TOO_LONG = "is longer than CloudFormation waits for the response"  # the test kit looks for it
SHORTEST_EVERY = 1.0  # seconds between two looks


class Waits:
    """The waits of one run of a hook.

    Args:
        clock: Tells the time.
        step_of: Returns the step of a key in a generation.
    """

    def __init__(
        self,
        journal: Journal,
        caller: Caller,
        pacing: Pacing,
        policy: Policy,
        clock: Clock,
        step_of: Callable[[str, int], Step],
    ) -> None:
        self._journal, self._caller, self._pacing = journal, caller, pacing
        self._policy, self._clock, self._step_of = policy, clock, step_of

    def wait(self, key: str, seconds: float) -> None:
        """Let time pass.

        Raises:
            PermanentError: It cannot be waited for so long.
        """
        record = self._begun(key)
        until = record.first_used / 1000 + seconds
        if until > self._pacing.last_moment():
            left = max(0.0, self._pacing.last_moment() - self._clock.now())
            raise PermanentError(f"a wait of {seconds:g} s {TOO_LONG}: {left:.0f} s are left")
        self._pass_time(until)

    def wait_until(
        self, key: str, condition: Callable[[], Any], every: float, timeout: float | None
    ) -> Any:
        """Look until there is something, and return it, now and in every later run of the hook.

        Raises:
            WaitTimeout: There was nothing in time.
        """
        call = Call(name="wait_until", run=lambda _: condition())
        known = self._journal.visit(key)
        if known is not None and known.state == StepState.DONE:
            return self._journal.value(call, key, known)
        if known is not None and self._journal.has_failed(known):
            raise WaitTimeout(json.loads(known.result or '""'))
        record = self._begun(key)
        attempt = StepAttempt(call, key, self._step_of(key, record.generation), record)
        patience = math.inf if timeout is None else timeout
        end = min(record.first_used / 1000 + patience, self._pacing.last_moment())
        while (found := self._poll(attempt, condition)) is None:
            if self._clock.now() >= end:
                self._give_up(attempt)
            self._pass_time(min(self._clock.now() + every, end))
        return self._journal.keep_result(attempt, found)

    def _give_up(self, attempt: StepAttempt) -> None:
        record = attempt.record
        waited = self._clock.now() - record.first_used / 1000
        text = f"what {attempt.key} waits for did not come within {waited:.0f} s"
        failed = replace(
            record,
            state=StepState.FAILED.value,
            round=self._journal.operation.round,
            result=json.dumps(text),
        )
        self._journal.keep(attempt, failed)
        raise WaitTimeout(text)

    def _poll(self, attempt: StepAttempt, condition: Callable[[], Any]) -> Any:
        """Return what a poll finds; None where that is nothing, or the network fails it."""
        self._policy.before_wait(attempt.key)
        try:
            found = self._caller.look("wait_until", attempt.step, condition)
        except Exception as error:
            if not self._caller.read_may_succeed_later(error):
                raise
            return None
        return None if found is False else found

    def _begun(self, key: str) -> StepRecord:
        """Record since when it is waited, before it is: nothing behind it has begun."""
        operation, known = self._journal.operation, self._journal.visit(key)
        if known is not None and known.state not in (StepState.FAILED, StepState.WAITING):
            raise NonDeterminism(
                f"{self._journal.request} waits at {key}, where it made a step before: a hook must"
                " do the same again when it runs again"
            )
        waits = known is not None and known.state == StepState.WAITING
        if known is not None and waits and known.round == operation.round:
            return known
        self._policy.before_wait(key)
        self._journal.tail_in_doubt = False
        record = StepRecord(
            state=StepState.WAITING.value,
            generation=operation.generation if known is None else known.generation + 1,
            first_used=int(self._clock.now() * 1000),
            round=operation.round,
        )
        self._journal.pending[key] = record
        self._journal.flush()
        return record

    def _pass_time(self, until: float) -> None:
        if self._policy.passes_time():
            self._pacing.pass_time(until)


def refuse_no_time(**seconds: Any) -> None:
    """Refuse what is no time to wait.

    Raises:
        PermanentError: Names it.
    """
    for name, given in seconds.items():
        if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
            raise PermanentError(f"{name} takes a number of seconds, 0 or more, not {given!r}")
    if "every" in seconds and seconds["every"] < SHORTEST_EVERY:
        raise PermanentError(
            f"wait_until looks every {SHORTEST_EVERY:g} s at most, not {seconds['every']:g}"
        )
