"""`cfn-once diagnose`: which requests were delivered more than once, why, and what came of it."""

import argparse
import contextlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

from .._clock import SYSTEM_CLOCK, Clock
from .._observability.logs import timestamp
from .console import Console, Exit, Stop, several
from .duplicates import (
    ADVICE,
    Again,
    Kind,
    KindRow,
    RequestDeliveries,
    requests_of,
    table_of,
)
from .invocations import LoggedDelivery, Read, read
from .log_lines import CutDocument, LogLine, lines_of, milliseconds

DESCRIPTION = (
    "Find requests that were delivered more than once, in a log group or in a file, and tell a\n"
    "retry of Lambda from a second delivery by Lambda and from a sender that sent twice. Reads\n"
    "logs of cfn-once, of crhelper, and of handlers that print the event or its response."
)
EXAMPLE = "cfn-once diagnose --log-group /aws/lambda/my-provider --since 2h"
SINCE = "2h"
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PROGRESS_EVERY = 5.0  # seconds between two words of progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--log-group", metavar="NAME", help="a log group's name or ARN")
    source.add_argument(
        "--file",
        help="the JSON of `aws logs filter-log-events`, its events one a line, or plain lines;"
        " - is standard input",
    )
    parser.add_argument(
        "--since",
        metavar="WHEN",
        help=f"how long ago the range begins: 90m, 2h, 3d, or a time in UTC; {SINCE} of a log"
        " group, all of a file",
    )
    parser.add_argument("--until", metavar="WHEN", help="where the range ends; else now")
    parser.add_argument(
        "--by",
        metavar="REGEX",
        help="finds what names the thing to be made once, in logs without CloudFormation's"
        " RequestId: its first group, or all that matches",
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Read, and tell."""
    source = f"the log group {given.log_group}" if given.log_group else _source(given.file)
    reading = read(followed(_lines(given), console, SYSTEM_CLOCK), _pattern(given.by))
    if not reading.lines:
        raise Stop(f"there is no line in {source}{_range(given)}: is it the right range?")
    if not reading.deliveries:
        raise Stop(
            f"none of the {reading.lines:,} lines in {source} is of a Lambda invocation: they need"
            " Lambda's START and REPORT lines, or its request id"
        )
    return _report(requests_of(reading.deliveries), reading, console)


def _report(requests: list[RequestDeliveries], reading: Read, console: Console) -> int:
    repeated = [request for request in requests if request.duplicates]
    shown = [request for request in requests if request.duplicates or request.unfinished]
    console.outcome = Exit.FOUND if any(map(_is_bad, shown)) else Exit.CLEAN
    lines = [line for request in shown for line in _spelt(request)]
    table = table_of(repeated)
    for line in [*lines, *_table(table), *_advice(repeated), *_summary(requests, reading)]:
        console.row(line)
    missing = list(_missing(requests, reading))
    for words in missing:
        console.say(words)
    console.result(_document(requests, repeated, table, reading, missing))
    return console.outcome


def _pattern(spelt: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(spelt) if spelt else None
    except re.error as error:
        raise Stop(f"--by is no regular expression: {error}", Exit.WRONG_CALL) from None


def _source(path: str) -> str:
    return "standard input" if path == "-" else path


def _range(given: argparse.Namespace) -> str:
    since = given.since or (SINCE if given.log_group else "")
    parts = [f"since {since}" if since else "", f"until {given.until}" if given.until else ""]
    return "".join(f", {part}" for part in parts if part)


def _lines(given: argparse.Namespace) -> Iterator[LogLine]:
    now = SYSTEM_CLOCK.now()
    until = _moment("--until", given.until, now) if given.until else int(now * 1000)
    if given.log_group:
        from .log_group import LogGroup  # loads boto3, which a file does not need

        since = _moment("--since", given.since or SINCE, now)
        _check_order(since, until)
        return LogGroup(given.log_group).lines(since, until)
    since = _moment("--since", given.since, now) if given.since else 0
    _check_order(since, until)
    is_whole = not given.since and not given.until
    return _within(_of_file(given.file), since, until, is_whole=is_whole)


def _check_order(since: int, until: int) -> None:
    if since >= until:
        raise Stop("--since is not before --until: nothing is in between", Exit.WRONG_CALL)


def _within(
    lines: Iterator[LogLine], since: int, until: int, *, is_whole: bool
) -> Iterator[LogLine]:
    return (
        line for line in lines if is_whole or (line.at is not None and since <= line.at <= until)
    )


def _moment(flag: str, spelt: str, now: float) -> int:
    """Return a moment in milliseconds since 1970."""
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", spelt):
        return int((now - int(ago[1]) * UNITS[ago[2]]) * 1000)
    moment = milliseconds(f"{spelt}T00:00:00Z" if "T" not in spelt else spelt)
    if moment is None:
        raise Stop(
            f"{flag} {spelt}: write 90m, 2h, 3d, or a time such as 2027-01-15T08:00:00Z",
            Exit.WRONG_CALL,
        )
    return moment


def _of_file(path: str) -> Iterator[LogLine]:
    name = _source(path)
    try:
        with _opened(path) as file:
            yield from lines_of(file)
    except FileNotFoundError:
        raise Stop(f"there is no file {path}", Exit.WRONG_CALL) from None
    except OSError as error:
        raise Stop(f"{name} cannot be read: {error}") from None
    except CutDocument as error:
        raise Stop(
            f"{name} is cut: it begins as the JSON of `aws logs filter-log-events`, and ends in the"
            f" middle ({error}). Fetch it again; or hand in its events one a line, which may be cut"
        ) from None


def _opened(path: str) -> contextlib.AbstractContextManager[TextIO]:
    if path == "-":
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # a text stream's
        return contextlib.nullcontext(sys.stdin)
    return open(path, encoding="utf-8", errors="replace")


def followed(lines: Iterator[LogLine], console: Console, clock: Clock) -> Iterator[LogLine]:
    """Say how far it is, where it takes long."""
    said_at = clock.now()
    for count, line in enumerate(lines, 1):
        yield line
        if count % 1_000 == 0 and clock.now() - said_at >= PROGRESS_EVERY:
            said_at = clock.now()
            console.say(f"{count:,} lines read, up to {_when(line.at)}")


def _spelt(request: RequestDeliveries) -> Iterator[str]:
    """Spell a request and its deliveries for people."""
    # One that died may have said nothing of the resource.
    named = next((known for known in request.deliveries if known.resource), request.first)
    about = [named.resource, named.request_type, request.name]
    kind = f" ({named.resource_type})" if named.resource_type else ""
    yield f"{' '.join(filter(None, about))}{kind}"
    yield f"  {_delivery(request.first)}"
    for again in request.again:
        yield f"  {_delivery(again.delivery)}"
        after = "" if again.gap is None else f", {_seconds(again.gap)} s later"
        yield f"    {again.kind}{after}: {again.effect.words}{_queue(again.delivery)}"
    if request.unfinished:
        yield f"  {_no_end(request.unfinished)}"
        yield f"  next: {_show(request.unfinished)}"


def _is_bad(request: RequestDeliveries) -> bool:
    """Tell whether somebody has to look at it."""
    is_twice = any(again.effect.is_bad for again in request.duplicates)
    return is_twice or request.unfinished is not None


def _unfinished(requests: list[RequestDeliveries]) -> list[RequestDeliveries]:
    return [request for request in requests if request.unfinished]


def _no_end(delivery: LoggedDelivery) -> str:
    """Say of a delivery that its end is in no line."""
    why = "its process died" if delivery.ended else "its process died, or it is still at work"
    return f"the delivery of {_when(delivery.at)} began, and no line tells what came of it: {why}"


def _show(delivery: LoggedDelivery) -> str:
    return f"cfn-once ledger show {delivery.correlation_id}"


def _delivery(delivery: LoggedDelivery) -> str:
    parts = [
        _when(delivery.at),
        delivery.invocation or "no id of Lambda",
        delivery.ended or "no end",
        delivery.outcome,
    ]
    return "  ".join(filter(None, parts))


def _queue(delivery: LoggedDelivery) -> str:
    return f"; its queue has handed it out {delivery.receives} times" if delivery.receives else ""


def _seconds(gap: int) -> str:
    return f"{gap / 1000:.3f}".rstrip("0").rstrip(".")


def _when(at: int | None) -> str:
    return "no time" if at is None else timestamp(at / 1000)


def _table(table: list[KindRow]) -> Iterator[str]:
    """Spell the duplicates by kind: how many, how much later, and what came of them."""
    if not table:
        return
    head = ("kind", "times", "seconds later", "what came of it")
    rows = [(str(row.kind), f"{row.times:,}", _gaps(row), row.effect) for row in table]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for cells in (head, *rows):
        spelt = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(spelt).rstrip()


def _gaps(row: KindRow) -> str:
    if row.gaps is None:
        return "no time"
    return " to ".join(dict.fromkeys(_seconds(gap) for gap in row.gaps))


def _advice(repeated: list[RequestDeliveries]) -> Iterator[str]:
    found = {again.kind for request in repeated for again in request.duplicates}
    yield from (f"{kind}: {ADVICE[kind]}" for kind in Kind if kind in found)


def _counts(requests: list[RequestDeliveries]) -> dict[Kind, int]:
    found = Counter(again.kind for request in requests for again in request.again)
    return {kind: found[kind] for kind in Kind if found[kind]}


def _summary(requests: list[RequestDeliveries], reading: Read) -> Iterator[str]:
    counts = _counts(requests)
    repeated = sum(bool(request.duplicates) for request in requests)
    unfinished = len(_unfinished(requests))
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    yield (
        f"{several(len(reading.deliveries), 'delivery', 'deliveries')} of"
        f" {several(len(requests), 'request')}, {repeated:,} delivered more than once"
        + (f": {kinds}" if kinds else "")
        + (f"; {unfinished:,} without an end" if unfinished else "")
    )


def _missing(requests: list[RequestDeliveries], reading: Read) -> Iterator[str]:
    """Say what the log lacks, so that something may have stayed unseen."""
    unnamed = sum(not request.is_named for request in requests)
    if unnamed:
        yield (
            f"{several(unnamed, 'request')} without CloudFormation's RequestId in any line: a"
            " sender that sent twice cannot be seen there. Let the handler print it, or give --by"
        )
    unidentified = sum(not delivery.invocation for delivery in reading.deliveries)
    if unidentified:
        yield (
            f"{several(unidentified, 'delivery', 'deliveries')} without Lambda's request id in any"
            " line: there may be more in them, and cfn-once cannot separate them"
        )
    if reading.without_start:
        yield (
            f"{several(reading.without_start, 'invocation')} without a START line: the range begins"
            " in the middle, or system logs are off"
        )
    if reading.without_end:
        yield f"{several(reading.without_end, 'invocation')} without a REPORT line"
    if reading.cut:
        yield f"{several(reading.cut, 'line')} of JSON cut in the middle: read as far as it goes"
    if reading.backwards:
        yield (
            f"{several(reading.backwards, 'line')} older than the one before in the same log"
            " stream: a clock went back, or the file is in no order. They are read by their times,"
            " and gaps may be wrong"
        )


def _document(
    requests: list[RequestDeliveries],
    repeated: list[RequestDeliveries],
    table: list[KindRow],
    reading: Read,
    missing: list[str],
) -> dict[str, Any]:
    counts = _counts(requests)
    return {
        "deliveries": len(reading.deliveries),
        "requests": len(requests),
        "first": _when(reading.first),
        "last": _when(reading.last),
        "kinds": {str(kind): counts.get(kind, 0) for kind in Kind},
        "table": [
            {
                "kind": str(row.kind),
                "times": row.times,
                "gap_seconds": [gap / 1000 for gap in row.gaps or ()],
                "effect": row.effect,
            }
            for row in table
        ],
        "repeated": [
            {
                "request": request.name,
                "first": _delivery_document(request.first),
                "again": [_told_again(again) for again in request.again],
            }
            for request in repeated
        ],
        "unfinished": [
            {
                "request": request.name,
                **_delivery_document(request.unfinished),
                "next": _show(request.unfinished),
            }
            for request in requests
            if request.unfinished
        ],
        "missing": missing,
    }


def _delivery_document(delivery: LoggedDelivery) -> dict[str, Any]:
    return {
        "at": _when(delivery.at),
        "invocation": delivery.invocation,
        "ended": delivery.ended,
        "log_stream": delivery.source.stream,
        "function": delivery.source.function or delivery.source.group,
        "logical_resource_id": delivery.resource,
        "resource_type": delivery.resource_type,
        "request_type": delivery.request_type,
        "outcome": delivery.outcome,
        "physical_resource_id": delivery.physical_id,
        "receive_count": delivery.receives,
    }


def _told_again(again: Again) -> dict[str, Any]:
    return {
        **_delivery_document(again.delivery),
        "kind": str(again.kind),
        "gap_seconds": None if again.gap is None else again.gap / 1000,
        "effect": again.effect.words,
        "may_have_acted_twice": again.effect.is_bad,
    }
