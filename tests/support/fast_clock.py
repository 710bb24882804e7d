"""The clock of functions in processes, which passes faster than the machine's.

A function must have 30 s, a lease lasts as long as Lambda's deadline, and what may be in flight is
waited for: the tests' hundreds of kills would take days. All of the package's time is that many
times shorter; the processes, the sockets and the signals are real.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from cfn_once._clock import SystemClock


class FastClock(SystemClock):
    """Time since `started`, `speed` times as fast as the machine's, and alike in every process.

    Args:
        started: Seconds since 1970 at which both clocks told the same.
        speed: How many of its seconds pass in one of the machine's.
    """

    def __init__(self, started: float, speed: float) -> None:
        self.started, self.speed = started, speed

    @classmethod
    def from_environment(cls) -> "FastClock":
        """Return the clock that this function's environment tells of."""
        return cls(float(os.environ.get("STARTED", "0")), float(os.environ.get("SPEED", "1")))

    @property
    def environment(self) -> dict[str, str]:
        """What tells a function of this clock."""
        return {"STARTED": repr(self.started), "SPEED": repr(self.speed)}

    def now(self) -> float:
        return self.started + (time.time() - self.started) * self.speed

    def real(self, seconds: float) -> float:
        """Return the machine's seconds that its seconds take."""
        return seconds / self.speed

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        time.sleep(self.real(seconds))

    def remaining(self, context: Any) -> float:
        return super().remaining(context) * self.speed

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        return super().alarm(self.real(seconds), ring)

    def end_process(self, seconds: float) -> Callable[[], None]:
        return super().end_process(self.real(seconds))
