"""What of a declared class nothing could read, or answer: refused when the class is defined."""

import dataclasses
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

from .._errors import ConfigurationError, text_of
from .fields import (
    LISTS,
    Field,
    fields_of,
    is_map,
    is_model,
    is_record,
    is_typeddict,
    is_union,
    limits,
    plain,
)

SCALARS = (str, int, float, bool, bytes, bytearray, object, NoneType)
SCALAR_NAMES = frozenset(  # by name, so that nobody's import is paid for
    f"{module}.{name}"
    for module, names in {
        "datetime": ("date", "datetime", "time", "timedelta"),
        "decimal": ("Decimal",),
        "uuid": ("UUID",),
    }.items()
    for name in names
)
JSON_LISTS = (list, tuple, Sequence)


class Declaration:
    """The check of one declared class, and of everything in it.

    Args:
        is_read: It is read out of CloudFormation's text; else it is answered, as JSON.
    """

    def __init__(self, *, is_read: bool) -> None:
        self._is_read, self._seen = is_read, set[Any]()

    def check(self, declared: Any) -> None:
        """Refuse what could be read in no request, or would be answered in none.

        Raises:
            ConfigurationError: Names the class, the name and what to declare instead.
        """
        if declared in self._seen:
            return
        self._seen.add(declared)
        for name in _hidden_types(declared):
            raise ConfigurationError(
                f"{declared.__name__}.{name} has the name of its type, and Python takes its"
                f" default for the type: rename the type, as in {name}Type = {name}, or leave out"
                " the default"
            )
        fields = _fields(declared)
        if not is_model(declared):  # pydantic refuses by itself what it cannot read
            for field in fields.values():
                self._check_hint(f"{declared.__name__}.{field.attribute}", field.hint)
        elif self._is_read:
            self._check_model(declared, fields.values())

    def _check_model(self, declared: Any, fields: Iterable[Field]) -> None:
        for attribute, info in declared.model_fields.items():
            if info.validation_alias is not None and not isinstance(info.validation_alias, str):
                raise ConfigurationError(
                    f"{declared.__name__}.{attribute}: cfn-once needs one name for a property, and"
                    " its validation_alias has several: write Field(alias=...) with a text"
                )
        left = [field.hint for field in fields]
        while left:
            bare = plain(left.pop())
            if is_record(bare):
                self.check(bare)
            left += [part for part in get_args(bare) if part is not Ellipsis]

    def _check_hint(self, where: str, hint: Any) -> None:
        bare = plain(hint)
        inner, origin = get_args(bare), get_origin(bare) or bare
        if self._is_read:
            _check_readable(where, hint)
            _check_resolved(where, bare)
        if origin is Literal:
            return
        if is_record(bare):
            self.check(bare)
        elif not (is_union(bare) or self._is_possible(origin)):
            raise ConfigurationError(self._impossible(where, getattr(bare, "__name__", str(bare))))
        for member in inner:
            if member is not Ellipsis:
                self._check_hint(where, member)

    def _is_possible(self, origin: Any) -> bool:
        if origin is Any or not isinstance(origin, type) or is_map(origin):
            return True
        if not self._is_read:
            is_scalar = issubclass(origin, str | int | float | Enum)
            return is_scalar or origin in (*JSON_LISTS, object, NoneType)
        named = f"{origin.__module__}.{origin.__qualname__}"
        is_scalar = origin in SCALARS or named in SCALAR_NAMES
        return is_scalar or origin in LISTS or issubclass(origin, Enum)

    def _impossible(self, where: str, named: str) -> str:
        if self._is_read:
            return (
                f"{where}: nothing reads {named} out of CloudFormation's text: declare text, a"
                " number, a boolean, an Enum, a dataclass, or a list or map"
            )
        return (
            f"{where}: {named} is not JSON, and cannot be sent: declare text, a number, a"
            " boolean, a dataclass, or a list or map of these"
        )


def _fields(declared: Any) -> Mapping[str, Field]:
    try:
        if not getattr(declared, "__pydantic_complete__", True):
            declared.model_rebuild()
        return fields_of(declared)
    except Exception as error:  # noqa: BLE001 - evaluates what the author wrote, which may raise anything
        raise ConfigurationError(
            f"the types of {declared.__name__} cannot be read: {type(error).__name__}:"
            f" {text_of(error)}. Define what they name at the level of {declared.__module__}, above"
            " the class that uses it, and give no property with a default the name of a type"
        ) from None


def _hidden_types(declared: Any) -> Iterator[str]:
    """Yield the names whose default hides the type of the same name.

    In a class body a name is looked up among those that the class has already: after
    `Rules: Rules = None`, the type of Rules is None.
    """
    for field in _raw_fields(declared):
        if field.default is dataclasses.MISSING or field.default is _no_default():
            hides = isinstance(field.type, dataclasses.Field)  # field(default_factory=...)
        elif isinstance(field.type, str) and field.type is not field.default:
            # A text is looked up in the module, then in the class, then among what is built in.
            names = getattr(sys.modules.get(declared.__module__), "__dict__", {})
            is_own = re.search(rf"\b{re.escape(field.name)}\b", field.type) is not None
            hides = is_own and field.name not in names
        else:
            hides = _is_taken_for(field.default, field.type)
        if hides:
            yield field.name


def _raw_fields(declared: Any) -> Sequence[Any]:
    if dataclasses.is_dataclass(declared):
        return dataclasses.fields(declared)
    if hasattr(declared, "__struct_fields__"):
        try:
            found: Sequence[Any] = sys.modules["msgspec"].structs.fields(declared)
        except Exception:  # noqa: BLE001 - as in `_fields`, which says so
            return ()
        return found
    return ()


def _no_default() -> Any:
    """Return what msgspec takes for no default, where somebody has loaded it."""
    return getattr(sys.modules.get("msgspec"), "NODEFAULT", dataclasses.MISSING)


def _is_taken_for(default: Any, hint: Any) -> bool:
    """Tell whether a default stands where a type should."""
    if isinstance(hint, dataclasses.Field):
        return True
    if default is None:
        if is_union(hint) or get_origin(hint) is Literal:
            return False  # they may well say None
        return hint in (None, NoneType) or any(_is_taken_for(None, part) for part in get_args(hint))
    return hint is default


def _check_readable(where: str, hint: Any) -> None:
    bare = plain(hint)
    if get_origin(bare) is Literal and any(isinstance(value, bool) for value in get_args(bare)):
        raise ConfigurationError(f"{where}: Literal[True] cannot say no: declare a bool")
    if is_union(bare):
        _check_union(where, hint, [plain(member) for member in get_args(bare)])


def _check_resolved(where: str, bare: Any) -> None:
    """Refuse what stands for a type that is said elsewhere: a secret would be missed in it."""
    origin = get_origin(bare)
    is_alias = type(origin).__name__ == "TypeAliasType"
    is_generic = is_alias or is_typeddict(origin) or dataclasses.is_dataclass(origin)
    if isinstance(bare, TypeVar) or is_generic:
        raise ConfigurationError(
            f"{where}: cfn-once does not resolve the types of generic classes, here {bare}: declare"
            " a class without type parameters, with the types themselves"
        )


def _is_plain_map(member: Any) -> bool:
    return not is_record(member) and is_map(get_origin(member) or member)


def _check_union(where: str, hint: Any, members: Sequence[Any]) -> None:
    records = [member for member in members if is_record(member)]
    if len(records) > 1 or (records and any(map(_is_plain_map, members))):
        raise ConfigurationError(
            f"{where}: cfn-once cannot tell which member of a union of several records or"
            " maps is meant: declare one of them"
        )
    if limits(hint):
        raise ConfigurationError(
            f"{where}: limits of a union belong to one member: Annotated[int, Meta(ge=1)] | None"
        )
