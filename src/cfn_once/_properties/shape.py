"""A declared type of properties or attributes: how it is read, compared, described."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, get_args

from .._cloudformation.canonical import Json, kind_of
from .._errors import ConfigurationError, InvalidProperties
from .declaration import Declaration
from .fields import Field, as_text, fields_of, is_model, is_record, is_typeddict, plain
from .forms import by_form, is_by_form
from .reader import Reader, Wrong
from .redaction import hide_secrets
from .returned import flattened, lacking, misfits, to_json, with_defaults
from .secrets import holds_secret, secrets_in, texts_of
from .suggestions import did_you_mean


class Misfit(Exception):
    """What a hook returned is not what its class declares."""


class Shape:
    """The properties, or the attributes, that a class declares.

    Args:
        declared: A dataclass, a msgspec.Struct, a pydantic model (2.12 or newer) or a TypedDict;
            or any other map, whose values stay as they are sent.
        allow_unknown: Names that are not declared are let through, at any depth.
        is_read: It is read out of CloudFormation's text; attributes are answered, as JSON.

    Raises:
        ConfigurationError: The declaration holds what nothing could read.
    """

    def __init__(self, declared: Any, *, allow_unknown: bool = False, is_read: bool = True) -> None:
        self.declared, self.allow_unknown = declared, allow_unknown
        self._reader = Reader(allow_unknown=allow_unknown)
        if self.is_declared:
            Declaration(is_read=is_read).check(declared)
            if is_read:
                hide_secrets(declared, set())

    @property
    def is_declared(self) -> bool:
        """Tell whether names are declared at all; a plain map declares none."""
        return is_record(self.declared)

    @cached_property
    def _holds_secrets(self) -> bool:
        return self.is_declared and holds_secret(self.declared, set())

    @property
    def _is_by_form(self) -> bool:
        """Tell whether it is a map of Json, whose scalars are read by their form."""
        return any(map(is_by_form, (self.declared, *get_args(plain(self.declared)))))

    @property
    def names(self) -> frozenset[str]:
        """The declared names, as CloudFormation sends them."""
        return frozenset(self._fields)

    @cached_property
    def _fields(self) -> Mapping[str, Field]:
        return fields_of(self.declared) if self.is_declared else {}

    def lacks(self, values: Mapping[str, Json]) -> bool:
        """Tell whether a declared name is not among these values, which have been answered."""
        return self.is_declared and lacking(values, self.declared)

    def did_you_mean(self, name: str) -> str:
        """Ask whether a declared name was meant, for the end of a message."""
        return did_you_mean(name, self.names)

    def convert(self, raw: Mapping[str, Json], where: str) -> Any:
        """Return the typed properties.

        Raises:
            InvalidProperties: Names every property that does not fit, and no value.
        """
        if not self.is_declared:
            return by_form(raw) if self._is_by_form else dict(raw)
        try:
            return self._reader.record(raw, self.declared, "")
        except Wrong as wrong:
            problems = wrong.problems
        raise InvalidProperties(f"{where}: " + ". ".join(problems))

    def convert_softly(self, raw: Mapping[str, Json]) -> Any:
        """Return what fits; what does not is absent, for a Delete must not fail on it."""
        if not self.is_declared:
            return by_form(raw) if self._is_by_form else dict(raw)
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
        # A pydantic model may take other names than it declares: by a validator, or as extra.
        if not self.is_declared or self.allow_unknown or is_model(self.declared):
            names |= set(new) | set(old)
        return frozenset(name for name in names if self._differs(name, new, old))

    def _differs(self, name: str, new: Mapping[str, Json], old: Mapping[str, Json]) -> bool:
        if name in self._fields:
            field, read = self._fields[name], self._reader.field
            with suppress(Wrong):
                return bool(read(field, new, "") != read(field, old, ""))
        return new.get(name) != old.get(name)

    def secrets(self, raw: Mapping[str, Json]) -> set[str]:
        """Return the texts of every value that is declared secret: as sent, and as it is read.

        A default, which nobody sends, is one of them.
        """
        found: set[str] = set()
        for hint, value in secrets_in(self.declared, raw) if self._holds_secrets else ():
            if (text := as_text(value)) is not None:
                found.add(text)
                with suppress(Wrong, ConfigurationError):  # of no other kind than it was sent as
                    found.update(texts_of(self._reader.value(value, hint)))
            elif value is not None:  # a default of a richer type
                found.update(texts_of(value))
        return found - {""}

    def json_schema(self) -> Json:
        """Return the JSON Schema of the declared names; secret ones are `writeOnly`."""
        if not self.is_declared:
            return {"type": "object"}
        from .schema import schema_of  # only for those who ask for a schema

        return schema_of(self.declared, allow_unknown=self.allow_unknown)

    def answer(self, returned: Any) -> dict[str, Json]:
        """Return what a hook returned as CloudFormation is to read it: flat, without None.

        Raises:
            Misfit: It is not what is declared; names what differs, and no value.
        """
        if not (returned is None or isinstance(returned, Mapping) or is_record(type(returned))):
            raise Misfit(f"{kind_of(returned)} was returned; return {self._instead()}")
        data: dict[str, Json] = {} if returned is None else to_json(returned)
        if self.is_declared:
            data = self._as_declared(returned, data)
        flat = list(flattened(data))
        names = [name for name, _ in flat]
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise Misfit(f"two attributes have the name {', '.join(twice)}: rename one of them")
        return dict(flat)

    def _as_declared(self, returned: Any, data: dict[str, Json]) -> dict[str, Json]:
        if is_model(self.declared) and isinstance(returned, self.declared):
            return data  # pydantic has checked it, and answers by names of its own
        is_named = not is_typeddict(self.declared)  # of which there are no instances
        if is_named and is_record(type(returned)) and not isinstance(returned, self.declared):
            raise Misfit(f"a {type(returned).__name__} was returned; return {self._instead()}")
        problems = list(misfits(data, self.declared))
        if returned is None and problems:
            names = ", ".join(problem.partition(":")[0] for problem in problems)
            raise Misfit(f"nothing was returned, not even {names}; return {self._instead()}")
        if problems:
            raise Misfit(". ".join(problems))
        return with_defaults(data, self.declared)

    def _instead(self) -> str:
        name = getattr(self.declared, "__name__", "")
        return f"{name}(...), or a map with its names" if self.is_declared else "a map, or None"


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
