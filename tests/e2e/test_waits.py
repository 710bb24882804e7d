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


def test_a_create_that_waits(aws, stack, slow_file_systems):
    """
    It is made once, waits in no invocation, goes on when its schedule fires, and leaves none.
    """
    efs = aws.client("efs")
    before = len(efs.describe_file_systems()["FileSystems"])
    status = stack.create(
        {
            "Resources": {
                "Data": {
                    "Type": "Custom::SlowFileSystem",
                    "Properties": {
                        "ServiceToken": {
                            "Fn::ImportValue": f"{slow_file_systems.name}-ServiceToken"
                        },
                        "ServiceTimeout": "600",
                    },
                }
            },
            "Outputs": {"State": {"Value": {"Fn::GetAtt": ["Data", "State"]}}},
        }
    )
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
    token = {"Fn::ImportValue": f"{slow_file_systems.name}-ServiceToken"}
    status = stack.create(
        {
            "Resources": {
                "Data": {
                    "Type": "Custom::FileSystems",
                    "Properties": {"ServiceToken": token, "ServiceTimeout": "600"},
                }
            },
            "Outputs": {"Number": {"Value": {"Fn::GetAtt": ["Data", "Number"]}}},
        }
    )
    made = len(efs.describe_file_systems()["FileSystems"])
    outputs, deleted = stack.outputs, stack.delete()

    assert ("CREATE_COMPLETE", "DELETE_COMPLETE") == (status, deleted), stack.reasons
    assert {"Number": "3"} == outputs
    assert 3 == made
    assert [] == aws.client("scheduler").list_schedules()["Schedules"]
