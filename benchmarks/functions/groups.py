"""A provider of groups, made in three ways; its ledger comes from CFN_ONCE_LEDGER."""

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from cfn_once import CustomResource, Provider

API = os.environ["API"]


@dataclass(frozen=True)
class Properties:
    Name: str


@dataclass(frozen=True)
class Attributes:
    GroupId: str


class WithFind(CustomResource[Properties, Attributes]):
    """What a call in doubt has made is looked up."""

    def create(self):
        group = self.make()
        self.physical_resource_id = group["id"]
        while not self.http.get(f"{API}/groups/{group['id']}").json()["ready"]:
            time.sleep(0.5)
        return Attributes(GroupId=group["id"])

    def make(self):
        return self.step("group", self.post, find=self.find)

    def post(self, step):
        body = {"name": self.properties.Name, "tag": step.token}
        return self.http.post(f"{API}/groups", json=body).json()

    def find(self, step):
        return next(iter(self.http.get(f"{API}/groups", params={"tag": step.token}).json()), None)

    def delete(self):
        self.http.delete(f"{API}/groups/{self.physical_resource_id}")


class WithToken(WithFind):
    """The API honours `Idempotency-Key`, and the class says so."""

    honours_idempotency_key: ClassVar = {API: timedelta(hours=24)}

    def make(self):
        return self.http.post(f"{API}/groups", json={"name": self.properties.Name}).json()


class Plain(WithFind):
    """The API can tell nothing."""

    def make(self):
        return self.http.post(f"{API}/groups", json={"name": self.properties.Name}).json()


provider = Provider(WithFind, WithToken, Plain)
