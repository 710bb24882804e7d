"""
What is kept of an AWS answer: JSON, without what the service's model marks sensitive.

    datetime, bytes, Decimal     a map with one tag for a name
    a map that bears a tag       wrapped, so that it comes back as it was
    a sensitive member           its name alone; whoever reads it is told what to do instead
"""

import base64
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from .._cloudformation.canonical import Json
from .._errors import SecretNotKept

_WRAPPED, _LEFT_OUT = "$map", "$left_out"
_TAGS = frozenset({"$datetime", "$bytes", "$decimal", _WRAPPED, _LEFT_OUT})


class _Answer(dict[str, Any]):
    """A map some of whose names are left out of the record, and raise when they are read."""

    def __init__(self, kept: Mapping[str, Any], left_out: Collection[str]) -> None:
        super().__init__(kept)
        self._left_out = frozenset(left_out)

    def __missing__(self, name: str) -> Any:
        self._refuse(name)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._refuse(name)
        return super().get(name, default)

    def _refuse(self, name: str) -> None:
        if name in self._left_out:
            raise SecretNotKept(
                f"{name} is a secret, and never kept: make it and store it inside one"
                " self.step(...), in Secrets Manager say, and return where it is stored"
            )


def to_record(value: Any, shape: Any = None) -> Json:
    """Return a value as JSON, without what its shape marks sensitive.

    Args:
        value: What botocore makes of an answer, or takes for a call.
        shape: botocore's model of it; None where there is none.
    """
    if isinstance(value, Mapping):
        return _map_to_record(value, shape)
    if isinstance(value, list | tuple):
        member = getattr(shape, "member", None)
        return [to_record(one, member) for one in value]
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    return f"{type(value).__name__}"  # no member takes it: boto3 will say so


def _map_to_record(value: Mapping[Any, Any], shape: Any) -> Json:
    members = getattr(shape, "members", None)
    if not members:  # a map, or a document of any shape
        member = getattr(shape, "value", None)
        kept = {str(name): to_record(one, member) for name, one in value.items()}
        return {_WRAPPED: kept} if _TAGS & kept.keys() else kept
    whole = _is_sensitive(shape)
    left_out = sorted(n for n in value if n in members and (whole or _is_sensitive(members[n])))
    kept = {
        name: to_record(one, members.get(name))
        for name, one in value.items()
        if name not in left_out
    }
    return {_WRAPPED: kept, _LEFT_OUT: left_out} if left_out else kept


def _is_sensitive(shape: Any) -> bool:
    """Tell whether a value of this shape is a secret, or a list or map of secrets."""
    if shape is None:
        return False
    parts = [getattr(shape, part, None) for part in ("member", "key", "value")]
    return bool(shape.metadata.get("sensitive")) or any(_is_sensitive(one) for one in parts)


def from_record(kept: Json) -> Any:
    """Return the value that a record was made of, less what was left out."""
    if isinstance(kept, list):
        return [from_record(one) for one in kept]
    if not isinstance(kept, dict):
        return kept
    if _WRAPPED in kept:
        plain = {name: from_record(one) for name, one in kept[_WRAPPED].items()}
        return _Answer(plain, kept[_LEFT_OUT]) if _LEFT_OUT in kept else plain
    if "$datetime" in kept:
        return datetime.fromisoformat(kept["$datetime"])
    if "$bytes" in kept:
        return base64.b64decode(kept["$bytes"])
    if "$decimal" in kept:
        return Decimal(kept["$decimal"])
    return {name: from_record(one) for name, one in kept.items()}
