"""One invocation: what befalls it, and the ways of its process to the world."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypedDict, TypeVar, cast

from .._clock import Deadline
from .._cloudformation.delivery import HttpsDelivery
from .._cloudformation.request import Request
from ..ledger import Head, Store, Write, Written
from . import ports
from .ports import Crashed, Ports
from .turns import Turns

T = TypeVar("T")


class Faults(TypedDict, total=False):
    """What befalls an operation; a call is named as for `crash_before`.

    Attributes:
        times: So often the event is delivered, one delivery after another.
        at_once: So many deliveries are at work at the same time, taking turns.
        late: Another copy comes so many seconds later, whatever has happened meanwhile.
        crash_before: A step, or `http.<METHOD>.<host>`, or `<service>.<Operation>`: the process
            dies before that call leaves.
        crash_after: The process dies after that call has had its effect.
        crash_at: The process dies at this point: 2n is before its n-th action, be it on the
            ledger, on the far side or an answer, and 2n+1 after it, n from 0.
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


COPIES = ("times", "at_once", "late")  # the rest befalls one delivery
MOST_CRASHES = 3  # deliveries of Lambda
BOUNDS = {"times": (1, 1000), "at_once": (1, 100), "crashes": (1, MOST_CRASHES)}


class Process(Ports):
    """The store, the calls and the delivery of one invocation, which ends when its time is over.

    Args:
        store: The ledger's.
        receive: Takes an answer for CloudFormation.
        turns: Shared with the invocations that are at work at the same time.
        end: When Lambda ends it, by the clock of `turns`.
        faults: What befalls it.
        hosts: Of answers, besides CloudFormation's own.
        on_call: Is told the name of each call before it is made.

    Attributes:
        broken: What the test asserted meanwhile, and a hook may have taken for its own error.
        sent: The events that it sent to come back, and when, in seconds since 1970.
    """

    shortest, longest = 60.0, math.inf  # as EventBridge Scheduler's

    def __init__(
        self,
        store: Store,
        receive: Callable[[Request, bytes], None],
        turns: Turns,
        end: float,
        faults: Faults,
        hosts: tuple[str, ...],
        on_call: Callable[[str], None],
    ) -> None:
        self._turns, self._end, self._hosts, self._on_call = turns, end, hosts, on_call
        self._failing = dict(faults.get("failing", {}))
        self._losing = dict(faults.get("losing", {}))
        self._slow = dict(faults.get("slow", {}))
        self._ended = False
        self.broken: list[AssertionError] = []
        self.sent: dict[float, Mapping[str, Any]] = {}
        named = {**self._failing, **self._losing, **self._slow}
        meanwhile = {
            name: partial(self._meanwhile, act)
            for name, act in (faults.get("meanwhile") or {}).items()
        }
        super().__init__(
            store,
            receive,
            ports.Faults(
                faults.get("crash_before"),
                faults.get("crash_after"),
                faults.get("crash_at"),
                {**dict.fromkeys(named, lambda: None), **meanwhile},
            ),
        )

    def call(self, name: str, fn: Callable[[], T]) -> T:
        self._go_on()
        self._on_call(name)
        return super().call(name, lambda: self._befallen(name, fn))

    def send(self, event: Mapping[str, Any], due: float, *, now: float, function: str) -> None:
        del now, function
        self.sent[due] = event

    def check(self, request: Request) -> None:
        HttpsDelivery(hosts=self._hosts).check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        self._go_on()
        super().put(request, body, deadline)

    def read(self, key: str) -> Head | None:
        self._go_on()
        return super().read(key)

    def write(self, key: str, write: Write) -> Written:
        self._go_on()
        return super().write(key, write)

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        self._go_on()
        super().spill(key, name, data, expires)

    def unspill(self, key: str, name: str) -> str | None:
        self._go_on()
        return super().unspill(key, name)

    def _go_on(self) -> None:
        self._turns.pause()
        if self._ended:
            raise Crashed("Lambda had ended it before")

    def _meanwhile(self, act: Callable[[], object]) -> None:
        try:
            act()
        except AssertionError as error:
            self.broken.append(error)
            raise

    def _take(self, seconds: float, name: str) -> None:
        left = max(0.0, self._end - self._turns.now())
        self._turns.sleep(min(seconds, left))
        if seconds > left:
            self._ended = True
            raise Crashed(f"Lambda ended it: its time was over while {name} was called")

    def _befallen(self, name: str, fn: Callable[[], T]) -> T:
        if name in self._failing:
            raise self._failing.pop(name)
        result = fn()
        if name in self._slow:
            self._take(self._slow.pop(name), name)
        if name in self._losing:
            raise self._losing.pop(name)
        return result


def given(faults: Faults) -> Faults:
    """Return the faults without those that are None.

    Raises:
        TypeError: Names those that are none of ours, and those that there are.
        ValueError: There are too many copies, or too few.
    """
    known = Faults.__annotations__
    if unknown := sorted(set(faults) - set(known)):
        raise TypeError(f"no such fault: {', '.join(unknown)}; there are {', '.join(known)}")
    for name, (least, most) in BOUNDS.items():
        if not least <= cast("Mapping[str, float]", faults).get(name, least) <= most:
            raise ValueError(f"{name} is from {least} to {most}, not {faults[name]}")  # type: ignore[literal-required]  # one of its names
    return cast("Faults", {name: one for name, one in faults.items() if one is not None})


def copies_of(faults: Faults) -> Faults:
    """Return what befalls the clean-up after an operation: as many copies, and nothing else."""
    return cast("Faults", {name: one for name, one in faults.items() if name in COPIES})


def may_silence(faults: Faults) -> bool:
    """Tell whether an operation may go unanswered by what befalls it; Lambda delivers thrice."""
    return faults.get("crashes", 1) == MOST_CRASHES or "lost_answers" in faults
