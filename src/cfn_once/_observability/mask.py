"""Keeping secret values out of everything that is printed."""

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

from .._properties.redaction import MASK
from .._silence import Everywhere
from .spelling import SHORTEST_SECRET, Spellings

SHORTEST_CREDENTIAL = 16  # characters; an emulator is content with "test", which many lines say
ENDS_OF_BASE64 = 2  # characters that are left out of it, since they depend on what is around
SPARED = frozenset({"true", "false", "null", "None"})  # secret or not, they tell nobody anything


class Mask(logging.Filter):
    """Replaces secret values in text, and while it is entered in the records of every logger.

    Handlers are where records leave, and the only place that sees those of all loggers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets, self._shortest = frozenset[str](), 0
        self._spellings: Spellings | None = None
        self._everywhere = Everywhere(self)

    def __enter__(self) -> Self:
        self._everywhere.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._everywhere.__exit__()

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, however they are spelled."""
        self._secrets |= {text for text in set(secrets) - SPARED if len(text) >= SHORTEST_SECRET}
        # Nobody writes one in fewer characters than it has, but for the ends of base64.
        self._shortest = min(map(len, self._secrets), default=0) - ENDS_OF_BASE64
        self._spellings = None

    def text(self, text: str, *, is_cut: bool = False) -> str:
        """Return a text without them.

        Args:
            text: What may tell one.
            is_cut: It is longer than this: it may end in the beginning of one, which is masked too.
        """
        if not self._secrets or (not is_cut and len(text) < self._shortest):
            return text
        spellings = self._spellings
        if spellings is None:  # not before there is something to look through
            spellings = self._spellings = Spellings(self._secrets)
        return _blotted(text, spellings.spans(text, is_cut=is_cut))

    def filter(self, record: logging.LogRecord) -> bool:
        if not self._secrets:
            return True
        said = _said(record)
        if (masked := self.text(said)) != said:
            record.msg, record.args = masked, None
        if record.exc_info:
            printed = record.exc_text or logging.Formatter().formatException(record.exc_info)
            if (masked := self.text(printed)) != printed:
                record.exc_text = masked
                record.exc_info = _masked_error(record.exc_info[0], masked)
        for name in vars(record).keys() - _OWN:
            value = str(getattr(record, name))  # what was given as `extra`
            if (masked := self.text(value)) != value:
                setattr(record, name, masked)
        return True


def _said(record: logging.LogRecord) -> str:
    """Return the message of a record; where its parts do not fit, logging would print each."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's own text may fail in any way
        record.msg, record.args = f"{record.msg} {record.args!r}", None
        return record.getMessage()


def _masked_error(kind: type[BaseException] | None, text: str) -> Any:
    """Return an error to stand for one that tells secrets: some formatters read nothing else."""
    kind = kind or Exception
    stand_in = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
    return (stand_in, stand_in(text), None)


def credentials() -> set[str]:
    """Return the function's own secrets: botocore logs the token with each call at DEBUG."""
    names = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    found = {os.environ.get(name, "") for name in names}
    return {secret for secret in found if len(secret) >= SHORTEST_CREDENTIAL}


_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


def _blotted(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text with a mask for each span; those that overlap are one."""
    parts: list[str] = []
    end = 0
    for first, last in spans:
        if first >= end:
            parts += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*parts, text[end:]]) if parts else text
