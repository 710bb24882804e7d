"""An API of groups in this process, and a resource whose hooks call it, and fail when told."""

from dataclasses import dataclass

from cfn_once import CustomResource
from cfn_once._cloudformation.request import Json
from cfn_once.testing import FakeApi


class Groups(FakeApi):
    """Groups that are looked up by the token they were made under; the API knows no tokens.

    Attributes:
        fails: What the hooks raise once they have made their calls, one a hook.
    """

    def __init__(self, prefix: str) -> None:
        super().__init__(tokens=False, prefix=prefix)
        self.fails: list[Exception] = []

    def make(self, token: str) -> str:
        """Make a group, and return its id."""
        return self.create({"tag": token})

    @property
    def updates(self) -> list[tuple[str | None, Json]]:
        """Which groups were given which size, in order."""
        return [
            (call.id, call.properties["Target"])
            for call in self.calls
            if call.operation == "update"
        ]

    @property
    def deletes(self) -> list[str | None]:
        """Which groups were to be removed, in order."""
        return [call.id for call in self.calls if call.operation == "delete"]

    def check(self) -> None:
        """Let a hook fail, if it is to."""
        if self.fails:
            raise self.fails.pop(0)


@dataclass(frozen=True)
class GroupProperties:
    Product: str
    Target: int = 1
    Tags: tuple[str, ...] = ()


def group_of(groups: Groups) -> type[CustomResource[GroupProperties, dict]]:
    """Return a resource of one group: looked up when in doubt, replaced with its product."""

    class Group(CustomResource[GroupProperties, dict]):
        replace_on = {"Product"}

        def create(self):
            self.physical_resource_id = self.step("group", self.make, find=self.find)
            groups.check()
            return self.told()

        def told(self):
            size = self.properties.Target
            return {"GroupId": self.physical_resource_id, "Target": size, "On": True}

        def make(self, step):
            return groups.make(step.token)

        def find(self, step):
            return groups.find(tag=step.token)

        def update(self):
            size = {"Target": self.properties.Target}
            self.step(
                "size", lambda step: groups.update(self.physical_resource_id, size), repeat=True
            )
            groups.check()
            return self.told()

        def delete(self):
            self.step("remove", lambda step: groups.delete(self.physical_resource_id), repeat=True)

    return Group
