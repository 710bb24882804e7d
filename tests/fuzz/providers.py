"""The provider that is fuzzed: typed and secret properties, and hooks that end in every way."""

import math
import os
from dataclasses import dataclass, field
from typing import Annotated, Any

from cfn_once import CustomResource, Provider, Secret, TemporaryError
from cfn_once.ledger import MemoryStore
from cfn_once.testing import VirtualClock
from support.taken import Taken


@dataclass(frozen=True)
class Wanted:
    Name: str
    Size: int = 1
    Tags: dict[str, str] = field(default_factory=dict)
    Password: Annotated[str, Secret] = ""
    Mode: str = "ok"


class Group(CustomResource[Wanted, dict[str, Any]]):
    resource_type = "Custom::elastigroup"
    replace_on = {"Name"}

    def create(self):
        made = self.step("make", lambda step: f"sig-{step.token[:8]}", find=lambda step: None)
        self.physical_resource_id = made
        return self.ends()

    def update(self):
        self.step("resize", lambda step: None, repeat=True)
        return self.ends()

    def delete(self):
        self.step("drop", lambda step: None, repeat=True)
        self.ends()

    def ends(self):
        said = self.properties.Password
        match self.properties.Mode:
            case "raises":
                raise ValueError(f"{said!r} is refused: login of {self.properties}")
            case "in a chain":
                try:
                    raise KeyError(said)
                except KeyError as error:
                    raise RuntimeError(f"no login with {said}") from error
            case "exits":
                raise SystemExit(f"{said} is no password")
            case "passes":
                raise TemporaryError(f"not yet for {said}")
            case "large":
                return {"Text": "ü" * 5000}
            case "no JSON":
                return {"Number": math.nan, "Set": {1}}
            case "long id":
                self.physical_resource_id = "i" * 3000
            case "secret step":
                self.step("login", lambda step: said, secret=True, repeat=True)
            case "step that fails":
                self.step("login", lambda step: int(said), once=True)
        return {"Size": self.properties.Size}


MODES = (
    *("ok",) * 4,
    *("raises", "in a chain", "exits", "passes", "large", "no JSON", "long id", "secret step"),
    "step that fails",
)


class FuzzClock(VirtualClock):
    """A clock that begins again with each batch."""

    def begin_again(self) -> None:
        self._now = VirtualClock().now()


class FuzzStore(MemoryStore):
    """A ledger that begins again with each batch."""

    def begin_again(self) -> None:
        self._texts.clear()


CLOCK, STORE, TAKEN = FuzzClock(), FuzzStore(), Taken()
provider = Provider(Group, ledger=STORE, clock=CLOCK).using(delivery=TAKEN)


def broken() -> None:
    """Fail as a module does that cannot be imported."""
    raise RuntimeError(f"cannot log in with {os.environ['API_TOKEN']}")
