"""Time that passes only when somebody waits, so that an hour takes no time."""

from typing import Any

TIMEOUT = 120.0  # seconds; the Timeout of templates/provider.yaml


class VirtualClock:
    """A clock for `Provider`: sleeping moves it, nothing else does but `advance`.

    Args:
        now: Seconds since 1970 at the start.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now, self._nonces = now, 0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass between two events."""
        self._now += seconds

    def remaining(self, context: Any) -> float:
        read = getattr(context, "get_remaining_time_in_millis", None)
        return TIMEOUT if read is None else float(read()) / 1000

    def nonce(self) -> str:
        self._nonces += 1
        return f"{self._nonces:032x}"

    def jitter(self) -> float:
        return 0.5
