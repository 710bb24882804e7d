"""The one JSON text of a value, its fingerprint, and its kind in words."""

import json
from typing import Any

Json = Any
"""Text, number, boolean, None, or a list or map of these."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Json) -> str:
    """Return the one JSON text of a value: sorted, without spaces."""
    return _CANONICAL.encode(value)


def fingerprint(value: Json) -> str:
    """Return 16 hex digits of a value's canonical JSON."""
    import hashlib  # loads OpenSSL: paid by the first event, not by a cold start

    text = canonical(value).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def is_utf8(text: str) -> bool:
    """Tell whether UTF-8 can hold a text: JSON can spell half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def kind_of(value: Json) -> str:
    """Name the kind of a JSON value in words, never the value: it may be secret."""
    if value is None:
        return "null"
    if value == "":
        return "empty text"
    for kind, name in ((bool, "a boolean"), (str, "text"), (dict, "a map"), (list, "a list")):
        if isinstance(value, kind):
            return name
    return "a number" if isinstance(value, int | float) else type(value).__name__


def is_deeper(value: Json, levels: int) -> bool:
    """Tell whether lists and maps lie inside one another for more levels than these."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
