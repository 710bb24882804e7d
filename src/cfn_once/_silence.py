"""Keeping silent what third parties log of a secret that passes through them."""

import logging
import threading


class Quiet(logging.Filter):
    """Drops what packages log in a thread that has entered it.

    Args:
        packages: Their names; each of their loggers is meant.
    """

    def __init__(self, *packages: str) -> None:
        super().__init__()
        self._packages, self._thread = packages, threading.local()

    def __enter__(self) -> None:
        for name in list(logging.Logger.manager.loggerDict):
            if name.partition(".")[0] in self._packages:
                logging.getLogger(name).addFilter(self)  # once; it stays
        self._thread.has_entered = True

    def __exit__(self, *_: object) -> None:
        self._thread.has_entered = False

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return not getattr(self._thread, "has_entered", False)
