"""
Time that passes only when somebody waits, so that an hour takes no time; and turns in it.

    job 1  ──read──┐     ┌──write──┐            each pause hands over to the longest waiting;
    job 2          └read─┘         └─sleep 2 s   where all sleep, time passes to the first to wake
"""

import heapq
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from operator import itemgetter
from typing import Any

from .._errors import ConfigurationError

TIMEOUT = 120.0  # seconds; the Timeout of templates/provider.yaml


class VirtualClock:
    """A clock for `Provider`, from a moment on: sleeping moves it, and `advance`; alarms ring."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now, self._nonces = now, 0
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return self._now

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        """Let virtual time pass; alarms ring on the way."""
        del polling  # nothing happens meanwhile
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass: between two events, or while something takes it."""
        until = self._now + seconds
        while due := [alarm for alarm in self._alarms if alarm[0] <= until]:
            alarm = min(due, key=itemgetter(0))
            self._alarms.remove(alarm)
            self._now = max(self._now, alarm[0])
            alarm[1]()
        self._now = max(self._now, until)

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Call `ring` that much later in virtual time; return a function that cancels it."""
        alarm = (self._now + seconds, ring)
        self._alarms.append(alarm)

        def call_off() -> None:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

        return call_off

    def end_process(self, seconds: float) -> Callable[[], None]:
        """End nothing: the kit ends a function whose time is over by itself."""
        del seconds
        return lambda: None

    def remaining(self, context: Any) -> float:
        """Return the seconds that Lambda's context leaves; 120 without one."""
        read = getattr(context, "get_remaining_time_in_millis", None)
        return TIMEOUT if read is None else float(read()) / 1000

    def nonce(self) -> str:
        """Return the next of a fixed row of names."""
        self._nonces += 1
        return f"{self._nonces:032x}"

    def jitter(self) -> float:
        """Return 0.5, so that every run is the same."""
        return 0.5


class Turns:
    """A clock for `Provider`, shared by deliveries that may be at work at the same time."""

    def __init__(self, clock: Callable[[], VirtualClock]) -> None:
        self._clock = clock  # returns what is moved where everybody sleeps
        self.aside: Callable[[], AbstractContextManager[None]] = nullcontext  # while others go on
        self._waiting: list[tuple[float, int, Any]] = []
        self._numbers = count()
        self._hub: Any = None

    @property
    def clock(self) -> VirtualClock:
        return self._clock()

    def now(self) -> float:
        return self.clock.now()

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        with self.aside():
            if self._hub is None:
                self.clock.sleep(seconds, polling=polling)
            else:
                self._yield_until(self.now() + seconds)

    def remaining(self, context: Any) -> float:
        return self.clock.remaining(context)

    def nonce(self) -> str:
        return self.clock.nonce()

    def jitter(self) -> float:
        return self.clock.jitter()

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        if self._hub is None:
            return self.clock.alarm(seconds, ring)
        bell = _greenlets().greenlet(ring, self._hub)
        self._wait(self.now() + seconds, bell)

        def call_off() -> None:
            self._waiting = [waiting for waiting in self._waiting if waiting[2] is not bell]
            heapq.heapify(self._waiting)

        return call_off

    def end_process(self, seconds: float) -> Callable[[], None]:
        return self.clock.end_process(seconds)

    def pause(self) -> None:
        if self._hub is not None:
            with self.aside():
                self._yield_until(self.now())

    def run(self, *jobs: Callable[[], None]) -> None:
        """Run jobs at the same time, and return when all have ended, those started by them too."""
        if self._hub is not None:
            raise AssertionError("deliveries at once, inside of deliveries at once")
        self._hub = _greenlets().getcurrent()
        try:
            for job in jobs:
                self.start(job)
            while self._waiting:
                until, _, waiting = heapq.heappop(self._waiting)
                self.clock.sleep(max(0.0, until - self.now()))
                waiting.switch()
        finally:
            self._hub = None
            self._waiting.clear()

    def start(self, job: Callable[[], None]) -> None:
        """Let a further job have its turns from now on."""
        self._wait(self.now(), _greenlets().greenlet(job, self._hub))

    def _yield_until(self, moment: float) -> None:
        self._wait(moment, _greenlets().getcurrent())
        self._hub.switch()

    def _wait(self, moment: float, job: Any) -> None:
        heapq.heappush(self._waiting, (moment, next(self._numbers), job))


def _greenlets() -> Any:
    """Return the package that lets one thread do several things; only what is at once needs it."""
    try:
        import greenlet  # type: ignore[import-untyped]  # it ships no types
    except ImportError as error:
        raise ConfigurationError(
            "deliveries at the same time need greenlet: pip install 'cfn-once[testing]'"
        ) from error
    return greenlet
