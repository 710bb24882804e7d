"""From CloudFormation's text to declared types, name by name: one answer tells all that is wrong.

    declared class ──► fields ──► each value read by its hint ──► an instance of the class
                                  └► what is wrong, by name, kind and what was expected

msgspec converts each value; it stops at its first problem and may quote the value in its message,
and a value may be secret. Hence the walk over names, lists and maps is here, and every message.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, NoReturn, get_args, get_origin, is_typeddict

from .._cloudformation.canonical import Json, kind_of
from .._errors import ConfigurationError, InvalidProperties
from .fields import (
    ABSENT,
    LISTS,
    Field,
    Secret,
    as_text,
    check_record,
    expected,
    fields_of,
    is_map,
    is_model,
    is_record,
    is_union,
    limits,
    plain,
    secret_texts,
)

__all__ = ["Secret", "Shape"]

BOOLEANS = {"true": True, "false": False}
QUOTING_NOTHING = frozenset(  # pydantic's errors whose text is about the declaration alone
    {
        *("int_parsing", "int_type", "int_from_float", "float_parsing", "float_type"),
        *("finite_number", "bool_parsing", "bool_type", "string_type", "string_pattern_mismatch"),
        *("string_too_short", "string_too_long", "too_short", "too_long", "greater_than"),
        *("greater_than_equal", "less_than", "less_than_equal", "multiple_of", "enum"),
        *("literal_error", "list_type", "tuple_type", "set_type", "dict_type", "model_type"),
    }
)


class Shape:
    """A declared type of properties or attributes: how it is read, compared, described.

    Args:
        declared: A dataclass, a msgspec.Struct, a pydantic model (2.12 or newer) or a TypedDict;
            or any other map, whose values stay as they are sent.
        allow_unknown: Names that are not declared are let through, at any depth.

    Raises:
        ConfigurationError: The declaration holds what nothing could read.
    """

    def __init__(self, declared: Any, *, allow_unknown: bool = False, is_read: bool = True) -> None:
        self.declared, self.allow_unknown = declared, allow_unknown
        self._reader = _Reader(allow_unknown=allow_unknown)
        if is_read and self.is_declared:
            check_record(declared, set())

    @property
    def is_declared(self) -> bool:
        """Tell whether names are declared at all; a plain map declares none."""
        return is_record(self.declared)

    @property
    def names(self) -> frozenset[str]:
        """The declared names, as CloudFormation sends them."""
        return frozenset(self._fields)

    @cached_property
    def _fields(self) -> Mapping[str, Field]:
        return fields_of(self.declared) if self.is_declared else {}

    def convert(self, raw: Mapping[str, Json], where: str) -> Any:
        """Return the typed properties.

        Raises:
            InvalidProperties: Names every property that does not fit, and no value.
        """
        if not self.is_declared:
            return dict(raw)
        try:
            return self._reader.record(raw, self.declared, "")
        except _Wrong as wrong:
            problems = wrong.problems
        raise InvalidProperties(f"{where}: " + ". ".join(problems))

    def convert_softly(self, raw: Mapping[str, Json]) -> Any:
        """Return what fits; what does not is absent, for a Delete must not fail on it."""
        if not self.is_declared:
            return dict(raw)
        reader = _Reader(allow_unknown=True)
        with suppress(_Wrong):
            return reader.record(raw, self.declared, "")
        fitting: dict[str, Any] = {}
        for field in self._fields.values():
            with suppress(_Wrong):
                fitting[field.attribute] = reader.field(field, raw, "")
        if is_typeddict(self.declared):
            return fitting
        return _Partial(self.declared.__name__, fitting)

    def changed(self, new: Mapping[str, Json], old: Mapping[str, Json]) -> frozenset[str]:
        """Return the names whose values differ; raw values are compared where one does not fit."""
        names = set(self._fields)
        if not self.is_declared or self.allow_unknown:
            names |= set(new) | set(old)
        return frozenset(name for name in names if self._differs(name, new, old))

    def _differs(self, name: str, new: Mapping[str, Json], old: Mapping[str, Json]) -> bool:
        if name in self._fields:
            field, read = self._fields[name], self._reader.field
            with suppress(_Wrong):
                return bool(read(field, new, "") != read(field, old, ""))
        return new.get(name) != old.get(name)

    def secrets(self, raw: Mapping[str, Json]) -> set[str]:
        """Return the text of every value that is declared secret."""
        return set(secret_texts(self.declared, raw)) if self.is_declared else set()

    def json_schema(self) -> Json:
        """Return the JSON Schema of the declared names; secret ones are `writeOnly`."""
        if not self.is_declared:
            return {"type": "object"}
        from .schema import closed, mark_secrets  # only for those who ask for a schema

        if is_model(self.declared):
            schema: Json = self.declared.model_json_schema()
        else:
            import msgspec  # as above

            schema = msgspec.json.schema(self.declared)
        mark_secrets(self.declared, schema)
        return schema if self.allow_unknown else closed(schema)

    def to_data(self, value: Any) -> dict[str, Json]:
        """Return what a hook answered as a map, nested records too.

        Raises:
            TypeError: It is not of the declared type.
        """
        if value is None:
            return {}
        named = self.is_declared and not is_typeddict(self.declared)
        if named and not isinstance(value, self.declared | Mapping):
            raise TypeError(
                f"the hook returned {type(value).__name__}; return {self.declared.__name__} or None"
            )
        data = _to_data(value)
        if not isinstance(data, dict):
            raise TypeError(f"the hook returned {type(value).__name__}; return a map or None")
        return data


class _Partial:
    """The properties of a Delete of which some do not fit."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{self._name}.{name} is absent: what CloudFormation sent with this Delete does not fit"
            " its declared type"
        )


class _Wrong(Exception):
    """Values that do not fit; each problem names one of them by its path, and no value."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


class _Reader:
    """Reads values by their declared types.

    Args:
        allow_unknown: Names that are not declared are let through, at any depth.
    """

    def __init__(self, *, allow_unknown: bool) -> None:
        self._allow_unknown = allow_unknown

    def record(self, value: Json, declared: Any, path: str) -> Any:
        """Return an instance of the declared class; one _Wrong tells all its problems."""
        if not isinstance(value, Mapping):
            _refuse(path, declared, value)
        prefix = f"{path}." if path else ""
        if is_model(declared):
            return self._model(value, declared, path)
        values: dict[str, Any] = {}
        problems: list[str] = []
        for field in fields_of(declared).values():
            try:
                values[field.attribute] = self.field(field, value, prefix)
            except _Wrong as wrong:
                problems += wrong.problems
        problems += self._unknown(value, declared, prefix)
        if problems:
            raise _Wrong(*problems)
        try:
            return declared(**{name: one for name, one in values.items() if one is not ABSENT})
        except InvalidProperties as error:
            refused = str(error)  # the author's own words, meant to be read
        except Exception as error:  # noqa: BLE001 - a class's own checks raise what they like
            refused = _refused(declared, error)
        raise _Wrong(f"{path}: {refused}" if path else refused)

    def field(self, field: Field, raw: Mapping[str, Json], prefix: str) -> Any:
        """Return the value of one name, or its default."""
        if field.name in raw:
            return self._value(raw[field.name], field.hint, prefix + field.name)
        if field.default is None:
            raise _Wrong(f"{prefix}{field.name}: missing")
        return field.default()

    def _unknown(self, raw: Mapping[str, Json], declared: Any, prefix: str) -> Iterator[str]:
        fields = fields_of(declared)
        for name in [] if self._allow_unknown else sorted(set(raw) - set(fields)):
            yield f"{prefix}{name}: unknown{_meant(name, fields)}"

    def _value(self, value: Json, hint: Any, path: str) -> Any:
        bare = plain(hint)
        if is_union(bare):
            return self._union(value, hint, path)
        if is_record(bare):
            return self.record(value, bare, path)
        origin, inner = get_origin(bare) or bare, get_args(bare)
        if origin in LISTS and isinstance(value, list | tuple):
            members = LISTS[origin](self._members(value, hint, path))
            return _measured(members, hint, path)
        if is_map(origin) and isinstance(value, Mapping):
            return _measured(self._map(value, inner, path), hint, path)
        return _leaf(value, hint, path)

    def _members(self, value: Sequence[Json], hint: Any, path: str) -> list[Any]:
        bare = plain(hint)
        inner = get_args(bare)
        hints = [inner[0] if inner else Any] * len(value)
        if get_origin(bare) is tuple and inner[-1] is not Ellipsis:
            if len(inner) != len(value):
                raise _Wrong(f"{path}: expected {expected(hint)}, got a list of {len(value)}")
            hints = list(inner)
        found: list[Any] = []
        problems: list[str] = []
        for place, (one, member) in enumerate(zip(value, hints, strict=True)):
            try:
                found.append(self._value(one, member, f"{path}[{place}]"))
            except _Wrong as wrong:
                problems += wrong.problems
        if problems:
            raise _Wrong(*problems)
        return found

    def _map(self, value: Mapping[str, Json], inner: tuple[Any, ...], path: str) -> dict[Any, Any]:
        of_name, of_value = inner if len(inner) == 2 else (Any, Any)
        found: dict[Any, Any] = {}
        problems: list[str] = []
        for name, one in value.items():
            try:
                key = self._value(name, of_name, f"{path} (the name {name})")
                found[key] = self._value(one, of_value, f"{path}.{name}")
            except _Wrong as wrong:
                problems += wrong.problems
        if problems:
            raise _Wrong(*problems)
        return found

    def _union(self, value: Json, hint: Any, path: str) -> Any:
        members = get_args(plain(hint))
        if value is None and type(None) in members:
            return None
        members = tuple(one for one in members if one is not type(None))
        if isinstance(value, str) and str in members:
            return value  # declared text stays text, whatever else it looks like
        meant: list[_Wrong] = []
        for member in members:
            try:
                return self._value(value, member, path)
            except _Wrong as wrong:
                if len(members) == 1 or _could_hold(member, value):
                    meant.append(wrong)
        if len(meant) == 1:
            raise meant[0]  # the one member that was meant tells what is wrong inside it
        return _refuse(path, hint, value)

    def _model(self, raw: Mapping[str, Json], declared: Any, path: str) -> Any:
        """Let pydantic read a model of its own, and say what is wrong without its quotations."""
        import pydantic  # loaded already: the declared class is one of its models

        lets = self._allow_unknown or declared.model_config.get("extra") == "allow"
        try:
            return declared.model_validate(raw, extra=None if lets else "forbid")
        except InvalidProperties as error:
            told = [f"{path}: {error}" if path else str(error)]
        except pydantic.ValidationError as error:
            found = error.errors(include_input=False, include_url=False, include_context=False)
            told = [_told(one, declared, raw, path) for one in found]
        raise _Wrong(*told)


def _could_hold(member: Any, value: Json) -> bool:
    """Tell whether a member of a union is the one that a list or a map was meant for."""
    bare = plain(member)
    origin = get_origin(bare) or bare
    if isinstance(value, list):
        return origin in LISTS
    return isinstance(value, Mapping) and (is_record(bare) or is_map(origin))


def _measured(found: Any, hint: Any, path: str) -> Any:
    for mark in limits(hint):
        short = mark.min_length is not None and len(found) < mark.min_length
        long = mark.max_length is not None and len(found) > mark.max_length
        if short or long:
            raise _Wrong(f"{path}: expected {expected(hint)}, got {len(found)}")
    return found


def _leaf(value: Json, hint: Any, path: str) -> Any:
    bare = plain(hint)
    if bare is bool:
        known = BOOLEANS.get(str(as_text(value)).lower())
        return _refuse(path, hint, value) if known is None else known
    if get_origin(bare) is Literal:
        return _one_of(get_args(bare), get_args(bare), value, hint, path)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return _one_of(tuple(bare), tuple(one.value for one in bare), value, hint, path)
    if bare is str and isinstance(value, bool | int | float):
        value = as_text(value)  # a test that sends real JSON
    return _converted(value, hint, path)


def _one_of(
    choices: tuple[Any, ...], values: tuple[Any, ...], value: Json, hint: Any, path: str
) -> Any:
    for choice, one in zip(choices, values, strict=True):
        if value is one or (as_text(one) is not None and as_text(value) == as_text(one)):
            return choice
    return _refuse(path, hint, value)


def _converted(value: Json, hint: Any, path: str) -> Any:
    import msgspec  # the first request pays for it, not the cold start

    bare, marks = plain(hint), limits(hint)
    try:
        found = msgspec.convert(value, Annotated[(bare, *marks)] if marks else bare, strict=False)
    except msgspec.ValidationError:
        # Its message may quote the value, and the cause would carry it: both are left behind.
        found = ABSENT
    except TypeError as error:  # a limit that the type cannot have
        raise ConfigurationError(f"{path}, declared as {expected(hint)}: {error}") from None
    if found is not ABSENT and not (isinstance(found, float) and not math.isfinite(found)):
        return found
    if marks and found is ABSENT:
        with suppress(msgspec.ValidationError):
            msgspec.convert(value, bare, strict=False)
            raise _Wrong(f"{path}: expected {expected(hint)}, got one that is not")
    return _refuse(path, hint, value)


def _refuse(path: str, hint: Any, value: Json) -> NoReturn:
    raise _Wrong(f"{path or 'properties'}: expected {expected(hint)}, got {kind_of(value)}")


def _refused(declared: Any, error: Exception) -> str:
    # The text of a foreign error may quote a value.
    return (
        f"refused by the checks of {declared.__name__} ({type(error).__name__}; raise"
        " InvalidProperties in them to say why)"
    )


def _meant(name: str, fields: Mapping[str, Field]) -> str:
    import difflib  # only where somebody mistyped

    close = difflib.get_close_matches(name, fields, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _told(problem: Any, declared: Any, raw: Json, path: str) -> str:
    """Say what pydantic found wrong, in its own words where they cannot quote a value."""
    kind, place = problem["type"], problem["loc"]
    value = raw
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        with suppress(KeyError, IndexError, TypeError):  # a part may name a member of a union
            value = value[part]
    if kind == "missing":
        return f"{path}: missing"
    if kind == "extra_forbidden":
        return f"{path}: unknown" + (
            _meant(place[0], fields_of(declared)) if len(place) == 1 else ""
        )
    said = problem["msg"] if kind in QUOTING_NOTHING else f"refused ({kind.replace('_', ' ')})"
    return f"{path or declared.__name__}: {said}, got {kind_of(value)}"


def _to_data(value: Any) -> Json:
    kind: Any = type(value)
    if is_model(kind):
        return _to_data(value.model_dump(by_alias=True))
    if is_record(kind):
        fields = fields_of(kind).values()
        return {one.name: _to_data(getattr(value, one.attribute)) for one in fields}
    if isinstance(value, Mapping):
        return {name: _to_data(one) for name, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    return [_to_data(one) for one in value] if isinstance(value, list | tuple) else value
