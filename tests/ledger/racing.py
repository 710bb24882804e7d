"""What the processes of a race do: importable, since they are spawned and not forked."""

from collections.abc import Callable
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from typing import Any

import boto3
from botocore.config import Config

from cfn_once import Request, RequestType
from cfn_once.ledger import Change, Ending, Head, Progress, Store, Write, transitions
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Equals
from cfn_once.ledger.transitions import Candidate

PATIENCE = 60  # seconds after which a race is broken off

CREATE = Request(
    type=RequestType.CREATE,
    request_id="request-1",
    stack_id="arn:aws:cloudformation:us-east-1:123456789012:stack/prod/0f7a1f60",
    logical_resource_id="Thing",
    resource_type="Custom::Thing",
    response_url="https://nowhere.example.com/",
    issued_at=1_800_000_000,
)
DELETE = replace(
    CREATE, type=RequestType.DELETE, request_id="request-2", physical_resource_id="thing-1"
)

_here: dict[str, Any] = {}


def open_sqlite(path: str) -> Store:
    return SQLiteStore(path, synchronous="NORMAL", patience=30)


def open_dynamodb(table: str, url: str) -> Store:
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    return DynamoDBStore(table, client=client)


def prepare(start: Barrier, opener: Callable[..., Store], arguments: tuple[str, ...]) -> None:
    """Set a process up."""
    _here["start"], _here["store"] = start, opener(*arguments)


def candidate(owner: str) -> Candidate:
    return Candidate(owner=owner, lease=1_800_000_124_000, sandbox_id=None, now=1_800_000_001_000)


def _race(key: str, write: Write) -> tuple[bool, str]:
    """Start together with the others, write, and return whether we won and who holds it then."""
    store: Store = _here["store"]
    _here["start"].wait(PATIENCE)
    written = store.write(key, write)
    assert written.head is not None
    return written.applied, written.head.operation.execution.owner


def begin(owner: str, keys: list[str]) -> list[tuple[bool, str]]:
    """Begin the request that all others begin, too."""
    return [_race(key, transitions.begin(CREATE, candidate(owner))) for key in keys]


def overtake(owner: str, keys: list[str]) -> list[tuple[bool, str]]:
    """Finish the request at work as its owner, or begin a newer one over it."""
    ending = Ending(succeeded=True, response="{}", physical_id="thing-1")
    results = []
    for key in keys:
        head = _read(key)
        if owner == head.operation.execution.owner:
            change = transitions.finish(head, ending, Progress(), 1)
            write = Write(name="finish", guard=transitions.held_by(owner), change=change)
        else:
            write = transitions.begin_over(head, DELETE, candidate(owner))
        results.append(_race(key, write))
    return results


def resume(owner: str, keys: list[str]) -> list[tuple[bool, str]]:
    """Resume the request that all others resume, too: its execution has died."""
    return [_race(key, transitions.resume(_read(key), CREATE, candidate(owner))) for key in keys]


def count(owner: str, keys: list[str]) -> list[int]:
    """Keep a step of our own after a look, under the revision, until no write came between."""
    store: Store = _here["store"]
    tries = []
    for key in keys:
        _here["start"].wait(PATIENCE)
        for number in range(PATIENCE):
            head = _read(key)
            change = Change(
                set={("op", "steps", f"{owner}#0"): {"s": "D"}},
                append={"recent": owner},
            )
            if store.write(key, Write(Equals(("w",), head.revision), change)).applied:
                tries.append(number + 1)
                break
    return tries


def _read(key: str) -> Head:
    store: Store = _here["store"]
    head = store.read(key)
    assert head is not None
    return head
