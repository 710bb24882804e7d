"""`assert_safe`: a scenario under every single fault, and the shortest story of what goes wrong."""

import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, pairwise
from typing import Any

from .._clock import SYSTEM_CLOCK
from .._cloudformation.canonical import Json
from .._cloudformation.request import SERVICE_TIMEOUT
from .._provider import Provider
from .advice import differs, report_of, safe_with
from .api import FakeApi
from .cloudformation import FakeCloudFormation
from .run import Broken, ExternalApi, Fault, FaultKind, Run, Terms
from .stack import NewProperties
from .stage import Over, Stage

LIMIT = 5000  # runs; a provider of two or three steps takes some hundreds
LEAST = 3
TIMEOUT = "ServiceTimeout"
ROOM = 600  # seconds: three tries of 120 with Lambda's pauses of 60 and 120, and a minute to spare
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
    may_remove: Collection[str] = (),
    limit: int = LIMIT,
    watchdog: float = WATCHDOG,
) -> Checked:
    """Run a scenario under every single fault, and see that nothing is made twice or left.

    First it runs twice without a fault, which says what there should be after each request. Then
    it runs with one fault at a time: a crash before and after every action, once and in all of
    Lambda's tries; copies in a row, later, and when all is gone; a lost answer; an external API
    that refuses, or does not answer, with and without having acted; two deliveries of a request,
    and a Delete over a running Create, each held up before each of its actions. All of it again
    with each Update rolled back. What was there before the scenario must be there afterwards.

    Args:
        provider: As it is deployed; it is driven with a ledger in memory and a virtual clock.
        scenario: Is given a `FakeCloudFormation` and calls its verbs; or the properties of a
            resource, which is created and deleted. Where they have no ServiceTimeout, it is tried
            without one, and then with one that is as short as it may be.
        external_api: The API that the hooks call: a `FakeApi`, or whatever has `objects` and
            `reset()`. None where the hooks make nothing.
        changed: With properties as the scenario: the resource is updated to these in between.
        allow_in_doubt: Take what a FAILED answer names as in doubt, and what it leaves: steps that
            can be neither repeated nor looked up.
        may_remove: Ids of what is there after `reset`, which the hooks are there to remove.
        limit: The most runs.
        watchdog: Real seconds that a request may take, before its hook is said to hang.

    Raises:
        AssertionError: With the shortest story that was found, the line and what to change.
    """
    _refuse_nonsense(provider, scenario, external_api, changed, limit)
    terms = Terms(allow_in_doubt, frozenset(map(str, may_remove)))
    make = partial(Run, provider, FakeApi() if external_api is None else external_api)
    search = partial(_Search, make, watchdog=watchdog, must_make=external_api is not None)
    if callable(scenario):
        return search(scenario, terms=terms, limit=limit).go()
    if TIMEOUT in scenario:
        return search(partial(_live, scenario, changed), terms=terms, limit=limit).go()
    return _without_and_with_timeout(search, scenario, changed, terms, limit)


def _without_and_with_timeout(
    search: "Callable[..., _Search]",
    properties: Mapping[str, Json],
    changed: NewProperties,
    terms: Terms,
    limit: int,
) -> Checked:
    """Try the default scenario without a ServiceTimeout, and with the shortest that has room."""
    unset = search(partial(_live, properties, changed), terms=terms, limit=limit)

    def with_timeout() -> Checked:
        timeout = unset.shortest_timeout()
        more = {TIMEOUT: str(timeout)}
        life = partial(_live, {**properties, **more}, changed and {**changed, **more})
        under = terms._replace(service_timeout=timeout)
        # Where time passes, a delivery has failed: two at work at a time have no more to show.
        return search(life, terms=under, limit=limit - unset.runs).go(at_once=False)

    try:
        first = unset.go()
    except AssertionError as unsafe:
        if not unset.took_longer_than_timeout():
            raise
        try:
            is_safe = with_timeout().complete
        except AssertionError:
            raise unsafe from None
        if not is_safe:
            raise
        advice = safe_with(unset.shortest_timeout())
        raise AssertionError(f"{unsafe}\n\n{advice}") from None
    if not first.complete:
        return first
    second = with_timeout()
    return Checked(
        first.runs + second.runs, second.complete, round(first.seconds + second.seconds, 3)
    )


class _Search:
    """Looks for a run that breaks a law, among so many."""

    def __init__(
        self,
        make: Callable[..., Run],
        life: Scenario,
        *,
        terms: Terms,
        limit: int,
        watchdog: float,
        must_make: bool,
    ) -> None:
        self.runs = 0
        self._make, self._terms = make, terms
        self._play: Callable[[Run], Run] = lambda run: play(run, life, watchdog)
        self._limit, self._must_make = limit, must_make
        self._back_at: int | None = None
        self._base: Run | None = None
        self._unsafe: Run | None = None
        self._failed: list[Run] = []

    def go(self, *, at_once: bool = True) -> Checked:
        """Look for a story that breaks a law, and raise it; `at_once` with two deliveries too."""
        began, complete = SYSTEM_CLOCK.now(), True
        try:
            self._go(at_once=at_once)
        except _LimitReached:
            complete = False
        return Checked(self.runs, complete, SYSTEM_CLOCK.now() - began)

    def shortest_timeout(self) -> int:
        """Return the seconds of a ServiceTimeout that has room for the scenario and one fault."""
        if self._base is None:
            return SERVICE_TIMEOUT
        moments = [self._base.began, *(then.at for then in self._base.checkpoints)]
        longest = max(later - sooner for sooner, later in pairwise(moments))
        return min(SERVICE_TIMEOUT, math.ceil(longest + ROOM))

    def took_longer_than_timeout(self) -> bool:
        """Tell whether the run that is not safe took so long that a ServiceTimeout may matter."""
        if self._unsafe is None or self._unsafe.hangs:
            return False
        return self._unsafe.clock.now() - self._unsafe.began > self.shortest_timeout()

    def _go(self, *, at_once: bool) -> None:
        base = self._without_fault()
        if self._must_make and not (base.seen.effects or base.gone):
            raise AssertionError(
                "the scenario makes nothing on the external API: give assert_safe the one that the"
                " hooks call, or none where they make nothing"
            )
        self._explore(base, since=0, at_once=at_once)
        for number in range(base.updates):
            self._back_at = number
            rolled_back = self._without_fault()
            pairs = zip(base.checkpoints, rolled_back.checkpoints, strict=False)
            since = sum(before == now for before, now in pairs)
            self._explore(rolled_back, since=since, at_once=at_once)
        if any(effect.call is None for effect in base.seen.effects):
            base.broken = "something is made outside of all steps"
            raise self._error(base)

    def _without_fault(self) -> Run:
        """Return what happens without a fault, twice in the same way."""
        self._base = None
        first, second = self._run(Fault()), self._run(Fault())
        same = len(first.seen.effects) == len(second.seen.effects)
        if first.broken or (second.broken and same):
            raise self._error(first if first.broken else second)
        if (_made(first), first.points) != (_made(second), second.points):
            raise AssertionError(differs(first, second))
        self._base = second
        return second

    def _explore(self, base: Run, since: int, *, at_once: bool) -> None:
        """Try the faults of the requests from this one on, the cheapest kind first."""
        for faults in _single(base, since):
            for fault in faults:
                self._run(fault)
            self._judge()
        for kind in (FaultKind.TWIN, FaultKind.CANCEL) if at_once else ():
            for fault in _at_points(base, since, kind):
                for until in count():
                    if not self._run(replace(fault, until=until)).reached:
                        break  # it has fewer actions, so this one went to its end
            self._judge()

    def _run(self, fault: Fault) -> Run:
        if self.runs >= self._limit:
            self._judge()
            raise _LimitReached
        self.runs += 1
        run = self._play(
            self._make(fault=fault, back_at=self._back_at, base=self._base, terms=self._terms)
        )
        if run.hangs:
            raise self._error(run)  # others would take as long
        if run.broken:
            self._failed.append(run)
        return run

    def _judge(self) -> None:
        if self._failed:
            # Best one that shows what is made; of these the shortest.
            seen = [(not run.seen.effects, len(run.seen.lines)) for run in self._failed]
            raise self._error(self._failed[seen.index(min(seen))])

    def _error(self, run: Run) -> AssertionError:
        self._unsafe = run
        return AssertionError(report_of(run))


def play(run: Run, scenario: Scenario, watchdog: float) -> Run:
    """Run a scenario from its beginning to its end, and return what was seen."""
    external_api: Any = run.external_api
    external_api.reset()
    run.theirs = run.seen.begin()
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
        run.expect_as_without_fault()
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
    missing = [name for name in ("objects", "reset") if not hasattr(external_api, name)]
    if external_api is not None and missing:
        raise TypeError(
            f"the external API has no {', '.join(missing)}: give assert_safe a FakeApi, or an"
            " object with objects and reset()"
        )
    if limit < LEAST:
        raise ValueError(f"limit is {LEAST} runs at least: two without a fault, and one with")


def _at_points(base: Run, since: int, *kinds: FaultKind) -> list[Fault]:
    """Return the faults of these kinds, at each point where they may happen to a request."""
    return [
        Fault(kind, request, at)
        for request in range(since, len(base.points))
        for at, point in enumerate(base.points[request])
        for kind in kinds
        if kind.may_befall(base.checkpoints[request].request_type, point)
    ]


def _single(base: Run, since: int) -> Iterator[list[Fault]]:
    """Yield the faults of one delivery, or that send a duplicate later."""
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
