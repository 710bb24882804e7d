"""A stack whose resource waits: parked in the ledger, and brought back by Scheduler."""

import json

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def slow_file_systems(aws, deploy_for_efs):
    stack = deploy_for_efs("slow_file_systems")
    # There, every schedule is known by the default group to who asks what a role may.
    allowed = {
        "Effect": "Allow",
        "Action": "scheduler:CreateSchedule",
        "Resource": "arn:aws:scheduler:*:*:schedule/default/cfn-once-*",
    }
    aws.client("iam").put_role_policy(
        RoleName=stack.resources["Role"],
        PolicyName="schedules",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    return stack


def template(provider, kind, attribute):
    """A stack of one resource of a kind, which tells one of its attributes."""
    properties = {
        "ServiceToken": {"Fn::ImportValue": f"{provider.name}-ServiceToken"},
        "ServiceTimeout": "600",
    }
    return {
        "Resources": {"Data": {"Type": kind, "Properties": properties}},
        "Outputs": {attribute: {"Value": {"Fn::GetAtt": ["Data", attribute]}}},
    }


def test_a_create_that_waits(aws, stack, slow_file_systems):
    """
    It is made once, waits in no invocation, goes on when its schedule fires, and leaves none.
    """
    efs = aws.client("efs")
    before = len(efs.describe_file_systems()["FileSystems"])
    status = stack.create(template(slow_file_systems, "Custom::SlowFileSystem", "State"))
    made = len(efs.describe_file_systems()["FileSystems"]) - before
    outputs, deleted = stack.outputs, stack.delete()
    schedules = aws.client("scheduler").list_schedules()["Schedules"]

    assert ("CREATE_COMPLETE", "DELETE_COMPLETE") == (status, deleted), stack.reasons
    assert {"State": "available"} == outputs
    assert 1 == made
    assert [] == schedules
    assert before == len(efs.describe_file_systems()["FileSystems"])


def test_a_create_whose_steps_outlast_the_invocation(aws, stack, slow_file_systems):
    """
    The step that would not end in time is made by another invocation; none is made twice.
    """
    function = slow_file_systems.resources["Function"]
    aws.client("lambda").update_function_configuration(FunctionName=function, Timeout=30)
    efs = aws.client("efs")
    status = stack.create(template(slow_file_systems, "Custom::FileSystems", "Number"))
    made = len(efs.describe_file_systems()["FileSystems"])
    outputs, deleted = stack.outputs, stack.delete()

    assert ("CREATE_COMPLETE", "DELETE_COMPLETE") == (status, deleted), stack.reasons
    assert {"Number": "3"} == outputs
    assert 3 == made
    assert [] == aws.client("scheduler").list_schedules()["Schedules"]
