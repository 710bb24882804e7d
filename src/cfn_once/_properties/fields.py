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
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from .._cloudformation.canonical import Json
from .._errors import ConfigurationError

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
SCALARS = (str, int, float, bool, bytes, bytearray, object, type(None))
SCALAR_NAMES = frozenset(  # by name, so that nobody's import is paid for
    f"{module}.{name}"
    for module, names in {
        "datetime": ("date", "datetime", "time", "timedelta"),
        "decimal": ("Decimal",),
        "uuid": ("UUID",),
    }.items()
    for name in names
)
ABSENT = object()
"""The value of a TypedDict's name that need not be there and is not."""


class Secret:
    """Marks a property whose value is never printed: `Annotated[str, Secret]`."""


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


def is_record(declared: Any) -> bool:
    """Tell whether a type declares names."""
    if is_typeddict(declared) or is_model(declared):
        return True
    return isinstance(declared, type) and (
        dataclasses.is_dataclass(declared) or hasattr(declared, "__struct_fields__")
    )


def is_union(plain: Any) -> bool:
    """Tell whether a type is one of several."""
    return get_origin(plain) in (Union, types.UnionType)


def is_map(origin: Any) -> bool:
    """Tell whether a type is a map without declared names."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_secret(hint: Any) -> bool:
    """Tell whether a hint is marked secret; pydantic's SecretStr is by its nature."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return is_secret(inner) or any(one is Secret or isinstance(one, Secret) for one in marks)
    return hasattr(hint, "get_secret_value")


def plain(hint: Any) -> Any:
    """Return a hint without its marks and its other names."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":  # `type X = ...`, from Python 3.12 on
            hint = hint.__value__
        else:
            return hint


def limits(hint: Any) -> list[Any]:
    """Return the msgspec.Meta of a hint."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return [one for one in marks if type(one).__module__.startswith("msgspec")]


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


def _dataclass_fields(declared: Any) -> Iterator[Field]:
    hints = get_type_hints(declared, include_extras=True)
    for one in dataclasses.fields(declared):
        if one.init:
            default = _default(one.default, one.default_factory, dataclasses.MISSING)
            yield Field(one.name, one.name, hints[one.name], default)


def _struct_fields(declared: Any) -> Iterator[Field]:
    msgspec = sys.modules["msgspec"]  # whoever declares a Struct has loaded it
    for one in msgspec.structs.fields(declared):
        default = _default(one.default, one.default_factory, msgspec.NODEFAULT)
        yield Field(one.encode_name, one.name, one.type, default)


def _model_fields(declared: Any) -> Iterator[Field]:
    for attribute, one in declared.model_fields.items():
        hint = Annotated[(one.annotation, *one.metadata)] if one.metadata else one.annotation
        name = one.validation_alias if isinstance(one.validation_alias, str) else attribute
        default = None if one.is_required() else partial(one.get_default, call_default_factory=True)
        yield Field(name, attribute, hint, default)


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


def check_record(declared: Any, seen: set[Any]) -> None:
    """Refuse, when a class is defined, what could be read in no request.

    Raises:
        ConfigurationError: Names the class, the name and what to declare instead.
    """
    if declared in seen or is_model(declared):
        return  # pydantic has refused by itself what it cannot read
    seen.add(declared)
    for field in fields_of(declared).values():
        _check_hint(f"{declared.__name__}.{field.attribute}", field.hint, seen)


def _check_hint(where: str, hint: Any, seen: set[Any]) -> None:
    bare = plain(hint)
    inner, origin = get_args(bare), get_origin(bare) or bare
    if origin is Literal:
        if any(isinstance(one, bool) for one in inner):
            raise ConfigurationError(f"{where}: Literal[True] cannot say no: declare a bool")
        return
    if is_union(bare):
        _check_union(where, hint, [plain(one) for one in inner])
    elif is_record(bare):
        check_record(bare, seen)
    elif not _is_readable(origin):
        raise ConfigurationError(
            f"{where}: nothing reads {getattr(bare, '__name__', bare)} out of CloudFormation's"
            " text: declare text, a number, a boolean, an Enum, a dataclass, or a list or map"
        )
    for one in inner:
        if one is not Ellipsis:
            _check_hint(where, one, seen)


def _check_union(where: str, hint: Any, members: Sequence[Any]) -> None:
    records = [one for one in members if is_record(one)]
    maps = [one for one in members if not is_record(one) and is_map(get_origin(one) or one)]
    if len(records) > 1 or (records and maps):
        raise ConfigurationError(
            f"{where}: a union of several records or maps cannot be told apart: declare one of them"
        )
    if limits(hint):
        raise ConfigurationError(
            f"{where}: limits of a union belong to one member: Annotated[int, Meta(ge=1)] | None"
        )


def _is_readable(origin: Any) -> bool:
    if origin is Any or not isinstance(origin, type) or origin in LISTS or is_map(origin):
        return True
    named = f"{origin.__module__}.{origin.__qualname__}"
    return origin in SCALARS or named in SCALAR_NAMES or issubclass(origin, Enum)


def expected(hint: Any) -> str:
    """Say in words what a hint declares."""
    bare = plain(hint)
    inner, origin = get_args(bare), get_origin(bare) or bare
    if is_union(bare):
        return " or ".join(expected(one) for one in inner if one is not type(None))
    told = [
        f"{words} {limit}"
        for mark in limits(hint)
        for name, words in LIMITS.items()
        if (limit := getattr(mark, name)) is not None
    ]
    return _kind(bare, origin, inner) + (f" ({', '.join(told)})" if told else "")


def _kind(bare: Any, origin: Any, inner: tuple[Any, ...]) -> str:
    if origin is Literal:
        return "one of " + ", ".join(str(one) for one in inner)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return "one of " + ", ".join(str(one.value) for one in bare)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return f"a list of {len(inner)}"
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


def secret_texts(hint: Any, value: Json, *, secret: bool = False) -> Iterator[str]:
    """Yield the text of every value that is declared secret, at any depth."""
    secret = secret or is_secret(hint)
    bare = plain(hint)
    inner = get_args(bare)
    if is_union(bare):
        for member in inner:
            yield from secret_texts(member, value, secret=secret)
    elif isinstance(value, Mapping):
        fields = fields_of(bare) if is_record(bare) else {}
        other = inner[1] if len(inner) == 2 else Any
        for name, one in value.items():
            of_one = fields[name].hint if name in fields else other
            yield from secret_texts(of_one, one, secret=secret)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            fixed = len(inner) == len(value) and ... not in inner
            of_one = inner[place if fixed else 0] if inner else Any
            yield from secret_texts(of_one, one, secret=secret)
    elif secret and (text := as_text(value)):
        yield text
