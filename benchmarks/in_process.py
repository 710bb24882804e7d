"""What a request costs in this process: the way of one Create with one step, on local ledgers."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from cfn_once import CustomResource, Provider, Request
from cfn_once._clock import Deadline
from cfn_once.ledger import MemoryStore, Store
from cfn_once.ledger.sqlite import SQLiteStore

from ._figures import Figure, Measured

REQUESTS = 400
HEAD = 900  # bytes of a head with one step
_HOW = (
    f"median of {REQUESTS} Creates of new resources, each with one looked-up step that does"
    " nothing; the answer is taken by a function that does nothing"
)


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes nothing, once."""

    def create(self) -> dict[str, str]:
        made = self.step("thing", lambda step: {"id": step.token}, find=lambda _: None)
        self.physical_resource_id = made["id"]
        return {"Id": made["id"]}

    def delete(self) -> None:
        pass


class Nowhere:
    """A delivery that takes every answer."""

    def check(self, request: Request) -> str:
        del request
        return ""

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        pass


def run() -> Measured:
    """Measure each local ledger, and beside SQLite's two commits of a row as long as a head."""
    figures = [_figure("memory", MemoryStore(), 300.0)]
    for synchronous in ("FULL", "NORMAL"):
        with tempfile.TemporaryDirectory() as folder:
            bare = _two_commits(Path(folder) / "bare.sqlite3", synchronous)
            store = SQLiteStore(Path(folder) / "ledger.sqlite3", synchronous=synchronous)
            figures.append(_figure(f"SQLite, {synchronous}", store, 1500.0, bare))
    return Measured(figures)


def _figure(name: str, store: Store, bar: float, bare: float | None = None) -> Figure:
    provider = Provider(Thing, ledger=store).using(delivery=Nowhere())
    return Figure(
        name=f"a Create, {name}",
        ours=_median(lambda: provider(_create())),
        peer=bare,
        against="two bare commits",
        unit="us",
        bar=bar,
        absolute=True,
        how=_HOW,
    )


def _two_commits(path: Path, synchronous: str) -> float:
    """Return what the disk takes for what a request with one step needs: a claim and a finish."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.execute("create table bare (id text primary key, doc text) without rowid")
    try:
        return _median(lambda: _commit_twice(connection))
    finally:
        connection.close()


def _commit_twice(connection: sqlite3.Connection) -> None:
    row = str(uuid4())
    for _ in range(2):
        connection.execute("begin immediate")
        connection.execute("replace into bare values (?, ?)", (row, "x" * HEAD))
        connection.execute("commit")


def _median(act: Callable[[], object]) -> float:
    taken = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def _create() -> dict[str, Any]:
    stack = f"arn:aws:cloudformation:us-east-1:123456789012:stack/shop/{uuid4()}"
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    host = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
    return {
        "RequestType": "Create",
        "ResponseURL": f"https://{host}/thing?X-Amz-Date={date}&X-Amz-Signature=0",
        "StackId": stack,
        "RequestId": str(uuid4()),
        "LogicalResourceId": "Thing",
        "ResourceType": "Custom::Thing",
        "ResourceProperties": {"ServiceToken": "arn:aws:lambda:...", "Name": "web"},
    }
