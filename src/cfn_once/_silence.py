"""Keeping silent what third parties tell of a secret that passes through them: lines, and spans."""

import logging
import re
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

# Lists of filters are replaced, never changed: another thread may be walking through one.
_CHANGING = threading.Lock()
_QUERY = re.compile(r"\?[^\s\"']+")
_SUPPRESSED = ("suppress_instrumentation", "suppress_http_instrumentation")


def all_handlers() -> Iterator[logging.Handler]:
    """Yield each handler of the process: where records leave, from any logger."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    yield from {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    if logging.lastResort is not None:  # prints where nobody has set logging up
        yield logging.lastResort
    for made in _made():  # also that of a logger which nobody can look up
        if (handler := made()) is not None:
            yield handler


def _made() -> list[weakref.ref[logging.Handler]]:
    """Return what logging keeps of each handler that was made, to close it in the end."""
    return getattr(logging, "_handlerList", [])


def add_filter(filterer: logging.Filterer, added: logging.Filter, *, last: bool = False) -> None:
    """Let a logger or a handler ask a filter, if it does not do so already.

    One that is to be the `last` is asked after all others, also where it was not so far.
    """
    if added not in filterer.filters or (last and filterer.filters[-1] is not added):
        with _CHANGING:
            others = [other for other in filterer.filters if other is not added]
            filterer.filters = [*others, added]


def remove_filter(filterer: logging.Filterer, removed: logging.Filter) -> None:
    """Let it ask the filter no more."""
    with _CHANGING:
        filterer.filters = [other for other in filterer.filters if other is not removed]


class Everywhere:
    """Lets each handler of the process ask a filter while it is entered, new ones as well.

    A hook may set logging up: boto3.set_stream_logger, dictConfig, a Logger of Powertools. A record
    is made before it is printed: at that point this looks for handlers that have come since.

    Args:
        asked: The filter.
    """

    def __init__(self, asked: logging.Filter) -> None:
        self._asked, self._last = asked, (-1, None)
        self._handlers: set[logging.Handler] = set()

    def __enter__(self) -> None:
        self.look()
        _Records.watch(self)

    def __exit__(self, *_: object) -> None:
        _Records.leave(self)
        for handler in self._handlers:
            remove_filter(handler, self._asked)
        self._handlers, self._last = set(), (-1, None)

    def look(self) -> None:
        """Add the filter to the handlers that have come."""
        made = _made()
        last: Any = (len(made), made[-1] if made else None)
        if last != self._last:
            self._last = last
            for handler in all_handlers():
                add_filter(handler, self._asked)
                self._handlers.add(handler)


class _Records:
    """Makes log records as before, and lets those that watch look for new handlers first.

    Another factory may be put around it, and stay: so none is used again once it was left.
    """

    _entered: "_Records | None" = None

    def __init__(self) -> None:
        self.make = logging.getLogRecordFactory()
        self.watching: list[Everywhere] = []

    def __call__(self, *args: Any, **names: Any) -> logging.LogRecord:
        for watcher in self.watching:
            watcher.look()
        return self.make(*args, **names)

    @classmethod
    def watch(cls, watcher: Everywhere) -> None:
        """Let it look whenever a record is made."""
        with _CHANGING:
            if cls._entered is None:
                cls._entered = cls()
                logging.setLogRecordFactory(cls._entered)
            cls._entered.watching = [*cls._entered.watching, watcher]

    @classmethod
    def leave(cls, watcher: Everywhere) -> None:
        """Let it look no more; after the last one, records are made as before."""
        with _CHANGING:
            entered = cls._entered
            if entered is None:
                return
            entered.watching = [other for other in entered.watching if other is not watcher]
            if not entered.watching:
                cls._entered = None
                if logging.getLogRecordFactory() is entered:
                    logging.setLogRecordFactory(entered.make)


class _Within(logging.Filter):
    """Is asked of what packages log in a thread that has entered it.

    Args:
        packages: Their names; each of their loggers is meant.
    """

    _goes_last = False

    def __init__(self, *packages: str) -> None:
        super().__init__()
        self._packages, self._thread = packages, threading.local()

    def __enter__(self) -> None:
        for handler in all_handlers():  # it stays
            add_filter(handler, self, last=self._goes_last)
        self._thread.entered = [*self._entered(), self._begin()]

    def __exit__(self, *_: object) -> None:
        *self._thread.entered, token = self._entered()
        self._end(token)

    def _begin(self) -> Any:
        """Return what ends again what begins here."""

    def _end(self, token: Any) -> None:
        pass

    def _concerns(self, record: logging.LogRecord) -> bool:
        return bool(self._entered()) and self._is_meant(record.name)

    def _entered(self) -> list[Any]:
        """Return a token for each time that this thread has entered it."""
        entered: list[Any] = getattr(self._thread, "entered", [])
        return entered

    def _is_meant(self, name: str) -> bool:
        return name.partition(".")[0] in self._packages


class Quiet(_Within):
    """Drops what packages log in a thread that has entered it, and what is traced of their calls.

    Args:
        packages: Their names; each of their loggers is meant.
        traces: Their calls are traced as ever.
    """

    def __init__(self, *packages: str, traces: bool = False) -> None:
        super().__init__(*packages)
        self._known, self._traces = 0, traces

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._concerns(record)

    def _begin(self) -> Any:
        names = list(logging.Logger.manager.loggerDict)
        if len(names) != self._known:
            for name in filter(self._is_meant, names):
                add_filter(logging.getLogger(name), self)  # it stays
            self._known = len(names)
        return None if self._traces else _stop_tracing()

    def _end(self, token: Any) -> None:
        if not self._traces:
            _trace_again(token)


class Brief(_Within):
    """Cuts the queries of URLs in what packages log in a thread that has entered it.

    Handlers ask it, not loggers: what masks secrets comes first, for one may have a question mark.

    Args:
        packages: Their names; each of their loggers is meant.
    """

    _goes_last = True

    def filter(self, record: logging.LogRecord) -> bool:
        if self._concerns(record):
            said = record.getMessage()
            if (cut := _QUERY.sub("?...", said)) != said:
                record.msg, record.args = cut, None
        return True


def _stop_tracing() -> Any:
    """Have OpenTelemetry's instrumentations make no spans: they bear URLs, and what is sent."""
    api: Any = sys.modules.get("opentelemetry.context")  # tracing means that it is loaded
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
