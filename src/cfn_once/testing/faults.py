"""The faults of an operation, by name and as one value, and how a process suffers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from .clock import Turns
from .process import Crashed, Point


class Faults(TypedDict, total=False):
    """The faults of an operation; a call is named as for `crash_before`.

    Attributes:
        times: So often the event is delivered, one delivery after another.
        at_once: So many deliveries are at work at the same time, taking turns.
        late: Another copy comes so many seconds later, whatever has happened meanwhile.
        crash_before: A step, or `http.<METHOD>.<host>`, or `<service>.<Operation>`: the process
            dies before that call leaves.
        crash_after: The process dies after that call has had its effect.
        crash_at: The process dies at this point: 2n is before its n-th action, be it on the
            ledger, on the external API or an answer, and 2n+1 after it, n from 0.
        crashes: So many of Lambda's three deliveries die, the first one as is said, the others as
            they begin; with 3 nobody answers.
        failing: Each call, and what it raises the first time, without any effect.
        losing: Each call, and what it raises the first time, after it has had its effect.
        slow: Each call, and the seconds that it takes the first time after it has had its effect;
            near the function's timeout the hook is answered for, and at it Lambda ends the process.
        lost_answers: So many answers cannot be delivered.
        meanwhile: What happens in the world while a call is made, by its name.
    """

    times: int
    at_once: int
    late: float
    crash_before: str | None
    crash_after: str | None
    crash_at: int | None
    crashes: int
    failing: Mapping[str, Exception]
    losing: Mapping[str, Exception]
    slow: Mapping[str, float]
    lost_answers: int
    meanwhile: Mapping[str, Callable[[], object]] | None


COPIES = ("times", "at_once", "late")  # the rest happens to one delivery
MOST_CRASHES = 3  # deliveries of Lambda
BOUNDS = {"times": (1, 1000), "at_once": (1, 100), "crashes": (1, MOST_CRASHES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """The same faults as a value, with what is usual where none is named."""

    times: int = 1
    at_once: int = 1
    late: float | None = None
    crash_before: str | None = None
    crash_after: str | None = None
    crash_at: int | None = None
    crashes: int = 1
    failing: Mapping[str, Exception] = field(default_factory=dict)
    losing: Mapping[str, Exception] = field(default_factory=dict)
    slow: Mapping[str, float] = field(default_factory=dict)
    lost_answers: int = 0
    meanwhile: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    strict: bool = True  # a fault that cannot happen is an error
    on_call: Callable[[str], None] | None = None  # gets each call before; others may come

    @classmethod
    def of(cls, faults: Mapping[str, Any], *, strict: bool = True) -> Self:
        """Return the faults that are not None, or say what is wrong with them."""
        known = Faults.__annotations__
        if unknown := sorted(set(faults) - set(known)):
            raise TypeError(f"no such fault: {', '.join(unknown)}; there are {', '.join(known)}")
        given = {name: of for name, of in faults.items() if of is not None}
        for name, (least, most) in BOUNDS.items():
            if not least <= given.get(name, least) <= most:
                raise ValueError(f"{name} is from {least} to {most}, not {given[name]}")
        return cls(**given, named=tuple(given), strict=strict)

    @property
    def copies(self) -> "FaultPlan":
        """The faults of the cleanup after an operation: as many duplicates, and nothing else."""
        named = tuple(name for name in COPIES if name in self.named)
        return FaultPlan(times=self.times, at_once=self.at_once, late=self.late, named=named)

    @property
    def calls(self) -> set[str]:
        """The calls that it names."""
        crashes = {name for name in (self.crash_before, self.crash_after) if name is not None}
        return {*crashes, *self.failing, *self.losing, *self.slow, *self.meanwhile}

    @property
    def may_silence(self) -> bool:
        """Whether its faults may leave an operation without a response; Lambda delivers thrice."""
        return self.crashes == MOST_CRASHES or "lost_answers" in self.named

    def nth(self, number: int) -> "FaultPlan":
        """Return the faults of Lambda's delivery of this number, from 0."""
        if number == 0:
            return self
        crash_at = 0 if number < self.crashes else None
        return FaultPlan(crash_at=crash_at, strict=False, on_call=self.on_call)


NOTHING = FaultPlan(strict=False)
RESUMED = FaultPlan(strict=False)  # the same, for what comes back from a wait


class FaultInjector:
    """Does to one process what a plan says, until `end`, when Lambda ends it."""

    def __init__(
        self, plan: FaultPlan, turns: Turns, end: float, on_call: Callable[[str], None]
    ) -> None:
        self._plan, self._turns, self._end, self._on_call = plan, turns, end, on_call
        self._failing, self._losing = dict(plan.failing), dict(plan.losing)
        self._slow, self._points, self._made = dict(plan.slow), 0, list[str]()
        self._broken: AssertionError | None = None

    def at(self, point: Point) -> None:
        if not point.after:
            self._turns.pause()
        if not point.is_call:
            self._count()
        elif point.after:
            self._after(point.name)
        else:
            self._before(point.name)

    def end(self, error: BaseException | None) -> None:
        """Raise what the test asserted meanwhile, and name the calls that were not made."""
        if self._broken is not None:  # a hook may have taken it for its own error
            raise self._broken
        missing = self._plan.calls - set(self._made)
        if missing and self._plan.strict and error is None:
            raise AssertionError(
                f"there was no call of {', '.join(sorted(missing))}; there were:"
                f" {', '.join(self._made) or 'none'}"
            )

    def _count(self) -> None:
        number, self._points = self._points, self._points + 1
        if number == self._plan.crash_at:
            raise Crashed(f"at point {number}")

    def _before(self, call: str) -> None:
        self._on_call(call)
        if self._plan.on_call is not None:
            self._plan.on_call(call)
        self._count()
        self._made.append(call)
        if call == self._plan.crash_before:
            raise Crashed(call)
        if call in self._plan.meanwhile:
            try:
                self._plan.meanwhile[call]()
            except AssertionError as error:
                self._broken = self._broken or error
                raise
        if call in self._failing:
            raise self._failing.pop(call)

    def _after(self, call: str) -> None:
        if call in self._slow:
            self._take(self._slow.pop(call), call)
        if call in self._losing:
            raise self._losing.pop(call)
        self._count()
        if call == self._plan.crash_after:
            raise Crashed(call)

    def _take(self, seconds: float, call: str) -> None:
        left = max(0.0, self._end - self._turns.now())
        self._turns.sleep(min(seconds, left))
        if seconds > left:
            raise Crashed(f"Lambda ended it: its time was over while {call} was called")
