"""
Every order, crash and lost answer of the shipped code, up to a bound.

    delivery ──► provider, ledger, steps, hook ──► port ──► the scheduler: which delivery acts next?
      a greenlet       as they are shipped           │      does it die, is the answer lost, ...?
                                                     └────► head, API, CloudFormation: values

A delivery stops at each port and nowhere else, so all that it knows is what the ports have told it:
what it has been told is its state, and a state of the whole is a value that can be hashed.
Deliveries that were told the same are in the same place, and are run once: the tree of `_Node`
holds them.

Not every state is visited. What is left out shows nothing that is not seen without it; `full`
visits it all the same, and test_reduction.py compares the two:

* who looks at the head again has forgotten what it was shown before: `Explorer._memory`
* who wakes to look does nothing in between: `Explorer._wakes`
* an answer that decides nothing is given at once: `Explorer._has_last_words`
* who dies is not missed before time passes: `Explorer._deaths_in_time`
* nobody notices that CloudFormation is done: `Explorer._happens`
* equal deliveries begin in their order, here as in the full search: `Explorer._begins`

An operator may look at the head, and later write what the world has shown: the last of a state's
deliveries holds what he has seen.
"""

import gc
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, Protocol, TypeVar

from greenlet import greenlet  # type: ignore[import-untyped]  # it ships no types

from cfn_once._clock import Deadline
from cfn_once._cloudformation.request import Request
from cfn_once.ledger import LENGTH_OF_HASH, Head, Write, Written
from cfn_once.testing import Crashed
from explore.laws import BEGINNING, STACK_ID, Broken, Laws, Sent, State, nonce_of, refusals

T = TypeVar("T")
Doc = Mapping[str, Any]
to_text = json.JSONEncoder(separators=(",", ":")).encode

GRAIN = 125  # ms; its multiples are exact as seconds in a float
SHORTEST_POLL, SHORTEST_PAUSE = 0.7, 1.0  # seconds; in shorter ones nothing else happens
VISIBLE_AFTER = 12.0  # seconds in place of 60: an absent look-up is believed after two, not nine
GARBAGE = 10_000  # new objects after which Python looks for garbage
MOST_PARKED = 2_000  # greenlets kept at their port; any other is run anew when it is needed
NEW, CRASHED, SUSPENDED = "not begun", "crashed", "suspended"
OPERATOR = "operator"  # one who has not looked
LEFT = {"record": "note", "park": "leave"}  # writes to an operation that was left behind


class Kit:
    """The package that is explored, or a copy of it with a seeded bug: what is needed of it."""

    def __init__(self, package: ModuleType) -> None:
        def module(name: str) -> Any:
            return import_module(f"{package.__name__}.{name}")

        errors, store = module("_errors"), module("ledger.store")
        self.provider = module("_provider").Provider
        self.delivery = module("_cloudformation.delivery").HttpsDelivery
        self.written = store.Written
        self.head_in, self.write = store.head_in, store.written
        self.undelivered, self.out_of_reach = errors.DeliveryError, errors.LedgerUnavailable
        self.death_slack = int(module("ledger.ledger").DEATH_SLACK * 1000)
        self.in_flight_until = module("ledger.transitions").in_flight_until
        self.operator = module("ledger.operator")
        self.failures: Mapping[str, tuple[type[BaseException], str]] = {
            "timeout": (TimeoutError, "read timeout"),
            "broken": (RuntimeError, "an answer that makes no sense"),
            "denied": (errors.PermanentError, "refused"),
            "later": (errors.TemporaryError, "not now"),
            "taken": (errors.PermanentError, "there is one of this name"),
        }


class HarnessError(BaseException):
    """The exploration itself is wrong; no hook and no provider may swallow it."""

    passes_hooks = True


def spelt_out(record: Any) -> Doc:
    """Return the record of a step as a document: the ledger keeps plain ones as text."""
    if not isinstance(record, str):
        return {"s": "D", **record}
    if record.startswith("V"):
        return {"s": "V", "r": record[1:]}
    return {"s": "D", "a": record[:LENGTH_OF_HASH], "r": record[LENGTH_OF_HASH:]}


# What a delivery asks of a port.


class LedgerWrite(NamedTuple):
    """A write of the ledger, and what it is called here."""

    write: Write

    def kind(self, doc: Doc) -> str:
        """Name the write by what it does to a head, which tells more than its own name."""
        state, name = doc.get("st"), self.write.name
        change = self.write.change.set
        if name in ("record", "park") and any(path[0] == "pend" for path in change):
            return LEFT[name]
        steps = [value for path, value in change.items() if path[1:2] == ("steps",)]
        if name == "record" and any(spelt_out(step)["s"] == "S" for step in steps):
            return "start"
        if name == "begin_over":
            return "supersede" if state in ("RUNNING", "PARKED") else "begin over"
        if name == "resume":
            return "round" if state == "FAILED" else "takeover"
        return {"record_cleanup": "settle"}.get(name, name)


class Read(NamedTuple):
    """A read of the ledger."""


class Spill(NamedTuple):
    """A long result, kept beside the head or fetched from there."""

    name: str
    data: str | None


class Call(NamedTuple):
    """A call of the external API."""

    name: str
    operation: Any


class Put(NamedTuple):
    """An answer for CloudFormation."""

    body: str


class Sleep(NamedTuple):
    """A wait until then; one for the ledger to change ends when it has."""

    until: int
    polls: bool


Action = LedgerWrite | Read | Spill | Call | Put | Sleep


class Scene(Protocol):
    """What is explored: a class with its hooks, an external API, and CloudFormation's script."""

    classes: Sequence[Sequence[type]]  # of each version of the code, one a resource type
    places: Sequence[str]
    names: Mapping[str, str]
    once: bool
    told: Any
    failures: Mapping[str, tuple[type[BaseException], str]]
    far: Callable[[str, Any], Any]
    world: Any
    stack: Any

    def sent(self, stack: Any, place: str) -> Sent | None:
        """Return the request at a place of the script, once it has been sent."""

    def last(self, stack: Any) -> Sent:
        """Return the request that was sent last."""

    def deletes(self, state: State) -> Iterator[tuple[Sent, Any]]:
        """Yield the Deletes that end the resource, and the stack that has sent them."""

    def goes_on(self, state: State) -> Iterator[tuple[str, Any]]:
        """Yield where CloudFormation may go next."""

    def loses(self, stack: Any) -> bool:
        """Tell whether the ledger is lost before the request that was sent last."""

    def listens(self, stack: Any, place: str) -> bool:
        """Tell whether an answer to that place may decide where CloudFormation goes."""

    def call(self, world: Any, operation: Any, life: int, now: int) -> tuple[Any, Any]:
        """Return the external API after a call, and the call's result."""

    def faults(
        self, world: Any, operation: Any, life: int, now: int
    ) -> Iterator[tuple[str, str, Any, Any]]:
        """Yield the ways in which a call may go wrong: budget, words, external API, result."""

    def land(self, world: Any, now: int) -> Iterator[tuple[str, Any]]:
        """Yield what the external API may do by itself."""

    def pass_time(self, world: Any, now: int) -> Any:
        """Return the external API at a later time."""

    def times(self, world: Any) -> Sequence[int]:
        """Return when the external API may change by itself."""

    unsettled: Any

    def settled(self, world: Any, step: Any) -> Any:
        """Return what an operator sees of a step: its result, None, or `unsettled`."""

    def never_called(self, world: Any, step: Any) -> Any:
        """Return the external API where a call is known to have been refused."""


class _Memory(NamedTuple):
    """What a delivery knows, where it has forgotten what it was told since its base.

    Attributes:
        what: It was shown a head, or has woken to look at one.
        head: The one that it was shown last.
        clock: What its own clock shows, in milliseconds since 1970.
        waits: How often it has woken since its base.
    """

    what: str
    head: str | None
    clock: int
    waits: int


class _Node:
    """A point that a delivery has come to: all that it was told on the way.

    Attributes:
        told: What it was told last, and when.
        action: What it asks for now; None where it is over.
        over: How it ended.
        seen: The head as it was shown to it last.
        granted: It has held the resource.
        is_cut_off: The ledger has been out of its reach.
        has_lost: An answer of the ledger was lost.
        has_rung: Its watchdog has taken it for stuck.
        ends: When its time is over, in milliseconds.
        clock: What its own clock showed when it came here.
        base: The last point of whose history it knows everything; itself, unless it looks around.
        memory: What it knows since its base; None at a base.
        known: By what they know since: the points whose base it is.
    """

    def __init__(self, parent: "_Node | None", told: Any, delivery: int, sent: Sent) -> None:
        self.parent, self.told, self.delivery, self.sent = parent, told, delivery, sent
        self.children: dict[Any, _Node] = {}
        self.clock = 0
        self.base: _Node = self
        self.memory: _Memory | None = None
        self.known: dict[_Memory | None, _Node] = {}
        self.action: Action | None = None
        self.over = ""
        self.seen: str | None = parent.seen if parent else None
        self.granted: bool = parent.granted if parent else False
        self.is_cut_off: bool = parent.is_cut_off if parent else False
        self.has_lost: bool = parent.has_lost if parent else False
        self.has_rung: bool = parent.has_rung if parent else False
        self.start: int = parent.start if parent else 0
        self.ends: int = parent.ends if parent else 0

    @property
    def is_making(self) -> bool:
        """Tell whether it makes something on the external API next."""
        return isinstance(self.action, Call) and self.action.operation.kind == "make"


class _Run:
    """One delivery's greenlet: the provider as it is shipped, stopped at a port."""

    def __init__(self, explorer: "Explorer", root: _Node) -> None:
        self._explorer, self.delivery, self.ends = explorer, root.delivery, root.ends
        self.skew = explorer.skew_of(root.delivery)
        self.now = root.start + self.skew
        self.dead, self.calling, self.is_suspended = False, False, False
        self.ring: Callable[[], None] | None = None
        self.no_ledger = False  # it is out of reach, for this delivery and for good
        self._sent = root.sent
        self._greenlet = greenlet(self._work)

    def _work(self, _: Any) -> str:
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: max(0, self.ends + self.skew - self.now)
        )
        try:
            self._explorer.provider_of(self.delivery)(event_of(self._sent), context)
        except Crashed:
            return CRASHED
        except Exception as error:
            self._explorer.errors[type(error).__name__] = error
            return f"raised {type(error).__name__}"
        return SUSPENDED if self.is_suspended else "ended"

    def resume(self, told: Any, now: int) -> Any:
        """Go on to the next port, and return what is asked of it, or how it ended."""
        self._explorer.current, self.now = self, max(now + self.skew, self.now)
        return self._greenlet.switch(told)

    def kill(self) -> None:
        """Let it die at its port: nothing it does on the way out has an effect."""
        self._explorer.current, self.dead = self, True
        self._greenlet.switch(None)

    def nap(self, milliseconds: int) -> None:
        """Wait so shortly that nothing else happens; its clock is ahead of the others' by that."""
        if self.dead:
            raise Crashed("it died before")
        self.now += milliseconds

    def ask(self, action: Action) -> Any:
        if self.dead:
            raise Crashed("it died before")
        told = self._greenlet.parent.switch(action)
        if self.dead:
            raise Crashed("it died here")
        return told


class _Ports:
    """The four ways of the provider to the world, and the hooks' way to the external API."""

    keeps_secrets = True
    shortest, longest = 0.0, math.inf  # no wait stays in its invocation

    def __init__(self, explorer: "Explorer") -> None:
        self._explorer, self._kit = explorer, explorer.kit

    @property
    def _run(self) -> _Run:
        return self._explorer.current

    def read(self, key: str) -> Head | None:
        del key  # there is one resource
        return self._explorer.shipped(self._asked_of_the_ledger(Read())[1])

    def write(self, key: str, write: Write) -> Written:
        del key
        told = self._asked_of_the_ledger(LedgerWrite(write))
        head = self._explorer.shipped(told[1])
        written: Written = self._kit.written(told[0] == "applied", head)
        return written

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        del key, expires
        self._asked_of_the_ledger(Spill(name, data))

    def unspill(self, key: str, name: str) -> str | None:
        del key
        kept: str | None = self._asked_of_the_ledger(Spill(name, None))[1]
        return kept

    def _asked_of_the_ledger(self, action: Action) -> Any:
        run = self._run
        if run.no_ledger and not run.dead:
            raise self._kit.out_of_reach("out of reach")
        told = run.ask(action)
        if told[0] in ("lost", "out of reach"):
            run.no_ledger = told[0] != "lost"
            raise self._kit.out_of_reach(told[0])
        return told

    def call(self, name: str, fn: Callable[[], T]) -> T:
        run = self._run
        if run.dead:
            raise Crashed(name)
        outer, run.calling = run.calling, True
        try:
            return fn()
        finally:
            run.calling = outer

    def send(self, event: Any, due: float, *, now: float, function: str) -> None:
        """Send nothing: a copy of the event is what comes back, and there are copies enough."""
        del event, due, now, function
        self._run.is_suspended = True

    def check(self, request: Request) -> str:
        problem: str = self._kit.delivery().check(request)
        return problem

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        del request, deadline
        if self._run.ask(Put(body.decode()))[0] == "undelivered":
            raise self._kit.undelivered("the bucket did not answer")

    def now(self) -> float:
        return self._run.now / 1000

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        run = self._run
        if run.no_ledger or seconds < (SHORTEST_POLL if polling else SHORTEST_PAUSE):
            run.nap(int(seconds * 1000))
        else:
            until = rounded_up(run.now - run.skew + int(seconds * 1000))
            run.ask(Sleep(until, polling))

    def remaining(self, context: Any) -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def nonce(self) -> str:
        return nonce_of(self._run.delivery)

    def jitter(self) -> float:
        return 0.5

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        del seconds  # whenever a call takes long: a clock of the watchdog's own
        run = self._run
        run.ring = ring

        def call_off() -> None:
            run.ring = None

        return call_off

    def end_process(self, seconds: float) -> Callable[[], None]:
        raise HarnessError("no Managed Instances are explored")

    def far(self, name: str, operation: Any) -> Any:
        """Ask the external API: hooks come this way, through the `Calls` port."""
        run = self._run
        if not run.calling:
            raise HarnessError(f"{name} came past the Calls port")
        told = run.ask(Call(name, operation))
        if told[0] == "rings" and run.ring is not None:
            ring, run.ring = run.ring, None
            ring()
            told = run.ask(Call(name, operation))  # it is stuck, and may yet happen
        if told[0] in self._kit.failures:
            kind, text = self._kit.failures[told[0]]
            raise kind(text)
        return told[1]


@dataclass(slots=True)
class Verdict:
    """What came of a search.

    Attributes:
        law: The law that was broken; empty where all hold.
        schedule: The choices that lead there, one a state.
        marks: What was reached on the way.
        ends: What each schedule came to, as hashes.
        complete: Every state was visited.
    """

    states: int = 0
    moves: int = 0
    seconds: float = 0.0
    law: str = ""
    schedule: list[int] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    complete: bool = False


class Explorer:
    """Visits every state of a scene that its budgets allow.

    Args:
        scene: What is explored.
        copies: How many deliveries each place of the script has; one unless given.
        guardians: Places for which the guardian is told that every delivery has failed, whether
            that is so or not.
        budgets: How many faults of each kind: crash, lost, doubt, fail, flight, undelivered, ...
        timeouts: Seconds that each delivery has, by its number.
        boxes: Deliveries of one place share a sandbox.
        skews: By how many seconds the clocks of deliveries are ahead, in turn.
        code: By which version of the class each delivery is worked on, by its number; by the last
            one unless given.
        pace: "slow": a delivery may stall until its own time is over; "brisk": time passes only
            while everybody sleeps, so that nobody stalls between a look and a call.
        full: Every state is visited, also those that show nothing new: slow.
    """

    def __init__(
        self,
        package: ModuleType,
        scene: Scene,
        *,
        copies: Mapping[str, int] | None = None,
        guardians: Sequence[str] = (),
        budgets: Mapping[str, int] | None = None,
        timeouts: Sequence[float] = (),
        boxes: bool = False,
        pace: str = "",
        skews: Sequence[float] = (0.0,),
        code: Sequence[int] = (),
        full: bool = False,
    ) -> None:
        self.kit, self.scene, self._pace, self._full = Kit(package), scene, pace, full
        self.kit.failures = {**self.kit.failures, **scene.failures}
        self._skews = [int(skew * 1000) for skew in skews]
        self.places = [place for place in scene.places for _ in range((copies or {}).get(place, 1))]
        self._guardians = range(len(self.places), len(self.places) + len(guardians))
        self.places += guardians
        self._timeouts = [*timeouts, *_growing(len(self.places) - len(timeouts), timeouts)]
        self._closers = range(len(self.places), len(self.places) + 4)
        self._names = [self._name(n) for n in range(len(self.places) + len(self._closers))]
        ports = self._ports = _Ports(self)
        own: dict[str, Any] = {"ledger": ports, "visible_after": VISIBLE_AFTER}
        ways: dict[str, Any] = {"delivery": ports, "calls": ports, "clock": ports}
        self._providers = [
            self.kit.provider(*served, **own).using(continuation=ports, **ways)
            for served in scene.classes
        ]
        self._code = [*code, *[-1] * (len(self.places) + len(self._closers) - len(code))]
        guardian = self.kit.provider.unable("it died", retries_exhausted=True, **own)
        self._guardian = guardian.using(**ways)
        self._boxes = boxes
        if boxes:
            self._providers[-1] = self._providers[-1].using(sandbox_id=self._box)
        self.current: _Run
        self.errors: dict[str, Exception] = {}  # the last of each kind, for people
        self._budgets = tuple(sorted((budgets or {}).items()))
        self._roots: dict[Any, _Node] = {}
        self._parked: dict[_Node, _Run] = {}
        self._docs: dict[str | None, Doc] = {None: {}}
        self._kept: dict[str | None, tuple[Doc, Head | None]] = {None: ({}, None)}
        self._written: dict[Any, Any] = {}
        self._closed: dict[Any, str] = {}
        self.marks: set[str] = set()
        self.laws = Laws(
            self.doc,
            once=scene.once,
            fails=refusals(self._budgets),
            unusable=scene.unusable,
            tells=scene.told is not None,
            may_replace=scene.may_replace,
        )
        self._doing = ""  # the move that is being judged, in words
        scene.far = self._ports.far

    # A delivery between two ports

    def _box(self) -> str:
        return f"sandbox of {self.current._sent.place}"

    def provider_of(self, delivery: int) -> Any:
        """Return who works on a delivery."""
        if delivery in self._guardians:
            return self._guardian
        return self._providers[self._code[delivery]]

    def skew_of(self, delivery: int) -> int:
        """Return by how many milliseconds a delivery's clock is ahead."""
        return self._skews[delivery % len(self._skews)]

    def _root(self, delivery: int, sent: Sent, now: int) -> _Node:
        key = (delivery, sent, now)
        root = self._roots.get(key)
        if root is None:
            root = self._roots[key] = _Node(None, None, delivery, sent)
            timeout = self._timeouts[delivery] if delivery < len(self._timeouts) else 3000.0
            root.start, root.ends = now, now + int(timeout * 1000)
            self._put(root, _Run(self, root).resume, (None, now))
            if root.action is None:
                raise HarnessError(f"{self.name(delivery)} {root.over} at once")
        return root

    def _child(self, node: _Node, told: Any, now: int) -> Any:
        """Return where a delivery comes to when it is told this: a node, or how it ended."""
        child = node.children.get((told, now))
        if child is None:
            memory = self._memory(node, told, now)
            known = None if self._full else node.base.known.get(memory)
            child = node.children[told, now] = known or self._tell(node, told, now, memory)
        if child.action is None:
            self.laws.over(child, child.over)
            return child.over
        return child

    def _memory(self, node: _Node, told: Any, now: int) -> _Memory | None:
        """Return what a delivery knows once it is told this, where it forgets what came before.

        Who asks for the resource decides anew by each head that it is shown, and of earlier ones
        knows only how often it has waited; who holds it and waits for those before it keeps the
        head that it reads in the place of the last one. So it does not matter by which heads, nor
        by how long a sleep, it has come to this one. Not so where it first sees itself as the
        owner, or holds the resource and is refused: what it was about to write counts then.
        """
        waits = node.memory.waits if node.memory else 0
        clock = max(now + self.skew_of(node.delivery), node.clock)
        if told[0] == "woken" and isinstance(node.action, Sleep) and node.action.polls:
            return _Memory("woken", node.seen, clock, waits + 1)
        if told[0] == "read" or (told[0] == "refused" and not node.granted):
            if node.granted or not self._owns(node, told[1]):
                return _Memory("shown", told[1], clock, waits)
        return None

    def _owns(self, node: _Node, head: str | None) -> bool:
        return self.doc(head).get("own") == nonce_of(node.delivery)

    def _tell(self, node: _Node, told: Any, now: int, memory: _Memory | None) -> _Node:
        run = self._parked.pop(node, None) or self._again(node)
        child = _Node(node, (told, now), node.delivery, node.sent)
        if told[0] in ("applied", "refused", "read"):
            child.seen = told[1]
            child.granted |= self._owns(node, child.seen)
        child.is_cut_off |= told[0] == "out of reach"
        child.has_lost |= told[0] == "lost"
        child.has_rung |= told[0] == "rings"
        if memory is not None:
            child.base, child.memory = node.base, memory
            node.base.known[memory] = child
        self._put(child, run.resume, child.told)
        return child

    def _put(self, node: _Node, resume: Callable[[Any, int], Any], told: Any) -> None:
        asked = resume(*told)
        if isinstance(asked, str):
            node.over = asked
            return  # judged by the laws wherever it ends so
        node.action = asked
        run = resume.__self__  # type: ignore[attr-defined]  # a bound method's
        node.clock = run.now
        self._parked[node] = run
        if len(self._parked) > MOST_PARKED:
            oldest = next(iter(self._parked))
            self._parked.pop(oldest).kill()

    def _again(self, node: _Node) -> _Run:
        """Run a delivery from its start to where it was."""
        told, at = [], node
        while at.parent is not None:
            told.append(at.told)
            at = at.parent
        run = _Run(self, at)
        asked = run.resume(None, at.start)
        for answer in reversed(told):
            asked = run.resume(*answer)
        if type(asked) is not type(node.action) or (
            not isinstance(asked, LedgerWrite) and asked != node.action
        ):
            raise HarnessError(f"run again, it asked for {asked}, not for {node.action}")
        return run

    def nodes(self) -> Iterator[_Node]:
        """Yield every point that a delivery has come to, none before those it came by."""
        nodes = list(self._roots.values())
        for node in nodes:
            yield node
            nodes += node.children.values()

    def rewrite(self, text: str | None, write: Write) -> tuple[str | None, bool]:
        """Return the head after a write, and whether that was applied: as `MemoryStore` does."""
        kept = self._kept[text]
        doc, written = self.kit.write(write, kept[0], kept)
        if doc is None:
            return text, False
        text = to_text(doc)
        self._kept.setdefault(text, (doc, written.head))
        return text, True

    def shipped(self, text: str | None) -> Head | None:
        """Return a head as the shipped code sees it: read once, for nobody changes one."""
        return self._kept[text][1]

    def close(self) -> None:
        """End every greenlet.

        Raises:
            HarnessError: A head is not what its text says: a delivery has changed it, which others
                were shown as well, or it was not read again where it should have been.
        """
        while self._parked:
            self._parked.popitem()[1].kill()
        kept = ((text, head) for text, (_, head) in self._kept.items() if text is not None)
        if any(head != self.kit.head_in(text.encode()) for text, head in kept):
            raise HarnessError("a head that deliveries were shown is not what is kept")

    def doc(self, text: str | None) -> Doc:
        """Return a head as it is kept."""
        doc = self._docs.get(text)
        if doc is None:
            head = json.loads(text or "{}")
            for operation in (head.get("op", {}), *head.get("pend", ())):
                records = operation.get("steps", {})
                records.update((key, spelt_out(record)) for key, record in records.items())
            doc = self._docs[text] = {**head.pop("op", {}), **head}
        return doc

    # Moves

    def start(self) -> State:
        """Return the state in which everything begins."""
        deliveries = (NEW,) * len(self.places) + ("closer",) * len(self._closers) + (OPERATOR,)
        scene = self.scene
        return State(
            None, (), scene.world, scene.stack, deliveries, self._budgets, BEGINNING, (), (), ()
        )

    def name(self, delivery: int) -> str:
        """Spell a delivery for people."""
        return self._names[delivery]

    def _name(self, delivery: int) -> str:
        if delivery >= len(self.places):
            return f"closing delivery {delivery - len(self.places) + 1}"
        place = self.places[delivery]
        if delivery in self._guardians:
            return f"the guardian of {self.scene.names[place]}"
        number = delivery - self.places.index(place) + 1
        copies = self.places.count(place)
        return self.scene.names[place] + (f" (copy {number})" if copies > 1 else "")

    def moves(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield everything that may happen next, in words, and what comes of it."""
        alive = [n for n, at in enumerate(state.deliveries) if isinstance(at, _Node)]
        for delivery in alive:
            if not self._full and self._has_last_words(state, state.deliveries[delivery]):
                yield from self._acts(state, delivery, state.deliveries[delivery])
                yield from self._deaths(state, [delivery])
                return
        for delivery in alive:
            yield from self._acts(state, delivery, state.deliveries[delivery])
        nobody_else = True
        for words, new in chain(self._begins(state), self._happens(state), self._operates(state)):
            nobody_else = False
            yield words, new
        if self._full or self._boxes or nobody_else:
            yield from self._deaths(state, alive)
        else:
            yield from self._deaths_in_time(state, alive)
        yield from self._passes(state)

    def _begins(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield the beginnings of deliveries, of equal ones in their order.

        To take states for one that differ by who of the copies is who would save a hundredth: they
        began in their order and have different timeouts, so that one can outwait the other.
        """
        begun: set[tuple[str, bool]] = set()
        for delivery, place in enumerate(self.places):
            if state.deliveries[delivery] is not NEW:
                continue
            if (kind := (place, delivery in self._guardians)) in begun:
                continue  # equal deliveries begin in their order
            begun.add(kind)
            sent = self.scene.sent(state.stack, place)
            if sent is not None and not self._is_busy(state, place):
                yield from self._acts(state, delivery, self._root(delivery, sent, state.now))

    def _happens(self, state: State) -> Iterator[tuple[str, State]]:
        for words, world in self.scene.land(state.world, state.now):
            self.marks.add(words.partition(":")[0])
            yield words, state._replace(world=world)
        for words, stack in self.scene.goes_on(state):
            if not stack.now and not self._full:
                continue  # nobody notices that it is done: see `_done`
            if self.scene.loses(stack):
                self.marks.add("loss")
                yield f"the ledger is lost; {words}", state._replace(stack=stack, head=None)
            else:
                yield words, state._replace(stack=stack)

    def _operates(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield an operator's look at a step in doubt, and then the write that comes of it."""
        yield from self._forgets(state)
        seen, operator = state.deliveries[-1], len(state.deliveries) - 1
        if not left(state, "settle"):
            return
        if seen != OPERATOR:
            yield self._settles(state, operator, *json.loads(seen))
            return
        head = self.shipped(state.head)
        steps = [] if head is None else self.kit.operator.open_steps(head)
        for number, step in enumerate(steps):
            if self.kit.operator.at_work_until(head, state.now, step.operation):
                continue
            made = self.scene.settled(state.world, step)
            if made is not self.scene.unsettled:
                look = json.dumps([state.head, number, made])
                what = f"{step.key or 'what is not recorded'} of {step.operation.request_id}"
                yield f"the operator looks for {what}", moved(state, operator, look)

    def _settles(
        self, state: State, operator: int, text: str, number: int, made: str | None
    ) -> tuple[str, State]:
        """Write what an operator has seen, of the head that he has looked at."""
        looked, who = self.shipped(text), self.kit.operator.Operator("operator", "looked", 0)
        step = list(self.kit.operator.open_steps(looked))[number]
        write = self.kit.operator.settle(looked, step, made, who)
        head, is_applied = self.rewrite(state.head, write)
        self._doing = f"the operator settles {step.key} as {made}"
        self.marks.add("settle" if is_applied else "settle-refused")
        after = moved(spend(state, "settle"), operator, OPERATOR)
        if not is_applied:
            return f"{self._doing}, which is refused", after
        if made is None:
            after = after._replace(world=self.scene.never_called(after.world, step))
        at = SimpleNamespace(delivery=operator, sent=self.scene.last(state.stack))
        return self._doing, self.laws.written(state, after._replace(head=head), at, "resolve")

    def _forgets(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield that an operator removes everything by hand, and has the ledger forget it.

        He does so where CloudFormation holds nothing, and will not. What he forgets is lost with a
        will: as where the ledger is lost, his write is not judged, and all that comes of it is.
        """
        head, stack = self.shipped(state.head), state.stack
        if (
            not left(state, "forget")
            or head is None
            or state.world.air
            or not head.operation.is_over
        ):
            return
        at_work = self.kit.operator.at_work_until(
            head, state.now, head.operation, *head.pending_cleanup
        )
        if (
            at_work
            or state.world.air
            or head.held is not None
            or stack.held
            or stack.retained
            or stack.displaced
        ):
            return
        write = self.kit.operator.forget(head, self.kit.operator.Operator("operator", "", 0))
        text, _ = self.rewrite(state.head, write)
        self.marks.add("forget")
        world = state.world._replace(live=(), tags=())
        forgotten = state._replace(head=text, world=world)
        yield "the operator removes everything, and forgets it", spend(forgotten, "forget")

    def _has_last_words(self, state: State, at: _Node) -> bool:
        """Tell whether a delivery ends with an answer that decides nothing.

        Nobody else reads or changes what it does then, and its law judges alike at any time, so
        whatever others do before it they can do after it as well; for time it is over already. Not
        so at a pace at which others wait until one that stalls is dead.
        """
        if not isinstance(at.action, Put) or self._pace == "slow":
            return False
        if at.has_lost or at.is_cut_off or self.scene.listens(state.stack, at.sent.place):
            return False
        ways = ["delivered", "undelivered"] if left(state, "undelivered") else ["delivered"]
        return all(isinstance(self._child(at, (way,), state.now), str) for way in ways)

    def _deaths(self, state: State, alive: Sequence[int]) -> Iterator[tuple[str, State]]:
        if left(state, "crash"):
            for delivery in alive:
                self.marks.add("crash")
                dead = spend(moved(state, delivery, CRASHED), "crash")
                yield f"{self.name(delivery)} dies", dead

    def _deaths_in_time(self, state: State, alive: Sequence[int]) -> Iterator[tuple[str, State]]:
        """Yield deaths, each with the time that passes next.

        Who is dead and who does nothing look alike to all but time, and to a sandbox: whatever
        others do after a death, and before time passes, they can do before it as well.
        """
        for number, (died, dead) in enumerate(self._deaths(state, alive)):
            for words, later in self._passes(dead):
                yield f"{died}; {words}", later
            for words, later in self._deaths_in_time(dead, alive[number + 1 :]):
                yield f"{died}; {words}", later

    def _is_busy(self, state: State, place: str) -> bool:
        """Tell whether the place's one sandbox is at work: it takes one event at a time."""
        return self._boxes and any(
            isinstance(at, _Node) and self.places[delivery] == place
            for delivery, at in enumerate(state.deliveries[: len(self.places)])
        )

    def _acts(self, state: State, delivery: int, node: _Node) -> Iterator[tuple[str, State]]:
        match node.action:
            case LedgerWrite():
                return self._writes(state, delivery, node, node.action)
            case Read():
                return self._reads(state, delivery, node)
            case Spill():
                return self._spills(state, delivery, node, node.action)
            case Call():
                return self._calls(state, delivery, node, node.action)
            case Put():
                return self._puts(state, delivery, node, node.action)
            case Sleep():
                return self._wakes(state, delivery, node, node.action)
            case None:
                raise HarnessError(f"{self.name(delivery)} asks for nothing")

    def _writes(
        self, state: State, delivery: int, node: _Node, write: LedgerWrite
    ) -> Iterator[tuple[str, State]]:
        key = (state.head, node)
        known = self._written.get(key)
        if known is None:
            known = self._written[key] = self.rewrite(state.head, write.write)
        head, applied = known
        who, after = self.name(delivery), state
        name = write.kind(self.doc(state.head))
        done = name if applied else f"{name} is refused"
        if applied:
            self._doing = f"{who}: {done}"
            after = self.laws.written(state, state._replace(head=head), node, name)
            self.marks.add(name)
        told = ("applied" if applied else "refused", head)
        yield f"{who}: {done}", moved(after, delivery, self._child(node, told, state.now))
        if applied and left(state, "lost"):
            self.marks.add("lost")
            lost = moved(after, delivery, self._child(node, ("lost",), state.now))
            yield f"{who}: {done}, but the ledger's answer is lost", spend(lost, "lost")
        yield from self._out_of_reach(state, delivery, node)

    def _out_of_reach(
        self, state: State, delivery: int, node: _Node
    ) -> Iterator[tuple[str, State]]:
        if left(state, "outage"):
            self.marks.add("outage")
            at = self._child(node, ("out of reach",), state.now)
            words = f"{self.name(delivery)}: the ledger is out of its reach from now on"
            yield words, spend(moved(state, delivery, at), "outage")

    def _reads(self, state: State, delivery: int, node: _Node) -> Iterator[tuple[str, State]]:
        at = self._child(node, ("read", state.head), state.now)
        yield f"{self.name(delivery)}: reads the ledger", moved(state, delivery, at)
        yield from self._out_of_reach(state, delivery, node)

    def _spills(
        self, state: State, delivery: int, node: _Node, spill: Spill
    ) -> Iterator[tuple[str, State]]:
        kept = dict(state.spills)
        if spill.data is None:
            told = ("fetched", kept.get(spill.name))
            at = self._child(node, told, state.now)
            yield f"{self.name(delivery)}: fetches {spill.name}", moved(state, delivery, at)
            return
        self.marks.add("spill")
        kept[spill.name] = spill.data
        after = state._replace(spills=tuple(sorted(kept.items())))
        at = self._child(node, ("spilled",), state.now)
        yield f"{self.name(delivery)}: spills {spill.name}", moved(after, delivery, at)

    def _calls(
        self, state: State, delivery: int, node: _Node, call: Call
    ) -> Iterator[tuple[str, State]]:
        life, who = call.operation.life, self.name(delivery)
        self._doing = f"{who}: {call.name}"
        state = self.laws.calls(state, node, call.operation)
        world, result = self.scene.call(state.world, call.operation, life, state.now)
        after = self.laws.called(state._replace(world=world))
        told = result if isinstance(result, tuple) else ("made", result)
        self.marks.add(call.name.partition(" ")[0])
        yield f"{who}: {call.name}", moved(after, delivery, self._child(node, told, state.now))
        for budget, words, world, told in self.scene.faults(
            state.world, call.operation, life, state.now
        ):
            if not left(state, budget):
                continue
            self.marks.add(budget)
            after = self.laws.called(state._replace(world=world))
            at = CRASHED if told is None else self._child(node, told, state.now)
            yield f"{who}: {call.name}, {words}", spend(moved(after, delivery, at), budget)
        if left(state, "ring") and not node.has_rung:
            self.marks.add("ring")
            at = self._child(node, ("rings",), state.now)
            yield f"{who}: {call.name} takes long", spend(moved(state, delivery, at), "ring")

    def _puts(
        self, state: State, delivery: int, node: _Node, put: Put
    ) -> Iterator[tuple[str, State]]:
        who, status = self.name(delivery), put.body[11:].partition('"')[0]
        self._doing = f"{who}: answers {status}"
        after = self.laws.posted(state, node, put.body)
        at = self._child(node, ("delivered",), state.now)
        yield f"{who}: answers {status}", moved(after, delivery, at)
        if left(state, "undelivered"):
            self.marks.add("undelivered")
            at = self._child(node, ("undelivered",), state.now)
            words = f"{who}: answers {status}, which is"
            yield f"{words} not delivered", spend(moved(state, delivery, at), "undelivered")
            yield (
                f"{words} delivered, but looks lost",
                spend(moved(after, delivery, at), "undelivered"),
            )

    def _wakes(
        self, state: State, delivery: int, node: _Node, sleep: Sleep
    ) -> Iterator[tuple[str, State]]:
        """Yield the waking, together with the look that it is for.

        Who looks does not know since when it is awake (see `_memory`): whatever others do between
        the two, and however long it takes, they can do while it sleeps. Where the ledger may be out
        of its reach, it does know: that is for how long it has asked in vain.
        """
        if not self._can_wake(state, node, sleep):
            return
        at, words = self._child(node, ("woken",), state.now), f"{self.name(delivery)}: wakes"
        looks = sleep.polls and isinstance(at, _Node) and isinstance(at.action, Read)
        if looks and not self._full and not left(state, "outage"):
            at = self._child(at, ("read", state.head), state.now)
            words += " and reads the ledger"
        yield words, moved(state, delivery, at)

    def _is_asleep(self, state: State, node: _Node) -> bool:
        return isinstance(node.action, Sleep) and not self._can_wake(state, node, node.action)

    def _can_wake(self, state: State, node: _Node, sleep: Sleep) -> bool:
        return state.now >= sleep.until or (sleep.polls and state.head != node.seen)

    # Time

    def _passes(self, state: State) -> Iterator[tuple[str, State]]:
        at = self.next_time(state)
        if at is not None:
            seconds = (at - state.now) / 1000
            words = "the lease is over" if self._is_lease_over(state, at) else "time passes"
            self.marks.add(words)
            yield f"{words}: {seconds:g} s", self._later(state, at)

    def _later(self, state: State, at: int) -> State:
        return state._replace(now=at, world=self.scene.pass_time(state.world, at))

    def _is_lease_over(self, state: State, at: int) -> bool:
        doc = self.doc(state.head)
        return doc.get("st") == "RUNNING" and state.now <= doc["lu"] < at

    def next_time(self, state: State) -> int | None:
        """Return the next moment at which something may be different, if it can be waited for."""
        alive = (at for at in state.deliveries if isinstance(at, _Node))
        nodes = [at for at in alive if not self._has_last_words(state, at)]
        asleep = [node for node in nodes if self._is_asleep(state, node)]
        awake = [node for node in nodes if node not in asleep]
        if not asleep and not self._is_something_to_come(state):
            return None
        if self._pace == "brisk" and awake:
            return None
        ends = [node.ends - 1000 for node in asleep]
        times = self._leases(state, nodes)
        times += [node.action.until for node in asleep if not node.action.polls]
        times += [t + GRAIN for t in self.scene.times(state.world)]
        if self._pace == "slow":
            ends += [node.ends + self.kit.death_slack for node in awake]
        if not awake and not any(t > state.now for t in times):
            times += [node.action.until for node in asleep]
        later = [rounded_up(t) for t in (*times, *ends) if t > state.now]
        if not later:
            return None
        at = min(later)
        latest = min((node.ends + self.kit.death_slack for node in awake), default=at)
        return at if at <= latest else None

    def _is_something_to_come(self, state: State) -> bool:
        return NEW in state.deliveries or next(self.scene.goes_on(state), None) is not None

    def _leases(self, state: State, nodes: Sequence[_Node]) -> list[int]:
        """Return when what dead deliveries hold is free, and when nothing of them can land."""
        doc = self.doc(state.head)
        alive = {nonce_of(node.delivery) for node in nodes}
        times = [doc["due"]] if "due" in doc else []
        if doc.get("st") in ("RUNNING", "FAILED") and doc["own"] not in alive:
            times.append(doc["lu"] + GRAIN)
        if {"settle", "forget"} & dict(self._budgets).keys() and "lu" in doc:
            times.append(self.kit.in_flight_until(doc["lu"]) + GRAIN)
        for left in doc.get("pend", ()):
            dead = left["st"] == "RUNNING" and left["own"] not in alive
            if dead or any(step["s"] == "S" for step in left["steps"].values()):
                times.append(self.kit.in_flight_until(left["lu"]) + GRAIN)
        return [at - skew for at in times for skew in set(self._skews)]  # by each one's clock

    # Search

    def search(self, *, seconds: float = 600.0, most: int = 50_000_000) -> Verdict:
        """Visit every state, the nearest first; stop at the first that breaks a law.

        It gives up after so many seconds of processor time: what else a machine does cuts no
        space short.
        """
        with arranged():
            verdict = self._search(seconds, most)
            self.close()
        return verdict

    def _search(self, seconds: float, most: int) -> Verdict:
        begun = time.process_time()
        verdict = Verdict(marks=self.marks)
        first = self.start()
        seen = {hash(first)}
        parents, choices = [-1], [-1]
        frontier, number = [(first, 0)], 0
        while frontier and not verdict.law:
            following: list[tuple[State, int]] = []
            for state, number in frontier:
                is_end = True
                try:
                    for choice, (_, new) in enumerate(self.moves(state)):
                        verdict.moves += 1
                        is_end &= new.now > state.now
                        hashed = hash(new)
                        if hashed not in seen:
                            self.laws.state(new)
                            seen.add(hashed)
                            following.append((new, len(parents)))
                            parents.append(number)
                            choices.append(choice)
                    if is_end and self.next_time(done := self._done(state)) is None:
                        self.end(done)
                        # What CloudFormation holds depends on when it was done: see `_done`.
                        verdict.ends.add(hash(done._replace(stack=done.stack.sent)))
                except Broken as broken:
                    verdict.law = str(broken)
                    verdict.schedule = self._path(parents, choices, number)
                    break
            if time.process_time() - begun > seconds or len(seen) > most:
                break
            frontier = following
        else:
            verdict.complete = not verdict.law
        verdict.states, verdict.seconds = len(seen), time.process_time() - begun
        return verdict

    def _path(self, parents: list[int], choices: list[int], number: int) -> list[int]:
        path: list[int] = []
        while number > 0:
            path.insert(0, choices[number])
            number = parents[number]
        return path

    def _done(self, state: State) -> State:
        """Return the state with CloudFormation done, where it may go nowhere else.

        It may be so from its last place on, and from then on changes nothing: nobody reads it, and
        what it holds is judged at the end.
        """
        return next((state._replace(stack=stack) for _, stack in self.scene.goes_on(state)), state)

    def end(self, state: State) -> None:
        """Hold the end of a schedule to its laws: whatever happened, one more delivery ends it."""
        self.laws.state(state)
        stuck = [n for n, at in enumerate(state.deliveries) if isinstance(at, _Node)]
        if stuck:
            raise Broken(f"L1 {self.name(stuck[0])} waits for ever")
        ways = list(zip(self.places, state.deliveries, strict=False))
        comes_back = {place for place, at in ways if at == SUSPENDED}
        self.laws.end(state, [p for p, at in ways if at == "ended" and p not in comes_back])
        known = (state.head, state.spills, state.world, state.stack, state.posts, state.recorded)
        key = (*known, state.now)
        law = self._closed.get(key)
        if law is None:
            law = ""
            try:
                for _ in self.closing(state):
                    pass
            except Broken as broken:
                law = str(broken)
            self._closed[key] = law
        if law:
            raise Broken(law)

    def closing(self, state: State) -> Iterator[tuple[str, State]]:
        """Deliver the last request once more, then delete: nothing goes wrong any more."""
        closers = list(self._closers)
        last = self.scene.last(state.stack)
        answered = any(post.place == last.place for post in state.posts)
        answered |= last.is_expired(state.now)
        for _ in range(2):
            due = self.doc(state.head).get("due", 0)
            if not answered and due > state.now:
                state = self._later(state, rounded_up(due))
                yield "time passes", state
            if not answered:
                for words, state in self._alone(state, closers.pop(0), last):
                    yield words, state
                answered = any(post.place == last.place for post in state.posts)
        if not answered and not last.is_expired(state.now):
            raise Broken(f"L1 {self.scene.names.get(last.place)} is never answered")
        for delete, stack in list(self.scene.deletes(state)):
            state = state._replace(stack=stack)
            yield f"CloudFormation sends a last Delete of {delete.physical_resource_id}", state
            for words, state in self._alone(state, closers.pop(0), delete):
                yield words, state
            self.laws.deleted(state, delete)

    def _alone(self, state: State, delivery: int, sent: Sent) -> Iterator[tuple[str, State]]:
        at: Any = self._root(delivery, sent, state.now)
        while isinstance(at, _Node):
            state = moved(state, delivery, at)
            while self._is_asleep(state, at):
                later = self.next_time(state)
                if later is None:
                    raise Broken(f"L1 {self.name(delivery)} waits for ever")
                state = self._later(state, later)
                yield "time passes", state
            words, state = next(self._acts(state, delivery, at))
            yield words, state
            self.laws.state(state)
            at = state.deliveries[delivery]

    def story(self, schedule: Sequence[int]) -> Iterator[str]:
        """Tell a schedule in words, one thing after another, up to the law that it breaks."""
        with arranged():
            yield from self._story(schedule)
            self.close()

    def _story(self, schedule: Sequence[int]) -> Iterator[str]:
        state = self.start()
        for choice in schedule:
            before = state
            words, state = list(self.moves(state))[choice]
            yield words + _ended(before, state)
        at_end, self._doing = False, ""
        try:
            is_end = True
            for self._doing, new in self.moves(state):
                is_end &= new.now > state.now
                self.laws.state(new)
            self._doing = ""
            state = self._done(state)
            at_end = is_end and self.next_time(state) is None
            if at_end:
                self.end(state)
        except Broken as broken:
            yield from self._told_closing(state) if at_end else ()
            if self._doing:
                yield self._doing
            yield f"BROKEN: {broken}"

    def _told_closing(self, state: State) -> Iterator[str]:
        try:
            for words, after in self.closing(state):
                yield words + _ended(state, after)
                state = after
        except Broken:
            return


def _ended(before: State, after: State) -> str:
    """Spell how a delivery ended in a move, where it was not in order."""
    ends = [
        new
        for old, new in zip(before.deliveries, after.deliveries, strict=True)
        if old is not new and isinstance(new, str) and new.startswith("raised")
    ]
    return f" ({ends[0]})" if ends else ""


def event_of(sent: Sent) -> dict[str, Any]:
    """Spell a request as CloudFormation does."""
    host = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
    key = f"{STACK_ID}|Thing|{sent.request_id}".replace(":", "%3A").replace("|", "%7C")
    url = f"https://{host}/{key}"
    if sent.order is not None:
        issued = time.gmtime(BEGINNING // 1000 + sent.order)
        url += f"?X-Amz-Date={time.strftime('%Y%m%dT%H%M%SZ', issued)}&X-Amz-Signature=0"
    event: dict[str, Any] = {
        "RequestType": sent.type,
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
        "ServiceTimeout": str(sent.timeout),
        "ResponseURL": url,
        "StackId": STACK_ID,
        "RequestId": sent.request_id,
        "LogicalResourceId": "Thing",
        "ResourceType": sent.resource_type,
        "ResourceProperties": dict(sent.properties),
    }
    if sent.physical_resource_id is not None:
        event["PhysicalResourceId"] = sent.physical_resource_id
    if sent.type == "Update":
        event["OldResourceProperties"] = dict(sent.old_properties)
    return event


def rounded_up(milliseconds: int) -> int:
    """Return the next moment that is exact as seconds in a float."""
    return -(-milliseconds // GRAIN) * GRAIN


def left(state: State, budget: str) -> int:
    """Return how many faults of a kind are left."""
    return next((number for name, number in state.budgets if name == budget), 0)


def spend(state: State, budget: str) -> State:
    """Return the state with one fault less to come."""
    budgets = tuple((name, n - 1 if name == budget else n) for name, n in state.budgets)
    return state._replace(budgets=budgets)


def moved(state: State, delivery: int, at: Any) -> State:
    """Return the state with a delivery at another point; what it strayed ends with it."""
    deliveries = (*state.deliveries[:delivery], at, *state.deliveries[delivery + 1 :])
    if not state.strays or isinstance(at, _Node):
        return state._replace(deliveries=deliveries)
    strays = tuple(stray for stray in state.strays if stray[0] != delivery)
    return state._replace(deliveries=deliveries, strays=strays)


def _growing(number: int, given: Sequence[float]) -> list[float]:
    """Return timeouts, each long enough to outwait the one before and work for as long again."""
    timeouts = [given[-1] if given else 30.0]
    while len(timeouts) < number + bool(given):
        timeouts.append(2 * (timeouts[-1] + 10))
    return timeouts[bool(given) :]


@contextmanager
def arranged() -> Iterator[None]:
    """Keep millions of expected failures out of the log, and seldom look for garbage.

    What is known of a space lives as long as its search. To look through it for cycles after every
    700 objects, as Python does, took a seventh of the time.
    """
    before, thresholds = logging.root.manager.disable, gc.get_threshold()
    logging.disable(logging.CRITICAL)
    gc.set_threshold(GARBAGE, *thresholds[1:])
    try:
        yield
    finally:
        logging.disable(before)
        gc.set_threshold(*thresholds)
