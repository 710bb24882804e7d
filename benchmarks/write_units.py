"""What writes cost: write units of DynamoDB, as its own engine counts them.

Amazon's engine for tests (DynamoDB Local) says with each answer how many units it took.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from cfn_once import CustomResource, Provider
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.testing import FakeCloudFormation
from ledger.engines import make_table
from support.dynamodb_local import DynamoDBLocal, missing

from ._figures import Figure, Measured, indented, table

HOUR = timedelta(hours=1)
STEPS = (0, 1, 10, 50, 200)
UPDATES = (1, 10, 41, 1000)
# Units of a Create whose steps are looked up or have a token, by the number of its steps: what is
# good enough, and the aim. A step's write comes before the next step, so ten steps are 11 writes.
MOST = {0: (2, 2), 1: (2, 2), 10: (11, 10), 50: (80, 60), 200: (660, 600)}
MOST_OF_UPDATE = {0: (4, 4), 1: (5, 5)}  # of the 41st, with so many steps
_HOW = "sum of ConsumedCapacity of every write of the request, as DynamoDB Local tells it"


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Runs as many steps of a kind as its properties say."""

    def create(self) -> dict[str, str]:
        for number in range(int(self.properties["Steps"])):
            _step(self, self.properties["Kind"], f"step{number}")
        self.physical_resource_id = "thing-1"
        return {}

    def update(self) -> dict[str, str]:
        return self.create()

    def delete(self) -> None:
        self.step("delete", lambda _: None, repeat=True)


def _step(resource: Thing, kind: str, name: str) -> None:
    match kind:
        case "find":
            resource.step(name, lambda _: "thing-1", find=lambda _: None)
        case "window":
            resource.step(name, lambda _: "thing-1", window=HOUR)
        case "once":
            resource.step(name, lambda _: "thing-1", once=True)
        case "repeat":
            resource.step(name, lambda _: "thing-1", repeat=True)
        case "value":
            resource.value(name, lambda: "thing-1")


KINDS = ("find", "window", "once", "value", "repeat")


class Counted:
    """A client that asks how many units each request has taken.

    Attributes:
        writes, reads: Units so far.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes = self.reads = 0.0
        self.meta = client.meta

    def update_item(self, **members: Any) -> Any:
        answer = self._client.update_item(**members, ReturnConsumedCapacity="TOTAL")
        self.writes += answer["ConsumedCapacity"]["CapacityUnits"]
        return answer

    def put_item(self, **members: Any) -> Any:
        answer = self._client.put_item(**members, ReturnConsumedCapacity="TOTAL")
        self.writes += answer["ConsumedCapacity"]["CapacityUnits"]
        return answer

    def get_item(self, **members: Any) -> Any:
        answer = self._client.get_item(**members, ReturnConsumedCapacity="TOTAL")
        self.reads += answer["ConsumedCapacity"]["CapacityUnits"]
        return answer


class Requests:
    """Sends requests to stacks of their own, and counts what each takes."""

    def __init__(self, client: Any) -> None:
        self._counted, self._number = Counted(client), 0
        self._ledger = DynamoDBStore("ledger", client=self._counted)

    def stack(self) -> FakeCloudFormation:
        """Return a stack that no other request is of."""
        self._number += 1
        provider = Provider(Thing, ledger=self._ledger)
        name = f"stack{self._number}"
        return FakeCloudFormation(provider, ledger=self._ledger, stack_name=name, watchdog=0)

    def units(self, act: Any) -> tuple[int, float]:
        """Return the write and read units that something takes."""
        counted = self._counted
        counted.writes = counted.reads = 0.0
        act()
        return int(counted.writes), counted.reads

    def creates(self, kind: str) -> dict[int, int]:
        """Return the write units of a Create, by how many steps it has."""
        found = {}
        for steps in STEPS:
            given = {"Kind": kind, "Steps": str(steps)}
            stack = self.stack()
            found[steps] = self.units(partial(stack.create, "Thing", given))[0]
        return found

    def updates(self, steps: int) -> dict[int, int]:
        """Return the write units of an Update with so many steps, by which one it is."""
        stack, found = self.stack(), {}
        given = {"Kind": "find", "Steps": str(steps)}
        stack.create("Thing", given)
        for number in range(1, max(UPDATES) + 1):
            changed = {**given, "Number": str(number)}
            found[number] = self.units(partial(stack.update, "Thing", changed))[0]
        return {number: found[number] for number in UPDATES}

    def others(self) -> dict[str, tuple[int, float]]:
        """Return the units of requests of other kinds, each with one step: written, and read."""
        given = {"Kind": "find", "Steps": "1"}
        stack = self.stack()
        create = stack.event("Create", "Thing", given)
        found = {"Create": self.units(lambda: stack.send(create))}
        found["a duplicate of it"] = self.units(lambda: stack.send(create))
        stack = self.stack()
        stack.create("Thing", given)
        found["Update that changes something"] = self.units(
            lambda: stack.update("Thing", {**given, "Number": "1"})
        )
        found["Delete"] = self.units(lambda: stack.delete("Thing"))
        return found


def run() -> Measured:
    """Count."""
    if why := missing():
        print(f"  not counted: {why}")
        return Measured([])
    with DynamoDBLocal() as engine:
        make_table(engine.client(), "ledger")
        requests = Requests(engine.client())
        creates = {kind: requests.creates(kind) for kind in KINDS}
        updates = {steps: requests.updates(steps) for steps in MOST_OF_UPDATE}
        others = requests.others()
    print(
        indented(
            table(("Create with steps", *STEPS), [(k, *v.values()) for k, v in creates.items()])
        )
    )
    rows = [(f"{steps} steps", *found.values()) for steps, found in updates.items()]
    print(indented(table(("Update number", *UPDATES), rows)))
    print(indented(table(("request", "written", "read"), [(k, *v) for k, v in others.items()])))
    figures = [
        _figure(f"write units, a Create with {steps} {kind} steps", creates[kind][steps], *most)
        for kind in ("find", "window")
        for steps, most in MOST.items()
    ]
    figures += [
        _figure(f"write units, the 41st Update with {steps} steps", updates[steps][41], *most)
        for steps, most in MOST_OF_UPDATE.items()
    ]
    details = {"creates": creates, "updates": updates, "requests": others}
    return Measured(figures, details)


def _figure(name: str, units: float, most: float, aim: float) -> Figure:
    return Figure(name=name, ours=units, unit="units", bar=most, aim=aim, absolute=True, how=_HOW)
