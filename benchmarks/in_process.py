"""What a request costs in this process: Creates of one step, and of many, on local ledgers."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from cfn_once import CustomResource, Provider, Request
from cfn_once._clock import Deadline
from cfn_once.ledger import MemoryStore, Store
from cfn_once.ledger.sqlite import SQLiteStore

from ._figures import Figure, Measured

REQUESTS, BATCH = 400, 20
MANY, BATCHES_OF_MANY = 200, 5  # steps; requests, one a batch
HEAD = 900  # bytes of a head with one step
MOST = 100_000  # resources in one ledger
_HOW = (
    f"processor time of {REQUESTS} Creates of new resources, in batches of {BATCH}, of which the"
    " median is told; the steps are looked up and do nothing; the answer is taken by a function"
    " that does nothing"
)


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes nothing, in as many steps as its properties say."""

    def create(self) -> dict[str, str]:
        for number in range(int(self.properties["Steps"])):
            made = self.step(f"s{number}", lambda step: {"id": step.token}, find=lambda _: None)
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
    figures = [_figure("memory", MemoryStore(), 1000.0, aim=220.0), _many()]
    for synchronous in ("FULL", "NORMAL"):
        with tempfile.TemporaryDirectory() as folder:
            bare = _two_commits(Path(folder) / "bare.sqlite3", synchronous)
            store = SQLiteStore(Path(folder) / "ledger.sqlite3", synchronous=synchronous)
            aim = 300.0 if synchronous == "NORMAL" else None
            figures.append(_figure(f"SQLite, {synchronous}", store, 1500.0, bare, aim))
    return Measured([*figures, _among_many()])


def _many() -> Figure:
    provider = Provider(Thing, ledger=MemoryStore()).using(delivery=Nowhere())
    taken = [_time(lambda: provider(_create(MANY))) for _ in range(BATCHES_OF_MANY)]
    return Figure(
        name=f"a Create of {MANY} steps, memory",
        ours=statistics.median(taken) * 1e3,
        unit="ms",
        bar=40.0,
        aim=20.0,
        absolute=True,
        how=f"processor time, median of {BATCHES_OF_MANY}",
    )


def _figure(
    name: str, store: Store, bar: float, bare: float | None = None, aim: float | None = None
) -> Figure:
    provider = Provider(Thing, ledger=store).using(delivery=Nowhere())
    return Figure(
        name=f"a Create, {name}",
        ours=_median(lambda: provider(_create())),
        peer=bare,
        against="two bare commits",
        unit="us",
        bar=bar,
        aim=aim,
        absolute=True,
        how=_HOW,
    )


def _among_many() -> Figure:
    """Compare a ledger that has many resources with an empty one, batch by batch."""
    with tempfile.TemporaryDirectory() as folder:
        taken: dict[str, list[float]] = {"empty": [], "full": []}
        files = {name: Path(folder) / f"{name}.sqlite3" for name in taken}
        providers = {
            name: Provider(Thing, ledger=SQLiteStore(file, synchronous="NORMAL")).using(
                delivery=Nowhere()
            )
            for name, file in files.items()
        }
        for provider in providers.values():
            provider(_create())
        _fill(files["full"])
        for _ in range(REQUESTS // BATCH):
            for name, provider in providers.items():
                batch = _time(lambda made=provider: [made(_create()) for _ in range(BATCH)])
                taken[name].append(batch / BATCH * 1e6)
    pairs = zip(taken["full"], taken["empty"], strict=True)
    return Figure(
        name=f"a Create among {MOST:,} resources, SQLite, NORMAL",
        ours=statistics.median(taken["full"]),
        peer=statistics.median(taken["empty"]),
        against="in an empty ledger",
        unit="us",
        bar=1500.0,
        aim=300.0,
        absolute=True,
        pairs=statistics.median(full / empty for full, empty in pairs),
        how=f"{_HOW}; each batch is followed by one on the other ledger",
    )


def _fill(ledger: Path) -> None:
    """Put the head of the one resource that is there under many other keys."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        ((text,),) = connection.execute("select doc from ledger")
        rows = ((f"r{uuid4().hex[:26]}", "H", text) for _ in range(MOST))
        connection.executemany("insert into ledger values (?, ?, ?)", rows)


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
    for _ in range(REQUESTS // BATCH):
        taken.append(_time(lambda: [act() for _ in range(BATCH)]) / BATCH)
    return statistics.median(taken) * 1e6


def _time(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _create(steps: int = 1) -> dict[str, Any]:
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
        "ResourceProperties": {"ServiceToken": "arn:aws:lambda:...", "Steps": str(steps)},
    }
