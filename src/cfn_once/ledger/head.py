"""What is kept of one resource: one head, read and written whole or by path, never by scan.

Attribute names in the store are short, for a write costs by the kilobyte; here they are words.
Times are milliseconds since 1970, issue times seconds. Results and attributes are JSON *text*, so
that no engine's idea of a number comes near them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, get_args, get_origin

VERSION = 1

Doc = dict[str, Any]
"""A head as the stores keep it: text, whole numbers, booleans, lists and maps."""


class State(StrEnum):
    """How far the current operation is."""

    RUN = "RUN"  # an execution holds it
    PARK = "PARK"  # the execution ended and gave the lease back
    DONE = "DONE"  # its answer is recorded


class StepState(StrEnum):
    """What is known of one step."""

    STARTED = "S"  # it may have happened
    DONE = "D"
    FAILED = "F"  # it did not happen
    WAITING = "W"  # the hook waits here, or has waited


def _kept_as(short: str, default: Any = None) -> Any:
    return field(default=default, metadata={"short": short})


class CorruptHead(Exception):
    """An item in the ledger is no head that any version of this package has written."""


@lru_cache
def _kinds(cls: Any) -> dict[str, tuple[str, tuple[type, ...]]]:
    """Return each field's name, and the kinds of value that it takes, by its short name."""
    found = {}
    for one in fields(cls):
        hints = get_args(one.type) if get_origin(one.type) is UnionType else (one.type,)
        plain = [get_origin(hint) or hint for hint in hints]
        kinds = tuple(_IN_A_DOC.get(kind, kind) for kind in plain if kind is not NoneType)
        found[one.metadata["short"]] = (one.name, kinds)
    return found


_IN_A_DOC: dict[Any, Any] = {Mapping: dict, tuple: list}


class _Kept:
    """Reads and writes the fields of a dataclass under their short names."""

    _always: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_doc(cls, doc: Mapping[str, Any]) -> Self:
        """Read what `to_doc` wrote.

        Raises:
            CorruptHead: A value is of a kind that is never written, or one is missing that always
                is.
        """
        if lacking := [short for short in cls._always if short not in doc]:
            raise CorruptHead(f"it lacks {', '.join(lacking)}")
        values, known = {}, _kinds(cls)  # type: ignore[arg-type]  # a class is hashable
        for short, value in doc.items():
            if short in known:
                name, kinds = known[short]
                if type(value) not in kinds:
                    raise CorruptHead(f"its {short} is {type(value).__name__}")
                values[name] = value
        return cls(**values)

    def to_doc(self) -> Doc:
        kept = fields(self)  # type: ignore[arg-type]  # as above
        values = {one.metadata["short"]: getattr(self, one.name) for one in kept}
        return {
            short: list(value) if isinstance(value, tuple) else value
            for short, value in values.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(_Kept):
    """What is known of one step.

    Attributes:
        result: JSON text of the result, or of the error of a failed step.
        spilled: True where the result lies in an item of its own.
        secret: True where the result was left out.
        generation: Part of the token; rises only after a definitive failure.
        round: The round in which it failed.
        first_used: When its token was first sent.
        arguments: A hash of what was asked of the far side.
    """

    state: str = _kept_as("s")
    result: str | None = _kept_as("r")
    spilled: bool | None = _kept_as("sp")
    secret: bool | None = _kept_as("x")
    generation: int = _kept_as("g", 0)
    round: int = _kept_as("rd", 0)
    first_used: int = _kept_as("t", 0)
    fence: int = _kept_as("by", 0)
    arguments: str | None = _kept_as("a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Old(_Kept):
    """A replaced object that CloudFormation has not yet removed."""

    id: str = _kept_as("id")
    properties: str | None = _kept_as("pfp")
    attributes: str | None = _kept_as("attrs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt(_Kept):
    """What an operation left whose result CloudFormation does not hold.

    Attributes:
        gone: Its execution is over; where a call is in doubt, that may still land a little later.
        ended: When its execution recorded its end, or left; 0 where it never did.
        edge: Its first unrecorded step may have happened.
        acted: It made calls that are repeated at will and never recorded.
        cleaned_by: The request that has cleaned up all that can be known of it.
        doubts: What that one could not tell, in words.
    """

    request_id: str = _kept_as("rid")
    type: str = _kept_as("typ")
    properties: str | None = _kept_as("pfp")
    cleaned_by: str | None = _kept_as("cln")
    doubts: tuple[str, ...] | None = _kept_as("dbt")
    base: str | None = _kept_as("base")
    id: str | None = _kept_as("id")
    owner: str = _kept_as("own")
    lease: int = _kept_as("lu", 0)
    box: str | None = _kept_as("box")
    gone: bool = _kept_as("gone", default=False)
    edge: bool = _kept_as("edge", default=False)
    acted: bool = _kept_as("act", default=False)
    begun: int = _kept_as("beg", 0)
    ended: int = _kept_as("end", 0)
    first_generation: int = _kept_as("g0", 0)
    round: int = _kept_as("rnd", 0)
    steps: Mapping[str, Doc] = field(default_factory=dict, metadata={"short": "steps"})

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether a call of it may have had an effect that is not recorded."""
        return self.edge or any(one.state == StepState.STARTED for one in self.records().values())

    def records(self) -> dict[str, Record]:
        """Return what is known of its steps."""
        return {key: Record.from_doc(doc) for key, doc in self.steps.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head(_Kept):
    """One resource: who works on it, what its steps came to, what was answered, what is owed.

    Attributes:
        fence: Rises with each begin, takeover, supersede and round.
        writes: Rises with every write.
        highest_issue: The highest issue time ever begun.
        physical_id: The object that holds.
        seen: CloudFormation has carried that id back to us.
        went_back: The operation made nothing: what it answers had been replaced, and still lives.
        running_id: The id that the running hook has set so far.
        base: The id in the operation's event.
        attributes: What the last success answered, for an Update that changes nothing.
        ended: When the last execution recorded its end or gave the lease back; of one that was cut
            short, when Lambda has ended it.
        due: Until when a hook waits, its lease given back; its continuation goes on.
        took_over: The first unrecorded step may have happened.
        acted: The hook has made calls that are repeated at will and never recorded.
        debts: What earlier operations left to be cleaned up.
        olds: Replaced objects, not yet removed.
        removed: Ids whose removal succeeded.
        recent: RequestIds begun lately, oldest first.
        history: The last operations, for people, never for decisions.
    """

    _always = ("v", "f", "w", "rid", "st", "own")

    version: int = _kept_as("v", VERSION)
    fence: int = _kept_as("f", 0)
    writes: int = _kept_as("w", 0)
    request_id: str = _kept_as("rid", "")
    type: str = _kept_as("typ", "")
    issued_at: int = _kept_as("iss", 0)
    fingerprint: str = _kept_as("fp", "")
    properties: str = _kept_as("pfp", "")
    highest_issue: int = _kept_as("hi", 0)
    state: str = _kept_as("st", "")
    succeeded: bool | None = _kept_as("ok")
    owner: str = _kept_as("own", "")
    lease: int = _kept_as("lu", 0)
    box: str | None = _kept_as("box")
    attempts: int = _kept_as("att", 0)
    took_over: bool = _kept_as("took", default=False)
    acted: bool = _kept_as("act", default=False)
    round: int = _kept_as("rnd", 0)
    begun: int = _kept_as("beg", 0)
    ended: int = _kept_as("end", 0)
    due: int | None = _kept_as("due")
    first_generation: int = _kept_as("g0", 0)
    steps: Mapping[str, Doc] = field(default_factory=dict, metadata={"short": "steps"})
    base: str | None = _kept_as("base")
    body: str | None = _kept_as("out")
    running_id: str | None = _kept_as("id")
    physical_id: str | None = _kept_as("phys")
    seen: bool = _kept_as("seen", default=False)
    went_back: bool | None = _kept_as("back")
    held_properties: str | None = _kept_as("ppfp")
    attributes: str | None = _kept_as("attrs")
    olds: tuple[Doc, ...] = _kept_as("olds", ())
    removed: tuple[str, ...] = _kept_as("removed", ())
    debts: tuple[Doc, ...] = _kept_as("debts", ())
    recent: tuple[str, ...] = _kept_as("recent", ())
    history: tuple[Doc, ...] = _kept_as("hist", ())
    ttl: int | None = _kept_as("ttl")

    @property
    def is_good(self) -> bool:
        """Tell whether the current operation was answered SUCCESS."""
        return self.state == State.DONE and self.succeeded is True

    @property
    def is_cut_short(self) -> bool:
        """Tell whether the watchdog ended the last execution: its hook may be stuck in a call."""
        return self.state != State.RUN and 0 < self.lease < self.ended

    def records(self) -> dict[str, Record]:
        """Return what is known of the current operation's steps."""
        return {key: Record.from_doc(doc) for key, doc in self.steps.items()}

    def owed(self) -> list[Debt]:
        """Return the debts, oldest first."""
        return [Debt.from_doc(doc) for doc in self.debts]

    def replaced(self) -> list[Old]:
        """Return the replaced objects, oldest first."""
        return [Old.from_doc(doc) for doc in self.olds]
