"""Custom::Elastigroup, as CloudFormation, Lambda and Spot meet it."""

import json
import logging
import sqlite3
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from cfn_once.ledger import open_store
from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe

from .provider import provider
from .spot_api import TOKEN, SpotApi

POST = "POST /aws/ec2/group"
PUT, ROLL = "PUT /aws/ec2/group/{id}", "PUT /aws/ec2/group/{id}/roll"
DELETE = "DELETE /aws/ec2/group/{id}"


@pytest.fixture
def gone():
    return 404


@pytest.fixture
def spot(monkeypatch, gone):
    with SpotApi(gone=gone) as spot:
        monkeypatch.setenv("SPOT_API_URL", spot.url)
        yield spot


@pytest.fixture(scope="module")
def secret():
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        secrets = boto3.client("secretsmanager")
        yield secrets.create_secret(Name="spot", SecretString=TOKEN)["ARN"]


@pytest.fixture
def properties(secret):
    return {
        "AccessTokenSecret": secret,
        "Name": "web",
        "Product": "Linux/UNIX",
        "Capacity": {"Minimum": 0, "Maximum": 2, "Target": 1},
        "SubnetIds": ["subnet-1", "subnet-2"],
        "InstanceTypes": {"Ondemand": "m5.large", "Spot": ["m5.large", "m6i.large"]},
        "LaunchSpecification": {
            "ImageId": "ami-1",
            "SecurityGroupIds": ["sg-1"],
            "KeyPair": "ops",
        },
        "Strategy": {"FallbackToOd": False, "DrainingTimeout": 120},
        "RollOnUpdate": {"BatchSizePercentage": 20},
    }


@pytest.fixture
def cloudformation(spot, properties):
    """A stack that is deleted at last, and must leave nothing at Spot."""
    cloudformation = FakeCloudFormation(provider)
    yield cloudformation
    cloudformation.delete_stack()
    assert {} == spot.groups


class Groups:
    """Spot, as `assert_safe` looks at it."""

    def __init__(self, spot):
        self._spot = spot

    @property
    def objects(self):
        return self._spot.groups

    @property
    def created(self):
        return [made["id"] for made in self._spot.created]

    def reset(self):
        self._spot.reset()


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault(spot, properties):
    """One group is made and none is left, whatever befalls its Create and its Delete."""
    checked = assert_safe(provider, properties, Groups(spot))

    assert checked.complete


def test_a_create_that_comes_three_times(cloudformation, spot, properties):
    """Every copy is told the same group, which is made once and is what the template asks for."""
    answer = cloudformation.create("Group", properties, times=3)

    (group,) = spot.created
    assert {"GroupId": group["id"]} == answer.data
    assert group["id"] == answer.physical_resource_id
    assert [answer] * 3 == [answer for _, answer in cloudformation.answers]
    assert 1 == spot.calls[POST]
    assert {"minimum": 0, "maximum": 2, "target": 1} == group["capacity"]
    assert "userData" not in group["compute"]["launchSpecification"]
    assert {
        "risk": 100,
        "fallbackToOd": False,
        "availabilityVsCost": "balanced",
        "drainingTimeout": 120,
    } == group["strategy"]
    assert {"ondemand": "m5.large", "spot": ["m5.large", "m6i.large"]} == group["compute"][
        "instanceTypes"
    ]


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        ({"when": "after", "drop": True}, 1),
        ({"when": "after", "status": 500}, 1),
        ({"when": "before", "drop": True}, 2),
        ({"when": "before", "status": 503}, 2),
        ({"when": "before", "status": 429}, 2),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_a_create_whose_answer_is_lost(cloudformation, spot, properties, fault, posts):
    """What was acted on is found by the step's tag; only what was not is asked for again."""
    spot.fault(method="POST", path="/aws/ec2/group", **fault)

    answer = cloudformation.create("Group", properties)

    assert {"GroupId": spot.created[0]["id"]} == answer.data
    assert 1 == len(spot.created)
    assert posts == spot.calls[POST]


def test_a_create_whose_process_died(cloudformation, spot, properties):
    """Lambda comes again, and finds the group of the one that died right after its call."""
    create = cloudformation.event("Create", "Group", properties)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    cloudformation.clock.advance(125)  # Lambda's timeout is over: the dead one's lease, too

    answer = cloudformation.send(create)

    assert {"GroupId": spot.created[0]["id"]} == answer.data
    assert 1 == len(spot.created)
    spot.reset()


def test_a_create_that_died_and_is_rolled_back(cloudformation, spot, properties):
    """A Delete removes the group of a Create that never told of it."""
    create = cloudformation.event("Create", "Group", properties)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    cloudformation.clock.advance(125)
    invented = create["StackId"].split("/")[1] + "-Group-1A2B3C4D5E6F"

    delete = cloudformation.event("Delete", "Group", properties, physical_resource_id=invented)
    answer = cloudformation.send(delete)

    assert "SUCCESS" == answer.status
    assert 1 == len(spot.created)
    assert {} == spot.groups


def test_an_update(cloudformation, spot, properties):
    """Spot is sent what changed alone, null for what is gone; the tag of the step stays."""
    created = cloudformation.create("Group", properties)
    changed = {
        **properties,
        "Capacity": {"Minimum": 0, "Maximum": 4, "Target": 3},
        "Strategy": {"FallbackToOd": False},
        "LaunchSpecification": {"ImageId": "ami-2", "SecurityGroupIds": ["sg-1", "sg-2"]},
        "RollOnUpdate": None,
    }
    del changed["RollOnUpdate"]

    answer = cloudformation.update("Group", changed)

    sent = next(call.body for call in spot.asked if call.kind == PUT)
    assert {
        "capacity": {"maximum": 4, "target": 3},
        "strategy": {"drainingTimeout": None},
        "compute": {
            "launchSpecification": {
                "imageId": "ami-2",
                "securityGroupIds": ["sg-1", "sg-2"],
                "keyPair": None,
            }
        },
    } == sent["group"]
    assert created.data == answer.data
    assert created.physical_resource_id == answer.physical_resource_id
    (group,) = spot.groups.values()
    launch = group["compute"]["launchSpecification"]
    assert ["cfn-once:step"] == [tag["tagKey"] for tag in launch["tags"]]
    assert "keyPair" not in launch
    assert 0 == spot.calls[ROLL]


def test_an_update_that_rolls(cloudformation, spot, properties):
    """However often it comes, the group is rolled once."""
    cloudformation.create("Group", properties)
    launch = {**properties["LaunchSpecification"], "ImageId": "ami-2"}

    answer = cloudformation.update("Group", {**properties, "LaunchSpecification": launch}, times=3)

    assert answer.succeeded
    assert 1 == spot.calls[PUT]
    assert 1 == spot.calls[ROLL]
    assert {"batchSizePercentage": 20, "gracePeriod": 300} == next(
        call.body for call in spot.asked if call.kind == ROLL
    )


def test_a_roll_that_nobody_can_tell_about(cloudformation, spot, properties):
    """A roll may have begun and cannot be looked up: it is not begun again, but rolled back."""
    cloudformation.create("Group", properties)
    launch = {**properties["LaunchSpecification"], "ImageId": "ami-2"}
    spot.fault(method="PUT", path="/aws/ec2/group/{id}/roll", drop=True)

    answer = cloudformation.update("Group", {**properties, "LaunchSpecification": launch}, times=2)

    assert "FAILED" == answer.status
    assert "in doubt" in answer.reason
    assert 2 == spot.calls[ROLL]  # one by the Update, one by its rollback
    (group,) = spot.groups.values()
    assert "ami-1" == group["compute"]["launchSpecification"]["imageId"]


def test_an_update_of_the_size(cloudformation, spot, properties):
    """No instance is replaced for a change that concerns none."""
    cloudformation.create("Group", properties)

    cloudformation.update(
        "Group", {**properties, "Capacity": {"Minimum": 1, "Maximum": 2, "Target": 2}}
    )

    (group,) = spot.groups.values()
    assert {"minimum": 1, "maximum": 2, "target": 2} == group["capacity"]
    assert 0 == spot.calls[ROLL]


def test_an_update_that_spot_need_not_know_of(cloudformation, spot, properties):
    """How to roll and where the access token lies is between the template and the provider."""
    cloudformation.create("Group", properties)

    answer = cloudformation.update(
        "Group", {**properties, "RollOnUpdate": {"BatchSizePercentage": 50}}
    )

    assert answer.succeeded
    assert {POST: 1} == spot.calls


def test_an_update_that_spot_refuses(cloudformation, spot, properties):
    """The stack is rolled back to the group as it was."""
    created = cloudformation.create("Group", properties)

    answer = cloudformation.update(
        "Group", {**properties, "Capacity": {"Minimum": 3, "Maximum": 2, "Target": 2}}
    )

    assert "FAILED" == answer.status
    assert "INVALID_CAPACITY" in answer.reason
    assert created.physical_resource_id == answer.physical_resource_id
    assert [created.physical_resource_id] == list(spot.groups)
    (group,) = spot.groups.values()
    assert {"minimum": 0, "maximum": 2, "target": 1} == group["capacity"]


def test_a_replacement_whose_answer_is_lost(cloudformation, spot, properties):
    """The look-up goes by the step: the group to be replaced is not taken for the new one."""
    created = cloudformation.create("Group", properties)
    spot.fault(method="POST", path="/aws/ec2/group", when="after", drop=True)

    answer = cloudformation.update("Group", {**properties, "Product": "Windows"}, times=2)

    old, new = (made["id"] for made in spot.created)
    assert old == created.physical_resource_id
    assert {"GroupId": new} == answer.data
    assert [new] == list(spot.groups)
    assert 0 == spot.calls[PUT]


def test_a_replacement_that_spot_refuses(cloudformation, spot, properties):
    """The group that holds stays as it is."""
    created = cloudformation.create("Group", properties)

    answer = cloudformation.update(
        "Group",
        {
            **properties,
            "Product": "Windows",
            "Capacity": {"Minimum": 3, "Maximum": 2, "Target": 2},
        },
    )

    assert "FAILED" == answer.status
    assert [created.physical_resource_id] == list(spot.groups)
    assert 1 == len(spot.created)


def test_a_create_that_spot_refuses(cloudformation, spot, properties):
    """Nothing was made, and so nothing is deleted."""
    answer = cloudformation.create(
        "Group", {**properties, "Capacity": {"Minimum": 3, "Maximum": 2, "Target": 2}}
    )

    assert "FAILED" == answer.status
    assert "INVALID_CAPACITY" in answer.reason
    assert 0 == len(spot.created)
    assert 0 == spot.calls[DELETE]


def test_a_secret_that_cannot_be_read(cloudformation, spot, properties):
    """Spot is not even asked, so nothing is in doubt."""
    secret = properties["AccessTokenSecret"].replace("secret:spot", "secret:other")

    answer = cloudformation.create("Group", {**properties, "AccessTokenSecret": secret})

    assert "FAILED" == answer.status
    assert "ResourceNotFoundException" in answer.reason
    assert [] == spot.asked


@pytest.mark.parametrize("gone", [404, 400])
def test_a_group_that_is_gone_already(cloudformation, spot, properties):
    """A Delete that finds nothing has nothing to do, whichever way Spot says so."""
    cloudformation.create("Group", properties)
    spot.groups.clear()

    answer = cloudformation.delete("Group", times=2)

    assert "SUCCESS" == answer.status
    assert 1 == spot.calls[DELETE]


@pytest.mark.parametrize("gone", [404, 400])
def test_a_delete_whose_answer_is_lost(cloudformation, spot, properties):
    """It is asked for again, and by then the group is gone."""
    cloudformation.create("Group", properties)
    spot.fault(method="DELETE", path="/aws/ec2/group/{id}", when="after", drop=True)

    answer = cloudformation.delete("Group")

    assert "SUCCESS" == answer.status
    assert 2 == spot.calls[DELETE]
    assert {} == spot.groups


def test_a_delete_that_spot_refuses(cloudformation, spot, properties):
    """Only a group that is gone is nothing to worry about: CloudFormation keeps the resource."""
    cloudformation.create("Group", properties)
    spot.fault(method="DELETE", path="/aws/ec2/group/{id}", when="before", status=400)

    answer = cloudformation.delete("Group")

    assert "FAILED" == answer.status
    assert ["Group"] == list(cloudformation.resources)
    assert 1 == len(spot.groups)


def test_another_account(cloudformation, spot, properties):
    """Every request names the account, and another account is another group."""
    cloudformation.create("Group", {**properties, "AccountId": "act-1"})
    cloudformation.update("Group", {**properties, "AccountId": "act-2"})

    assert [(POST, "act-1"), (POST, "act-2"), (DELETE, "act-1")] == [
        (call.kind, call.query["accountId"]) for call in spot.asked
    ]


def test_properties_of_an_older_provider(cloudformation, spot, properties):
    """What was declared otherwise before cannot be compared: it is sent as it is now."""
    cloudformation.create("Group", properties)
    held = cloudformation.resources["Group"]
    cloudformation.resources["Group"] = replace(
        held, properties={**held.properties, "Capacity": "1"}
    )

    more = {"Minimum": 0, "Maximum": 3, "Target": 1}
    answer = cloudformation.update("Group", {**properties, "Capacity": more})

    assert answer.succeeded
    assert {"capacity": {"minimum": 0, "maximum": 3, "target": 1}} == spot.asked[-1].body["group"]


def test_the_access_token(spot, properties, tmp_path, caplog):
    """It is in no log line, no answer and nowhere in the ledger, not even when things go wrong."""
    caplog.set_level(logging.DEBUG)
    # At DEBUG botocore prints whatever a service answers, secrets too: a provider must not run so.
    caplog.set_level(logging.INFO, logger="botocore")
    file = tmp_path / "ledger.sqlite3"
    ledger = open_store(f"sqlite:///{file}", in_lambda=False, allow_local=True)
    cloudformation = FakeCloudFormation(provider, ledger=ledger)
    spot.fault(method="POST", path="/aws/ec2/group", when="before", status=500)
    spot.fault(method="PUT", path="/aws/ec2/group/{id}", when="before", status=400)

    cloudformation.create("Group", properties)
    cloudformation.update("Group", {**properties, "Name": "shop"})
    cloudformation.delete_stack()

    with sqlite3.connect(file) as connection:
        kept = str(connection.execute("select * from ledger").fetchall())
    logged = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records)])
    told = json.dumps([answer.body.decode() for _, answer in cloudformation.answers])
    assert "FAILED" in told
    assert "Group" in logged
    assert [] == [place for place in (kept, logged, told) if TOKEN in place]
