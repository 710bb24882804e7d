"""One run of a request: from the right to work on it to a response that is recorded."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, assert_never

from .._cloudformation.request import Json, Request, RequestType
from .._cloudformation.response import Failure, Outcome, Success, encode, without_ids
from .._errors import (
    ConfigurationError,
    InProgress,
    Interrupt,
    InvalidProperties,
    LedgerUnavailable,
    NonDeterminism,
    SecretNotKept,
    TemporaryError,
)
from .._lambda.watchdog import Watchdog, whereabouts
from .._observability.mask import Mask
from .._steps.journal import Journal
from .._steps.ports import Ports
from .._steps.steps import Steps
from ..ledger import Ending, Head, Lease, Operation
from .cleanup import CleanedUp, Leftovers
from .decision import (
    Cleanup,
    Create,
    Decision,
    Delete,
    Keep,
    Refuse,
    Update,
    decide,
)
from .resource import CustomResource, HookInput, run, shapes_of

log = logging.getLogger("cfn_once")

MIN_FUNCTION_TIMEOUT = 30  # seconds; a takeover waits for the lease of the one before
START_UP = 5  # seconds that may pass between Lambda's start and ours: it imports the provider
MOST_PENDING = 8  # requests whose traces are in doubt, before no further one is begun

Resource = CustomResource[Any, Any]


class Served(NamedTuple):
    """What a provider serves.

    Attributes:
        classes: The served classes by type.
        keeps_secrets: The ledger may hold answers marked NoEcho.
        unable: Why no class of this provider can be had at all.
    """

    classes: Mapping[str, type[Resource]]
    keeps_secrets: bool = False
    unable: str = ""

    def unable_to_serve(self, request: Request) -> str:
        """Return why no class can serve a request; nothing where one can."""
        if request.resource_type in self.classes:
            return ""
        serves, kind = ", ".join(sorted(self.classes)), request.resource_type
        if request.type is RequestType.DELETE:
            gone = f"{kind} is served no more: deploy the version of the provider that made it;"
            return self.unable or f"{gone} this one serves {serves}"
        return self.unable or f"this provider serves {serves}, not {kind}"


class Execution:
    """One run of a request under its lease.

    Args:
        request: What is asked for.
        lease: The right to work on it.
        served: What the provider serves.
        ports: How the hook reaches the world; the mask is the execution's own.
    """

    def __init__(self, request: Request, lease: Lease, served: Served, ports: Ports) -> None:
        self._request, self._lease, self._served = request, lease, served
        self._class = served.classes.get(request.resource_type)
        self._mask = Mask()
        self._mask.hide(self._secrets())
        self._ports = ports._replace(mask=self._mask.text)
        self._deadline = ports.deadline
        self._journal = Journal(lease, request, self._mask.text)
        self._steps = Steps(self._journal, self._ports)
        self._thread = threading.get_ident()
        self._cleaned = CleanedUp(pending=lease.head.pending_cleanup)
        self._removed: list[str] = []
        self._keeps_current = False

    def _secrets(self) -> set[str]:
        """Return the texts that must be neither printed nor kept."""
        if self._class is None:
            return set()
        shape, request = shapes_of(self._class).properties, self._request
        return shape.secrets(request.properties) | shape.secrets(request.old_properties)

    def run(self, respond: Callable[[bytes], None]) -> bytes:
        """Do what is asked for, and return the response, which is recorded.

        Args:
            respond: Delivers the response of a hook that does not end in time, from another thread.

        Raises:
            TemporaryError, InProgress: The lease was given back; another delivery goes on.
            Superseded: The lease was lost, and nothing may be answered.
        """
        with Watchdog(self._deadline, lambda: self._time_out(respond)):
            outcome = self._outcome()
            # Seeded bug: record-first
            return self._recorded(outcome)

    def _recorded(self, outcome: Outcome, *, timed_out: bool = False) -> bytes:
        """Record an outcome as the response that is really given, and return that."""
        outcome, body = encode(self._request, outcome)
        progress = self._journal.progress(timed_out=timed_out)
        # Seeded bug: time-out-record
        self._lease.finish(self._ending(outcome, body), progress, timed_out=timed_out)
        return body

    def _time_out(self, respond: Callable[[bytes], None]) -> None:
        """Answer for the hook, unless it has ended meanwhile: whoever records first decides."""
        with self._lease.exclusive():
            if self._lease.is_over:
                return
            body = self._recorded(self._failure_of(self._unfinished()), timed_out=True)
        respond(body)

    def _unfinished(self) -> str:
        left = self._deadline.remaining()
        module = "" if self._class is None else self._class.__module__
        line, stack = whereabouts(self._thread, module)
        in_flight = self._journal.call_in_flight()
        log.error("%s did not end in time; it is here:\n%s", self._request, stack)
        return (
            f"{self._request.type.lower()} was still at work after"
            f" {self._deadline.total - left:.0f} s, at {line}"
            + (f" in step {in_flight[0]}" if in_flight else "")
            + f"; Lambda ends the function in {left:.0f} s"
        )

    def _ending(self, outcome: Outcome, body: bytes) -> Ending:
        succeeded = isinstance(outcome, Success)
        pending: Sequence[Operation] = self._lease.head.pending_cleanup
        if succeeded and not self._keeps_current:
            deletes = self._request.type is RequestType.DELETE
            pending = [] if deletes else self._cleaned.pending
        return Ending(
            succeeded=succeeded,
            response=without_ids(self._request, body),
            physical_id=outcome.physical_resource_id,
            removed=[*self._cleaned.removed, *self._removed] if succeeded else [],
            pending_cleanup=pending,
            keeps_current=self._keeps_current,
            reason="" if succeeded else outcome.reason,
        )

    # What becomes of the hook

    def _outcome(self) -> Outcome:
        """Do what is asked for; every failure of a hook is a value."""
        with self._mask:
            try:
                return self._outcome_of_hook()
            except Interrupt:
                if self._lease.is_over:
                    raise
                return self._failure_of(  # what ended long ago does not end this execution
                    "a client or a session of an earlier event was used: make it in the hook, with"
                    " self.client or self.http, each time that the hook runs"
                )

    def _outcome_of_hook(self) -> Outcome:
        try:
            # Seeded bug: previous-owners
            self._lease.wait_for_previous_owners()
            outcome = self._perform()
            if isinstance(outcome, Success) and (skipped := self._journal.skipped()):
                raise NonDeterminism(
                    f"{', '.join(skipped)} ran before and was skipped now: a hook must come by its"
                    " steps again; move the check that skips one into its find="
                )
        except (InProgress, LedgerUnavailable):
            raise
        except TemporaryError as error:
            if not self._lease.has_retries_left():
                return self._failure(error)
            temporary = TemporaryError(self._mask.text(str(error)))
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            log.exception("%s failed", self._request)
            return self._failure(error)
        except BaseException as error:
            if type(error).__module__.partition(".")[0] != "asyncio":  # its CancelledError
                raise
            return self._failure(error)
        else:
            return outcome
        self._lease.park(self._journal.progress())
        raise temporary  # without its causes, which may tell what is secret

    def _failure(self, error: BaseException) -> Failure:
        is_named = isinstance(error, InvalidProperties | ConfigurationError)
        return self._failure_of(str(error) if is_named else f"{type(error).__name__}: {error}")

    def _failure_of(self, reason: str) -> Failure:
        assigned = self._journal.assigned_id or self._lease.head.operation.assigned_id
        held = self._request.physical_resource_id or assigned
        return Failure(
            reason=self._mask.text(reason),
            physical_resource_id=held or self._request.none_id,
        )

    # What is decided, and done

    def _perform(self) -> Outcome:
        head, request = self._lease.head, self._request
        unable = self._served.unable_to_serve(request)
        if self._class is None or request.type is RequestType.DELETE:
            return self._do(decide(head, request, unable=unable), None)
        self._refuse_secrets(self._class)
        if len(head.pending_cleanup) > MOST_PENDING:
            return self._failure_of(_too_much_in_doubt(head))
        resource = self._build(request, self._steps)
        changed = request.type is RequestType.UPDATE and bool(resource.changed)
        decision = decide(head, request, changed=changed, replaces=resource.replaces)
        return self._do(decision, resource)

    def _refuse_secrets(self, served: type[Resource]) -> None:
        if served.no_echo and not self._served.keeps_secrets:
            raise SecretNotKept(
                f"{served.__name__} answers secrets and its ledger is not declared to keep"
                " them: put the table under a customer-managed key and say keeps_secrets=true in"
                " its URL"
            )

    def _do(self, decision: Decision, resource: Resource | None) -> Outcome:
        match decision:
            case Refuse(reason):
                return self._failure_of(reason)
            case Keep(answer, misplaced):
                return self._keep(answer, misplaced=misplaced)
            case Cleanup():
                return self._delete(None)
            case Delete(target, keeps_current):
                self._keeps_current = keeps_current
                return self._delete(target)
            case Create(replaces):
                return self._create(resource, replaces=replaces)
            case Update():
                return self._update(resource)
            case never:
                assert_never(never)

    def _keep(self, answer: Success, *, misplaced: bool) -> Outcome:
        if self._request.type is RequestType.DELETE:
            self._keeps_current = True
            if misplaced:
                log.error("%s carries an id nobody can place: nothing was removed", self._request)
        else:
            self._clean_up()
        return answer

    def _create(self, resource: Resource | None, *, replaces: bool) -> Outcome:
        if not replaces:
            self._refuse_short_time()
        self._clean_up()
        if resource is None or replaces:
            self._refuse_short_time()
            resource = self._build(self._request, self._steps, replacing=replaces)
        return self._made(resource, run(resource, resource.create))

    def _update(self, resource: Resource | None) -> Outcome:
        self._clean_up()
        self._refuse_short_time()
        resource = resource or self._build(self._request, self._steps)
        return self._made(resource, run(resource, resource.update))

    def _delete(self, target: str | None) -> Outcome:
        event_id = str(self._request.physical_resource_id)
        success = Success(physical_resource_id=event_id)
        if self._class is None:
            return success
        self._refuse_short_time()
        if not self._keeps_current:
            self._clean_up()
        elif not self._lease.head.acknowledged:
            held = self._lease.head.held_id
            log.info("%s: if %s was never heard of, it is left behind", self._request, held)
        if target is not None and target not in self._cleaned.removed:
            self._steps.deleting = True
            resource = self._build(self._request, self._steps, target=target)
            run(resource, resource.delete)
            self._removed.append(target)
        return self._with_doubts(success)

    def _clean_up(self) -> None:
        if self._lease.head.pending_cleanup:
            self._cleaned = Leftovers(self._journal, self._ports, self._build).remove()

    def _with_doubts(self, success: Success) -> Outcome:
        """Return an answer that names what nobody can tell about."""
        if not self._cleaned.doubts:
            return success
        text = "in doubt: " + "; ".join(self._cleaned.doubts)
        log.error("%s: %s", self._request, text)
        fails = self._class is not None and self._class.unresolved == "fail"
        if fails and self._request.type is RequestType.DELETE:
            return self._failure_of(text)
        return success._replace(reason=text)

    def _refuse_short_time(self) -> None:
        if self._deadline.total < MIN_FUNCTION_TIMEOUT - START_UP:
            raise ConfigurationError(
                f"the function has {self._deadline.total:.0f} s for an event: set its Timeout to"
                f" 120, at least {MIN_FUNCTION_TIMEOUT} (templates/provider.yaml)"
            )

    def _build(
        self,
        request: Request,
        steps: Steps,
        *,
        replacing: bool = False,
        recovered: bool = False,
        target: str | None = None,
        partial: Mapping[str, Json] = MappingProxyType({}),
    ) -> Resource:
        """Make the object whose hook runs; bad properties end here, but never a Delete."""
        if self._class is None:
            raise ConfigurationError(self._served.unable_to_serve(request))
        shape, head = shapes_of(self._class).properties, self._lease.head
        makes = request.type is RequestType.CREATE or replacing
        held = request.default_physical_id if makes else target or request.physical_resource_id
        if request.type is RequestType.DELETE:
            properties = shape.convert_softly(request.properties)
        else:
            where = f"{request.logical_resource_id} ({request.resource_type})"
            properties = shape.convert(request.properties, where)
        updates = request.type is RequestType.UPDATE
        held_properties = None if head.held is None else head.held.properties
        return self._class(
            HookInput(
                request=request,
                properties=properties,
                old_properties=shape.convert_softly(request.old_properties),
                steps=steps,
                deadline=self._deadline,
                physical_resource_id=str(held),
                may_set_id=makes,
                replaced_ids=head.replaced_ids,
                recovered=recovered,
                partial=partial,
                is_rollback=updates and request.properties_fingerprint == held_properties,
            )
        )

    def _made(self, resource: Resource, returned: Any) -> Outcome:
        return self._with_doubts(
            Success(
                physical_resource_id=resource.physical_resource_id,
                attributes=shapes_of(type(resource)).attributes.to_data(returned),
                no_echo=resource.no_echo,
            )
        )


def _too_much_in_doubt(head: Head) -> str:
    pending = ", ".join(left.request_id for left in head.pending_cleanup)
    return (
        f"too much is in doubt: what the requests {pending} made is not cleaned up. Look for"
        " it by hand, then delete the resource: its Delete forgets them"
    )
