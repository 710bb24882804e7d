"""Custom::Image, as CloudFormation, Lambda and EC2 meet it."""

import boto3
import pytest

from cfn_once import DeliveryError
from cfn_once.testing import FakeCloudFormation, assert_safe

from .provider import provider
from .stand_in import Images

AMAZON = {"Owners": ["137112412989"], "Name": "al2023-*", "ServiceTimeout": "600"}
OCTOBER = {**AMAZON, "AsOf": "2026-10-31"}
NOVEMBER = {**AMAZON, "AsOf": "2026-11-30"}


@pytest.fixture
def images():
    yield Images()
    boto3.DEFAULT_SESSION = None  # which it listens to


@pytest.fixture
def cloudformation(images):
    """A stack that is deleted at last; nothing is asked for that."""
    cloudformation = FakeCloudFormation(provider)
    yield cloudformation
    asked = images.asked
    assert all(answer.succeeded for answer in cloudformation.delete_stack())
    assert asked == images.asked


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
@pytest.mark.parametrize("changed", [NOVEMBER, {**OCTOBER, "Name": "al*"}], ids=["newer", "same"])
def test_every_single_fault(images, changed):
    """Each request is answered, whatever befalls it."""
    checked = assert_safe(provider, OCTOBER, changed=changed)

    assert checked.complete


def test_a_create_that_comes_three_times(cloudformation):
    """It is the newest image of that owner, name and processor, up to that day."""
    answer = cloudformation.create("Image", NOVEMBER, times=3)

    assert "ami-2" == answer.physical_resource_id
    assert {"Name": "al2023-2026-11-01", "CreationDate": "2026-11-01T09:00:00.000Z"} == answer.data


def test_an_image_that_is_published_meanwhile(cloudformation, images):
    """The response is lost, and a newer image comes: the next delivery tells what is recorded, and
    another resource gets the newer one."""
    create = cloudformation.event("Create", "Image", NOVEMBER)
    cloudformation.lose_answers(1)
    with pytest.raises(DeliveryError):
        cloudformation.send(create)
    images.publish("ami-5", "2026-11-28")

    answer = cloudformation.deliver(create)
    other = cloudformation.create("Other", NOVEMBER)

    assert "ami-2" == answer.physical_resource_id
    assert "ami-5" == other.physical_resource_id


def test_a_later_day(cloudformation):
    """Time replaces it: another image is another resource, and `Ref` is its id."""
    cloudformation.create("Image", OCTOBER)

    cloudformation.update("Image", NOVEMBER)

    assert "ami-2" == cloudformation.ref("Image")


def test_a_later_day_that_is_rolled_back(cloudformation):
    """The older image holds again."""
    cloudformation.create("Image", OCTOBER)

    back = cloudformation.update_and_roll_back("Image", NOVEMBER)

    assert "ami-1" == back.physical_resource_id


def test_a_later_day_without_a_newer_image(cloudformation):
    """Nothing is replaced for a new day alone."""
    before = cloudformation.create("Image", NOVEMBER)

    after = cloudformation.update("Image", {**NOVEMBER, "AsOf": "2026-12-31"})

    assert (before.physical_resource_id, before.data) == (after.physical_resource_id, after.data)


def test_an_update_without_any_change(cloudformation, images):
    """CloudFormation asks only for what the template changes: a newer image alone is no reason."""
    cloudformation.create("Image", NOVEMBER)
    images.publish("ami-5", "2026-11-28")
    asked = images.asked

    cloudformation.update("Image", NOVEMBER)

    assert asked == images.asked
    assert "ami-2" == cloudformation.ref("Image")


def test_two_resources_of_one_image(cloudformation):
    """Both have its id; one that goes takes nothing from the other."""
    cloudformation.create("Image", OCTOBER)
    cloudformation.create("Other", OCTOBER)

    cloudformation.update("Image", NOVEMBER)

    assert "ami-1" == cloudformation.ref("Other")


def test_nothing_that_fits(cloudformation):
    """The answer says what was looked for, and a stack that is rolled back goes."""
    answer = cloudformation.create("Image", {**AMAZON, "AsOf": "2020-01-01"})

    assert "no image fits al2023-* as of 2020-01-01" in answer.reason


def test_a_day_that_is_none(cloudformation, images):
    """It is refused before EC2 is asked; so is a template without owners."""
    answer = cloudformation.create("Image", {"Owners": [], "Name": "al2023-*", "AsOf": "today"})

    assert "AsOf: expected" in answer.reason
    assert "Owners: expected" in answer.reason
    assert 0 == images.asked
