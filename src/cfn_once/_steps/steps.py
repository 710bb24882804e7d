"""
One step: a side effect that happens once, although the hook around it may run again.

    recorded?         done: its result again · failed: its error again
    in doubt?         look it up with `find` · repeat it under the same token · else FAILED
    else              call, then keep what came of it before the next call leaves

Reads are not steps, and what is idempotent by nature (`repeat`) is not recorded.
"""

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn, TypeVar

from .._clock import Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.envelopes import DUE
from .._cloudformation.identity import Token
from .._cloudformation.request import Request
from .._errors import (
    InDoubt,
    Interrupt,
    NonDeterminism,
    PermanentError,
    Superseded,
    Suspended,
    TemporaryError,
    WaitTimeout,
)
from .._lambda.continuation import Continuation
from .._observability import telemetry as _telemetry
from ..ledger import SETTLE, Granted, Progress, Record, StepState
from .call import Call, Calls, Step, Verdict, is_transient, judge_plain
from .results import Results

T = TypeVar("T")

VISIBLE_AFTER = 60.0  # seconds after which a look-up's "absent" is believed (ledger.md, A6)
LONGEST_KEY = 255  # bytes
SHORTEST_EVERY = 1.0  # seconds between two looks
LAST_MINUTE = 60.0  # seconds of CloudFormation's patience kept for an answer after a wait
LONGEST_WAY = 90.0  # seconds until an event is back that is sent at once; Scheduler's minute
LONGEST_ASKED = 60.0  # seconds of a Retry-After that are waited for


class OutOfTime(InDoubt):
    """A step could not be looked up in the time that was left."""


class Attempt(NamedTuple):
    """A call under its key, and the record that says that it may have happened."""

    call: Call
    key: str
    step: Step
    record: Record


class WayBack(NamedTuple):
    """How an event can be delivered again later.

    Attributes:
        event: What CloudFormation sent.
        function: The ARN of the function at work.
    """

    continuation: Continuation | None = None
    event: Json = None
    function: str = ""


ONE_INVOCATION = WayBack()  # nothing brings the event back


class Steps:
    """The steps of one execution of a hook.

    Args:
        mask: Hides what is secret.
        way_back: How the event can be delivered again, for waits that outlast the invocation.
        visible_after: Seconds after which a look-up that finds nothing is believed.
        scope: Sets the keys of a clean-up apart from those of the request's own hook.

    Attributes:
        inside: The step whose function runs now: calls inside it are no steps of their own.
        deleting: A delete hook runs: what is gone already is done.
        running_id: The physical id that the hook has set so far.
        acted: The hook has made calls that are repeated at will and never recorded.
    """

    def __init__(
        self,
        granted: Granted,
        request: Request,
        calls: Calls,
        deadline: Deadline,
        *,
        mask: Callable[[str], str],
        way_back: WayBack = ONE_INVOCATION,
        visible_after: float = VISIBLE_AFTER,
        scope: str = "",
    ) -> None:
        self._way_back, self._visible_after = way_back, visible_after
        self._granted, self._request = granted, request
        self._calls, self._deadline, self._clock = calls, deadline, deadline.clock
        self._pending = granted.pending
        self._results = Results(granted, request, mask)
        self._mask, self._scope, self._thread = mask, scope, threading.get_ident()
        self._counts: dict[str, int] = {}
        self._visited: set[str] = set()
        self._ended: Interrupt | None = None
        self._inner_calls, self._counted = 0, 0
        self._acted_inside, self._looking = False, False
        self._judged: tuple[Exception, Verdict] | None = None
        self._has_waited = self._has_secrets = False
        self._longest: float | None = None  # seconds that a step took here; None before one is done
        self.inside: Step | None = None
        self.deleting = False
        self.running_id: str | None = None
        self.acted = False

    def run(self, call: Call) -> Any:
        """Make the call's effect happen once, and return what came of it.

        Raises:
            StepFailed: It did not happen; direct http and AWS calls raise their own kind of error.
            InDoubt: It may have happened, and nothing can tell.
            NonDeterminism: The ledger holds another call under this key.
        """
        self._refuse_disorder(call.name)
        try:
            return self._repeat(call) if call.repeat else self._recorded(call)
        except Interrupt as interrupt:
            self._ended = interrupt  # a hook that swallows it meets it again at its next step
            raise

    def _refuse_disorder(self, name: str) -> None:
        if self._ended is not None:
            raise self._ended
        if threading.get_ident() != self._thread:
            raise NonDeterminism(
                f"step {name} of {self._request} was made from a second thread: make every"
                " step from the hook's own thread, in one order"
            )
        if self.inside is not None:
            raise NonDeterminism(
                f"step {name} of {self._request} was made inside another step: a step is one"
                " side effect; make the two one after the other, from the hook"
            )

    def wait(self, seconds: float) -> None:
        """Let time pass once, however often the hook runs.

        Raises:
            PermanentError: It cannot be waited for so long.
        """
        self._refuse_disorder("wait")
        _refuse_no_time(wait=seconds)
        try:
            record = self._waiting(self._key("wait"))
            until = record.first_used / 1000 + seconds
            if until > self._last_moment():
                raise PermanentError(
                    f"a wait of {seconds:g} s is longer than CloudFormation waits for the answer:"
                    f" {max(0.0, self._last_moment() - self._clock.now()):.0f} s are left"
                )
            self._pass_time(until)
        except Interrupt as interrupt:
            self._ended = interrupt
            raise

    def wait_until(self, look: Callable[[], Any], every: float, timeout: float | None) -> Any:
        """Look until there is something, and return it, now and in every later run of the hook.

        Raises:
            WaitTimeout: There was nothing in time.
        """
        self._refuse_disorder("wait_until")
        _refuse_no_time(every=every, timeout=math.inf if timeout is None else timeout)
        if every < SHORTEST_EVERY:
            raise PermanentError(
                f"wait_until looks every {SHORTEST_EVERY:g} s at most, not {every:g}"
            )
        try:
            return self._waited_for(look, every, math.inf if timeout is None else timeout)
        except Interrupt as interrupt:
            self._ended = interrupt
            raise

    def _waited_for(self, look: Callable[[], Any], every: float, timeout: float) -> Any:
        key = self._key("wait_until")
        call = Call(name="wait_until", run=lambda _: look())
        known = self._granted.head.records().get(key)
        self._visited.add(key)
        if known is not None and known.state == StepState.DONE:
            return self._results.value(call, key, known)
        this_round = self._granted.head.round
        if known is not None and known.state == StepState.FAILED and known.round == this_round:
            raise WaitTimeout(json.loads(known.result or '""'))
        record = self._waiting(key)
        attempt = Attempt(call, key, self._step(key, record.generation), record)
        end = min(record.first_used / 1000 + timeout, self._last_moment())
        while (found := self._looked(look, attempt)) is None or found is False:
            if self._clock.now() >= end:
                waited = self._clock.now() - record.first_used / 1000
                text = f"what {key} waits for did not come within {waited:.0f} s"
                failed = replace(record, state=StepState.FAILED.value, round=this_round)
                self._keep(attempt, replace(failed, result=json.dumps(text)))
                raise WaitTimeout(text)
            self._pass_time(min(self._clock.now() + every, end))
        return self._done(attempt, found)

    def _looked(self, look: Callable[[], Any], attempt: Attempt) -> Any:
        """Return what a look finds; where the network fails it, nothing."""
        self.inside, self._looking = attempt.step, True
        try:
            return self._calls.call("wait_until", look)
        except Exception as error:
            judged = self._judgement(error)
            if judged is Verdict.DEFINITIVE or (judged is None and not is_transient(error)):
                raise
            return None
        finally:
            self.inside, self._looking = None, False

    def _waiting(self, key: str) -> Record:
        """Keep since when it is waited, before it is: nothing behind it has begun."""
        head = self._granted.head
        known = head.records().get(key)
        self._visited.add(key)
        if known is not None and known.state == StepState.WAITING and known.round == head.round:
            return known
        if known is not None and known.state not in (StepState.FAILED, StepState.WAITING):
            raise NonDeterminism(
                f"{self._request} waits at {key}, where it made a step before: a hook must do the"
                " same again when it runs again"
            )
        self._granted.frontier = False
        record = Record(
            state=StepState.WAITING.value,
            generation=head.first_generation if known is None else known.generation + 1,
            first_used=_milliseconds(self._clock.now()),
            fence=head.fence,
            round=head.round,
        )
        self._pending[key] = record
        self.flush()
        return record

    def _last_moment(self) -> float:
        """Return until when it may be waited, so that an answer still comes in time."""
        issued = self._request.issued_at
        begun = self._granted.head.begun / 1000 if issued is None else issued
        patience = self._request.service_timeout
        return begun + patience - min(LAST_MINUTE, patience / 4)

    def _pass_time(self, until: float) -> None:
        """Wait here, or in no invocation at all."""
        left = until - self._clock.now()
        way = self._way_back.continuation
        if left <= 0:
            return
        fits = self._deadline.allows(left, reserve=self._deadline.reserve)
        if fits and (way is None or left < way.shortest):
            self._clock.sleep(left)
            self._has_waited = True
            return
        if way is None:
            raise PermanentError(
                f"a wait of {left:.0f} s does not fit the {self._deadline.remaining():.0f} s that"
                " this invocation has left: set CFN_ONCE_CONTINUATION, so that it can go on in"
                " another one (docs/continuations.md)"
            )
        self._suspend(way, until)

    def _has_time(self) -> bool:
        """Tell whether a step would end in time, as far as those before it tell."""
        needed = self._longest or 0.0
        if self._has_waited:  # what came before tells nothing of what was waited for
            needed = max(needed, self._deadline.total / 2)
        return self._deadline.allows(needed, reserve=self._deadline.reserve)

    def _hand_over(self) -> None:
        """Leave the rest to another invocation, where one can be had and this one has got on."""
        way, now = self._way_back.continuation, self._clock.now()
        has_got_on = self._longest is not None or self._has_waited
        in_time = now + LONGEST_WAY < self._last_moment()
        # What is secret is not kept, and would be missing there.
        if way is not None and has_got_on and in_time and not self._has_secrets:
            self._suspend(way, now)

    def _suspend(self, way: Continuation, until: float) -> NoReturn:
        now, function = self._clock.now(), self._way_back.function
        event = {**self._way_back.event, DUE: until}
        self._calls.call("continuation", lambda: way.send(event, until, now=now, function=function))
        # Seeded bug: hand-over
        self._granted.park(self.progress(), due=until)
        self._pending.clear()
        raise Suspended(
            f"{self._request} goes on in another invocation, in {max(0.0, until - now):.0f} s"
        )

    def read(
        self, name: str, fn: Callable[[], T], verdict: Callable[[Exception], Verdict] = judge_plain
    ) -> T:
        """Ask the world something that changes nothing."""
        if self._ended is not None:
            raise self._ended
        try:
            return self._calls.call(name, fn)
        except Exception as error:
            self._judged = (error, verdict(error))
            raise

    def within(
        self,
        name: str,
        fn: Callable[[Step], T],
        verdict: Callable[[Exception], Verdict],
        *,
        counts: bool,
    ) -> T:
        """Make a call that changes something, of the step that runs now.

        Args:
            name: What is called.
            fn: Calls it.
            verdict: Judges an error.
            counts: It can neither be repeated at will nor under the step's token: a step has room
                for one of these.
        """
        step = self.inside
        assert step is not None  # noqa: S101 - only called where `inside` was seen
        if self._looking:
            raise NonDeterminism(
                f"{name} changes something and was called by a find= of {self._request}: a look-up"
                " must only read"
            )
        self._counted += counts
        if counts and self._counted > 1:
            raise NonDeterminism(
                f"{name} is a second changing call inside one step of {self._request}: a crash"
                " between the two could not be told apart; make each a step of its own"
            )
        if not counts:  # there may be several, which must not share one token
            token = step.tokens.of_further_call(self._inner_calls)
            step = Step(token.uuid, step.correlation_id, token, step.again)
            self._inner_calls += 1
        try:
            result = self._calls.call(name, lambda: fn(step))
        except Exception as error:
            self._judged = (error, verdict(error))
            self._acted_inside = self._acted_inside or self._judged[1] is Verdict.IN_DOUBT
            raise
        self._acted_inside = True
        return result

    def id_is_set(self) -> None:
        """Take note that the hook has set its physical id."""

    def flush(self) -> None:
        """Keep what is known but not kept yet: before a call leaves that must not be repeated."""
        if self._pending:
            self._granted.record(self.progress())
            self._pending.clear()

    def progress(self) -> Progress:
        """Return what the next write has to keep."""
        return Progress(steps=dict(self._pending), running_id=self.running_id, acted=self.acted)

    def unvisited(self) -> list[str]:
        """Return the recorded steps of this request that its hook did not come by."""
        prefix = f"{self._scope}/" if self._scope else ""
        return sorted(
            key
            for key, one in self._granted.head.records().items()
            if one.state == StepState.DONE
            and key not in self._visited
            and (key.startswith(prefix) if prefix else "/" not in key)
        )

    def _key(self, name: str) -> str:
        number = self._counts.get(name, 0)
        self._counts[name] = number + 1
        key = f"{self._scope}/{name}#{number}" if self._scope else f"{name}#{number}"
        if "#" in name or "/" in name or not name or len(key.encode()) > LONGEST_KEY:
            raise NonDeterminism(f"{name!r} is no name for a step: 1 to 200 bytes, without # and /")
        return key

    def _step(self, key: str, generation: int, *, again: bool = False) -> Step:
        # Seeded bug: token
        token = Token.of(self._request.operation, key, generation)
        return Step(token.uuid, self._request.correlation_id, token, again)

    def _repeat(self, call: Call) -> Any:
        key = self._key(call.name)
        step = self._step(key, self._granted.head.first_generation)
        self.acted = True  # and no write: if we die here, the step before it is looked up again
        pause = 0.3
        while True:
            try:
                return call.from_record(call.to_record(self._run(call, key, step)))
            except Exception as error:
                if not self._may_succeed_later(call, error) or not self._pause_after(error, pause):
                    raise
            pause = min(pause * 2, 10.0)

    def _verdict(self, call: Call, error: Exception) -> Verdict:
        """Judge an error; one that a call inside the step raised was judged where it was known."""
        if self._acted_inside:  # whatever it says: a call inside has acted, or may have
            return Verdict.IN_DOUBT
        return self._judgement(error) or call.verdict(error)

    def _judgement(self, error: Exception) -> Verdict | None:
        """Return what was said of an error where it was raised."""
        return self._judged[1] if self._judged and self._judged[0] is error else None

    def _may_succeed_later(self, call: Call, error: Exception) -> bool:
        judged = self._judgement(error)
        if judged is None and call.verdict is judge_plain:
            return is_transient(error)
        return (judged or call.verdict(error)) is not Verdict.DEFINITIVE

    def _pause_after(self, error: Exception, pause: float) -> bool:
        """Wait before the next try, as long as the far side asks; False where time is too short."""
        asked = min(float(getattr(error, "retry_after", 0.0) or 0.0), LONGEST_ASKED)
        # Twice as long, for a pause is at least half as long as asked for.
        return self._deadline.pause(max(pause, 2 * asked), reserve=self._deadline.reserve)

    def _recorded(self, call: Call) -> Any:
        import hashlib  # loads OpenSSL: not before the first event

        key = self._key(call.name)
        self._visited.add(key)
        head = self._granted.head
        known = head.records().get(key)
        arguments = hashlib.sha256(call.arguments.encode()).hexdigest()[:16]
        if known is not None:
            if known.arguments != arguments:
                raise NonDeterminism(
                    f"step {key} of {self._request} was recorded with other arguments: a hook"
                    " must do the same again when it runs again; take what changes (times, random"
                    " names, what you read) from the result of an earlier step"
                )
            if known.state == StepState.DONE:
                return self._results.value(call, key, known)
            if known.state == StepState.FAILED and known.round == head.round:
                raise call.error_from_record(json.loads(known.result or "{}"))
        if not self._has_time():
            self._hand_over()
        in_doubt = known is not None and known.state == StepState.STARTED
        if self._granted.frontier and (known is None or known.state == StepState.FAILED):
            in_doubt, self._granted.frontier = not call.is_once, False
        generation = head.first_generation if known is None else known.generation
        if known is not None and known.state == StepState.FAILED:
            # Seeded bug: next-generation
            generation += 1
        first = known.first_used if known is not None and in_doubt else 0
        record = Record(
            state=StepState.STARTED.value,
            generation=generation,
            first_used=first or (head.begun if in_doubt else _milliseconds(self._clock.now())),
            fence=head.fence,
            arguments=arguments,
        )
        attempt = Attempt(call, key, self._step(key, generation, again=in_doubt), record)
        began = self._clock.now()
        result = self._make(attempt, in_doubt=in_doubt)
        self._longest = max(self._longest or 0.0, self._clock.now() - began)
        return result

    def _make(self, attempt: Attempt, *, in_doubt: bool) -> Any:
        # Seeded bug: once-mark
        if attempt.call.is_once and not in_doubt:  # without a start kept, it was never called
            self._pending[attempt.key] = attempt.record
        # Seeded bug: pending-before-call
        self.flush()
        if in_doubt:
            self._granted.takes_off(attempt.key, attempt.record)
            found = self._resolve(attempt, self._granted.owner_gone)
            if found is not None:
                return self._done(attempt, found[0])
        return self._call(attempt)

    def _call(self, attempt: Attempt) -> Any:
        pause = 0.3
        while True:
            try:
                result = self._run(attempt.call, attempt.key, attempt.step, attempt.record)
            except (TemporaryError, SystemExit, KeyboardInterrupt):
                self._pending[attempt.key] = attempt.record  # nobody knows how far it came
                raise
            except Exception as error:  # noqa: BLE001 - a step's function raises what it likes
                verdict = self._verdict(attempt.call, error)
                if verdict is Verdict.DEFINITIVE:
                    return self._failed(attempt, error)
                if verdict is Verdict.IN_DOUBT:
                    if not self._may_succeed_later(attempt.call, error):
                        # The function's own code raised it, and would raise it again.
                        self._doubt(attempt, _named(error), error)
                    found = self._resolve(attempt, self._clock.now(), error)
                    if found is not None:
                        return self._done(attempt, found[0])
                    attempt = attempt._replace(step=replace(attempt.step, again=True))
                elif not self._pause_after(error, pause):
                    return self._failed(attempt, error)
                pause = min(pause * 2, 10.0)
                continue
            return self._done(attempt, result)

    def _run(self, call: Call, key: str, step: Step, record: Record | None = None) -> Any:
        self._granted.takes_off(key, record)
        self.inside, self._inner_calls, self._counted = step, 0, 0
        self._acted_inside, self._judged = False, None
        try:
            with _telemetry.step(call.name):
                return self._calls.call(call.name, lambda: call.run(step))
        finally:
            self.inside = None
            if record is None:
                self._granted.lands()

    def _resolve(
        self, attempt: Attempt, quiet_since: float, error: Exception | None = None
    ) -> tuple[Any] | None:
        """Return the result of an effect in doubt, or None where the call may be made again.

        Raises:
            InDoubt: Neither is possible, or our time is too short for it.
        """
        call, first = attempt.call, attempt.record.first_used / 1000
        why = _named(error) if error is not None else "its execution died"
        # Seeded bug: token-window
        window_open = call.window is not None and self._clock.now() - first < call.window
        if call.once or (call.find is None and not window_open):
            self._doubt(attempt, why, error)
        if call.find is None:
            self._pause_or_doubt(0.5, attempt, why)
            return None
        # Under a token, a second call makes no second effect though the look-up came too early.
        # Seeded bug: absent-believed
        believed = SETTLE if window_open else self._visible_after
        self._pause_or_doubt(quiet_since + SETTLE - self._clock.now(), attempt, why)
        while (found := self._look_up(attempt)) is None:
            if self._clock.now() >= quiet_since + believed:
                return None
            self._pause_or_doubt(5.0, attempt, why)
        return (found,)

    def _pause_or_doubt(self, pause: float, attempt: Attempt, why: str) -> None:
        """Wait at least so long."""
        until = self._clock.now() + pause
        while (left := until - self._clock.now()) > 0:
            # Twice as long, for a pause is at least half as long as asked for.
            if not self._deadline.pause(max(left * 2, 0.01), reserve=self._deadline.reserve):
                self._leave_to_another(attempt, why)
                self._doubt(attempt, f"{why}, and no time is left", None, kind=OutOfTime)

    def _leave_to_another(self, attempt: Attempt, why: str) -> None:
        """Leave what is in doubt to another invocation, if one comes."""
        self._pending[attempt.key] = attempt.record
        self._hand_over()
        if self._granted.comes_again():
            self._granted.park(self.progress())
            self._pending.clear()
            text = f"{self._request}: step {attempt.key} is in doubt ({why}), and no time is left"
            # Seeded bug: left-to-another
            raise Superseded(text, again=True)

    def _look_up(self, attempt: Attempt) -> Any:
        """Return what a look-up finds; one that the network fails is made again."""
        find = attempt.call.find
        assert find is not None  # noqa: S101 - its one caller has looked
        while True:
            self.inside, self._looking = attempt.step, True
            try:
                return self._calls.call(f"find {attempt.call.name}", lambda: find(attempt.step))
            except (TemporaryError, SystemExit, KeyboardInterrupt):
                self._pending[attempt.key] = attempt.record
                raise
            except Exception as failed:  # noqa: BLE001 - a look-up raises what it likes
                why = f"its look-up failed with {_named(failed)}"
                judged = self._judgement(failed)
                if judged is Verdict.DEFINITIVE or (judged is None and not is_transient(failed)):
                    self._doubt(attempt, why, failed)
            finally:
                self.inside, self._looking = None, False
            self._pause_or_doubt(2.0, attempt, why)

    def _doubt(
        self, attempt: Attempt, why: str, error: Exception | None, kind: type[InDoubt] = InDoubt
    ) -> NoReturn:
        self._pending[attempt.key] = attempt.record
        _telemetry.in_doubt(f"{attempt.key} of {self._request.request_id}")
        when = attempt.record.first_used // 1000
        hint = ""
        if attempt.call.find is None:
            hint = "; give the step find=, so that it is looked up next time"
        elif kind is OutOfTime:
            hint = "; a longer Timeout, or CFN_ONCE_CONTINUATION, gives its look-up more time"
        raise kind(
            f"step {attempt.key} of request {self._request.request_id} may have run at {when}"
            f" (seconds since 1970) and cannot be repeated safely: {why}. Look for what it made"
            f"{hint}"
        ) from error

    def _done(self, attempt: Attempt, result: Any) -> Any:
        call, key, record = attempt.call, attempt.key, attempt.record
        try:
            text, kept = self._results.keep(call, key, record, result)
        except PermanentError:
            self._pending[key] = record  # its effect has happened, and cannot be told
            raise
        self._has_secrets = self._has_secrets or kept.secret is True
        self._keep(attempt, kept)
        return call.from_record(json.loads(text))

    def _failed(self, attempt: Attempt, error: Exception) -> Any:
        text = self._mask(json.dumps(attempt.call.error_to_record(error)))
        failed = replace(
            attempt.record,
            state=StepState.FAILED.value,
            result=text,
            round=self._granted.head.round,
        )
        self._keep(attempt, failed)
        raise attempt.call.error_from_record(json.loads(text)) from error

    def _keep(self, attempt: Attempt, record: Record) -> None:
        """Keep a record: with the next write, or at once where the step must never run twice."""
        self._pending[attempt.key] = record
        if attempt.call.is_once:
            self.flush()


def _refuse_no_time(**seconds: Any) -> None:
    for name, one in seconds.items():
        if isinstance(one, bool) or not isinstance(one, int | float) or not one >= 0:
            raise PermanentError(f"{name} takes seconds from 0 on, not {one!r}")


def _named(error: Exception) -> str:
    """Spell an error without what follows a question mark: a URL's query may hold a key."""
    return f"{type(error).__name__}: " + re.sub(r"\?\S*", "?...", str(error))


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
