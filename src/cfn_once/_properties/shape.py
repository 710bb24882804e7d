"""A declared type of properties or attributes: how it is read, compared, described."""

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from functools import cached_property
from typing import Any, is_typeddict

from .._cloudformation.canonical import Json
from .._errors import ConfigurationError, InvalidProperties
from .fields import (
    Field,
    as_text,
    check_record,
    fields_of,
    is_model,
    is_record,
    secrets_in,
    texts_of,
)
from .printing import hide_secrets
from .reader import Reader, Wrong


class Shape:
    """The properties, or the attributes, that a class declares.

    Args:
        declared: A dataclass, a msgspec.Struct, a pydantic model (2.12 or newer) or a TypedDict;
            or any other map, whose values stay as they are sent.
        allow_unknown: Names that are not declared are let through, at any depth.

    Raises:
        ConfigurationError: The declaration holds what nothing could read.
    """

    def __init__(self, declared: Any, *, allow_unknown: bool = False, is_read: bool = True) -> None:
        self.declared, self.allow_unknown = declared, allow_unknown
        self._reader = Reader(allow_unknown=allow_unknown)
        if is_read and self.is_declared:
            check_record(declared, set())
            hide_secrets(declared, set())

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

    def lacks(self, values: Mapping[str, Json]) -> bool:
        """Tell whether a declared name is not among these values."""
        return bool(self.names - set(values))

    def convert(self, raw: Mapping[str, Json], where: str) -> Any:
        """Return the typed properties.

        Raises:
            InvalidProperties: Names every property that does not fit, and no value.
        """
        if not self.is_declared:
            return dict(raw)
        try:
            return self._reader.record(raw, self.declared, "")
        except Wrong as wrong:
            problems = wrong.problems
        raise InvalidProperties(f"{where}: " + ". ".join(problems))

    def convert_softly(self, raw: Mapping[str, Json]) -> Any:
        """Return what fits; what does not is absent, for a Delete must not fail on it."""
        if not self.is_declared:
            return dict(raw)
        reader = Reader(allow_unknown=True)
        with suppress(Wrong):
            return reader.record(raw, self.declared, "")
        fitting, _ = reader.values(raw, self.declared, "")
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
            with suppress(Wrong):
                return bool(read(field, new, "") != read(field, old, ""))
        return new.get(name) != old.get(name)

    def secrets(self, raw: Mapping[str, Json]) -> set[str]:
        """Return the texts of every value that is declared secret: as sent, and as it is read."""
        found: set[str] = set()
        for hint, value in secrets_in(self.declared, raw) if self.is_declared else ():
            if (text := as_text(value)) is not None:
                found.add(text)
                with suppress(Wrong, ConfigurationError):  # of no other kind than it was sent as
                    found.update(texts_of(self._reader.value(value, hint)))
        return found - {""}

    def json_schema(self) -> Json:
        """Return the JSON Schema of the declared names; secret ones are `writeOnly`."""
        if not self.is_declared:
            return {"type": "object"}
        from .schema import schema_of  # only for those who ask for a schema

        return schema_of(self.declared, allow_unknown=self.allow_unknown)

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


def _to_data(value: Any) -> Json:
    kind: Any = type(value)
    if is_model(kind):
        return _to_data(value.model_dump(by_alias=True))
    if is_record(kind):
        fields = fields_of(kind).values()
        return {field.name: _to_data(getattr(value, field.attribute)) for field in fields}
    if isinstance(value, Mapping):
        return {name: _to_data(member) for name, member in value.items()}
    if isinstance(value, Enum):
        return value.value
    return [_to_data(member) for member in value] if isinstance(value, list | tuple) else value
