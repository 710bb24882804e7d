"""An API that counts, and a resource whose hooks make things there."""

import pytest

from cfn_once import Provider
from cfn_once.ledger import open_store
from cfn_once.testing import FakeCloudFormation, sqs_event
from support.groups import Groups, group_of


@pytest.fixture
def groups():
    """An API on which every test must leave nothing behind that it does not name."""
    return Groups("sig")


@pytest.fixture
def group_class(groups):
    return group_of(groups)


@pytest.fixture
def provider(group_class):
    return Provider(group_class, ledger="memory://")


@pytest.fixture(params=["in memory", "in SQLite, by a queue"])
def on_two_ways(request, provider, tmp_path):
    """A stack on two ways to a ledger."""
    if request.param == "in memory":
        return FakeCloudFormation(provider)
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    ledger = open_store(url, in_lambda=False, allow_local=True)
    return FakeCloudFormation(provider, ledger=ledger, envelope=sqs_event)


@pytest.fixture
def cloudformation(provider, groups):
    """A stack; what it still holds at the end is all that lives on the API."""
    fake = FakeCloudFormation(provider)
    yield fake
    held = {resource.physical_resource_id for resource in fake.resources.values()}

    assert held == set(groups.objects)
