"""What a write to a DynamoDB ledger costs this process, beside the same one through boto3."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from cfn_once import CustomResource, Provider
from cfn_once.ledger import Written
from cfn_once.ledger.dynamodb import DynamoDBStore, _to_item
from cfn_once.ledger.store import MemoryStore, Write
from cfn_once.testing import FakeCloudFormation

from . import ROOT
from ._figures import Figure, Measured

BATCHES, BATCH = 20, 50
REGION, KEY = "eu-west-1", "r0123456789abcdefghijklmno"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token" * 200,
}
IN_LAMBDA = {
    **CREDENTIALS,
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
    "AWS_REGION": REGION,
}


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes nothing, in one step."""

    def create(self) -> dict[str, str]:
        return self.step("thing", lambda step: {"Id": step.token}, find=lambda _: None)

    def delete(self) -> None:
        pass


class Watched(MemoryStore):
    """Keeps the writes that it gets, and what its item is then."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[Write] = []

    def write(self, key: str, write: Write) -> Written:
        self.writes.append(write)
        return super().write(key, write)

    @property
    def item(self) -> dict[str, Any]:
        ((doc, _),) = self._heads.values()
        return {name: _to_item(value) for name, value in doc.items()}


def run() -> Measured:
    """Make the two writes of a Create again and again, both ways in turn."""
    watched = Watched()
    FakeCloudFormation(Provider(Thing, ledger=watched), ledger=watched).create("Thing", {})
    with _engine({"Attributes": watched.item}) as endpoint:
        client = boto3.client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=endpoint,
            **{name.lower(): value for name, value in CREDENTIALS.items()},
        )
        stores = {
            "wire": DynamoDBStore("ledger", endpoint=endpoint, environ=IN_LAMBDA),
            "boto3": DynamoDBStore("ledger", client=client),
        }
        taken: dict[str, list[float]] = {name: [] for name in stores}
        for _ in range(1 + BATCHES):
            for name, store in stores.items():
                taken[name].append(_microseconds(store, watched.writes))
    ours, theirs = (all_[1:] for all_ in taken.values())  # the first batch connects
    return Measured(
        [
            Figure(
                name="a ledger write in Lambda, client side",
                ours=statistics.median(ours),
                peer=statistics.median(theirs),
                unit="us",
                against="through boto3",
                aim=350.0,
                absolute=True,
                pairs=statistics.median(
                    our_time / their_time for our_time, their_time in zip(ours, theirs, strict=True)
                ),
                how=f"processor time, medians of {BATCHES} batches of {BATCH} of a Create's writes,"
                " both ways in turn, without TLS; another process answers",
            )
        ]
    )


def _microseconds(store: DynamoDBStore, writes: list[Write]) -> float:
    began = time.process_time()
    for number in range(BATCH):
        store.write(KEY, writes[number % len(writes)])
    return (time.process_time() - began) / BATCH * 1e6


@contextmanager
def _engine(answer: dict[str, Any]) -> Iterator[str]:
    """Answer everything with this, in another process."""
    engine = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._answering"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert engine.stdin is not None
    assert engine.stdout is not None
    try:
        engine.stdin.write(json.dumps(answer, separators=(",", ":")))
        engine.stdin.close()
        yield f"http://127.0.0.1:{int(engine.stdout.readline())}"
    finally:
        engine.kill()
        engine.wait()
