"""Custom::Monitor as a class: what index.py does, in steps."""

import os
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True)
class MonitorProperties:
    Address: str
    Interval: Annotated[int, Meta(ge=10)] = 60  # seconds


@dataclass(frozen=True)
class MonitorAttributes:
    MonitorId: str


class Monitor(CustomResource[MonitorProperties, MonitorAttributes]):
    """Somebody who looks at an address, again and again."""

    def create(self) -> MonitorAttributes:
        self.physical_resource_id = self.step("monitor", self.post, find=self.find)
        return MonitorAttributes(MonitorId=self.physical_resource_id)

    def post(self, step: Step) -> str:
        made = self.http.post(monitors(), json={**self.wanted(), "note": step.token})
        return str(made.json()["id"])

    def find(self, step: Step) -> str | None:
        found = self.http.get(monitors(), params={"note": step.token}).json()
        return str(found[0]["id"]) if found else None

    def update(self) -> MonitorAttributes:
        self.http.put(self.url, json=self.wanted())
        return MonitorAttributes(MonitorId=self.physical_resource_id)

    def delete(self) -> None:
        self.http.delete(self.url)

    def wanted(self) -> dict[str, Any]:
        return {"address": self.properties.Address, "interval": self.properties.Interval}

    @property
    def url(self) -> str:
        return f"{monitors()}/{self.physical_resource_id}"


def monitors() -> str:
    return os.environ["MONITOR_API"] + "/monitors"


provider = Provider(Monitor)
