"""A provider, as small as one can be; its ledger comes from CFN_ONCE_LEDGER."""

from dataclasses import dataclass

from cfn_once import CustomResource, Provider


@dataclass(frozen=True)
class Properties:
    Name: str


@dataclass(frozen=True)
class Attributes:
    GroupId: str


class Group(CustomResource[Properties, Attributes]):
    def create(self):
        return Attributes(GroupId=self.physical_resource_id)

    def delete(self):
        pass


provider = Provider(Group)
