"""An API that counts, and a resource whose hooks make things there."""

import pytest

from cfn_once import Provider
from cfn_once.testing import FakeCloudFormation
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


@pytest.fixture
def cloudformation(provider, groups):
    """A stack; what it still holds at the end is all that lives on the API."""
    fake = FakeCloudFormation(provider)
    yield fake
    held = {resource.physical_resource_id for resource in fake.resources.values()}

    assert held == set(groups.objects)
