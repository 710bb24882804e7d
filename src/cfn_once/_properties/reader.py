"""Reads CloudFormation's text as declared types, and names all that is wrong in one answer.

    declared class ──► fields ──► each value read by its hint ──► an instance of the class
                                  └► what is wrong, by name, kind and what was expected

msgspec converts each value; it stops at its first problem and may quote the value in its message,
and a value may be secret. So the walk over names, lists and maps is here, and every message.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import NoneType, TracebackType
from typing import Annotated, Any, NoReturn, get_args, get_origin

from .._cloudformation.canonical import Json, kind_of
from .._errors import ConfigurationError, InvalidProperties, text_of
from .fields import (
    ABSENT,
    LISTS,
    Field,
    as_text,
    choices,
    expected,
    fields_of,
    is_fixed,
    is_map,
    is_model,
    is_record,
    is_union,
    limits,
    member_hints,
    plain,
)
from .forms import by_form, is_by_form
from .suggestions import did_you_mean

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


class Wrong(Exception):
    """Values that do not fit; each problem names one of them by its path, and no value."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


class _Problems(list[str]):
    """Collects what is wrong in a list, a map or a record: enter it to read each member."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Wrong):
            self.extend(error.problems)
        return isinstance(error, Wrong)

    def check(self) -> None:
        """Raise all problems at once, if there are any."""
        if self:
            raise Wrong(*self)


class Reader:
    """Reads values by their declared types.

    Args:
        allow_unknown: Names that are not declared are let through, at any depth.
    """

    def __init__(self, *, allow_unknown: bool) -> None:
        self._allow_unknown = allow_unknown

    def record(self, value: Json, declared: Any, path: str) -> Any:
        """Return an instance of the declared class; one Wrong tells all its problems."""
        if not isinstance(value, Mapping):
            _refuse(path, declared, value)
        if is_model(declared):
            return self._model(value, declared, path)
        prefix = f"{path}." if path else ""
        values, problems = self.values(value, declared, prefix)
        problems += self._unknown(value, declared, prefix)
        problems.check()
        return _instance(declared, values, path)

    def values(
        self, raw: Mapping[str, Json], declared: Any, prefix: str
    ) -> tuple[dict[str, Any], _Problems]:
        """Return the values that fit, by attribute, and what is wrong with the others."""
        problems, values = _Problems(), {}
        for field in fields_of(declared).values():
            with problems:
                values[field.attribute] = self.field(field, raw, prefix)
        return {name: value for name, value in values.items() if value is not ABSENT}, problems

    def field(self, field: Field, raw: Mapping[str, Json], prefix: str) -> Any:
        """Return the value of one name, or its default."""
        if field.name in raw:
            return self._value(raw[field.name], field.hint, prefix + field.name)
        if field.default is None:
            raise Wrong(f"{prefix}{field.name}: missing")
        return field.default()

    def value(self, value: Json, hint: Any) -> Any:
        """Return one value, wherever it stands."""
        return self._value(value, hint, "")

    def _unknown(self, raw: Mapping[str, Json], declared: Any, prefix: str) -> Iterator[str]:
        fields = fields_of(declared)
        for name in [] if self._allow_unknown else sorted(set(raw) - set(fields)):
            yield f"{prefix}{name}: unknown{did_you_mean(name, fields)}"

    def _value(self, value: Json, hint: Any, path: str) -> Any:
        bare = plain(hint)
        if is_by_form(hint):
            return by_form(value)
        if is_union(bare):
            return self._union(value, hint, path)
        if is_record(bare):
            return self.record(value, bare, path)
        origin = get_origin(bare) or bare
        if origin in LISTS and isinstance(value, list | tuple):
            members = LISTS[origin](self._members(value, hint, path))
            return _measured(members, hint, path)
        if is_map(origin) and isinstance(value, Mapping):
            return _measured(self._map(value, get_args(bare), path), hint, path)
        return _leaf(value, hint, path)

    def _members(self, value: Sequence[Json], hint: Any, path: str) -> list[Any]:
        bare = plain(hint)
        if is_fixed(bare) and len(get_args(bare)) != len(value):
            raise Wrong(f"{path}: expected {expected(hint)}, got a list of {len(value)}")
        found: list[Any] = []
        problems = _Problems()
        hints = member_hints(bare, len(value))
        for place, (member, member_hint) in enumerate(zip(value, hints, strict=True)):
            with problems:
                found.append(self._value(member, member_hint, f"{path}[{place}]"))
        problems.check()
        return found

    def _map(self, value: Mapping[str, Json], inner: tuple[Any, ...], path: str) -> dict[Any, Any]:
        of_name, of_value = inner if len(inner) == 2 else (Any, Any)
        found: dict[Any, Any] = {}
        problems = _Problems()
        for name, member in value.items():
            with problems:
                key = self._value(name, of_name, f"{path} (the name {name})")
                found[key] = self._value(member, of_value, f"{path}.{name}")
        problems.check()
        return found

    def _union(self, value: Json, hint: Any, path: str) -> Any:
        members = get_args(plain(hint))
        if isinstance(value, str | None) and type(value) in members:
            return value  # declared text stays text, whatever else it looks like
        members = tuple(member for member in members if member is not NoneType)
        meant: list[Wrong] = []
        for member in members:
            try:
                return self._value(value, member, path)
            except Wrong as wrong:
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
            problems = [f"{path}: {text_of(error)}" if path else text_of(error)]
        except pydantic.ValidationError as error:
            found = error.errors(include_input=False, include_url=False, include_context=False)
            problems = [_message_of(problem, declared, raw, path) for problem in found]
        raise Wrong(*problems)


def _instance(declared: Any, values: Mapping[str, Any], path: str) -> Any:
    try:
        return declared(**values)
    except InvalidProperties as error:
        refused = text_of(error)  # the author's own words, meant to be read
    except Exception as error:  # noqa: BLE001 - a class's own checks raise what they like
        refused = (  # without the text of a foreign error, which may quote a value
            f"refused by the checks of {declared.__name__} ({type(error).__name__}; raise"
            " InvalidProperties in them to say why)"
        )
    raise Wrong(f"{path}: {refused}" if path else refused)


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
            raise Wrong(f"{path}: expected {expected(hint)}, got {len(found)}")
    return found


def _leaf(value: Json, hint: Any, path: str) -> Any:
    bare, text = plain(hint), as_text(value)
    if bare is bool:
        known = BOOLEANS.get(str(text).lower())
        return _refuse(path, hint, value) if known is None else known
    if options := choices(bare):
        for choice, meaning in options:
            if value is meaning or (text is not None and text == as_text(meaning)):
                return choice
        return _refuse(path, hint, value)
    # A test may send real JSON.
    return _converted(text if bare is str and text is not None else value, hint, path)


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
            raise Wrong(f"{path}: expected {expected(hint)}, got one that is not")
    return _refuse(path, hint, value)


def _refuse(path: str, hint: Any, value: Json) -> NoReturn:
    raise Wrong(f"{path or 'properties'}: expected {expected(hint)}, got {kind_of(value)}")


def _message_of(problem: Any, declared: Any, raw: Json, path: str) -> str:
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
            did_you_mean(place[0], fields_of(declared)) if len(place) == 1 else ""
        )
    said = problem["msg"] if kind in QUOTING_NOTHING else f"refused ({kind.replace('_', ' ')})"
    return f"{path or declared.__name__}: {said}, got {kind_of(value)}"
