"""Lines of a log, from a file: the JSON of the AWS CLI, one event a line, or plain text."""

import calendar
import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

# What `aws logs tail` and timestamps of other tools put before a line: a time, and a log stream.
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_PREFIX = re.compile(rf"({_TIME})[ \t]+(?:(\d{{4}}/\d\d/\d\d/\S+)[ \t]+)?(?=\S)")
_ANY_TIME = re.compile(_TIME)
_DOCUMENT = re.compile(r'\[\s*(\{|$)|\{\s*$|\{\s*"(events|searchedLogStreams|nextToken)"')
SPAN = 50_000  # lines
LAST = 253_402_300_800_000  # the year 10000, in milliseconds since 1970
UNREADABLE = (ValueError, RecursionError)  # no JSON, or nested without end


class LogLine(NamedTuple):
    """One line of a log.

    Attributes:
        at: Milliseconds since 1970; None if the log does not say it.
        stream: Its log stream; empty if the log does not say it.
        group: Its log group; empty if the log does not say it.
    """

    text: str
    at: int | None = None
    stream: str = ""
    group: str = ""


class InOrder:
    """Lines by their times: they may have been fetched in any order.

    Those of one time keep the order that they have, and one without a time stays behind the one
    before it. Lines that lie further apart than `SPAN` are not brought together.

    Attributes:
        backwards: How many were older than the one before in their log stream.
    """

    def __init__(self, lines: Iterable[LogLine], span: int = SPAN) -> None:
        self._lines, self._span = lines, span
        self.backwards = 0

    def __iter__(self) -> Iterator[LogLine]:
        newest: dict[tuple[str, str], int] = {}
        held: list[tuple[int, LogLine]] = []
        last = 0
        for line in self._lines:
            if line.at is not None:
                stream, last = (line.group, line.stream), line.at
                self.backwards += last < newest.get(stream, last)
                newest[stream] = last
            held.append((last, line))
            if len(held) > 2 * self._span:
                held.sort(key=_by_time)
                yield from (line for _, line in held[: self._span])
                del held[: self._span]
        held.sort(key=_by_time)
        yield from (line for _, line in held)


def _by_time(held: tuple[int, LogLine]) -> int:
    return held[0]


class CutDocument(Exception):
    """A file begins as one JSON document, and ends in the middle of it."""


def lines_of(file: Iterable[str]) -> Iterator[LogLine]:
    """Yield the lines of a file, whichever of its three forms it has.

    Raises:
        CutDocument: It is the JSON of `aws logs filter-log-events`, and is cut off.
    """
    rows = iter(file)
    for begun in rows:
        first = begun.removeprefix("\ufeff")  # Windows writes it before a text
        if not first.strip():
            continue
        if _DOCUMENT.match(first.lstrip(" ")):
            yield from _of_document(first + "".join(rows))
            return
        yield _of_row(first)
        yield from (_of_row(row) for row in rows if row.strip())


def _of_document(text: str) -> Iterator[LogLine]:
    try:
        document = json.loads(text)
    except UNREADABLE as error:
        raise CutDocument(str(error)) from None
    events = document.get("events", []) if isinstance(document, dict) else document
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and "message" in event:
            yield of_event(event)


def _of_row(row: str) -> LogLine:
    text = row.rstrip("\r\n")
    if text.lstrip()[:1] == "{":
        try:
            event = json.loads(text)
        except UNREADABLE:
            return LogLine(text)
        if isinstance(event.get("timestamp"), int) and isinstance(event.get("message"), str):
            return of_event(event)
        return LogLine(text, milliseconds(str(event.get("timestamp", event.get("time", "")))))
    if prefix := _PREFIX.match(text):
        # The runtime of Node writes its own time first, too, and parts it with a tab: that stays.
        begins = prefix.end() if prefix[2] or "\t" not in prefix[0] else 0
        return LogLine(text[begins:], milliseconds(prefix[1]), prefix[2] or "")
    found = _ANY_TIME.search(text)
    return LogLine(text, milliseconds(found[0]) if found else None)


def of_event(event: dict[str, Any]) -> LogLine:
    """Return an event of CloudWatch Logs as a line."""
    at = event.get("timestamp")
    named = (event.get(name) for name in ("logStreamName", "logGroupName"))
    stream, group = (name if isinstance(name, str) else "" for name in named)
    is_time = isinstance(at, int) and 0 <= at < LAST
    return LogLine(str(event["message"]), at if is_time else None, stream, group)


def milliseconds(spelt: str) -> int | None:
    """Read a time as RFC 3339 and Python's logging spell it; one without a zone is in UTC."""
    read = re.match(
        r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:([+-])(\d\d):?(\d\d))?",
        spelt,
    )
    if read is None:
        return None
    *parts, fraction, sign, hours, minutes = read.groups()
    try:
        time.strptime("-".join(parts), "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    year, month, day, hour, minute, second = map(int, parts)
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    offset = int(hours) * 3600 + int(minutes) * 60 if sign else 0
    seconds -= -offset if sign == "-" else offset
    return seconds * 1000 + int((fraction or "0").ljust(3, "0")[:3])
