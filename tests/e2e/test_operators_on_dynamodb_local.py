"""An operator's writes on Amazon's own engine: made once, and only of what was looked at.

Each command runs in a process of its own, once with boto3, as on an operator's machine, and once
over the wire of Lambda's environment. While it waits for the logical id to be typed, somebody else
writes.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from cfn_once import Request
from cfn_once._clock import SYSTEM_CLOCK, Deadline
from cfn_once.cli.lookup import key_of
from cfn_once.ledger import Lease, Ledger, Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.operator import Operator, note
from ledger.engines import IN_LAMBDA
from ledger.test_operator import OperatorsWrites as _OperatorsWrites
from support import operated
from support.dynamodb_local import DynamoDBLocal
from support.proxy import Fault, Proxy
from support.response_host import ResponseHost
from support.shell import Called

pytestmark = pytest.mark.e2e

ON_A_MACHINE = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
WAYS = {"boto3": ON_A_MACHINE, "wire": IN_LAMBDA}
MEANWHILE = "something was written of Thing meanwhile: nothing of yours was. Look again"
AT_WORK = "an execution may be at work on Thing until 20"
BOB = Operator(by="bob", why="looked as well", now=60_000)
WHY = ("--reason", "looked", "--by", "ada")


class TestThroughBoto3(_OperatorsWrites):
    @pytest.fixture
    def any_store(self, engine: DynamoDBLocal) -> Store:
        client: Any = engine.client()
        return DynamoDBStore("ledger", client=client)


class TestWithoutBoto3(_OperatorsWrites):
    @pytest.fixture
    def any_store(self, engine: DynamoDBLocal) -> Store:
        return DynamoDBStore("ledger", endpoint=engine.url, environ=IN_LAMBDA)


class Desk:
    """An operator's desk: a resource in some trouble, and the command that settles it.

    Attributes:
        comes: The event of the delivery that comes while the operator thinks.
    """

    def __init__(self, engine: DynamoDBLocal, host: ResponseHost, folder: Any, way: str) -> None:
        self._folder, self._host, self._way, self.url = folder, host, way, engine.url
        self.store = DynamoDBStore("ledger", client=engine.client())
        self.shop = operated.stack(
            None, store=self.store, minutes=20, name=f"shop-{uuid.uuid4().hex[:8]}"
        )
        self.key = key_of(self.shop.stack_id, "Thing")
        self.comes: dict[str, Any] = {}

    def doc(self) -> Any:
        head = self.store.read(self.key)
        assert head is not None
        return head.to_doc()

    def let_die(self) -> None:
        at = self.shop.clock.now()
        self.comes = operated.to_host(operated.dies(self.shop, "Thing"), self._host, at)
        (self._folder / "event.json").write_text(json.dumps(self.comes))

    def let_a_delete_report(self) -> None:
        operated.deletes(self.shop, operated.doubts(self.shop, "Thing"))
        self.comes = self.shop.event("Create", "Thing", {})

    def let_live(self) -> None:
        self.shop.create("Thing")
        self.comes = self.shop.event("Update", "Thing", {"A": "2"}, physical_resource_id="thing-1")

    def takes_over(self) -> None:
        """Let a delivery take the resource over, in this minute."""
        request, deadline = Request.from_event(self.comes), Deadline(SYSTEM_CLOCK, None)
        assert isinstance(Ledger(self.store).claim(request, deadline), Lease)

    def bob_writes(self) -> None:
        head = self.store.read(self.key)
        assert head is not None
        assert self.store.write(self.key, note(head, "LOOKED", BOB)).applied

    def start(self, verb: str, *arguments: str, url: str = "") -> "Asking":
        environment = {
            **os.environ,
            **WAYS[self._way],
            "CFN_ONCE_LEDGER": f"dynamodb://ledger?endpoint={url or self.url}",
            "CFN_ONCE_RESPONSE_HOSTS": self._host.url.removeprefix("http://"),
        }
        command = [sys.executable, "-m", "cfn_once", verb, self.shop.stack_id, "Thing"]
        pipe = subprocess.PIPE
        return Asking(
            subprocess.Popen(
                [*command, *arguments],
                cwd=self._folder,
                env=environment,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                text=True,
            )
        )

    def told(self) -> list[bytes]:
        """Return what CloudFormation was told."""
        return self._host.bodies_for(self.comes) if "ResponseURL" in self.comes else []


class Asking:
    """The command, which has looked, and asks for the logical id."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process, self.asked = process, ""
        assert process.stderr is not None
        while not self.asked.endswith("to go on: ") and (letter := process.stderr.read(1)):
            self.asked += letter

    def typed(self, text: str = "Thing\n") -> Called:
        out, err = self._process.communicate(text)
        return Called(self._process.returncode, out, self.asked + err)


class Case(NamedTuple):
    """A verb, and the trouble that it is for."""

    prepare: Any
    arguments: tuple[str, ...]


CASES = {
    "resolve": Case(Desk.let_die, ("resolve", "thing#0", "--not-made", *WHY)),
    "resolve what a Delete reported": Case(
        Desk.let_a_delete_report, ("resolve", "thing#0", "--not-made", *WHY)
    ),
    # Without CloudFormation: there is no such stack.
    "forget": Case(Desk.let_live, ("forget", "--scan", *WHY)),
    "respond": Case(Desk.let_die, ("respond", "--event", "event.json", "--by", "ada")),
}


@pytest.fixture(params=WAYS)
def desk(request: pytest.FixtureRequest, engine: DynamoDBLocal, tmp_path: Any) -> Iterator[Desk]:
    with ResponseHost() as host:
        yield Desk(engine, host, tmp_path, request.param)


every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_it_is_written(desk: Desk, case: Case) -> None:
    """
    Where nobody else writes, it is: who, why and when lie in the item.
    """
    case.prepare(desk)

    told = desk.start(*case.arguments).typed()

    assert (0, "ada") == (told.code, desk.doc()["hist"][-1]["by"]), told.err


@every_case
@pytest.mark.parametrize("meanwhile", [Desk.bob_writes, Desk.takes_over])
def test_somebody_writes_between_look_and_write(
    desk: Desk, case: Case, meanwhile: Callable[[Desk], None]
) -> None:
    """
    What the operator decided on is no longer so, by another operator or by a delivery that has
    begun to work: nothing of his is written, or told, and the command does not wait.
    """
    case.prepare(desk)
    asking = desk.start(*case.arguments)
    meanwhile(desk)
    before = desk.doc()

    told = asking.typed()

    assert 3 == told.code, told.err
    assert MEANWHILE in told.err
    assert before == desk.doc()
    assert [] == desk.told()


@every_case
def test_while_a_lease_runs(desk: Desk, case: Case) -> None:
    """
    It is refused before anything is asked, and says until when.
    """
    case.prepare(desk)
    desk.takes_over()
    before = desk.doc()

    asking = desk.start(*case.arguments)
    told = asking.typed()

    assert 3 == told.code, told.err
    assert told.err.startswith(f"cfn-once: {AT_WORK}")
    assert before == desk.doc()
    assert [] == desk.told()


@every_case
def test_two_operators_at_once(desk: Desk, case: Case) -> None:
    """
    The first one's word is kept, and the other one is told to look again.
    """
    case.prepare(desk)
    ada, bob = desk.start(*case.arguments), desk.start(*case.arguments, "--by", "bob")

    first, second = bob.typed(), ada.typed()

    assert (0, 3) == (first.code, second.code), first.err + second.err
    assert MEANWHILE in second.err
    assert ["bob"] == [entry["by"] for entry in desk.doc()["hist"] if "by" in entry]


@every_case
def test_every_answer_of_the_table_is_lost_once(desk: Desk, case: Case) -> None:
    """
    The SDK asks again, and is refused by its own write: that is no write of somebody else's.
    """
    case.prepare(desk)
    seen = set[bytes]()

    def watch(request: bytes) -> Fault:
        body = request.partition(b"\r\n\r\n")[2]
        is_first = b"UpdateExpression" in body and body not in seen
        seen.add(body)
        return Fault(cut=is_first)

    with Proxy(("127.0.0.1", int(desk.url.rpartition(":")[2])), watch=watch) as proxy:
        asking = desk.start(*case.arguments, url=f"http://127.0.0.1:{proxy.port}")
        told = asking.typed()

    assert 0 == told.code, told.err
    assert ["ada"] == [entry["by"] for entry in desk.doc()["hist"] if "by" in entry]


def test_cloudformation_goes_on_before_the_answer_is_noted(desk: Desk) -> None:
    """
    Its next request may come with the answer: who has answered is kept all the same.
    """
    desk.let_die()
    noted = list[bytes]()

    def watch(request: bytes) -> Fault:
        if b'"Respond"' not in request:
            return Fault()
        noted.append(request)
        return Fault(before=desk.bob_writes) if len(noted) == 1 else Fault()

    with Proxy(("127.0.0.1", int(desk.url.rpartition(":")[2])), watch=watch) as proxy:
        asking = desk.start(*CASES["respond"].arguments, url=f"http://127.0.0.1:{proxy.port}")
        told = asking.typed()

    assert 0 == told.code, told.err
    assert ["bob", "ada"] == [entry["by"] for entry in desk.doc()["hist"] if "by" in entry]
