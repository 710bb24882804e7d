"""What a hook returned: whether it is what its class declares, and how it is answered.

    returned ──► JSON's own kinds ──► compared with the declared names and types ──► flat: a.b

Unlike CloudFormation's text, nothing is converted: the hook is the author's own, and is corrected.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin

from .._cloudformation.canonical import Json, kind_of
from .fields import (
    ABSENT,
    LISTS,
    choices,
    expected,
    fields_of,
    is_fixed,
    is_map,
    is_model,
    is_record,
    is_union,
    member_hints,
    plain,
)
from .suggestions import did_you_mean

_SCALARS: Mapping[Any, type | tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    NoneType: (NoneType,),
}


def to_json(value: Any) -> Json:
    """Return a value with records as maps, tuples as lists and enums as their values."""
    kind: Any = type(value)
    if is_model(kind):
        return to_json(value.model_dump(by_alias=True))
    if is_record(kind):
        fields = fields_of(kind).values()
        return {field.name: to_json(getattr(value, field.attribute)) for field in fields}
    if isinstance(value, Mapping):
        return {name: to_json(member) for name, member in value.items()}
    if isinstance(value, Enum):
        return value.value
    return [to_json(member) for member in value] if isinstance(value, list | tuple) else value


def with_defaults(data: Mapping[str, Json], declared: Any) -> dict[str, Json]:
    """Return a map with the declared defaults of the names that it lacks, in records inside too."""
    filled = dict(data)
    for field in fields_of(declared).values():
        value, bare = filled.get(field.name), plain(field.hint)
        if field.name not in filled and field.default is not None:
            value = to_json(field.default())
        if is_record(bare) and isinstance(value, dict):
            value = with_defaults(value, bare)
        if value is not ABSENT:
            filled[field.name] = value
    return filled


def misfits(data: Mapping[str, Json], declared: Any, prefix: str = "") -> Iterator[str]:
    """Yield what of a map differs from a declared class, each by its path and without a value."""
    fields = fields_of(declared)
    for field in fields.values():
        path = prefix + field.name
        if field.name in data:
            yield from _misfits(data[field.name], field.hint, path)
        elif field.default is None:
            yield f"{path}: missing"
    for name in sorted(str(name) for name in data if name not in fields):
        yield f"{prefix}{name}: unknown{did_you_mean(name, fields)}"


def _misfits(value: Json, hint: Any, path: str) -> Iterator[str]:
    bare = plain(hint)
    origin = get_origin(bare) or bare
    if is_union(bare):
        yield from _misfits_of_union(value, hint, path)
    elif is_record(bare) and isinstance(value, dict):
        yield from misfits(value, bare, f"{path}.")
    elif origin in LISTS and isinstance(value, list):
        yield from _misfits_of_list(value, hint, path)
    elif is_map(origin) and isinstance(value, dict):
        yield from _misfits_of_map(value, bare, path)
    elif not _fits(value, bare):
        yield _refused(value, hint, path)


def _misfits_of_union(value: Json, hint: Any, path: str) -> Iterator[str]:
    members = get_args(plain(hint))
    found = [list(_misfits(value, member, path)) for member in members]
    if all(found):
        of_parts = [wrong for wrong in found if not wrong[0].startswith(f"{path}: expected")]
        yield from of_parts[0] if len(of_parts) == 1 else [_refused(value, hint, path)]


def _misfits_of_list(value: list[Json], hint: Any, path: str) -> Iterator[str]:
    bare = plain(hint)
    if is_fixed(bare) and len(get_args(bare)) != len(value):
        yield f"{path}: expected {expected(hint)}, got a list of {len(value)}"
        return
    hints = member_hints(bare, len(value))
    for place, (member, of_member) in enumerate(zip(value, hints, strict=True)):
        yield from _misfits(member, of_member, f"{path}[{place}]")


def _misfits_of_map(value: Mapping[str, Json], bare: Any, path: str) -> Iterator[str]:
    *_, of_value = get_args(bare) or (Any,)
    for name, member in value.items():
        yield from _misfits(member, of_value, f"{path}.{name}")


def _has_parts(bare: Any) -> bool:
    origin = get_origin(bare) or bare
    return is_record(bare) or origin in LISTS or is_map(origin)


def _fits(value: Json, bare: Any) -> bool:
    """Tell whether a value without parts is of a declared type."""
    if options := choices(bare):
        return any(value == choice and type(value) is type(choice) for _, choice in options)
    if _has_parts(bare):
        return False
    if isinstance(value, bool) and bare in (int, float):  # which Python takes for a number
        return False
    return isinstance(value, _SCALARS.get(bare, object))  # Any, and what is not known


def _refused(value: Json, hint: Any, path: str) -> str:
    return f"{path}: expected {expected(hint)}, got {kind_of(value)}"


def flattened(data: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Yield each value by its path, as Fn::GetAtt asks for it: `Address.Host`. None is left out.

    A map that JSON could not spell stays as it is, and is named where the answer is written.
    """
    for name, value in data.items():
        if isinstance(value, dict) and all(isinstance(inner, str) for inner in value):
            yield from ((f"{name}.{inner}", part) for inner, part in flattened(value))
        elif value is not None:
            yield name, value


def lacking(data: Mapping[str, Json], declared: Any, prefix: str = "") -> bool:
    """Tell whether an answer, which is flat, has no value for a declared name that needs one."""
    for field in fields_of(declared).values():
        path, bare = prefix + field.name, plain(field.hint)
        if path in data or _may_be_absent(field.default, bare):
            continue
        if is_record(bare):
            lacks = lacking(data, bare, f"{path}.")
        else:  # the one member of a union may be a record
            lacks = not any(str(name).startswith(f"{path}.") for name in data)
        if lacks:
            return True
    return False


def _may_be_absent(default: Any, bare: Any) -> bool:
    if is_map(get_origin(bare) or bare) or bare in (Any, object, NoneType):
        return True  # an empty map has no values, and None is left out
    if is_union(bare):
        return any(_may_be_absent(None, plain(member)) for member in get_args(bare))
    return default is not None and default() is ABSENT
