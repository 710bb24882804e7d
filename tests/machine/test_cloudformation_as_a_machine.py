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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
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
from machine.world import Stores, Thing, World, resource, shape_of
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


class Kept(NamedTuple):
    """A Create that failed, and that nobody has deleted.

    Attributes:
        id: What it was answered, or what CloudFormation made up for it.
        came: It has reached the ledger.
        invented: CloudFormation has made the id up.
    """

    name: str
    id: str
    properties: Mapping[str, Any]
    request_id: str
    came: bool
    invented: bool


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
        provider = self.provider = Provider(
            resource(self.world, strategy, secret), ledger="memory://"
        )
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
        self.is_vague = strategy == "once" or secret != ""
        self.invented_ids = count(1)
        self.retained: set[str] = set()
        self.answers_to_lose = 0
        self.begin(provider)

    def begin(self, provider):
        """Make the stack; nothing is known of an earlier one."""
        self.stack = FakeCloudFormation(provider, ledger=self.ledger, clock=self.clock)
        self.short_of_time = FakeCloudFormation(
            provider, ledger=self.ledger, clock=self.clock, timeout=20
        )
        self.past: list[dict] = []
        self.kept: list[Kept] = []
        self.forget()

    def forget(self):
        """Begin with an empty ledger: what only that knew of, somebody removes by hand."""
        held = {one.physical_resource_id for one in self.stack.resources.values()}
        for thing in list(self.world.live.values()):
            if thing.root not in held | self.retained:
                del self.world.live[thing.id]
        self.past.clear()
        self.begun: list[dict] = []  # those of them that have reached the ledger
        self.orphans: dict[str, str] = {}  # and whose they are
        self.let_go: set[str] = set()  # the requests of what was retained
        self.dropped: set[str] = set()  # what may live and may be gone
        self.touched: set[str] = set()  # what an Update may have acted on that did not succeed
        self.half_done: set[str] = set()  # Updates whose replacement nobody can tell of
        self.unknown: set[str] = set()  # what another handler made, and no Update has named yet
        self.taken: dict[str, str] = {}  # by what another handler made, what it displaced
        self.displaced: set[str] = set()  # what is to be named by the last Delete
        self.told: dict[str, str] = defaultdict(str)  # what Deletes have named
        self.unheard: set[str] = set()  # resources of which the answer to a Delete was lost
        self.unclear: set[str] = set()  # resources with more than one object to take an id for

    def teardown(self):
        if not hasattr(self, "stack"):
            return
        with self.exits:
            self.delete_all()
            left = {thing.root for thing in self.world.live.values()}
            assert left <= self.retained | self.dropped

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
                    carried = event["PhysicalResourceId"]
                    self.unknown.discard(carried)
                    if carried in self.taken:
                        self.displaced.add(self.taken.pop(carried))

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
        for kept in list(self.kept):
            self.delete_kept(kept)
        for name in list(self.stack.resources):
            self.delete_for_good(name)

    def delete_for_good(self, name, points=CALM, how=""):
        """Delete what is held; then nothing of the resource is left, or it is named."""
        held = self.stack.resources[name]
        orphans = {orphan for orphan, whose in self.orphans.items() if whose == name}
        if (displaced := self.taken.get(held.physical_resource_id)) is not None:
            self.dropped |= {displaced, *orphans}  # the Delete of that one never comes
        self.world.stuck.clear()
        self.succeed("Delete", name, held.properties, held.physical_resource_id, points, how)
        del self.stack.resources[name]
        for orphan in orphans:
            del self.orphans[orphan]
        kept = {kept.request_id for kept in self.kept}
        spared = self.retained | self.dropped
        due = [
            thing
            for thing in self.world.live.values()
            if thing.name == name and thing.root not in spared and thing.request_id not in kept
        ]
        self.look_by_hand(name, due)

    def delete_kept(self, kept):
        """Delete a Create that had failed: what it left is gone, or named."""
        self.kept.remove(kept)
        self.succeed("Delete", kept.name, kept.properties, kept.id)
        due = [t for t in self.world.live.values() if t.request_id == kept.request_id]
        self.look_by_hand(kept.name, due)

    def succeed(self, request_type, name, properties, as_id, points=CALM, how=""):
        """Send a request, and another one in its place until one succeeds."""
        for attempt in range(TRIES):
            event = self.event(request_type, name, properties, as_id=as_id)
            answer = self.operate(event, CALM if attempt else points, how)
            if answer is not None and answer.succeeded:
                self.told[name] += f"{answer.reason}\n"
                return
            if answer is None:  # what it has named is in the log alone
                self.unheard.add(name)
        raise AssertionError(f"the {request_type} of {as_id} never succeeds: {answer}")

    def look_by_hand(self, name, due: Iterable[Thing]):
        """See that what Deletes have left is named, and may be; then somebody removes it."""
        told = self.told[name]
        for thing in due:
            assert self.may_be_left(thing), f"{thing} is left: {told}"
            is_named = name in self.unheard or thing.root in told
            assert is_named or f" of {thing.request_id} at " in told, (thing, told)
            del self.world.live[thing.id]

    def may_be_left(self, thing):
        """Tell whether nobody can tell whose it is, or how it is removed."""
        doubt = self.is_vague or thing.request_id in self.world.odd_for
        others = thing.root in {*self.taken, *self.displaced}
        return doubt or others or thing.name in self.unclear

    def clean_up(self, name, properties, old, *, stuck=False):
        """Delete what was replaced, in three attempts; CloudFormation then gives it up."""
        if not stuck:
            self.succeed("Delete", name, properties, old)
            assert not self.world.parts(old)
            return
        self.world.stuck.add(old)
        for _ in range(3):
            answer = self.operate(self.event("Delete", name, properties, as_id=old))
            assert not answer.succeeded
        self.orphans[old] = name

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
        self.drop_what_nobody_can_tell(name, properties)
        before, request_id = self.ledger.writes, None
        if again and (known := self.request_ids(name)):
            request_id = data.draw(st.sampled_from(known))
            self.kept = [kept for kept in self.kept if kept.request_id != request_id]
        event = self.event("Create", name, properties, request_id=request_id)
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
        kept = Kept(name, told, sent, event["RequestId"], came, answer is None)
        self.kept.append(kept)
        self.unclear.add(name)

    def request_ids(self, name):
        """Return the RequestIds under which a deployment may be tried again."""
        ours = {event["RequestId"] for event in self.past if event["LogicalResourceId"] == name}
        return sorted(ours - self.let_go)

    def drop_what_nobody_can_tell(self, name, properties):
        """Send no Delete of a Create that never came where another one has its properties."""
        alike = shape_of({key: str(value) for key, value in properties.items()})
        self.kept = [
            kept
            for kept in self.kept
            if kept.came or kept.name != name or shape_of(kept.properties) != alike
        ]

    @rule(data=st.data())
    @precondition(lambda self: self.kept)
    def delete_a_kept_one(self, data):
        """Delete a Create that failed, long after it."""
        self.delete_kept(data.draw(st.sampled_from(self.kept)))

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(name=IDS, properties=PROPERTIES, point=st.integers(0, 30))
    def cancelled_create(self, name, properties, point):
        """A Create that is at work when its Delete comes, with an invented id."""
        name = self.free(name)
        self.drop_what_nobody_can_tell(name, properties)
        create = self.event("Create", name, properties)
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
        owes = any(kept.name == name for kept in self.kept)
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
        kept = {kept.request_id for kept in self.kept}
        if again and (known := sorted({*self.request_ids(name)} - kept)):
            request_id = data.draw(st.sampled_from(known))
        event = self.event("Update", name, properties, request_id=request_id)
        answer = self.operate(event, points[0])
        if answer is None or not answer.succeeded:
            self.touched.add(held.physical_resource_id)
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
            self.touched.discard(new)

    def roll_back(self, name, held, event, points=CALM, how=""):
        """Update back to what was held, under the id that it had."""
        tried = event["ResourceProperties"]
        if self.is_vague:
            self.half_done.add(event["RequestId"])
        if held.physical_resource_id in self.unknown:  # it looks like an Update from there to here
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
            self.touched.add(held.physical_resource_id)
        untouched = held.physical_resource_id not in self.touched
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
            self.touched.add(held.physical_resource_id)
        self.roll_back(name, held, event)

    # What others do

    @precondition(lambda self: len(self.stack.resources) < 2)
    @rule(name=IDS, properties=PROPERTIES)
    def adopt(self, name, properties):
        """The stack holds what another handler has made."""
        name = self.free(name)
        if any(kept.name == name for kept in self.kept):
            return
        sent = self.event("Create", name, properties)["ResourceProperties"]
        made = self.world.make_older(name, shape_of(sent))
        self.stack.resources[name] = Held(KIND, made, sent, {})
        self.unknown.add(made)

    @precondition(lambda self: self.stack.resources)
    @rule(name=IDS, properties=PROPERTIES, removes=st.booleans())
    def take_over(self, name, properties, removes):
        """Another handler replaces what is held, and removes it, or leaves it."""
        name = self.held(name)
        if any(kept.name == name for kept in self.kept):
            return
        old = self.stack.resources.pop(name).physical_resource_id
        displaced = self.taken.pop(old, "") if old in self.unknown else old
        if removes:
            for thing in self.world.parts(old):
                del self.world.live[thing.id]
        elif displaced != old:
            self.dropped.add(old)  # of it the ledger has never heard
        self.adopt(name, properties)
        self.taken[self.stack.resources[name].physical_resource_id] = displaced

    @rule()
    def lose_the_ledger(self):
        """The table is lost."""
        self.ledger.lose()
        self.forget()
        self.unknown |= {one.physical_resource_id for one in self.stack.resources.values()}

    @rule(name=IDS, kind=st.sampled_from(NOBODYS))
    def delete_what_is_nobodys(self, name, kind):
        """The Delete of an id that stands for nothing removes nothing."""
        if any(kept.name == name for kept in self.kept):
            return
        create = self.event("Create", name, {"Name": "c"})
        live = dict(self.world.live)
        self.succeed("Delete", name, {"Name": "c"}, self.id_of_nothing(kind, create))
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
        self.retained.add(self.stack.resources.pop(name).physical_resource_id)
        self.let_go.update(self.request_ids(name))
        self.unclear.add(name)
        besides = {thing.root for thing in self.world.live.values() if thing.name == name}
        self.dropped |= besides - self.retained  # its last Delete never comes
        self.orphans = {one: whose for one, whose in self.orphans.items() if whose != name}

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
        self.clock.advance(10)
        self.begin(self.provider)

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
        if not hasattr(self, "stack"):
            return
        held = {one.physical_resource_id for one in self.stack.resources.values()}
        live = {thing.root for thing in self.world.live.values()}
        assert self.retained | set(self.orphans) <= live
        doubtful = {kept.request_id for kept in self.kept} | self.half_done | self.world.odd_for
        left = {thing.root for thing in self.world.live.values() if thing.request_id in doubtful}
        spared = self.retained | self.dropped | self.displaced | {*self.orphans}
        assert set() == live - held - spared - {*self.taken.values()} - left


TestCloudFormation = CloudFormation.TestCase
TestCloudFormation.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
