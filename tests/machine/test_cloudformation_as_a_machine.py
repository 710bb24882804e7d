"""
CloudFormation as a machine: whatever it does, in whatever order, and wherever a process dies, what
lives on the external API is what CloudFormation holds.

Every write goes to three ledgers at once, which must come to the same heads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
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

from cfn_once import CustomResource, InProgress, Provider, TemporaryError
from cfn_once._errors import CfnOnceError
from cfn_once.ledger import MemoryStore, Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.testing import Crashed, FakeCloudFormation, Held, VirtualClock
from ledger.engines import make_table
from support.ministack import MiniStack

HOURS = timedelta(hours=24)


class Threefold:
    """A ledger that is three: what one does, the others must do as well."""

    keeps_secrets = True

    def __init__(self, *stores: Store) -> None:
        self._stores = stores

    def _all(self, ask: Callable[[Any], Any]) -> Any:
        first, second, third = (ask(store) for store in self._stores)
        assert first == second == third
        return first

    def read(self, key):
        return self._all(lambda store: store.read(key))

    def write(self, key, write):
        return self._all(lambda store: store.write(key, write))

    def spill(self, key, name, data, expires):
        self._all(lambda store: store.spill(key, name, data, expires))

    def unspill(self, key, name):
        return self._all(lambda store: store.unspill(key, name))


@pytest.fixture(scope="module", autouse=True)
def dynamodb(ministack: MiniStack) -> Iterator[None]:
    """Let the machine make its tables on a real engine."""
    CloudFormation.dynamodb = ministack.client("dynamodb")
    yield
    CloudFormation.dynamodb.close()


@dataclass
class World:
    """An external API with objects that bear the token they were made under."""

    number: int = 0
    live: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    refusals: int = 0

    def make(self, token: str, *, honours: bool) -> dict:
        if self.refusals:
            self.refusals -= 1
            raise ValueError("no capacity")
        if honours and token in self.tokens:
            return {"id": self.tokens[token]}
        self.number += 1
        name = f"g-{self.number}"
        self.live[name] = self.tokens[token] = token
        self.tokens[token] = name
        self.calls[token] = self.calls.get(token, 0) + 1
        return {"id": name}

    def find(self, token: str) -> dict | None:
        return next(({"id": name} for name, tag in self.live.items() if tag == token), None)


def resource(world: World, strategy: str) -> type[CustomResource[dict, dict]]:
    """A resource of one object with one part, made by steps of a strategy."""
    how: dict[str, Any] = {}
    if "token" in strategy:
        how["window"] = HOURS
    if "find" in strategy:
        how["find"] = lambda step: world.find(step.token)

    def make(step):
        return world.make(step.token, honours="token" in strategy)

    class Thing(CustomResource[dict, dict]):
        replace_on = {"Name"}

        def create(self):
            made = self.step("group", make, **how)
            self.physical_resource_id = made["id"]
            part = self.step("part", make, undo=lambda part: world.live.pop(part["id"], 0), **how)
            self.step("tag", lambda step: None, repeat=True)
            return {"Id": made["id"], "Part": part["id"], "Padding": "x" * self.size}

        @property
        def size(self):
            return int(self.raw_properties.get("Size", 0))

        def update(self):
            self.step("change", lambda step: None, repeat=True)
            if self.raw_properties.get("Fails") == "true":
                raise ValueError("no such size")
            return {"Id": self.physical_resource_id}

        def delete(self):
            def remove(step):
                token = world.live.pop(self.physical_resource_id, None)
                del token

            self.step("remove", remove, repeat=True)
            for name in [
                part for part in world.live if part in parts_of(self.physical_resource_id)
            ]:
                world.live.pop(name)

    def parts_of(name: str) -> set[str]:
        number = int(name.removeprefix("g-")) if name.startswith("g-") else -9
        return {f"g-{number + 1}"}

    return Thing


PROPERTIES = st.fixed_dictionaries(
    {"Name": st.sampled_from("ab"), "Size": st.sampled_from([0, 1, 900, 3000])},
    optional={"Fails": st.booleans()},
)
POINT = st.one_of(st.none(), st.integers(0, 30))
IDS = st.sampled_from(["One", "Two"])


class CloudFormation(RuleBasedStateMachine):
    """What may come, by the table of operations and events in the protocol's reference."""

    dynamodb: Any

    @initialize(strategy=st.sampled_from(["token", "find", "token+find"]))
    def start(self, strategy):
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "ledger.sqlite3"
        self.world, self.clock = World(), VirtualClock()
        self.provider = Provider(resource(self.world, strategy), ledger="memory://")
        self.table = make_table(self.dynamodb, f"machine-{uuid4()}")
        store = Threefold(
            MemoryStore(),
            SQLiteStore(str(path), synchronous="OFF"),
            DynamoDBStore(self.table, client=self.dynamodb),
        )
        self.stack = FakeCloudFormation(self.provider, ledger=store, clock=self.clock)
        self.past: list[dict] = []
        self.invented_ids = count(1)

    def teardown(self):
        if not hasattr(self, "stack"):
            return
        for name in list(self.stack.resources):
            self.delete_for_good(name)
        self.folder.cleanup()
        self.dynamodb.delete_table(TableName=self.table)
        assert {} == self.world.live

    def operate(self, event, points):
        """Deliver as Lambda does, dying at these points; None where nobody ever answered."""
        self.past.append(event)
        for pause, point in zip((60, 120, 3600), points, strict=True):
            try:
                if (answer := self.stack.send(event, crash_at=point)) is not None:
                    return answer
            except (Crashed, CfnOnceError, TemporaryError):
                pass
            self.clock.advance(pause)
        return self.stack.answer_to(event)

    def invented(self, name):
        """Return an id as CloudFormation makes one up; no two are the same."""
        return f"stack-{name}-{next(self.invented_ids):012}"

    def delete_for_good(self, name, physical_resource_id=None):
        for _ in range(6):
            event = self.stack.event("Delete", name, physical_resource_id=physical_resource_id)
            answer = self.operate(event, (None, None, None))
            if answer is not None and answer.succeeded:
                self.stack.resources.pop(name, None)
                return
        raise AssertionError(f"the Delete of {name} never succeeds: {answer}")

    @rule(name=IDS, properties=PROPERTIES, points=st.tuples(POINT, POINT, POINT))
    def create(self, name, properties, points):
        """Create; FAILED or no answer is followed by a Delete, the latter with an invented id."""
        if name in self.stack.resources:
            return
        event = self.stack.event("Create", name, properties)
        answer = self.operate(event, points)
        held = answer.physical_resource_id if answer else self.invented(name)
        data = answer.data if answer else {}
        self.stack.resources[name] = Held("Custom::Thing", held, event["ResourceProperties"], data)
        if answer is None or not answer.succeeded:
            self.delete_for_good(name)

    @rule(name=IDS, properties=PROPERTIES, point=st.integers(0, 30))
    def cancelled_create(self, name, properties, point):
        """A Create that is at work when its Delete comes, with an invented id."""
        if name in self.stack.resources:
            return
        create = self.stack.event("Create", name, properties)
        self.past.append(create)
        invented = self.invented(name)
        delete = self.stack.event("Delete", name, properties, physical_resource_id=invented)

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
        self.stack.resources[name] = Held(
            "Custom::Thing", invented, create["ResourceProperties"], {}
        )
        self.delete_for_good(name)

    @rule(name=IDS, properties=PROPERTIES, points=st.tuples(POINT, POINT, POINT))
    def update(self, name, properties, points):
        """Update; a new id is followed by the old one's Delete, a failure by a rollback."""
        if name not in self.stack.resources:
            return
        held = self.stack.resources[name]
        event = self.stack.event("Update", name, properties)
        answer = self.operate(event, points)
        if answer is None or not answer.succeeded:
            self.roll_back(name, held, event["ResourceProperties"])
            return
        self.heard(name, held, event, answer)

    def heard(self, name, held, event, answer):
        new = answer.physical_resource_id
        if new != held.physical_resource_id:
            self.delete_for_good(name, held.physical_resource_id)
        self.stack.resources[name] = Held(
            "Custom::Thing", new, event["ResourceProperties"], answer.data
        )

    def roll_back(self, name, held, tried):
        for _ in range(6):
            self.stack.resources[name] = Held(
                "Custom::Thing", held.physical_resource_id, tried, held.data
            )
            properties = {k: v for k, v in held.properties.items() if k != "Fails"}
            event = self.stack.event("Update", name, properties)
            event["ResourceProperties"] = dict(held.properties)
            answer = self.operate(event, (None, None, None))
            if answer is not None and answer.succeeded:
                self.heard(name, held, event, answer)
                return
            if held.properties.get("Fails") == "true":
                self.stack.resources[name] = held
                self.delete_for_good(name)
                return
        raise AssertionError(f"the rollback of {name} never succeeds: {answer}")

    @rule(name=IDS)
    def delete(self, name):
        """Delete."""
        if name in self.stack.resources:
            self.delete_for_good(name)

    @precondition(lambda self: self.past)
    @rule(data=st.data(), hours=st.sampled_from([0, 0.2, 6]))
    def copy_of_an_old_event(self, data, hours):
        """A copy of anything that ever came, up to six hours late."""
        event = data.draw(st.sampled_from(self.past))
        self.clock.advance(hours * 3600)
        try:
            self.stack.send(event)
        except CfnOnceError:
            pass

    @rule(number=st.integers(1, 2))
    def refuse(self, number):
        """The external API refuses the next calls."""
        self.world.refusals = number

    @rule(number=st.integers(1, 2))
    def lose_answers(self, number):
        """The response bucket cannot be reached for a while."""
        self.stack.lose_answers(number)

    @rule()
    def create_the_stack_anew(self):
        """The stack is deleted, and made again under the same name."""
        for name in list(self.stack.resources):
            self.delete_for_good(name)
        self.clock.advance(10)
        self.stack = FakeCloudFormation(self.provider, ledger=self.stack.ledger, clock=self.clock)
        self.past.clear()

    @invariant()
    def one_call_a_token(self):
        """No token made two objects."""
        if hasattr(self, "world"):
            assert all(number == 1 for number in self.world.calls.values())

    @invariant()
    def what_is_held_lives(self):
        """What CloudFormation holds is alive, with its part; nothing else is."""
        if not hasattr(self, "stack"):
            return
        held = {resource.physical_resource_id for resource in self.stack.resources.values()}
        assert held <= set(self.world.live)
        assert 2 * len(held) == len(self.world.live)


TestCloudFormation = CloudFormation.TestCase
TestCloudFormation.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
