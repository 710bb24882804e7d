"""From CloudFormation's text to declared types, name by name: one answer tells all that is wrong.

msgspec converts each value; it stops at its first problem and may quote the value in its message,
and a value may be secret. Hence the walk over names, lists and maps is here, and every message.
"""

import dataclasses
import difflib
import logging
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

from ._errors import ConfigurationError, InvalidProperties
from ._request import Json, kind_of

MASK = "*****"
SHORTEST_SECRET = 4  # characters; masking shorter text would blot out half of every line

EXPECTED = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    bytes: "base64 text",
}


class Secret:
    """Marks a property whose value is never printed: `Annotated[str, Secret]`."""


@dataclass(frozen=True, slots=True)
class _Problem(Exception):
    text: str


class Shape:
    """A declared type of properties or attributes: how it is read, compared, described.

    Args:
        declared: A dataclass, a msgspec.Struct, a pydantic model, or any kind of map.
        allow_unknown: Names that are not declared are let through.

    Raises:
        ConfigurationError: The declaration holds a union that nothing could decide.
    """

    def __init__(self, declared: Any, *, allow_unknown: bool = False) -> None:
        self.declared, self.allow_unknown = declared, allow_unknown
        if self.is_declared:
            for name, hint in self._hints.items():
                _check_declaration(f"{declared.__name__}.{name}", hint)

    @property
    def is_declared(self) -> bool:
        """Tell whether names are declared at all; a plain map declares none."""
        return _is_record(self.declared)

    @property
    def names(self) -> frozenset[str]:
        """The declared names."""
        return frozenset(self._hints) if self.is_declared else frozenset()

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.declared, include_extras=True)

    def convert(self, raw: Mapping[str, Json], where: str) -> Any:
        """Return the typed properties.

        Raises:
            InvalidProperties: Names every property that does not fit, and no value.
        """
        if not self.is_declared:
            return dict(raw)
        problems: list[str] = []
        values = self._values(raw, problems)
        if not problems:
            try:
                return self.declared(**values)
            except Exception as error:  # noqa: BLE001 - a model's own checks raise what they like
                problems.append(f"{type(error).__name__} by the checks of {self.declared.__name__}")
        raise InvalidProperties(f"{where}: " + ". ".join(problems)) from None

    def convert_softly(self, raw: Mapping[str, Json]) -> Any:
        """Return what fits; what does not is absent, for a Delete must not fail on it."""
        if not self.is_declared:
            return dict(raw)
        fitting: dict[str, Any] = {}
        for name, hint in self._hints.items():
            try:
                if name in raw:
                    fitting[name] = _convert(raw[name], hint, name, lax=True)
                else:
                    fitting[name] = _default(self.declared, name)
            except _Problem:
                continue
        try:
            return self.declared(**fitting)
        except Exception:  # noqa: BLE001 - something that it needs is absent
            return _Partial(self.declared.__name__, fitting)

    def changed(self, new: Mapping[str, Json], old: Mapping[str, Json]) -> frozenset[str]:
        """Return the names whose values differ; raw values are compared where one does not fit."""
        names = set(new) | set(old) | (set(self._hints) if self.is_declared else set())
        return frozenset(name for name in names if self._differs(name, new, old))

    def _differs(self, name: str, new: Mapping[str, Json], old: Mapping[str, Json]) -> bool:
        if self.is_declared and name in self._hints:
            try:
                return bool(self._one(name, new) != self._one(name, old))
            except _Problem:
                pass
        return new.get(name) != old.get(name)

    def _one(self, name: str, raw: Mapping[str, Json]) -> Any:
        if name in raw:
            return _convert(raw[name], self._hints[name], name, lax=self.allow_unknown)
        return _default(self.declared, name)

    def _values(self, raw: Mapping[str, Json], problems: list[str]) -> dict[str, Any]:
        return _fields(self.declared, raw, "", problems, lax=self.allow_unknown)

    def secrets(self, raw: Mapping[str, Json]) -> set[str]:
        """Return the text of every value that is declared secret."""
        return set(_secret_texts(self.declared, raw)) if self.is_declared else set()

    def json_schema(self) -> Json:
        """Return the JSON Schema of the declared names."""
        if hasattr(self.declared, "model_json_schema"):
            schema: Json = self.declared.model_json_schema()
            return schema
        if not self.is_declared:
            return {"type": "object"}
        import msgspec  # only for those who ask for a schema

        schema = msgspec.json.schema(self.declared)
        for name, hint in self._hints.items():
            if _is_secret(hint):
                definition = schema.get("$defs", {}).get(self.declared.__name__, schema)
                definition["properties"][name]["writeOnly"] = True
        return schema if self.allow_unknown else _closed(schema)

    def to_data(self, value: Any) -> dict[str, Json]:
        """Return what a hook answered as a map, nested records too.

        Raises:
            TypeError: It is not of the declared type.
        """
        if value is None:
            return {}
        if self.is_declared and not isinstance(value, self.declared | Mapping):
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


class Mask(logging.Filter):
    """Replaces secret values in text, and in log records."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: list[str] = []

    def hide(self, secrets: set[str]) -> None:
        """Hide these from now on; longest first, for one may contain another."""
        forms = {form for one in secrets for form in (one, quote(one, safe=""), _escaped(one))}
        kept = {form for form in forms if len(form) >= SHORTEST_SECRET}
        self._secrets = sorted(kept | set(self._secrets), key=lambda one: (-len(one), one))

    def text(self, text: str) -> str:
        """Return the text without them."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        if self._secrets:
            record.msg, record.args = self.text(record.getMessage()), None
            if record.exc_info:
                record.exc_text = self.text(logging.Formatter().formatException(record.exc_info))
                record.exc_info = None
        return True


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode()


def _is_record(declared: Any) -> bool:
    return isinstance(declared, type) and (
        dataclasses.is_dataclass(declared)
        or hasattr(declared, "__struct_fields__")
        or hasattr(declared, "model_fields")
    )


def _plain(hint: Any) -> Any:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return hint


def _is_secret(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return any(one is Secret or isinstance(one, Secret) for one in get_args(hint)[1:])
    return False


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _check_declaration(where: str, hint: Any) -> None:
    plain = _plain(hint)
    members = [_plain(one) for one in get_args(plain)] if _is_union(plain) else []
    records = [one for one in members if _is_record(one)]
    maps = [one for one in members if one is dict or get_origin(one) is dict]
    if len(records) > 1 or (records and maps):
        raise ConfigurationError(
            f"{where}: a union of several records or maps cannot be told apart: declare one of them"
        )
    if get_origin(plain) is Literal and any(isinstance(one, bool) for one in get_args(plain)):
        raise ConfigurationError(
            f"{where}: Literal[True] never matches what CloudFormation sends: declare a bool"
        )
    for inner in get_args(plain):
        if get_origin(plain) is not Literal:
            _check_declaration(where, inner)


def _fields(
    declared: Any, raw: Mapping[str, Json], path: str, problems: list[str], *, lax: bool
) -> dict[str, Any]:
    """Convert name by name; each problem is added to the list."""
    hints = get_type_hints(declared, include_extras=True)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        try:
            if name in raw:
                values[name] = _convert(raw[name], hint, path + name, lax=lax)
            else:
                values[name] = _default(declared, name)
        except _Problem as problem:
            problems.append(problem.text.replace("$name", path + name))
    for name in [] if lax else sorted(set(raw) - set(hints)):
        close = difflib.get_close_matches(name, hints, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        problems.append(f"{path}{name}: unknown{meant}")
    return values


def _default(declared: Any, name: str) -> Any:
    missing = _Problem("$name: missing")
    if dataclasses.is_dataclass(declared):
        field = next(one for one in dataclasses.fields(declared) if one.name == name)
        if field.default is not dataclasses.MISSING:
            return field.default
        if field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
        raise missing
    if hasattr(declared, "model_fields"):
        if declared.model_fields[name].is_required():
            raise missing
        return declared.model_fields[name].get_default(call_default_factory=True)
    import msgspec  # loaded already: the declared type is one of its own

    one = next(one for one in msgspec.structs.fields(declared) if one.name == name)
    if one.default is not msgspec.NODEFAULT:
        return one.default
    if one.default_factory is not msgspec.NODEFAULT:
        return one.default_factory()
    raise missing


def _convert(value: Json, hint: Any, path: str, *, lax: bool) -> Any:
    plain = _plain(hint)
    if _is_union(plain):
        return _convert_union(value, hint, path, lax=lax)
    if _is_record(plain):
        return _convert_record(value, plain, path, lax=lax)
    origin, inner = get_origin(plain) or plain, get_args(plain)
    if origin in (list, set, frozenset, tuple) and isinstance(value, list):
        return _convert_list(value, hint, origin, inner, path, lax=lax)
    if origin in (dict, Mapping) and isinstance(value, dict) and len(inner) == 2:
        return {
            _convert(key, inner[0], f"{path} (a key)", lax=lax): _convert(
                one, inner[1], f"{path}.{key}", lax=lax
            )
            for key, one in value.items()
        }
    if plain is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return _convert_leaf(value, hint, path)


def _convert_leaf(value: Json, hint: Any, path: str) -> Any:
    import msgspec  # the first request pays for it, not the cold start

    plain = _plain(hint)
    if plain is str and isinstance(value, bool | int | float):  # a test that sends real JSON
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if plain is bool:
        raise _Problem(f"{path}: expected true or false, got {kind_of(value)}")
    try:
        return msgspec.convert(value, _without_marks(hint), strict=False)
    except (msgspec.ValidationError, TypeError):
        # Its message may quote the value, and the cause would carry it: both are left behind.
        raise _Problem(f"{path}: expected {_expected(hint)}, got {kind_of(value)}") from None


def _convert_union(value: Json, hint: Any, path: str, *, lax: bool) -> Any:
    members = [one for one in get_args(_plain(hint)) if one is not type(None)]
    if value is None and len(members) < len(get_args(_plain(hint))):
        return None
    if len(members) == 1:
        return _convert(value, members[0], path, lax=lax)
    if isinstance(value, str) and str in [_plain(one) for one in members]:
        return value  # declared text stays text
    for member in members:
        try:
            return _convert(value, member, path, lax=lax)
        except _Problem:
            continue
    raise _Problem(f"{path}: expected {_expected(hint)}, got {kind_of(value)}")


def _convert_record(value: Json, declared: Any, path: str, *, lax: bool) -> Any:
    if not isinstance(value, dict):
        raise _Problem(f"{path}: expected a map, got {kind_of(value)}")
    problems: list[str] = []
    values = _fields(declared, value, f"{path}.", problems, lax=lax)
    if problems:
        raise _Problem(". ".join(problems))
    try:
        return declared(**values)
    except Exception as error:  # noqa: BLE001 - a model's own checks raise what they like
        raise _Problem(f"{path}: refused by {declared.__name__} ({type(error).__name__})") from None


def _convert_list(
    value: list[Json], hint: Any, origin: Any, inner: tuple[Any, ...], path: str, *, lax: bool
) -> Any:
    member = inner[0] if inner else Any
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return _convert_leaf(value, hint, path)
    problems: list[str] = []
    converted = []
    for place, one in enumerate(value):
        try:
            converted.append(_convert(one, member, f"{path}[{place}]", lax=lax))
        except _Problem as problem:
            problems.append(problem.text)
    if problems:
        raise _Problem(". ".join(problems))
    _convert_leaf([None] * len(value), _lengths(hint), path)
    return origin(converted)


def _lengths(hint: Any) -> Any:
    """Keep of a list's constraints those of its length."""
    marks = [one for one in get_args(hint)[1:] if _has_length(one)] if _is_annotated(hint) else []
    return Annotated[(list[Any], *marks)] if marks else list[Any]


def _has_length(mark: Any) -> bool:
    return any(getattr(mark, name, None) is not None for name in ("min_length", "max_length"))


def _is_annotated(hint: Any) -> bool:
    return get_origin(hint) is Annotated


def _without_marks(hint: Any) -> Any:
    if not _is_annotated(hint):
        return hint
    marks = [one for one in get_args(hint)[1:] if type(one).__module__.startswith("msgspec")]
    return Annotated[(get_args(hint)[0], *marks)] if marks else get_args(hint)[0]


def _expected(hint: Any) -> str:
    plain = _plain(hint)
    limits = ""
    if _is_annotated(hint):
        limits = ", ".join(
            f"{name} {getattr(mark, name)}"
            for mark in get_args(hint)[1:]
            for name in (
                "ge",
                "gt",
                "le",
                "lt",
                "multiple_of",
                "pattern",
                "min_length",
                "max_length",
            )
            if getattr(mark, name, None) is not None
        )
    suffix = f" ({limits})" if limits else ""
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(str(one) for one in get_args(plain)) + suffix
    if isinstance(plain, type) and issubclass(plain, Enum):
        return "one of " + ", ".join(str(one.value) for one in plain) + suffix
    if _is_union(plain):
        return " or ".join(_expected(one) for one in get_args(plain) if one is not type(None))
    origin = get_origin(plain) or plain
    if origin in (list, set, frozenset, tuple):
        return "a list" + suffix
    if origin in (dict, Mapping):
        return "a map" + suffix
    return EXPECTED.get(plain, getattr(plain, "__name__", str(plain))) + suffix


def _secret_texts(hint: Any, value: Json, *, secret: bool = False) -> Iterator[str]:
    secret = secret or _is_secret(hint)
    plain = _plain(hint)
    if _is_union(plain):
        for member in get_args(plain):
            yield from _secret_texts(member, value, secret=secret)
    elif isinstance(value, dict):
        hints = get_type_hints(plain, include_extras=True) if _is_record(plain) else {}
        other = get_args(plain)[1] if len(get_args(plain)) == 2 else Any
        for name, one in value.items():
            yield from _secret_texts(hints.get(name, other), one, secret=secret)
    elif isinstance(value, list):
        for one in value:
            yield from _secret_texts((get_args(plain) or (Any,))[0], one, secret=secret)
    elif secret and value not in (None, "", True, False):
        yield str(value)


def _closed(schema: Json) -> Json:
    if isinstance(schema, dict):
        closed = {name: _closed(one) for name, one in schema.items()}
        if closed.get("type") == "object" and "properties" in closed:
            closed.setdefault("additionalProperties", False)
        return closed
    return [_closed(one) for one in schema] if isinstance(schema, list) else schema


def _to_data(value: Any) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _to_data(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if hasattr(value, "__struct_fields__"):
        return {name: _to_data(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {name: _to_data(one) for name, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    return [_to_data(one) for one in value] if isinstance(value, list | tuple) else value
