"""The store's contract on Amazon's own engine: through boto3, and without it."""

from collections.abc import Iterator
from typing import Any

import pytest

from cfn_once.ledger import Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from ledger.engines import IN_LAMBDA, make_table
from ledger.test_store_contract import StoreContract as _Contract
from support.dynamodb_local import DynamoDBLocal, missing

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engine() -> Iterator[DynamoDBLocal]:
    if why := missing():
        pytest.skip(why)
    with DynamoDBLocal() as engine:
        make_table(engine.client(), "ledger")
        yield engine


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"r{request.node.nodeid}"


class TestThroughBoto3(_Contract):
    @pytest.fixture
    def store(self, engine: DynamoDBLocal) -> Store:
        client: Any = engine.client()
        return DynamoDBStore("ledger", client=client)


class TestWithoutBoto3(_Contract):
    @pytest.fixture
    def store(self, engine: DynamoDBLocal) -> Store:
        return DynamoDBStore("ledger", endpoint=engine.url, environ=IN_LAMBDA)
