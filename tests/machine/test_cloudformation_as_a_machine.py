"""
CloudFormation as a machine: whatever it does, in whatever order, and wherever a process dies, what
lives on the external API is what CloudFormation holds.

    held        what CloudFormation holds lives, as its properties say
    retained    what it has let go of without a Delete lives on
    orphans     what it has given up deleting lives until its resource's own Delete
    kept        what a failed Create has left may live until the Delete of its id
    the rest    is gone, or named in the answer of the Delete that should have removed it

Every write goes to several ledgers at once, which must come to the same heads.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from cfn_once import InProgress, PermanentError, Provider, TemporaryError
from cfn_once._cloudformation.request import Request
from cfn_once._errors import CfnOnceError
from cfn_once.ledger import MemoryStore
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.testing import Crashed, FakeCloudFormation, Held, VirtualClock
from ledger.engines import make_table
from machine.expected import Expected, Kept
from machine.world import Stores, World, resource, shape_of
from support.ministack import MiniStack

TRIES = 6  # requests in the place of one that fails
CALM = (None, None, None)
KIND = "Custom::Thing"


@pytest.fixture(scope="module", autouse=True)
def dynamodb(ministack: MiniStack) -> Iterator[None]:
    """Let the machine make its tables on a real engine."""
    CloudFormation.dynamodb = ministack.client("dynamodb")
    yield
    CloudFormation.dynamodb.close()


NAMES, SIZES = st.sampled_from("ab"), st.sampled_from([0, 1, 900, 3000])
PROPERTIES = st.fixed_dictionaries({"Name": NAMES, "Size": SIZES})
POINT = st.one_of(st.none(), st.integers(0, 30))
POINTS = st.tuples(POINT, POINT, POINT)
IDS = st.sampled_from(["One", "Two"])
REFUSED = st.sampled_from(["bad property", "short of time", "not served"])
NOBODYS = [
    "placeholder",
    "placeholder of another outage",
    "invented",
    "another library's",
    "foreign",
]


class CloudFormation(RuleBasedStateMachine):
    """What may come, by the table of operations and events in the protocol's reference."""

    dynamodb: Any

    @initialize(
        strategy=st.sampled_from(["token", "find", "token+find", "once"]),
        secret=st.sampled_from(["", "", "", "group", "part"]),
        on_dynamodb=st.sampled_from([False, False, True]),
        guarded=st.booleans(),
    )
    def start(self, strategy, secret, on_dynamodb, guarded):
        self.exits = ExitStack()
        folder = Path(self.exits.enter_context(TemporaryDirectory()))
        self.world, self.clock = World(), VirtualClock()
        provider = Provider(resource(self.world, strategy, secret), ledger="memory://")
        other = resource(self.world, strategy, secret)
        other.resource_type = "Custom::Other"
        self.other = Provider(other, ledger="memory://")
        died = Provider.unable("it died", retries_exhausted=True, ledger=MemoryStore())
        self.guardian = died if guarded else None
        stores = [MemoryStore(), SQLiteStore(str(folder / "ledger.sqlite3"), synchronous="OFF")]
        if on_dynamodb:
            table = make_table(self.dynamodb, f"machine-{uuid4()}")
            self.exits.callback(self.dynamodb.delete_table, TableName=table)
            stores.append(DynamoDBStore(table, client=self.dynamodb))
        self.ledger = Stores(*stores)
        self.expected = Expected(self.world, is_vague=strategy == "once" or secret != "")
        self.invented_ids, self.answers_to_lose = count(1), 0
        self.stack = FakeCloudFormation(provider, ledger=self.ledger, clock=self.clock)
        self.short_of_time = FakeCloudFormation(
            provider, ledger=self.ledger, clock=self.clock, timeout=20
        )
        self.forget()

    def forget(self):
        """Begin with an empty ledger."""
        self.expected = self.expected.without_ledger(self.held_ids())
        self.past: list[dict] = []
        self.begun: list[dict] = []  # those of them that have reached the ledger

    def teardown(self):
        if not hasattr(self, "stack"):
            return
        with self.exits:
            self.delete_all()

    def held_ids(self):
        return {held.physical_resource_id for held in self.stack.resources.values()}

    def held(self, name):
        """Return a resource that is held: this one, or the other."""
        return name if name in self.stack.resources else next(iter(self.stack.resources))

    def free(self, name):
        """Return a resource that is not held: this one, or the other."""
        return name if name not in self.stack.resources else "OneTwo".replace(name, "")

    # How a request is delivered

    def operate(self, event, points=CALM, how="", *, one_try=False):
        """Deliver as Lambda does, dying at these points; None where nobody ever answered."""
        self.past.append(event)
        writes = self.ledger.writes
        try:
            return self.try_to_send(event) if one_try else self.deliver(event, points, how)
        finally:
            if writes < self.ledger.writes:
                self.begun.append(event)
                if event["RequestType"] == "Update":
                    self.expected.names(event["PhysicalResourceId"])

    def deliver(self, event, points, how):
        self.stack.lose_answers(self.answers_to_lose)
        self.answers_to_lose = 0
        stack = self.short_of_time if how == "short of time" else self.stack
        provider = self.other if how == "not served" else None
        for pause, point in zip((60, 120, 0), points, strict=True):
            try:
                if (answer := stack.send(event, provider=provider, crash_at=point)) is not None:
                    return answer
            except (Crashed, CfnOnceError, TemporaryError):
                pass
            self.clock.advance(pause)
        if self.guardian is not None:
            self.try_to_send(event, provider=self.guardian)
        self.clock.advance(3600)
        return stack.answer_to(event)

    def try_to_send(self, event, **how):
        try:
            return self.stack.send(event, **how)
        except (Crashed, CfnOnceError):
            return None

    def invented(self, name):
        """Return an id as CloudFormation makes one up; no two are the same."""
        return f"stack-{name}-{next(self.invented_ids):012}"

    def event(self, request_type, name, properties, *, as_id=None, request_id=None):
        """Return a request, under a RequestId that may have been there before."""
        event = self.stack.event(request_type, name, properties, physical_resource_id=as_id)
        if request_id is not None:
            event = self.stack.asked_again({**event, "RequestId": request_id})
        return event

    # Deletes

    def delete_all(self):
        for kept in list(self.expected.kept):
            self.delete_kept(kept)
        for name in list(self.stack.resources):
            self.delete_for_good(name)
        self.expected.nothing_lives_but(set())

    def delete_for_good(self, name, points=CALM, how=""):
        """Delete what is held; then nothing of the resource is left, or it is named."""
        held = self.stack.resources[name]
        self.world.stuck.clear()
        self.delete_under(name, held.properties, held.physical_resource_id, points, how)
        del self.stack.resources[name]
        self.expected.deleted(name, held.physical_resource_id)

    def delete_kept(self, kept):
        """Delete a Create that had failed: what it left is gone, or named."""
        self.expected.kept.remove(kept)
        self.delete_under(kept.name, kept.properties, kept.id)
        self.expected.deleted_kept(kept)

    def delete_under(self, name, properties, as_id, points=CALM, how=""):
        """Send a Delete, and another one in its place until one succeeds."""
        for attempt in range(TRIES):
            event = self.event("Delete", name, properties, as_id=as_id)
            answer = self.operate(event, CALM if attempt else points, how)
            if answer is not None and answer.succeeded:
                self.expected.told[name] += f"{answer.reason}\n"
                return
            if answer is None:
                self.expected.unheard.add(name)
        raise AssertionError(f"the Delete of {as_id} never succeeds: {answer}")

    def clean_up(self, name, properties, old, *, stuck=False):
        """Delete what was replaced, in three attempts; CloudFormation then gives it up."""
        if not stuck:
            self.delete_under(name, properties, old)
            assert not self.world.parts(old)
            return
        self.world.stuck.add(old)
        for _ in range(3):
            answer = self.operate(self.event("Delete", name, properties, as_id=old))
            assert answer is None or not answer.succeeded
        self.expected.orphans[old] = name

    # Creates

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(
        name=IDS,
        properties=PROPERTIES,
        points=POINTS,
        keeps=st.booleans(),
        again=st.sampled_from([False, False, True]),
        data=st.data(),
    )
    def create(self, name, properties, points, keeps, again, data):
        """
        Create; FAILED or no answer is followed by a Delete, the latter with an invented id, at once
        or later. The RequestId may be one that was there before, with other properties.
        """
        name = self.free(name)
        before, request_id = self.ledger.writes, None
        if again and (known := self.request_ids(name)):
            request_id = data.draw(st.sampled_from(known))
            self.expected.forget_kept(request_id)
        event = self.event("Create", name, properties, request_id=request_id)
        self.expected.forget_what_nobody_can_tell(name, event["ResourceProperties"])
        answer = self.operate(event, points)
        told = answer.physical_resource_id if answer else self.invented(name)
        sent = event["ResourceProperties"]
        if answer is not None and answer.succeeded:
            self.stack.resources[name] = Held(KIND, told, sent, answer.data)
            return
        if not keeps:
            self.stack.resources[name] = Held(KIND, told, sent, {})
            self.delete_for_good(name)
            return
        came = self.ledger.writes > before
        self.expected.keeps(Kept(name, told, sent, event["RequestId"], came))

    def request_ids(self, name):
        """Return the RequestIds under which a deployment may be tried again."""
        ours = {event["RequestId"] for event in self.past if event["LogicalResourceId"] == name}
        return sorted(ours - self.expected.let_go)

    @rule(data=st.data())
    @precondition(lambda self: self.expected.kept)
    def delete_a_kept_one(self, data):
        """Delete a Create that failed, long after it."""
        self.delete_kept(data.draw(st.sampled_from(self.expected.kept)))

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(name=IDS, properties=PROPERTIES, point=st.integers(0, 30))
    def cancelled_create(self, name, properties, point):
        """A Create that is at work when its Delete comes, with an invented id."""
        name = self.free(name)
        create = self.event("Create", name, properties)
        self.expected.forget_what_nobody_can_tell(name, create["ResourceProperties"])
        self.past.append(create)
        invented = self.invented(name)
        delete = self.event("Delete", name, properties, as_id=invented)

        def overtake():
            try:
                self.stack.send(delete)
            except InProgress:
                pass

        try:
            self.stack.send(create, crash_at=point, meanwhile={"group": overtake})
        except (Crashed, CfnOnceError, AssertionError):
            pass
        self.clock.advance(60)
        self.stack.resources[name] = Held(KIND, invented, create["ResourceProperties"], {})
        self.delete_for_good(name)

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(name=IDS, properties=PROPERTIES, how=REFUSED, repaired=st.booleans())
    def refused_create(self, name, properties, how, repaired):
        """A Create that is refused before its hook, and its Delete, which may be refused, too."""
        name = self.free(name)
        if how == "bad property":
            properties = {**properties, "Size": "many"}
        event, calls = self.event("Create", name, properties), self.world.calls
        answer = self.operate(event, CALM, how)
        assert answer is None or not answer.succeeded
        told = answer.physical_resource_id if answer else self.invented(name)
        self.stack.resources[name] = Held(KIND, told, event["ResourceProperties"], {})
        owes = self.expected.has_kept(name)
        self.delete_for_good(name, how="" if repaired or owes else how)
        assert owes or calls == self.world.calls

    # Updates

    @precondition(lambda self: self.stack.resources)
    @rule(
        name=IDS,
        properties=PROPERTIES,
        points=st.tuples(POINTS, POINTS),
        another_fails=st.booleans(),
        stuck=st.booleans(),
        again=st.sampled_from([False, False, True]),
        data=st.data(),
    )
    def update(self, name, properties, points, another_fails, stuck, again, data):
        """
        Update; a new id is followed by the old one's Delete, which may fail for good; a failure, of
        it or of another resource, by a rollback. The RequestId may be one that was there before.
        """
        name = self.held(name)
        held, request_id = self.stack.resources[name], None
        kept = {kept.request_id for kept in self.expected.kept}
        if again and (known := sorted({*self.request_ids(name)} - kept)):
            request_id = data.draw(st.sampled_from(known))
        event = self.event("Update", name, properties, request_id=request_id)
        answer = self.operate(event, points[0])
        if answer is None or not answer.succeeded:
            self.expected.touched.add(held.physical_resource_id)
            self.roll_back(name, held, event, points[1])
        elif another_fails:
            self.hears(name, event, answer)
            self.roll_back(name, held, event, points[1])
        else:
            self.hears(name, event, answer)
            if answer.physical_resource_id != held.physical_resource_id:
                self.clean_up(name, held.properties, held.physical_resource_id, stuck=stuck)

    def hears(self, name, event, answer):
        new = answer.physical_resource_id
        self.stack.resources[name] = Held(KIND, new, event["ResourceProperties"], answer.data)
        if self.world.changed.get(new) == event["RequestId"]:
            self.expected.touched.discard(new)

    def roll_back(self, name, held, event, points=CALM, how=""):
        """Update back to what was held, under the id that it had."""
        tried = event["ResourceProperties"]
        if self.expected.is_vague:
            self.expected.half_done.add(event["RequestId"])
        if (
            held.physical_resource_id in self.expected.unknown
        ):  # it looks like an Update from there to here
            self.stack.resources[name] = held
            return
        carried = self.stack.resources[name].physical_resource_id
        for attempt in range(TRIES):
            self.stack.resources[name] = Held(KIND, carried, tried, held.data)
            event = self.event("Update", name, held.properties)
            answer = self.operate(event, CALM if attempt else points, how)
            if answer is not None and answer.succeeded:
                break
        else:
            raise AssertionError(f"the rollback of {name} never succeeds: {answer}")
        assert held.physical_resource_id == answer.physical_resource_id
        self.hears(name, event, answer)
        if carried != held.physical_resource_id:
            self.clean_up(name, tried, carried)

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS, properties=PROPERTIES, how=REFUSED, repaired=st.booleans(), points=POINTS)
    def refused_update(self, name, properties, how, repaired, points):
        """
        An Update that is refused before its hook calls nothing; where nothing was in doubt before,
        it is rolled back at once and without a call, also by a provider that would refuse that.
        """
        name = self.held(name)
        held, calls = self.stack.resources[name], self.world.calls
        if how == "bad property":
            properties = {**properties, "Size": "many"}
        event = self.event("Update", name, properties)
        if shape_of(event["ResourceProperties"]) == shape_of(held.properties):
            return
        answer = self.operate(event, points, how)
        assert answer is None or not answer.succeeded
        assert calls == self.world.calls
        if points != CALM:
            self.expected.touched.add(held.physical_resource_id)
        untouched = held.physical_resource_id not in self.expected.touched
        sent = len(self.past)
        self.roll_back(name, held, event, how=how if untouched and not repaired else "")
        if untouched:
            assert (calls, sent + 1) == (self.world.calls, len(self.past))

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS, properties=PROPERTIES, seconds=st.sampled_from([0, 2]))
    def update_that_nobody_waits_for(self, name, properties, seconds):
        """An Update with a ServiceTimeout of a second is rolled back, whatever it has done."""
        name = self.held(name)
        held, calls = self.stack.resources[name], self.world.calls
        event = self.event("Update", name, {**properties, "ServiceTimeout": 1})
        self.clock.advance(seconds)
        answer = self.operate(event, one_try=True)
        if seconds:
            assert (None, calls) == (answer, self.world.calls)
        else:
            self.expected.touched.add(held.physical_resource_id)
        self.roll_back(name, held, event)

    # What others do

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(name=IDS, properties=PROPERTIES)
    def adopt(self, name, properties):
        """The stack holds what another handler has made."""
        name = self.free(name)
        if not self.expected.has_kept(name):
            self.expected.adopts(self.hold_an_older(name, properties))

    def hold_an_older(self, name, properties):
        """Let the stack hold what another handler has made, and return its id."""
        sent = self.event("Create", name, properties)["ResourceProperties"]
        made = self.world.make_older(name, shape_of(sent))
        self.stack.resources[name] = Held(KIND, made, sent, {})
        return made

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS, properties=PROPERTIES, removes=st.booleans())
    def take_over(self, name, properties, removes):
        """Another handler replaces what is held, and removes it, or leaves it."""
        name = self.held(name)
        if self.expected.has_kept(name):
            return
        old = self.stack.resources.pop(name).physical_resource_id
        if removes:
            for thing in self.world.parts(old):
                del self.world.live[thing.id]
        made = self.hold_an_older(name, properties)
        self.expected.adopts(made, old, lives=not removes)

    @rule()
    def lose_the_ledger(self):
        """The table is lost."""
        self.ledger.lose()
        self.forget()

    @rule(name=IDS, kind=st.sampled_from(NOBODYS))
    def delete_what_is_nobodys(self, name, kind):
        """The Delete of an id that stands for nothing removes nothing."""
        if self.expected.has_kept(name):
            return
        create = self.event("Create", name, {"Name": "c"})
        live = dict(self.world.live)
        self.delete_under(name, {"Name": "c"}, self.id_of_nothing(kind, create))
        assert live == self.world.live

    def id_of_nothing(self, kind, create):
        match kind:
            case "placeholder" | "placeholder of another outage":
                request = Request.from_event(create)
                return request.placeholder_id("none" if kind == "placeholder" else "never")
            case "invented":
                return self.invented(create["LogicalResourceId"])
            case "another library's":
                return "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
        return f"i-{next(self.invented_ids)}"

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), properties=PROPERTIES, request_type=st.sampled_from(["Create", "Delete"]))
    def forge(self, data, properties, request_type):
        """A copy of what came that asks for something else does nothing, and gets nothing."""
        event = data.draw(st.sampled_from(self.begun))
        told, live, calls = self.stack.answer_to(event), dict(self.world.live), self.world.calls
        forged = {**event, "RequestType": request_type}
        forged["ResourceProperties"] = {**event["ResourceProperties"], **properties, "Size": "17"}
        forged.setdefault("PhysicalResourceId", "g-1")
        self.try_to_send(forged)
        now = self.stack.answer_to(event)
        assert told == now or not now.succeeded
        assert (live, calls) == (self.world.live, self.world.calls)

    # Everything else

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS, points=POINTS)
    def delete(self, name, points):
        """Delete."""
        self.delete_for_good(self.held(name), points)

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS)
    def retain(self, name):
        """The resource leaves the stack without a Delete."""
        name = self.held(name)
        self.expected.retained.add(self.stack.resources.pop(name).physical_resource_id)
        self.expected.let_go.update(self.request_ids(name))
        self.expected.unclear.add(name)
        self.expected.lets_go(name)  # its last Delete never comes

    @precondition(lambda self: self.past)
    @rule(data=st.data(), hours=st.sampled_from([0, 0.2, 6]))
    def copy_of_an_old_event(self, data, hours):
        """A copy of anything that ever came, up to six hours late."""
        event = data.draw(st.sampled_from(self.past))
        self.clock.advance(hours * 3600)
        self.try_to_send(event)

    @rule(number=st.integers(1, 2), error=st.sampled_from([PermanentError, ValueError]))
    def refuse(self, number, error):
        """The external API refuses the next calls."""
        self.world.refusals = [error("no capacity")] * number

    @rule(number=st.integers(1, 2))
    def answer_oddly(self, number):
        """The next steps return what cannot be kept."""
        self.world.odd = number

    @rule(number=st.sampled_from([1, 2, 4]))
    def lose_answers(self, number):
        """The response bucket cannot be reached for a while."""
        self.answers_to_lose = number

    @rule()
    def create_the_stack_anew(self):
        """The stack is deleted, and made again under the same name."""
        self.delete_all()
        self.stack.recreate_stack()
        self.forget()

    # What holds at any time

    @invariant()
    def one_call_a_token(self):
        """No token made two objects."""
        if hasattr(self, "world"):
            assert all(number == 1 for number in self.world.made.values())

    @invariant()
    def what_is_held_lives(self):
        """What CloudFormation holds is alive, with its part, and as it was asked for."""
        if not hasattr(self, "stack"):
            return
        for held in self.stack.resources.values():
            root = held.physical_resource_id
            shapes = [thing.shape for thing in self.world.parts(root)]
            assert [shape_of(held.properties)] * 2 == shapes, root

    @invariant()
    def nothing_else_lives(self):
        """What it let go of is alive as well; nothing else is, but what a kept Create left."""
        if hasattr(self, "stack"):
            self.expected.lives()
            self.expected.nothing_lives_but(self.held_ids())


TestCloudFormation = CloudFormation.TestCase
TestCloudFormation.settings = settings(
    max_examples=100,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
