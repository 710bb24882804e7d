"""A store: one head a resource, changed by conditional writes that happen one after another.

A write is a guard (when it is allowed) and a change (what it makes), both data. Stores in this
process evaluate them with `holds` and `apply`; DynamoDB is sent them as expressions. No store
decides anything by itself.
"""

import copy
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ._head import Doc, Head

Path = tuple[str | int, ...]
"""Attribute names and list places, from the head downwards."""


@dataclass(frozen=True, slots=True)
class Equals:
    """The value at a path is this one; an absent value equals nothing."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Below:
    """The number at a path is lower than this one; an absent value is not."""

    path: Path
    value: int


@dataclass(frozen=True, slots=True)
class Absent:
    """There is nothing at a path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Lacks:
    """The list at a path does not contain a value, or is not there."""

    path: Path
    value: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these holds."""

    guards: Sequence["Guard"]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    guards: Sequence["Guard"]


Guard = Equals | Below | Absent | Lacks | AllOf | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a write makes of a head; every write adds 1 to its count of writes besides.

    Attributes:
        set: Values by path; the map or list around each must be there.
        default: Values for attributes that are absent.
        add: Numbers to add; an absent attribute counts as 0.
        append: Values to put at the end of lists; an absent list counts as empty.
        remove: Paths to remove.
    """

    set: Mapping[Path, Any] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    append: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[Path] = ()


COUNT = "w"  # every write adds 1 to it


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write: the new head, or the one that refused it."""

    applied: bool
    head: Head | None


class Store(Protocol):
    """Heads, one a resource. Writes to one key happen one after another and are never lost.

    Attributes:
        keeps_secrets: What lies here is protected well enough for answers marked NoEcho.
    """

    keeps_secrets: bool

    def read(self, key: str) -> Head | None:
        """Return the head as the last write left it."""

    def write(self, key: str, guard: Guard, change: Change) -> Written:
        """Make the change if the guard holds, whole or not at all.

        Raises:
            LedgerUnavailable: Nothing is known of the write; it may have been applied.
        """

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        """Keep a long result beside the head until `expires`, in seconds since 1970."""

    def unspill(self, key: str, name: str) -> str | None:
        """Return a long result, or None where it is gone."""


def _at(doc: Doc | None, path: Path) -> tuple[bool, Any]:
    value: Any = doc
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, value


def holds(guard: Guard, doc: Doc | None) -> bool:
    """Tell whether a guard allows a write to this head; None is no head."""
    match guard:
        case AllOf(guards):
            return all(holds(one, doc) for one in guards)
        case AnyOf(guards):
            return any(holds(one, doc) for one in guards)
        case Absent(path):
            return not _at(doc, path)[0]
        case Equals(path, wanted):
            found, value = _at(doc, path)
            return found and isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
        case Below(path, bound):
            found, value = _at(doc, path)
            return found and value < bound
        case Lacks(path, member):
            return member not in (_at(doc, path)[1] or ())


def apply(change: Change, doc: Doc | None) -> Doc:
    """Return the head that a change makes of this one, which stays as it is."""
    new: Doc = copy.deepcopy(doc) if doc is not None else {}
    for name, value in change.default.items():
        new.setdefault(name, value)
    for name, number in {**change.add, COUNT: 1}.items():
        new[name] = new.get(name, 0) + number
    for name, value in change.append.items():
        new[name] = [*new.get(name, []), value]
    for path, value in change.set.items():
        _, parent = _at(new, path[:-1])
        parent[path[-1]] = value
    for path in change.remove:
        found, parent = _at(new, path[:-1])
        if found and path[-1] in parent:
            del parent[path[-1]]
    return plain(new)


def plain(doc: Doc) -> Doc:
    """Return a copy of a head made of JSON's own kinds: what any engine would give back."""
    copied: Doc = json.loads(json.dumps(doc))
    return copied


class MemoryStore:
    """The rules and a lock: what a store means. For tests, and for one process."""

    keeps_secrets = True

    def __init__(self) -> None:
        self._docs: dict[tuple[str, str], Doc] = {}
        self._lock = threading.Lock()

    def read(self, key: str) -> Head | None:
        with self._lock:
            return _head(self._docs.get((key, "H")))

    def write(self, key: str, guard: Guard, change: Change) -> Written:
        with self._lock:
            doc = self._docs.get((key, "H"))
            if not holds(guard, doc):
                return Written(applied=False, head=_head(doc))
            doc = self._docs[key, "H"] = apply(change, doc)
            return Written(applied=True, head=_head(doc))

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        with self._lock:
            self._docs[key, name] = {"data": data, "ttl": expires}

    def unspill(self, key: str, name: str) -> str | None:
        with self._lock:
            found = self._docs.get((key, name))
            return None if found is None else str(found["data"])


def _head(doc: Doc | None) -> Head | None:
    return None if doc is None else Head.from_doc(copy.deepcopy(doc))
