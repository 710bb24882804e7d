"""
What is the matter where the ledger and CloudFormation do not say the same: a table of cases.

    place      where CloudFormation has the resource, or had it
    rules      a place, what the ledger says, and the finding
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from .._clock import utc
from .._cloudformation.request import RequestType
from ..ledger import Head, HeldObject, Operation, State, StepState
from . import resource_report
from .resource_report import place_of
from .stacks import KEPT, Retained, StackResource

UNANSWERED = (
    "died",
    "given-back",
    "not-come-back",
    "waited-for",
)  # as `resource_report` calls them
FORGET = "cfn-once forget {} --reason WHY"
NOTHING_THERE = ("CREATE_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS")
GRACE = 300_000  # milliseconds in which a delivery, a retry or an answer may be under way


class Class(StrEnum):
    """The class of a finding."""

    ORPHAN = "ORPHAN"
    DIFFERS = "DIFFERS"
    NOT_REMOVED = "NOT-REMOVED"
    IN_DOUBT = "IN-DOUBT"
    UNANSWERED = "UNANSWERED"
    RETAINED = "RETAINED"
    UNKNOWN_STACK = "UNKNOWN-STACK"
    UNREADABLE = "UNREADABLE"


class Presence(StrEnum):
    """Where CloudFormation has a resource."""

    THERE = "there"
    BUSY = "busy"  # an operation of its stack is at it
    GONE = "gone"  # its stack is there, and has no such resource any more
    STACK_GONE = "stack gone"
    UNKNOWN = "unknown"  # CloudFormation knows no such stack


LET_GO = (Presence.GONE, Presence.STACK_GONE)


class KnownStack(NamedTuple):
    """A stack as CloudFormation has it.

    Attributes:
        status: CloudFormation's own; empty where it knows no such stack.
        resources: Its custom resources, by their logical ids.
        retained: What its events say that a policy has kept.
    """

    status: str
    resources: Mapping[str, StackResource]
    retained: Collection[Retained] = frozenset()

    def place(self, logical_resource_id: str) -> Presence:
        """Return where a resource is."""
        if not self.status:
            return Presence.UNKNOWN
        resource = self.resources.get(logical_resource_id)
        if self.status == "DELETE_COMPLETE":
            return Presence.STACK_GONE
        if self.status.endswith("_IN_PROGRESS"):
            return Presence.BUSY
        if resource is None or resource.status in ("DELETE_COMPLETE", KEPT):
            return Presence.GONE
        return Presence.THERE

    def has_retained(self, logical_resource_id: str, physical_id: str) -> bool:
        """Tell whether a policy has kept an object that the stack has let go of."""
        resource = self.resources.get(logical_resource_id)
        if resource is not None and resource.status == KEPT and resource.physical_id == physical_id:
            return True
        return (logical_resource_id, physical_id) in self.retained


class AuditFinding(NamedTuple):
    """One finding.

    Attributes:
        words: What is the matter.
        next: What to do; empty where nobody has to act.
    """

    kind: Class
    stack_id: str
    logical_resource_id: str
    resource_type: str
    words: str
    next: str = ""


class _Case(NamedTuple):
    """A resource in the ledger, and beside it what CloudFormation has."""

    head: Head
    stack: KnownStack
    now: int

    @property
    def place(self) -> Presence:
        """Where CloudFormation has the resource."""
        return self.stack.place(self.head.logical_resource_id)

    @property
    def resource(self) -> StackResource | None:
        """The resource, as CloudFormation has it."""
        return self.stack.resources.get(self.head.logical_resource_id)

    @property
    def named(self) -> str:
        """Its stack and logical id, as a command takes them: a stack that is gone, by its ARN."""
        stack_id = self.head.stack_id
        is_there = self.place in (Presence.THERE, Presence.BUSY, Presence.GONE)
        stack = stack_id.split("/")[1] if is_there and stack_id.count("/") else stack_id
        return place_of(stack, self.head.logical_resource_id)

    @property
    def let_go(self) -> list[str]:
        """The ids of objects that the stack holds no more, and may have retained."""
        head = self.head
        never_deleted = [old.id for old in head.replaced if not old.deleting]
        if self.place is Presence.THERE:
            return never_deleted
        held = [head.held_id] if head.held_id else []
        return [*held, *never_deleted] if self.place in LET_GO else []

    @property
    def retained(self) -> list[str]:
        """Those of them that a policy has kept."""
        logical_id = self.head.logical_resource_id
        return [kept for kept in self.let_go if self.stack.has_retained(logical_id, kept)]

    @property
    def left(self) -> list[str]:
        """What may live, besides the held object and what a policy has kept."""
        head, kept = self.head, self.retained
        ids = [old.id for old in (*head.replaced, *head.forgotten) if old.id not in kept]
        operations = [left for left in head.pending_cleanup if left.cleanup.by is None]
        if self._is_left_behind(head.operation):
            operations.append(head.operation)
        made = [
            left.assigned_id or f"what {left.type} {left.request_id} may have made"
            for left in operations
            if left.may_have_acted
        ]
        return [*ids, *made]

    def _is_left_behind(self, operation: Operation) -> bool:
        """Tell whether the newest request may have made something that no id is held of."""
        if not operation.is_over:
            return not resource_report.is_at_work(self.head, self.now)
        # What is in doubt is a finding by itself; what a Delete has not removed, is held.
        is_failed = operation.state == State.FAILED and operation.type != RequestType.DELETE
        return is_failed and any(step.state == StepState.DONE for step in operation.steps.values())

    @property
    def lives(self) -> list[str]:
        """All that may live, except what a policy has kept."""
        held = self.head.held_id
        return [*([held] if held and held not in self.retained else []), *self.left]


_Found = tuple[Class, str, str]  # the class, the words, what to do
Rule = Callable[[_Case], _Found | None]


def _orphan(case: _Case) -> _Found | None:
    if case.place not in LET_GO or not case.lives:
        return None
    where = (
        "its stack is deleted" if case.place is Presence.STACK_GONE else "its stack has let it go"
    )
    words = f"the ledger holds {', '.join(case.lives)}, and {where}"
    how = f"{_from(case)}look for it, and remove it by hand if it is there. Then: "
    return Class.ORPHAN, words, how + FORGET.format(case.named)


def _from(case: _Case) -> str:
    """Say from when it is worth looking: `cfn-once forget` refuses it before."""
    until = resource_report.may_come_until(case.head.operation)
    if case.now >= until:
        return ""
    return f"after {utc(until / 1000)}, until when a late delivery may act, "


def _differs(case: _Case) -> _Found | None:
    head, resource = case.head, case.resource
    if case.place is not Presence.THERE or resource is None or not head.operation.is_over:
        return None
    if head.held_id and resource.physical_id not in ("", head.held_id):
        words = f"the ledger holds {head.held_id}, and the stack {resource.physical_id}"
        return Class.DIFFERS, words, _of_two(case, resource.physical_id)
    if head.resource_type != resource.resource_type:
        words = f"the ledger has it as {head.resource_type}, the stack as {resource.resource_type}"
        return Class.DIFFERS, words, f"cfn-once ledger show {case.named}"
    if head.held_id is None and resource.status not in NOTHING_THERE:
        return _of_one_that_only_the_stack_has(case, resource)
    return None


def _of_two(case: _Case, of_stack: str) -> str:
    """Say what to do where the ledger and the stack have two ids."""
    show = f"cfn-once ledger show {case.named}"
    if not resource_report.is_foreign(case.head, of_stack):
        return f"look which of the two is in use: the ledger has had both. {show}"
    return (
        f"look which of the two is in use: {show}. If it is the stack's, remove the ledger's by"
        f" hand. Then: {FORGET.format(case.named)}"
    )


def _of_one_that_only_the_stack_has(case: _Case, resource: StackResource) -> _Found | None:
    if resource_report.was_forgotten(case.head):
        return None  # an operator has said that the stack's is the one in use
    words = f"the ledger holds nothing, and the stack {resource.physical_id or 'a resource'}"
    if not resource_report.is_foreign(case.head, resource.physical_id):
        return Class.DIFFERS, words, f"cfn-once ledger show {case.named}"
    how = (
        "was it imported, or made by another provider or ledger? Its hooks get the stack's id."
        f" If that is right: {FORGET.format(case.named)}"
    )
    return Class.DIFFERS, words, how


def _not_removed(case: _Case) -> _Found | None:
    if case.place is not Presence.THERE or not case.head.operation.is_over or not case.left:
        return None
    words = f"{', '.join(case.left)} of earlier requests may be there still"
    replaced = [old for old in case.head.replaced if old.id in case.left]
    if not replaced and not case.head.pending_of_other_types:
        return Class.NOT_REMOVED, f"{words}; the next Update or Delete removes it", ""
    return Class.NOT_REMOVED, words, _of_replaced(case.head, replaced)


def _of_replaced(head: Head, replaced: Sequence[HeldObject]) -> str:
    """Say what to do about what CloudFormation asks for no more."""
    last = head.operation
    deleting = last.event_physical_id if last.type == RequestType.DELETE else None
    has_failed = all(old.deleting or old.id == deleting for old in replaced)
    if has_failed and not head.pending_of_other_types:
        return (
            "its Delete failed, and CloudFormation asks for it no more: remove it by hand, or"
            " delete the resource, which removes both"
        )
    return (
        "CloudFormation has not asked for its Delete: remove it by hand, if nothing uses it. The"
        " ledger keeps its id until the resource is deleted"
    )


def _in_doubt(case: _Case) -> _Found | None:
    doubts = resource_report.doubts_of(case.head, case.now)
    if not doubts or (
        case.place in (Presence.THERE, Presence.BUSY) and not case.head.operation.is_over
    ):
        return None  # of one that is not answered, the next delivery may yet tell
    found = resource_report.finding(case.head, case.now, case.named)
    how = found.next if found.kind == "in-doubt" else f"cfn-once ledger show {case.named}"
    return Class.IN_DOUBT, "; ".join(doubt.words for doubt in doubts), how


def _unanswered(case: _Case) -> _Found | None:
    if case.place not in (Presence.THERE, Presence.BUSY):
        return None  # nobody waits
    status = case.resource.status if case.resource else ""
    found = resource_report.finding(case.head, case.now, case.named, status)
    since = case.head.operation.execution.due or case.head.operation.execution.lease
    if found.kind not in UNANSWERED or case.now - since < GRACE:
        return None
    return Class.UNANSWERED, found.words, found.next


def _retained(case: _Case) -> _Found | None:
    if not case.retained:
        return None
    kept = ", ".join(case.retained)
    words = f"its stack has let go of {kept}, by its DeletionPolicy or UpdateReplacePolicy"
    return Class.RETAINED, words, ""


def _unknown(case: _Case) -> _Found | None:
    if case.place is not Presence.UNKNOWN or not case.lives:
        return None
    words = f"the ledger holds {', '.join(case.lives)}, and CloudFormation knows no such stack"
    how = (
        "is it of another account or Region? If it was deleted more than 90 days ago, look for what"
        " the ledger holds, and remove that by hand. Then: " + FORGET.format(case.named)
    )
    return Class.UNKNOWN_STACK, words, how


RULES: Sequence[Rule] = (
    _orphan,
    _differs,
    _not_removed,
    _in_doubt,
    _unanswered,
    _retained,
    _unknown,
)


def is_of_interest(head: Head, now: int) -> bool:
    """Tell whether CloudFormation has to be asked: not of one of which nothing is left."""
    is_over = head.ttl is not None and head.operation.is_over
    case = _Case(head, KnownStack("", {}), now)
    return bool(not is_over or case.lives or resource_report.doubts_of(head, now))


def untold(head: Head, stack: KnownStack, now: int) -> list[str]:
    """Return the ids of objects of which only the stack's events tell whether it has kept them."""
    case = _Case(head, stack, now)
    return [let_go for let_go in case.let_go if let_go not in case.retained]


def findings_of(head: Head, stack: KnownStack, now: int) -> Iterator[AuditFinding]:
    """Yield what is the matter with a resource; `now` is in milliseconds since 1970."""
    logical_id = head.logical_resource_id
    case = _Case(head, stack, now)
    for rule in RULES:
        if found := rule(case):
            kind, words, how = found
            yield AuditFinding(kind, head.stack_id, logical_id, head.resource_type, words, how)
