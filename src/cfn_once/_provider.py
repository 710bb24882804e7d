"""The way of an event, from top to bottom.

event ──► Request ──► claim ────────► hook ──────► outcome ──► answer: kept ──► CloudFormation told
                      who may work?   create, update, delete
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, assert_never

from ._delivery import Delivery, HttpsDelivery
from ._errors import (
    ConfigurationError,
    InProgress,
    InvalidProperties,
    InvalidRequest,
    LedgerUnavailable,
    NonDeterminism,
    SecretNotKept,
    Superseded,
    TemporaryError,
)
from ._properties import Mask
from ._recovery import CleanUp, Recovery
from ._request import Envelope, Json, Request, RequestType, open_envelopes
from ._resource import CustomResource
from ._response import Failure, Outcome, Success, encode
from ._sandbox import sandbox_id
from ._steps import Calls, DirectCalls, Steps
from ._time import SYSTEM_CLOCK, Clock, Deadline
from .ledger import (
    Answered,
    Ending,
    Granted,
    Ignored,
    Ledger,
    Stale,
    Store,
    open_store,
)

log = logging.getLogger("cfn_once")

SHORTEST = 30  # seconds of function timeout; a takeover waits for the lease of the one before
START = 2  # seconds that may pass between Lambda's start and ours
OLD = 300  # seconds of age after which a ledger in trouble is answered FAILED
LAST_ATTEMPT, LAST_AGE = 3, 240  # Lambda tries an event three times, after 1 and 2 minutes
ANY_TYPE = "AWS::CloudFormation::CustomResource"
STALE = "a newer request for this resource has begun; this one had no effect"

Resource = CustomResource[Any, Any]


class Provider:
    """The Lambda handler for one or several types of custom resource.

    Args:
        classes: The types it serves.
        ledger: `dynamodb://TABLE`, `sqlite:///path`, `memory://`, or a store; `CFN_ONCE_LEDGER`
            unless given.
        response_hosts: Hosts besides CloudFormation's that answers may go to; an emulator's.
        accounts: The accounts whose stacks it serves; all, unless given.
        allow_local_ledger: Take SQLite or memory in Lambda, where each sandbox has its own.

    Raises:
        ConfigurationError: No class, two of one type, or a ledger that cannot work.
    """

    def __init__(
        self,
        *classes: type[Resource],
        ledger: str | Store | None = None,
        delivery: Delivery | None = None,
        calls: Calls | None = None,
        clock: Clock = SYSTEM_CLOCK,
        response_hosts: Sequence[str] = (),
        accounts: Sequence[str] = (),
        allow_local_ledger: bool = False,
    ) -> None:
        self._classes = _by_type(classes)
        in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        store = (
            open_store(
                ledger or os.environ.get("CFN_ONCE_LEDGER"),
                in_lambda=in_lambda,
                allow_local=allow_local_ledger,
            )
            if ledger is None or isinstance(ledger, str)
            else ledger
        )
        self._ledger = Ledger(store, box=sandbox_id)
        hosts = os.environ.get("CFN_ONCE_RESPONSE_HOSTS", "").split(",")
        named = [host.strip() for host in (*response_hosts, *hosts) if host.strip()]
        self._delivery = delivery or HttpsDelivery(hosts=named)
        self._calls, self._clock = calls or DirectCalls(), clock
        self._accounts = frozenset(accounts)

    def __call__(self, event: Any, context: Any = None) -> dict[str, Any] | None:
        """Work on what Lambda hands over; returns the failed messages of an SQS batch.

        Raises:
            InvalidRequest: The event is no request that anybody can be told about.
            InProgress, LedgerUnavailable, DeliveryError, TemporaryError: Let Lambda come again.
        """
        deadline = Deadline(self._clock, context)
        failed: list[dict[str, str]] = []
        batch = False
        for envelope in open_envelopes(event):
            batch = batch or envelope.message_id is not None
            try:
                self._handle(envelope, deadline)
            except Exception as error:
                if envelope.message_id is None:
                    raise
                log.error("message %s comes again: %s", envelope.message_id, error)  # noqa: TRY400 - causes may hold URLs
                failed.append({"itemIdentifier": envelope.message_id})
        return {"batchItemFailures": failed} if batch else None

    def _handle(self, envelope: Envelope, deadline: Deadline) -> None:
        request, body = self._read(envelope)
        self._delivery.check(request)
        body = body or self._answer(request, deadline)
        if body is not None:
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
            return addressee, _refusal(addressee, str(error))
        if self._accounts and request.account not in self._accounts:
            return request, _refusal(request, f"this provider does not serve {request.account}")
        return request, None

    def _answer(self, request: Request, deadline: Deadline) -> bytes | None:
        """Return the answer: ours, one that is recorded, or none where nobody may be told."""
        try:
            claimed = self._ledger.claim(request, deadline)
            match claimed:
                case Granted():
                    return self._work(request, claimed, deadline)
                case Answered(body):
                    log.info("%s was answered before: told the same again", request)
                    return body
                case Stale():
                    return _refusal(request, STALE)
                case Ignored(reason):
                    log.warning("%s is ignored: %s", request, reason)
                    return None
                case never:
                    assert_never(never)
        except LedgerUnavailable as error:
            return self._without_ledger(request, error)
        except Superseded as superseded:
            if superseded.again:  # a copy of it holds the resource and may yet die
                raise InProgress(str(superseded)) from None
            log.info("%s", superseded)
            return None

    def _work(self, request: Request, granted: Granted, deadline: Deadline) -> bytes:
        """Run the hook, record what came of it, and return the answer."""
        execution = _Execution(
            request, granted, self._calls, deadline, self._classes, self._ledger.store.keeps_secrets
        )
        mask = Mask()
        mask.hide(execution.secrets())
        with _masked(mask):
            outcome = execution.outcome()
        if isinstance(outcome, Failure):
            outcome = Failure(
                reason=mask.text(outcome.reason), physical_resource_id=outcome.physical_resource_id
            )
        outcome, body = encode(request, outcome)
        execution.finish(outcome, body)
        return body

    def _without_ledger(self, request: Request, error: LedgerUnavailable) -> bytes:
        """Answer without the ledger where waiting on would only hang the stack; else raise."""
        nothing = request.physical_resource_id == request.never_id
        if nothing and request.type is RequestType.DELETE:
            return encode(request, Success(physical_resource_id=request.never_id))[1]
        age = 0.0 if request.issued_at is None else self._clock.now() - request.issued_at
        if age <= OLD:
            raise error
        held = request.physical_resource_id or request.never_id
        return encode(request, Failure(reason=str(error), physical_resource_id=held))[1]


class _Execution:
    """One run of a hook, under one claim."""

    def __init__(
        self,
        request: Request,
        granted: Granted,
        calls: Calls,
        deadline: Deadline,
        classes: Mapping[str, type[Resource]],
        keeps_secrets: bool,  # noqa: FBT001 - one caller, one line above
    ) -> None:
        self._request, self._granted, self._deadline = request, granted, deadline
        self._calls, self._keeps_secrets = calls, keeps_secrets
        self._class = classes.get(request.resource_type)
        self._served = sorted(classes)
        self._steps = Steps(granted, request, calls, deadline)
        self._cleaned = CleanUp(kept=granted.head.owed())
        self._removed: list[str] = []
        self._spares = False

    def secrets(self) -> set[str]:
        """Return the texts that must not be printed."""
        if self._class is None:
            return set()
        shape = self._class._properties_shape  # noqa: SLF001 - the class is ours
        return shape.secrets(self._request.properties) | shape.secrets(self._request.old_properties)

    def outcome(self) -> Outcome:
        """Do what is asked for; every failure of a hook is a value.

        Raises:
            TemporaryError, InProgress: The lease was given back; another delivery goes on.
        """
        try:
            self._granted.wait_for_the_dead()
            outcome = self._perform()
            if isinstance(outcome, Success) and (skipped := self._steps.unvisited()):
                raise NonDeterminism(
                    f"{', '.join(skipped)} ran before and was skipped now: a hook must come by its"
                    " steps again; move the check that skips one into its find="
                )
        except (InProgress, LedgerUnavailable):
            raise
        except TemporaryError as error:
            if self._comes_again():
                self._give_back()
                raise
            return self._failure(error)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            log.exception("%s failed", self._request)
            return self._failure(error)
        return outcome

    def finish(self, outcome: Outcome, body: bytes) -> None:
        """Record the answer; it may be told afterwards."""
        head = self._granted.head
        good = isinstance(outcome, Success)
        kept = head.owed() if self._spares or not good else self._cleaned.kept
        if good and self._request.type is RequestType.DELETE and not self._spares:
            kept = []
        answered = None
        if isinstance(outcome, Success) and self._request.type is not RequestType.DELETE:
            answered = json.dumps([dict(outcome.attributes), outcome.no_echo])
        ending = Ending(
            succeeded=good,
            body=body.decode(),
            physical_id=outcome.physical_resource_id,
            attributes=answered,
            removed=[*self._cleaned.removed, *self._removed] if good else [],
            kept=kept,
            spares=self._spares,
        )
        self._granted.finish(ending, self._steps.pending, self._steps.running_id)

    def _perform(self) -> Outcome:
        if self._request.type is RequestType.DELETE:
            return self._delete()
        if self._class is None:
            return self._failure_of(
                f"this provider serves {', '.join(self._served)}, not {self._request.resource_type}"
            )
        if self._class.no_echo and not self._keeps_secrets:
            raise SecretNotKept(
                f"{self._class.__name__} answers secrets and its ledger is not declared to keep"
                " them: put the table under a customer-managed key and say keeps_secrets=true in"
                " its URL"
            )
        resource = self._build(self._request, self._steps)
        if self._request.type is RequestType.CREATE:
            self._clean_up()
            return self._made(resource, resource.create())
        return self._update(resource)

    def _update(self, resource: Resource) -> Outcome:
        head = self._granted.head
        back = next(
            (old for old in head.replaced() if old.properties == head.properties),
            None,
        )
        self._clean_up()
        if back is not None:  # a replacement is rolled back: what it replaced is still there
            return _kept_answer(back.id, back.attributes)
        if not resource.changed and head.attributes is not None and head.physical_id is not None:
            return _kept_answer(head.physical_id, head.attributes)
        if resource.replaces():
            resource = self._build(self._request, self._steps, replacing=True)
            return self._made(resource, resource.create())
        self._refuse_short_time()
        return self._made(resource, resource.update())

    def _delete(self) -> Outcome:
        head, request = self._granted.head, self._request
        held, event_id = head.physical_id, str(request.physical_resource_id)
        success = Success(physical_resource_id=event_id)
        clean_up_of_old = event_id != held and event_id in [old.id for old in head.replaced()]
        if held is not None and event_id != held and not clean_up_of_old:
            if head.seen and event_id not in head.removed:
                log.error("%s carries an id nobody can place: nothing was removed", request)
            if head.seen or event_id in head.removed:
                self._spares = True
                return success
        self._spares = clean_up_of_old
        if self._class is None:
            return self._delete_of_unknown_type(success)
        if not clean_up_of_old:
            self._clean_up()
        target = event_id if clean_up_of_old else held
        if target is not None and target not in self._cleaned.removed:
            self._refuse_short_time()
            self._steps.deleting = True
            resource = self._build(request, self._steps, target=target)
            resource.delete()
            self._removed.append(target)
        if self._cleaned.doubts:
            return self._doubtful(success)
        return success

    def _delete_of_unknown_type(self, success: Success) -> Outcome:
        head = self._granted.head
        if head.fence == 1 or (head.physical_id is None and not head.debts):
            return success
        return self._failure_of(
            f"{self._request.resource_type} is served no more: deploy the version of the provider"
            f" that made it; this one serves {', '.join(self._served)}"
        )

    def _doubtful(self, success: Success) -> Outcome:
        assert self._class is not None  # noqa: S101 - a clean-up ran, so there is a class
        text = "in doubt: " + "; ".join(self._cleaned.doubts)
        log.error("%s: %s", self._request, text)
        if self._class.unresolved == "fail":
            return self._failure_of(text)
        return Success(physical_resource_id=success.physical_resource_id, reason=text)

    def _clean_up(self) -> None:
        if self._request.type is not RequestType.UPDATE:
            self._refuse_short_time()
        if self._granted.head.debts:
            recovery = Recovery(
                self._request, self._granted, self._build, self._calls, self._deadline
            )
            self._cleaned = recovery.clean_up()

    def _refuse_short_time(self) -> None:
        if self._deadline.total < SHORTEST - START:
            raise ConfigurationError(
                f"the function has {self._deadline.total:.0f} s for an event: set its Timeout to"
                f" 120, at least {SHORTEST} (templates/provider.yaml)"
            )

    def _build(
        self,
        request: Request,
        steps: Steps,
        *,
        replacing: bool = False,
        replay: bool = False,
        recovered: bool = False,
        target: str | None = None,
        partial: Mapping[str, Json] | None = None,
    ) -> Resource:
        """Make the object whose hook runs; bad properties end here, but never a Delete."""
        assert self._class is not None  # noqa: S101 - every caller has looked
        shape = self._class._properties_shape  # noqa: SLF001 - the class is ours
        soft = request.type is RequestType.DELETE
        where = f"{request.logical_resource_id} ({request.resource_type})"
        head = self._granted.head
        makes = request.type is RequestType.CREATE or replacing
        if replay and request.type is RequestType.UPDATE:
            makes = True
        held = request.default_physical_id if makes else target or request.physical_resource_id
        return self._class(
            request=request,
            properties=shape.convert_softly(request.properties)
            if soft
            else shape.convert(request.properties, where),
            old_properties=shape.convert_softly(request.old_properties),
            raw=(request.properties, request.old_properties),
            steps=steps,
            deadline=self._deadline,
            physical_resource_id=str(held),
            may_set_id=makes,
            olds=[old.id for old in head.replaced()],
            recovered=recovered,
            partial=partial,
            is_rollback=request.old_properties_fingerprint == head.held_properties
            and head.type == RequestType.UPDATE
            and request.type is RequestType.UPDATE,
        )

    def _made(self, resource: Resource, returned: Any) -> Outcome:
        assert self._class is not None  # noqa: S101 - its hook has just run
        data = self._class._attributes_shape.to_data(returned)  # noqa: SLF001 - the class is ours
        reason = ""
        if self._cleaned.doubts:
            reason = "in doubt: " + "; ".join(self._cleaned.doubts)
            log.error("%s: %s", self._request, reason)
        return Success(
            physical_resource_id=resource.physical_resource_id,
            attributes=data,
            no_echo=self._class.no_echo,
            reason=reason,
        )

    def _failure(self, error: BaseException) -> Failure:
        named = isinstance(error, InvalidProperties | ConfigurationError)
        return self._failure_of(str(error) if named else f"{type(error).__name__}: {error}")

    def _failure_of(self, reason: str) -> Failure:
        held = self._request.physical_resource_id or self._steps.running_id
        return Failure(reason=reason, physical_resource_id=held or self._request.none_id)

    def _comes_again(self) -> bool:
        head = self._granted.head
        began = head.begun / 1000 if self._request.issued_at is None else self._request.issued_at
        age = self._deadline.clock.now() - began
        return head.attempts < LAST_ATTEMPT and age < LAST_AGE

    def _give_back(self) -> None:
        self._granted.park(
            self._steps.pending, self._steps.running_id, in_doubt=self._steps.in_doubt
        )


def _kept_answer(physical_id: str, attributes: str | None) -> Success:
    data, no_echo = json.loads(attributes) if attributes is not None else ({}, False)
    return Success(physical_resource_id=physical_id, attributes=data, no_echo=no_echo)


def _refusal(request: Request, reason: str) -> bytes:
    held = request.physical_resource_id or request.none_id
    return encode(request, Failure(reason=reason, physical_resource_id=held))[1]


def _by_type(classes: Sequence[type[Resource]]) -> dict[str, type[Resource]]:
    if not classes:
        raise ConfigurationError(
            "Provider() needs the classes that it serves: Provider(MyResource)"
        )
    served: dict[str, type[Resource]] = {}
    for one in classes:
        if one.resource_type in served:
            raise ConfigurationError(f"two classes serve {one.resource_type}: name one otherwise")
        served[one.resource_type] = one
    if len(classes) == 1:
        served.setdefault(ANY_TYPE, classes[0])
    return served


@contextmanager
def _masked(mask: Mask) -> Iterator[None]:
    """Hide secret values in what hooks log while they run."""
    loggers = [log, logging.getLogger("cfn_once.resource")]
    for one in loggers:
        one.addFilter(mask)
    try:
        yield
    finally:
        for one in loggers:
            one.removeFilter(mask)
