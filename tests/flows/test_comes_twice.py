"""Copies of one request: at any time, in any number, answered or not."""

import pytest

from cfn_once import InProgress
from cfn_once.testing import Crashed

INVENTED = (
    "stack-Group-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)

ONE = {"Product": "Linux/UNIX", "Target": 3}


def test_every_operation_three_times(cloudformation, groups):
    """
    However often each event comes, there is one object a Create and one a replacement, and none
    after the Delete.
    """
    cloudformation.create("Group", ONE, times=3)
    cloudformation.update("Group", {**ONE, "Target": 4}, times=3)
    cloudformation.update("Group", {"Product": "Windows"}, times=3)
    cloudformation.delete("Group", times=3)

    assert ["sig-1", "sig-2"] == groups.created
    assert [("sig-1", 4)] == groups.updates
    assert ["sig-1", "sig-2"] == groups.deletes


def test_a_twin_waits_and_gives_the_same_answer(cloudformation, groups):
    """
    While one delivery works, its twin waits; when time is short it lets Lambda come again.
    """
    create = cloudformation.event("Create", "Group", ONE)

    def twin():
        with pytest.raises(InProgress, match="another delivery"):
            cloudformation.send(create)

    answer = cloudformation.send(create, meanwhile={"group": twin})
    again = cloudformation.send(create)

    assert answer.body == again.body
    assert 1 == len(groups.created)
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))


def test_three_deliveries_that_all_die(cloudformation, groups):
    """
    When every try of Lambda dies after the call, the Delete that CloudFormation sends with an
    invented id still finds the one object.
    """
    create = cloudformation.event("Create", "Group", ONE)
    for call in ("group", "find group", "find group"):
        with pytest.raises(Crashed):
            cloudformation.send(create, crash_after=call)
        cloudformation.clock.advance(180)

    cloudformation.deliver(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id=INVENTED)
    )

    assert 1 == len(groups.created)
    assert ["sig-1"] == groups.deletes


def test_asked_again_after_a_success(cloudformation, groups):
    """
    The same request with a new ResponseURL gets the recorded SUCCESS, at the new URL.
    """
    create = cloudformation.event("Create", "Group", ONE)
    first = cloudformation.send(create)

    second = cloudformation.send(cloudformation.asked_again(create))

    assert first.body == second.body
    assert 1 == len(groups.created)
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))


def test_asked_again_after_a_failure(cloudformation, groups):
    """
    The same request with a later ResponseURL after FAILED is a new attempt, which goes on from
    what the failed one had made.
    """
    groups.fails.append(ValueError("no capacity"))
    create = cloudformation.event("Create", "Group", ONE)
    failed = cloudformation.send(create)
    cloudformation.clock.advance(300)  # the failed attempt's own time is over

    answer = cloudformation.send(cloudformation.asked_again(create))

    assert ("FAILED", "sig-1") == (failed.status, failed.physical_resource_id)
    assert ("SUCCESS", "sig-1") == (answer.status, answer.physical_resource_id)
    assert 1 == len(groups.created)
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))


def test_a_forged_copy(cloudformation, groups, caplog):
    """
    A RequestId that comes again with other properties is neither worked on nor answered.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.send(create)
    told = len(cloudformation.answers)

    forged = {**create, "ResourceProperties": {"Product": "Windows"}}
    cloudformation.send(forged)

    assert told == len(cloudformation.answers)
    assert "forged or corrupted" in caplog.text
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))
