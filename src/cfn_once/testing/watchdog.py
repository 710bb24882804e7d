"""A hook that hangs ends in an error that says where, never in a test that hangs."""

import signal
import threading
import traceback
from types import FrameType
from typing import Self

from .._clock import SYSTEM_CLOCK

DEEPEST = 8  # lines of the stack that are printed: the last ones are the hook's


class Hung(BaseException):
    """The watchdog's alarm, with the place; no hook's `except Exception` holds it up."""

    passes_hooks = True


class HangWatchdog:
    """Interrupts what takes longer than so many real seconds; 0 for never.

    It needs the main thread of a system that has signals, as pytest has on Linux and macOS; a
    nearer alarm, such as pytest-timeout's, goes first.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._depth, self._armed = seconds, 0, False
        self._hung: Hung | None = None

    def __enter__(self) -> Self:
        self._depth += 1
        main = threading.current_thread() is threading.main_thread()
        if self._depth == 1 and self._seconds and main and hasattr(signal, "setitimer"):
            self._arm()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._armed:
            self._disarm()
            hung, self._hung = self._hung, None
            if hung is not None and error is not hung:  # a bare `except` ate it
                raise hung

    def _arm(self) -> None:
        self._before = signal.getitimer(signal.ITIMER_REAL)
        if 0 < self._before[0] <= self._seconds:
            return
        self._began = SYSTEM_CLOCK.now()
        self._handler = signal.signal(signal.SIGALRM, self._alarm)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, 1.0)  # again, if a bare `except` ate it
        self._armed = True

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        del number
        if self._hung is None:
            lines = traceback.extract_stack(frame)[-DEEPEST:]
            self._hung = Hung("".join(traceback.format_list(lines)).rstrip())
        raise self._hung

    def _disarm(self) -> None:
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        left, interval = self._before
        if left:  # somebody else's alarm goes on where it was
            passed = SYSTEM_CLOCK.now() - self._began
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, 0.001), interval)
