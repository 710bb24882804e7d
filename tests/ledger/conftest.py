"""Ledgers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cfn_once.ledger import MemoryStore, Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.namespace import Namespace
from cfn_once.ledger.sqlite import SQLiteStore
from ledger.engines import IN_LAMBDA, SaysNothing, keep_to_one_thread, make_table
from support.ministack import MiniStack

STORES = (
    "memory",
    "sqlite",
    "ministack",
    "ministack, without boto3",
    "ministack that does not say what refused",
    "moto",
    "namespace",
)


@pytest.fixture(scope="session")
def dynamodb(ministack: MiniStack) -> Any:
    """A client of MiniStack's DynamoDB, which tests share: making one takes longer than a test."""
    return ministack.client("dynamodb")


@pytest.fixture(scope="session")
def table(dynamodb: Any) -> str:
    """A table on MiniStack; tests take keys that no other test takes."""
    return make_table(dynamodb, "ledger-of-tests")


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    """A client of moto's DynamoDB with a table named "ledger"; for this thread alone.

    Requests to MiniStack pass moto by: it knows them by the host.
    """
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        client = keep_to_one_thread(boto3.client("dynamodb", region_name="us-east-1"))
        make_table(client, "ledger")
        yield client


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key for this test alone, in a table that all share."""
    return f"r{request.node.nodeid}"


@pytest.fixture(params=STORES)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store in turn."""
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return SQLiteStore(tmp_path / "ledger.sqlite3", synchronous="NORMAL")
        case "namespace":
            return Namespace(MemoryStore(), "new", formerly="old")
        case "moto":
            return DynamoDBStore("ledger", client=request.getfixturevalue("moto"))
    table = request.getfixturevalue("table")
    if request.param == "ministack, without boto3":
        url = request.getfixturevalue("ministack").url
        return DynamoDBStore(table, endpoint=url, environ=IN_LAMBDA)
    client = request.getfixturevalue("dynamodb")
    silent = request.param != "ministack"
    return DynamoDBStore(table, client=SaysNothing(client) if silent else client)
