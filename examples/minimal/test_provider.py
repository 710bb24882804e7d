"""Custom::Pick, as CloudFormation and Lambda meet it."""

import pytest

from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe

from .provider import provider

VALUES = [f"value-{number}" for number in range(1000)]  # so many that no two picks agree by chance


@pytest.fixture
def cloudformation() -> FakeCloudFormation:
    return FakeCloudFormation(provider)


def test_every_single_fault() -> None:
    """It survives crashes, copies, lost answers and rollbacks, each wherever it may befall it."""
    checked = assert_safe(provider, {"From": ["a", "b"]}, changed={"From": ["c"]})

    assert checked.complete


def test_a_create_that_comes_three_times(cloudformation: FakeCloudFormation) -> None:
    """Every copy is told the same pick."""
    answer = cloudformation.create("Zone", {"From": VALUES}, times=3)

    assert 3 == len(cloudformation.answers)
    assert {answer.body} == {answer.body for _, answer in cloudformation.answers}
    assert answer.data["Value"] in VALUES


def test_a_create_whose_process_died(cloudformation: FakeCloudFormation) -> None:
    """What is picked follows from the event alone: a process that died changes nothing."""
    undisturbed = FakeCloudFormation(provider).create("Zone", {"From": VALUES})
    create = cloudformation.event("Create", "Zone", {"From": VALUES})
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="pick")
    cloudformation.clock.advance(125)  # the dead one's lease is over: Lambda's timeout and a bit

    answer = cloudformation.send(create)

    assert undisturbed == answer


def test_another_list(cloudformation: FakeCloudFormation) -> None:
    """Another list is another pick under another id, and the same list is the same one."""
    first = cloudformation.create("Zone", {"From": VALUES})
    same = cloudformation.update("Zone", {"From": VALUES})
    other = cloudformation.update("Zone", {"From": ["only"]})

    assert first.data == same.data
    assert first.physical_resource_id == same.physical_resource_id
    assert {"Value": "only"} == other.data
    assert first.physical_resource_id != other.physical_resource_id


def test_a_template_that_is_wrong(cloudformation: FakeCloudFormation) -> None:
    """The answer names what is wrong with each property, and what was meant."""
    answer = cloudformation.create("Zone", {"Form": "eu-central-1a"})

    assert "FAILED" == answer.status
    assert "From: missing. Form: unknown; did you mean From?" in answer.reason


def test_a_stack_that_is_deleted(cloudformation: FakeCloudFormation) -> None:
    """There is nothing to remove, and CloudFormation is told so."""
    cloudformation.create("Zone", {"From": VALUES})

    answers = cloudformation.delete_stack()

    assert ["SUCCESS"] == [answer.status for answer in answers]
    assert {} == cloudformation.resources
