"""All that a run against one engine takes: started here, and ended here, however it ends."""

import contextlib
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from examples.elastigroup.spot_api import SpotApi

from crash.cloudformation import Answers, GivenUp, Resource, RunEnded
from crash.history import Report, judge
from crash.mischief import Rates
from crash.sandboxes import Lambda, Slot
from ledger.engines import make_table
from support.dynamodb_local import DynamoDBLocal
from support.fast_clock import FastClock
from support.ministack import MiniStack
from support.proxy import Address
from support.runtime_api import TESTS

ROOT = TESTS.parent
TABLE = "crash-ledger"
TOKEN = "the-access-token-of-nobody"
SANDBOXES = 8  # deliveries at the same time
GUARDIANS = 2  # sandboxes more, for the guardian
STACKS = 16  # at work at the same time: while Lambda waits, another one's event runs


@dataclass(frozen=True)
class SpotGroups:
    """The API, to those who do not come through the provider."""

    spot: SpotApi

    def look(self) -> Mapping[str, Any]:
        return dict(self.spot.groups)

    def make(self, properties: Mapping[str, Any]) -> str:
        """Make a group as an earlier handler has: without a tag that tells of a step."""
        launch = properties["LaunchSpecification"]
        types = properties["InstanceTypes"]
        group = {
            "name": properties["Name"],
            "capacity": {name.lower(): int(n) for name, n in properties["Capacity"].items()},
            "compute": {
                "product": properties["Product"],
                "subnetIds": properties["SubnetIds"],
                "instanceTypes": {"ondemand": types["Ondemand"], "spot": types["Spot"]},
                "launchSpecification": {
                    "imageId": launch["ImageId"],
                    "securityGroupIds": launch["SecurityGroupIds"],
                },
            },
        }
        headers = {"Authorization": f"Bearer {TOKEN}"}
        made = self.spot.answer("POST", "/aws/ec2/group", headers, {"group": group})
        return str(made[0]["id"])


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What the ledger lies in.

    Attributes:
        address: Where it answers.
        client: A boto3 client of it.
    """

    address: Address
    client: Any


@contextmanager
def dynamodb_local() -> Iterator[Engine]:
    """Start DynamoDB Local."""
    with DynamoDBLocal() as engine:
        yield Engine(address=engine.socket, client=engine.client())


def ministack(aws: MiniStack) -> Engine:
    """Take the DynamoDB of a MiniStack that runs."""
    host, _, port = aws.host.partition(":")
    return Engine(address=(host, int(port)), client=aws.client("dynamodb"))


def run(
    engine: Engine,
    aws: MiniStack,
    *,
    seed: str,
    operations: int,
    speed: float = 10.0,
    source: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Play stacks until there were so many requests, and judge what came of it.

    Args:
        engine: What the ledger lies in.
        aws: Where the example finds its secret.
        seed: What all draws come from. When what happens is the machine's own affair.
        operations: The number of requests to reach.
        speed: How much faster than the machine's the processes' clock runs.
        source: A folder with another `cfn_once` to run, such as one with a bug in it.
        tell: Is told how far it has come, now and then.
    """
    clock = FastClock(started=time.time(), speed=speed)
    with ExitStack() as world:
        make_table(engine.client, TABLE)
        world.callback(engine.client.delete_table, TableName=TABLE)
        spot = world.enter_context(SpotApi(token=TOKEN))
        answers = world.enter_context(Answers(clock))
        folders = (source, TESTS, ROOT / "examples")
        environment = {
            **clock.environment,
            "PYTHONPATH": ":".join(str(folder) for folder in folders if folder),
            "CRASH_TABLE": TABLE,
            "CFN_ONCE_RESPONSE_HOSTS": answers.name,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.url,
        }
        functions = Lambda(list(_slots(world, engine, spot, environment, clock)), clock, Rates())
        world.callback(functions.close)
        stacks = Stacks(seed, operations, functions, answers, _secret(aws), spot)
        stacks.play(tell)
        heads = engine.client.scan(TableName=TABLE, Select="COUNT", Limit=1000)["Count"]
        if not heads:
            raise RuntimeError("the ledger is empty: the processes have used another one")
        return judge(stacks.resources, functions, spot.report())


def _slots(
    world: ExitStack,
    engine: Engine,
    spot: SpotApi,
    environment: Mapping[str, str],
    clock: FastClock,
) -> Iterator[Slot]:
    """Open the sandboxes, the guardian's last; they are closed with the world."""
    scratch = Path(world.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
    host, _, port = spot.url.removeprefix("http://").partition(":")
    for number in range(SANDBOXES + GUARDIANS):
        slot = Slot(
            number,
            ledger=engine.address,
            api=(host, int(port)),
            environment=environment,
            scratch=scratch,
            clock=clock,
            guards=number >= SANDBOXES,
        )
        world.callback(slot.close)
        yield slot


class Stacks:
    """The stacks of a run, some of them at work at the same time.

    Attributes:
        resources: One of each stack, in the order in which they began.
    """

    def __init__(
        self,
        seed: str,
        operations: int,
        functions: Lambda,
        answers: Answers,
        secret: str,
        spot: SpotApi,
    ) -> None:
        self._seed, self._operations = seed, operations
        self._functions, self._answers = functions, answers
        self._secret, self._groups = secret, SpotGroups(spot)
        self._lock = threading.Lock()
        self._errors: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self.resources: list[Resource] = []

    @property
    def sent(self) -> int:
        """How many requests there were so far."""
        return sum(len(resource.operations) for resource in list(self.resources))

    def play(self, tell: Callable[[str], None]) -> None:
        """Let stacks come and go until there were so many requests.

        Raises:
            BaseException: What a stack's thread has raised.
        """
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(STACKS)]
        for thread in threads:
            thread.start()
        try:
            self._wait_for(threads, tell)
        except BaseException:
            self._functions.closed.set()
            raise
        if not self._errors.empty():
            raise self._errors.get()

    def _wait_for(self, threads: list[threading.Thread], tell: Callable[[str], None]) -> None:
        told = time.monotonic()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
                if time.monotonic() - told > 15:
                    told = time.monotonic()
                    tell(f"{self.sent} requests, {len(self._functions.deliveries)} deliveries")

    def _work(self) -> None:
        try:
            while (resource := self._next()) is not None:
                with contextlib.suppress(GivenUp):  # its problems tell
                    resource.play()
        except RunEnded:
            pass
        except BaseException as error:  # raised again where somebody waits
            self._errors.put(error)
            self._functions.closed.set()

    def _next(self) -> Resource | None:
        with self._lock:
            if self.sent >= self._operations or self._functions.closed.is_set():
                return None
            number = len(self.resources)
            resource = Resource(
                number,
                Random(f"{self._seed} {number}"),
                functions=self._functions,
                answers=self._answers,
                secret=self._secret,
                groups=self._groups,
                more=lambda: self.sent < self._operations,
            )
            self.resources.append(resource)
            return resource


def _secret(aws: MiniStack) -> str:
    secrets = aws.client("secretsmanager")
    name = f"crash-{time.time_ns()}"
    return str(secrets.create_secret(Name=name, SecretString=TOKEN)["ARN"])
