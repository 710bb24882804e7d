"""
Which deliveries are duplicates, of which kind, and what came of each: a table of cases.

The kinds follow https://repost.aws/knowledge-center/lambda-function-duplicate-invocations, and the
case that it leaves out: the same request id, and no error.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from .invocations import LoggedDelivery


class Kind(StrEnum):
    """Why a request was delivered once more."""

    LAMBDA_RETRY = "lambda-retry"
    LAMBDA_TWICE = "lambda-twice"
    LAMBDA_UNCLEAR = "lambda-unclear"  # the log lacks how the earlier one ended
    SENDER = "sender"
    # No duplicates: they are meant to be, unless two functions have each made something.
    OTHER_FUNCTION = "other-function"
    CONTINUATION = "continuation"


ORDER = tuple(Kind)
TWICE = "acted twice"
OVER = ("SUCCESS", "FAILED", "Ignored")  # outcomes after which nobody waits for the request
DUPLICATES = (Kind.LAMBDA_RETRY, Kind.LAMBDA_TWICE, Kind.LAMBDA_UNCLEAR, Kind.SENDER)

ADVICE = {
    Kind.LAMBDA_RETRY: (
        "Lambda invoked the function again with the same event, since the invocation before failed."
        " Look for the cause before its REPORT line: an error, the Timeout, the MemorySize"
    ),
    Kind.LAMBDA_TWICE: (
        "Lambda delivered one event twice, and no invocation failed: its queue delivers at least"
        " once. No setting prevents it; the handler must be idempotent"
    ),
    Kind.LAMBDA_UNCLEAR: (
        "Lambda invoked the function again with the same event, and no line tells how the"
        " invocation before ended. Look at an earlier range, and at the log level of system logs"
    ),
    Kind.SENDER: (
        "the event was sent again: by CloudFormation, SNS, SQS, or by the caller of the function."
        " CloudTrail's data events of Lambda say who called Invoke, where they are switched on"
    ),
    Kind.OTHER_FUNCTION: (
        "two functions got the same request, and each has made something. Does a topic lead to"
        " both? Let one of them serve the resource"
    ),
}


class EffectOfDuplicate(NamedTuple):
    """What came of a delivery.

    Attributes:
        is_bad: Something may have been made or changed twice, or cfn-once cannot determine it.
    """

    words: str
    is_bad: bool = False

    @property
    def short(self) -> str:
        """The words without what differs from one delivery to another."""
        return self.words.partition(":")[0].partition(",")[0]


class Again(NamedTuple):
    """A delivery of a request that was delivered before.

    Attributes:
        gap: Milliseconds since the delivery that it follows; None where the log has no times.
    """

    delivery: LoggedDelivery
    kind: Kind
    gap: int | None
    effect: EffectOfDuplicate

    @property
    def is_duplicate(self) -> bool:
        """Tell whether it was not meant to be."""
        is_of_two = self.kind is Kind.OTHER_FUNCTION and self.effect.short == TWICE
        return is_of_two or self.kind in DUPLICATES


class RequestDeliveries(NamedTuple):
    """All deliveries of one request, oldest first."""

    name: str
    first: LoggedDelivery
    again: Sequence[Again]

    @property
    def duplicates(self) -> list[Again]:
        """Those that were not meant to be."""
        return [again for again in self.again if again.is_duplicate]

    @property
    def is_named(self) -> bool:
        """Tell whether any line names the request; else its name is an invocation's."""
        return any(delivery.request for delivery in self.deliveries)

    @property
    def unfinished(self) -> LoggedDelivery | None:
        """The newest delivery that began and of which no line tells an end, if none has answered.

        Only cfn-once says that a delivery begins. Where Lambda says that the invocation succeeded,
        its process has not died.
        """
        begun = None
        for delivery in self.deliveries:
            if delivery.outcome in OVER:
                return None
            if delivery.outcome == "Suspended":
                begun = None
            elif delivery.is_ours and not delivery.outcome and delivery.ended != "success":
                begun = delivery
        return begun

    @property
    def deliveries(self) -> list[LoggedDelivery]:
        """All of them."""
        return [self.first, *(again.delivery for again in self.again)]


class KindRow(NamedTuple):
    """All duplicates of one kind of which the same came.

    Attributes:
        gaps: The shortest and the longest, in milliseconds; None where the log has no times.
    """

    kind: Kind
    times: int
    gaps: tuple[int, int] | None
    effect: str


def table_of(requests: Iterable[RequestDeliveries]) -> list[KindRow]:
    """Sort the duplicates by their kind and by what came of them, the most frequent first."""
    groups: dict[tuple[Kind, str], list[Again]] = defaultdict(list)
    for request in requests:
        for again in request.duplicates:
            groups[again.kind, again.effect.short].append(again)
    rows = []
    for (kind, effect), group in groups.items():
        gaps = [again.gap for again in group if again.gap is not None]
        rows.append(KindRow(kind, len(group), (min(gaps), max(gaps)) if gaps else None, effect))
    return sorted(rows, key=lambda row: (ORDER.index(row.kind), -row.times, row.effect))


def requests_of(deliveries: Iterable[LoggedDelivery]) -> list[RequestDeliveries]:
    """Sort deliveries by their request, in the order in which the requests began."""
    deliveries = list(deliveries)
    # An invocation that died has said nothing of its request: another one of its id tells.
    by_invocation = {
        (delivery.source.group, delivery.invocation): delivery.request
        for delivery in deliveries
        if delivery.request and delivery.invocation
    }
    groups: dict[str, list[LoggedDelivery]] = defaultdict(list)
    for delivery in deliveries:
        name = delivery.request or by_invocation.get(
            (delivery.source.group, delivery.invocation), ""
        )
        groups[name or f"invocation {delivery.invocation}"].append(delivery)
    return [_request(name, group) for name, group in groups.items()]


def _request(name: str, group: Sequence[LoggedDelivery]) -> RequestDeliveries:
    has_ledger = any(delivery.is_ours for delivery in group)
    before, again = _Before(), []
    for place, delivery in enumerate(group):
        if place:
            again.append(_again(delivery, before, has_ledger=has_ledger))
        before.add(delivery)
    return RequestDeliveries(name, group[0], again)


class _Before:
    """What the deliveries before one have been, as far as that matters."""

    def __init__(self) -> None:
        self.newest: LoggedDelivery | None = None
        self.newest_of: dict[str, LoggedDelivery] = {}  # by their invocations
        self.places: set[tuple[str, str]] = set()  # functions and log groups
        self.ids: dict[str, None] = {}
        self.polls = self.is_suspended = False

    def add(self, delivery: LoggedDelivery) -> None:
        self.newest = delivery
        if delivery.invocation:
            self.newest_of[delivery.invocation] = delivery
        self.places.add((delivery.source.function, delivery.source.group))
        if delivery.physical_id:
            self.ids[delivery.physical_id] = None
        self.polls = self.polls or delivery.polls
        self.is_suspended = self.is_suspended or delivery.outcome == "Suspended"


def _again(delivery: LoggedDelivery, before: _Before, *, has_ledger: bool) -> Again:
    same = before.newest_of.get(delivery.invocation)
    follows = same or before.newest or delivery
    kind = _kind(delivery, follows, before, is_same=same is not None)
    gap = None if None in (delivery.at, follows.at) else (delivery.at or 0) - (follows.at or 0)
    effect = _recorded(delivery) if has_ledger else _unrecorded(delivery, before)
    return Again(delivery, kind, gap, effect)


def _kind(
    delivery: LoggedDelivery, follows: LoggedDelivery, before: _Before, *, is_same: bool
) -> Kind:
    """Return why it came."""
    if _is_elsewhere(delivery, before):
        return Kind.OTHER_FUNCTION
    if delivery.is_in_batch or not is_same:
        return Kind.CONTINUATION if _is_continuation(delivery, before) else Kind.SENDER
    if follows.ended in ("error", "timeout"):
        return Kind.LAMBDA_RETRY
    return Kind.LAMBDA_TWICE if follows.ended else Kind.LAMBDA_UNCLEAR


def _is_elsewhere(delivery: LoggedDelivery, before: _Before) -> bool:
    """Tell whether it is of another function than all before: by its name, else its log group."""
    own = (delivery.source.function, delivery.source.group)
    known = [
        next((mine != its for mine, its in zip(own, place, strict=True) if mine and its), None)
        for place in before.places
    ]
    differences = [differs for differs in known if differs is not None]
    return bool(differences) and all(differences)


def _is_continuation(delivery: LoggedDelivery, before: _Before) -> bool:
    """Tell whether a hook that waits goes on in it: cfn-once's, or crhelper's polling."""
    if delivery.resumes:
        return True
    # crhelper sets polling up in each delivery of the event itself, and in no other.
    if before.polls and not delivery.polls:
        return True
    return before.is_suspended and delivery.is_ours and not delivery.is_suppressed


def _recorded(delivery: LoggedDelivery) -> EffectOfDuplicate:
    """Return what came of a delivery under a ledger."""
    if delivery.is_in_doubt:
        return EffectOfDuplicate("a step is in doubt: `cfn-once ledger show` names it", is_bad=True)
    if delivery.is_replay:
        return EffectOfDuplicate("no effect: it sent the recorded response again")
    if delivery.is_suppressed:
        words = {
            "Ignored": "no effect, and no response: newer requests have followed",
            "InProgress": "no effect: another delivery was at work",
        }
        return EffectOfDuplicate(words.get(delivery.outcome, "no effect"))
    if not delivery.is_ours:
        return EffectOfDuplicate("no line of cfn-once: it ended before one was written")
    if delivery.execution > 1 or delivery.outcome == "Suspended":
        return EffectOfDuplicate(f"went on with the work: {delivery.outcome or 'not ended'}")
    return EffectOfDuplicate(f"did the work: {delivery.outcome or 'not ended'}")


def _unrecorded(delivery: LoggedDelivery, before: _Before) -> EffectOfDuplicate:
    """Return what came of a delivery where nothing is recorded."""
    if _is_continuation(delivery, before):
        return EffectOfDuplicate("crhelper looked whether it is done")
    ids = before.ids
    if delivery.physical_id and ids:
        if delivery.physical_id in ids:
            return EffectOfDuplicate(
                f"acted again, and responded the same id, {delivery.physical_id}"
            )
        named = " and ".join([*ids, delivery.physical_id])
        return EffectOfDuplicate(f"{TWICE}: it responded {named}", is_bad=True)
    return EffectOfDuplicate(
        "may have acted twice: the log has no record of what was done", is_bad=True
    )
