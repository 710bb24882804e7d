"""One run of a hook: from the right to work on a request to its outcome, and to its record."""

import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from .._clock import Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.request import Request, RequestType
from .._cloudformation.response import Failure, Outcome, Success, encode
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
from .._lambda.watchdog import whereabouts
from .._observability.mask import Mask
from .._steps.call import Calls
from .._steps.steps import ONE_INVOCATION, Steps, WayBack
from ..ledger import Ending, Granted
from .cleanup import CleanUp, Recovery
from .resource import CustomResource, run

log = logging.getLogger("cfn_once")

SHORTEST = 30  # seconds of function timeout; a takeover waits for the lease of the one before
START = 5  # seconds that may pass between Lambda's start and ours: it imports the provider
MOST_DEBTS = 8  # requests whose traces are in doubt, before no further one is begun

Resource = CustomResource[Any, Any]


class Execution:
    """One run of a hook, under one claim.

    Args:
        request: What is asked for.
        granted: The right to work on it.
        classes: The served classes by type.
        keeps_secrets: The ledger may hold answers marked NoEcho.
        unable: Why no class of this provider can be had at all.
        way_back: How the event can be delivered again later.
        visible_after: Seconds after which a look-up that finds nothing is believed.
    """

    def __init__(
        self,
        request: Request,
        granted: Granted,
        calls: Calls,
        deadline: Deadline,
        *,
        classes: Mapping[str, type[Resource]],
        keeps_secrets: bool,
        unable: str = "",
        way_back: WayBack = ONE_INVOCATION,
        visible_after: float,
    ) -> None:
        self._request, self._granted, self._deadline = request, granted, deadline
        self._calls, self._keeps_secrets, self._unable = calls, keeps_secrets, unable
        self._way_back, self._visible_after = way_back, visible_after
        self._class = classes.get(request.resource_type)
        self._served = sorted(classes)
        self._mask = Mask()
        self._mask.hide(self._secrets())
        self._steps = Steps(
            granted,
            request,
            calls,
            deadline,
            mask=self._mask.text,
            way_back=way_back,
            visible_after=visible_after,
        )
        self._thread = threading.get_ident()
        self._cleaned = CleanUp(kept=granted.head.owed())
        self._removed: list[str] = []
        self._spares = False

    @property
    def _known_class(self) -> type[Resource]:
        assert self._class is not None  # noqa: S101 - who builds a resource has looked before
        return self._class

    def _secrets(self) -> set[str]:
        """Return the texts that must be neither printed nor kept."""
        if self._class is None:
            return set()
        shape = self._class._properties_shape  # noqa: SLF001 - the class is ours
        return shape.secrets(self._request.properties) | shape.secrets(self._request.old_properties)

    def outcome(self) -> Outcome:
        """Do what is asked for; every failure of a hook is a value.

        Raises:
            TemporaryError, InProgress: The lease was given back; another delivery goes on.
        """
        with self._mask:
            try:
                return self._outcome()
            except Interrupt:
                if self._granted.is_over:
                    raise
                return self._failure_of(  # what ended long ago does not end this execution
                    "a client or a session of an earlier event was used: make it in the hook, with"
                    " self.client or self.http, each time that the hook runs"
                )

    def _outcome(self) -> Outcome:
        try:
            # Seeded bug: previous-owners
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
            failure = self._failure(error)
            if not self._granted.comes_again():
                return failure
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
        self._granted.park(self._steps.progress())
        raise temporary  # without its causes, which may tell what is secret

    def cut_short(self) -> bytes | None:
        """Record that the hook did not end in time, and return the answer: for another thread.

        None where the hook has ended meanwhile: whoever records first decides.
        """
        with self._granted.alone():
            if self._granted.is_over:
                return None
            outcome, body = encode(self._request, self._failure_of(self._unfinished()))
            ending = self._ending(outcome, body)
            # Seeded bug: time-out-record
            self._granted.finish(ending, self._steps.progress(), cut_short=True)
            return body

    def _unfinished(self) -> str:
        left = self._deadline.remaining()
        module = "" if self._class is None else self._class.__module__
        line, stack = whereabouts(self._thread, module)
        flying = self._granted.in_the_air()
        log.error("%s did not end in time; it is here:\n%s", self._request, stack)
        return (
            f"{self._request.type.lower()} was still at work after"
            f" {self._deadline.total - left:.0f} s, at {line}"
            + (f" in step {flying[0]}" if flying else "")
            + f"; Lambda ends the function in {left:.0f} s"
        )

    def finish(self, outcome: Outcome, body: bytes) -> None:
        """Record the answer; it may be told afterwards."""
        self._granted.finish(self._ending(outcome, body), self._steps.progress())

    def _ending(self, outcome: Outcome, body: bytes) -> Ending:
        head = self._granted.head
        good = isinstance(outcome, Success)
        kept = head.owed() if self._spares or not good else self._cleaned.kept
        if good and self._request.type is RequestType.DELETE and not self._spares:
            kept = []
        answered = None
        if isinstance(outcome, Success) and self._request.type is not RequestType.DELETE:
            answered = json.dumps([dict(outcome.attributes), outcome.no_echo])
        return Ending(
            succeeded=good,
            body=body.decode(),
            physical_id=outcome.physical_resource_id,
            attributes=answered,
            removed=[*self._cleaned.removed, *self._removed] if good else [],
            kept=kept,
            spares=self._spares,
        )

    def _perform(self) -> Outcome:
        if self._request.type is RequestType.DELETE:
            return self._delete()
        if self._class is None:
            serves = f"this provider serves {', '.join(self._served)}"
            return self._failure_of(self._unable or f"{serves}, not {self._request.resource_type}")
        if self._class.no_echo and not self._keeps_secrets:
            raise SecretNotKept(
                f"{self._class.__name__} answers secrets and its ledger is not declared to keep"
                " them: put the table under a customer-managed key and say keeps_secrets=true in"
                " its URL"
            )
        if len(self._granted.head.debts) > MOST_DEBTS:
            owed = ", ".join(debt.request_id for debt in self._granted.head.owed())
            return self._failure_of(
                f"too much is in doubt: what the requests {owed} made is not cleaned up. Look for"
                " it by hand, then delete the resource: its Delete forgets them"
            )
        resource = self._build(self._request, self._steps)
        if self._request.type is RequestType.CREATE:
            self._clean_up()
            return self._made(resource, run(resource, resource.create))
        return self._update(resource)

    def _update(self, resource: Resource) -> Outcome:
        head, asked = self._granted.head, self._request
        former = next((old for old in head.replaced() if old.properties == head.properties), None)
        self._clean_up()
        # Seeded bug: replaced-before
        if former is not None:  # a replacement is rolled back: what it replaced is still there
            return _kept_answer(former.id, former.attributes)
        # Held is what was made of these properties, or what this Update starts from; after an
        # Update that failed it may be neither.
        as_asked = head.held_properties == head.properties
        as_before = head.held_properties == asked.old_properties_fingerprint
        if head.physical_id is not None and head.physical_id == asked.physical_resource_id:
            unchanged = not resource.changed and (as_asked or as_before)
            # A replacement that failed is rolled back: it never touched what is held.
            never_left = as_asked and resource.changed and resource.replaces()
            if unchanged or never_left:
                return _kept_answer(head.physical_id, head.attributes)
        if resource.replaces():
            resource = self._build(asked, self._steps, replacing=True)
            return self._made(resource, run(resource, resource.create))
        self._refuse_short_time()
        return self._made(resource, run(resource, resource.update))

    def _delete(self) -> Outcome:
        head, request = self._granted.head, self._request
        held, event_id = head.physical_id, str(request.physical_resource_id)
        success = Success(physical_resource_id=event_id)
        # Seeded bug: cleanup-target
        clean_up_of_old = event_id != held and event_id in [old.id for old in head.replaced()]
        if held is not None and event_id != held and not clean_up_of_old:
            if head.seen and event_id not in head.removed:
                log.error("%s carries an id nobody can place: nothing was removed", request)
            # Seeded bug: unplaceable
            if head.seen or event_id in head.removed:
                self._spares = True
                return success
        self._spares = clean_up_of_old
        if clean_up_of_old and not head.seen:
            log.info("%s: if %s was never heard of, it is left behind", request, held)
        if self._class is None:
            return self._delete_of_unknown_type(success)
        if not clean_up_of_old:
            self._clean_up()
        target = event_id if clean_up_of_old else held
        if target is not None and target not in self._cleaned.removed:
            self._refuse_short_time()
            self._steps.deleting = True
            resource = self._build(request, self._steps, target=target)
            run(resource, resource.delete)
            self._removed.append(target)
        if self._cleaned.doubts:
            return self._doubtful(success)
        return success

    def _delete_of_unknown_type(self, success: Success) -> Outcome:
        head = self._granted.head
        if head.fence == 1 or (head.physical_id is None and not head.debts):
            return success
        gone = f"{self._request.resource_type} is served no more: deploy the version of the"
        serves = f"provider that made it; this one serves {', '.join(self._served)}"
        return self._failure_of(self._unable or f"{gone} {serves}")

    def _doubtful(self, success: Success) -> Outcome:
        text = "in doubt: " + "; ".join(self._cleaned.doubts)
        log.error("%s: %s", self._request, text)
        if self._known_class.unresolved == "fail":
            return self._failure_of(text)
        return Success(physical_resource_id=success.physical_resource_id, reason=text)

    def _clean_up(self) -> None:
        if self._request.type is not RequestType.UPDATE:
            self._refuse_short_time()
        if self._granted.head.debts:
            recovery = Recovery(
                self._request,
                self._granted,
                self._build,
                self._calls,
                self._deadline,
                self._mask.text,
                self._way_back,
                self._visible_after,
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
        recovered: bool = False,
        target: str | None = None,
        partial: Mapping[str, Json] | None = None,
    ) -> Resource:
        """Make the object whose hook runs; bad properties end here, but never a Delete."""
        shape = self._known_class._properties_shape  # noqa: SLF001 - the class is ours
        soft = request.type is RequestType.DELETE
        where = f"{request.logical_resource_id} ({request.resource_type})"
        head = self._granted.head
        makes = request.type is RequestType.CREATE or replacing
        held = request.default_physical_id if makes else target or request.physical_resource_id
        return self._known_class(
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
            is_rollback=request.type is RequestType.UPDATE
            and request.properties_fingerprint == head.held_properties,
        )

    def _made(self, resource: Resource, returned: Any) -> Outcome:
        shape = self._known_class._attributes_shape  # noqa: SLF001 - the class is ours
        data = shape.to_data(returned)
        reason = ""
        if self._cleaned.doubts:
            reason = "in doubt: " + "; ".join(self._cleaned.doubts)
            log.error("%s: %s", self._request, reason)
        return Success(
            physical_resource_id=resource.physical_resource_id,
            attributes=data,
            no_echo=self._known_class.no_echo,
            reason=reason,
        )

    def _failure(self, error: BaseException) -> Failure:
        named = isinstance(error, InvalidProperties | ConfigurationError)
        return self._failure_of(str(error) if named else f"{type(error).__name__}: {error}")

    def _failure_of(self, reason: str) -> Failure:
        set_before = self._steps.running_id or self._granted.head.running_id
        held = self._request.physical_resource_id or set_before
        return Failure(
            reason=self._mask.text(reason),
            physical_resource_id=held or self._request.placeholder_id("none"),
        )


def _kept_answer(physical_id: str, attributes: str | None) -> Success:
    data, no_echo = json.loads(attributes) if attributes is not None else ({}, False)
    return Success(physical_resource_id=physical_id, attributes=data, no_echo=no_echo)
