"""`assert_safe`: a scenario under every single fault, and the shortest story of what goes wrong."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

from .._clock import SYSTEM_CLOCK
from .._cloudformation.canonical import Json
from .._provider import Provider
from .advice import differs, told
from .api import FakeApi
from .cloudformation import FakeCloudFormation
from .run import Broken, ExternalApi, Fault, FaultKind, Run
from .stack import NewProperties
from .stage import Over, Stage

LIMIT = 5000  # runs; a provider of two or three steps takes some hundreds
LEAST = 3
WATCHDOG = 20.0  # real seconds for one request, which takes milliseconds

log = logging.getLogger("cfn_once")
Scenario = Callable[[FakeCloudFormation], object]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was tried: so many runs, each under another fault, in seconds of real time."""

    runs: int
    complete: bool  # nothing was left out because of the limit
    seconds: float


def assert_safe(
    provider: Provider,
    scenario: Scenario | Mapping[str, Json],
    external_api: ExternalApi | None = None,
    *,
    changed: Mapping[str, Json] | None = None,
    allow_in_doubt: bool = False,
    limit: int = LIMIT,
    watchdog: float = WATCHDOG,
) -> Checked:
    """Run a scenario under every single fault, and see that nothing is made twice or left.

    First it runs twice without a fault, which says what there should be after each request. Then
    it runs with one fault at a time: a crash before and after every action, once and in all of
    Lambda's tries; copies in a row, later, and when all is gone; a lost answer; an external API
    that refuses, or does not answer, with and without having acted; two deliveries of a request,
    and a Delete over a running Create, each held up before each of its actions. All of it again
    with each Update rolled back.

    Args:
        provider: As it is deployed; it is driven with a ledger in memory and a virtual clock.
        scenario: Is given a `FakeCloudFormation` and calls its verbs; or the properties of a
            resource, which is created and deleted.
        external_api: The API that the hooks call: a `FakeApi`, or whatever has `objects`, `created`
            and `reset()`. None where the hooks make nothing.
        changed: With properties as the scenario: the resource is updated to these in between.
        allow_in_doubt: Take what a FAILED answer names as in doubt, and what it leaves: steps that
            can be neither repeated nor looked up.
        limit: The most runs.
        watchdog: Real seconds that a request may take, before its hook is said to hang.

    Raises:
        AssertionError: With the shortest story that was found, the line and what to change.
    """
    _refuse_nonsense(provider, scenario, external_api, changed, limit)
    life = scenario if callable(scenario) else partial(_live, scenario, changed)
    make = partial(Run, provider, external_api or FakeApi(), allow_in_doubt=allow_in_doubt)
    search = _Search(make, lambda run: play(run, life, watchdog), limit)
    return search.go(must_make=external_api is not None)


class _Search:
    """Looks for a run that breaks a law, among so many."""

    def __init__(self, make: Callable[..., Run], play: Callable[[Run], Run], limit: int) -> None:
        self._make, self._play, self._limit = make, play, limit
        self._runs = 0
        self._back_at: int | None = None
        self._base: Run | None = None
        self._failed: list[Run] = []

    def go(self, *, must_make: bool) -> Checked:
        """Look for a story that breaks a law, and raise it."""
        began, complete = SYSTEM_CLOCK.now(), True
        base = self._without_fault()
        if must_make and not base.seen.effects:
            raise AssertionError(
                "the scenario makes nothing on the external API: give assert_safe the one that the"
                " hooks call, or none where they make nothing"
            )
        try:
            self._explore(base, since=0)
            for number in range(base.updates):
                self._back_at = number
                rolled_back = self._without_fault()
                pairs = zip(base.checkpoints, rolled_back.checkpoints, strict=False)
                self._explore(rolled_back, since=sum(before == now for before, now in pairs))
        except _LimitReached:
            complete = False
        if any(effect.call is None for effect in base.seen.effects):
            base.broken = "something is made outside of all steps"
            raise AssertionError(told(base))
        return Checked(self._runs, complete, SYSTEM_CLOCK.now() - began)

    def _without_fault(self) -> Run:
        """Return what happens when nothing befalls the scenario, twice in the same way."""
        self._base = None
        first, second = self._run(Fault()), self._run(Fault())
        same = len(first.seen.effects) == len(second.seen.effects)
        if first.broken or (second.broken and same):
            raise AssertionError(told(first if first.broken else second))
        if (_made(first), first.points) != (_made(second), second.points):
            raise AssertionError(differs(first, second))
        self._base = second
        return second

    def _explore(self, base: Run, since: int) -> None:
        """Try the faults that befall a request from this one on, the cheapest kind first."""
        for faults in _single(base, since):
            for fault in faults:
                self._run(fault)
            self._judge()
        for kind in (FaultKind.TWIN, FaultKind.CANCEL):
            for fault in _at_points(base, since, kind):
                for until in count():
                    if not self._run(replace(fault, until=until)).reached:
                        break  # it has fewer actions, so this one went to its end
            self._judge()

    def _run(self, fault: Fault) -> Run:
        if self._runs >= self._limit:
            self._judge()
            raise _LimitReached
        self._runs += 1
        run = self._play(self._make(fault=fault, back_at=self._back_at, base=self._base))
        if run.hangs:
            raise AssertionError(told(run))  # others would take as long
        if run.broken:
            self._failed.append(run)
        return run

    def _judge(self) -> None:
        if self._failed:
            # Best one that shows what is made; of these the shortest.
            seen = [(not run.seen.effects, len(run.seen.lines)) for run in self._failed]
            raise AssertionError(told(self._failed[seen.index(min(seen))]))


def play(run: Run, scenario: Scenario, watchdog: float) -> Run:
    """Run a scenario from its beginning to its end, and return what was seen."""
    external_api: Any = run.external_api
    external_api.reset()
    own_clock = getattr(external_api, "clock", None)
    if own_clock is not None:
        external_api.clock = run.clock
    listeners = getattr(external_api, "listeners", [])
    listeners.append(run.seen.listen)
    stack = FakeCloudFormation(run.provider, clock=run.clock, watchdog=watchdog)
    stage = Stage(run, stack._stack)  # noqa: SLF001 - our own
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # hundreds of runs fail as they should
    try:
        try:
            scenario(stack)
        except Over:
            stack.delete_stack()
        if stack.resources:
            raise ValueError(
                f"the scenario leaves {', '.join(stack.resources)} in the stack: end it with"
                " stack.delete(...), so that what is left then is left for ever"
            )
        stage.deliver_late(math.inf)
        run.expect(0, "when all is deleted")
        if run.doubt:
            raise Broken(run.doubt)
    except Broken as broken:
        run.broken = str(broken)
    finally:
        log.setLevel(level)
        listeners.remove(run.seen.listen)
        if own_clock is not None:
            external_api.clock = own_clock
        stack.close()
    return run


class _LimitReached(Exception):
    """There were as many runs as there may be."""


def _refuse_nonsense(
    provider: object, scenario: object, external_api: object, changed: object, limit: int
) -> None:
    if not isinstance(provider, Provider):
        raise TypeError(f"assert_safe drives a Provider: Provider(MyResource), not {provider!r}")
    if callable(scenario) and changed is not None:
        raise TypeError("changed= is for properties: a scenario calls stack.update itself")
    missing = [name for name in ("objects", "created", "reset") if not hasattr(external_api, name)]
    if external_api is not None and missing:
        raise TypeError(
            f"the external API has no {', '.join(missing)}: give assert_safe a FakeApi, or an"
            " object with objects, created and reset()"
        )
    if limit < LEAST:
        raise ValueError(f"limit is {LEAST} runs at least: two without a fault, and one with")


def _at_points(base: Run, since: int, *kinds: FaultKind) -> list[Fault]:
    """Return the faults of these kinds, at each point where they may befall a request."""
    return [
        Fault(kind, request, at)
        for request in range(since, len(base.points))
        for at, point in enumerate(base.points[request])
        for kind in kinds
        if kind.may_befall(base.checkpoints[request].request_type, point)
    ]


def _single(base: Run, since: int) -> Iterator[list[Fault]]:
    """Yield the faults that befall one delivery, or send a copy later."""
    requests = range(since, len(base.points))
    yield _at_points(base, since, FaultKind.CRASH)
    yield [
        Fault(FaultKind.LATE, request, until=after)
        for request in requests
        for after in requests
        if after >= request
    ]
    yield _at_points(base, since, FaultKind.UNTOLD)
    yield _at_points(base, since, FaultKind.NO_ANSWER, FaultKind.REFUSED)
    yield _at_points(base, since, FaultKind.CRASH_FOR_GOOD)


def _made(run: Run) -> list[tuple[int, str | None]]:
    return [(effect.request, effect.call) for effect in run.seen.effects]


def _live(properties: NewProperties, changed: NewProperties, stack: FakeCloudFormation) -> None:
    stack.create("Resource", properties)
    if changed is not None:
        stack.update("Resource", changed)
    stack.delete("Resource")
