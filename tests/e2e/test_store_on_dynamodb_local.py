"""The store's contract on Amazon's own engine: through boto3, and without it."""

from typing import Any

import pytest

from cfn_once.ledger import Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from ledger.engines import IN_LAMBDA
from ledger.test_store_contract import StoreContract as _Contract
from support.dynamodb_local import DynamoDBLocal

pytestmark = pytest.mark.e2e


class TestThroughBoto3(_Contract):
    @pytest.fixture
    def store(self, engine: DynamoDBLocal) -> Store:
        client: Any = engine.client()
        return DynamoDBStore("ledger", client=client)


class TestWithoutBoto3(_Contract):
    @pytest.fixture
    def store(self, engine: DynamoDBLocal) -> Store:
        return DynamoDBStore("ledger", endpoint=engine.url, environ=IN_LAMBDA)
