"""Time that passes only when somebody waits, so that an hour takes no time."""

from collections.abc import Callable
from typing import Any

TIMEOUT = 120.0  # seconds; the Timeout of templates/provider.yaml


class VirtualClock:
    """A clock for `Provider`: sleeping moves it, and `advance`; alarms ring on the way.

    Args:
        now: Seconds since 1970 at the start.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now, self._nonces = now, 0
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        del polling  # nothing happens meanwhile
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass: between two events, or while something takes it."""
        until = self._now + seconds
        while due := [alarm for alarm in self._alarms if alarm[0] <= until]:
            alarm = min(due, key=lambda one: one[0])
            self._alarms.remove(alarm)
            self._now = max(self._now, alarm[0])
            alarm[1]()
        self._now = max(self._now, until)

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        alarm = (self._now + seconds, ring)
        self._alarms.append(alarm)

        def call_off() -> None:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

        return call_off

    def remaining(self, context: Any) -> float:
        read = getattr(context, "get_remaining_time_in_millis", None)
        return TIMEOUT if read is None else float(read()) / 1000

    def nonce(self) -> str:
        self._nonces += 1
        return f"{self._nonces:032x}"

    def jitter(self) -> float:
        return 0.5
