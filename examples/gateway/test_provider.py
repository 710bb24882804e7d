"""Services, routes and consumers, as CloudFormation, Lambda and the gateway's API meet them."""

from collections.abc import Iterator, Mapping

import pytest

from cfn_once import Json
from cfn_once.testing import ApiError, FakeApi, FakeCloudFormation, Faults, assert_safe

from .provider import provider

SERVICE, ROUTE, CONSUMER = (f"Custom::Gateway{kind}" for kind in ("Service", "Route", "Consumer"))


class Gateway(FakeApi):
    """The gateway's API: usernames are unique, and no route leads to a service that is not there.

    It was there before us, and has a consumer of somebody else's.
    """

    def reset(self) -> None:
        super().reset()
        self.objects["theirs"] = {"username": "mobile"}

    def create(self, properties: Mapping[str, Json], *, token: str | None = None) -> str:
        asked = dict(properties)
        if "service" in asked and asked["service"] not in self.objects:
            raise ApiError(400, f"there is no service {asked['service']}")
        names = [held["username"] for held in self.objects.values() if "username" in held]
        if asked.get("username") in names:
            raise ApiError(409, f"there is a consumer {asked['username']}")
        return super().create(asked, token=token)

    def delete(self, id: str) -> bool:  # noqa: A002 - the kit's name
        if any(held.get("service") == id for held in self.objects.values()):
            raise ApiError(400, f"there are routes to {id}")
        return super().delete(id)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(tokens=False) as gateway:
        gateway.reset()
        yield gateway


@pytest.fixture
def cloudformation(gateway: Gateway) -> Iterator[FakeCloudFormation]:
    """A stack that is deleted at last, and must leave what was there before, and nothing else."""
    cloudformation = FakeCloudFormation(provider)
    yield cloudformation
    cloudformation.delete_stack()
    assert ["theirs"] == list(gateway.objects)


@pytest.fixture
def service(gateway: Gateway) -> dict[str, Json]:
    return {"Url": gateway.url, "Name": "shop", "Host": "shop.internal"}


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault(gateway: Gateway, service: dict[str, Json]) -> None:
    """Each item is made once, and none is left, whatever befalls a service and its route."""

    def life(stack: FakeCloudFormation) -> None:
        at = {"Url": gateway.url, "ServiceTimeout": "900"}
        stack.create("Service", {**service, **at}, resource_type=SERVICE)
        route = {**at, "ServiceId": stack.ref("Service"), "Paths": ["/shop"]}
        stack.create("Route", route, resource_type=ROUTE)
        stack.update("Route", {**route, "Paths": ["/store"]})
        stack.delete("Route")
        stack.delete("Service")

    checked = assert_safe(provider, life, gateway)

    assert checked.complete


def test_a_stack_whose_requests_come_three_times(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """Every item is made once, by the class of its type, and refers to what the others answered."""
    times = Faults(times=3)
    made = cloudformation.create("Service", service, resource_type=SERVICE, **times)
    route = {"Url": gateway.url, "ServiceId": made.data["Id"], "Paths": ["/shop"]}
    cloudformation.create("Route", route, resource_type=ROUTE, **times)
    consumer = {"Url": gateway.url, "Username": "web"}
    cloudformation.create("Consumer", consumer, resource_type=CONSUMER, **times)

    first, second, third = (gateway.objects[name] for name in gateway.created)
    assert ("shop", "shop.internal", 443) == (first["name"], first["host"], first["port"])
    assert (made.data["Id"], ["/shop"]) == (second["service"], second["paths"])
    assert "web" == third["username"]
    assert 9 == len(cloudformation.answers)


@pytest.mark.parametrize("acted", [True, False])
def test_a_create_whose_answer_is_lost(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json], acted: bool
) -> None:
    """What was made is found by its tag; what was not is asked for again."""
    gateway.fail("create", after=acted)

    answer = cloudformation.create("Service", service, resource_type=SERVICE)

    assert gateway.created == [answer.data["Id"]]


@pytest.mark.parametrize("when", [Faults(crash_before="item"), Faults(crash_after="item")], ids=str)
def test_a_create_whose_process_died(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json], when: Faults
) -> None:
    """Lambda's next delivery finds the item, or makes it."""
    answer = cloudformation.create("Service", service, resource_type=SERVICE, **when)

    assert gateway.created == [answer.data["Id"]]


def test_an_update_whose_answer_is_lost(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """It is sent again: it is the whole item each time, and so leaves the same."""
    made = cloudformation.create("Service", service, resource_type=SERVICE)
    gateway.fail("update", after=True)

    answer = cloudformation.update("Service", {**service, "Port": 8443})

    assert answer.succeeded
    assert 8443 == gateway.objects[made.data["Id"]]["port"]
    assert ["update"] * 2 == [
        call.operation for call in gateway.calls if call.operation != "create"
    ]


def test_an_update_that_is_rolled_back(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """The item is as it was."""
    made = cloudformation.create("Service", service, resource_type=SERVICE)
    before = dict(gateway.objects[made.data["Id"]])

    cloudformation.update_and_roll_back("Service", {**service, "Protocol": "http", "Port": 80})

    assert before == gateway.objects[made.data["Id"]]


def test_a_route_to_another_service(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """It is another route: the old one stays until the stack has been updated."""
    old, new = (
        cloudformation.create(name, {**service, "Name": name}, resource_type=SERVICE).data["Id"]
        for name in ("Old", "New")
    )
    route = {"Url": gateway.url, "ServiceId": old, "Paths": ["/shop"]}
    first = cloudformation.create("Route", route, resource_type=ROUTE)

    back = cloudformation.update_and_roll_back("Route", {**route, "ServiceId": new})
    assert back.physical_resource_id == first.physical_resource_id
    assert 1 == sum(held.get("service") == old for held in gateway.objects.values())
    gateway.fail("create", after=True)
    cloudformation.update("Route", {**route, "ServiceId": new}, times=2)

    assert [new] == [held["service"] for held in gateway.objects.values() if "service" in held]


def test_a_username_that_is_taken(cloudformation: FakeCloudFormation, gateway: Gateway) -> None:
    """The gateway refuses it for certain: nothing is looked up, and theirs is left alone."""
    consumer = {"Url": gateway.url, "Username": "mobile"}

    answer = cloudformation.create("Consumer", consumer, resource_type=CONSUMER)

    assert "FAILED" == answer.status
    assert answer.reason.startswith("409")
    assert [] == [call for call in gateway.calls if call.operation == "find"]


def test_a_service_with_routes_of_others(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """The gateway keeps it, CloudFormation says so, and the next Delete gets it."""
    made = cloudformation.create("Service", service, resource_type=SERVICE)
    gateway.objects["a route"] = {"service": made.data["Id"]}

    answer = cloudformation.delete("Service")

    assert "FAILED" == answer.status
    assert made.data["Id"] in gateway.objects
    del gateway.objects["a route"]


def test_a_type_that_is_not_served(
    cloudformation: FakeCloudFormation, gateway: Gateway, service: dict[str, Json]
) -> None:
    """The answer names the types that are."""
    answer = cloudformation.create("Plugin", service, resource_type="Custom::GatewayPlugin")

    assert "FAILED" == answer.status
    assert SERVICE in answer.reason
