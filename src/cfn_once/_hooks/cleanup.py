"""What failed, half-done and overtaken requests left behind: found by replay, then removed."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from .._cloudformation.canonical import Json, canonical
from .._cloudformation.identity import base32
from .._cloudformation.request import Request, RequestType
from .._errors import InProgress, LedgerUnavailable, ReplayEnd, is_raised_by_hook
from .._steps.journal import Journal, is_scoped
from .._steps.ports import Ports
from .._steps.replay import Replay, doubt
from .._steps.steps import Steps
from ..ledger import Deed, Operation, StepState
from .leftovers import bears_the_id
from .resource import CustomResource, writes_update
from .run import needs_replacement, remove, run

log = logging.getLogger("cfn_once.resource")

LONGEST_GIVEN = 4096  # characters of properties that the ledger keeps of a failed replacement

Resource = CustomResource[Any, Any]
Build = Callable[..., Resource]


class CleanedUp(NamedTuple):
    """What became of what earlier requests left.

    Attributes:
        removed: Ids whose objects are gone.
        pending: What is still left.
        doubts: Steps that stay in doubt, in words.
        dirty: Ids of which it was learned that a replacement has taken them.
    """

    removed: Sequence[str] = ()
    pending: Sequence[Operation] = ()
    doubts: Sequence[str] = ()
    dirty: Sequence[str | None] = ()


def _nothing(journal: Journal) -> None:
    """Undo what has no undo."""


class _Found(NamedTuple):
    """What is known of an operation that was left behind.

    Attributes:
        id: The id under which something may have been made; None where nothing was.
        has_called: A call was made again under its token: what was gone may be there again.
        results: What each known step returned, by its name.
        undo: Undoes what has an undo, the last step first.
        given: The properties of a replacement that has taken the id that it was to replace.
    """

    id: str | None = None
    has_called: bool = False
    doubts: Sequence[str] = ()
    results: Mapping[str, Json] = MappingProxyType({})
    undo: Callable[[Journal], None] = _nothing
    given: str | None = None


class Leftovers(NamedTuple):
    """What earlier requests left, before the hook of a request.

    Attributes:
        journal: Of the request at work.
        ports: The way out for the steps.
        build: Makes an instance of the class for a request and its steps.
        secrets: The texts in its properties that the ledger may not keep.
    """

    journal: Journal
    ports: Ports
    build: Build
    secrets: set[str]

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
        ends_resource = request.type is RequestType.DELETE and not keeps_current
        deletes = [left for left in pending if left.type == RequestType.DELETE]
        for left in reversed([left for left in pending if left not in deletes]):
            if self._is_spared(left, operation, ends_resource=ends_resource):
                stay, found = self._kept(left)
            else:
                stay, found = self._cleaned(left, removed, ends_resource=ends_resource)
            doubts += found
            if stay is not None:
                stays.insert(0, stay)
        # What a Delete should have removed is removed now.
        if request.type is not RequestType.DELETE and (*deletes, *stays) != pending:
            self.journal.lease.record_cleanup([*deletes, *stays], removed)
        dirty = [
            left.event_physical_id
            for left in stays
            if left.has_kept_id and left.cleanup.by == request.request_id
        ]
        return CleanedUp(removed=removed, pending=stays, doubts=doubts, dirty=dirty)

    def _is_spared(self, left: Operation, operation: str | None, *, ends_resource: bool) -> bool:
        request = self.journal.request
        kind = left.cleanup.resource_type or self.journal.lease.head.resource_type
        # Seeded bug: other-type-left
        if kind != request.resource_type:
            return True
        if operation is not None:
            return request.operation_name_of(left.request_id) != operation
        # What bears the id of what it was to replace goes with that, in the resource's own Delete.
        if left.given is not None:
            return not ends_resource
        return request.type is RequestType.UPDATE and left.type != RequestType.UPDATE

    def _kept(self, left: Operation) -> tuple[Operation | None, Sequence[str]]:
        """Return what is spared, and name it where it bears the id of what it was to replace."""
        if left.given is None or self.journal.request.type is RequestType.DELETE:
            return left, ()  # a Delete names it with the rest that it leaves
        # Seeded bug: twin-named
        return left, [*left.cleanup.doubts, _twin(left)]

    def _cleaned(
        self, left: Operation, removed: list[str], *, ends_resource: bool
    ) -> tuple[Operation | None, Sequence[str]]:
        """Remove what an operation left; returns what stays of it, and the doubts."""
        if left.cleanup.by == self.journal.request.request_id:
            return left, left.cleanup.doubts  # under its ids may be our own by now
        found = self._remove(left, removed, ends_resource=ends_resource)
        doubts = [*found.doubts, *([] if found.given is None else [_twin(left)])]
        # Seeded bug: unresolved-kept
        return self._learned(left, found) if doubts else None, doubts

    def _learned(self, left: Operation, found: _Found) -> Operation:
        """Return an operation with what is in doubt of it, and what it made under an old id."""
        learned = self.journal.lease.operation_of(left.execution.owner)
        return replace(
            learned,
            cleanup=replace(
                learned.cleanup,
                by=self.journal.request.request_id,
                doubts=tuple(found.doubts),
            ),
            given=found.given,
            assigned_id=learned.assigned_id if found.given is None else found.id,
        )

    def _remove(self, left: Operation, removed: list[str], *, ends_resource: bool) -> _Found:
        """Remove what one operation left, and add its id to those removed."""
        asked, found = self._request_of(left), self._find(left)
        is_twin = found.id is not None and found.id == left.event_physical_id
        # Seeded bug: kept-id
        if is_twin and (asked is None or not ends_resource):
            # undo may remove what it was to replace
            return found._replace(given=given(asked, self.secrets))
        # Seeded bug: undo-called
        found.undo(self.journal)
        if found.id is None:
            return found
        is_gone = found.id in removed and not found.has_called
        if is_twin or not is_gone:
            self._delete(left, found, asked or self.journal.request)
        if not is_twin:  # of that id, more is to be removed
            removed.append(found.id)
        return found

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
        elif left.given:
            properties, old = json.loads(left.given), {}
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
        # Seeded bug: rollback-that-kept
        if self._has_kept(left, resource, makes=makes):
            return _Found()
        _run_again(replay, asked, resource, resource.create if makes else resource.update)
        if replay.may_be_known_later and lease.has_retries_left():
            lease.park(self.journal.progress())
            raise InProgress(f"{self.journal.request}: what {asked} has made is not known yet")
        # Seeded bug: id-at-end
        made = replay.id_at_end or resource.physical_resource_id
        # Seeded bug: always-delete
        may_have_made = left.has_unrecorded_calls or resource.always_delete
        has_made = makes and (replay.has_acted or may_have_made)
        # Seeded bug: update-has-made
        has_made = has_made or (resource.update_may_replace and made != left.event_physical_id)
        # Seeded bug: leftover-id
        physical_id = left.assigned_id or (made if has_made else None)
        return _Found(
            id=physical_id,
            doubts=[*replay.doubts, *replay.skipped_doubts()],
            results=replay.results,
            has_called=replay.has_called,
            undo=partial(replay.undo, steps),
        )

    def _has_kept(self, left: Operation, resource: Resource, *, makes: bool) -> bool:
        """Tell whether it was a rollback that ran no hook: a replay would do what it never did."""
        head = self.journal.lease.head
        if left.deed is None and left.event_physical_id == head.held_id:
            for old in head.replaced:
                if old.returns and old.properties == left.properties:
                    return old.touched is None
        if head.held is None or not left.leaves_as_it_was(head.held):
            return False
        updates = writes_update(type(resource)) and not makes
        return head.held.touched is None or not updates

    def _resource_of(self, left: Operation, asked: Request, steps: Steps) -> tuple[Resource, bool]:
        """Return what the hook of an earlier request ran on, and whether that hook was `create`."""
        resource = self.build(asked, steps, softly=True)
        if asked.type is RequestType.CREATE:
            return resource, True
        # What it has recorded, never what today's replace_on says.
        makes = left.deed == Deed.MAKES if left.deed is not None else needs_replacement(resource)
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
        remove(resource)
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
    return doubt(left, bears_the_id(left), left.begun)


def _unread(left: Operation) -> _Found:
    """Tell what the records alone tell: the properties of that request are not known here."""
    own = {key: step for key, step in left.steps.items() if not is_scoped(key)}
    done = {key: step for key, step in own.items() if step.state == StepState.DONE}
    started = [key for key, step in left.steps.items() if step.state == StepState.STARTED]
    unnamed = list(done) if left.assigned_id is None else []
    doubts = [doubt(left, key, left.steps[key].first_used) for key in (*started, *unnamed)]
    doubts += _unrecorded(left)
    results = {
        key.partition("#")[0]: json.loads(step.result)
        for key, step in done.items()
        if step.result is not None
    }
    return _Found(id=left.assigned_id, doubts=doubts, results=results)


def _unrecorded(left: Operation) -> list[str]:
    """Return the doubt about a step that nothing is recorded of, where there may be one."""
    acted = left.may_have_acted_last or left.has_unrecorded_calls
    if left.assigned_id is not None or (left.steps and not acted):
        return []
    what = "a step that is not recorded" if left.steps else "its first step"
    return [doubt(left, what, left.begun)]


def given(request: Request | None, secrets: set[str]) -> str:
    """Return the properties of a request for the ledger; nothing where they may not lie there."""
    if request is None:
        return ""  # nor where they are not known
    text = canonical(dict(request.properties))
    is_secret = any(canonical(secret)[1:-1] in text for secret in secrets)  # as JSON spells it
    return "" if is_secret or len(text) > LONGEST_GIVEN else text
