"""What failed, half-done and overtaken requests left behind: found by replay, then removed."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from .._cloudformation.canonical import Json, canonical
from .._cloudformation.identity import base32
from .._cloudformation.request import Request, RequestType
from .._errors import InProgress, LedgerUnavailable, ReplayEnd, is_raised_by_hook
from .._steps.journal import Journal
from .._steps.ports import Ports
from .._steps.replay import Replay, doubt
from .._steps.steps import Steps
from ..ledger import CleanupRecord, Deed, Operation, StepState
from .resource import CustomResource
from .run import run

log = logging.getLogger("cfn_once.resource")

LONGEST_GIVEN = 4096  # characters of properties that the ledger keeps of a failed replacement

Resource = CustomResource[Any, Any]
Build = Callable[..., Resource]


class CleanedUp(NamedTuple):
    """What became of what earlier requests left.

    Attributes:
        removed: Ids whose objects are gone.
        pending: What is still left.
        doubts: Steps that nobody can tell about, in words.
    """

    removed: Sequence[str] = ()
    pending: Sequence[Operation] = ()
    doubts: Sequence[str] = ()


def _nothing(ports: Ports) -> None:
    """Undo what has no undo."""


class _Found(NamedTuple):
    """What is known of an operation that was left behind.

    Attributes:
        id: The id under which something may have been made; None where nothing was.
        has_called: A call was made again under its token: what was gone may be there again.
        results: What each known step returned, by its name.
        undo: Undoes what has an undo, the last step first.
    """

    id: str | None = None
    has_called: bool = False
    doubts: Sequence[str] = ()
    results: Mapping[str, Json] = MappingProxyType({})
    undo: Callable[[Ports], None] = _nothing


class Leftovers(NamedTuple):
    """What earlier requests left, before the hook of a request.

    Attributes:
        journal: Of the request at work.
        ports: The way out for the steps.
        build: Makes an instance of the class for a request and its steps.
    """

    journal: Journal
    ports: Ports
    build: Build

    def remove(self, operation: str | None = None, *, keeps_current: bool = False) -> CleanedUp:
        """Remove what was left, newest first; a failure of `delete` or `undo` is raised.

        Args:
            operation: The name of the one that is cleaned up; all unless given.
            keeps_current: What is held stays: what bears the same id stays with it.

        Raises:
            InProgress: Our time is short, and another delivery goes on.
        """
        removed: list[str] = []
        stays: list[Operation] = []
        doubts: list[str] = []
        pending, request = self.journal.lease.head.pending_cleanup, self.journal.request
        for left in reversed(pending):
            if left.type == RequestType.DELETE:
                continue  # what it should have removed is removed now
            if self._is_spared(left, operation, keeps_current=keeps_current):
                stays.insert(0, left)
            elif left.cleanup.by == request.request_id:  # under its ids may be our own by now
                stays.insert(0, left)
                doubts += left.cleanup.doubts
            else:
                found = self._remove(left, removed)
                doubts += found
                # Seeded bug: unresolved-kept
                if found:
                    learned = self.journal.lease.operation_of(left.execution.owner)
                    cleanup = CleanupRecord(by=request.request_id, doubts=tuple(found))
                    stays.insert(0, replace(learned, cleanup=cleanup))
        deletes = [left for left in pending if left.type == RequestType.DELETE]
        if request.type is not RequestType.DELETE and (*deletes, *stays) != pending:
            self.journal.lease.record_cleanup([*deletes, *stays], removed)
        return CleanedUp(removed=removed, pending=stays, doubts=doubts)

    def _is_spared(self, left: Operation, operation: str | None, *, keeps_current: bool) -> bool:
        request = self.journal.request
        if operation is not None:
            return request.operation_name_of(left.request_id) != operation
        # What bears the id of what it was to replace goes with that, in the resource's own Delete.
        if left.given is not None:
            return request.type is not RequestType.DELETE or keeps_current
        return request.type is RequestType.UPDATE and left.type != RequestType.UPDATE

    def _remove(self, left: Operation, removed: list[str]) -> Sequence[str]:
        """Remove what one operation left, add its id to those removed, and return the doubts."""
        if left.given is not None:
            return self._remove_twin(left)
        found = self._find(left)
        # Seeded bug: kept-id
        if found.id is not None and found.id == left.event_physical_id:
            return [*found.doubts, _twin(left)]  # undo may remove what it was to replace
        # Seeded bug: undo-called
        found.undo(self.ports)
        is_gone = found.id in removed and not found.has_called
        if found.id is not None and not is_gone:
            self._delete(left, found, self._request_of(left) or self.journal.request)
            removed.append(found.id)
        return found.doubts

    def _remove_twin(self, left: Operation) -> Sequence[str]:
        """Remove what a replacement made under the id that it was to replace."""
        if not left.given:
            return [_twin(left)]
        asked = replace(self.journal.request, properties=json.loads(left.given))
        self._delete(left, _Found(id=left.event_physical_id), asked)
        return []

    def _find(self, left: Operation) -> _Found:
        if not (left.steps or left.may_have_acted_last or left.has_unrecorded_calls):
            return _Found(id=left.assigned_id)
        asked = self._request_of(left)
        return _unread(left) if asked is None else self._replay(left, asked)

    def _request_of(self, left: Operation) -> Request | None:
        """Return the earlier request as far as this one's event can tell its properties."""
        request = self.journal.request
        if left.properties == request.properties_fingerprint:
            properties, old = request.properties, request.old_properties
        elif left.properties == request.old_properties_fingerprint:
            properties, old = request.old_properties, request.properties
        else:
            return None
        return replace(
            request,
            type=RequestType(left.type),
            request_id=left.request_id,
            physical_resource_id=left.event_physical_id,
            properties=properties,
            old_properties=old,
            response_url="",
        )

    def _replay(self, left: Operation, asked: Request) -> _Found:
        lease = self.journal.lease
        journal = Journal(lease, asked, self.ports.mask.text, left=left)
        replay = Replay(journal)
        steps = Steps(journal, self.ports, policy=replay)
        resource, makes = self._resource_of(left, asked, steps)
        _run_again(replay, asked, resource, resource.create if makes else resource.update)
        if replay.may_be_known_later and lease.has_retries_left():
            lease.park(self.journal.progress())
            raise InProgress(f"{self.journal.request}: what {asked} has made cannot be told yet")
        # Seeded bug: id-at-end
        made = replay.id_at_end or resource.physical_resource_id
        has_made = makes and (replay.has_acted or left.has_unrecorded_calls)
        # Seeded bug: leftover-id
        physical_id = left.assigned_id or (made if has_made else None)
        return _Found(
            id=physical_id,
            doubts=[*replay.doubts, *replay.skipped_doubts()],
            results=replay.results,
            has_called=replay.has_called,
            undo=replay.undo,
        )

    def _resource_of(self, left: Operation, asked: Request, steps: Steps) -> tuple[Resource, bool]:
        """Return what the hook of an earlier request ran on, and whether that hook was `create`."""
        resource = self.build(asked, steps, softly=True)
        if asked.type is RequestType.CREATE:
            return resource, True
        # What it has recorded, never what today's replace_on says.
        makes = left.deed == Deed.MAKES if left.deed is not None else resource.replaces()
        if makes:
            return self.build(asked, steps, replacing=True, softly=True), True
        return resource, False

    def _delete(self, left: Operation, found: _Found, asked: Request) -> None:
        request = self.journal.request
        scope = "~" + base32(replace(request, request_id=left.request_id).operation, 12)
        steps = Steps(self.journal, self.ports, scope=scope, deleting=True)
        as_delete = replace(
            asked,
            type=RequestType.DELETE,
            request_id=request.request_id,
            physical_resource_id=found.id,
        )
        resource = self.build(as_delete, steps, recovered=True, partial=found.results)
        run(resource, resource.delete)
        self.journal.flush()


def _run_again(replay: Replay, asked: Request, resource: Resource, hook: Callable[[], Any]) -> None:
    """Run the hook of an earlier request to where what is known of it ends."""
    # Seeded bug: unrecorded-learning
    try:
        run(resource, hook)
    except ReplayEnd:
        return
    except LedgerUnavailable:
        raise  # what was learned could not be kept: nothing may be removed because of it
    except BaseException as error:
        if not is_raised_by_hook(error):
            raise
        log.info("the replay of %s ended with %s", asked, type(error).__name__)
        replay.end_early(error)


def _twin(left: Operation) -> str:
    """Name what a replacement made under the id that it was to replace."""
    what = f"what was made under the id {left.event_physical_id} with other properties"
    return doubt(left, what, left.begun)


def _unread(left: Operation) -> _Found:
    """Tell what the records alone tell: the properties of that request are not known here."""
    done = {key: step for key, step in left.steps.items() if step.state == StepState.DONE}
    started = [key for key, step in left.steps.items() if step.state == StepState.STARTED]
    unnamed = left.assigned_id is None
    doubts = [
        doubt(left, key, left.steps[key].first_used)
        for key in (*started, *(done if unnamed else ()))
    ]
    acted = left.may_have_acted_last or left.has_unrecorded_calls
    if unnamed and (acted or not left.steps):
        what = "a step that is not recorded" if left.steps else "its first step"
        doubts.append(doubt(left, what, left.begun))
    results = {
        key.partition("#")[0]: json.loads(step.result)
        for key, step in done.items()
        if step.result is not None
    }
    return _Found(id=left.assigned_id, doubts=doubts, results=results)


def given(request: Request, secrets: set[str]) -> str:
    """Return the properties of a request for the ledger; nothing where they may not lie there."""
    text = canonical(dict(request.properties))
    is_secret = any(canonical(secret)[1:-1] in text for secret in secrets)  # as JSON spells it
    return "" if is_secret or len(text) > LONGEST_GIVEN else text
