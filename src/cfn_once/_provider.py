"""The path of a request, from top to bottom.

event ──► Request ──► claim ────────► hook ──────► outcome ──► response: recorded ──► CloudFormation
                      who may work?   create, update, delete
"""

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, assert_never

from ._clock import SYSTEM_CLOCK, Clock, Deadline
from ._cloudformation.delivery import Delivery, HttpsDelivery
from ._cloudformation.envelopes import DUE, Envelope, open_envelopes
from ._cloudformation.request import Request
from ._cloudformation.response import gone, refusal, with_ids
from ._errors import (
    ConfigurationError,
    InProgress,
    InvalidRequest,
    LedgerTrouble,
    LedgerUnavailable,
    Superseded,
    Suspended,
)
from ._hooks.execution import Execution
from ._hooks.resource import CustomResource
from ._hooks.served import NEVER_ENDS, Served, accounts_of, by_type
from ._lambda import environment
from ._lambda.continuation import Continuation
from ._lambda.sandbox import sandbox_id
from ._observability.logs import hand_over
from ._observability.mask import Mask
from ._observability.telemetry import Trail, following, telling, warn_of_timeouts
from ._steps.call import Calls, DirectCalls
from ._steps.doubt import VISIBLE_AFTER
from ._steps.ports import Ports, Resumption
from .ledger import (
    LEDGER_OUTAGE_GRACE,
    Answered,
    Ignored,
    Lease,
    Ledger,
    MemoryStore,
    Refused,
    Stale,
    Store,
    open_store,
)

log = logging.getLogger("cfn_once")

CLOCKS_DIFFER = 60.0  # seconds that an issue time may be ahead of our clock
STALE = "a newer request for this resource has begun; this one had no effect"

Resource = CustomResource[Any, Any]
T = TypeVar("T")


class Provider:
    """The Lambda handler for one or several types of custom resource.

    Args:
        classes: The types it serves.
        ledger: `dynamodb://TABLE`, `sqlite:///path`, `memory://`, or a store; `CFN_ONCE_LEDGER`
            unless given.
        response_hosts: Hosts besides CloudFormation's that answers may go to; an emulator's.
        regions: Regions besides the function's own whose stacks it serves.
        accounts: The accounts whose stacks it serves; all, unless given. It guards against mistakes
            and proves nothing: the sender of an event writes the account into it.
        allow_local_ledger: Take SQLite or memory in Lambda, where each sandbox has its own.
        continuation: How a hook goes on that waits for longer than an invocation:
            `scheduler://GROUP?role=ARN`, `sqs://HOST/ACCOUNT/QUEUE`, `lambda://self`, or one of
            your own; `CFN_ONCE_CONTINUATION` unless given.
        ends_process: On Lambda Managed Instances, end the worker process of an invocation whose
            time is over. Lambda does not, and a function there is FAILED unless this is said.
        visible_after: Seconds after which what a call has made is visible to its look-up: one that
            finds nothing is believed no sooner.
        logger: Powertools' Logger, or one of the standard library's: the package's log lines go
            through it, for all providers of the process, and its own bear the request's ids too.

    Raises:
        ConfigurationError: No class, two of one type, or a ledger that cannot work.
    """

    def __init__(
        self,
        *classes: type[Resource],
        ledger: str | Store | None = None,
        clock: Clock = SYSTEM_CLOCK,
        response_hosts: Sequence[str] = (),
        regions: Sequence[str] = (),
        accounts: Sequence[str] = (),
        allow_local_ledger: bool = False,
        continuation: str | Continuation | None = None,
        ends_process: bool = False,
        visible_after: float = VISIBLE_AFTER,
        logger: Any = None,
    ) -> None:
        if logger is not None:
            hand_over(logger)
        self.classes, self._classes = classes, by_type(classes)
        self._misconfigured = self._unable = ""
        self._guards = self._retries_exhausted = self._has_warned = False
        store = self._store_of(ledger, allow_local=allow_local_ledger)
        self._ledger = Ledger(store, sandbox_id=sandbox_id)
        self._continuation = self._continuation_of(continuation)
        self._delivery: Delivery = HttpsDelivery(
            hosts=environment.hosts_besides(response_hosts),
            own_region=environment.own_region(),
            regions=regions,
        )
        self._calls: Calls = DirectCalls()
        self._clock, self._ends_process = clock, ends_process
        self._accounts, self._visible_after = accounts_of(accounts), visible_after

    def _store_of(self, ledger: str | Store | None, *, allow_local: bool) -> Store:
        if not isinstance(ledger, str | None):
            return ledger
        url, in_lambda = ledger or environment.ledger_url(), environment.is_in_lambda()
        store = self._unless_misconfigured(
            lambda: open_store(url, in_lambda=in_lambda, allow_local=allow_local)
        )
        return store or MemoryStore()

    def _continuation_of(self, continuation: str | Continuation | None) -> Continuation | None:
        if not isinstance(continuation, str | None):
            return continuation
        url = continuation
        return self._unless_misconfigured(lambda: environment.continuation_of(url))

    def _unless_misconfigured(self, opened: Callable[[], T]) -> T | None:
        try:
            return opened()
        except ConfigurationError as error:
            if not environment.is_in_lambda():
                raise
            # A function that fails at import answers nobody: the stack would hang for an hour.
            log.error("%s", error)  # noqa: TRY400 - the text says it all
            self._misconfigured = str(error)
            return None

    @classmethod
    def unable(
        cls,
        reason: str,
        *,
        guards: bool = False,
        retries_exhausted: bool = False,
        **options: Any,
    ) -> "Provider":
        """Return a provider that has no class, and answers with the reason.

        Nothing is made; a Delete is SUCCESS where the ledger knows that nothing ever was. One that
        `guards` answers for another function. With `retries_exhausted` every delivery of the
        request has failed, and it waits for none of them: should one be at work all the same, what
        it does is cleaned up when it is over.
        """
        made = cls(_Nothing, **options)
        vars(made).update(
            classes=(),
            _classes={},
            _unable=reason,
            _guards=guards,
            _retries_exhausted=retries_exhausted,
        )
        return made

    @property
    def resource_types(self) -> tuple[str, ...]:
        """The types that it serves, as templates name them."""
        return tuple(served.resource_type for served in self.classes)

    def using(
        self,
        *,
        ledger: Store | None = None,
        delivery: Delivery | None = None,
        calls: Calls | None = None,
        clock: Clock | None = None,
        continuation: Continuation | None = None,
        sandbox_id: Callable[[], str | None] | None = None,
    ) -> "Provider":
        """Return a copy that reaches the world in other ways: a test's."""
        other, own = copy.copy(self), self._ledger
        vars(other).update(
            _ledger=Ledger(ledger or own.store, sandbox_id=sandbox_id or own.sandbox_id),
            _delivery=delivery or self._delivery,
            _calls=calls or self._calls,
            _clock=clock or self._clock,
            _continuation=continuation or self._continuation,
        )
        return other

    def __call__(self, event: Any, context: Any = None) -> dict[str, Any] | None:
        """Work on what Lambda hands over; returns the failed messages of an SQS batch.

        Raises:
            InvalidRequest: The event is no request to which we could respond.
            InProgress, LedgerUnavailable, DeliveryError, TemporaryError: Let Lambda come again; of
                a batch, where all of it must.
        """
        deadline = Deadline(self._clock, context)
        if not (self._ends_process and environment.is_managed()):
            return self._work(event, deadline, context)
        call_off = deadline.end_process()  # Lambda does not: the lease must not outlive us
        try:
            return self._work(event, deadline, context)
        finally:
            call_off()

    def _work(self, event: Any, deadline: Deadline, context: Any) -> dict[str, Any] | None:
        failed: list[dict[str, str]] = []
        batch, done, last = False, 0, Exception()
        for envelope in open_envelopes(event):
            try:
                if batch and deadline.remaining() < deadline.total / 2:
                    raise InProgress("what came before it in the batch has taken its time")
                batch = batch or envelope.message_id is not None
                self._handle(envelope, deadline, context)
                done += 1
            except Exception as error:
                if envelope.message_id is None:
                    raise
                log.error("message %s comes again: %s", envelope.message_id, error)  # noqa: TRY400 - causes may hold URLs
                last = error
                failed.append({"itemIdentifier": envelope.message_id})
        if failed and not done:  # keeps them also where ReportBatchItemFailures is off
            raise last
        return {"batchItemFailures": failed} if batch else None

    def _handle(self, envelope: Envelope, deadline: Deadline, context: Any) -> None:
        request, body = self._read(envelope)
        now = deadline.clock.now()
        request, due = _dated(request, now), _bounded(envelope.due, request, now)
        with following(request, deadline.clock, context, envelope) as trail:
            unable = self._unable_to_serve(request, self._delivery.check(request))
            self._has_warned = self._has_warned or warn_of_timeouts(request, deadline)
            if not unable and self._is_early(envelope, due, deadline):
                trail.note(outcome="Suspended")
                return
            ports = Ports(
                calls=self._calls,
                deadline=deadline,
                mask=Mask(),
                visible_after=self._visible_after,
                resumption=Resumption(self._continuation, envelope.event, deadline.function),
            )
            body = body or self._answer(request, due, trail, ports, unable)
            if body is not None:
                self._deliver(request, body, deadline)

    def _is_early(self, envelope: Envelope, due: float, deadline: Deadline) -> bool:
        """Tell whether an event has come back too early, and was sent on."""
        left = due - deadline.clock.now()
        if left <= 0:
            return False
        way = self._continuation
        if way is None or deadline.allows(left, reserve=deadline.total / 2):
            deadline.clock.sleep(min(left, deadline.remaining() / 2))
            return False
        if not way.longest:  # it hops at once: all the waiting is done here
            deadline.clock.sleep(min(left, max(0.0, deadline.remaining() - deadline.reserve)))
        now = deadline.clock.now()
        event = {**envelope.event, DUE: due}  # as bounded at first sight: an undated one has no end
        way.send(event, due, now=now, function=deadline.function)
        return True

    def _deliver(self, request: Request, body: bytes, deadline: Deadline) -> None:
        with telling(body):
            self._delivery.put(request, body, deadline)

    def _read(self, envelope: Envelope) -> tuple[Request, bytes | None]:
        """Return the request, and its answer where it can be refused without the ledger."""
        try:
            if envelope.problem:
                raise InvalidRequest(f"not a custom resource request: {envelope.problem}")
            request = Request.from_event(envelope.event)
        except InvalidRequest as error:
            addressee = Request.addressee_of(envelope.event)
            if addressee is None:
                raise
            return addressee, refusal(addressee, str(error))
        if not self._misconfigured:
            return request, None
        if request.is_of_never:
            return request, gone(request, self._misconfigured)
        return request, refusal(request, self._misconfigured, kind="never")

    def _unable_to_serve(self, request: Request, elsewhere: str) -> str:
        """Return why nothing is done for a request; nothing where its type decides."""
        if self._unable or elsewhere:
            return self._unable or elsewhere
        if environment.is_managed() and not self._ends_process:
            return NEVER_ENDS
        if self._accounts and request.account not in self._accounts:
            account = request.account
            return (
                f"this provider does not serve {account}. If it is to, or did when the resource"
                f' was made: Provider(..., accounts=[..., "{account}"])'
            )
        return ""

    def _answer(
        self, request: Request, due: float, trail: Trail, ports: Ports, unable: str
    ) -> bytes | None:
        """Return the response: ours, a recorded one, or none where none may be sent."""
        claimed = None
        try:
            claimed = self._ledger.claim(
                request,
                ports.deadline,
                due=due,
                guards=self._guards,
                retries_exhausted=self._retries_exhausted,
            )
            trail.claimed(claimed)
            if isinstance(claimed, Lease):
                return self._execute(request, claimed, ports, unable)
            return self._without_lease(request, claimed)
        except LedgerUnavailable as error:
            return self._without_ledger(request, error, has_begun=claimed is not None)
        except Superseded as superseded:
            if superseded.again:  # a copy of it holds the resource and may yet die
                raise InProgress(str(superseded)) from None
            trail.note(outcome="Superseded")
            log.info("%s", superseded)
            return None
        except Suspended as suspended:
            trail.note(outcome="Suspended")
            log.info("%s", suspended)
            return None

    def _without_lease(
        self, request: Request, claimed: Answered | Stale | Refused | Ignored
    ) -> bytes | None:
        """Return the answer to a request that nothing is done for any more."""
        match claimed:
            case Answered(kept):
                log.info("%s is a duplicate: sending the recorded response again", request)
                served = Served(self._classes).class_of(request.resource_type)
                secret = served is not None and served.no_echo
                # Seeded bug: replay-response
                return with_ids(request, kept, no_echo=secret)
            case Stale():
                return refusal(request, STALE)
            case Refused(reason):
                return refusal(request, reason)
            case Ignored(reason):
                log.warning("%s is ignored: %s", request, reason)
                return None
            case never:
                assert_never(never)

    def _execute(self, request: Request, lease: Lease, ports: Ports, unable: str) -> bytes:
        """Do what is asked for, and return the response, which is recorded."""
        keeps_secrets = self._ledger.store.keeps_secrets
        served = Served(self._classes, keeps_secrets=keeps_secrets, unable=unable)
        execution = Execution(request, lease, served, ports)
        return execution.run(lambda body: self._deliver(request, body, ports.deadline))

    def _without_ledger(
        self, request: Request, error: LedgerUnavailable, *, has_begun: bool
    ) -> bytes:
        """Answer without the ledger where waiting on would only hang the stack; else raise."""
        age = 0.0 if request.issued_at is None else self._clock.now() - request.issued_at
        stands_for_nothing = request.is_of_never
        if stands_for_nothing and error.trouble is LedgerTrouble.MISSING:
            return gone(request, str(error))
        stays = error.trouble in {LedgerTrouble.MISSING, LedgerTrouble.FULL}
        if age <= LEDGER_OUTAGE_GRACE and not stays:
            raise error
        if stands_for_nothing and error.trouble is LedgerTrouble.DENIED:
            return gone(request, str(error))
        return refusal(request, str(error), kind="none" if has_begun else "never")


class _Nothing(CustomResource[dict[str, Any], None]):
    """Holds the place of the classes that could not be had."""

    def create(self) -> None:
        """Make nothing: no request comes to it."""

    delete = None


def _dated(request: Request, now: float) -> Request:
    """Return a request without an issue time that no clock can have shown."""
    if request.issued_at is None or request.issued_at <= now + CLOCKS_DIFFER:
        return request
    ahead = request.issued_at - now
    log.error("%s is dated %.0f s ahead of our clock: which one is wrong?", request, ahead)
    return replace(request, issued_at=None)


def _bounded(due: float, request: Request, now: float) -> float:
    """Return when a wait is over, but no later than CloudFormation waits for the answer."""
    since = now if request.issued_at is None else request.issued_at
    return min(due, since + request.service_timeout)
