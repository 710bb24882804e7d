"""What failed, half-done and overtaken requests left behind: found by replay, then cleaned up.

A replay runs the hook of the earlier request again, and only as far as its steps are known:
recorded results are returned, one step in doubt is looked up, and nothing else is called.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ._errors import InDoubt, Interrupt, ReplayEnd
from ._identity import base32
from ._request import Json, Request, RequestType
from ._resource import CustomResource
from ._steps import Call, Calls, Steps
from ._time import Deadline
from .ledger import Debt, Granted, Head, Record, StepState

log = logging.getLogger("cfn_once.resource")

Resource = CustomResource[Any, Any]
Build = Callable[..., Resource]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUp:
    """What became of the debts.

    Attributes:
        removed: Ids whose objects are gone.
        kept: Debts that stay on the books.
        doubts: Steps that nobody could tell about, in words.
    """

    removed: Sequence[str] = ()
    kept: Sequence[Debt] = ()
    doubts: Sequence[str] = ()


@dataclass(slots=True)
class _Found:
    """What a replay came to."""

    id: str | None = None
    made: bool = False
    doubts: list[str] = field(default_factory=list)
    results: dict[str, Json] = field(default_factory=dict)
    undos: list[tuple[str, Callable[[Any], None], Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Cleans up before a hook.

    Args:
        request: The request at work.
        build: Makes an instance of the class for a request, its properties and steps.
        calls: The way out for the steps.
    """

    request: Request
    granted: Granted
    build: Build
    calls: Calls
    deadline: Deadline

    def clean_up(self) -> CleanUp:
        """Remove what the debts left, newest first; a failure of `delete` or `undo` is raised."""
        removed: list[str] = []
        kept: list[Debt] = []
        doubts: list[str] = []
        for debt in reversed(self.granted.head.owed()):
            if debt.type == RequestType.DELETE:
                continue  # what it should have removed is removed now
            if self.request.type is RequestType.UPDATE and debt.type != RequestType.UPDATE:
                kept.insert(0, debt)
                continue
            found = self._find(debt)
            doubts += found.doubts
            if found.doubts:
                kept.insert(0, debt)
            self._undo(debt, found)
            if found.id is not None and found.id not in (*removed, debt.base):
                self._delete(debt, found)
                removed.append(found.id)
        return CleanUp(removed=removed, kept=kept, doubts=doubts)

    def _find(self, debt: Debt) -> _Found:
        started = [k for k, one in debt.records().items() if one.state == StepState.STARTED]
        if debt.id is not None:
            doubts = [_doubt(debt, key, debt.records()[key].first_used) for key in started]
            done = [k for k, one in debt.records().items() if one.state == StepState.DONE]
            return _Found(id=debt.id, made=True, doubts=doubts, results=dict.fromkeys(done))
        if not debt.steps and not debt.edge:
            return _Found()
        asked = self._request_of(debt)
        if asked is None:
            if not debt.steps:
                return _Found()
            return _Found(doubts=[_doubt(debt, key, debt.begun) for key in debt.steps])
        return self._replay(debt, asked)

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
        steps = ReplaySteps(debt, self.granted, asked, self.calls, self.deadline)
        resource = self.build(asked, steps, replay=True)
        if asked.type is RequestType.UPDATE and not resource.replaces():
            return _Found()  # changed in place: the object is the one that holds
        try:
            resource.create()
        except Interrupt as interrupt:
            if not isinstance(interrupt, ReplayEnd):
                raise
        except Exception as error:  # noqa: BLE001 - it ended there in the first run, too
            log.info("the replay of %s ended with %s", asked, type(error).__name__)
        found = steps.found
        found.id = (steps.id_at_end or resource.physical_resource_id) if found.made else None
        missed = steps.unmet()
        found.doubts += [_doubt(debt, key, debt.begun) for key in missed]
        return found

    def _undo(self, debt: Debt, found: _Found) -> None:
        for name, undo, result in reversed(found.undos):
            log.info("undoing %s of %s", name, debt.request_id)
            undo(result)

    def _delete(self, debt: Debt, found: _Found) -> None:
        scope = "~" + base32(replace(self.request, request_id=debt.request_id).operation)[:12]
        steps = Steps(self.granted, self.request, self.calls, self.deadline, scope=scope)
        steps.deleting = True
        asked = self._request_of(debt) or self.request
        as_delete = replace(
            asked,
            type=RequestType.DELETE,
            request_id=self.request.request_id,
            physical_resource_id=found.id,
        )
        resource = self.build(as_delete, steps, recovered=True, partial=found.results)
        resource.delete()
        steps.flush()


class _Owed:
    """A debt in the place of the right to work: its records, and where its findings are kept."""

    def __init__(self, debt: Debt, granted: Granted) -> None:
        self._debt, self._granted = debt, granted
        self.owner_gone = max(granted.owner_gone, (debt.lease / 1000) if not debt.gone else 0.0)
        self.head = Head(
            request_id=debt.request_id,
            type=debt.type,
            steps=debt.steps,
            took_over=debt.edge,
            round=debt.round,
            begun=debt.begun,
            first_generation=debt.first_generation,
            fence=granted.head.fence,
        )

    def record(self, steps: dict[str, Record], running_id: str | None) -> None:
        del running_id
        for key, one in steps.items():
            self._granted.note(self._debt, key, one)


class ReplaySteps(Steps):
    """Steps that are known, and none besides.

    Attributes:
        found: What was met on the way.
        id_at_end: The physical id when the end was reached: what follows cannot change it.
    """

    def __init__(
        self, debt: Debt, granted: Granted, request: Request, calls: Calls, deadline: Deadline
    ) -> None:
        super().__init__(cast("Granted", _Owed(debt, granted)), request, calls, deadline)
        self._debt = debt
        self.found = _Found()
        self.id_at_end: str | None = None

    def run(self, call: Call) -> Any:
        try:
            result = super().run(call)
        except ReplayEnd:
            self.id_at_end = self.id_at_end or self.running_id
            raise
        if not call.repeat:
            self.found.made = True
            self.found.results[call.name] = None
            if call.undo is not None:
                self.found.undos.append((call.name, call.undo, result))
        return result

    def unmet(self) -> Iterable[str]:
        """Return the steps that took effect and that today's code did not come by."""
        records = self._debt.records()
        return [k for k in records if k not in self._visited and records[k].state != "F"]

    def _repeat(self, call: Call) -> Any:
        if not list(self.unmet()):
            raise ReplayEnd(call.name)  # it may be the one that never ran
        return super()._repeat(call)

    def _make(self, call: Call, key: str, record: Record, *, in_doubt: bool) -> Any:
        if not in_doubt:
            raise ReplayEnd(key)
        step = self._step(key, record.generation)
        try:
            found = self._resolve(call, key, step, record, self._granted.owner_gone)
            if found is None and call.window is not None:
                found = (self._run(call, step),)  # cannot make a second effect; tells the id
        except InDoubt:
            self.pending = {}
            self.found.doubts.append(_doubt(self._debt, key, record.first_used))
            raise ReplayEnd(key) from None
        except Exception:  # noqa: BLE001 - refused: it did not happen
            raise ReplayEnd(key) from None
        if found is None:
            raise ReplayEnd(key)
        result = self._done(call, key, record, found[0])
        self.flush()
        return result


def _doubt(debt: Debt, key: str, milliseconds: int) -> str:
    return f"{key} of {debt.request_id} at {milliseconds // 1000}"
