"""One step: a side effect that happens once, although the hook around it may run again.

    recorded?         done: its result again · failed: its error again
    in doubt?         look it up with `find` · call again under the same token · else FAILED
    else              call, then keep what came of it before the next call leaves

Reads are not steps, and what is idempotent by nature is not recorded.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from .._callables import spelled
from .._cloudformation.identity import Token, base32
from .._errors import (
    Interrupt,
    NonDeterminism,
    PermanentError,
    ReplayEnd,
    TemporaryError,
    is_raised_by_hook,
)
from ..ledger import LENGTH_OF_HASH, StepRecord, StepState
from .call import Call, Repetition, Step, Verdict, judge_plain
from .caller import Caller
from .doubt import Doubts
from .functions import refuse_unusable, refuse_unusable_call
from .journal import Journal, StepAttempt
from .pacing import Pacing
from .policy import CONTINUE, Policy
from .ports import Ports
from .values import Values
from .waits import Waits, refuse_no_time

T = TypeVar("T")

LONGEST_KEY = 255  # bytes
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 10.0  # seconds between two calls of a step


class Steps:
    """The steps of one run of a hook.

    Args:
        journal: Where they are recorded.
        ports: How they reach the world.
        policy: What the hook may do where nothing is recorded.
        scope: Sets the keys of a clean-up apart from those of the request's own hook.
        deleting: A delete hook runs: what is gone already is done.

    Attributes:
        journal: As above.
        deleting: As above.
        caller: Makes its calls, also those inside a step.
        mask: Hides what is secret.
    """

    def __init__(
        self,
        journal: Journal,
        ports: Ports,
        *,
        policy: Policy = CONTINUE,
        scope: str = "",
        deleting: bool = False,
    ) -> None:
        self._ports, self.mask, self._clock = ports, ports.mask, ports.deadline.clock
        self._thread = threading.get_ident()
        self._begin(journal, policy, scope, deleting=deleting)

    def _begin(self, journal: Journal, policy: Policy, scope: str, *, deleting: bool) -> None:
        ports, self.journal, self.deleting = self._ports, journal, deleting
        self._request, self._policy, self._scope = journal.request, policy, scope
        self.caller = Caller(self._request, ports.calls)
        self._pacing = Pacing(journal, ports)
        self._doubts = Doubts(journal, self.caller, self._pacing, ports, policy)
        self._waits = Waits(journal, self.caller, self._pacing, policy, self._clock, self._step)
        self._values = Values(journal, self.caller, policy, self._step)
        self._counts = dict[str, int]()
        self._ended: Interrupt | None = None

    def run(self, call: Call) -> Any:
        """Make the call's effect happen once, and return what came of it.

        Raises:
            StepFailed: It did not happen; direct http and AWS calls raise their own kind of error.
            InDoubt: It may have taken effect, and cfn-once cannot tell.
            NonDeterminism: The ledger holds another call under this key.
        """
        self._refuse_disorder(call.name)
        # Seeded bug: unusable
        refuse_unusable_call(call)
        key = self._key(call.name)
        at_will = call.repetition is Repetition.AT_WILL
        with self._ending_once():
            result = self._repeated(call, key) if at_will else self._recorded(call, key)
            self._policy.after_step(call, key, result)
        return result

    def undo(self, journal: Journal, scope: str, name: str, undo: Callable[[], Any]) -> None:
        """Run an undo of the hook whose replay has ended; what it calls are steps of a clean-up.

        These are the hook's own `Steps`, for the undo has its instance, its sessions and clients.

        Args:
            journal: Of the request that cleans up: there its steps are recorded.
            scope: Sets their keys apart from those of the request's hook, and of every other undo.
            name: What is called.
            undo: Undoes.
        """
        pause = FIRST_PAUSE
        while True:
            # Seeded bug: undo-steps
            self._begin(journal, CONTINUE, scope, deleting=True)
            journal.begin_call(name, None)
            try:
                self.caller.run(name, undo)
            except Exception as error:
                journal.end_call()
                # A step of its own has been tried as often as it may be.
                later = not self._counts and self.caller.read_may_succeed_later(error)
                if not later or not self._pacing.pause_after(error, pause):
                    raise
            else:
                journal.end_call()
                return
            finally:
                self.end(ReplayEnd(name))  # as before: it works for nothing else
            pause = min(pause * 2, LONGEST_PAUSE)

    def wait(self, seconds: float) -> None:
        """Let time pass once, however often the hook runs.

        Raises:
            PermanentError: It cannot be waited for so long.
        """
        self._refuse_disorder("wait")
        refuse_no_time(wait=seconds)
        with self._ending_once():
            self._waits.wait(self._key("wait"), seconds)

    def wait_until(self, condition: Callable[[], Any], every: float, timeout: float | None) -> Any:
        """Look until there is something, and return it, now and in every later run of the hook.

        Raises:
            WaitTimeout: There was nothing in time.
        """
        self._refuse_disorder("wait_until")
        refuse_unusable("wait_until", "its condition", condition)
        refuse_no_time(every=every, timeout=0 if timeout is None else timeout)
        with self._ending_once():
            return self._waits.wait_until(self._key("wait_until"), condition, every, timeout)

    def value(self, name: str, fn: Callable[[], Any]) -> Any:
        """Return what a function reads or computes, the same in every later run of the hook.

        Raises:
            PermanentError, SecretNotKept: It cannot be kept.
        """
        self._refuse_disorder(name)
        if not isinstance(name, str):
            raise PermanentError(
                f"{spelled(name)} is not a name for a value: write self.value(name, function)"
            )
        refuse_unusable(f"value {name}", "its function", fn)
        with self._ending_once():
            return self._values.value(self._key(name), Call(name=name, run=lambda _: fn()))

    def read(
        self, name: str, fn: Callable[[], T], verdict: Callable[[Exception], Verdict] = judge_plain
    ) -> T:
        """Ask the world something that changes nothing."""
        if self._ended is not None:
            raise self._ended
        return self.caller.read(name, fn, verdict)

    def assign_id(self, physical_resource_id: str) -> None:
        """Keep the physical id that the hook has set, with the next write."""
        if self.deleting:  # an undo runs on the instance of its hook, and gives no id
            return
        self.journal.assigned_id = physical_resource_id
        with self._ending_once():
            self._policy.after_id()

    def _ending_once(self) -> "_EndsOnce":
        """Have a hook that swallows an interrupt meet it again at its next step."""
        return _EndsOnce(self)

    def end(self, interrupt: Interrupt) -> None:
        """Begin no further step."""
        self._ended = interrupt

    def _refuse_disorder(self, name: str) -> None:
        if self._ended is not None:
            raise self._ended
        if threading.get_ident() != self._thread:
            raise NonDeterminism(
                f"step {name} of {self._request} was made from a second thread: make every"
                " step from the hook's own thread, in one order"
            )
        if self.caller.inside is not None:
            raise self.caller.refused(
                NonDeterminism(
                    f"step {name} of {self._request} was made inside another step: a step is one"
                    " side effect; make the two one after the other, from the hook"
                )
            )

    def _key(self, name: str) -> str:
        number = self._counts.get(name, 0)
        self._counts[name] = number + 1
        key = f"{self._scope}/{name}#{number}" if self._scope else f"{name}#{number}"
        if "#" in name or "/" in name or not name or len(key.encode()) > LONGEST_KEY:
            raise NonDeterminism(f"{name!r} cannot name a step: 1 to 200 bytes, without # and /")
        return key

    def _step(self, key: str, generation: int, *, again: bool = False) -> Step:
        # Seeded bug: token
        token = Token.of(self._request.operation, key, generation)
        correlation_id = self._request.correlation_id
        return Step(token=token.uuid, correlation_id=correlation_id, tokens=token, again=again)

    # An idempotent call

    def _repeated(self, call: Call, key: str) -> Any:
        journal = self.journal
        self._policy.before_repeat(call.name)
        step = self._step(key, journal.operation.generation)
        if not self._scope:
            # And no write: if we die here, the step before it is looked up again.
            journal.has_unrecorded_calls = True
        pause = FIRST_PAUSE
        while True:
            journal.begin_call(key, None)
            try:
                result = self.caller.call(call, step)
            except Exception as error:
                journal.end_call()
                later = self.caller.may_succeed_later(call, error)
                if not later or not self._pacing.pause_after(error, pause):
                    raise
            else:
                journal.end_call()
                return call.from_record(call.to_record(result))
            pause = min(pause * 2, LONGEST_PAUSE)

    # A call that is recorded

    def _recorded(self, call: Call, key: str) -> Any:
        known, arguments = self.journal.visit(key), _hash(call.arguments)
        if known is not None:
            self._refuse_other_arguments(key, known, arguments)
            if known.state == StepState.DONE:
                # Seeded bug: not-kept
                if not known.has_result:
                    self._policy.not_kept(call, key, known.first_used)
                return self.journal.value(call, key, known)
            if self.journal.has_failed(known):
                raise self.journal.error(call, key, known)
        else:
            self.journal.refuse_without_room(key)
        if not self._pacing.has_time():
            self._pacing.hand_over()
        in_doubt = self._takes_doubt(call, known)
        record = self._started(call, known, arguments, in_doubt=in_doubt)
        step = self._step(key, record.generation, again=in_doubt)
        attempt = StepAttempt(call, key, step, record)
        began = self._clock.now()
        result = self._second_call(attempt) if in_doubt else self._first_call(attempt)
        self._pacing.step_took(self._clock.now() - began)
        return result

    def _refuse_other_arguments(self, key: str, known: StepRecord, arguments: str) -> None:
        if known.arguments != arguments:
            raise NonDeterminism(
                f"step {key} of {self._request} was recorded with other arguments: a hook"
                " must do the same again when it runs again; take what changes (times, random"
                " names, what you read) from the result of an earlier step"
            )

    def _takes_doubt(self, call: Call, known: StepRecord | None) -> bool:
        """Tell whether a step may have happened; the first one that is not known takes the tail."""
        if known is not None and known.state == StepState.STARTED:
            return True
        in_doubt = self.journal.tail_in_doubt and not call.is_once  # without a mark: never called
        self.journal.tail_in_doubt = False
        return in_doubt

    def _started(
        self, call: Call, known: StepRecord | None, arguments: str, *, in_doubt: bool
    ) -> StepRecord:
        operation = self.journal.operation
        generation = operation.generation if known is None else known.generation
        if known is not None and known.state == StepState.FAILED:
            # Seeded bug: next-generation
            generation += 1
        first = known.first_used if known is not None and in_doubt else 0
        now = operation.begun if in_doubt else int(self._clock.now() * 1000)
        # Seeded bug: undo-recorded
        return StepRecord(
            state=StepState.STARTED.value,
            generation=generation,
            first_used=first or now,
            arguments=arguments,
            undo=call.undo is not None,
        )

    def _first_call(self, attempt: StepAttempt) -> Any:
        self._policy.before_call(attempt.key)
        # Seeded bug: once-mark
        if attempt.call.is_once:  # without a start kept, it was never called
            self.journal.pending[attempt.key] = attempt.record
        # Seeded bug: pending-before-call
        self.journal.flush()
        return self._kept(attempt, self._called(attempt))

    def _second_call(self, attempt: StepAttempt) -> Any:
        self.journal.flush()
        self.journal.begin_call(attempt.key, attempt.record)
        try:
            found = self._doubts.resolve(attempt, self.journal.previous_owner_ended_at)
            if found is None:
                self._policy.before_second_call(attempt)
                found = (self._called(attempt),)
        except BaseException as error:
            if is_raised_by_hook(error):
                verdict = self.caller.verdict(attempt.call, error)
                self._policy.unresolved(attempt, error, verdict)
            raise
        return self._kept(attempt, found[0])

    def _kept(self, attempt: StepAttempt, result: Any) -> Any:
        try:
            return self.journal.keep_result(attempt, result)
        except PermanentError:
            # Seeded bug: not-kept-learned
            self._policy.not_kept(attempt.call, attempt.key, attempt.record.first_used)
            raise

    def _called(self, attempt: StepAttempt) -> Any:
        """Call until there is a result, or an error that no further call can help."""
        call, pause = attempt.call, FIRST_PAUSE
        while True:
            self.journal.begin_call(attempt.key, attempt.record)
            try:
                with self.journal.keeping_what_is_cut_short(attempt):
                    return self.caller.call(call, attempt.step)
            except TemporaryError:
                raise
            except Exception as error:  # noqa: BLE001 - a step's function raises what it likes
                found = self._after_error(attempt, error, pause)
                if found is not None:
                    return found[0]
                if self.caller.verdict(call, error) is Verdict.IN_DOUBT:
                    attempt = attempt._replace(step=replace(attempt.step, again=True))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _after_error(
        self, attempt: StepAttempt, error: Exception, pause: float
    ) -> tuple[Any] | None:
        """Return what a call that raised came to after all, or None to call again."""
        verdict = self.caller.verdict(attempt.call, error)
        if verdict is Verdict.DEFINITIVE:
            self._fail(attempt, error)
        if verdict is Verdict.IN_DOUBT:
            if not self.caller.may_succeed_later(attempt.call, error):
                # The function's own code raised it, and would raise it again.
                self._doubts.report(attempt, self._doubts.named(error), error)
            return self._doubts.resolve(attempt, self._clock.now(), error)
        if not self._pacing.pause_after(error, pause):
            # Seeded bug: throttled-doubt
            if attempt.step.again:  # this call was not made; the one before it may have been
                self._doubts.out_of_time(attempt, self._doubts.named(error))
            self._fail(attempt, error)
        return None

    def _fail(self, attempt: StepAttempt, error: Exception) -> NoReturn:
        raise self.journal.keep_failure(attempt, error) from error


class _EndsOnce:
    """Remembers the interrupt that ends a hook."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        """Go on."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Interrupt):
            self._steps.end(error)


def _hash(text: str) -> str:
    import hashlib  # loads OpenSSL: not before the first event

    return base32(hashlib.sha256(text.encode()).digest(), LENGTH_OF_HASH)
