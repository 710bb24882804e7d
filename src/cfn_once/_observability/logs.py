"""
Our log lines: what each of them bears, and who prints it.

    everywhere               every record bears the ids of the request at work
    in Lambda                one JSON object a line, if nobody has set logging up
    Provider(..., logger=)   they go through that logger, whose own lines bear the ids as well

Secrets are masked by the handlers that print, ours among them.
"""

import copy
import json
import logging
import os
import sys
import time
from contextvars import ContextVar
from typing import Any

from .._cloudformation.canonical import Json
from .._errors import ConfigurationError

OURS = "cfn_once"
DELIVERIES = "cfn_once.delivery"  # of the line with which a delivery begins, and ends
LOGGERS = (
    OURS,
    "cfn_once.resource",
    DELIVERIES,
)  # a logger's filters do not see its children's records
RUNTIMES_OWN = "LambdaLoggerHandler"  # how the handlers are named that Lambda's runtime adds

_JSON = json.JSONEncoder(default=str)
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


class Work:
    """What is at work, to those who read its lines.

    Attributes:
        fields: What each line bears; replaced, never changed, for another thread may read it.
    """

    def __init__(self, **fields: Json) -> None:
        self.fields = fields

    def note(self, **fields: Json) -> None:
        """Let its lines bear these as well, from now on."""
        self.fields = {**self.fields, **fields}

    def forget(self, name: str) -> None:
        """Let its lines no longer bear this."""
        self.fields = {other: value for other, value in self.fields.items() if other != name}


AT_WORK: ContextVar[Work | None] = ContextVar("cfn_once", default=None)


class _Ids(logging.Filter):
    """Lets records bear the fields of what is at work."""

    def filter(self, record: logging.LogRecord) -> bool:
        work = AT_WORK.get()
        if work is not None:
            for name, value in work.fields.items():
                vars(record).setdefault(name, value)
        return True


class _Forwarder(logging.Handler):
    """Hands our records on to a logger, as if they were its own."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        if self._logger.isEnabledFor(record.levelno):
            own = copy.copy(record)
            own.name = self._logger.name  # by which Powertools keeps lines from coming twice
            self._logger.handle(own)


class _JsonLine(logging.Formatter):
    """One JSON object a record, with all that it bears."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:  # all that is left of an error that was masked
            line["exception"] = record.exc_text
        return to_line(line)


_IDS = _Ids()
for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_IDS)


def hand_over(logger: Any) -> None:
    """Send our lines through a logger: Powertools' or the standard library's.

    Raises:
        ConfigurationError: It is one of ours.
    """
    if logger.name.partition(".")[0] == OURS:
        raise ConfigurationError(
            f"logger={logger.name} is cfn-once's own and prints already: hand in one of yours"
        )
    ours = logging.getLogger(OURS)
    ours.handlers, ours.propagate = [_Forwarder(logger)], False
    ours.setLevel(1)  # everything: its own level says what is printed
    for filterer in (logger, *logger.handlers):  # its handlers print what its children log, too
        filterer.addFilter(_IDS)


def print_json() -> None:
    """Print our lines as JSON, in Lambda and where nobody has set logging up."""
    ours = logging.getLogger(OURS)
    if (
        "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        and os.environ.get("AWS_LAMBDA_LOG_FORMAT") != "JSON"  # which prints all that records bear
        and ours.propagate
        and not ours.handlers
        and all(
            type(handler).__name__.startswith(RUNTIMES_OWN) for handler in logging.root.handlers
        )
    ):
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(_JsonLine())
        ours.handlers, ours.propagate = [handler], False
        deliveries = logging.getLogger(DELIVERIES)
        if not deliveries.level and not ours.level:  # nobody has said what is to be printed
            deliveries.setLevel(logging.INFO)


def to_line(fields: dict[str, Json]) -> str:
    """Spell what a line bears as JSON, in ASCII and without an end."""
    return _JSON.encode(fields)


def timestamp(seconds: float) -> str:
    """Spell a time as RFC 3339 does, in UTC, to the millisecond."""
    whole, rest = divmod(int(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{rest:03d}Z"
