"""A far side that counts, and a resource whose hooks make things there."""

from dataclasses import dataclass, field

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeCloudFormation


@dataclass
class Groups:
    """A far side: what was made, what lives, and under which token."""

    made: list[str] = field(default_factory=list)
    live: dict[str, str] = field(default_factory=dict)
    updates: list[tuple[str, int]] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def make(self, token: str) -> dict:
        number = f"sig-{len(self.made) + 1}"
        self.made.append(number)
        self.live[number] = token
        return {"id": number}

    def find(self, token: str) -> dict | None:
        return next(({"id": one} for one, tag in self.live.items() if tag == token), None)

    def remove(self, number: str) -> None:
        self.deletes.append(number)
        self.live.pop(number, None)

    def check(self) -> None:
        if self.fails:
            raise self.fails.pop(0)


@dataclass(frozen=True)
class GroupProperties:
    Product: str
    Target: int = 1
    Tags: tuple[str, ...] = ()


@pytest.fixture
def groups():
    """A far side of which every test must leave nothing behind that it does not name."""
    return Groups()


@pytest.fixture
def group_class(groups):
    """A resource that is looked up when in doubt, and whose second half may fail."""

    class Group(CustomResource[GroupProperties, dict]):
        replace_on = {"Product"}

        def create(self):
            made = self.step("group", self.make, find=self.find)
            self.physical_resource_id = made["id"]
            groups.check()
            return {"GroupId": made["id"]}

        def make(self, step):
            return groups.make(step.token)

        def find(self, step):
            return groups.find(step.token)

        def update(self):
            groups.updates.append((self.physical_resource_id, self.properties.Target))
            groups.check()
            return {"GroupId": self.physical_resource_id}

        def delete(self):
            self.step("remove", lambda step: groups.remove(self.physical_resource_id), repeat=True)

    return Group


@pytest.fixture
def provider(group_class):
    return Provider(group_class, ledger="memory://")


@pytest.fixture
def cloudformation(provider, groups):
    """A stack; what it still holds at the end is all that lives on the far side."""
    fake = FakeCloudFormation(provider)
    yield fake
    held = {one.physical_resource_id for one in fake.resources.values()}

    assert held == set(groups.live)
