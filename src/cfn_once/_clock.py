"""The clock: the only reader of time, and the only maker of randomness, of the whole package."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

NO_LAMBDA = 900.0  # seconds: a local run gets the longest time that Lambda gives
LONGEST_MARGIN, MARGIN = 10.0, 0.25  # seconds, and share of short timeouts, kept for the watchdog
IDLE = 3600.0  # seconds that the bell sleeps where no alarm is set
IN_ORDER = 2.0  # seconds more, so that what ends in order ends before the watchdog comes


def utc(seconds: float) -> str:
    """Spell a time for people, in UTC: 2026-11-27T07:43:23Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Clock(Protocol):
    """What the package knows of time and chance; swapped by tests and by the explorer."""

    def now(self) -> float:
        """Return seconds since 1970."""

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        """Wait; `polling` where what is waited for may come sooner, and is looked for then."""

    def remaining(self, context: Any) -> float:
        """Return the seconds until Lambda ends the invocation that `context` describes."""

    def nonce(self) -> str:
        """Return 16 random bytes in hex; new ones for each execution, never at import."""

    def jitter(self) -> float:
        """Return a random number from 0 up to 1."""

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Call `ring` once, that much later; returns what calls it off, or waits for its end."""

    def end_process(self, seconds: float) -> Callable[[], None]:
        """End this process that much later, whatever it does; returns what calls it off."""


class SystemClock:
    """The real clock."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        del polling  # nobody wakes us
        time.sleep(seconds)

    def remaining(self, context: Any) -> float:
        read = getattr(context, "get_remaining_time_in_millis", None)
        return read() / 1000 if read is not None else NO_LAMBDA

    def nonce(self) -> str:
        # os.urandom: safe after a SnapStart restore, which a generator seeded at import is not.
        return os.urandom(16).hex()

    def jitter(self) -> float:
        return int.from_bytes(os.urandom(4), "big") / 2**32  # as for the nonce

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        return _BELL.set(seconds, ring)

    def end_process(self, seconds: float) -> Callable[[], None]:
        import faulthandler  # where it waits is no thread of Python's: C code cannot hold it up

        # The stack goes to standard error: files, lines and functions, and no values.
        faulthandler.dump_traceback_later(max(seconds, 0.001), exit=True, file=2)
        return faulthandler.cancel_dump_traceback_later


class _Alarm:
    """One alarm: it is called off, or rung once, in a thread of its own.

    Attributes:
        due: When it rings, by the monotonic clock.
        ringing: The thread that it rings in.
    """

    def __init__(self, due: float, ring: Callable[[], None]) -> None:
        self.due, self.ring = due, ring
        self.ringing: threading.Thread | None = None


class _Bell:
    """One sleeping thread for all alarms of the process.

    A thread for each event would cost more than the rest of a small one. To set an alarm wakes the
    thread only where it would sleep too long; to call one off never does.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid, self._alarms = os.getpid(), list[_Alarm]()
        self._change = threading.Condition(threading.Lock())
        self._sleeper: threading.Thread | None = None
        self._wakes = 0.0

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Ring that much later; returns what calls it off, or waits for its end."""
        if self._pid != os.getpid():  # forked: the thread has stayed behind
            self._begin()
        alarm, change, pid = _Alarm(time.monotonic() + seconds, ring), self._change, self._pid
        with change:
            self._alarms.append(alarm)
            if self._sleeper is None:
                self._wakes = alarm.due
                self._sleeper = threading.Thread(target=self._watch, name="cfn-once", daemon=True)
                self._sleeper.start()
            elif alarm.due < self._wakes:
                change.notify()

        def call_off() -> None:
            if pid != os.getpid():
                return
            with change:
                if alarm in self._alarms:
                    self._alarms.remove(alarm)
            if alarm.ringing is not None:
                alarm.ringing.join()  # a sandbox is frozen between events: nothing may go on in it

        return call_off

    def _watch(self) -> None:
        with self._change:
            while True:
                now = time.monotonic()
                for alarm in [alarm for alarm in self._alarms if alarm.due <= now]:
                    self._alarms.remove(alarm)
                    alarm.ringing = threading.Thread(target=alarm.ring, daemon=True)
                    alarm.ringing.start()
                self._wakes = min((alarm.due for alarm in self._alarms), default=now + IDLE)
                self._change.wait(self._wakes - now)


_BELL = _Bell()
SYSTEM_CLOCK = SystemClock()


class Deadline:
    """When Lambda ends this invocation; every wait and retry ends before it.

    Attributes:
        total: Seconds that the invocation had when it began.
        margin: Seconds before the end at which a hook still at work is answered for.
        reserve: Seconds that a hook's waits and retries leave untouched.
        function: The ARN that the function was invoked by; empty off Lambda.
        invocation: Lambda's request id; empty off Lambda.
        context: What Lambda hands to a handler besides the event.
    """

    def __init__(self, clock: Clock, context: Any = None) -> None:
        self.clock, self.context = clock, context
        self.function = str(getattr(context, "invoked_function_arn", ""))
        self.invocation = str(getattr(context, "aws_request_id", ""))
        self._end = clock.now() + clock.remaining(context)
        self.total = self.remaining()
        self.margin = min(LONGEST_MARGIN, self.total * MARGIN)
        self.reserve = self.margin + IN_ORDER

    def remaining(self) -> float:
        """Return the seconds left; never negative."""
        # Lambda's own count as well: the clock may be set back while we work.
        left = min(self._end - self.clock.now(), self.clock.remaining(self.context))
        return max(0.0, left)

    def begun_at(self) -> float:
        """Return the moment of the beginning, in seconds since 1970."""
        return self._end - self.total

    def ends_at(self) -> float:
        """Return the moment of the end, in seconds since 1970."""
        return self._end

    def allows(self, seconds: float, *, reserve: float = 0.0) -> bool:
        """Tell whether `seconds` of work fit, with `reserve` seconds to spare after it."""
        return self.remaining() >= seconds + reserve

    def alarm(self, ring: Callable[[], None]) -> Callable[[], None]:
        """Call `ring` when only the margin is left; returns what calls it off."""
        return self.clock.alarm(max(0.0, self.remaining() - self.margin), ring)

    def end_process(self) -> Callable[[], None]:
        """End this process at the end of its time; returns what calls it off."""
        return self.clock.end_process(self.remaining())

    def pause(
        self,
        seconds: float,
        *,
        reserve: float = 0.0,
        polling: bool = False,
        exactly: bool = False,
    ) -> bool:
        """Wait between half and all of `seconds`, or return False at once where they do not fit.

        Args:
            seconds: How long.
            reserve: Seconds that have to be left after it.
            polling: What is waited for may come sooner, and is looked for then.
            exactly: All of it: something is known to happen then.
        """
        if not self.allows(seconds, reserve=reserve):
            return False
        share = 1.0 if exactly else 0.5 + self.clock.jitter() / 2
        self.clock.sleep(seconds * share, polling=polling)
        return True
