"""The API as a user writes it: type-checked, never run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar, assert_type

import msgspec
import pydantic
import requests
from msgspec import Meta

from cfn_once import (
    ConfigurationError,
    CustomResource,
    DeliveryError,
    HookError,
    InDoubt,
    InProgress,
    Json,
    LedgerUnavailable,
    PermanentError,
    Provider,
    Request,
    RequestType,
    Secret,
    Step,
    StepFailed,
    Store,
    TemporaryError,
)
from cfn_once.testing import Answer, FakeCloudFormation, VirtualClock

API = "https://api.example.com"


class Pricing(Enum):
    CHEAP = "cheap"
    FAST = "fast"


@dataclass(frozen=True)
class Capacity:
    Target: Annotated[int, Meta(ge=0)]
    Maximum: int | None = None


@dataclass(frozen=True)
class GroupProperties:
    Name: str
    Capacity: Capacity
    Product: Literal["Linux/UNIX", "Windows"] = "Linux/UNIX"
    Strategy: Pricing = Pricing.CHEAP
    Zones: list[str] = field(default_factory=list[str])
    Tags: dict[str, str] = field(default_factory=dict[str, str])
    Token: Annotated[str, Secret] = ""
    Options: dict[str, Json] = field(default_factory=dict[str, Json])
    Secrets: Annotated[list[str], Secret()] = field(default_factory=list[str])


class Queues:
    """A client, as boto3-stubs has them."""


@dataclass(frozen=True)
class GroupAttributes:
    GroupId: str


class Group(CustomResource[GroupProperties, GroupAttributes]):
    """A group of machines."""

    resource_type = "Custom::Group"
    replace_on = {"Product"}
    honours_idempotency_key = {API: timedelta(hours=24)}

    def create(self) -> GroupAttributes:
        assert_type(self.properties, GroupProperties)
        assert_type(self.properties.Capacity.Target, int)
        assert_type(self.time_left, float)
        assert_type(self.correlation_id, str)
        made = self.step("group", self.make, find=self.find, window=timedelta(hours=1))
        assert_type(made, dict[str, str])
        self.physical_resource_id = made["id"]
        assert_type(self.step("named", lambda step: step.token), str)
        self.step("user", lambda step: None, refused=(KeyError, ValueError))
        assert_type(self.value("at", lambda: 1.5), float)
        assert_type(self.wait_until(self.look), str)
        assert_type(self.wait_until(lambda: self.look() or False), str)
        assert_type(self.wrap(Queues(), once={"Send"}), Queues)
        self.step("mail", lambda step: step.token, once=True, secret=True, undo=self.unmail)
        self.client("ssm", repeat={"PutParameter"}).put_parameter(Name="x", Value="y")
        self.client("sns", once={"Publish"}, region_name="eu-west-1").publish(Message="x")
        self.log.info("made %s", self.physical_resource_id)
        return GroupAttributes(GroupId=self.physical_resource_id)

    def look(self) -> str | None:
        return None

    def make(self, step: Step) -> dict[str, str]:
        assert_type(step.token, str)
        assert_type(step.correlation_id, str)
        answer = self.http.post(f"{API}/groups", json={"tag": step.token})
        assert_type(answer, requests.Response)
        made: dict[str, str] = answer.json()
        return made

    def find(self, step: Step) -> dict[str, str] | None:
        groups: list[dict[str, str]] = self.http.get(f"{API}/groups").json()
        return next((group for group in groups if group["tag"] == step.token), None)

    def unmail(self, result: Any) -> None:
        self.http.delete(f"{API}/mails/{result}", once=True)

    def update(self) -> GroupAttributes | None:
        assert_type(self.old_properties, GroupProperties)
        assert_type(self.changed, frozenset[str])
        assert_type(self.replaced_ids, tuple[str, ...])
        assert_type(self.is_rollback, bool)
        assert_type(self.raw_properties, Mapping[str, Any])
        if "Capacity" in self.changed:
            self.http.put(f"{API}/groups/1", json={}, find=self.find)
            self.http.patch(f"{API}/groups/1", json={}, repeat=True)
            found = self.http.post(API, find=self.find, window=timedelta(hours=1))
            assert_type(found, requests.Response | dict[str, str])
            self.client("ssm", find={"SendCommand": self.find}, window={"X": timedelta(1)})
        return None

    def replaces(self) -> bool:
        return super().replaces() or self.properties.Name != self.old_properties.Name

    def delete(self) -> None:
        assert_type(self.recovered, bool)
        assert_type(self.partial, Mapping[str, Any])
        assert_type(self.request, Request)
        assert_type(self.request.type, RequestType)
        self.http.delete(f"{API}/groups/{self.physical_resource_id}")


class Database(msgspec.Struct, frozen=True, rename="pascal"):
    engine: str
    size: int = 1


class DatabaseResource(CustomResource[Database, dict[str, Any]]):
    allow_unknown = True
    no_echo = True
    unresolved = "fail"
    delete = None

    def create(self) -> dict[str, Any]:
        assert_type(self.properties, Database)
        return {"Size": self.properties.size}


class Mail(pydantic.BaseModel):
    Sender: str


class MailResource(CustomResource[Mail, None]):
    def create(self) -> None:
        assert_type(self.properties, Mail)
        if not self.properties.Sender:
            raise PermanentError("no sender")
        raise TemporaryError("not yet")

    def delete(self) -> None:
        try:
            self.step("remove", lambda _: None, repeat=True)
        except (StepFailed, InDoubt) as error:
            assert_type(error, StepFailed | InDoubt)
            known: HookError = error
            raise PermanentError(str(known)) from error


class Keyed(TypedDict):
    Name: str


class KeyedResource(CustomResource[Keyed, Keyed]):
    delete = None

    def create(self) -> Keyed:
        assert_type(self.properties, Keyed)
        return {"Name": self.properties["Name"]}


P = TypeVar("P")


class Ours(CustomResource[P, GroupAttributes], Generic[P]):
    """A base class of a user's own."""

    def delete(self) -> None:
        self.log.info("gone")


class Derived(Ours[GroupProperties]):
    def create(self) -> GroupAttributes:
        assert_type(self.properties, GroupProperties)
        return GroupAttributes(GroupId="1")


provider = Provider(
    Group,
    DatabaseResource,
    MailResource,
    KeyedResource,
    Derived,
    ledger="dynamodb://ledger",
    response_hosts=["localhost:4566"],
    accounts=["123456789012"],
    allow_local_ledger=False,
)
assert_type(provider({"RequestType": "Create"}, None), dict[str, Any] | None)
assert_type(provider.resource_types, tuple[str, ...])


def with_a_store(store: Store) -> Provider:
    return Provider(Group, ledger=store, clock=VirtualClock())


def handler(event: Any, context: Any) -> dict[str, Any] | None:
    try:
        return provider(event, context)
    except (InProgress, LedgerUnavailable, DeliveryError, ConfigurationError):
        return None


def test_a_group() -> None:
    cloudformation = FakeCloudFormation(provider)
    answer = cloudformation.create("Group", {"Name": "x", "Capacity": {"Target": 1}})
    assert_type(answer, Answer)
    assert_type(answer.succeeded, bool)
    assert_type(answer.data, Mapping[str, Any])
    assert_type(cloudformation.delete_stack(), list[Answer])


def test_a_schema() -> Sequence[Any]:
    return [Group.property_schema(), Group.attribute_schema()]
