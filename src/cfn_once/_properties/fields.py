"""What a class declares: its names, their types, and what of it nothing could read.

A record is a class with declared names: a dataclass, a msgspec.Struct, a pydantic model or a
TypedDict.
"""

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache, partial
from types import NoneType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

WORDS = {int: "an integer", float: "a number", bool: "true or false", str: "text"}
WORDS |= {bytes: "base64 text"}
LIMITS = {  # of msgspec.Meta
    "ge": "at least",
    "gt": "above",
    "le": "at most",
    "lt": "below",
    "multiple_of": "a multiple of",
    "pattern": "matching",
    "min_length": "length at least",
    "max_length": "length at most",
}
LISTS: Mapping[Any, Callable[[list[Any]], Any]] = {
    list: list,
    Sequence: list,
    tuple: tuple,
    set: set,
    AbstractSet: set,
    frozenset: frozenset,
}
ABSENT = object()
"""The value of a TypedDict's name that need not be there and is not."""


class Secret:
    """Marks a property whose value is never printed: `Annotated[str, Secret]`.

    It is hidden in log lines, in Reasons and in the ledger, and where its record is printed.
    """


class Field(NamedTuple):
    """One declared name.

    Attributes:
        name: As CloudFormation sends it.
        attribute: As the class calls it; another one where the class renames.
        hint: The declared type.
        default: Makes the value of an absent name; None where it must be there.
    """

    name: str
    attribute: str
    hint: Any
    default: Callable[[], Any] | None


def is_model(declared: Any) -> bool:
    """Tell whether a type is a pydantic model."""
    return isinstance(declared, type) and hasattr(declared, "model_fields")


def is_typeddict(declared: Any) -> bool:
    """Tell whether a type is a TypedDict, of `typing` or of `typing_extensions`."""
    is_map_of_names = isinstance(declared, type) and issubclass(declared, dict)
    return is_map_of_names and hasattr(declared, "__required_keys__")


def is_record(declared: Any) -> bool:
    """Tell whether a type declares names."""
    return isinstance(declared, type) and _declares_names(declared)


@cache
def _declares_names(kind: type) -> bool:
    if is_typeddict(kind) or is_model(kind):
        return True
    return dataclasses.is_dataclass(kind) or hasattr(kind, "__struct_fields__")


def is_union(plain: Any) -> bool:
    """Tell whether a type is one of several."""
    return get_origin(plain) in (Union, types.UnionType)


def is_map(origin: Any) -> bool:
    """Tell whether a type is a map without declared names."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_fixed(bare: Any) -> bool:
    """Tell whether a type is a tuple with a hint for each of its members."""
    return get_origin(bare) is tuple and get_args(bare)[-1:] != (Ellipsis,)


def is_secret(hint: Any) -> bool:
    """Tell whether a hint is marked secret; pydantic's SecretStr is by its nature."""
    while True:
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        if any(mark is Secret or isinstance(mark, Secret) for mark in marks):
            return True
        if (inner := _inside(hint)) is hint:
            return hasattr(hint, "get_secret_value")
        hint = inner


def plain(hint: Any) -> Any:
    """Return a hint without its marks and its other names."""
    while (inner := _inside(hint)) is not hint:
        hint = inner
    return hint


def _inside(hint: Any) -> Any:
    """Return what a mark or another name is around; a plain type as it is."""
    if get_origin(hint) in (Annotated, Final):
        return get_args(hint)[0]
    if isinstance(hint, NewType):
        return hint.__supertype__
    if type(hint).__name__ == "TypeAliasType":  # `type X = ...`, from Python 3.12 on
        return hint.__value__
    return hint


def choices(bare: Any) -> Sequence[tuple[Any, Any]]:
    """Return what a Literal or an Enum lets choose, each with its value; any other type nothing."""
    if get_origin(bare) is Literal:
        return [(value, value) for value in get_args(bare)]
    if isinstance(bare, type) and issubclass(bare, Enum):
        return [(member, member.value) for member in bare]
    return []


def member_hints(bare: Any, count: int) -> list[Any]:
    """Return a hint for each member of a list; the last one stands for those that have none."""
    hints = [hint for hint in get_args(bare) if hint is not Ellipsis] or [Any]
    return [*hints, *hints[-1:] * count][:count]


def limits(hint: Any) -> list[Any]:
    """Return the msgspec.Meta of a hint."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return [mark for mark in marks if type(mark).__module__.startswith("msgspec")]


@cache
def fields_of(declared: Any) -> Mapping[str, Field]:
    """Return the fields of a record, by the names that CloudFormation sends."""
    if is_model(declared):
        found = _model_fields(declared)
    elif is_typeddict(declared):
        found = _typed_dict_fields(declared)
    elif dataclasses.is_dataclass(declared):
        found = _dataclass_fields(declared)
    else:
        found = _struct_fields(declared)
    return {field.name: field for field in found}


def names_of(made: Any) -> list[str]:
    """Return the attributes of an instance of a declared class; of anything else none."""
    kind: Any = type(made)
    return [field.attribute for field in fields_of(kind).values()] if is_record(kind) else []


def _dataclass_fields(declared: Any) -> Iterator[Field]:
    hints = get_type_hints(declared, include_extras=True)
    for field in dataclasses.fields(declared):
        if field.init:
            default = _default(field.default, field.default_factory, dataclasses.MISSING)
            yield Field(field.name, field.name, hints[field.name], default)


def _struct_fields(declared: Any) -> Iterator[Field]:
    msgspec = sys.modules["msgspec"]  # a declared Struct means that it is loaded
    for field in msgspec.structs.fields(declared):
        default = _default(field.default, field.default_factory, msgspec.NODEFAULT)
        yield Field(field.encode_name, field.name, field.type, default)


def _model_fields(declared: Any) -> Iterator[Field]:
    for attribute, info in declared.model_fields.items():
        hint = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        name = info.validation_alias if isinstance(info.validation_alias, str) else attribute
        made = None if info.is_required() else partial(info.get_default, call_default_factory=True)
        yield Field(name, attribute, hint, made)


def _typed_dict_fields(declared: Any) -> Iterator[Field]:
    for name, hint in get_type_hints(declared, include_extras=True).items():
        bare = get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint
        needed = name in declared.__required_keys__
        yield Field(name, name, bare, None if needed else lambda: ABSENT)


def _default(value: Any, factory: Any, missing: Any) -> Callable[[], Any] | None:
    if value is not missing:
        return lambda: value
    made: Callable[[], Any] | None = None if factory is missing else factory
    return made


def expected(hint: Any) -> str:
    """Say in words what a hint declares."""
    bare = plain(hint)
    if is_union(bare):
        return " or ".join(expected(member) for member in get_args(bare) if member is not NoneType)
    bounds = [
        f"{words} {limit}"
        for mark in limits(hint)
        for name, words in LIMITS.items()
        if (limit := getattr(mark, name)) is not None
    ]
    return _kind(bare) + (f" ({', '.join(bounds)})" if bounds else "")


def _kind(bare: Any) -> str:
    origin = get_origin(bare) or bare
    if options := choices(bare):
        return "one of " + ", ".join(str(value) for _, value in options)
    if is_fixed(bare):
        return f"a list of {len(get_args(bare))}"
    if origin in LISTS:
        return "a list"
    if is_map(origin) or is_record(bare):
        return "a map"
    return WORDS.get(bare, getattr(bare, "__name__", str(bare)))


def as_text(value: Any) -> str | None:
    """Return a scalar as CloudFormation sends it; None where it is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
