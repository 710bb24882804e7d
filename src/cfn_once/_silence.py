"""Keeping silent what third parties tell of a secret that passes through them: lines, and spans."""

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

# Lists of filters are replaced, never changed: another thread may be walking through one.
_CHANGING = threading.Lock()
_SUPPRESSED = ("suppress_instrumentation", "suppress_http_instrumentation")


def all_handlers() -> Iterator[logging.Handler]:
    """Yield each handler of the process: where records leave, whoever has made them."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    yield from {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    if logging.lastResort is not None:  # prints where nobody has set logging up
        yield logging.lastResort


def add_filter(filterer: logging.Filterer, added: logging.Filter) -> None:
    """Let a logger or a handler ask a filter, if it does not do so already."""
    if added not in filterer.filters:
        with _CHANGING:
            filterer.filters = [*filterer.filters, added]


def remove_filter(filterer: logging.Filterer, removed: logging.Filter) -> None:
    """Let it ask the filter no more."""
    with _CHANGING:
        filterer.filters = [other for other in filterer.filters if other is not removed]


class Quiet(logging.Filter):
    """Drops what packages log in a thread that has entered it, and what is traced of their calls.

    Args:
        packages: Their names; each of their loggers is meant.
    """

    def __init__(self, *packages: str) -> None:
        super().__init__()
        self._packages, self._thread, self._known = packages, threading.local(), 0

    def __enter__(self) -> None:
        names = list(logging.Logger.manager.loggerDict)
        if len(names) != self._known:
            for name in filter(self._is_meant, names):
                add_filter(logging.getLogger(name), self)  # it stays
            self._known = len(names)
        for handler in all_handlers():  # a logger may be made later on
            add_filter(handler, self)
        self._thread.entered = [*self._entered(), _stop_tracing()]

    def __exit__(self, *_: object) -> None:
        *self._thread.entered, token = self._entered()
        _trace_again(token)

    def filter(self, record: logging.LogRecord) -> bool:
        return not (self._entered() and self._is_meant(record.name))

    def _entered(self) -> list[Any]:
        """Return a token for each time that this thread has entered it."""
        entered: list[Any] = getattr(self._thread, "entered", [])
        return entered

    def _is_meant(self, name: str) -> bool:
        return name.partition(".")[0] in self._packages


def _stop_tracing() -> Any:
    """Have OpenTelemetry's instrumentations make no spans: they bear URLs, and what is sent."""
    api: Any = sys.modules.get("opentelemetry.context")  # whoever traces has loaded it
    if api is None:
        return None
    keys = {*_SUPPRESSED, *(getattr(api, f"_{name.upper()}_KEY", name) for name in _SUPPRESSED)}
    context = api.get_current()
    for key in keys:  # which one is asked for differs from version to version
        context = api.set_value(key, True, context)
    return api.attach(context)


def _trace_again(token: Any) -> None:
    if token is not None:
        sys.modules["opentelemetry.context"].detach(token)
