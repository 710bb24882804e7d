"""From the lines of a log to the deliveries of which they tell."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from .line_content import Event, Facts, LineContent, content_of
from .log_lines import InOrder, LogLine


class LogSource(NamedTuple):
    """Where the lines of a delivery are; a part is empty if no line says it.

    Attributes:
        group: The log group.
        stream: The log stream.
        function: The function's name, as cfn-once has it.
    """

    group: str = ""
    stream: str = ""
    function: str = ""


_source = lru_cache(maxsize=4_096)(LogSource)  # the same for thousands of deliveries


class LoggedDelivery(NamedTuple):
    """One request in one invocation.

    Attributes:
        request: CloudFormation's RequestId, or what the caller has a name by; empty where no line
            of the invocation tells.
        invocation: Lambda's request id.
        at: When it began, in milliseconds since 1970; None if no line says it.
        ended: How the invocation ended: success, error, timeout; empty if no line says it.
        source: Where its lines are.
        correlation_id: Of its resource, as cfn-once has it; empty if no line says it.
        outcome: What its handler came to: SUCCESS, FAILED, or a word of cfn-once's.
        physical_id: The one in its response, where a handler has printed that.
        receives: How often a queue has handed it out; 0 if no line says it.
        is_ours: cfn-once has written of it.
        is_suppressed: It had no effect, as cfn-once says.
        is_replay: It sent the recorded response again.
        is_in_doubt: It has a step in doubt.
        execution: The how-many-eth execution of the request it is; 0 if no line says it.
        resumes: A hook that waits goes on in it: cfn-once's, or crhelper's polling.
        polls: It has asked crhelper to do so.
        is_in_batch: Its invocation has delivered the request before, as a batch of a queue does.
    """

    request: str
    invocation: str
    at: int | None
    ended: str = ""
    source: LogSource = LogSource()
    correlation_id: str = ""
    resource: str = ""
    resource_type: str = ""
    request_type: str = ""
    outcome: str = ""
    physical_id: str = ""
    receives: int = 0
    is_ours: bool = False
    is_suppressed: bool = False
    is_replay: bool = False
    is_in_doubt: bool = False
    execution: int = 0
    resumes: bool = False
    polls: bool = False
    is_in_batch: bool = False


class Read(NamedTuple):
    """What a log tells.

    Attributes:
        deliveries: In the order in which they began.
        lines: How many lines were read.
        cut: How many of them are JSON objects that end in the middle.
        backwards: How many of them are older than the one before in their log stream.
        without_start: How many invocations have no START line.
        without_end: How many invocations have no line that tells how they ended.
        first: The time of the oldest line.
        last: The time of the newest line.
    """

    deliveries: list[LoggedDelivery]
    lines: int
    cut: int
    backwards: int
    without_start: int
    without_end: int
    first: int | None
    last: int | None


_ONCE = ("has_begun", "is_told")  # of each delivery, cfn-once has one such line


@dataclass(slots=True)
class _Invocation:
    """One invocation, while its lines are read."""

    id: str
    stream: str
    has_start: bool
    at: int | None
    group: str = ""
    ended: str = ""
    is_over: bool = False
    requests: list[Facts] = field(default_factory=list)

    def take(self, content: LineContent, line: LogLine) -> None:
        self.at = line.at if self.at is None else self.at
        self.ended = content.ended or self.ended
        if content.event is Event.REPORT:
            self.ended, self.is_over = self.ended or "success", True
        if content.facts:
            self._facts_of(content.facts, line).update(content.facts)

    def _facts_of(self, facts: Facts, line: LogLine) -> Facts:
        """Return what is known of a request, or of its next delivery in the same invocation."""
        request = facts["request"]
        for known in reversed(self.requests):
            if known["request"] == request:
                if not any(known.get(name) and facts.get(name) for name in _ONCE):
                    return known
                new = {"request": request, "at": line.at, "is_in_batch": self.has_start}
                break
        else:
            new = {"request": request}
        self.requests.append(new)
        return new

    def deliveries(self) -> Iterable[LoggedDelivery]:
        for facts in self.requests or [{}]:
            known: dict[str, Any] = {"request": "", "at": self.at, **facts}
            source = _source(self.group, self.stream, str(known.pop("function", "")))
            for name in ("has_begun", "is_told", "is_raised"):
                known.pop(name, None)
            for name in ("resource", "resource_type", "request_type", "outcome"):
                known[name] = intern(str(known.get(name, "")))
            # Where Lambda prints no lines of its own, its word tells how it ended.
            ended = self.ended or ("success" if facts.get("outcome") else "")
            ended = "error" if facts.get("is_raised") and ended != "timeout" else ended
            yield LoggedDelivery(invocation=self.id, ended=intern(ended), source=source, **known)


class LogReader:
    """Reads lines, in the order of their times.

    Args:
        by: As `content_of` takes it.
    """

    def __init__(self, by: re.Pattern[str] | None = None) -> None:
        self._by = by
        self._alive: dict[str, dict[str, _Invocation]] = {}
        self._over: dict[str, list[_Invocation]] = {}
        self._current: dict[str, _Invocation] = {}
        self._deliveries: list[LoggedDelivery] = []
        self._lines = self._cut = self._no_start = self._no_end = 0
        self._first: int | None = None
        self._last: int | None = None

    def read(self, line: LogLine) -> None:
        """Read the next line."""
        self._lines += 1
        stream = intern(f"{line.group} {line.stream}" if line.group else line.stream)
        self._look_at_clock(line.at)
        content = content_of(line.text, self._by)
        self._cut += content.event is Event.CUT
        invocation = self._invocation(content, stream, line)
        if invocation is None:
            return
        was_over = invocation.is_over
        invocation.take(content, line)
        if invocation.is_over and not was_over:
            self._over.setdefault(stream, []).append(invocation)

    def _look_at_clock(self, at: int | None) -> None:
        if at is None:
            return
        self._first = at if self._first is None else min(at, self._first)
        self._last = at if self._last is None else max(at, self._last)

    def _invocation(self, content: LineContent, stream: str, line: LogLine) -> _Invocation | None:
        """Return the invocation that a line is of."""
        alive = self._alive.setdefault(stream, {})
        if not content.invocation:
            if stream not in self._current and content.facts:
                return self._open("", stream, line)
            return self._current.get(stream)
        if content.event is Event.START:
            return self._open(content.invocation, stream, line, has_start=True)
        return alive.get(content.invocation) or self._open(content.invocation, stream, line)

    def _open(
        self, spelt: str, stream: str, line: LogLine, *, has_start: bool = False
    ) -> _Invocation:
        alive = self._alive[stream]
        # Lines of an invocation may stand behind its REPORT, but behind no other's START.
        for old in self._over.pop(stream, ()):
            if alive.pop(old.id, None) is not None:
                self._close(old)
        if spelt in alive:
            self._close(alive.pop(spelt))
        opened = _Invocation(spelt, intern(line.stream), has_start, line.at, line.group)
        alive[spelt] = self._current[stream] = opened
        return opened

    def _close(self, invocation: _Invocation) -> None:
        self._no_start += not invocation.has_start
        self._no_end += not invocation.ended and not invocation.is_over
        self._deliveries.extend(invocation.deliveries())

    def end(self, backwards: int) -> Read:
        """Return what all lines tell, so many of which were older than the one before."""
        for alive in self._alive.values():
            for invocation in alive.values():
                self._close(invocation)
        self._alive.clear()
        self._deliveries.sort(key=lambda delivery: delivery.at or 0)
        return Read(
            self._deliveries,
            self._lines,
            self._cut,
            backwards,
            self._no_start,
            self._no_end,
            self._first,
            self._last,
        )


def read(lines: Iterable[LogLine], by: re.Pattern[str] | None = None) -> Read:
    """Return what the lines of a log tell."""
    reader, ordered = LogReader(by), InOrder(lines)
    for line in ordered:
        reader.read(line)
    return reader.end(ordered.backwards)
