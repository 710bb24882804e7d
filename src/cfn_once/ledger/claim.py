"""Who may work on a request: the one table that decides, from the head that refused a begin."""

from typing import NamedTuple

from .._cloudformation.request import Request
from . import transitions as _writes
from .head import VERSION, Head, State
from .store import Write
from .transitions import LEASE_SLACK, Claimant, quiet_after


class Replay(NamedTuple):
    """It is answered: tell the same again."""

    body: str


class Wait(NamedTuple):
    """Another execution is at work on it until then, in milliseconds since 1970."""

    until: int


class Claim(NamedTuple):
    """It is ours if this write is applied.

    Attributes:
        owner_gone: When an earlier execution of this request is certainly over, in milliseconds
            since 1970; 0 where there was none, or nothing of it is in doubt.
    """

    write: Write
    owner_gone: int = 0


class Late:
    """A first delivery that comes after a newer request has begun: no effect, but an answer."""


class Drop(NamedTuple):
    """No effect and no answer."""

    reason: str


class Refuse(NamedTuple):
    """A head that this version of the package must not touch."""

    reason: str


class Look:
    """Nothing may be begun; what there is may be told again."""


Decision = Replay | Wait | Claim | Late | Drop | Refuse | Look
EXPIRED = Drop("CloudFormation no longer waits for it; the next request cleans up")

WAITS = Drop("its hook waits, and goes on with the continuation that was sent")


def without_a_look(request: Request, me: Claimant) -> Decision:
    """Decide before anything is known of the head: nearly always, it can be begun blindly."""
    return Look() if _is_expired(request, me) else Claim(_writes.begin(request, me))


def decide(head: Head | None, request: Request, me: Claimant) -> Decision:
    """Decide what a request may do against the head as it is."""
    if head is None:
        return EXPIRED if _is_expired(request, me) else Claim(_writes.begin(request, me))
    if head.version > VERSION:
        return Refuse(
            f"its head has schema version {head.version}, this provider knows {VERSION}:"
            " deploy a cfn-once at least as new as the one that wrote it"
        )
    if head.request_id == request.request_id:
        return _same(head, request, me)
    known = request.request_id in head.recent
    if request.issued_at is None:
        newer = not known
    else:
        newer = request.issued_at > head.highest_issue or (
            request.issued_at == head.highest_issue and not known
        )
    # Seeded bug: newer
    if not newer:
        return Drop("a copy of a request that newer ones have followed") if known else Late()
    if _is_expired(request, me):
        return EXPIRED
    quiet = quiet_after(head.ended)
    # Seeded bug: time-out-wait
    if head.is_cut_short and me.now <= quiet:
        return Wait(quiet)
    return Claim(_writes.begin_over(head, request, me))


def _same(head: Head, request: Request, me: Claimant) -> Decision:
    # Seeded bug: asked-again
    again = request.issued_at is not None and request.issued_at > head.issued_at
    if head.fingerprint != request.fingerprint and not again:
        return Drop("its RequestId was used before for something else: forged or corrupted")
    if head.state == State.DONE:
        if head.succeeded or not again or _is_expired(request, me):
            return Replay(head.body or "")
        if me.now <= head.lease + LEASE_SLACK and not _is_ended(head, me):
            return Wait(head.lease + LEASE_SLACK)
        return Claim(_writes.new_round(head, request, me), owner_gone=head.ended)
    if _is_expired(request, me):
        return EXPIRED
    if head.state == State.PARK:
        if head.due is not None and me.now < head.due and me.due < head.due:
            return WAITS
        return Claim(_writes.take_over(head, request, me), owner_gone=head.ended)
    return _at_work(head, request, me)


def _at_work(head: Head, request: Request, me: Claimant) -> Decision:
    """Decide where another delivery of the same request holds the lease."""
    if _is_ended(head, me):
        return Claim(_writes.take_over(head, request, me), owner_gone=me.now)
    over = head.lease + LEASE_SLACK
    # Seeded bug: lease-runs
    if me.now > over:
        return Claim(_writes.take_over(head, request, me), owner_gone=over)
    if me.is_last:  # the owner is dead; in case it is not, its lease stays what it was
        in_its_place = me._replace(lease=head.lease, box=None)
        return Claim(_writes.take_over(head, request, in_its_place), owner_gone=over)
    return Wait(over)


def _is_ended(head: Head, me: Claimant) -> bool:
    """Tell whether our being in the owner's sandbox proves that the owner is over."""
    return me.box is not None and head.box == me.box


def _is_expired(request: Request, me: Claimant) -> bool:
    if request.issued_at is None:
        return False
    return me.now // 1000 > request.issued_at + request.service_timeout
