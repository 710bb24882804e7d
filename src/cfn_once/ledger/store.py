"""A store: one head a resource, changed by conditional writes that happen one after another.

A write is a guard (when it is allowed) and a change (what it makes), both data. Stores in this
process evaluate them with `holds` and `changed`; DynamoDB is sent them as expressions. No store
decides anything by itself. Small values are NamedTuples: they load in a third of the time.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from .document import NOTHING_KNOWN, CorruptHead, Doc, Known
from .head import Head, read_head

Path = tuple[str | int, ...]
"""Attribute names and list places, from the head downwards."""


class Equals(NamedTuple):
    """The value at a path is this one; an absent value equals nothing."""

    path: Path
    value: Any


class Below(NamedTuple):
    """The number at a path is lower than this one; an absent value is not."""

    path: Path
    value: int


class Absent(NamedTuple):
    """There is nothing at a path."""

    path: Path


class Lacks(NamedTuple):
    """The list at a path does not contain a value, or is not there."""

    path: Path
    value: str


class AllOf(NamedTuple):
    """Every one of these holds."""

    guards: Sequence["Guard"]


class AnyOf(NamedTuple):
    """At least one of these holds."""

    guards: Sequence["Guard"]


MOST_LISTED = 500  # heads on a page, in the stores of this process
COUNT = "w"  # of writes: every one adds to it
K = TypeVar("K")
NOTHING = object()  # what is at a path that leads nowhere

Guard = Equals | Below | Absent | Lacks | AllOf | AnyOf


class Change(NamedTuple):
    """What a write makes of a head; it adds to its count of writes besides.

    All of it is computed from the head as it was, so no path may be touched twice, nor be part of
    another: DynamoDB refuses that, and what one store refuses is refused everywhere.

    Attributes:
        set: Values by path; the map or list around each must be there.
        default: Values for attributes that are absent.
        append: Values to put at the end of lists; an absent list counts as empty.
        remove: Paths to remove.
        counts: For how many writes it stands: more than one where it makes what others have made.
    """

    set: Mapping[Path, Any] = {}
    default: Mapping[str, Any] = {}
    append: Mapping[str, Any] = {}
    remove: Sequence[Path] = ()
    counts: int = 1

    def check(self) -> None:
        """Refuse to touch a place twice.

        Raises:
            ValueError: Names the places.
        """
        whole = ((name,) for name in (COUNT, *self.default, *self.append))
        paths: list[Path] = [*self.set, *self.remove, *whole]
        known = set(paths)
        above = {path[:length] for path in paths for length in range(1, len(path))}
        if len(known) < len(paths) or not known.isdisjoint(above):
            raise ValueError(f"a change touches a place twice: {sorted(map(str, paths))}")


class Write(NamedTuple):
    """One conditional write: when it is allowed, what it makes, and what it is called."""

    guard: Guard
    change: Change
    name: str = ""


class Written(NamedTuple):
    """What came of a write: the new head, or the one that refused it."""

    applied: bool
    head: Head | None


class Listed(NamedTuple):
    """One head in a listing.

    Attributes:
        problem: Why it cannot be read; empty where it can.
        stack_id: Of one that cannot be read, as far as it says so.
        logical_resource_id: The same.
    """

    key: str
    head: Head | None
    problem: str = ""
    stack_id: str = ""
    logical_resource_id: str = ""


class Page(NamedTuple):
    """A part of a listing.

    Attributes:
        listed: Some of the heads, in no order; there may be none, although more follow.
        following: Where the next page begins; empty at the end.
    """

    listed: Sequence[Listed]
    following: str = ""


class Store(Protocol):
    """Heads, one a resource. Writes to one key happen one after another and are never lost.

    Attributes:
        keeps_secrets: What lies here is protected well enough for answers marked NoEcho.
    """

    keeps_secrets: bool

    def read(self, key: str) -> Head | None:
        """Return the head as the last write left it."""

    def write(self, key: str, write: Write) -> Written:
        """Make a change if its guard holds, whole or not at all.

        Raises:
            LedgerUnavailable: Nothing is known of the write; it may have been applied.
        """

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        """Keep a long result beside the head until `expires`, in seconds since 1970."""

    def unspill(self, key: str, name: str) -> str | None:
        """Return a long result, or None where it is gone."""

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        """Return a part of all heads: for operators, never on the way of an event.

        Each head that is there throughout is on one page. One that is written meanwhile may be on
        its page as it was before, or after.

        Args:
            after: The `following` of the page before; empty for the first one.
            prefix: How the keys begin.
            most: How many heads at most; as many as the store likes, unless given.
        """


def holds(guard: Guard, doc: Doc) -> bool:
    """Tell whether a guard allows a write to this head; an empty one is no head."""
    match guard:
        case AllOf(guards):
            return all(holds(part, doc) for part in guards)
        case AnyOf(guards):
            return any(holds(part, doc) for part in guards)
        case _:
            return _allows(guard, _at(doc, guard.path))


def _allows(guard: Equals | Below | Absent | Lacks, value: Any) -> bool:
    """Tell whether a guard of one place allows what is there."""
    match guard:
        case Absent():
            return value is NOTHING
        case Equals(_, wanted):
            return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
        case Below(_, bound):
            return isinstance(value, int) and not isinstance(value, bool) and value < bound
        case Lacks(_, member):
            return value is NOTHING or member not in value


def changed(change: Change, doc: Doc) -> Doc:
    """Return a head with a change made; what it does not touch, the two share."""
    change.check()
    made = {**doc, COUNT: doc.get(COUNT, 0) + change.counts}
    for name, value in change.default.items():
        made.setdefault(name, _plain(value))
    for name, value in change.append.items():
        made[name] = [*made.get(name, ()), value]
    copies: dict[Path, Any] = {(): made}
    for path, value in change.set.items():
        around = path[:-1]
        own = copies[around] if around in copies else _copy_at(around, copies)
        own[path[-1]] = value if type(value) is str else _plain(value)
    for path in change.remove:
        if _at(made, path) is not NOTHING:
            del _copy_at(path[:-1], copies)[path[-1]]
    return made


def _copy_at(path: Path, copies: dict[Path, Any]) -> Any:
    """Return the map or list at a path, which is ours to change: a copy, made once a change."""
    if path not in copies:
        around = _copy_at(path[:-1], copies)
        inner = _at(around, path[-1:])
        if not isinstance(inner, dict | list):
            raise LookupError(f"no map or list is at {path}, so nothing can be set in it")
        copies[path] = around[path[-1]] = inner.copy()
    return copies[path]


def _plain(value: Any) -> Any:
    """Return a value as a store keeps it, and nobody else can change it."""
    kind = type(value)
    if kind is str:  # most are
        return value
    if kind is dict or isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if kind is list or isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _at(doc: Doc, path: Path) -> Any:
    """Return what is at a path, or NOTHING."""
    value: Any = doc
    for part in path:
        if type(value) is dict:
            value = value.get(part, NOTHING)
        elif type(value) is list and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return NOTHING
    return value


def is_as_made(change: Change, head: Head) -> bool:
    """Tell whether a head has all that a change sets, and nothing that it removes."""
    doc = head.to_doc()
    is_set = all(_at(doc, path) == _plain(value) for path, value in change.set.items())
    return is_set and all(_at(doc, path) is NOTHING for path in change.remove)


_to_text = json.JSONEncoder(separators=(",", ":")).encode


def head_in(text: bytes) -> Head:
    """Return the head that a store in this process keeps as JSON text.

    Raises:
        OtherVersion, CorruptHead: As `read_head`.
    """
    return read_head(_doc_in(text))


def _doc_in(text: bytes) -> Doc:
    try:
        doc = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise CorruptHead("it is no JSON that can be read") from None
    if not isinstance(doc, dict) or not doc:
        raise CorruptHead("it is no document")
    return doc


def listed(key: str, kept: K, read: Callable[[K], Head]) -> Listed:
    """Return a head as a listing has it, also where what is kept is none of ours."""
    try:
        return Listed(key, read(kept))
    except CorruptHead as error:
        return Listed(key, None, error.problem, *_whose(kept))


def _whose(kept: Any) -> tuple[str, str]:
    """Return the stack and the logical id of what cannot be read, as far as it says so."""
    try:
        doc = json.loads(kept) if isinstance(kept, bytes) else kept
        values = [doc.get("stk"), doc.get("lid")]
    except (AttributeError, RecursionError, ValueError):
        return "", ""
    texts = [value.get("S") if isinstance(value, dict) else value for value in values]
    stack_id, logical_id = (text if isinstance(text, str) else "" for text in texts)
    return stack_id, logical_id


def page_of(rows: Sequence[tuple[str, bytes]], most: int) -> Page:
    """Return the page of the first of these rows, of keys and texts in the order of the keys."""
    heads = [listed(key, text, head_in) for key, text in rows[:most]]
    return Page(heads, rows[most - 1][0] if len(rows) > most else "")


def written(write: Write, doc: Doc, known: Known = NOTHING_KNOWN) -> tuple[Doc | None, Written]:
    """Return the head to keep from now on, None where the write is refused, and what came of it.

    Args:
        write: The write.
        doc: The head as it is kept; an empty one is none.
        known: The same, and what it was read as.
    """
    if not holds(write.guard, doc):
        return None, Written(applied=False, head=read_head(doc, known) if doc else None)
    made = changed(write.change, doc)
    return made, Written(applied=True, head=read_head(made, known))


def rewrite(text: bytes | None, write: Write) -> tuple[str | None, Written]:
    """Do what `written` does to a head that is kept as JSON text.

    Raises:
        OtherVersion, CorruptHead: As `read_head`.
    """
    doc = {} if text is None else _doc_in(text)
    try:
        made, came = written(write, doc)
        return None if made is None else _to_text(made), came
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        if doc:
            read_head(doc)  # where it is damaged, that is why
        raise


class MemoryStore:
    """The rules and a lock: what a store means. For tests, and for one process."""

    keeps_secrets = True

    def __init__(self) -> None:
        self._heads: dict[str, tuple[Doc, Head]] = {}  # neither of the two is ever changed
        self._texts: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def read(self, key: str) -> Head | None:
        with self._lock:
            kept = self._heads.get(key)
            return None if kept is None else kept[1]

    def write(self, key: str, write: Write) -> Written:
        with self._lock:
            kept = self._heads.get(key)
            doc, came = written(write, {} if kept is None else kept[0], kept or NOTHING_KNOWN)
            if doc is not None and came.head is not None:
                self._heads[key] = (doc, came.head)
            return came

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        del expires  # a process does not live that long
        with self._lock:
            self._texts[key, name] = data

    def unspill(self, key: str, name: str) -> str | None:
        with self._lock:
            return self._texts.get((key, name))

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        most = most or MOST_LISTED
        with self._lock:
            keys = sorted(key for key in self._heads if key > after and key.startswith(prefix))
            heads = [Listed(key, self._heads[key][1]) for key in keys[:most]]
        return Page(heads, keys[most - 1] if len(keys) > most else "")
