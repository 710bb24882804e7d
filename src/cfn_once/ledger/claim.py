"""Who may work on a request: the one table that decides, from the head that refused a begin."""

from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from . import transitions
from .head import Head, Operation, State
from .store import Write
from .transitions import Candidate


class Answered(NamedTuple):
    """It was answered before, and gets the same response again.

    Attributes:
        response: What is recorded of it: all but the ids that every delivery carries.
    """

    response: str


class Stale:
    """A late first delivery, after a newer request has begun: no effect, but an answer."""


class Ignored(NamedTuple):
    """No effect and no answer."""

    reason: str


class Refused(NamedTuple):
    """No effect, and an answer that says why."""

    reason: str


class Wait(NamedTuple):
    """Another execution may be at work on it until then, in milliseconds since 1970."""

    until: int


class Claim(NamedTuple):
    """It is ours if this write is applied.

    Attributes:
        previous_owner_ended_at: When an earlier execution of this request is certainly over, in
            milliseconds since 1970; 0 where there was none, or nothing of it is in doubt.
        goes_on: It goes on with what an earlier execution has begun, in the same round.
    """

    write: Write
    previous_owner_ended_at: int = 0
    goes_on: bool = False


class ReadFirst:
    """Nothing may be begun; what was answered may be answered again."""


Admission = Answered | Stale | Ignored | Refused | Wait | Claim | ReadFirst

EXPIRED = Ignored("CloudFormation no longer waits for it; the next request cleans up")
WAITS = Ignored("its hook waits, and goes on with the continuation that was sent")
REUSED = Ignored("its RequestId was used before for something else: forged or corrupted")
FOLLOWED = Ignored("a copy of a request that newer ones have followed")


def blindly(request: Request, candidate: Candidate) -> Admission:
    """Decide before anything is known of the head: nearly always, it can be begun."""
    expired = _is_expired(request, candidate)
    return ReadFirst() if expired else Claim(transitions.begin(request, candidate))


def admit(head: Head | None, request: Request, candidate: Candidate) -> Admission:
    """Decide what a request may do against the head as it is."""
    if head is None:
        expired = _is_expired(request, candidate)
        return EXPIRED if expired else Claim(transitions.begin(request, candidate))
    if request.type is RequestType.UPDATE and head.resource_type != request.resource_type:
        return Refused(
            f"the ledger knows {request.logical_resource_id} as a {head.resource_type}: an Update"
            f" of it as a {request.resource_type} is refused. Give a resource of another type"
            " another logical id"
        )
    if head.operation.request_id == request.request_id:
        return _same(head, request, candidate)
    known = head.has_begun(request.operation_name)
    # Seeded bug: newer
    newer = _is_newer(head, request, known=known)
    if not newer:
        # Behind so many others it may be forgotten that it was known; nobody waits for it.
        is_long_ago = len(head.recent) >= transitions.MOST_RECENT
        return FOLLOWED if known or is_long_ago else Stale()
    if _is_expired(request, candidate):
        return EXPIRED
    return _over(head, request, candidate)


def _is_issued_after(operation: Operation, request: Request) -> bool:
    """Tell whether a request was signed after what is known of it; never of an undated one."""
    dated = request.issued_at is not None and not operation.undated
    return dated and (request.issued_at or 0) > operation.issued_at


def _over(head: Head, request: Request, candidate: Candidate) -> Admission:
    """Begin over what is there, once nobody can be at work on it."""
    ended = head.operation.execution.lease
    # Seeded bug: time-out-wait
    if head.operation.state != State.RUNNING and candidate.now < ended:
        return Wait(ended)  # its hook ran out of time, and may be stuck in a call until then
    return Claim(transitions.begin_over(head, request, candidate))


def _is_newer(head: Head, request: Request, *, known: bool) -> bool:
    newest = head.operation.issued_at
    if request.issued_at is None or request.issued_at == newest:
        return not known
    return request.issued_at > newest


def _is_of_equal_content(operation: Operation, request: Request) -> bool:
    """Tell whether a request asks for what an operation of its RequestId does."""
    updates = request.type is RequestType.UPDATE
    return (
        operation.type == request.type
        and operation.event_physical_id == request.physical_resource_id
        and operation.properties == request.properties_fingerprint
        and (not updates or operation.old_properties == request.old_properties_fingerprint)
    )


def _same(head: Head, request: Request, candidate: Candidate) -> Admission:
    """Decide where the head's operation is of this RequestId."""
    operation, expired = head.operation, _is_expired(request, candidate)
    # Seeded bug: asked-again
    again = _is_issued_after(operation, request) and not expired
    # Seeded bug: other-content
    if not _is_of_equal_content(operation, request):
        return _over(head, request, candidate) if again else REUSED
    match operation.state:
        case State.FAILED if again:
            return _failed(head, request, candidate)
        case State.SUCCEEDED | State.FAILED:
            return Answered(head.response or "")
        case _ if expired:
            return EXPIRED
        case State.PARKED:
            return _parked(head, request, candidate)
        case _:
            return _at_work(head, request, candidate)


def _failed(head: Head, request: Request, candidate: Candidate) -> Admission:
    """Decide where CloudFormation asks again for what had failed: a new round."""
    # Seeded bug: forgotten-again
    if head.operation.cleanup.forgotten:  # new tokens: those it had may stand for what is gone
        return _over(head, request, candidate)
    ended = head.operation.execution.lease
    if candidate.now < ended and not _is_over_in_our_sandbox(head, candidate):
        return Wait(ended)
    return Claim(transitions.resume(head, request, candidate), previous_owner_ended_at=ended)


def _parked(head: Head, request: Request, candidate: Candidate) -> Admission:
    execution = head.operation.execution
    due, ended = execution.due, execution.lease
    if due is not None and candidate.now < due and candidate.due < due:
        return WAITS
    return Claim(transitions.resume(head, request, candidate), ended, goes_on=True)


def _at_work(head: Head, request: Request, candidate: Candidate) -> Admission:
    """Decide where another delivery of the same request holds the lease."""
    over = head.operation.execution.lease
    resumed = transitions.resume(head, request, candidate)
    if _is_over_in_our_sandbox(head, candidate):
        return Claim(resumed, candidate.now, goes_on=True)
    # Seeded bug: lease-runs
    if candidate.now >= over:
        return Claim(resumed, over, goes_on=True)
    if candidate.retries_exhausted:  # in case the owner is not dead, its lease stays what it was
        in_its_place = candidate._replace(lease=over, sandbox_id=None)
        resumed = transitions.resume(head, request, in_its_place)
        return Claim(resumed, over, goes_on=True)
    return Wait(over)


def _is_over_in_our_sandbox(head: Head, candidate: Candidate) -> bool:
    """Tell whether our being in the owner's sandbox proves that the owner is over."""
    ours = candidate.sandbox_id
    return ours is not None and head.operation.execution.sandbox_id == ours


def _is_expired(request: Request, candidate: Candidate) -> bool:
    if request.issued_at is None:
        return False
    return candidate.now // 1000 > request.issued_at + request.service_timeout
