"""An API that counts, a resource on it, and stacks that must leave nothing behind."""

import pytest

from cfn_once import Provider
from cfn_once.testing import FakeCloudFormation
from support.groups import Groups, group_of


@pytest.fixture
def far_side():
    return Groups("g")


@pytest.fixture
def group(far_side):
    return group_of(far_side)


@pytest.fixture
def provider(group):
    return Provider(group, ledger="memory://")


@pytest.fixture
def cloudformation(provider, far_side):
    with FakeCloudFormation(provider) as stack:
        yield stack
        stack.settle()

        assert [] == stack.unanswered
        assert set(far_side.objects) == {
            resource.physical_resource_id
            for resource in [*stack.resources.values(), *stack.orphans]
        }
