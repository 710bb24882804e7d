"""
What the ledger keeps of an AWS call: JSON, without what the service's model marks sensitive.

    datetime, bytes, Decimal     a map with one tag for a name
    a map that bears a tag       wrapped, so that it comes back as it was
    a sensitive member           its name alone; reading it raises an error that says what to do
    an error                     its kind, with its response where there was one
"""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import botocore.exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel

from .._cloudformation.canonical import Json
from .._errors import ConfigurationError, SecretNotKept
from .call import failure_from_record, failure_to_record

_WRAPPED, _LEFT_OUT = "$map", "$left_out"
_DECODERS: Mapping[str, Callable[[str], Any]] = {
    "$datetime": datetime.fromisoformat,
    "$bytes": base64.b64decode,
    "$decimal": Decimal,
}
_TAGS = frozenset({*_DECODERS, _WRAPPED, _LEFT_OUT})


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
        return [to_record(element, member) for element in value]
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
        inner = getattr(shape, "value", None)
        kept = {str(name): to_record(member, inner) for name, member in value.items()}
        return {_WRAPPED: kept} if _TAGS & kept.keys() else kept
    whole = _is_sensitive(shape)
    left_out = sorted(n for n in value if n in members and (whole or _is_sensitive(members[n])))
    kept = {
        name: to_record(member, members.get(name))
        for name, member in value.items()
        if name not in left_out
    }
    return {_WRAPPED: kept, _LEFT_OUT: left_out} if left_out else kept


def _is_sensitive(shape: Any) -> bool:
    """Tell whether a value of this shape is a secret, or a list or map of secrets."""
    if shape is None:
        return False
    parts = [getattr(shape, part, None) for part in ("member", "key", "value")]
    return bool(shape.metadata.get("sensitive")) or any(_is_sensitive(part) for part in parts)


@lru_cache(maxsize=256)
def tells_secrets(operation: OperationModel) -> bool:
    """Tell whether what an operation is given, or answers, has a sensitive member at any depth."""
    seen, left = set[str](), [operation.input_shape, operation.output_shape]
    while left:
        shape: Any = left.pop()
        if shape is None or shape.name in seen:
            continue
        if _is_sensitive(shape):
            return True
        seen.add(shape.name)
        left += [getattr(shape, part, None) for part in ("member", "key", "value")]
        left += getattr(shape, "members", {}).values()
    return False


def from_record(kept: Json) -> Any:
    """Return the value that a record was made of, less what was left out."""
    if isinstance(kept, list):
        return [from_record(element) for element in kept]
    if not isinstance(kept, dict):
        return kept
    if _WRAPPED in kept:
        plain = {name: from_record(member) for name, member in kept[_WRAPPED].items()}
        return _Answer(plain, kept[_LEFT_OUT]) if _LEFT_OUT in kept else plain
    for tag, decode in _DECODERS.items():
        if tag in kept:
            return decode(kept[tag])
    return {name: from_record(member) for name, member in kept.items()}


def response_to_record(response: Mapping[str, Any], *, shape: Any) -> Json:
    """Keep a response, with as much of its metadata as a later run can return again."""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return to_record({**response, "ResponseMetadata": {"HTTPStatusCode": status}}, shape)


def error_to_record(error: Exception, *, operation: Any) -> Json:
    """Keep an error, with the response that it brings.

    Args:
        error: What boto3 raised.
        operation: botocore's model of what was called.
    """
    if not isinstance(error, ClientError):
        return failure_to_record(error)
    code, shapes = error.response.get("Error", {}).get("Code", ""), operation.error_shapes
    shape = next((shape for shape in shapes if code in (shape.name, shape.error_code)), None)
    return {
        "kind": type(error).__name__,
        "operation": error.operation_name,
        "response": response_to_record(error.response, shape=shape),
    }


def error_from_record(kept: Json, *, classes: Any) -> Exception:
    """Return the error of an operation: of boto3 where it was one, else StepFailed.

    Args:
        kept: Its record.
        classes: The `exceptions` of the client.
    """
    if "response" in kept:
        made = getattr(classes, kept["kind"], ClientError)
        answered: Exception = made(from_record(kept["response"]), kept["operation"])
        return answered
    kind = getattr(botocore.exceptions, kept["kind"], None)
    if isinstance(kind, type) and issubclass(kind, BotoCoreError):
        error = kind.__new__(kind)
        Exception.__init__(error, kept["message"])  # its own wants the parts of the message
        error.kwargs = {}
        return error
    if kept["kind"] == ConfigurationError.__name__:
        return ConfigurationError(kept["message"])
    return failure_from_record(kept)
