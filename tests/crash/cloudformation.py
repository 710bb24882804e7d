"""
CloudFormation, for one resource after the other: its requests, what it holds, what it waits for.

    Create ──► Update, Update ... ──► Delete ──► copies that come late ──► Create ...
     │ │          │    └ a replacement: the Delete of the old one, or a rollback and the new one's
     │ │          └ refused by the API or before its hook, or not answered in time: its rollback
     │ └ cancelled, while it runs: a Delete with an id that is made up
     └ or none: another handler made the group, before there was a ledger

Every answer goes to a host on this machine, which keeps all that are told for a URL.
"""

import itertools
import json
import string
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol
from uuid import UUID

from cfn_once.testing.answers import judge
from crash.sandboxes import Delivery, Lambda
from crash.story import Story
from support.fast_clock import FastClock
from support.host import HANG_UP, Received, Reply, Status
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost

SERVICE_TIMEOUT = 1200  # seconds that CloudFormation waits
TOO_SHORT = 1  # seconds; the least that a template may say
TRIES = 8  # how often a Delete or a rollback is sent, each under a RequestId of its own
PRODUCTS = ("Linux/UNIX", "Red Hat Enterprise Linux", "SUSE Linux", "Windows")


class RunEnded(Exception):
    """The run is over before its time: somebody ended it."""


class GivenUp(Exception):
    """Nothing more can be done with a resource; its problems say why."""


@dataclass(eq=False)
class Operation:
    """One request of CloudFormation, and all that became of it.

    Attributes:
        kind: What it is for, in words.
        makes: The name of the group that it makes, where it makes one.
        may_freeze: A delivery of it may be frozen past its lease. What is frozen between its lease
            and a call that cannot be repeated would make that call afterwards, which Lambda, that
            kills at the deadline, rules out.
        expected: "SUCCESS", "FAILED", or "" where both are right.
        issued: When its ResponseURL was signed, in whole seconds.
        timeout: Seconds that CloudFormation waits for its answer.
        awaited: CloudFormation waits for its answer; not so for a cancelled one.
        gave_up: It waited in vain.
        bodies: All that was ever told for its URL, in order.
        told_by: The delivery that the first of them came from, as far as the host can tell.
        copies: The chains of attempts at it; they grow as long as one of them is not done.
        wrong: What was wrong with that, for CloudFormation.
    """

    event: dict[str, Any]
    kind: str
    story: Story
    issued: int
    makes: str | None = None
    expected: str = "SUCCESS"
    timeout: int = SERVICE_TIMEOUT
    may_freeze: bool = True
    awaited: bool = True
    gave_up: bool = False
    bodies: list[bytes] = field(default_factory=list)
    told_by: Delivery | None = None
    wrong: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    copies: "list[Future[None]]" = field(default_factory=list)
    _change: threading.Condition = field(default_factory=threading.Condition)

    @property
    def name(self) -> str:
        """What it is called in its story."""
        return f"{self.event['RequestType']} {self.event['RequestId'][:8]}"

    @property
    def answer(self) -> dict[str, Any] | None:
        """What CloudFormation read: the first answer; None while there is none."""
        return json.loads(self.bodies[0]) if self.bodies and not self.wrong else None

    @property
    def succeeded(self) -> bool:
        """Tell whether it was answered SUCCESS."""
        return self.answer is not None and self.answer["Status"] == "SUCCESS"

    @property
    def is_unanswered(self) -> bool:
        """Tell whether CloudFormation waited in vain although it waited long enough."""
        return self.gave_up and self.timeout > TOO_SHORT

    @property
    def was_disturbed(self) -> bool:
        """Tell whether a delivery of it was cut short."""
        return any(delivery.was_disturbed for delivery in list(self.deliveries))

    def tell(self, body: bytes, by: Delivery | None) -> None:
        """Take an answer."""
        problem = ""
        try:
            judge(self.event, body)
        except AssertionError as error:
            problem = str(error)
        with self._change:
            if not self.bodies:
                self.told_by = by
            if problem:
                self.wrong.append(problem)
            self.bodies.append(body)
            told = len(self.bodies)
            same = body == self.bodies[0]
            self._change.notify_all()
        text = body.decode(errors="replace")[:300]
        again = f"is told again ({told}): {'the same' if same else text}"
        self.story.add(f"  {self.name} {f'is answered {text}' if told == 1 else again} {problem}")

    def wait(self, clock: FastClock, closed: threading.Event) -> dict[str, Any] | None:
        """Wait for the answer, as long as CloudFormation does."""
        until = self.issued + self.timeout
        with self._change:
            while not self.bodies and not closed.is_set() and clock.now() < until:
                self._change.wait(min(0.2, max(0.01, clock.real(until - clock.now()))))
            if not self.bodies and not closed.is_set():
                self.gave_up = True
        if closed.is_set():
            raise RunEnded
        if self.gave_up:
            self.story.add(f"  {self.name} was not answered in time")
            return None  # what comes now is not heard any more
        return self.answer

    def begins(self, clock: FastClock, closed: threading.Event) -> None:
        """Wait until some process works on it."""
        until = self.issued + self.timeout
        while not any(delivery.began for delivery in list(self.deliveries)) and clock.now() < until:
            if closed.wait(0.01):
                raise RunEnded


class Answers(ResponseHost):
    """The host that answers are put to: what befalls them is the affair of who tells them."""

    def __init__(self, clock: FastClock) -> None:
        super().__init__(self._told, now=clock.now)
        self._operations: dict[str, Operation] = {}

    def expect(self, operation: Operation) -> None:
        """Take answers to a request."""
        self._operations[operation.event["ResponseURL"]] = operation

    def _told(self, request: Received) -> Reply:
        operation = self._operations.get(self.url + request.target)
        if operation is None:
            return Status(403)
        delivery = _who_tells(operation)
        kind = ""
        if delivery is not None:
            kind = delivery.tells()
            delivery.thawed.wait(60)  # it is on its way for so long
        if kind == "refuse":
            return Status(503)
        killed = "" if delivery is None else delivery.killed
        if killed.startswith("before") and killed.endswith("to the answer"):
            return HANG_UP
        reply = self.take(request)
        if reply.code != 200:
            operation.wrong.append(reply.body.decode())
        operation.tell(request.body, delivery)
        if delivery is not None:
            delivery.has_told()
        return HANG_UP if kind == "cut" else reply


def _who_tells(operation: Operation) -> Delivery | None:
    """Return the delivery that tells an answer: one at work; of twins, one with a plan for it."""
    at_work = [
        delivery
        for delivery in list(operation.deliveries)
        if delivery.is_at_work and delivery.thawed.is_set()
    ]
    at_work.sort(key=lambda fault: fault.interferes_with_answers)
    return at_work[-1] if at_work else None


@dataclass
class HeldGroup:
    """What CloudFormation holds of a resource."""

    id: str
    properties: dict[str, Any]


class GroupsApi(Protocol):
    """The API, to those who do not come through the provider."""

    def look(self) -> Mapping[str, Any]:
        """Return the groups there are, by id, as the API knows them."""

    def make(self, properties: Mapping[str, Any]) -> str:
        """Make a group, as a handler does that knows of no ledger, and return its id."""


class Resource:
    """One resource in a stack, made and deleted once or a few times over.

    Args:
        number: Which one of the run.
        random: Where all that it does comes from.
        secret: The ARN of the API's access token.
        groups: Those of the API.
        more: Tells whether there is to be one more request than must be.

    Attributes:
        operations: Every request, in order.
        older: The names of the groups that another handler has made.
        undone_without_a_call: How many Updates were refused before their hook and rolled back,
            where nothing was in doubt.
        problems: What went otherwise than it should.
    """

    def __init__(
        self,
        number: int,
        random: Random,
        *,
        functions: Lambda,
        answers: Answers,
        secret: str,
        groups: GroupsApi,
        more: Callable[[], bool],
    ) -> None:
        self._random, self._lambda, self._answers = random, functions, answers
        self._secret, self._groups, self._more = secret, groups, more
        self._clock, self._closed = functions.clock, functions.closed
        self.stack_name = f"stack-{number}"
        self._requests = Requests(
            answers,
            "Custom::Elastigroup",
            stack=f"{self.stack_name}/{UUID(int=random.getrandbits(128), version=1)}",
        )
        self.story = Story(self._clock, f"Group in {self.stack_name}")
        self.operations: list[Operation] = []
        self._first = 0  # of this life's operations
        self.older: list[str] = []
        self.undone_without_a_call = 0
        self.problems: list[str] = []
        self._numbers, self._issued = itertools.count(1), 0

    def play(self) -> None:
        """Make it and delete it, once to three times, and wait for every copy of every event."""
        for _ in range(self._random.choice((1, 1, 2, 3))):
            self._first = len(self.operations)
            self._live()
            self._come_late(self.operations[self._first :])
            if not self._more():
                break
        for operation in self.operations:
            for copy in operation.copies:
                copy.result()

    def _live(self) -> None:
        if self._random.random() < 0.2:
            self._live_on(self._adopt())
            return
        fate = self._random.random()
        wanted = self._properties(self._next_name())
        if fate < 0.12:
            wanted = {**wanted, "Capacity": _capacity(5, 3)}
        create = self._send(
            "Create" if fate >= 0.12 else "Create that the API refuses",
            "Create",
            wanted,
            makes=wanted["Name"],
            expected="SUCCESS" if fate >= 0.12 else "FAILED",
            may_freeze=fate >= 0.12,
            cancelled=0.12 <= fate < 0.27,
        )
        if create.awaited:
            create.wait(self._clock, self._closed)
        else:
            create.begins(self._clock, self._closed)
            self._sleep(self._random.expovariate(1 / 5))
        held = self._after_create(create, wanted)
        if held is None:
            self._until_success("Delete", "Delete", wanted, held=self._id_of(create))
        else:
            self._live_on(held)

    def _adopt(self) -> HeldGroup:
        """Hold a group that another handler has made, of which the ledger knows nothing."""
        wanted = self._properties(self._next_name())
        self.older.append(wanted["Name"])
        held = HeldGroup(self._groups.make(wanted), wanted)
        self.story.add(f"another handler has made {held.id}")
        return held

    def _live_on(self, held: HeldGroup) -> None:
        """Update what is held as often as it comes, and delete it."""
        while self._more() and self._random.random() < 0.75:
            held = self._change(held)
        self._until_success("Delete", "Delete", held.properties, held=held.id)

    def _after_create(self, create: Operation, wanted: dict[str, Any]) -> HeldGroup | None:
        """Return what is held after a Create; None where it has to be deleted at once."""
        if create.gave_up or not create.awaited or not create.succeeded:
            return None
        held = HeldGroup(self._id_of(create), wanted)
        self._compare(create, held)
        return held

    def _id_of(self, create: Operation) -> str:
        """Return the id that a Delete carries: the one answered, or else one that is made up."""
        if create.answer is not None:
            return str(create.answer["PhysicalResourceId"])
        letters = string.ascii_uppercase + string.digits
        made_up = "".join(self._random.choice(letters) for _ in range(12))
        return f"{self.stack_name}-Group-{made_up}"

    def _change(self, held: HeldGroup) -> HeldGroup:
        """Update it in one of many ways, and return what is held afterwards."""
        fate = self._random.random()
        properties = dict(held.properties)
        properties.pop("RollOnUpdate", None)
        if fate < 0.3:
            properties["Capacity"] = self._other_capacity(properties)
            return self._update("Update in place", held, properties)
        if fate < 0.42:
            image = f"ami-{self._random.randrange(10**6)}"
            properties["LaunchSpecification"] = {
                **properties["LaunchSpecification"],
                "ImageId": image,
            }
            properties["RollOnUpdate"] = {"BatchSizePercentage": "20"}
            # Where a roll's answer is lost, nobody can tell, and FAILED says so.
            return self._update("Update with a roll", held, properties, expected="")
        if fate < 0.56:
            properties["Capacity"] = _capacity(5, 3)
            if self._random.random() < 0.3:
                properties = self._replacing(properties)
                makes = properties["Name"]
            else:
                makes = None
            kind = "Update that the API refuses"
            return self._update(kind, held, properties, expected="FAILED", makes=makes)
        if fate < 0.68:
            return self._refused(held, properties)
        # An older object's first Update may never arrive; nobody then knows its rollback for one.
        is_known = len(self.operations) > self._first
        if fate < 0.76 and is_known:
            return self._unheard(held, properties)
        return self._replace(held, self._replacing(properties))

    def _refused(self, held: HeldGroup, properties: dict[str, Any]) -> HeldGroup:
        """Update it to what fits no declaration: no hook runs, and none for the rollback."""
        settled = self._is_settled()
        bad = self._random.choice(
            (
                {"Capacity": {**properties["Capacity"], "Target": "many"}},
                {"LaunchSpecification": {"SecurityGroupIds": ["sg-1"]}},
                {"Product": "Plan 9"},  # it would be replaced
            )
        )
        kind, first = "Update that is refused before its hook", len(self.operations)
        self._update(kind, held, {**properties, **bad}, expected="FAILED")
        update, *rollbacks = self.operations[first:]
        if settled and not (update.was_disturbed or rollbacks[0].was_disturbed):
            self._expect_no_call(update, rollbacks)
        return held

    def _is_settled(self) -> bool:
        """Tell whether nothing of what is held, or of what it replaced, can be in doubt."""
        for operation in reversed(self.operations[self._first :]):
            answer = operation.answer if operation.succeeded and not operation.gave_up else None
            if answer is None or "Reason" in answer:
                return False
            if operation.event["RequestType"] != "Delete":
                return not operation.kind.startswith("rollback")
        return True

    def _expect_no_call(self, update: Operation, rollbacks: Sequence[Operation]) -> None:
        """See that an Update that touched nothing is rolled back at once, and by no hook."""
        self.undone_without_a_call += 1
        if len(rollbacks) > 1:
            self._problem(f"{update.name} touched nothing, and its rollback failed")
        for operation in (update, *rollbacks):
            if any(delivery.calls for delivery in operation.deliveries):
                self._problem(f"{operation.name} called the API, though there was nothing to do")

    def _unheard(self, held: HeldGroup, properties: dict[str, Any]) -> HeldGroup:
        """Update it, in place or by another one, and wait so shortly that no answer is heard."""
        makes = None
        if self._random.random() < 0.4:
            properties = self._replacing(properties)
            makes = properties["Name"]
        else:
            properties["Capacity"] = self._other_capacity(properties)
        kind = "Update whose answer nobody waits for"
        return self._update(kind, held, properties, expected="", makes=makes, timeout=TOO_SHORT)

    def _replacing(self, properties: dict[str, Any]) -> dict[str, Any]:
        others = [product for product in PRODUCTS if product != properties["Product"]]
        return {**properties, "Product": self._random.choice(others), "Name": self._next_name()}

    def _update(
        self, kind: str, held: HeldGroup, properties: dict[str, Any], **options: Any
    ) -> HeldGroup:
        rolls = "RollOnUpdate" in properties
        update = self._send(kind, "Update", properties, held=held, may_freeze=not rolls, **options)
        answer = update.wait(self._clock, self._closed)
        if answer is None or answer["Status"] != "SUCCESS":
            return self._roll_back(held, properties, held.id)
        if update.makes is not None:
            return self._after_replacement(update, held, properties, answer)
        self._expect_id(update, held.id)
        new = HeldGroup(answer["PhysicalResourceId"], properties)
        self._compare(update, new)
        return new

    def _replace(self, held: HeldGroup, properties: dict[str, Any]) -> HeldGroup:
        update = self._send(
            "replacement", "Update", properties, held=held, makes=properties["Name"]
        )
        answer = update.wait(self._clock, self._closed)
        if answer is None or answer["Status"] != "SUCCESS":
            return self._roll_back(held, properties, held.id)
        return self._after_replacement(update, held, properties, answer)

    def _after_replacement(
        self,
        update: Operation,
        held: HeldGroup,
        properties: dict[str, Any],
        answer: Mapping[str, Any],
    ) -> HeldGroup:
        new = HeldGroup(answer["PhysicalResourceId"], properties)
        if new.id == held.id:
            self._problem(f"{update.name} replaced nothing: it answered the old id")
        self._compare(update, new)
        if self._random.random() < 0.75:
            self._until_success("clean-up Delete", "Delete", held.properties, held=held.id)
            return new
        # Another resource of the stack failed: all goes back.
        old = self._roll_back(held, properties, new.id)
        self._until_success("Delete of the new one", "Delete", properties, held=new.id)
        return old

    def _roll_back(self, to: HeldGroup, properties: dict[str, Any], carried: str) -> HeldGroup:
        """Update back, as often as it takes; `carried` is the id that the request bears."""
        rollback = self._until_success(
            "rollback Update", "Update", to.properties, held=carried, old=properties
        )
        self._expect_id(rollback, to.id)
        self._compare(rollback, to)
        return to

    def _until_success(
        self, kind: str, request_type: str, properties: dict[str, Any], **options: Any
    ) -> Operation:
        """Send a request, and another one in its place until one succeeds."""
        for attempt in range(TRIES):
            again = f" ({attempt + 1})" if attempt else ""
            operation = self._send(
                kind + again, request_type, properties, calm=attempt > 2, **options
            )
            operation.wait(self._clock, self._closed)
            if operation.succeeded:
                return operation
        self._problem(f"{kind}: {TRIES} requests, and none succeeded")
        raise GivenUp

    def _send(
        self,
        kind: str,
        request_type: str,
        properties: dict[str, Any],
        *,
        held: HeldGroup | str | None = None,
        old: dict[str, Any] | None = None,
        cancelled: bool = False,
        calm: bool = False,
        timeout: int = SERVICE_TIMEOUT,
        **what: Any,
    ) -> Operation:
        """Send a request, with all of its copies but the late ones."""
        random, rates = self._random, self._lambda.rates
        doomed = random.random() < rates.doomed and not calm
        parts: dict[str, Any] = {}
        if isinstance(held, HeldGroup):
            parts["physical_resource_id"], old = held.id, held.properties
        elif held is not None:
            parts["physical_resource_id"] = held
        if request_type == "Update":
            parts["old_properties"] = old
        issued = self._issue_time()
        event = self._requests.request(
            request_type,
            {**properties, "ServiceTimeout": str(timeout)},
            signed_at=issued,
            request_id=str(UUID(int=random.getrandbits(128), version=4)),
            **parts,
        )
        operation = Operation(
            event=event,
            kind=kind,
            story=self.story,
            issued=issued,
            timeout=timeout,
            awaited=not cancelled,
            **what,
        )
        self._answers.expect(operation)
        self.operations.append(operation)
        carried = event.get("PhysicalResourceId", "no id")
        doom = ", all of whose deliveries die" if doomed else ""
        self.story.add(f"{operation.name}, a {kind}, with {carried}{doom}")
        for name, after in self._copies(doomed):
            sent = self._lambda.send(operation, random, name, after=after, doomed=doomed)
            operation.copies.append(sent)
        return operation

    def _copies(self, doomed: bool) -> Iterator[tuple[str, float]]:
        random, rates = self._random, self._lambda.rates
        yield "first", 0.0
        if doomed:
            return
        if random.random() < rates.twin:
            self._lambda.count("twin")
            yield "twin", random.choice((0.0, random.uniform(0, 0.3)))
        if random.random() < rates.in_a_row:
            self._lambda.count("again")
            yield "again", random.uniform(0.5, 3.0)

    def _come_late(self, operations: list[Operation]) -> None:
        """Deliver copies once more, after the resource is gone."""
        for operation in operations:
            if self._random.random() < self._lambda.rates.late:
                self._lambda.count("late")
                after = self._random.choice((0.0, self._random.uniform(0, 2.0)))
                sent = self._lambda.send(operation, self._random, "late", after=after)
                operation.copies.append(sent)

    def _issue_time(self) -> int:
        """Return when a request is signed: whole seconds, each later than the one before."""
        while (now := int(self._clock.now())) <= self._issued:
            self._sleep(0.2)
        self._issued = now
        return now

    def _sleep(self, seconds: float) -> None:
        if self._closed.wait(self._clock.real(seconds)):
            raise RunEnded

    def _next_name(self) -> str:
        return f"{self.stack_name}-{next(self._numbers)}"

    def _properties(self, name: str) -> dict[str, Any]:
        return {
            "AccessTokenSecret": self._secret,
            "Name": name,
            "Product": self._random.choice(PRODUCTS),
            "Capacity": _capacity(0, 10),
            "SubnetIds": ["subnet-1"],
            "InstanceTypes": {"Ondemand": "m5.large", "Spot": ["m5.large"]},
            "LaunchSpecification": {"ImageId": "ami-1", "SecurityGroupIds": ["sg-1"]},
        }

    def _other_capacity(self, properties: Mapping[str, Any]) -> dict[str, str]:
        while (other := _capacity(0, self._random.randrange(1, 99))) == properties["Capacity"]:
            pass
        return other

    def _expect_id(self, operation: Operation, wanted: str) -> None:
        answer = operation.answer
        if answer is not None and answer["PhysicalResourceId"] != wanted:
            self._problem(f"{operation.name} answered another id than {wanted}")

    def _compare(self, operation: Operation, held: HeldGroup) -> None:
        """See that the API holds what CloudFormation holds."""
        there = self._groups.look().get(held.id)
        if there is None:
            self._problem(f"after {operation.name}, {held.id} does not exist")
            return
        wanted = {name.lower(): int(number) for name, number in held.properties["Capacity"].items()}
        image = held.properties["LaunchSpecification"]["ImageId"]
        found = there["compute"]
        states = {
            "name": (held.properties["Name"], there["name"]),
            "capacity": (wanted, there["capacity"]),
            "product": (held.properties["Product"], found["product"]),
            "image": (image, found["launchSpecification"]["imageId"]),
        }
        for name, (ours, theirs) in states.items():
            if ours != theirs:
                self._problem(f"after {operation.name}, {held.id} has {name} {theirs}, not {ours}")

    def _problem(self, text: str) -> None:
        self.problems.append(text)
        self.story.add(f"!! {text}")


def _capacity(minimum: int, maximum: int) -> dict[str, str]:
    return {"Minimum": str(minimum), "Maximum": str(maximum), "Target": str(minimum)}
