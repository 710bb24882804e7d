"""Documents: values as the stores keep them, under short names, without default values."""

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, field, fields
from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, ClassVar, NamedTuple, Self, get_args, get_origin

from .._frozen import Frozen

Doc = dict[str, Any]
"""A document: text, whole numbers, booleans, lists and maps."""


class CorruptHead(Exception):
    """An item in the ledger is no head that this version of the package has written.

    Attributes:
        problem: What is wrong with it.
        item: Its key, where a store has found it.
    """

    item = ""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.item}: {self.problem}" if self.item else self.problem


@contextmanager
def reading_item(key: str) -> Iterator[None]:
    """Name the item where it cannot be read."""
    try:
        yield
    except CorruptHead as error:
        error.item = key
        raise


Known = tuple[Any, Any]
"""What was read before: a part of a document, and what it was read as."""
NOTHING_KNOWN: Known = (object(), None)


# What Python can tell the date of, from the year 1 to 9999. No count comes near it.
SECONDS = range(-62_135_596_800, 253_402_300_800)
MILLISECONDS = range(1000 * SECONDS.start, 1000 * SECONDS.stop)


def kept_as(
    short: str,
    default: Any = None,
    *,
    part: "type[Kept] | None" = None,
    among: Container[Any] | None = None,
) -> Any:
    """Declare a field.

    Args:
        short: Its name in the store.
        default: What it is where it is not there.
        part: The class of the documents that it holds.
        among: What it can be, where not every text is known, or every number among `MILLISECONDS`.
    """
    return field(default=default, metadata={"short": short, "part": part, "values": among})


def kept_among(part: "type[Kept]") -> Any:
    """Declare a part whose own fields lie among those of the whole."""
    return field(default_factory=part, metadata={"among": part})


class _Field(NamedTuple):
    """One field of a kept class, as it is read and written."""

    name: str
    default: Any
    kinds: tuple[type, ...]
    part: "type[Kept] | None"
    is_plain: bool  # text, a number or a truth: read as it is
    values: Container[Any] | None  # what it can be; None where it can be all of its kind

    def read(self, short: str, value: Any, known: "Known" = NOTHING_KNOWN) -> Any:
        """Read what is no plain value that can be there; of what is `known`, only what changed."""
        raw, read = known
        if value is raw:
            return read
        if type(value) not in self.kinds:
            raise CorruptHead(f"its {short} is {type(value).__name__}")
        if self.is_plain:
            raise CorruptHead(f"its {short} is nothing that is ever written there")
        if isinstance(value, list):
            return tuple(self._inner(short, inner) for inner in value)
        if self.part is None:
            return value
        if not self.part.is_one_of_many:
            return self.part.from_doc(value, known if isinstance(raw, dict) else NOTHING_KNOWN)
        raws: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        return MappingProxyType(
            {
                key: read[key] if inner is raws.get(key) else self._inner(short, inner)
                for key, inner in value.items()
            }
        )

    def _inner(self, short: str, value: Any) -> Any:
        """Read one of several: a document of a part, or text."""
        if self.part is not None and type(value) in self.part.kinds:
            return self.part.from_doc(value)
        if isinstance(value, str) and self.part is None:
            return value
        raise CorruptHead(f"its {short} has {type(value).__name__} in it")

    def write(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [part.to_doc() if isinstance(part, Kept) else part for part in value]
        if self.part is not None and self.part.is_one_of_many:
            return {key: part.to_doc() for key, part in value.items()}
        return value.to_doc() if isinstance(value, Kept) else value


_IN_A_DOC: dict[Any, type] = {Mapping: dict, tuple: list}


def _kind(hint: Any) -> type:
    plain: type = get_origin(hint) or hint
    return dict if issubclass(plain, Kept) else _IN_A_DOC.get(plain, plain)


class _Layout(NamedTuple):
    """How a class that is kept is written in a document."""

    fields: dict[str, _Field]  # by their names in the store
    # Parts whose fields are among its own; each with the one that is read where it has none there.
    parts: dict[str, tuple["type[Kept]", "Kept | None"]]


@lru_cache
def _layout(cls: Any) -> _Layout:
    found, parts = {}, {}
    for kept in fields(cls):
        if part := kept.metadata.get("among"):
            parts[kept.name] = (part, None if part.always else part())
            continue
        hints = get_args(kept.type) if get_origin(kept.type) is UnionType else (kept.type,)
        default = kept.default if kept.default_factory is MISSING else kept.default_factory()
        kinds = tuple(_kind(hint) for hint in hints if hint is not NoneType)
        numbers = MILLISECONDS if int in kinds else None
        found[kept.metadata["short"]] = _Field(
            name=kept.name,
            default=default,
            kinds=kinds,
            part=kept.metadata["part"],
            is_plain=not {dict, list} & set(kinds),
            values=kept.metadata.get("values") or numbers,
        )
    return _Layout(found, parts)


def _read_part(
    part: "type[Kept]", absent: "Kept | None", doc: Mapping[str, Any], known: Known
) -> "Kept":
    """Read a part whose fields are among those of the whole."""
    shorts = _layout(part).fields  # type: ignore[arg-type]  # a class is hashable
    own = {short: doc[short] for short in shorts if short in doc}
    return part.from_doc(own, known) if own or absent is None else absent


class Kept(Frozen):
    """A value that is read and written under the short names of its fields."""

    always: ClassVar[tuple[str, ...]] = ()
    """What is in every document, by the names in the store."""
    is_one_of_many: ClassVar[bool] = False
    kinds: ClassVar[tuple[type, ...]] = (dict,)
    """What one of many may be kept as."""

    @classmethod
    def from_doc(cls, doc: Mapping[str, Any], known: Known = NOTHING_KNOWN) -> Self:
        """Read what `to_doc` wrote.

        Args:
            doc: The document.
            known: One that was read before, and what it was read as: parts that the two share are
                not read again. Documents that share parts must never be changed.

        Raises:
            CorruptHead: A value is of a kind that is never written, or one is missing that always
                is.
        """
        if lacking := [short for short in cls.always if short not in doc]:
            raise CorruptHead(f"it lacks {', '.join(lacking)}")
        fields_, parts = _layout(cls)  # type: ignore[arg-type]  # a class is hashable
        before, values = known[1], {}
        raws: Mapping[str, Any] = {} if before is None else known[0]
        for short, value in doc.items():
            if short not in fields_:
                continue
            name, _, kinds, _, is_plain, among = kept = fields_[short]
            if is_plain and type(value) in kinds and (among is None or value in among):
                values[name] = value
            else:
                was = (raws[short], getattr(before, name)) if short in raws else NOTHING_KNOWN
                values[name] = kept.read(short, value, was)
        for name, (part, absent) in parts.items():
            was = NOTHING_KNOWN if before is None else (raws, getattr(before, name))
            values[name] = _read_part(part, absent, doc, was)
        return cls.of(values)

    def to_doc(self) -> Doc:
        own, doc = vars(self), {}
        fields_, parts = _layout(type(self))  # type: ignore[arg-type]  # as above
        for short, kept in fields_.items():
            value = own[kept.name]
            if value != kept.default or short in self.always:
                doc[short] = value if kept.is_plain else kept.write(value)
        for name in parts:
            doc |= own[name].to_doc()
        return doc
