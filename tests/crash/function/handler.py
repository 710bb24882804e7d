"""
What runs in the processes: the example's own provider and the guardian, by a faster clock.

A provider's function must have at least 30 s, a lease lasts as long as Lambda's deadline, and what
may be in flight is waited for: hundreds of kills would take days. Here all of the package's time is
that many times shorter; the processes, the sockets and the signals are real.
"""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from cfn_once import guardian as package
from cfn_once._clock import SystemClock
from elastigroup.provider import provider as example

logging.getLogger().setLevel(logging.INFO)


class ScaledClock(SystemClock):
    """Time since `STARTED`, `SPEED` times as fast as the machine's, and alike in every process."""

    started, speed = float(os.environ["STARTED"]), float(os.environ["SPEED"])

    def now(self) -> float:
        return self.started + (time.time() - self.started) * self.speed

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        time.sleep(seconds / self.speed)

    def remaining(self, context: Any) -> float:
        return super().remaining(context) * self.speed

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        return super().alarm(seconds / self.speed, ring)


provider = example.using(clock=ScaledClock())
guardian = partial(package.handler, clock=ScaledClock())
