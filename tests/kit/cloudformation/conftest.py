"""An API that counts, a resource on it, and stacks that must leave nothing behind."""

import pytest

from cfn_once import Provider
from cfn_once.testing import FakeCloudFormation
from support.groups import Groups, group_of


@pytest.fixture
def external_api():
    return Groups("g")


@pytest.fixture
def group(external_api):
    return group_of(external_api)


@pytest.fixture
def provider(group):
    return Provider(group, ledger="memory://")


@pytest.fixture
def cloudformation(provider, external_api):
    with FakeCloudFormation(provider) as stack:
        yield stack
        stack.settle()

        assert [] == stack.unanswered
        assert set(external_api.objects) == {
            resource.physical_resource_id
            for resource in [*stack.resources.values(), *stack.orphans]
        }
