"""What failed, half-done and overtaken requests left behind: found by replay, then cleaned up.

A replay runs the hook of the earlier request again, and only as far as its steps are known:
recorded results are returned, one step in doubt is looked up, and nothing else is called.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from .._clock import Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.identity import base32
from .._cloudformation.request import Request, RequestType
from .._errors import (
    HookError,
    InDoubt,
    InProgress,
    Interrupt,
    LedgerUnavailable,
    ReplayEnd,
    TemporaryError,
)
from .._observability import telemetry as _telemetry
from .._steps.call import Call, Calls, Step, Verdict
from .._steps.steps import Attempt, OutOfTime, Steps, WayBack
from ..ledger import Debt, Granted, Head, Progress, Record, StepState
from .resource import CustomResource, run

log = logging.getLogger("cfn_once.resource")

Resource = CustomResource[Any, Any]
Build = Callable[..., Resource]


class CleanUp(NamedTuple):
    """What became of the debts.

    Attributes:
        removed: Ids whose objects are gone.
        kept: Debts that stay on the books.
        doubts: Steps that nobody could tell about, in words.
    """

    removed: Sequence[str] = ()
    kept: Sequence[Debt] = ()
    doubts: Sequence[str] = ()


def _nothing() -> None:
    """Undo what has no undo."""


class _Found(NamedTuple):
    """What a replay came to.

    Attributes:
        id: The id under which something may have been made; None where nothing was.
        results: What each known step returned, by its name.
        has_called: A call was repeated under its token: what was gone may be there again.
        undo: Undoes what has an undo, the last step first.
    """

    id: str | None = None
    has_called: bool = False
    doubts: Sequence[str] = ()
    results: Mapping[str, Json] = MappingProxyType({})
    undo: Callable[[], None] = _nothing


class Recovery(NamedTuple):
    """Cleans up before a hook.

    Args:
        request: The request at work.
        build: Makes an instance of the class for a request, its properties and steps.
        calls: The way out for the steps.
        mask: Hides what is secret.
        way_back: How the event can be delivered again, for a `delete` that waits.
    """

    request: Request
    granted: Granted
    build: Build
    calls: Calls
    deadline: Deadline
    mask: Callable[[str], str]
    way_back: WayBack
    visible_after: float

    def clean_up(self) -> CleanUp:
        """Remove what the debts left, newest first; a failure of `delete` or `undo` is raised.

        Raises:
            InProgress: Our time is short, and another delivery goes on.
        """
        removed: list[str] = []
        kept: list[Debt] = []
        doubts: list[str] = []
        owed, me = self.granted.head.owed(), self.request.request_id
        for debt in reversed(owed):
            if debt.type == RequestType.DELETE:
                continue  # what it should have removed is removed now
            if self.request.type is RequestType.UPDATE and debt.type != RequestType.UPDATE:
                kept.insert(0, debt)
                continue
            if debt.cleaned_by == me:  # what is there under its ids may be our own by now
                kept.insert(0, debt)
                doubts += debt.doubts or ()
                continue
            found = self._find(debt)
            doubts += found.doubts
            # Seeded bug: unresolved-kept
            if found.doubts:
                kept.insert(0, replace(debt, cleaned_by=me, doubts=tuple(found.doubts)))
            # Seeded bug: undo-called
            found.undo()
            is_gone = found.id in removed and not found.has_called
            if found.id not in (None, debt.base) and not is_gone:
                self._delete(debt, found)
                removed.append(str(found.id))
        deletes = [debt for debt in owed if debt.type == RequestType.DELETE]
        if self.request.type is not RequestType.DELETE and [*deletes, *kept] != owed:
            self.granted.settle([*deletes, *kept], removed)
        return CleanUp(removed=removed, kept=kept, doubts=doubts)

    def _find(self, debt: Debt) -> _Found:
        if not (debt.steps or debt.edge or debt.acted):
            return _Found(id=debt.id)
        asked = self._request_of(debt)
        return self._unread(debt) if asked is None else self._replay(debt, asked)

    def _unread(self, debt: Debt) -> _Found:
        """Tell what the records alone tell: the properties of that request are not known here."""
        records = debt.records()
        unsure = [
            key
            for key, one in records.items()
            if one.state == StepState.STARTED or (one.state == StepState.DONE and debt.id is None)
        ]
        results = {
            key.partition("#")[0]: json.loads(one.result)
            for key, one in records.items()
            if one.state == StepState.DONE and one.result is not None
        }
        doubts = [_doubt(debt, key, records[key].first_used) for key in unsure]
        if debt.id is None and (debt.edge or debt.acted or not records):
            what = "a step that is not recorded" if records else "its first step"
            doubts.append(_doubt(debt, what, debt.begun))
        return _Found(id=debt.id, doubts=doubts, results=results)

    def _request_of(self, debt: Debt) -> Request | None:
        """Return the earlier request as far as this one's event can tell its properties."""
        request = self.request
        if debt.properties == request.properties_fingerprint:
            properties, old = request.properties, request.old_properties
        elif debt.properties == request.old_properties_fingerprint:
            properties, old = request.old_properties, request.properties
        else:
            return None
        return replace(
            request,
            type=RequestType(debt.type),
            request_id=debt.request_id,
            physical_resource_id=debt.base,
            properties=properties,
            old_properties=old,
            response_url="",
        )

    def _replay(self, debt: Debt, asked: Request) -> _Found:
        steps = ReplaySteps(
            debt, self.granted, asked, self.calls, self.deadline, self.mask, self.visible_after
        )
        resource = self.build(asked, steps)
        makes = asked.type is RequestType.CREATE or resource.replaces()
        if makes and asked.type is RequestType.UPDATE:
            resource = self.build(asked, steps, replacing=True)
        # Seeded bug: unrecorded-learning
        try:
            run(resource, resource.create if makes else resource.update)
        except Interrupt as interrupt:
            if not isinstance(interrupt, ReplayEnd):
                raise
        except LedgerUnavailable:
            raise  # what was learned could not be kept: nothing may be removed because of it
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - a hook raises what it likes
            log.info("the replay of %s ended with %s", asked, type(error).__name__)
            steps.end_early(error)
        if steps.may_be_known_later and self.granted.comes_again():
            self.granted.park(Progress())
            raise InProgress(f"{self.request}: what {asked} has made cannot be told yet")
        # Seeded bug: id-at-end
        made = steps.id_at_end or resource.physical_resource_id
        # Seeded bug: leftover-id
        return _Found(
            id=debt.id or (made if makes and (steps.acted or debt.acted) else None),
            doubts=[*steps.doubts, *steps.unmet_doubts()],
            results=steps.results,
            has_called=steps.has_called,
            undo=steps.undo,
        )

    def _delete(self, debt: Debt, found: _Found) -> None:
        scope = "~" + base32(replace(self.request, request_id=debt.request_id).operation, 12)
        steps = Steps(
            self.granted,
            self.request,
            self.calls,
            self.deadline,
            mask=self.mask,
            way_back=self.way_back,
            visible_after=self.visible_after,
            scope=scope,
        )
        steps.deleting = True
        asked = self._request_of(debt) or self.request
        as_delete = replace(
            asked,
            type=RequestType.DELETE,
            request_id=self.request.request_id,
            physical_resource_id=found.id,
        )
        resource = self.build(as_delete, steps, recovered=True, partial=found.results)
        run(resource, resource.delete)
        steps.flush()


class _Owed:
    """A debt in the place of the right to work: its records, and where its findings are kept."""

    def __init__(self, debt: Debt, granted: Granted) -> None:
        self._debt, self._granted = debt, granted
        self.pending: dict[str, Record] = {}
        over = debt.ended or debt.lease
        self.owner_gone = max(granted.owner_gone, over / 1000)
        self.frontier = debt.edge
        self.head = Head(
            request_id=debt.request_id,
            type=debt.type,
            steps=debt.steps,
            round=debt.round,
            begun=debt.begun,
            first_generation=debt.first_generation,
            fence=granted.head.fence,
        )

    def takes_off(self, key: str, record: Record | None) -> None:
        del key, record  # it is in doubt already, and stays so
        self._granted.go_on()

    def lands(self) -> None:
        """Take note of nothing: nothing was noted."""

    def unspill(self, name: str) -> str | None:
        return self._granted.unspill(name)

    def spill(self, name: str, text: str) -> None:
        self._granted.spill(name, text)

    def record(self, progress: Progress) -> None:
        for key, one in progress.steps.items():
            self._granted.note(self._debt, key, one)


class ReplaySteps(Steps):
    """Steps that are known, and none besides.

    Attributes:
        acted: Something may have been made on the way.
        results: What was met on the way, by the steps' names.
        doubts: Steps that nobody could tell about, in words.
        may_be_known_later: What there is to be known may be known to the next delivery.
        has_called: A call was repeated under its token.
        id_at_end: The physical id when the end was reached: what follows cannot change it.
    """

    def __init__(
        self,
        debt: Debt,
        granted: Granted,
        request: Request,
        calls: Calls,
        deadline: Deadline,
        mask: Callable[[str], str],
        visible_after: float,
    ) -> None:
        owed = cast("Granted", _Owed(debt, granted))
        super().__init__(owed, request, calls, deadline, mask=mask, visible_after=visible_after)
        self._debt, self._undos = debt, list[tuple[str, Callable[[Any], None], Any]]()
        self.results: dict[str, Json] = {}
        self.doubts: list[str] = []
        self.may_be_known_later = self.has_called = False
        self.id_at_end: str | None = None

    def run(self, call: Call) -> Any:
        try:
            result = super().run(call)
        except ReplayEnd:
            self.id_at_end = self.id_at_end or self.running_id
            raise
        self.acted = True
        if not call.repeat:
            self.results[call.name] = result
            if call.undo is not None:
                self._undos.append((call.name, call.undo, result))
        self._end_where_all_is_known(call.name)
        return result

    def id_is_set(self) -> None:
        self._end_where_all_is_known("physical_resource_id")

    def _end_where_all_is_known(self, where: str) -> None:
        """End before the hook comes to where its first run was stuck, or died."""
        if self._debt.id is None and self.running_id is None:
            return  # what it is called may still be told
        if not (self.unmet() or self._granted.frontier):
            self.id_at_end = self.id_at_end or self.running_id
            self._ended = ReplayEnd(where)
            raise self._ended

    def end_early(self, error: BaseException) -> None:
        """Take note of an error that came before the step that may have happened was reached.

        The first run ended there as well where the hook alone decides; where it had read something
        from the world, it may have come further.
        """
        # Seeded bug: undecided
        decided = isinstance(error, HookError) and not isinstance(error, TemporaryError)
        if self._granted.frontier and not decided:
            self.may_be_known_later = True
            text = f"a step (its replay ended with {type(error).__name__})"
            self.doubts.append(_doubt(self._debt, text, self._debt.begun))

    def undo(self) -> None:
        """Undo the steps that took effect and have an undo, the last one first."""
        self._ended, self.deleting = None, True
        for name, undo, result in reversed(self._undos):
            log.info("undoing %s of %s", name, self._debt.request_id)

            def run(step: Step, undo: Callable[[Any], None] = undo, result: Any = result) -> None:
                del step
                undo(result)

            super()._repeat(Call(name=f"undo {name}", run=run, repeat=True))

    def unmet(self) -> Iterable[str]:
        """Return the steps that may have taken effect and that today's code did not come by."""
        records = self._debt.records()
        nothing = (StepState.FAILED, StepState.WAITING)
        return [k for k in records if k not in self._visited and records[k].state not in nothing]

    def unmet_doubts(self) -> list[str]:
        """Spell those of which nothing is known; a known id tells what done steps have made."""
        records = self._debt.records()
        told = {StepState.DONE} if self._debt.id is not None else set()
        return [
            _doubt(self._debt, key, records[key].first_used)
            for key in self.unmet()
            if records[key].state not in told
        ]

    def _waiting(self, key: str) -> Record:
        if key not in self._granted.head.records():
            raise ReplayEnd(key)  # it is kept before anything behind it can begin
        return super()._waiting(key)

    def _looked(self, look: Callable[[], Any], attempt: Attempt) -> Any:
        del look
        raise ReplayEnd(attempt.key)  # it was waited for to the end

    def _pass_time(self, until: float) -> None:
        del until
        if not (self.unmet() or self._granted.frontier):
            raise ReplayEnd("wait")

    def _leave_to_another(self, attempt: Attempt, why: str) -> None:
        """Leave that to the request at work: it cleans up what else is owed."""

    def _repeat(self, call: Call) -> Any:
        # Behind it, a step may be known, or in doubt; and what is not recorded may have been made.
        if self.unmet() or self._granted.frontier:
            return super()._repeat(call)
        raise ReplayEnd(call.name)

    def _make(self, attempt: Attempt, *, in_doubt: bool) -> Any:
        if not in_doubt:
            raise ReplayEnd(attempt.key)
        try:
            found = self._learn(attempt)
        except Exception as error:  # noqa: BLE001 - a far side raises what it likes
            self._pending.clear()
            self.may_be_known_later = isinstance(error, OutOfTime | TemporaryError)
            unknown = self._verdict(attempt.call, error) is Verdict.IN_DOUBT
            if unknown or isinstance(error, InDoubt):
                self.doubts.append(_doubt(self._debt, attempt.key, attempt.record.first_used))
            raise ReplayEnd(attempt.key) from None
        if found is None:
            raise ReplayEnd(attempt.key)
        result = self._done(attempt, found[0])
        self.flush()
        return result

    def _learn(self, attempt: Attempt) -> tuple[Any] | None:
        """Return what a step in doubt came to, or None where it did not happen."""
        # Under its token a call cannot make a second effect, and it tells the id, or what to undo.
        call = attempt.call
        # Seeded bug: undo-asked
        may_call = call.window is not None and (self._debt.id is None or call.undo is not None)
        found = self._resolve(attempt, self._granted.owner_gone)
        while found is None and may_call:
            self.has_called = True
            try:
                found = (self._run(call, attempt.key, attempt.step, attempt.record),)
            except Exception as error:
                if not self._may_succeed_later(call, error):
                    raise
                found = self._resolve(attempt, self._clock.now(), error)
        return found


def _doubt(debt: Debt, key: str, milliseconds: int) -> str:
    _telemetry.in_doubt(f"{key} of {debt.request_id}")
    return f"{key} of {debt.request_id} at {milliseconds // 1000}"
