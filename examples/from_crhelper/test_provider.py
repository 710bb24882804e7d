"""Custom::Monitor, moved from crhelper and written anew, as CloudFormation and Lambda meet it."""

from collections.abc import Iterator

import pytest

from cfn_once import Json, Provider
from cfn_once.testing import FakeApi, FakeCloudFormation, Held, assert_safe

from .index import helper
from .provider import provider

KIND = "Custom::Monitor"
ASKED: dict[str, Json] = {"Address": "https://example.com", "Interval": "30"}
BOTH = pytest.mark.parametrize("served", [helper.provider, provider], ids=["moved", "as a class"])


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi(tokens=False, prefix="monitor") as api:
        monkeypatch.setenv("MONITOR_API", api.url)
        yield api


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault_of_the_class(api: FakeApi) -> None:
    """One monitor is made and none is left, whatever befalls its life."""
    changed = {**ASKED, "Interval": "60"}

    assert assert_safe(provider, ASKED, api, changed=changed).complete


@pytest.mark.no_cover
def test_every_single_fault_of_what_was_moved(api: FakeApi) -> None:
    """No monitor is made twice; one that its Create may have left is named as in doubt."""
    changed = {**ASKED, "Interval": "60"}

    checked = assert_safe(helper.provider, ASKED, api, changed=changed, allow_in_doubt=True)

    assert checked.complete


def test_what_is_lacking_in_what_was_moved(api: FakeApi) -> None:
    """Without that allowance, `assert_safe` tells the story of a monitor that is left."""
    with pytest.raises(AssertionError, match="in doubt: step create#0"):
        assert_safe(helper.provider, ASKED, api)


@BOTH
@pytest.mark.parametrize("at_once", [1, 2])
def test_requests_that_come_again(api: FakeApi, served: Provider, at_once: int) -> None:
    """Each request calls the API once, however often it is delivered, and also at the same time."""
    cloudformation = FakeCloudFormation(served)

    created = cloudformation.create(
        "Monitor", ASKED, resource_type=KIND, times=3, at_once=at_once, late=600
    )
    cloudformation.update("Monitor", {**ASKED, "Interval": "60"}, times=3, at_once=at_once)
    interval = [monitor["interval"] for monitor in api.objects.values()]
    cloudformation.delete("Monitor", times=3, at_once=at_once)
    cloudformation.wait(1200)  # the late copy of the Create comes when all is gone

    assert {"MonitorId": "monitor-1"} == created.data
    assert [60] == interval
    assert ["create", "update", "delete"] == [call.operation for call in api.calls]


@BOTH
def test_an_update_that_is_rolled_back(api: FakeApi, served: Provider) -> None:
    """The monitor is as it was."""
    cloudformation = FakeCloudFormation(served)
    cloudformation.create("Monitor", ASKED, resource_type=KIND)

    cloudformation.update_and_roll_back("Monitor", {**ASKED, "Interval": "60"})

    assert [30] == [monitor["interval"] for monitor in api.objects.values()]


@BOTH
def test_a_monitor_from_before(api: FakeApi, served: Provider) -> None:
    """One that crhelper's function made is changed and removed under its id."""
    made = api.create({"address": "https://example.com", "interval": 30})
    cloudformation = FakeCloudFormation(served)
    cloudformation.resources["Monitor"] = Held(KIND, made, ASKED, {})

    updated = cloudformation.update("Monitor", {**ASKED, "Interval": "60"})
    interval = api.objects[made]["interval"]
    cloudformation.delete_stack()

    assert (made, 60) == (updated.physical_resource_id, interval)
    assert {} == api.objects


def test_from_the_one_to_the_other(api: FakeApi) -> None:
    """The class takes over what the moved function made: the ledger and the ids stay."""
    cloudformation = FakeCloudFormation(helper.provider)
    created = cloudformation.create("Monitor", ASKED, resource_type=KIND)
    update = cloudformation.event("Update", "Monitor", {**ASKED, "Interval": "60"})

    answer = cloudformation.send(update, provider=provider)

    assert answer is not None
    assert answer.succeeded
    assert created.physical_resource_id == answer.physical_resource_id
    assert [60] == [monitor["interval"] for monitor in api.objects.values()]


def test_a_create_that_dies_after_its_post(api: FakeApi) -> None:
    """The difference: the class finds its monitor; nothing tells of the one of the function."""
    moved, anew = FakeCloudFormation(helper.provider), FakeCloudFormation(provider)

    first = moved.create("Monitor", ASKED, resource_type=KIND, crash_after="create")
    second = anew.create("Monitor", ASKED, crash_after="monitor")

    assert first.reason.startswith("in doubt: step create#0")
    assert ("SUCCESS", "monitor-2") == (second.status, second.physical_resource_id)
    assert ["monitor-1", "monitor-2"] == list(api.objects)
