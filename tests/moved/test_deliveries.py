"""Moved handlers under duplicates and crashes: each request makes one object, and leaves none."""

import boto3
import pytest
import requests
from moto import mock_aws

from cfn_once.cli.lookup import key_of
from cfn_once.crhelper import CfnResource
from cfn_once.ledger.operator import Operator, open_steps, settle
from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe
from moved.moving import OURS, SHAPES, execute, load
from moved.things import things

DELIVERIES = {
    "once": {},
    "three times": {"times": 3},
    "again after ten minutes": {"times": 2, "late": 600.0},
    "three at the same time": {"at_once": 3},
}
HANDLERS = [name for names in SHAPES.values() for name in names]


def there(name):
    """Return how many objects there are, wherever the handler makes them."""
    if not name.startswith("boto3"):
        return len(things.objects)
    ec2 = boto3.client("ec2", region_name="us-east-1")
    return len(ec2.describe_addresses()["Addresses"]) + len(ec2.describe_volumes()["Volumes"])


@pytest.mark.parametrize("faults", DELIVERIES.values(), ids=DELIVERIES)
@pytest.mark.parametrize("name", HANDLERS)
def test_one_object_however_often_a_request_comes(name, faults):
    """
    A duplicate runs no function: each request makes one object, and the Delete leaves none.
    """
    with mock_aws():
        module = load(name, OURS)
        cloudformation = FakeCloudFormation(module.helper.provider, timeout=900)
        created = cloudformation.create(
            "Thing", {"Name": "a"}, resource_type="Custom::Thing", **faults
        )
        made = there(name)
        updated = cloudformation.update("Thing", {"Name": "b"}, **faults)
        after = there(name)
        deleted = cloudformation.delete("Thing", **faults)
        cloudformation.settle()
        left = there(name)

    assert ["SUCCESS"] * 3 == [answer.status for answer in (created, updated, deleted)]
    assert (1, 1, 0) == (made, after, left)
    assert len(set(things.calls)) == len(things.calls)


@pytest.mark.parametrize("name", SHAPES["two helpers"])
def test_the_other_helper_of_a_module(name):
    """
    Each helper of a module has functions and answers of its own.
    """
    module = load(name, OURS)
    other = getattr(module, "others", None) or module.plain
    cloudformation = FakeCloudFormation(other.provider)

    answer = cloudformation.create("Thing", {"Name": "a", "Plain": "1"}, times=3)

    assert 1 == len(things.objects)
    assert answer.data in ({"Kind": "other"}, {"Plain": "yes"})


def stack_of(name, **options):
    return FakeCloudFormation(load(name, OURS).helper.provider, **options)


def test_a_create_that_dies_half_way():
    """
    Nothing tells how far its function came: it is not called again, FAILED says which step is in
    doubt, and its Delete runs, as crhelper would run it.
    """
    cloudformation = stack_of("data_plain")

    answer = cloudformation.create("Thing", {"Name": "a"}, crash_after="create")

    assert ("FAILED", ["thing-1"]) == (answer.status, things.created)
    assert answer.reason.startswith("in doubt: step create#0")
    assert f"remove {answer.physical_resource_id}" == things.calls[-1]
    assert answer.physical_resource_id.startswith("stack_Thing_")


@pytest.mark.parametrize("made", ['"thing-1"', '{"id": "thing-1"}'])
def test_a_create_that_an_operator_has_settled_with_its_id(made):
    """
    `resolve --made` with the bare id is enough: the Delete's function gets it, and removes it.
    """
    stack = stack_of("data_plain")
    with pytest.raises(Crashed):
        stack.send(stack.event("Create", "Thing", {"Name": "a"}), crash_after="create")
    stack.clock.advance(400)
    key = key_of(stack.stack_id, "Thing")
    head = stack.ledger.read(key)
    operator = Operator("ada", "found in the console", int(stack.clock.now() * 1000))
    stack.ledger.write(key, settle(head, next(iter(open_steps(head))), made, operator))

    invented = "stack-Thing-1A2B3C4D5E6F"
    delete = stack.event("Delete", "Thing", {"Name": "a"}, physical_resource_id=invented)
    answer = stack.send(delete)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert {} == things.objects
    assert "remove thing-1" == things.calls[-1]


def test_a_create_that_may_run_again():
    """
    With on_crash="again" it is called twice, and may make two.
    """
    module = execute(
        """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource()

@helper.create(on_crash="again")
def create(event, context):
    return things.make("a")

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])
""",
        OURS,
    )
    cloudformation = FakeCloudFormation(module.helper.provider)

    answer = cloudformation.create("Thing", crash_after="create")

    assert ("SUCCESS", "thing-2") == (answer.status, answer.physical_resource_id)
    assert ["thing-1", "thing-2"] == things.created


def test_an_update_that_dies_half_way():
    """
    It runs again, for what it does is said to be the same when done twice.
    """
    cloudformation = stack_of("data_plain")
    cloudformation.create("Thing", {"Name": "a"})

    answer = cloudformation.update("Thing", {"Name": "b"}, crash_after="update")

    assert ("SUCCESS", {"thing-1": "b"}) == (answer.status, things.objects)
    assert 2 == things.calls.count("change thing-1")


def test_a_create_that_dies_between_its_polls():
    """
    What create came to is kept before the first look, and is not done again.
    """
    cloudformation = stack_of("polls_id", timeout=900)

    answer = cloudformation.create("Thing", {"Name": "a"}, crash_at=9)

    assert ("SUCCESS", {"Thing": "thing-1", "Ready": "yes"}) == (answer.status, answer.data)
    assert ["thing-1"] == things.created


def test_a_create_that_failed_and_is_asked_again():
    """
    A deployment that is retried runs the function again, at once.
    """
    module = execute(
        """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource()
tries = []

@helper.create
def create(event, context):
    tries.append(1)
    if len(tries) < 2:
        raise ValueError("no capacity")
    return things.make("a")

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])
""",
        OURS,
    )
    cloudformation = FakeCloudFormation(module.helper.provider)
    create = cloudformation.event("Create", "Thing", {})

    first = cloudformation.deliver(create)
    second = cloudformation.deliver(cloudformation.asked_again(create))

    assert "FAILED" == first.status
    assert first.reason.startswith("no capacity")
    assert ("SUCCESS", "thing-1") == (second.status, second.physical_resource_id)


def test_an_update_that_fails_half_way_and_its_rollback():
    """
    The function runs again with the old properties, since it may have done a part.
    """
    module = execute(
        """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource()

@helper.create
def create(event, context):
    return things.make(event["ResourceProperties"]["Name"])

@helper.update
def update(event, context):
    things.change(event["PhysicalResourceId"], event["ResourceProperties"]["Name"])
    if event["ResourceProperties"]["Name"] == "b":
        raise ValueError("half way")

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])
""",
        OURS,
    )
    cloudformation = FakeCloudFormation(module.helper.provider)
    cloudformation.create("Thing", {"Name": "a"})

    answer = cloudformation.update("Thing", {"Name": "b"})

    assert "FAILED" == answer.status
    assert answer.reason.startswith("half way")
    assert {"thing-1": "a"} == things.objects


def test_a_replacement_that_is_rolled_back():
    """
    crhelper's function would make a third thing; ours returns to the old one, which is still there.
    """
    cloudformation = stack_of("stacked")
    cloudformation.create("Thing", {"Name": "a"})

    cloudformation.update_and_roll_back("Thing", {"Name": "b"}, times=2)

    assert "thing-1" == cloudformation.ref("Thing")
    assert ({"thing-1": "a"}, 2) == (things.objects, len(things.created))


def test_what_is_older_than_the_ledger():
    """
    An object that crhelper's function made is updated and deleted under its id, once.
    """
    things.make("a")
    cloudformation = stack_of("data_plain")
    update = cloudformation.event(
        "Update", "Thing", {"Name": "b"}, physical_resource_id="thing-1", resource_type="Custom::T"
    )
    update["OldResourceProperties"] = {**update["ResourceProperties"], "Name": "a"}

    first, again = (cloudformation.deliver(update) for _ in range(2))
    deleted = cloudformation.deliver(
        cloudformation.event(
            "Delete",
            "Thing",
            {"Name": "b"},
            physical_resource_id="thing-1",
            resource_type="Custom::T",
        )
    )

    assert ("SUCCESS", {"Id": "thing-1", "Was": "a"}) == (first.status, first.data)
    assert first == again
    assert "SUCCESS" == deleted.status
    assert ["make a", "change thing-1", "remove thing-1"] == things.calls


def test_it_is_safe_where_its_steps_are_its_own():
    """
    A function that makes its own steps is held to every law; the others name their doubt.
    """
    module = execute(
        """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource()

@helper.create(steps=True)
def create(event, context):
    def find(step):
        return next((thing for thing, tag in things.objects.items() if tag == step.token), None)

    thing = helper.step("thing", lambda step: things.make(step.token), find=find)
    helper.PhysicalResourceId = thing
    helper.Data["Thing"] = thing
    return thing

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])
""",
        OURS,
    )

    checked = assert_safe(module.helper.provider, {"Name": "a"}, things)

    assert checked.runs > 20


@pytest.mark.parametrize("name", ["data_plain", "stacked_branch", "ids_number", "polls_id"])
def test_it_is_safe_but_for_the_doubt_of_one_step(name):
    """
    Under every single fault: nothing is made twice, and what a dead function may have left is
    named.
    """
    provider = load(name, OURS).helper.provider

    assert assert_safe(provider, {"Name": "a"}, things, allow_in_doubt=True).runs > 20


def test_a_create_whose_response_is_lost():
    """
    A network error may come after the effect: the Create is in doubt, and its Delete names it.
    Any other error says that the function knows what it did.
    """
    helper = CfnResource(ledger="memory://")
    errors = [requests.ReadTimeout("timed out"), ValueError("no such region")]

    @helper.create
    def create(_event, _context):
        raise errors.pop(0)

    cloudformation = FakeCloudFormation(helper.provider)
    lost, refused = (cloudformation.create(name, {"Name": "a"}) for name in ("Lost", "Refused"))
    left = [
        answer.reason
        for event, answer in cloudformation.answers
        if "Delete" in event["RequestType"]
    ]

    assert lost.reason.startswith("in doubt: step create#0 of request ")
    assert "docs/migrate.md#growing-into-steps" in lost.reason
    assert "find=" not in lost.reason
    assert "no such region" == refused.reason
    assert left[0].startswith("in doubt: create#0 of ")
    assert "" == left[1]
