"""The table of operations: which events each sends, and what the console shows of it."""

import pytest

from cfn_once.testing import FakeCloudFormation

ONE = {"Product": "a", "Target": 1}


def sent(cloudformation):
    """The requests that were answered, in order: the first letter of each, and its id."""
    return [
        (event["RequestType"][0], event.get("PhysicalResourceId"))
        for event, _ in cloudformation.answers
    ]


def shown(cloudformation, logical_id="Group"):
    return [
        stack_event.resource_status
        for stack_event in cloudformation.stack_events
        if stack_event.logical_resource_id == logical_id
    ]


def test_create_and_delete(cloudformation):
    """
    A Create carries no id, a Delete the one that was answered.
    """
    cloudformation.create("Group", ONE)
    cloudformation.delete("Group")

    assert [("C", None), ("D", "g-1")] == sent(cloudformation)
    assert [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ] == shown(cloudformation)


def test_what_is_sent_is_text(cloudformation):
    """
    Scalars are sent as text at any depth, with the ServiceToken among them; ServiceTimeout is sent
    twice, and Ref and Fn::GetAtt give text as well.
    """
    cloudformation.create("Group", {**ONE, "ServiceTimeout": 30})
    event, _ = cloudformation.answers[0]

    assert {"Product": "a", "Target": "1", "ServiceTimeout": "30"} == {
        name: pair for name, pair in event["ResourceProperties"].items() if name != "ServiceToken"
    }
    assert ("30", event["ServiceToken"]) == (
        event["ServiceTimeout"],
        event["ResourceProperties"]["ServiceToken"],
    )
    assert ("g-1", "1", "true") == (
        cloudformation.ref("Group"),
        cloudformation.get_att("Group", "Target"),
        cloudformation.get_att("Group", "On"),
    )


def test_a_failed_create_and_its_delete(cloudformation, external_api):
    """
    FAILED carries the id that the hook had set, and is followed by the Delete of it, which removes
    what was made; the reason is CloudFormation's.
    """
    external_api.fails.append(ValueError("no capacity"))

    answer = cloudformation.create("Group", ONE)
    reason = cloudformation.stack_events[1].resource_status_reason

    assert ("FAILED", "g-1") == (answer.status, answer.physical_resource_id)
    assert answer.reason.startswith("no capacity (")
    assert ["g-1"] == external_api.deletes
    assert [("C", None), ("D", "g-1")] == sent(cloudformation)
    assert (
        "Received response status [FAILED] from custom resource. Message returned: no"
        " capacity (groups.py:42) (RequestId: 00000000-0000-0000-0000-000000000001)"
    ) == reason
    assert {} == cloudformation.resources


def test_an_update_in_place(cloudformation, external_api):
    """
    An Update carries the id and both sets of properties; the same id keeps the resource.
    """
    cloudformation.create("Group", ONE)
    cloudformation.update("Group", {**ONE, "Target": 2})
    event, _ = cloudformation.answers[1]

    assert [("C", None), ("U", "g-1")] == sent(cloudformation)
    assert ("2", "1") == (
        event["ResourceProperties"]["Target"],
        event["OldResourceProperties"]["Target"],
    )
    assert "2" == cloudformation.get_att("Group", "Target")
    assert [("g-1", 2)] == external_api.updates


def test_a_replacement_and_its_clean_up(cloudformation):
    """
    Another id is a replacement: the old one is deleted, with the old properties.
    """
    cloudformation.create("Group", ONE)
    cloudformation.update("Group", {"Product": "b"})
    delete, _ = cloudformation.answers[2]

    assert [("C", None), ("U", "g-1"), ("D", "g-1")] == sent(cloudformation)
    assert "a" == delete["ResourceProperties"]["Product"]
    assert "g-2" == cloudformation.ref("Group")


@pytest.mark.parametrize(("stuck", "tries", "orphans"), [(2, 3, []), (3, 3, ["g-1"])])
def test_a_clean_up_is_tried_three_times(cloudformation, external_api, stuck, tries, orphans):
    """
    A clean-up that fails comes three times, each under a RequestId of its own, then
    CloudFormation forgets the resource.
    """
    cloudformation.create("Group", ONE)
    external_api.fail("delete", times=stuck, status=409)
    cloudformation.update("Group", {"Product": "b"})
    deletes = [
        event["RequestId"]
        for event, _ in cloudformation.answers
        if event["RequestType"] == "Delete"
    ]

    assert tries == len(set(deletes)) == len(deletes)
    assert orphans == [orphan.physical_resource_id for orphan in cloudformation.orphans]
    assert bool(orphans) == (
        "Update successful. One or more resources could not be deleted."
        in [stack_event.resource_status_reason for stack_event in cloudformation.stack_events]
    )


def test_a_failed_update_is_rolled_back_in_place(cloudformation, external_api):
    """
    A failed Update is followed by one back, from the properties that failed.
    """
    cloudformation.create("Group", ONE)
    external_api.fails.append(ValueError("no capacity"))
    answer = cloudformation.update("Group", {**ONE, "Target": 9})
    back, _ = cloudformation.answers[2]

    assert ("FAILED", "g-1") == (answer.status, answer.physical_resource_id)
    assert [("C", None), ("U", "g-1"), ("U", "g-1")] == sent(cloudformation)
    assert ("1", "9") == (
        back["ResourceProperties"]["Target"],
        back["OldResourceProperties"]["Target"],
    )
    assert [("g-1", 9), ("g-1", 1)] == external_api.updates


def test_a_replacement_is_rolled_back(cloudformation, external_api):
    """
    Where another resource fails after a replacement, the Update back carries the new id, makes
    nothing, and the new one is deleted once the old one is answered.
    """
    cloudformation.create("Group", ONE)
    back = cloudformation.update_and_roll_back("Group", {"Product": "b"})

    assert ("g-1", "g-1") == (back.physical_resource_id, back.data["GroupId"])
    assert [("C", None), ("U", "g-1"), ("U", "g-2"), ("D", "g-2")] == sent(cloudformation)
    assert ["g-1", "g-2"] == external_api.created
    assert ["g-1"] == list(external_api.objects)


def test_an_update_is_rolled_back_though_it_succeeded(cloudformation, external_api):
    """
    Where another resource fails, ours is updated back in place.
    """
    cloudformation.create("Group", ONE)
    cloudformation.update_and_roll_back("Group", {**ONE, "Target": 5})

    assert [("g-1", 5), ("g-1", 1)] == external_api.updates
    assert "1" == cloudformation.get_att("Group", "Target")


def test_an_update_that_fails_itself_is_rolled_back_once(cloudformation, external_api):
    """
    The answer is then that of the Update that failed.
    """
    cloudformation.create("Group", ONE)
    external_api.fails.append(ValueError("no capacity"))
    answer = cloudformation.update_and_roll_back("Group", {**ONE, "Target": 5})

    assert not answer.succeeded
    assert [("g-1", 5), ("g-1", 1)] == external_api.updates


def test_a_resource_added_in_an_update_that_fails(cloudformation, external_api):
    """
    It is created, then deleted.
    """
    answer = cloudformation.create_and_roll_back("Group", ONE)

    assert answer.succeeded
    assert [("C", None), ("D", "g-1")] == sent(cloudformation)
    assert {} == cloudformation.resources


@pytest.mark.parametrize("at", [None, "group"])
@pytest.mark.parametrize("faults", [{}, {"slow": {"group": 90}}, {"crash_after": "group"}])
def test_a_create_is_cancelled(cloudformation, external_api, at, faults):
    """
    While the Create runs its Delete comes, with an id that CloudFormation invented: what the
    Create makes is removed all the same.
    """
    answer = cloudformation.cancel_create("Group", ONE, at=at, **faults)
    create, _, delete = cloudformation.stack_events[1:]

    assert answer.succeeded
    assert answer.physical_resource_id.startswith("stack-Group-")
    assert ["g-1"] == external_api.created
    assert ("CREATE_FAILED", "Resource creation cancelled") == create[1:]
    assert "DELETE_COMPLETE" == delete.resource_status
    assert {} == cloudformation.resources


def test_a_create_that_nobody_answers(cloudformation, external_api):
    """
    After its ServiceTimeout CloudFormation fails the Create, and deletes an id that it invents.
    """
    before = cloudformation.clock.now()
    answer = cloudformation.create(
        "Group", {**ONE, "ServiceTimeout": 1800}, crash_after="group", crashes=3
    )
    delete, _ = cloudformation.answers[-1]

    assert "CloudFormation did not receive a response from your Custom Resource" in answer.reason
    assert "00000000-0000-0000-0000-000000000001" in answer.reason
    assert b"" == answer.body
    assert delete["PhysicalResourceId"].startswith("stack-Group-")
    assert ["g-1"] == external_api.created
    assert cloudformation.clock.now() >= before + 1800


@pytest.mark.parametrize(
    ("timeout", "faults"),
    [(170, {"crash_after": "group", "crashes": 2}), (30, {"slow": {"group": 40}})],
    ids=["it comes too late", "it is told too late"],
)
def test_an_answer_after_the_service_timeout(cloudformation, external_api, timeout, faults):
    """
    After its ServiceTimeout nobody waits for an answer: CloudFormation has failed the Create, and
    deletes an id that it invents.
    """
    answer = cloudformation.create("Group", {**ONE, "ServiceTimeout": timeout}, **faults)

    assert "CloudFormation did not receive a response" in answer.reason
    assert ["g-1"] == external_api.created
    assert {} == cloudformation.resources


def test_an_update_that_nobody_answers_is_rolled_back(cloudformation, external_api):
    """
    The same for an Update, whose id is known.
    """
    cloudformation.create("Group", ONE)
    answer = cloudformation.update("Group", {**ONE, "Target": 2}, crash_after="size", crashes=3)

    assert ("FAILED", "g-1") == (answer.status, answer.physical_resource_id)
    assert ("g-1", 1) == external_api.updates[-1]


def test_a_delete_is_tried_again_by_hand(cloudformation, external_api):
    """
    What could not be deleted is held under its id; the next Delete has another RequestId.
    """
    cloudformation.create("Group", ONE)
    external_api.fail("delete", status=409)

    first = cloudformation.delete("Group")
    held = dict(cloudformation.resources)
    second = cloudformation.delete("Group")

    assert ("FAILED", "g-1", "SUCCESS") == (
        first.status,
        first.physical_resource_id,
        second.status,
    )
    assert ["Group"] == list(held)
    assert 2 == shown(cloudformation).count("DELETE_IN_PROGRESS")


def test_a_stack_is_created_anew(cloudformation, external_api):
    """
    The same name, another StackId: another resource altogether.
    """
    cloudformation.create("Group", ONE)
    before = cloudformation.stack_id
    cloudformation.recreate_stack()
    cloudformation.create("Group", ONE)

    assert before != cloudformation.stack_id
    assert before.rpartition("/")[0] == cloudformation.stack_id.rpartition("/")[0]
    assert ["g-1", "g-2"] == external_api.created
    assert ["g-2"] == list(external_api.objects)


def test_a_deployment_is_retried(cloudformation, external_api):
    """
    A Create that failed comes again under the same RequestId, with another ResponseURL.
    """
    external_api.fails.append(ValueError("no capacity"))
    cloudformation.create("Group", ONE)
    cloudformation.wait(300)

    answer = cloudformation.retry_create("Group")
    creates = [event for event, _ in cloudformation.answers if event["RequestType"] == "Create"]

    assert answer.succeeded
    assert 1 == len({create["RequestId"] for create in creates})
    assert 2 == len({create["ResponseURL"] for create in creates})


def test_another_service_token(cloudformation):
    """
    CloudFormation refuses to change it, and sends nothing.
    """
    cloudformation.create("Group", ONE)
    answer = cloudformation.update("Group", {"Product": "b"}, service_token="arn:aws:sns:x:y:z")

    assert ("FAILED", "Modifying service token is not allowed.") == (answer.status, answer.reason)
    assert [("C", None)] == sent(cloudformation)


def test_another_name_in_the_template(cloudformation, external_api):
    """
    Another logical id is created before the old one is deleted.
    """
    cloudformation.create("Group", ONE)
    cloudformation.rename("Group", "Other")

    assert [("C", None), ("C", None), ("D", "g-1")] == sent(cloudformation)
    assert {"Other": "g-2"} == {
        name: resource.physical_resource_id for name, resource in cloudformation.resources.items()
    }


def test_a_resource_that_is_retained(cloudformation, external_api):
    """
    Nothing is sent, and nothing is held.
    """
    cloudformation.create("Group", ONE)
    cloudformation.retain("Group")

    assert [("C", None)] == sent(cloudformation)
    assert "DELETE_SKIPPED" == cloudformation.stack_events[-1].resource_status
    external_api.objects.clear()


def test_an_attribute_that_is_not_there(cloudformation):
    """
    Fn::GetAtt of a name that the last answer lacks is an error in CloudFormation's words.
    """
    cloudformation.create("Group", ONE)
    text = (
        "CustomResource attribute error: Vendor response doesn't contain Arn attribute in object"
        f" {cloudformation.stack_id}|Group|00000000-0000-0000-0000-000000000001"
    )

    with pytest.raises(AssertionError) as caught:
        cloudformation.get_att("Group", "Arn")

    assert text == str(caught.value)


def test_two_stacks_of_one_ledger(provider, external_api):
    """
    Stacks that share a ledger and a clock share nothing else.
    """
    first = FakeCloudFormation(provider, stack_name="first")
    second = FakeCloudFormation(
        provider, ledger=first.ledger, clock=first.clock, stack_name="second"
    )
    for stack in (first, second):
        stack.create("Group", ONE)
    first.delete_stack()

    assert [second.ref("Group")] == list(external_api.objects)
