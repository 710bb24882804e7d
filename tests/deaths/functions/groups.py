"""A provider of groups whose Create makes one, and then dies as the template says."""

import os
from dataclasses import dataclass

import settings
from dying import die

from cfn_once import CustomResource, Provider

settings.load()
API = os.environ["API"]


@dataclass(frozen=True)
class Properties:
    Name: str
    Death: str
    Where: str = "behind its steps"


@dataclass(frozen=True)
class Attributes:
    GroupId: str


class Group(CustomResource[Properties, Attributes]):
    def create(self):
        group = self.step("group", self.post, find=self.find)
        self.physical_resource_id = group["id"]
        if self.properties.Where == "in a step":
            self.step("ready", lambda _: die(self.properties.Death), repeat=True)
        else:
            die(self.properties.Death)
        return Attributes(GroupId=group["id"])

    def post(self, step):
        asked = {"name": self.properties.Name, "tag": step.token}
        return self.http.post(f"{API}/groups", json=asked).json()

    def find(self, step):
        return next(iter(self.http.get(f"{API}/groups", params={"tag": step.token}).json()), None)

    def delete(self):
        self.http.delete(f"{API}/groups/{self.physical_resource_id}")


provider = Provider(Group)
