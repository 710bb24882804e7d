"""What happened to one resource, taken down in order."""

import threading
from dataclasses import dataclass, field

from support.fast_clock import FastClock


@dataclass
class Story:
    """What happened to one resource, in order: requests, deliveries, kills, calls, answers."""

    clock: FastClock
    title: str
    lines: list[tuple[float, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, text: str) -> None:
        """Take down what happens now."""
        with self._lock:
            self.lines.append((self.clock.now(), text))

    def __str__(self) -> str:
        told = [f"{when - self.clock.started:9.1f}  {text}" for when, text in self.lines]
        return "\n".join([self.title, *told])
