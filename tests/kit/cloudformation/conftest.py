"""A far side that counts, a resource on it, and stacks that must leave nothing behind."""

from dataclasses import dataclass, field

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeCloudFormation


@dataclass(frozen=True)
class GroupProperties:
    Name: str
    Size: int = 1


@dataclass
class FarSide:
    """What was made, what lives, and which properties it has."""

    made: list[str] = field(default_factory=list)
    live: dict[str, str] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    stuck: int = 0

    def make(self, token: str) -> dict:
        self.made.append(f"g-{len(self.made) + 1}")
        self.live[self.made[-1]] = token
        return {"id": self.made[-1]}

    def find(self, token: str) -> dict | None:
        return next(({"id": one} for one, tag in self.live.items() if tag == token), None)

    def remove(self, name: str) -> None:
        if self.stuck:
            self.stuck -= 1
            raise RuntimeError("still in use")
        self.live.pop(name, None)

    def check(self) -> None:
        if self.fails:
            raise self.fails.pop(0)


@pytest.fixture
def far_side():
    return FarSide()


@pytest.fixture
def group(far_side):
    """A resource of one object: looked up when in doubt, replaced when its name changes."""

    class Group(CustomResource[GroupProperties, dict]):
        replace_on = {"Name"}

        def create(self):
            made = self.step("group", self.make, find=lambda step: far_side.find(step.token))
            self.physical_resource_id = made["id"]
            far_side.check()
            return self.told()

        def make(self, step):
            return far_side.make(step.token)

        def told(self):
            return {"Id": self.physical_resource_id, "Size": self.properties.Size, "On": True}

        def update(self):
            self.step("size", lambda step: far_side.sizes.append(self.properties.Size), repeat=True)
            far_side.check()
            return self.told()

        def delete(self):
            self.step(
                "remove", lambda step: far_side.remove(self.physical_resource_id), repeat=True
            )

    return Group


@pytest.fixture
def provider(group):
    return Provider(group, ledger="memory://")


@pytest.fixture
def cloudformation(provider, far_side):
    with FakeCloudFormation(provider) as stack:
        yield stack
        stack.settle()

        assert [] == stack.unanswered
        assert set(far_side.live) == {
            one.physical_resource_id for one in [*stack.resources.values(), *stack.orphans]
        }
