"""Calls of the world outside, one step at a time, and what their errors say of the effect."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from .._callables import discard, unfinished, unfinished_parts
from .._cloudformation.request import Request
from .._errors import NonDeterminism, PermanentError
from .._observability import telemetry
from .call import Call, Calls, Step, Verdict, is_transient, judge_plain

T = TypeVar("T")


class Caller:
    """Makes the calls of one run of a hook.

    Attributes:
        inside: The step whose function runs now: calls inside it are no steps of their own.
    """

    def __init__(self, request: Request, calls: Calls) -> None:
        self._request, self._calls = request, calls
        self.inside: Step | None = None
        self._looking = False
        self._further, self._single = 0, 0  # calls inside the step that runs
        self._acted = False  # a call inside the step has acted, or may have
        self._judged: tuple[object, Verdict] | None = None

    def call(self, call: Call, step: Step) -> Any:
        """Run a step's function."""
        self.inside, self._further, self._single = step, 0, 0
        self._acted, self._judged = False, None
        try:
            with telemetry.step(call.name):
                result = self._calls.call(call.name, lambda: call.run(step))
                return self._finished(f"step {call.name}", result)
        finally:
            self.inside = None

    def run(self, name: str, fn: Callable[[], T]) -> T:
        """Run what makes steps of its own."""
        self._judged = None
        with telemetry.step(name):
            return self._finished(f"step {name}", self._calls.call(name, fn))

    def look(self, name: str, step: Step, fn: Callable[[], T]) -> T:
        """Run what only reads: a look-up, or a look at what is waited for."""
        return self.compute(name, step, lambda: self._calls.call(name, fn))

    def compute(self, name: str, step: Step, fn: Callable[[], T]) -> T:
        """Run what computes a value, or reads it: only its reads are calls."""
        self.inside, self._looking = step, True
        try:
            return self._finished(name, fn())
        finally:
            self.inside, self._looking = None, False

    def _finished(self, name: str, result: T) -> T:
        """Refuse a result that stands for work which nothing will do.

        Raises:
            PermanentError: It is such a one; what its function did before it returned is in doubt.
        """
        parts = list(unfinished_parts(result))
        if not parts:
            return result
        # Seeded bug: returned-undone
        if not self._looking:
            self._acted = True  # its function has run, and may have
        kind, hint = unfinished(parts[0]), "run async code in it with asyncio.run(...)"
        if isinstance(parts[0], Iterator):
            hint = "go through it there, with a loop"
        elif callable(parts[0]):
            hint = "call it there"
        for part in parts:
            discard(part)
        raise PermanentError(
            f"{name}: its function returned {kind}, and nothing runs it: write the function with"
            f" `def`, and {hint}"
        )

    def refused(self, error: T) -> T:
        """Note that an error came before a call was made, whichever step is at work."""
        self._judged = (error, Verdict.DEFINITIVE)
        return error

    def read(self, name: str, fn: Callable[[], T], verdict: Callable[[Exception], Verdict]) -> T:
        """Ask the world something that changes nothing."""
        try:
            return self._calls.call(name, fn)
        except Exception as error:
            self._judged = (error, verdict(error))
            raise

    def call_inside_step(
        self,
        name: str,
        fn: Callable[[Step], T],
        verdict: Callable[[Exception], Verdict],
        *,
        single: bool,
    ) -> T:
        """Make a call that changes something, of the step that runs now.

        Args:
            name: What is called.
            fn: Calls it.
            verdict: Judges an error.
            single: It can be repeated neither as it is nor under the step's token: a step has room
                for one of these.

        Raises:
            NonDeterminism: It is made by a look-up, or is the second one that is `single`.
        """
        step = self._step_for(name, single=single)
        try:
            result = self._calls.call(name, lambda: fn(step))
        except Exception as error:
            self._judged = (error, verdict(error))
            self._acted = self._acted or self._judged[1] is Verdict.IN_DOUBT
            raise
        except BaseException:  # cut short on its way
            self._acted = True
            raise
        self._acted = True
        return result

    def _step_for(self, name: str, *, single: bool) -> Step:
        step = self.inside
        if step is None:
            raise LookupError(f"{name} is called inside no step")
        if self._looking:
            raise NonDeterminism(
                f"{name} changes something and was called by a find= of {self._request}, or by what"
                " it waits for or reads: a look-up must only read"
            )
        self._single += single
        if single and self._single > 1:
            raise NonDeterminism(
                f"{name} is a second mutating call inside one step of {self._request}. After a"
                " crash, cfn-once could not tell which of the two took effect. Make each its own"
                " step"
            )
        if single:
            return step
        # There may be several, which must not share one token.
        token = step.tokens.of_further_call(self._further)
        self._further += 1
        return replace(step, token=token.uuid, tokens=token)

    def judgement(self, error: BaseException) -> Verdict | None:
        """Return what was said of an error where it was raised."""
        return self._judged[1] if self._judged and self._judged[0] is error else None

    def verdict(self, call: Call, error: BaseException) -> Verdict:
        """Judge an error; one that a call inside the step raised was judged where it was known."""
        # Whatever it says: a call inside has acted, or may have; or it says nothing.
        if self._acted or not isinstance(error, Exception):
            return Verdict.IN_DOUBT
        if judged := self.judgement(error):
            return judged
        # Seeded bug: refused
        is_refused = isinstance(error, call.refused)
        return Verdict.DEFINITIVE if is_refused else call.verdict(error)

    def may_succeed_later(self, call: Call, error: Exception) -> bool:
        """Tell whether the same call may succeed later."""
        judged = self.judgement(error)
        if judged is None and call.verdict is judge_plain:
            return is_transient(error)
        return (judged or call.verdict(error)) is not Verdict.DEFINITIVE

    def read_may_succeed_later(self, error: Exception) -> bool:
        """Tell whether what has failed, and recorded nothing, may be run again."""
        judged = self.judgement(error)
        return is_transient(error) if judged is None else judged is not Verdict.DEFINITIVE
