"""Time, and what happened in it: the pace of the processes' clocks, and the story of a resource."""

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """The clock of the processes, as they know it from their environment.

    Attributes:
        started: Seconds since 1970 at which both clocks told the same.
        speed: How many of its seconds pass in one of the machine's.
    """

    started: float
    speed: float

    def now(self) -> float:
        """Return its seconds since 1970."""
        return self.started + (time.time() - self.started) * self.speed

    def real(self, seconds: float) -> float:
        """Return the machine's seconds that its seconds take."""
        return seconds / self.speed


@dataclass
class Story:
    """What happened to one resource, in order: requests, deliveries, kills, calls, answers."""

    pace: Pace
    title: str
    lines: list[tuple[float, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, text: str) -> None:
        """Take down what happens now."""
        with self._lock:
            self.lines.append((self.pace.now(), text))

    def __str__(self) -> str:
        told = [f"{when - self.pace.started:9.1f}  {text}" for when, text in self.lines]
        return "\n".join([self.title, *told])
