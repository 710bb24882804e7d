"""
A ledger in trouble: asked again in place, then raised so that Lambda comes again.

Only an event over five minutes old is answered FAILED, and never once something was begun; where
there is no such table, the first one is.
"""

import itertools
import os
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from cfn_once import CustomResource, LedgerUnavailable, Provider
from cfn_once._errors import LedgerTrouble
from cfn_once.ledger import Change, MemoryStore, Store, Write, Written
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.head import VERSION
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, Equals
from cfn_once.testing import FakeCloudFormation, VirtualClock
from ledger.engines import answer_with, count_requests, make_table
from ledger.told import a_head
from support.ministack import MiniStack

made: list[str] = []
stacks = itertools.count()


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes one thing, and tells the test."""

    def create(self) -> None:
        self.physical_resource_id = self.step("thing", lambda _: made.append("made") or "thing-1")

    def update(self) -> None:
        self.step("change", lambda _: made.append("changed"))

    def delete(self) -> None:
        self.step("gone", lambda _: made.append("deleted"), repeat=True)


@pytest.fixture(autouse=True)
def nothing_made() -> None:
    made.clear()


class Line:
    """A table on MiniStack, and what may be wrong on the way to it."""

    def __init__(self, ministack: MiniStack, table: str) -> None:
        self.client = ministack.client("dynamodb")
        self.store: Store = DynamoDBStore(table, client=self.client)
        self.table = table
        self.heal: Callable[[], None] = lambda: None

    def fail(self, code: str, message: str = "", status: int = 400) -> None:
        self.heal = answer_with(self.client, code, message, status)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder in which this process is nobody: for root, no file is read-only."""
    was_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if was_root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            Path(folder).chmod(0o755)
            if was_root:
                os.seteuid(0)


@pytest.fixture
def line(ministack: MiniStack, table: str) -> Line:
    return Line(ministack, table)


@pytest.fixture(scope="module")
def misshapen(dynamodb: Any) -> str:
    """A table whose keys have other names."""
    return make_table(dynamodb, "misshapen", keys=("id", "range"))


def answering(code: str, message: str = "", status: int = 400) -> "Trouble":
    """Return a trouble in which DynamoDB answers every request with an error."""

    def trouble(line: Line, _: str) -> Store:
        line.fail(code, message, status)
        return line.store

    trouble.__name__ = code
    return trouble


throttled = answering("ThrottlingException", "Rate exceeded")
over_capacity = answering("ProvisionedThroughputExceededException", "The level of throughput")
not_allowed = answering("AccessDeniedException", "not authorized to perform: dynamodb:UpdateItem")
without_valid_credentials = answering("UnrecognizedClientException", "The token is invalid")
full = answering("ValidationException", "Item size to update has exceeded the maximum allowed size")
failing = answering("InternalServerError", status=500)


def missing(line: Line, _: str) -> Store:
    return DynamoDBStore("nowhere-to-be-found", client=line.client)


def of_another_shape(line: Line, misshapen: str) -> Store:
    return DynamoDBStore(misshapen, client=line.client)


def without_credentials(line: Line, _: str) -> Store:
    session = botocore.session.get_session()
    session.get_component("credential_provider").providers = []
    line.client = session.create_client("dynamodb", region_name="us-east-1")
    return DynamoDBStore("ledger", client=line.client)


def unreachable(line: Line, _: str) -> Store:
    with socket.socket() as probe:  # a port where nobody listens
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="never-to-be-seen",
        config=Config(connect_timeout=0.2, retries={"total_max_attempts": 1}),
    )
    line.client = client
    return DynamoDBStore("ledger", client=client)


PASSING, DENIED, MISSING = LedgerTrouble.PASSING, LedgerTrouble.DENIED, LedgerTrouble.MISSING
Trouble = Callable[["Line", str], Store]
TROUBLES: list[tuple[Trouble, str, LedgerTrouble]] = [
    (throttled, "on-demand capacity", PASSING),
    (over_capacity, "on-demand capacity", PASSING),
    (not_allowed, "dynamodb:UpdateItem, dynamodb:GetItem and dynamodb:PutItem", DENIED),
    (without_valid_credentials, "token is invalid", PASSING),
    (failing, "look at the table", PASSING),
    (missing, "deploy templates/ledger.yaml", MISSING),
    (of_another_shape, "keys must be pk and sk, both text", MISSING),
    (unreachable, "may the function reach DynamoDB", PASSING),
    (without_credentials, "in Lambda the function's role gives them", PASSING),
]


def each(troubles: list[tuple[Trouble, str, LedgerTrouble]]) -> Any:
    ids = [trouble.__name__ for trouble, *_ in troubles]
    return pytest.mark.parametrize(("trouble", "advice", "kind"), troubles, ids=ids)


every_trouble = each(TROUBLES)
that_may_pass = each(
    [r for r in TROUBLES if r[2] is not MISSING and r[0] is not without_credentials]
)
that_stays = each([row for row in TROUBLES if row[2] is MISSING])


def stack_over(store: Store, clock: VirtualClock | None = None) -> FakeCloudFormation:
    """Return a stack that no other test has."""
    name = f"trouble-{next(stacks)}"
    provider = Provider(Thing, ledger=store)
    return FakeCloudFormation(provider, ledger=store, clock=clock, stack_name=name)


@that_may_pass
def test_a_ledger_in_trouble(
    line: Line, misshapen: str, trouble: Trouble, advice: str, kind: LedgerTrouble
) -> None:
    """
    It is asked again for half a minute, since throttles end and IAM propagates; then Lambda is
    let come again, with a message for whoever deployed it. Nothing is done or answered.
    """
    store = trouble(line, misshapen)
    requests = count_requests(line.client)
    stack = stack_over(store)
    create = stack.event("Create", "Thing")
    started = stack.clock.now()

    with pytest.raises(LedgerUnavailable, match=advice) as raised:
        stack.send(create)

    assert 25 <= stack.clock.now() - started <= 40
    assert 8 <= len(requests) <= 20
    assert [] == made
    assert stack.answer_to(create) is None
    assert kind is raised.value.trouble
    assert "never-to-be-seen" not in str(raised.value)
    assert "X-Amz-Signature" not in str(raised.value)


@that_stays
def test_a_ledger_that_is_none(
    line: Line, misshapen: str, trouble: Trouble, advice: str, kind: LedgerTrouble
) -> None:
    """
    No table, or one of another shape, is a mistake that no retry mends: the Create is FAILED within
    seconds, in words for whoever deployed it, and the Delete of what never began is SUCCESS.
    """
    store = trouble(line, misshapen)
    requests = count_requests(line.client)
    stack = stack_over(store)
    started = stack.clock.now()

    created = stack.create("Thing")

    assert not created.succeeded
    assert advice in created.reason
    assert stack.clock.now() - started < 5
    assert len(requests) < 16  # of the Create and of its Delete
    assert [] == made
    assert stack.answers[-1][1].succeeded
    assert "the ledger was not asked" in stack.answers[-1][1].reason


@every_trouble
def test_every_request_to_a_ledger_in_trouble(
    line: Line, misshapen: str, trouble: Trouble, advice: str, kind: LedgerTrouble
) -> None:
    """Reading, writing and keeping long results fail in the same words, and in the same way."""
    store = trouble(line, misshapen)
    requests: list[Callable[[], object]] = [
        lambda: store.read("r1"),
        lambda: store.write("r1", Write(Absent(("v",)), a_head())),
        lambda: store.spill("r1", "S#1", "text", 1),
        lambda: store.unspill("r1", "S#1"),
    ]

    for request in requests:
        with pytest.raises(LedgerUnavailable, match=advice) as raised:
            request()
        assert kind is raised.value.trouble


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_an_item_without_room(line: Line, kind: str) -> None:
    """
    The same write would fail in every try: it is made once, and FAILED says what has no room.
    """
    store = full(line, "")
    requests = count_requests(line.client)
    stack = stack_over(store)
    event = stack.event(kind, "Thing", physical_resource_id="thing-1")

    answer = stack.send(event)

    assert "FAILED" == answer.status
    assert "take more than DynamoDB's 400 KB: return less from its steps" in answer.reason
    assert 1 == len(requests)
    assert [] == made


class Healing(VirtualClock):
    """A clock at whose time the trouble ends."""

    def __init__(self, line: Line, after: float) -> None:
        super().__init__()
        self._line, self._end = line, self.now() + after

    def sleep(self, seconds: float, *, polling: bool = False) -> None:
        super().sleep(seconds, polling=polling)
        if self.now() > self._end:
            self._line.heal()


@pytest.mark.parametrize("trouble", [throttled, not_allowed, failing])
def test_trouble_that_passes(line: Line, trouble: Trouble) -> None:
    """Ten seconds of it, and the request is worked on as if nothing had been."""
    store = trouble(line, "")
    stack = stack_over(store, Healing(line, after=10))

    answer = stack.create("Thing")

    assert answer.succeeded
    assert ["made"] == made
    assert 1 == stack.deliveries


def test_a_create_over_five_minutes_old(line: Line) -> None:
    """It is FAILED, or the stack would hang for an hour; nothing was begun, and the id says so."""
    stack = stack_over(not_allowed(line, ""))
    create = stack.event("Create", "Thing")
    stack.clock.advance(301)

    answer = stack.send(create)

    assert "FAILED" == answer.status
    assert answer.physical_resource_id.startswith("cfn-once.never.")
    assert "dynamodb:UpdateItem" in answer.reason
    assert [] == made


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_another_request_over_five_minutes_old(line: Line, kind: str) -> None:
    """It is FAILED under the id that CloudFormation holds, and nothing is done."""
    stack = stack_over(throttled(line, ""))
    event = stack.event(kind, "Thing", physical_resource_id="thing-1")
    stack.clock.advance(301)

    answer = stack.send(event)

    assert ("FAILED", "thing-1") == (answer.status, answer.physical_resource_id)
    assert [] == made


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_younger_request(line: Line, kind: str) -> None:
    """Under five minutes of age, nobody is told anything."""
    stack = stack_over(throttled(line, ""))
    event = stack.event(kind, "Thing", physical_resource_id="thing-1")
    stack.clock.advance(100)

    with pytest.raises(LedgerUnavailable):
        stack.send(event)


def test_the_last_try_of_lambda(line: Line) -> None:
    """
    A try that may be the last one asks on until the event is five minutes old: nobody else would
    answer it.
    """
    stack = stack_over(throttled(line, ""))
    event = stack.event("Create", "Thing")
    stack.clock.advance(240)

    answer = stack.send(event)

    assert "FAILED" == answer.status
    assert answer.physical_resource_id.startswith("cfn-once.never.")


def test_a_request_of_unknown_age(line: Line) -> None:
    """A ResponseURL without a date, as emulators send it, tells no age: it is raised."""
    stack = stack_over(throttled(line, ""))
    event = stack.event("Create", "Thing")
    event["ResponseURL"] = event["ResponseURL"].partition("?")[0]
    stack.clock.advance(3000)

    with pytest.raises(LedgerUnavailable):
        stack.send(event)


def never_begun(stack: FakeCloudFormation) -> dict[str, Any]:
    """Return the Delete of a Create that was answered without the ledger."""
    create = stack.event("Create", "Thing")
    stack.clock.advance(301)
    never = stack.send(create).physical_resource_id
    assert never.startswith("cfn-once.never.")
    return stack.event("Delete", "Thing", physical_resource_id=never)


@pytest.mark.parametrize("trouble", [missing, of_another_shape], ids=["missing", "misshapen"])
def test_a_delete_of_what_was_never_begun_where_there_is_no_table(
    line: Line, misshapen: str, trouble: Trouble
) -> None:
    """It is SUCCESS at once, or the rollback would hang as well; it names the table."""
    store = trouble(line, misshapen)
    stack = stack_over(store)
    delete = never_begun(stack)

    answer = stack.send(delete)

    assert ("SUCCESS", delete["PhysicalResourceId"]) == (answer.status, answer.physical_resource_id)
    assert "the ledger was not asked: the ledger table" in answer.reason
    assert [] == made


@pytest.mark.parametrize(
    ("trouble", "status", "says"),
    [(not_allowed, "SUCCESS", "the ledger was not asked"), (throttled, "FAILED", "")],
    ids=["denied", "throttled"],
)
def test_a_delete_of_what_was_never_begun(
    line: Line, trouble: Trouble, status: str, says: str
) -> None:
    """A grant may come back within five minutes, and so may DynamoDB. Then it is SUCCESS where
    access is denied, and says that nobody asked; where the trouble passes it is FAILED, for whether
    a copy of the Create made something, the ledger knows.
    """
    stack = stack_over(trouble(line, ""))
    delete = never_begun(stack)

    with pytest.raises(LedgerUnavailable):
        stack.send(delete)
    stack.clock.advance(301)
    answer = stack.send(delete)

    assert (status, delete["PhysicalResourceId"]) == (answer.status, answer.physical_resource_id)
    assert says in answer.reason
    assert [] == made


@pytest.mark.parametrize("trouble", [not_allowed, missing], ids=["denied", "missing"])
def test_a_delete_of_an_object(line: Line, trouble: Trouble) -> None:
    """An object is never given up, whatever ails the ledger."""
    stack = stack_over(trouble(line, ""))
    delete = stack.event("Delete", "Thing", physical_resource_id="thing-1")
    stack.clock.advance(301)

    answer = stack.send(delete)

    assert ("FAILED", "thing-1") == (answer.status, answer.physical_resource_id)
    assert [] == made


def test_a_delete_of_what_was_never_begun_once_the_ledger_is_back(line: Line) -> None:
    """It is SUCCESS without calling the hook, and the same again to a copy."""
    stack = stack_over(not_allowed(line, ""))
    delete = never_begun(stack)
    line.heal()

    answers = [stack.send(delete) for _ in range(2)]

    assert ["SUCCESS", "SUCCESS"] == [answer.status for answer in answers]
    assert answers[0] == answers[1]
    assert [] == made


class DownAfter:
    """A ledger that goes down after some writes."""

    keeps_secrets = False

    def __init__(self, writes: int) -> None:
        self._store, self._left = MemoryStore(), writes
        self.read, self.spill, self.unspill = (
            self._store.read,
            self._store.spill,
            self._store.unspill,
        )

    def heal(self) -> None:
        self._left = 1_000

    def write(self, key: str, write: Write) -> Written:
        self._left -= 1
        if self._left < 0:
            raise LedgerUnavailable("down")
        return self._store.write(key, write)


def test_trouble_in_the_middle_of_an_old_request() -> None:
    """
    What was begun is answered under an id whose Delete asks the ledger, and so names the step that
    nobody can tell the outcome of.
    """
    ledger = DownAfter(writes=2)  # begun, and the start of its step kept
    stack = stack_over(ledger)
    create = stack.event("Create", "Thing")
    stack.clock.advance(301)

    answer = stack.send(create)
    delete = stack.event("Delete", "Thing", physical_resource_id=answer.physical_resource_id)
    with pytest.raises(LedgerUnavailable):
        stack.send(delete)
    ledger.heal()
    deleted = stack.send(delete)

    assert "FAILED" == answer.status
    assert answer.physical_resource_id.startswith("cfn-once.none.")
    assert "SUCCESS" == deleted.status
    assert "thing#0" in deleted.reason
    assert ["made"] == made


def test_the_line_is_not_waited_on_for_long() -> None:
    """Two seconds to connect, five for an answer, three tries: Lambda's time is short."""
    store = DynamoDBStore("ledger", region="eu-west-1")

    config = store._table.client.meta.config

    assert (2, 5) == (config.connect_timeout, config.read_timeout)
    assert {"mode": "standard", "total_max_attempts": 3} == config.retries


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """The message says that it is no ledger; the file stays as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("not a ledger, but dear to somebody" * 100)
    store = SQLiteStore(file)

    for request in (
        lambda: store.read("r1"),
        lambda: store.write("r1", Write(Absent(("v",)), a_head())),
    ):
        with pytest.raises(LedgerUnavailable, match=r"notes\.txt.*no ledger of ours"):
            request()

    assert "not a ledger, but dear to somebody" * 100 == file.read_text()


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    """A table of the same name with other columns is not written to."""
    file = tmp_path / "shop.sqlite3"
    with sqlite3.connect(file) as shop:
        shop.execute("create table ledger (account text, amount integer)")
    shop.close()
    store = SQLiteStore(file)

    with pytest.raises(LedgerUnavailable, match="no ledger of ours"):
        store.write("r1", Write(Absent(("v",)), a_head()))


def test_a_file_that_may_not_be_written(unprivileged: Path) -> None:
    """The message asks for the right that is missing."""
    SQLiteStore(unprivileged / "ledger.sqlite3").read("r1")
    (unprivileged / "ledger.sqlite3").chmod(0o444)
    unprivileged.chmod(0o555)
    store = SQLiteStore(unprivileged / "ledger.sqlite3")

    with pytest.raises(LedgerUnavailable, match="may we write the file and its folder"):
        store.write("r1", Write(Absent(("v",)), a_head()))


def test_a_file_that_another_process_holds(tmp_path: Path) -> None:
    """Its writer is waited for; then the message says who is to end. After it, all is well."""
    file = tmp_path / "ledger.sqlite3"
    store = SQLiteStore(file, patience=0.05)
    store.write("r1", Write(Absent(("v",)), a_head()))
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("begin immediate")

    with pytest.raises(LedgerUnavailable, match="another process holds it"):
        store.write("r1", Write(Equals(("v",), VERSION), Change()))
    holder.execute("rollback")
    holder.close()

    assert store.write("r1", Write(Equals(("v",), VERSION), Change())).applied


def test_a_new_file_that_another_process_holds(tmp_path: Path) -> None:
    """A store that could not open its file opens it at the next try."""
    file = tmp_path / "ledger.sqlite3"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("begin exclusive")
    store = SQLiteStore(file, patience=0.05)

    with pytest.raises(LedgerUnavailable, match="another process holds it"):
        store.read("r1")
    holder.execute("rollback")
    holder.close()

    assert store.read("r1") is None
