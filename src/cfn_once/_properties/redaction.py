"""How records are printed: without the values that are declared secret.

The class that a user declares is given another `__repr__` than the generated one, so that its
instances stay what they are: of that class, equal to others, and with plain values. One that the
user wrote stays.
"""

import dataclasses
import reprlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from .fields import (
    LISTS,
    Field,
    fields_of,
    is_map,
    is_model,
    is_record,
    is_secret,
    is_typeddict,
    is_union,
    member_hints,
    plain,
)

MASK = "*****"


class _Hidden:
    """Stands for a secret in what is printed."""

    def __repr__(self) -> str:
        return repr(MASK)


_HIDDEN = _Hidden()


def hide_secrets(hint: Any, seen: set[Any]) -> None:
    """Let each record in a declared type be printed without its secrets."""
    bare = plain(hint)
    if not is_record(bare):
        for inner in get_args(bare):
            hide_secrets(inner, seen)
    elif bare not in seen:
        seen.add(bare)
        hints = [field.hint for field in fields_of(bare).values()]
        for inner in hints:
            hide_secrets(inner, seen)
        if any(map(_holds_secret, hints)):
            _hide_secrets_of(bare)


def _hide_secrets_of(declared: Any) -> None:
    if is_model(declared):
        if "__repr_args__" not in vars(declared):  # ours, or one that its user wrote
            declared.__repr_args__ = _shown_by_pydantic(declared, declared.__repr_args__)
    elif _is_generated(declared):
        declared.__repr__ = _printed


def _holds_secret(hint: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Tell whether a value has a secret in it that no other record hides."""
    bare = plain(hint)
    if is_secret(hint):
        return True
    if not is_typeddict(bare):  # whose instances are printed as plain maps
        return any(_holds_secret(part, seen) for part in get_args(bare))
    hints = [] if bare in seen else [field.hint for field in fields_of(bare).values()]
    return any(_holds_secret(part, seen | {bare}) for part in hints)


def _is_generated(declared: Any) -> bool:
    """Tell whether nobody has written how a record is printed."""
    if is_typeddict(declared):
        return False  # its instances are plain maps
    if not dataclasses.is_dataclass(declared):
        return bool(declared.__repr__ is sys.modules["msgspec"].Struct.__repr__)
    code = getattr(declared.__repr__, "__code__", None)
    return code is not None and code.co_filename in (dataclasses.__file__, reprlib.__file__)


def _printed(record: Any) -> str:
    kind: Any = type(record)
    shown = [
        f"{field.attribute}={_without(field.hint, getattr(record, field.attribute))!r}"
        for field in fields_of(kind).values()
        if field.attribute not in _omitted(record)
    ]
    return f"{kind.__qualname__}({', '.join(shown)})"


def _omitted(record: Any) -> set[str]:
    """Return the names that a dataclass says are not to be printed."""
    fields = dataclasses.fields(record) if dataclasses.is_dataclass(record) else ()
    return {field.name for field in fields if not field.repr}


def _shown_by_pydantic(
    declared: Any, shown: Callable[[Any], Iterable[Any]]
) -> Callable[[Any], Any]:
    """Return what tells pydantic, and who prints its models, of the names and values of one."""
    hints = {field.attribute: field.hint for field in fields_of(declared).values()}

    def without_secrets(model: Any) -> Iterator[Any]:
        for name, value in shown(model):
            yield name, _without(hints[name], value) if name in hints else value

    return without_secrets


def _without(hint: Any, value: Any) -> Any:
    """Return a value with something else in the place of each secret."""
    if value is None:
        return None
    if is_secret(hint):
        return _HIDDEN
    bare = plain(hint)
    inner, origin = get_args(bare), get_origin(bare) or bare
    if is_union(bare):
        for member in inner:
            value = _without(member, value)
    elif origin in LISTS and isinstance(value, list | tuple | set | frozenset):
        value = type(value)(map(_without, member_hints(bare, len(value)), value))
    elif isinstance(value, Mapping) and (is_map(origin) or is_typeddict(bare)):
        hints = map(_hints_by_name(bare), value)
        value = dict(zip(value, map(_without, hints, value.values()), strict=True))
    return value


def _hints_by_name(declared: Any) -> Callable[[str], Any]:
    """Return what tells how a member of a map or of a typed dictionary is declared."""
    fields: Mapping[str, Field] = fields_of(declared) if is_record(declared) else {}
    inner = get_args(declared)
    other = inner[1] if len(inner) == 2 else Any
    return lambda name: fields[name].hint if name in fields else other
