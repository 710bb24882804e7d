"""What of the properties is secret: as it was sent, as it is read, and as it stands by default."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, get_args

from .fields import (
    ABSENT,
    Field,
    fields_of,
    is_record,
    is_secret,
    is_union,
    member_hints,
    plain,
)
from .forms import Json, is_by_form


def secrets_in(hint: Any, value: Any, *, secret: bool = False) -> Iterator[tuple[Any, Any]]:
    """Yield every scalar that is declared secret, at any depth, each with its hint.

    Names in a secret map are secret as well, those that a record declares are not. A name that is
    absent has its default.
    """
    secret = secret or is_secret(hint)
    bare, value = plain(hint), _opened(value)
    if is_by_form(hint):  # and so is all that is in it
        bare = list[Json] if isinstance(value, list) else dict[str, Json]
    if is_union(bare) or isinstance(value, Mapping | list):
        for part_hint, part in _parts(bare, value, secret=secret):
            yield from secrets_in(part_hint, part, secret=secret)
    elif secret:
        yield hint, value


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts that a value is printed as."""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()  # pydantic's, which prints a mask of its own
    yield str(value)
    if isinstance(value, bytes | bytearray):
        yield value.decode("latin-1")
        yield value.decode(errors="replace")
        yield value.hex()
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))  # as JavaScript has it
    elif isinstance(value, Enum):
        yield str(value.value)
    elif hasattr(value, "as_tuple"):  # a Decimal, whose module nobody else may have loaded
        yield format(value, "f")


def _opened(value: Any) -> Any:
    """Return a record of a default as the map that would be sent of it, and members as a list."""
    kind: Any = type(value)
    if is_record(kind):
        fields = fields_of(kind).values()
        return {field.name: getattr(value, field.attribute) for field in fields}
    return list(value) if isinstance(value, tuple | AbstractSet) else value


def _parts(bare: Any, value: Any, *, secret: bool) -> Iterator[tuple[Any, Any]]:
    """Yield what is inside a value, each part with its hint; for a union each member with it."""
    inner = get_args(bare)
    if is_union(bare):
        yield from ((member, value) for member in inner)
    elif isinstance(value, list):
        yield from zip(member_hints(bare, len(value)), value, strict=True)
    elif is_record(bare):
        fields = fields_of(bare)
        yield from ((fields[name].hint if name in fields else Any, value[name]) for name in value)
        yield from _defaults(fields.values(), value, secret=secret)
    else:
        of_name, of_value = inner if len(inner) == 2 else (Any, Any)
        for name, part in value.items():
            yield of_name, name
            yield of_value, part


def _defaults(
    fields: Iterable[Field], value: Mapping[str, Any], *, secret: bool
) -> Iterator[tuple[Any, Any]]:
    """Yield what a record puts in the place of a name that is absent; what is empty tells nothing.

    What cannot hold a secret is not made: that is the user's own code.
    """
    for field in fields:
        if field.name in value or field.default is None:
            continue
        if secret or holds_secret(field.hint, set()):
            made = field.default()
            if made and made is not ABSENT:
                yield field.hint, made


def holds_secret(hint: Any, seen: set[Any]) -> bool:
    """Tell whether a value of a type has a secret in it, at any depth."""
    bare = plain(hint)
    if is_secret(hint):
        return True
    if not is_record(bare):
        return any(holds_secret(inner, seen) for inner in get_args(bare))
    if bare in seen:
        return False
    seen.add(bare)
    return any(holds_secret(field.hint, seen) for field in fields_of(bare).values())
