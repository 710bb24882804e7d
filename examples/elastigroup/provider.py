"""Custom::Elastigroup: a Spot Elastigroup, made once, however often its event comes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal

from requests import HTTPError, Response

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True)
class CapacityOptions:
    Minimum: int
    Maximum: int
    Target: int


@dataclass(frozen=True)
class StrategyOptions:
    Risk: int = 100  # per cent of the group that runs on Spot
    FallbackToOd: bool = True
    AvailabilityVsCost: Literal[
        "availabilityOriented", "balanced", "cheapest", "costOriented", "equalAzDistribution"
    ] = "balanced"
    DrainingTimeout: int | None = None  # seconds


@dataclass(frozen=True)
class InstanceTypeOptions:
    Ondemand: str
    Spot: list[str]


@dataclass(frozen=True)
class LaunchOptions:
    ImageId: str
    SecurityGroupIds: list[str]
    KeyPair: str | None = None
    UserData: str | None = None  # in base64


@dataclass(frozen=True)
class RollOptions:
    BatchSizePercentage: int
    GracePeriod: int = 300  # seconds


@dataclass(frozen=True)
class ElastigroupProperties:
    AccessTokenSecret: str  # the ARN of the secret, never the token
    Name: str
    Product: Literal["Linux/UNIX", "Red Hat Enterprise Linux", "SUSE Linux", "Windows"]
    Capacity: CapacityOptions
    SubnetIds: list[str]
    InstanceTypes: InstanceTypeOptions
    LaunchSpecification: LaunchOptions
    Strategy: StrategyOptions = StrategyOptions()
    RollOnUpdate: RollOptions | None = None  # how to replace instances that an Update outdates
    AccountId: str = ""


@dataclass(frozen=True)
class ElastigroupAttributes:
    GroupId: str


class Elastigroup(CustomResource[ElastigroupProperties, ElastigroupAttributes]):
    """A Spot Elastigroup."""

    replace_on = {"AccountId", "Product"}

    def create(self) -> ElastigroupAttributes:
        self.sign_in()
        self.physical_resource_id = self.step("group", self.post, find=self.find)
        return ElastigroupAttributes(GroupId=self.physical_resource_id)

    def update(self) -> ElastigroupAttributes:
        self.sign_in()
        changes = difference(group(self.properties), group(self.old_properties))
        if changes:
            self.http.put(self.url, json={"group": changes})
        if "compute" in changes and self.properties.RollOnUpdate is not None:
            roll = spell(self.properties.RollOnUpdate)
            self.http.put(f"{self.url}/roll", json=roll, once=True)  # each PUT rolls again
        return ElastigroupAttributes(GroupId=self.physical_resource_id)

    def delete(self) -> None:
        self.sign_in()
        try:
            self.http.delete(self.url)  # what is gone already is done: 404 is no error here,
        except HTTPError as error:  # and Spot may say it in a 400
            if "GROUP_DOESNT_EXIST" not in error.response.text:
                raise

    def post(self, step: Step) -> str:
        wanted = group(self.properties)
        wanted["compute"]["launchSpecification"]["tags"] = [tag(step)]
        return str(items(self.http.post(groups_url(), json={"group": wanted}))[0]["id"])

    def find(self, step: Step) -> str | None:
        """Look for what this step made; a group that is to be replaced bears another token."""
        for item in items(self.http.get(groups_url())):
            launch = item["compute"].get("launchSpecification") or {}
            if tag(step) in (launch.get("tags") or []):
                return str(item["id"])
        return None

    def sign_in(self) -> None:
        """Read the access token, before any step: a refusal leaves nothing in doubt."""
        secrets = self.client("secretsmanager")
        token = secrets.get_secret_value(SecretId=self.properties.AccessTokenSecret)["SecretString"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        if self.properties.AccountId:
            self.http.params = {"accountId": self.properties.AccountId}

    @property
    def url(self) -> str:
        return f"{groups_url()}/{self.physical_resource_id}"


def groups_url() -> str:
    return os.environ.get("SPOT_API_URL", "https://api.spotinst.io") + "/aws/ec2/group"


def items(response: Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["response"]["items"]
    return found


def tag(step: Step) -> dict[str, str]:
    return {"tagKey": "cfn-once:step", "tagValue": step.token}


def group(properties: ElastigroupProperties) -> dict[str, Any]:
    """Describe a group in Spot's words; an old property that fits no more is None."""
    part = {
        name: spell(getattr(properties, name, None))
        for name in ElastigroupProperties.__dataclass_fields__
    }
    return {
        "name": part["Name"],
        "capacity": part["Capacity"],
        "strategy": part["Strategy"],
        "compute": {
            "product": part["Product"],
            "subnetIds": part["SubnetIds"],
            "instanceTypes": part["InstanceTypes"],
            "launchSpecification": part["LaunchSpecification"],
        },
    }


def spell(value: Any) -> Any:
    """Spell options as Spot does, ImageId as imageId; what is not given is left out."""
    if not is_dataclass(value):
        return value
    given = {name: var for name, var in vars(value).items() if var is not None}
    return {name[0].lower() + name[1:]: pair for name, pair in given.items()}


def difference(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Say what makes the new group of the old one; what is gone is null."""
    said: dict[str, Any] = {}
    for name in {**old, **new}:
        before, now = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            before, now = {}, difference(now, before)
        if now != before:
            said[name] = now
    return said


provider = Provider(Elastigroup)
