"""The providers whose types the templates beside this file use."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from pydantic import BaseModel, Field, SecretStr

from cfn_once import CustomResource, Provider, Secret


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True)
class Tag:
    Key: str
    Value: str = ""


@dataclass(frozen=True)
class Login:
    User: str
    Password: Annotated[str, Secret]


@dataclass(frozen=True)
class GroupProperties:
    Name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{2,30}$")]
    Product: Literal["Linux/UNIX", "Windows"]
    Target: Annotated[int, msgspec.Meta(ge=0, le=100)]
    Kind: Size = Size.SMALL
    Zones: Literal[1, 2, 3] = 1
    Ratio: Annotated[float, msgspec.Meta(gt=0)] | None = None
    Step: Annotated[int, msgspec.Meta(multiple_of=5)] = 5
    Spot: bool = True
    Note: Annotated[str, msgspec.Meta(min_length=2, max_length=8)] = "none"
    Token: Annotated[str, Secret] = ""
    Tags: Annotated[list[Tag], msgspec.Meta(max_length=2)] = field(default_factory=list)
    Logins: list[Login] = field(default_factory=list)
    Labels: dict[str, str] = field(default_factory=dict)
    Either: int | list[int] = 0


@dataclass(frozen=True)
class Endpoint:
    Host: str
    Port: int


@dataclass(frozen=True)
class GroupAttributes:
    GroupId: str
    Capacity: int
    Endpoint: Endpoint
    Labels: dict[str, str]


class Group(CustomResource[GroupProperties, GroupAttributes]):
    """A group of instances."""

    replace_on = {"Product", "Kind"}

    def create(self):
        return GroupAttributes("g", 1, Endpoint("h", 1), {})

    def update(self):
        return self.create()

    def delete(self):
        pass


class Zone(BaseModel):
    Name: str
    Password: SecretStr
    Ttl: int = Field(default=60, ge=30, alias="TTL")


class Named(CustomResource[Zone, dict[str, Any]]):
    def create(self):
        return {}

    delete = None


class Settings(TypedDict):
    Region: str
    Account: NotRequired[str]


class Plain(CustomResource[Settings, None]):
    allow_unknown = True
    every = timedelta(hours=1)

    def create(self):
        pass

    delete = None


class Loose(CustomResource[dict, dict]):
    def create(self):
        return {}

    delete = None


provider = Provider(Group, Named, Plain, Loose, ledger="memory://")
