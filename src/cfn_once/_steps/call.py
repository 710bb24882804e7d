"""One call of the world outside: what it is called, how it is judged, what a repetition may do."""

import math
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from .._cloudformation.canonical import Json, kind_of
from .._cloudformation.identity import Token
from .._errors import ConfigurationError, PermanentError, StepFailed, text_of
from .._frozen import Frozen

T = TypeVar("T")

_MAY_COME_AFTER_THE_EFFECT = frozenset(
    {Exception, OSError, ConnectionError, ConnectionResetError, BrokenPipeError, TimeoutError}
)
OF_HTTP = "http."  # begins the names of calls by self.http, and of no other step
LONGEST_RESULT = 300_000  # bytes; DynamoDB refuses items over 400 KB


class Verdict(StrEnum):
    """What an error says about the effect of the call that raised it."""

    NOT_SENT = "not sent"  # it did not happen; the same call may work later
    THROTTLED = "throttled"  # the same
    DEFINITIVE = "definitive"  # it did not happen and will not
    IN_DOUBT = "in doubt"


class Repetition(StrEnum):
    """What a second call may do."""

    READ = "read"  # changes nothing: passes through, no step
    AT_WILL = "at will"  # idempotent: repeated as needed, never recorded
    TOKEN = "token"  # noqa: S105 - made again under the step's token, for `window` seconds
    ONCE = "once"  # never made twice; in doubt it is looked up with `find`, or fails


def seconds_of(name: str, window: Any) -> float | None:
    """Return the seconds of a timedelta; None of None.

    Raises:
        PermanentError: It is none.
    """
    if window is None:
        return None
    if not hasattr(window, "total_seconds"):  # by name: datetime would cost the cold start
        seconds = window if isinstance(window, int | float) else "3600"
        raise PermanentError(
            f"{name}= takes a timedelta, not {kind_of(window)}: write {name}="
            f"timedelta(seconds={seconds})"
        )
    return float(window.total_seconds())


def kinds_of_refusals(refused: Any) -> tuple[type[Exception], ...]:
    """Return the errors that a caller names with `refused=`.

    Raises:
        PermanentError: One of them is no kind of error, or too wide a kind: a lost connection is
            one of these too, and may come after the effect.
    """
    kinds = tuple(refused) if isinstance(refused, list | tuple | set | frozenset) else (refused,)
    for kind in kinds:
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise PermanentError(
                f"refused= takes kinds of errors, not {kind_of(kind)}: refused=(IntegrityError,)"
            )
        if kind in _MAY_COME_AFTER_THE_EFFECT:
            raise PermanentError(
                f"refused={kind.__name__} says that the call had no effect, but this error also"
                " comes when a connection is lost after the effect: name the error by which the"
                " external API refuses, as in refused=(IntegrityError,)"
            )
    return kinds


def declared_repetition(
    *, repeat: bool, once: bool, window: float | None
) -> tuple[Repetition, float | None]:
    """Return what a second call may do, and its window, by what the caller says of the call.

    Args:
        repeat: The call is idempotent by nature.
        once: It must never run twice, whatever its window.
        window: Seconds for which the external API remembers the token; None where it takes none.

    Raises:
        PermanentError: The one excludes the other.
    """
    if repeat and once:
        raise PermanentError(
            "repeat=True says that a call is idempotent, and once=True that it must not be"
            " repeated: say one of them"
        )
    if repeat:
        return Repetition.AT_WILL, None
    if once or window is None:
        return Repetition.ONCE, None
    return Repetition.TOKEN, window


def repetition_in_hook(
    repetition: Repetition, window: float | None, *, removes: bool, deleting: bool
) -> tuple[Repetition, float | None]:
    """Return what a second call may do in the hook that runs, and its window.

    Outside a delete hook, a removal is recorded: a replay that removed again would remove what
    the hook made after it.

    Args:
        repetition: What the call by itself allows.
        window: Of the call by itself.
        removes: The call removes something.
        deleting: A delete hook makes the call.
    """
    if repetition is Repetition.AT_WILL and removes and not deleting:
        return Repetition.TOKEN, math.inf
    return repetition, window


class Calls(Protocol):
    """The way of every call to the world outside; swapped by the explorer."""

    def call(self, name: str, fn: Callable[[], T]) -> T:
        """Call, once."""


class DirectCalls:
    """The real one."""

    def call(self, name: str, fn: Callable[[], T]) -> T:
        del name
        return fn()


class Step(Frozen):
    """What a step's function knows of itself.

    Attributes:
        token: Names this call for ever: the same in every repetition, another in another request.
        correlation_id: Names the resource for its whole life; a replacement has it too.
        tokens: The token in the forms that external APIs take.
        again: It may have run before: what it is to remove may be gone already.
    """

    token: str
    correlation_id: str
    tokens: Token = field(repr=False)
    again: bool = False


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
    return {"kind": type(error).__name__, "message": text_of(error)}


def failure_from_record(kept: Json) -> Exception:
    """Return the error that a failed step raises, in the first run and in every other."""
    return StepFailed(kept["message"] or kept["kind"])


class Call(Frozen):
    """One call of the world outside, and what is known about repeating it.

    Attributes:
        name: What is called, without `#` and `/`.
        run: Does it, and returns what came of it.
        arguments: What is asked for, as text; a repetition that asks for something else is refused.
        repetition: What a second call may do.
        window: Seconds for which the external API remembers the token; with TOKEN only.
        find: Looks the effect up by the step's token; None where there is none.
        secret: The result is not kept.
        undo: What a Delete runs, given the result, for a Create that stopped half way.
        verdict: Judges an error.
        refused: Kinds of errors by which the external API says that it has done nothing.
        remedy: What to do, so that a later doubt of it can be settled; of a call without a look-up.
    """

    name: str
    run: Callable[[Step], Any]
    arguments: str = ""
    repetition: Repetition = Repetition.ONCE
    window: float | None = None
    find: Callable[[Step], Any | None] | None = None
    secret: bool = False
    undo: Callable[[Any], object] | None = None
    verdict: Callable[[Exception], Verdict] = judge_plain
    refused: tuple[type[Exception], ...] = ()
    remedy: str = "give the step find=, so that it is looked up next time"
    to_record: Callable[[Any], Json] = _same
    from_record: Callable[[Json], Any] = _same
    error_to_record: Callable[[Exception], Json] = failure_to_record
    error_from_record: Callable[[Json], Exception] = failure_from_record

    @property
    def is_once(self) -> bool:
        """Tell whether nothing is known that would allow a second call."""
        return self.repetition is Repetition.ONCE and self.find is None
