"""Three types of one HTTP API: the services, routes and consumers of an API gateway."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import Meta

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True, kw_only=True)
class OfGateway:
    """What every type of the API is asked for."""

    Url: Annotated[str, Meta(pattern="^https?://.+[^/]$")]  # of the gateway's own API


@dataclass(frozen=True, kw_only=True)
class ServiceProperties(OfGateway):
    Name: str
    Host: str
    Port: Annotated[int, Meta(ge=1, le=65535)] = 443
    Protocol: Literal["http", "https"] = "https"


@dataclass(frozen=True, kw_only=True)
class RouteProperties(OfGateway):
    ServiceId: str
    Paths: list[str]
    Methods: list[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ConsumerProperties(OfGateway):
    Username: str


@dataclass(frozen=True)
class ItemAttributes:
    Id: str


P = TypeVar("P", bound=OfGateway)


class Item(ABC, CustomResource[P, ItemAttributes]):
    """
    What the types have in common.

    The API takes no token for a POST, so each item gets the step's token as its tag, by which it
    is found again.
    """

    replace_on = {"Url"}
    collection: ClassVar[str]

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Describe the item in the API's words."""

    def create(self) -> ItemAttributes:
        self.physical_resource_id = self.step("item", self.post, find=self.find)
        return ItemAttributes(Id=self.physical_resource_id)

    def post(self, step: Step) -> str:
        made = self.http.post(self.items, json={**self.body(), "tag": step.token})
        return str(made.json()["id"])

    def find(self, step: Step) -> str | None:
        found = self.http.get(self.items, params={"tag": step.token}).json()
        return str(found[0]["id"]) if found else None

    def update(self) -> ItemAttributes:
        # The whole item each time: a second PATCH leaves what the first one has left.
        self.http.patch(self.item, json=self.body(), repeat=True)
        return ItemAttributes(Id=self.physical_resource_id)

    def delete(self) -> None:
        self.http.delete(self.item)

    @property
    def items(self) -> str:
        return f"{self.properties.Url}/{self.collection}"

    @property
    def item(self) -> str:
        return f"{self.items}/{self.physical_resource_id}"


class GatewayService(Item[ServiceProperties]):
    """A service behind the gateway."""

    collection = "services"

    def body(self) -> dict[str, Any]:
        wanted = self.properties
        return {
            "name": wanted.Name,
            "host": wanted.Host,
            "port": wanted.Port,
            "protocol": wanted.Protocol,
        }


class GatewayRoute(Item[RouteProperties]):
    """A way to a service; a route to another service is another route."""

    replace_on = {"Url", "ServiceId"}
    collection = "routes"

    def body(self) -> dict[str, Any]:
        wanted = self.properties
        return {"service": wanted.ServiceId, "paths": wanted.Paths, "methods": wanted.Methods}


class GatewayConsumer(Item[ConsumerProperties]):
    """Somebody who may call the gateway."""

    collection = "consumers"

    def body(self) -> dict[str, Any]:
        return {"username": self.properties.Username}


provider = Provider(GatewayService, GatewayRoute, GatewayConsumer)
