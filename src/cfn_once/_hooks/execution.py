"""One run of a request: from the right to work on it to a response that is recorded."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, assert_never

from .._cloudformation.canonical import Json
from .._cloudformation.identity import base32, digest
from .._cloudformation.request import Request, RequestType
from .._cloudformation.response import Failure, Outcome, Success, encode, without_ids
from .._errors import (
    ConfigurationError,
    InProgress,
    Interrupt,
    LedgerUnavailable,
    NonDeterminism,
    TemporaryError,
    is_raised_by_hook,
    text_of,
)
from .._lambda.watchdog import Watchdog, whereabouts
from .._observability.mask import credentials
from .._properties import Misfit
from .._steps.journal import Journal
from .._steps.ports import Ports
from .._steps.steps import Steps
from ..ledger import Deed, Ending, Lease, Operation
from . import decision as decisions
from .decision import Create, Decision, Delete, Hooks, Keep, Refuse, Update, decide
from .hook_input import HookInput
from .leftovers import in_doubt, of_another_type, unsettled
from .reasons import SAME_ID, reason_of, unfinished
from .refusals import refuse_much_in_doubt, refuse_short_time
from .resource import CustomResource, default_id, secrets_not_kept, shapes_of, writes_update
from .run import instance_of, needs_replacement, remove, run, success_of
from .served import Served

log = logging.getLogger("cfn_once")

Resource = CustomResource[Any, Any]


class Execution:
    """One run of a request under its lease.

    Args:
        request: What is asked for.
        lease: The right to work on it.
        served: What the provider serves.
        ports: How the hook reaches the world.
    """

    def __init__(self, request: Request, lease: Lease, served: Served, ports: Ports) -> None:
        self._request, self._lease, self._served = request, lease, served
        self._class = served.class_of(request.resource_type)
        self._ports, self._mask, self._deadline = ports, ports.mask, ports.deadline
        self._secrets = served.secrets_of(request)
        self._mask.hide({*self._secrets, *request.bearer_secrets, *credentials()})
        self._journal = Journal(lease, request, self._mask.text)
        self._steps = Steps(self._journal, self._ports)
        self._thread = threading.get_ident()
        self._pending: Sequence[Operation] = lease.head.pending_cleanup
        self._doubts: Sequence[str] = ()
        self._dirty: Sequence[str | None] = ()
        self._removed = list[str]()
        self._keeps_current = self._untold = False
        self._presumed_id: str | None = None

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
        """Respond for the hook, unless it has ended meanwhile: the first to record decides."""
        with self._lease.exclusive:
            if self._lease.is_over:
                return
            body = self._recorded(self._failure_of(self._unfinished()), timed_out=True)
        respond(body)

    def _unfinished(self) -> str:
        module = "" if self._class is None else self._class.__module__
        line, stack = whereabouts(self._thread, module)
        log.error("%s did not end in time; it is here:\n%s", self._request, stack)
        reason = unfinished(self._request, self._deadline, line, self._journal.call_in_flight())
        return reason + unsettled(self._request, self._journal.operation.steps)

    def _ending(self, outcome: Outcome, body: bytes) -> Ending:
        succeeded, deletes = isinstance(outcome, Success), self._request.type is RequestType.DELETE
        ends_resource = succeeded and deletes and not self._keeps_current
        pending = self._pending if succeeded else self._lease.head.pending_cleanup
        return Ending(
            succeeded=succeeded,
            response=without_ids(self._request, body, outcome),
            physical_id=outcome.physical_resource_id,
            removed=self._removed if succeeded else [],
            pending_cleanup=self._lease.head.pending_of_other_types if ends_resource else pending,
            keeps_current=self._keeps_current,
            reason="" if succeeded else outcome.reason,
            operation=self._request.operation_name,
            invented=deletes and self._request.carries_invented_id,
            given=None if succeeded else self._given(),
            untold=succeeded and self._untold,
            fails=None if self._class is None else self._class.unresolved == "fail",
            doubts=self._doubts if ends_resource else (),
        )

    def _given(self) -> str | None:
        """Return the properties of a replacement that has taken the id of what it replaces."""
        assigned = self._journal.assigned_id or self._lease.head.operation.assigned_id
        makes = self._journal.deed == Deed.MAKES
        if not makes or assigned != self._request.physical_resource_id:
            return None
        from .cleanup import given  # only where a replacement keeps the id

        return given(self._request, self._secrets)

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
            outcome = self._do(decide(self._lease.head, self._request, self._hooks()))
            if isinstance(outcome, Success) and (skipped := self._journal.skipped()):
                raise NonDeterminism(
                    f"{', '.join(skipped)} ran before and was skipped now: a hook must come by its"
                    " steps again; move the check that skips one into its find="
                )
        except (InProgress, LedgerUnavailable) as error:
            # Lambda prints what an error came of: what the hook was handling may tell a secret.
            error.__cause__ = error.__context__ = None
            raise
        except TemporaryError as error:
            if not self._lease.has_retries_left():
                return self._failure_of(reason_of(error, self._request.properties))
            temporary = TemporaryError(self._mask.text(text_of(error)))
        except BaseException as error:
            if not is_raised_by_hook(error):
                raise
            log.exception("%s failed", self._request)
            return self._failure_of(reason_of(error, self._request.properties))
        else:
            return outcome
        self._lease.park(self._journal.progress())
        raise temporary  # without its causes, which may tell what is secret

    def _failure_of(self, reason: str) -> Failure:
        assigned = self._journal.assigned_id or self._lease.head.operation.assigned_id
        held = self._request.physical_resource_id or assigned or self._presumed_id
        return Failure(
            reason=self._mask.text(reason),
            physical_resource_id=held or self._request.placeholder_id("none"),
        )

    # What is decided, and done

    def _hooks(self) -> Hooks:
        unable = self._served.unable_to_serve(self._request)
        if self._class is None:
            return Hooks(unable=unable)
        served, shapes = self._class, shapes_of(self._class)
        return Hooks(
            unable=unable,
            changed=lambda: bool(self._resource.changed),
            replaces=lambda: needs_replacement(self._resource),
            updates=lambda: writes_update(served),
            lacks=lambda answer: shapes.attributes.lacks(answer.attributes),
        )

    @cached_property
    def _resource(self) -> Resource:
        """What the request's own hook runs on; bad properties end here."""
        return self._build(self._request, self._steps)

    def _do(self, decision: Decision) -> Outcome:
        match decision:
            case Refuse(reason):
                steps = self._lease.head.operation.steps
                return self._failure_of(reason + unsettled(self._request, steps))
            case Keep(answer, untold):
                return self._keep(answer, untold=untold)
            case Delete():
                return self._delete(decision)
            case Create(replaces):
                return self._create(replaces=replaces)
            case Update(target):
                return self._update(target)
            case never:
                assert_never(never)

    def _keep(self, answer: Success, *, untold: bool) -> Outcome:
        self._clean_up(None)
        kept_id, served = answer.physical_resource_id, self._class
        # Seeded bug: dirty
        if kept_id in self._dirty and served is not None and writes_update(served):
            return self._update(None if kept_id == self._request.physical_resource_id else kept_id)
        self._untold = untold
        # A class that has become secret since hides what it has answered before.
        no_echo = answer.no_echo or (self._class is not None and self._class.no_echo)
        return self._with_doubts(answer._replace(no_echo=no_echo and bool(answer.attributes)))

    def _create(self, *, replaces: bool) -> Outcome:
        self._refuse_to_begin()
        resource = self._resource
        self._clean_up(None)
        if not replaces:
            return self._run(resource, resource.create, of_another_type(self._lease.head))
        self._journal.deed = Deed.MAKES
        resource = self._build(self._request, self._steps, replacing=True)
        made = self._run(resource, resource.create)
        if resource.physical_resource_id == self._request.physical_resource_id:
            return self._same_id(resource)
        return made

    def _same_id(self, resource: Resource) -> Failure:
        """Refuse a replacement that bears the id of what it replaces."""
        replaced_on = ", ".join(sorted(resource.changed & set(resource.replace_on))) or "replaces()"
        return self._failure_of(SAME_ID.format(resource.physical_resource_id, replaced_on))

    def _update(self, target: str | None) -> Outcome:
        self._refuse_to_begin()
        resource = self._resource
        if target is not None:
            resource = self._build(self._request, self._steps, target=target)
        self._clean_up(None)
        # Seeded bug: deed
        if writes_update(type(resource)):  # else it does nothing
            self._journal.deed = Deed.IN_PLACE
        return self._run(resource, resource.update)

    def _run(
        self, resource: Resource, hook: Callable[[], Any], left: Sequence[str] = ()
    ) -> Outcome:
        # Seeded bug: acts-outside-steps
        self._journal.has_unrecorded_calls |= resource.always_delete
        self._presumed_id = resource.physical_resource_id if resource.always_delete else None
        return self._made(resource, run(resource, hook), left)

    def _refuse_to_begin(self) -> None:
        """Refuse to run a hook where the ledger could not hold what comes of it.

        Raises:
            SecretNotKept, ConfigurationError: Nothing has been made.
        """
        if self._class is not None and self._class.no_echo and not self._served.keeps_secrets:
            raise secrets_not_kept(self._class.__name__)
        refuse_much_in_doubt(self._lease.head)
        refuse_short_time(self._deadline)

    def _delete(self, decision: Delete) -> Outcome:
        self._keeps_current = decision.keeps_current
        success = Success(physical_resource_id=str(self._request.physical_resource_id))
        if self._class is None:
            return self._with_doubts(success, decision.left)
        if decision.targets or decisions.cleans_something(
            self._lease.head, self._request, decision
        ):
            refuse_short_time(self._deadline)
        if decision.cleans != "":
            self._clean_up(decision.cleans)
        for target in decision.targets:
            if target not in self._removed:
                reason = self._delete_object(target, is_first=target == decision.targets[0])
                success = success._replace(reason=reason or success.reason)
        reason = ". ".join(filter(None, [*decision.stays, success.reason]))
        return self._with_doubts(success._replace(reason=reason), decision.left)

    def _delete_object(self, target: str, *, is_first: bool) -> str:
        """Remove an object, and return what its hook says besides."""
        steps = self._steps
        if not is_first:  # a further object has steps of its own
            scope = "&" + base32(digest("object", target), 12)
            steps = Steps(self._journal, self._ports, scope=scope)
        steps.deleting = True
        resource = self._build(self._request, steps, target=target)
        remove(resource)
        self._journal.flush()
        self._removed.append(target)
        return success_of(resource, {}, self._mask.text).reason

    def _clean_up(self, operation: str | None) -> None:
        """Remove what earlier requests left: one of them, or all."""
        if self._class is not None and self._lease.head.pending_cleanup:
            from .cleanup import Leftovers  # most requests find nothing left, and need no replay

            leftovers = Leftovers(self._journal, self._ports, self._build, self._secrets)
            cleaned = leftovers.remove(operation, keeps_current=self._keeps_current)
            self._pending, self._doubts = cleaned.pending, cleaned.doubts
            self._removed += cleaned.removed
            self._dirty = cleaned.dirty

    def _with_doubts(self, success: Success, left: Sequence[str] = ()) -> Outcome:
        """Return a response that names what is in doubt, and what is left."""
        served, deletes = self._class, self._request.type is RequestType.DELETE
        fails = self._lease.head.fails if served is None else served.unresolved == "fail"
        doubts = in_doubt(self._request, self._doubts, may_be_made=fails or not deletes)
        text = ". ".join(filter(None, [doubts, "left: " + "; ".join(left) if left else ""]))
        if not text:
            return success
        log.error("%s: %s", self._request, text)
        reason = ". ".join(filter(None, [text, success.reason]))
        if fails and deletes:
            # Else each of two Deletes would wait for what the other one has removed.
            self._lease.record_cleanup(self._pending, self._removed)
            return self._failure_of(reason)
        return success._replace(reason=reason)

    def _build(
        self,
        request: Request,
        steps: Steps,
        *,
        replacing: bool = False,
        recovered: bool = False,
        softly: bool = False,
        target: str | None = None,
        partial: Mapping[str, Json] = MappingProxyType({}),
    ) -> Resource:
        """Make the object whose hook runs; bad properties end here, unless it builds `softly`."""
        if self._class is None:
            raise ConfigurationError(self._served.unable_to_serve(request))
        shape, head = shapes_of(self._class).properties, self._lease.head
        makes = request.type is RequestType.CREATE or replacing
        made_id, held_id = default_id(self._class, request), target or request.physical_resource_id
        if request.type is RequestType.DELETE or softly:
            properties = shape.convert_softly(request.properties)
        else:
            where = f"{request.logical_resource_id} ({request.resource_type})"
            properties = shape.convert(request.properties, where)
        updates = request.type is RequestType.UPDATE
        held_properties = None if head.held is None else head.held.properties
        return instance_of(
            self._class,
            HookInput(
                request=request,
                properties=properties,
                steps=steps,
                deadline=self._deadline,
                physical_resource_id=str(made_id if makes else held_id),
                may_set_id=makes,
                may_replace=updates and not replacing and self._class.update_may_replace,
                replaced_ids=head.replaced_ids,
                recovered=recovered,
                partial=partial,
                keeps_secrets=self._served.keeps_secrets,
                is_rollback=updates and request.properties_fingerprint == held_properties,
            ),
        )

    def _made(self, resource: Resource, returned: Any, left: Sequence[str]) -> Outcome:
        try:
            attributes = shapes_of(type(resource)).attributes.answer(returned)
        except Misfit as misfit:
            log.error("%s returns what it does not declare: %s", self._request, misfit)  # noqa: TRY400 - the text says it all
            # The hook has acted, though it may not have set an id: the Delete has to find it.
            if self._request.type is RequestType.CREATE or self._journal.deed == Deed.MAKES:
                self._journal.assigned_id = resource.physical_resource_id
            return self._failure_of(f"attributes of {type(resource).__name__}: {misfit}")
        return self._with_doubts(success_of(resource, attributes, self._mask.text), left)
