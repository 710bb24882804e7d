"""
Lambda: eight sandboxes at work, events delivered up to three times and more, and all that befalls.

    Lambda.send ──► a chain of attempts ──► Delivery, in a free Sandbox ──┬── ledger   each through
    (copies, too)   1 and 2 minutes apart   a real process, killed,       ├── API      a Proxy that
                    │                       frozen, thawed                └── answers  goes wrong
                    └ all in vain ──► the guardian: another chain, in a sandbox of its own, where
                                      nothing goes wrong

The way of every request leads by its delivery, which knows what is to go wrong, and takes it down
in the resource's story.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Protocol

from cfn_once.testing import on_failure_event
from crash.mischief import Mischief, Moment, Rates, draw
from crash.story import Story
from support.fast_clock import FastClock
from support.proxy import Address, Fault, Proxy
from support.runtime_api import ATTEMPTS, Ending, Function

TIMEOUT = 120.0  # seconds of the function; the Timeout of templates/provider.yaml
GUARDIAN_TIMEOUT = 900.0  # seconds; likewise
PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
LEASE = TIMEOUT + 3.0  # Lambda's deadline, and the slack that the ledger adds
DELAY = 0.04  # seconds of the machine; with the rest of the way well below the settle time
OVERTIME = 8.0  # seconds of the machine that a frozen process has past its deadline


class Deliverable(Protocol):
    """A request as far as its deliveries go."""

    event: Mapping[str, Any]
    story: Story
    deliveries: "list[Delivery]"
    copies: "list[Future[None]]"
    may_freeze: bool

    @property
    def name(self) -> str:
        """What it is called in its story."""


class Slot:
    """One sandbox, and its own ways to the ledger and to the API.

    Args:
        guards: It is the guardian's, not the provider's.

    Attributes:
        delivery: What its process works on; None while it waits.
    """

    def __init__(
        self,
        number: int,
        *,
        ledger: Address,
        api: Address,
        environment: Mapping[str, str],
        scratch: Path,
        clock: FastClock,
        guards: bool = False,
    ) -> None:
        self.number, self.guards = number, guards
        self.delivery: Delivery | None = None
        self.ways = {
            "ledger": Proxy(ledger, watch=partial(self._watch, "ledger")).__enter__(),
            "api": Proxy(api, watch=partial(self._watch, "api")).__enter__(),
        }
        table = f"{environment['CRASH_TABLE']}?region=us-east-1"
        self.function = Function(
            "handler.guardian" if guards else "handler.provider",
            task_root=Path(__file__).with_name("function"),
            scratch=scratch / f"slot-{number}",
            timeout=clock.real(GUARDIAN_TIMEOUT if guards else TIMEOUT),
            environment={
                **environment,
                "CFN_ONCE_LEDGER": (
                    f"dynamodb://{table}&endpoint=http://127.0.0.1:{self.ways['ledger'].port}"
                ),
                "SPOT_API_URL": f"http://127.0.0.1:{self.ways['api'].port}",
            },
        )
        self.sandbox = self.function.sandbox()

    def close(self) -> None:
        """End its process and its proxies."""
        self.function.close()
        for way in self.ways.values():
            way.__exit__()

    def _watch(self, place: str, request: bytes) -> Fault:
        delivery = self.delivery
        return Fault() if delivery is None else delivery.watch(place, request)


class Delivery:
    """One attempt at an event, in one sandbox.

    Args:
        record: What the guardian gets in the event's place; None for the provider.

    Attributes:
        guards: The guardian works on it.
        began: When the process got the event, by its own clock.
        lease: Until when the ledger is held by it at the latest, by the same clock.
        killed: At which moment, where it was.
        thawed: Is set unless it is frozen.
    """

    def __init__(
        self,
        operation: Deliverable,
        name: str,
        mischief: Mischief,
        owner: "Lambda",
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.operation, self.name, self._mischief, self._owner = operation, name, mischief, owner
        self.guards, self._event = record is not None, record or operation.event
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._since_effect: int | None = None
        self._slot: Slot | None = None
        self.began = self.lease = 0.0
        self.killed, self.frozen = "", False
        self.thawed = threading.Event()
        self.thawed.set()
        self.ending: Ending | None = None
        self.error, self.log = "", ""

    def run(self, slot: Slot) -> None:
        """Hand the event over, and wait for its end."""
        slot.sandbox.warm_up()
        clock, mischief = self._owner.clock, self._mischief
        self._slot = slot
        self.began = clock.now()
        self.lease = self.began + LEASE
        slot.function.overtime = 0.0 if mischief.freeze is None else OVERTIME
        slot.delivery = self
        self._tell(f"in sandbox {slot.number}")
        timers = self._timers(slot)
        for timer in timers:
            timer.start()
        if mischief.down is not None:
            place, seconds = mischief.down
            self._owner.count(f"{place} down")
            self._tell(f"the {place} refuses connections for {seconds * clock.speed:.0f} s")
            slot.ways[place].down(seconds)
        try:
            invocation = slot.sandbox.invoke(self._event)
        finally:
            with self._lock:
                self._slot = slot.delivery = None
            for timer in timers:
                timer.cancel()
        self.ending, self.log = invocation.ending, invocation.log
        if isinstance(invocation.document, dict):
            self.error = (
                f"{invocation.document.get('errorType')}: {invocation.document.get('errorMessage')}"
            )
        self._tell(f"ends: {self.ending}{': ' if self.error else ''}{self.error[:200]}")

    @property
    def succeeded(self) -> bool:
        """Tell whether Lambda is content, and delivers no more."""
        return self.ending is Ending.RESPONSE

    @property
    def was_disturbed(self) -> bool:
        """Tell whether it was cut short; not so where it left its request to a copy."""
        cut = self.ending not in (None, Ending.RESPONSE) and "InProgress" not in self.error
        return bool(self.killed) or self.frozen or cut

    @property
    def calls(self) -> int:
        """How many requests to the API it has made."""
        return self._counts["api"]

    @property
    def is_at_work(self) -> bool:
        """Tell whether its process works on it now."""
        return self._slot is not None

    @property
    def interferes_with_answers(self) -> bool:
        """Tell whether something is to happen when it tells its answer."""
        kill = self._mischief.kill
        told = kill is not None and kill.place == "answer"
        return told or self._mischief.freeze is not None

    def watch(self, place: str, request: bytes) -> Fault:
        """Say what happens to one of its requests, and take it down."""
        number = self._number(place)
        kind = self._mischief.faults.get((place, number), "")
        if kind:
            self._owner.count(f"{place} {kind}")
        asked = _spell(place, request)
        changes = place == "api" and not asked.startswith("GET")

        def after(answer: bytes) -> None:
            status = answer.split(b" ", 2)[1:2]
            told = status[0].decode() if status else "nothing"
            self._tell(f"{asked} -> {told}{', which is cut off' if kind == 'cut' else ''}")
            if changes and self._since_effect is None:
                self._since_effect = 0
            if "/roll by " in asked:
                self._owner.rolled(self.operation, asked)
            self.moment(Moment(place, "after", number))

        if kind == "refuse":
            self._tell(f"{asked} is refused")
        return Fault(
            refuse=kind == "refuse",
            delay=DELAY if kind == "delay" else 0.0,
            cut=kind == "cut",
            before=partial(self.moment, Moment(place, "before", number)),
            on_its_way=partial(self.moment, Moment(place, "on its way", number)),
            after=after,
        )

    def tells(self) -> str:
        """Take down that it tells its answer, and return what happens to that."""
        number = self._number("answer")
        kind = self._mischief.faults.get(("answer", number), "")
        if kind:
            self._owner.count(f"answer {kind}")
        self.moment(Moment("answer", "before", number))
        return kind

    def has_told(self) -> None:
        """Take down that its answer has arrived."""
        number = self._counts["answer"]
        self.moment(Moment("answer", "on its way", number))
        self.moment(Moment("answer", "after", number))

    def moment(self, moment: Moment) -> None:
        """Do what was planned for this moment."""
        if moment == self._mischief.kill:
            self._kill(str(moment))
        if self._mischief.freeze is None or self.frozen:
            return
        tells = moment.place == "answer"
        if self._since_effect is not None or tells:
            passed, self._since_effect = self._since_effect or 0, (self._since_effect or 0) + 1
            if passed >= self._mischief.freeze or tells:
                self._freeze(str(moment))

    def thaw(self) -> None:
        """Let a frozen process go on."""
        with self._lock:
            if self._slot is not None:
                self._tell("goes on")
                self._slot.sandbox.thaw()
        self.thawed.set()

    def _timers(self, slot: Slot) -> list[threading.Timer]:
        mischief, made = self._mischief, []
        if mischief.kill_after is not None:
            made.append(threading.Timer(mischief.kill_after, self._kill, ["at a random time"]))
        if mischief.nap is not None:
            begin, length = mischief.nap
            made.append(threading.Timer(begin, self._nap, [slot]))
            made.append(threading.Timer(begin + length, self.thaw))
        if mischief.freeze is not None:  # where it never comes so far, its deadline is its end
            made.append(threading.Timer(slot.function.timeout, self._end_unless_frozen))
        for timer in made:
            timer.daemon = True
        return made

    def _kill(self, when: str) -> None:
        with self._lock:
            if self._slot is None or self.killed:
                return
            self.killed = when
            self._tell(f"SIGKILL {when}")
            self._slot.sandbox.kill()

    def _end_unless_frozen(self) -> None:
        if not self.frozen:
            self._kill("at its deadline")

    def _nap(self, slot: Slot) -> None:
        with self._lock:
            if self._slot is None:
                return
            self._owner.count("stopped, and continued in time")
            self._tell("SIGSTOP for a while")
            slot.sandbox.freeze()

    def _freeze(self, when: str) -> None:
        with self._lock:
            if self._slot is None or self.killed or self.frozen:
                return
            self.frozen = True
            self.thawed.clear()
            self._tell(f"SIGSTOP {when}, past its lease")
            self._slot.sandbox.freeze()
        self._owner.frozen(self)

    def _number(self, place: str) -> int:
        with self._lock:
            self._counts[place] += 1
            return self._counts[place]

    def _tell(self, text: str) -> None:
        self.operation.story.add(f"    {self.operation.name} {self.name}: {text}")


class Lambda:
    """The function: its sandboxes, and who delivers.

    Args:
        slots: All there are, the guardian's among them; a delivery waits for a free one.
        rates: How often what goes wrong.

    Attributes:
        closed: Is set when all of it ends.
        counts: How often what happened.
        rolls: How often each roll arrived at the API, by RequestId and request.
        most_at_once: How many deliveries there were at the same time.
    """

    def __init__(self, slots: list[Slot], clock: FastClock, rates: Rates) -> None:
        self.clock, self.rates = clock, rates
        self.closed = threading.Event()
        self.counts: Counter[str] = Counter()
        self.rolls: Counter[tuple[str, str]] = Counter()
        self.deliveries: list[Delivery] = []
        self.most_at_once = 0
        self._slots, self._free = slots, list(slots)
        self._change = threading.Condition()
        self._threads = ThreadPoolExecutor(256, thread_name_prefix="delivery")

    def close(self) -> None:
        """End every process, and wait for every delivery."""
        self.closed.set()
        with self._change:
            self._change.notify_all()
        for delivery in self.deliveries:
            delivery.thawed.set()
        for slot in self._slots:
            slot.close()
        self._threads.shutdown()

    def rolled(self, operation: Deliverable, asked: str) -> None:
        """Count a roll, which is never to be asked for twice."""
        with self._change:
            self.rolls[operation.event["RequestId"], asked] += 1

    def count(self, what: str) -> None:
        """Count something that went wrong."""
        with self._change:
            self.counts[what] += 1

    def send(
        self,
        operation: Deliverable,
        random: Random,
        name: str,
        *,
        after: float = 0.0,
        doomed: bool = False,
    ) -> "Future[None]":
        """Deliver an event as Lambda does asynchronous ones: until it succeeds, or three times.

        After three the guardian gets the record of it, delivered in the same way.

        Args:
            random: Where all that befalls comes from.
            name: What this copy of the event is called.
            after: Seconds of the machine before the first attempt.
            doomed: Each attempt is killed.
        """
        seeded = Random(random.random())
        return self._threads.submit(self._attempts, operation, seeded, name, after, doomed)

    def frozen(self, delivery: Delivery) -> None:
        """See that a frozen delivery goes on after its lease, and another one has its event."""
        self.count("frozen past the lease")
        random = Random(delivery.began)
        left = delivery.began + 0.6 * TIMEOUT - self.clock.now()
        name = f"{delivery.name}, elsewhere"
        after = self.clock.real(max(0.0, left))
        delivery.operation.copies.append(self.send(delivery.operation, random, name, after=after))
        self._threads.submit(self._thaw, delivery, random)

    def _thaw(self, delivery: Delivery, random: Random) -> None:
        over = self.clock.real(delivery.lease - self.clock.now())
        self.closed.wait(max(0.0, over) + random.uniform(-0.2, 1.5))
        delivery.thaw()

    def _attempts(
        self, operation: Deliverable, random: Random, name: str, after: float, doomed: bool
    ) -> None:
        self.closed.wait(after)
        elsewhere = name.endswith("elsewhere")

        def befalls(attempt: int) -> Mischief:
            may_freeze = attempt == 1 and operation.may_freeze and not elsewhere
            return draw(random, self.rates, may_freeze=may_freeze, doomed=doomed)

        if self._until_success(operation, random, name, befalls) or self.closed.is_set():
            return
        self.count("sent to the guardian")
        if doomed and random.random() < self.rates.straggler:
            self.count("straggler")
            operation.copies.append(self.send(operation, random, "straggler"))
            self.closed.wait(random.uniform(0.0, 0.3))
        record = on_failure_event(operation.event)
        name = f"{name}, guardian"
        self._until_success(operation, random, name, lambda _: Mischief(), record)

    def _until_success(
        self,
        operation: Deliverable,
        random: Random,
        name: str,
        befalls: Callable[[int], Mischief],
        record: Mapping[str, Any] | None = None,
    ) -> bool:
        """Deliver an event, or the record of its failure; tells whether an attempt succeeded."""
        last: Slot | None = None
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                self.closed.wait(self.clock.real(PAUSES[attempt - 2]))
            mischief = befalls(attempt)
            wanted = last if random.random() < 0.5 else None
            slot = self._take(random, wanted, guards=record is not None)
            if slot is None:
                return False
            delivery = Delivery(operation, f"{name}.{attempt}", mischief, self, record)
            operation.deliveries.append(delivery)
            self.deliveries.append(delivery)
            try:
                delivery.run(slot)
            except (RuntimeError, OSError):
                if self.closed.is_set():  # its process was ended under it
                    return False
                raise
            finally:
                self._give(slot)
            if delivery.succeeded:
                return True
            last = slot
        return False

    def _take(self, random: Random, wanted: Slot | None, *, guards: bool) -> Slot | None:
        def free() -> list[Slot]:
            return [slot for slot in self._free if slot.guards == guards]

        with self._change:
            self._change.wait_for(lambda: free() or self.closed.is_set())
            if self.closed.is_set():
                return None
            slot = wanted if wanted in self._free else random.choice(free())
            self._free.remove(slot)
            self.most_at_once = max(self.most_at_once, len(self._slots) - len(self._free))
            return slot

    def _give(self, slot: Slot) -> None:
        with self._change:
            self._free.append(slot)
            self._change.notify_all()  # not all of them wait for one of its kind


def _spell(place: str, request: bytes) -> str:
    """Name a request: an API's method and path, a ledger's operation."""
    head = request.partition(b"\r\n\r\n")[0]
    lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:])
    }
    if place == "ledger":
        return f"ledger {fields.get('x-amz-target', '?').rpartition('.')[2]}"
    method, path, _ = lines[0].split(" ", 2)
    key = fields.get("idempotency-key")
    return f"{method} {path}" + (f" by {key[:8]}" if key else "")
