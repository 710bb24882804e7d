"""Keeping secret values out of everything that is printed."""

import json
import logging
import threading
from typing import Any, Self

MASK = "*****"
SHORTEST = 4  # characters; masking shorter text would blot out half of every line
SPARED = frozenset({"true", "false", "null", "None"})  # secret or not, they tell nobody anything

# Lists of filters are replaced, never changed: another thread may be walking through one.
_CHANGING = threading.Lock()


class Mask(logging.Filter):
    """Replaces secret values in text, and while it is entered in the records of every logger.

    Handlers are where records leave, and the only place that sees those of all loggers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets: list[str] = []
        self._handlers: list[logging.Handler] = []

    def __enter__(self) -> Self:
        loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
        found = {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
        last = logging.lastResort  # prints where nobody has set logging up
        self._handlers = [*found, *([last] if last is not None else [])]
        with _CHANGING:
            for handler in self._handlers:
                handler.filters = [*handler.filters, self]
        return self

    def __exit__(self, *_: object) -> None:
        with _CHANGING:
            for handler in self._handlers:
                handler.filters = [other for other in handler.filters if other is not self]
        self._handlers = []

    def hide(self, secrets: set[str]) -> None:
        """Hide these from now on; longest first, for one may contain another."""
        forms = {form for secret in secrets - SPARED for form in _forms(secret)}
        kept = {form for form in forms if len(form) >= SHORTEST}
        self._secrets = sorted(kept | set(self._secrets), key=lambda form: (-len(form), form))

    def text(self, text: str) -> str:
        """Return the text without them."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        if not self._secrets:
            return True
        said = record.getMessage()
        if (masked := self.text(said)) != said:
            record.msg, record.args = masked, None
        if record.exc_info:
            told = record.exc_text or logging.Formatter().formatException(record.exc_info)
            if (masked := self.text(told)) != told:
                record.exc_text = masked
                record.exc_info = _masked_error(record.exc_info[0], masked)
        for name in vars(record).keys() - _OWN:
            value = str(getattr(record, name))  # what was given as `extra`
            if (masked := self.text(value)) != value:
                setattr(record, name, masked)
        return True


def _masked_error(kind: type[BaseException] | None, text: str) -> Any:
    """Return an error to stand for one that tells secrets: some formatters read nothing else."""
    kind = kind or Exception
    stand_in = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
    return (stand_in, stand_in(text), None)


_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


def _forms(secret: str) -> set[str]:
    """Return how a text looks in logs: as it is, and as Python, JSON and URLs spell it."""
    from urllib.parse import quote, quote_plus  # only where something is secret

    python = repr(secret)[1:-1]
    spelled = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, python, *spelled, quote(secret, ""), quote(secret), quote_plus(secret)}
