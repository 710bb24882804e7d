"""Requests that overtake one another."""

import pytest

from cfn_once import InProgress

INVENTED = (
    "stack-Group-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)

ONE = {"Product": "Linux/UNIX", "Target": 3}


def test_a_delete_overtakes_a_running_create(cloudformation, groups):
    """
    A Delete that comes while the Create is at its call waits until the Create cannot act any more,
    and removes what it made; the Create stays silent.
    """
    create = cloudformation.event("Create", "Group", ONE)
    delete = cloudformation.event("Delete", "Group", ONE, physical_resource_id=INVENTED)

    def overtaken():
        with pytest.raises(InProgress, match="not over yet"):
            cloudformation.send(delete)

    cloudformation.send(create, meanwhile={"group": overtaken})
    answer = cloudformation.deliver(delete)

    assert None is cloudformation.answer_to(create)
    assert answer.succeeded
    assert ["sig-1"] == groups.created
    assert {} == groups.objects


def test_a_create_that_comes_first_after_its_delete(cloudformation, groups):
    """
    A first delivery that comes after a newer request has begun makes nothing, and is told so.
    """
    create = cloudformation.event("Create", "Group", ONE)
    delete = cloudformation.event("Delete", "Group", ONE, physical_resource_id=INVENTED)
    cloudformation.send(delete)

    answer = cloudformation.send(create)

    assert "FAILED" == answer.status
    assert "a newer request" in answer.reason
    assert [] == groups.created


def test_a_copy_that_comes_after_all_that_is_remembered(cloudformation, groups):
    """
    The ledger remembers the last 32 requests of a resource. A copy of an earlier one, which was
    answered, is told nothing else: nobody waits for it.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 100})
    first = cloudformation.send(update)
    for target in range(33):
        cloudformation.update("Group", {**ONE, "Target": target})

    cloudformation.send(update)

    assert first.succeeded
    assert first == cloudformation.answer_to(update)


def test_a_retained_resource_added_again(cloudformation, groups):
    """
    A Create over a resource that CloudFormation retained makes a new one and leaves the retained
    one alone.
    """
    cloudformation.create("Group", ONE)
    del cloudformation.resources["Group"]  # DeletionPolicy: Retain sends nothing

    answer = cloudformation.create("Group", {"Product": "Windows"})
    cloudformation.delete("Group")

    assert "sig-2" == answer.physical_resource_id
    assert ["sig-2"] == groups.deletes
    groups.objects.pop("sig-1")


def test_an_id_that_nobody_can_place(cloudformation, groups, caplog):
    """
    A Delete of an id that was never made leaves the living object alone, loudly.
    """
    cloudformation.create("Group", ONE)
    cloudformation.update("Group", {**ONE, "Target": 4})  # it is confirmed: carried back to us

    stray = cloudformation.event("Delete", "Group", physical_resource_id="somebody-elses")
    answer = cloudformation.send(stray)

    assert answer.succeeded
    assert [] == groups.deletes
    assert "somebody-elses is not known here" in answer.reason
    assert "somebody-elses is not known here" in caplog.text
    cloudformation.delete("Group")


def test_a_request_too_old_to_wait_for(cloudformation, groups):
    """
    A request older than CloudFormation waits for begins nothing.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.send(cloudformation.event("Delete", "Group", ONE, physical_resource_id="x"))
    late = cloudformation.event("Create", "Group", ONE)
    cloudformation.clock.advance(3700)

    cloudformation.send(create)
    cloudformation.send(late)

    assert [] == groups.created
