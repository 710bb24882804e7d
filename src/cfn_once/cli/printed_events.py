"""CloudFormation's own fields of an event or a response that a handler has printed in a line.

A line is JSON, a map of Python's, or text with either behind it. What lies under properties and
data is never looked at: names there may be CloudFormation's, and values may be secret.
"""

import ast
import json
import re
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

MARKS = ("RequestId", "LogicalResourceId")  # a request id by itself may be of any AWS service
PRIVATE = ("ResourceProperties", "OldResourceProperties", "Data")
MOST_PARTS = 1_000  # of a line that are looked at
_BROKEN = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)
_NAMED = re.compile(
    r"""["'](RequestId|LogicalResourceId|ResourceType|RequestType|Status|PhysicalResourceId"""
    r"""|StackId|ApproximateReceiveCount|CrHelperPoll)\\*["']\s*:\s*\\*["']?([^"'\\,}]+)"""
)
_PRIVATE = re.compile(rf"""["'](?:{"|".join(PRIVATE)})\\*["']\s*:""")
_RECEIVES = re.compile(r"""["']ApproximateReceiveCount\\*["']\s*:\s*\\*["']?(\d{1,9})""")


def values_in(text: str) -> Mapping[str, Any]:
    """Return the fields of the first event or response in a line; none where there is none."""
    if not all(mark in text for mark in MARKS):
        return {}
    whole = _whole(text)
    found: Mapping[str, Any] = next(_maps(whole), {}) if whole is not None else _cut(text)
    receives = _RECEIVES.search(text)  # of a queue's message around it
    return {"ApproximateReceiveCount": receives[1], **found} if found and receives else found


def _whole(text: str) -> Any:
    """Return the value that stands in a text, from its first brace on; None where it is cut."""
    begins = min((place for place in (text.find("{"), text.find("[{")) if place >= 0), default=-1)
    if begins < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, begins)[0]
    except _BROKEN:
        pass
    ends = max(text.rfind("}"), text.rfind("}]") + 1) + 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes in what is no map of Python's
            return ast.literal_eval(text[begins:ends])
    except _BROKEN:
        return None


def _maps(whole: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the events and responses in a value, the outermost first."""
    parts = deque([whole])
    for _ in range(MOST_PARTS):
        if not parts:
            return
        part = parts.popleft()
        if isinstance(part, dict):
            if all(isinstance(part.get(mark), str) for mark in MARKS):
                yield part
            parts.extend(inner for name, inner in part.items() if name not in PRIVATE)
        elif isinstance(part, list):
            parts.extend(part)
        elif isinstance(part, str) and (values := values_in(part)):
            yield values


def _cut(text: str) -> Mapping[str, Any]:
    """Return what a text that ends in the middle, or is neither, says before anything private."""
    private = _PRIVATE.search(text)
    values: dict[str, Any] = {}
    for name, value in _NAMED.findall(text[: private.start()] if private else text):
        values.setdefault(name, value.strip())
    return values
