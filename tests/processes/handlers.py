"""The functions that run in the processes: a provider with three ways of making a thing once."""

import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cfn_once import CustomResource, Provider, Step
from support.fast_clock import FastClock

logging.getLogger().setLevel(logging.INFO)

API = os.environ.get("API", "")


class Unwatched(FastClock):
    """Nobody answers for a hook that is stuck: these stories are of those that Lambda ends."""

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


@dataclass(frozen=True)
class Properties:
    Name: str


@dataclass(frozen=True)
class Attributes:
    GroupId: str


class LookedUp(CustomResource[Properties, Attributes]):
    """A group whose API can be asked what a call in doubt has made."""

    def create(self) -> Attributes:
        group = self.make()
        self.physical_resource_id = group["id"]
        url = f"{API}/groups/{group['id']}"
        self.http.put(url, json={"size": 3})
        while not self.http.get(url).json()["ready"]:
            time.sleep(0.1)
        return Attributes(GroupId=group["id"])

    def make(self) -> dict[str, Any]:
        return self.step("group", self.post, find=self.find)

    def post(self, step: Step) -> dict[str, Any]:
        asked = {"name": self.properties.Name, "tag": step.token}
        return self.http.post(f"{API}/groups", json=asked).json()

    def find(self, step: Step) -> dict[str, Any] | None:
        return next(iter(self.http.get(f"{API}/groups", params={"tag": step.token}).json()), None)

    def delete(self) -> None:
        self.http.delete(f"{API}/groups/{self.physical_resource_id}")


class Repeated(LookedUp):
    """A group whose API knows a token again: it is asked once more under the same one."""

    def make(self) -> dict[str, Any]:
        return self.step("group", self.post, window=timedelta(hours=24))


class Plain(LookedUp):
    """A group whose API can do neither."""

    def make(self) -> dict[str, Any]:
        return self.http.post(f"{API}/groups", json={"name": self.properties.Name}).json()


class Stuck(LookedUp):
    """A group whose hook does not come back the first time, and lets no other thread run."""

    def create(self) -> Attributes:
        group = self.make()
        self.physical_resource_id = group["id"]
        came_before = Path(os.environ["TMPDIR"]) / "came before"
        if not came_before.exists():
            came_before.touch()
            re.fullmatch("(a+)+b", 64 * "a")  # C code, for longer than anybody waits
        return Attributes(GroupId=group["id"])


provider = Provider(
    LookedUp, Repeated, Plain, clock=Unwatched.from_environment(), allow_local_ledger=True
)


managed = Provider(Stuck, clock=FastClock.from_environment(), allow_local_ledger=True)
ending = Provider(
    Stuck, clock=FastClock.from_environment(), allow_local_ledger=True, ends_process=True
)


def echo(event: Any, context: Any) -> Any:
    """Return, raise, end or sleep, as the event says; for the tests of the Runtime API itself."""
    match event["do"]:
        case "raise":
            raise ValueError("as asked")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(60)
    return {
        "request": context.aws_request_id,
        "process": os.getpid(),
        "left": context.get_remaining_time_in_millis() / 1000,
    }
