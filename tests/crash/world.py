"""All that a run against one engine takes: started here, and ended here, however it ends."""

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

from crash.cloudformation import Answers, GivenUp, Over, Resource
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
class Groups:
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
    rates: Rates | None = None,
    source: Path | None = None,
    sandboxes: int = SANDBOXES,
    stacks: int = STACKS,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Play stacks until there were so many requests, and judge what came of it.

    Args:
        engine: What the ledger lies in.
        aws: Where the example finds its secret.
        seed: What all draws come from. When what happens is the machine's own affair.
        operations: The number of requests to reach.
        speed: How much faster than the machine's the processes' clock runs.
        rates: How often what befalls.
        source: A folder with another `cfn_once` to run, such as one with a bug in it.
        sandboxes: How many deliveries are at work at the same time, but for the guardian's.
        stacks: How many stacks are.
        tell: Is told how far it has come, now and then.
    """
    clock = FastClock(started=time.time(), speed=speed)
    with ExitStack() as world:
        scratch = Path(world.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        secret = _secret(aws)
        make_table(engine.client, TABLE)
        world.callback(engine.client.delete_table, TableName=TABLE)
        spot = world.enter_context(SpotApi(token=TOKEN))
        host, _, port = spot.url.removeprefix("http://").partition(":")
        answers = world.enter_context(Answers(clock))
        folders = (source, TESTS, ROOT / "examples")
        environment = {
            **clock.environment,
            "PYTHONPATH": ":".join(str(folder) for folder in folders if folder),
            "CRASH_TABLE": TABLE,
            "CFN_ONCE_RESPONSE_HOSTS": answers.name,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.url,
        }
        slots: list[Slot] = []
        for number in range(sandboxes + GUARDIANS):
            slots.append(
                Slot(
                    number,
                    ledger=engine.address,
                    api=(host, int(port)),
                    environment=environment,
                    scratch=scratch,
                    clock=clock,
                    guards=number >= sandboxes,
                )
            )
            world.callback(slots[-1].close)
        functions = Lambda(slots, clock, rates or Rates())
        world.callback(functions.close)
        resources = _play(
            functions, answers, secret, spot, seed, operations, stacks=stacks, tell=tell
        )
        heads = engine.client.scan(TableName=TABLE, Select="COUNT", Limit=1000)["Count"]
        if not heads:
            raise RuntimeError("the ledger is empty: the processes have used another one")
        return judge(resources, functions, spot.report())


def _play(
    functions: Lambda,
    answers: Answers,
    secret: str,
    spot: SpotApi,
    seed: str,
    operations: int,
    *,
    stacks: int,
    tell: Callable[[str], None],
) -> list[Resource]:
    resources: list[Resource] = []
    errors: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
    lock = threading.Lock()

    def sent() -> int:
        return sum(len(resource.operations) for resource in list(resources))

    def next_resource() -> Resource | None:
        with lock:
            if sent() >= operations or functions.closed.is_set():
                return None
            number = len(resources)
            resources.append(
                Resource(
                    number,
                    Random(f"{seed} {number}"),
                    functions=functions,
                    answers=answers,
                    secret=secret,
                    groups=Groups(spot),
                    more=lambda: sent() < operations,
                )
            )
            return resources[-1]

    def work() -> None:
        try:
            while (resource := next_resource()) is not None:
                try:
                    resource.play()
                except GivenUp:
                    continue  # its problems tell
        except Over:
            pass
        except BaseException as error:  # raised again where somebody waits
            errors.put(error)
            functions.closed.set()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(stacks)]
    for thread in threads:
        thread.start()
    told = time.monotonic()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
                if time.monotonic() - told > 15:
                    told = time.monotonic()
                    tell(f"{sent()} requests, {len(functions.deliveries)} deliveries")
    except BaseException:
        functions.closed.set()
        raise
    if not errors.empty():
        raise errors.get()
    return resources


def _secret(aws: MiniStack) -> str:
    secrets = aws.client("secretsmanager")
    name = f"crash-{time.time_ns()}"
    return str(secrets.create_secret(Name=name, SecretString=TOKEN)["ARN"])
