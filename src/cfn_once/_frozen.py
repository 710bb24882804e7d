"""`Frozen`: values of many fields whose classes cost a cold start next to nothing."""

from collections.abc import Callable, KeysView, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Frozen:
    """A frozen dataclass, its fields given by name; it knows `dataclasses.replace` and `fields`.

    `dataclasses` writes and compiles methods for each class: a millisecond of a cold start for
    one of twenty fields. These are written once. Where few fields travel, a NamedTuple will do.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    _names: ClassVar[KeysView[str]]
    _defaults: ClassVar[dict[str, Any]]
    _factories: ClassVar[dict[str, Callable[[], Any]]]
    _values: ClassVar["attrgetter[Any]"]

    def __init_subclass__(cls) -> None:
        dataclass(init=False, repr=False, eq=False)(cls)
        own = {kept.name: kept for kept in fields(cls)}
        cls._names, cls._defaults, cls._factories = own.keys(), {}, {}
        for name, kept in own.items():
            if kept.default is not MISSING:
                cls._defaults[name] = kept.default
            elif kept.default_factory is not MISSING:
                cls._factories[name] = kept.default_factory
        if own:
            cls._values = attrgetter(*(name for name, kept in own.items() if kept.compare))

    def __init__(self, **values: Any) -> None:
        own = self._hold(values)
        if own.keys() != self._names:
            wrong = ", ".join(sorted((own.keys() ^ self._names) - self._factories.keys()))
            raise TypeError(f"{type(self).__name__}: missing, or unknown: {wrong}")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return a value of these fields, known to be its own; all others are as declared."""
        made = cls.__new__(cls)
        cls._hold(made, values)
        return made

    def _hold(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Keep these, and what is declared where they say nothing."""
        own = {**self._defaults, **values}  # of the right size at once: it need not grow
        if len(own) < len(self._names):
            for name, make in self._factories.items():
                if name not in own:
                    own[name] = make()
        object.__setattr__(self, "__dict__", own)
        return own

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frozen) or type(other) is not type(self):
            return NotImplemented
        return bool(self._values(self) == self._values(other))

    def __hash__(self) -> int:
        return hash(self._values(self))

    def __repr__(self) -> str:
        shown = [f"{kept.name}={getattr(self, kept.name)!r}" for kept in fields(self) if kept.repr]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
