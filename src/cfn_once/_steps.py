"""
One step: a side effect that happens once, although the hook around it may run again.

    recorded?         done: its result again · failed: its error again
    in doubt?         look it up with `find` · repeat it under the same token · else FAILED
    else              call, then keep what came of it before the next call leaves

Reads are not steps, and what is idempotent by nature (`repeat`) is not recorded.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NoReturn, Protocol, TypeVar

from ._errors import (
    ConfigurationError,
    InDoubt,
    Interrupt,
    NonDeterminism,
    PermanentError,
    SecretNotKept,
    StepFailed,
    TemporaryError,
)
from ._identity import Token
from ._request import Json, Request
from ._time import Deadline
from .ledger import SETTLE, Granted, Progress, Record, StepState

T = TypeVar("T")

VISIBLE_AFTER = 60.0  # seconds after which a look-up's "absent" is believed (ledger.md, A6)
LARGEST = 300_000  # bytes of all results; DynamoDB refuses items over 400 KB
LONGEST_KEY = 255  # bytes
RESERVE = 8.0  # seconds kept for recording and answering


class Verdict(StrEnum):
    """What an error says about the effect of the call that raised it."""

    NOT_SENT = "not sent"  # it did not happen; the same call may work later
    THROTTLED = "throttled"  # the same
    DEFINITIVE = "definitive"  # it did not happen and will not
    IN_DOUBT = "in doubt"


class OutOfTime(InDoubt):
    """A step could not be looked up in the time that was left."""


class Calls(Protocol):
    """The way of every call to the world outside; swapped by the explorer."""

    def call(self, name: str, fn: Callable[[], T]) -> T:
        """Call, once."""


class DirectCalls:
    """The real one."""

    def call(self, name: str, fn: Callable[[], T]) -> T:
        del name
        return fn()


@dataclass(frozen=True, slots=True)
class Step:
    """What a step's function knows of itself.

    Attributes:
        token: Names this call for ever: the same in every repetition, another in another request.
        correlation_id: Names the resource for its whole life; a replacement has it too.
        tokens: The token in the forms that far sides take.
    """

    token: str
    correlation_id: str
    tokens: Token = field(repr=False)


def judge_plain(error: Exception) -> Verdict:
    """Judge what a plain function raised: only our own errors say for certain."""
    if isinstance(error, PermanentError | StepFailed | ConfigurationError):
        return Verdict.DEFINITIVE
    return Verdict.IN_DOUBT


def is_transient(error: Exception) -> bool:
    """Tell whether the same call may succeed later: the network's errors, not the code's own.

    requests' errors are OSErrors as the standard library's are, and bear a response where there
    was one; botocore's bear it as a map.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(response, "status_code", None)
    if isinstance(status, int):
        return status >= 500 or status == 429
    return isinstance(error, OSError)


def _same(value: Any) -> Any:
    return value


def failure_to_record(error: Exception) -> Json:
    """Keep an error as its kind and message."""
    return {"kind": type(error).__name__, "message": str(error)}


def failure_from_record(kept: Json) -> Exception:
    """Return the error that a failed step raises, in the first run and in every other."""
    return StepFailed(f"{kept['kind']}: {kept['message']}")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the world outside, and what is known about repeating it.

    Attributes:
        name: What is called, without `#` and `/`.
        run: Does it, and returns what came of it.
        arguments: What is asked for, as text; a repetition that asks for something else is refused.
        find: Looks the effect up by the step's token; None where there is none.
        window: Seconds for which the far side remembers the token; None where it takes none.
        repeat: Idempotent by nature: run again at will, never recorded.
        once: Never run twice.
        secret: The result is not kept.
        undo: What a Delete runs, given the result, for a Create that stopped half way.
        verdict: Judges an error.
    """

    name: str
    run: Callable[[Step], Any]
    arguments: str = ""
    find: Callable[[Step], Any | None] | None = None
    window: float | None = None
    repeat: bool = False
    once: bool = False
    secret: bool = False
    undo: Callable[[Any], None] | None = None
    verdict: Callable[[Exception], Verdict] = judge_plain
    to_record: Callable[[Any], Json] = _same
    from_record: Callable[[Json], Any] = _same
    error_to_record: Callable[[Exception], Json] = failure_to_record
    error_from_record: Callable[[Json], Exception] = failure_from_record

    @property
    def is_once(self) -> bool:
        """Tell whether nothing is known that would allow a second call."""
        return self.once or (self.find is None and self.window is None)


class Steps:
    """The steps of one execution of a hook.

    Args:
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
        scope: str = "",
    ) -> None:
        self._granted, self._request = granted, request
        self._calls, self._deadline, self._clock = calls, deadline, deadline.clock
        self._scope, self._thread = scope, threading.get_ident()
        self._counts: dict[str, int] = {}
        self._visited: set[str] = set()
        self._ended: Interrupt | None = None
        self._inner_calls = 0
        self._looking = False
        self._judged: tuple[Exception, Verdict] | None = None
        self.pending: dict[str, Record] = {}
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
        if self._ended is not None:
            raise self._ended
        if threading.get_ident() != self._thread:
            raise NonDeterminism(
                f"step {call.name} of {self._request} was made from a second thread: make every"
                " step from the hook's own thread, in one order"
            )
        if self.inside is not None:
            raise NonDeterminism(
                f"step {call.name} of {self._request} was made inside another step: a step is one"
                " side effect; make the two one after the other, from the hook"
            )
        try:
            return self._repeat(call) if call.repeat else self._recorded(call)
        except Interrupt as interrupt:
            self._ended = interrupt  # a hook that swallows it meets it again at its next step
            raise

    def read(self, name: str, fn: Callable[[], T]) -> T:
        """Ask the world something that changes nothing."""
        if self._ended is not None:
            raise self._ended
        return self._calls.call(name, fn)

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
        self._inner_calls += counts
        if counts and self._inner_calls > 1:
            raise NonDeterminism(
                f"{name} is a second changing call inside one step of {self._request}: a crash"
                " between the two could not be told apart; make each a step of its own"
            )
        try:
            return self._calls.call(name, lambda: fn(step))
        except Exception as error:
            self._judged = (error, verdict(error))
            raise

    def flush(self) -> None:
        """Keep what is known but not kept yet: before a call leaves, and before a wait."""
        if self.pending:
            self._granted.record(self.progress())
            self.pending = {}

    def progress(self) -> Progress:
        """Return what the next write has to keep."""
        return Progress(steps=self.pending, running_id=self.running_id, acted=self.acted)

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

    def _step(self, key: str, generation: int) -> Step:
        token = Token.of(self._request.operation, key, generation)
        return Step(token.uuid, self._request.correlation_id, token)

    def _repeat(self, call: Call) -> Any:
        key = self._key(call.name)
        step = self._step(key, self._granted.head.first_generation)
        self.flush()
        self.acted = True
        pause = 0.3
        while True:
            try:
                return call.from_record(call.to_record(self._run(call, step)))
            except Exception as error:
                if not self._may_succeed_later(call, error):
                    raise
                if not self._deadline.pause(pause, reserve=RESERVE):
                    raise
            pause = min(pause * 2, 10.0)

    def _verdict(self, call: Call, error: Exception) -> Verdict:
        """Judge an error; one that a call inside the step raised was judged where it was known."""
        if self._judged is not None and self._judged[0] is error:
            return self._judged[1]
        return call.verdict(error)

    def _may_succeed_later(self, call: Call, error: Exception) -> bool:
        judged = self._judged is not None and self._judged[0] is error
        if call.verdict is judge_plain and not judged:
            return is_transient(error)
        return self._verdict(call, error) is not Verdict.DEFINITIVE

    def _recorded(self, call: Call) -> Any:
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
                return self._value(call, key, known)
            if known.state == StepState.FAILED and known.round == head.round:
                raise call.error_from_record(json.loads(known.result or "{}"))
        in_doubt = known is not None and known.state == StepState.STARTED
        if self._granted.frontier and (known is None or known.state == StepState.FAILED):
            in_doubt, self._granted.frontier = not call.is_once, False
        generation = head.first_generation if known is None else known.generation
        if known is not None and known.state == StepState.FAILED:
            generation += 1
        first = known.first_used if known is not None and in_doubt else 0
        record = Record(
            state=StepState.STARTED.value,
            generation=generation,
            first_used=first or (head.begun if in_doubt else _milliseconds(self._clock.now())),
            fence=head.fence,
            arguments=arguments,
        )
        return self._make(call, key, record, in_doubt=in_doubt)

    def _make(self, call: Call, key: str, record: Record, *, in_doubt: bool) -> Any:
        step = self._step(key, record.generation)
        self.flush()
        if in_doubt:
            found = self._resolve(call, key, step, record, self._granted.owner_gone)
            if found is not None:
                return self._done(call, key, record, found[0])
        elif call.is_once:  # without a start kept, it was never called
            self.pending[key] = record
            self.flush()
        return self._call(call, key, step, record)

    def _call(self, call: Call, key: str, step: Step, record: Record) -> Any:
        pause = 0.3
        while True:
            try:
                result = self._run(call, step)
            except TemporaryError:
                raise
            except Exception as error:  # noqa: BLE001 - a step's function raises what it likes
                verdict = self._verdict(call, error)
                if verdict is Verdict.DEFINITIVE:
                    return self._failed(call, key, record, error)
                if verdict is Verdict.IN_DOUBT:
                    if not self._may_succeed_later(call, error):
                        # The function's own code raised it, and would raise it again.
                        self._doubt(key, record, _named(error), error)
                    quiet_since = self._clock.now()
                    found = self._resolve(call, key, step, record, quiet_since, error)
                    if found is not None:
                        return self._done(call, key, record, found[0])
                elif not self._deadline.pause(pause, reserve=RESERVE):
                    return self._failed(call, key, record, error)
                pause = min(pause * 2, 10.0)
                continue
            return self._done(call, key, record, result)

    def _run(self, call: Call, step: Step) -> Any:
        self.inside, self._inner_calls, self._judged = step, 0, None
        try:
            return self._calls.call(call.name, _bind(call, step))
        finally:
            self.inside = None

    def _resolve(
        self,
        call: Call,
        key: str,
        step: Step,
        record: Record,
        quiet_since: float,
        error: Exception | None = None,
    ) -> tuple[Any] | None:
        """Return the result of an effect in doubt, or None where the call may be made again.

        Raises:
            InDoubt: Neither is possible, or our time is too short for it.
        """
        why = _named(error) if error is not None else "its execution died"
        now = self._clock.now()
        window_open = call.window is not None and now - record.first_used / 1000 < call.window
        if call.once or (call.find is None and not window_open):
            self._doubt(key, record, why, error)
        if call.find is None:
            self._pause_or_doubt(0.5, key, record, why, error)
            return None
        believed = SETTLE if window_open else VISIBLE_AFTER
        pause = max(0.0, quiet_since + SETTLE - now)
        while True:
            if pause:  # twice: a pause is at least half as long as asked for
                self._pause_or_doubt(pause * 2, key, record, why, error)
            if self._clock.now() < quiet_since + SETTLE:
                pause = max(0.05, quiet_since + SETTLE - self._clock.now())
                continue
            found, pause = None, 5.0
            try:
                found = self._look_up(call, step)
            except TemporaryError:
                self.pending[key] = record
                raise
            except Exception as failed:
                why = f"its look-up failed with {_named(failed)}"
                if not is_transient(failed):
                    self._doubt(key, record, why, failed)
                continue
            if found is not None:
                return (found,)
            if self._clock.now() >= quiet_since + believed:
                return None

    def _pause_or_doubt(
        self, pause: float, key: str, record: Record, why: str, error: Exception | None
    ) -> None:
        if not self._deadline.pause(pause, reserve=RESERVE):
            self._doubt(key, record, f"{why}, and no time is left", error, kind=OutOfTime)

    def _look_up(self, call: Call, step: Step) -> Any:
        find = call.find
        assert find is not None  # noqa: S101 - its one caller has looked
        self.inside, self._looking = step, True
        try:
            return self._calls.call(f"find {call.name}", lambda: find(step))
        finally:
            self.inside, self._looking = None, False

    def _doubt(
        self,
        key: str,
        record: Record,
        why: str,
        error: Exception | None,
        kind: type[InDoubt] = InDoubt,
    ) -> NoReturn:
        self.pending[key] = record
        when = record.first_used // 1000
        raise kind(
            f"step {key} of request {self._request.request_id} may have run at {when} (seconds"
            f" since 1970) and cannot be repeated safely: {why}. Look for what it made; give the"
            " step find=, so that it is looked up next time"
        ) from error

    def _done(self, call: Call, key: str, record: Record, result: Any) -> Any:
        try:
            text = _to_text(call, key, result)
        except PermanentError:
            self.pending[key] = record  # its effect has happened, and cannot be told
            raise
        kept = replace(
            record,
            state=StepState.DONE.value,
            result=None if call.secret else text,
            secret=True if call.secret else None,
        )
        self._keep(key, kept, at_once=call.is_once)
        return call.from_record(json.loads(text))

    def _failed(self, call: Call, key: str, record: Record, error: Exception) -> Any:
        kept = call.error_to_record(error)
        failed = replace(
            record,
            state=StepState.FAILED.value,
            result=json.dumps(kept),
            round=self._granted.head.round,
        )
        self._keep(key, failed, at_once=call.is_once)
        raise call.error_from_record(json.loads(json.dumps(kept))) from error

    def _keep(self, key: str, record: Record, *, at_once: bool) -> None:
        self.pending[key] = record
        held = {**self._granted.head.records(), **self.pending}
        sizes = {name: len((one.result or "").encode()) for name, one in held.items()}
        if sum(sizes.values()) > LARGEST:
            largest = max(sizes, key=lambda name: sizes[name])
            self.pending[key] = replace(record, result=None, secret=True)
            raise PermanentError(
                f"the step results of {self._request} take {sum(sizes.values())} bytes, more than"
                f" {LARGEST}; the largest is {largest} with {sizes[largest]}: return less from it"
            )
        if at_once:
            self.flush()

    def _value(self, call: Call, key: str, known: Record) -> Any:
        if known.secret:
            raise SecretNotKept(
                f"step {key} of {self._request} ran before and its result was never kept: make and"
                " store the secret in one step, and return its ARN"
            )
        return call.from_record(json.loads(known.result or "null"))


def _bind(call: Call, step: Step) -> Callable[[], Any]:
    return lambda: call.run(step)


def _named(error: Exception) -> str:
    """Spell an error without what follows a question mark: a URL's query may hold a key."""
    return f"{type(error).__name__}: " + re.sub(r"\?\S*", "?...", str(error))


def _to_text(call: Call, key: str, result: Any) -> str:
    try:
        return json.dumps(call.to_record(result), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PermanentError(
            f"step {key} returned {type(result).__name__}, which cannot be kept: {error}. Return"
            " text, numbers, booleans, lists and maps"
        ) from error


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
