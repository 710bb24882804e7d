"""Whole stacks on a local AWS: the templates, a provider's zip, and CloudFormation's own events."""

import json
import time
from functools import partial

import pytest
from botocore.exceptions import ClientError

from cfn_once.testing import DeployedLambda, FakeCloudFormation, on_failure_event
from support.ministack import ROOT
from support.stacks import Stack

pytestmark = pytest.mark.e2e

ANY_TYPE = "AWS::CloudFormation::CustomResource"


def resource(provider, *, kind="Custom::FileSystem", **properties):
    return {
        "Type": kind,
        "Properties": {
            "ServiceToken": {"Fn::ImportValue": f"{provider.name}-ServiceToken"},
            "ServiceTimeout": "60",
            **properties,
        },
    }


def template(**resources):
    first = next(iter(resources))
    return {
        "Resources": resources,
        "Outputs": {
            "Id": {"Value": {"Ref": first}},
            "FileSystemId": {"Value": {"Fn::GetAtt": [first, "FileSystemId"]}},
        },
    }


@pytest.fixture
def efs(aws):
    client = aws.client("efs")
    return lambda: client.describe_file_systems()["FileSystems"]


def test_a_resource_from_its_creation_to_its_end(stack, efs, file_systems):
    """
    Create makes the thing under its own id, an Update changes it in place, a Delete removes it.
    """
    created = stack.create(template(Data=resource(file_systems)))
    (made,) = efs()
    outputs = stack.outputs
    updated = stack.update(
        template(
            Data=resource(
                file_systems, ThroughputMode="provisioned", ProvisionedThroughputInMibps=64
            )
        )
    )
    (changed,) = efs()
    deleted = stack.delete()

    assert ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") == (created, updated, deleted)
    assert {"Id": made["FileSystemId"], "FileSystemId": made["FileSystemId"]} == outputs
    assert made["FileSystemId"] == changed["FileSystemId"]
    assert 64 == changed["ProvisionedThroughputInMibps"]
    assert [] == efs()


def test_an_update_that_fails_and_is_rolled_back(stack, efs, file_systems):
    """
    What a failed Update did not change is still there, under the same id.
    """
    stack.create(template(Data=resource(file_systems, ThroughputMode="elastic")))
    (before,) = efs()
    status = stack.update(template(Data=resource(file_systems, ThroughputMode="provisioned")))
    (after,) = efs()

    assert "UPDATE_ROLLBACK_COMPLETE" == status
    assert ["Data: provisioned throughput needs ProvisionedThroughputInMibps"] == (stack.reasons)
    assert before == after
    assert before["FileSystemId"] == stack.outputs["Id"]


def test_a_replacement_that_is_rolled_back(stack, efs, file_systems):
    """
    When something else in the stack fails, the new thing goes and the old one is as it was.
    """
    stack.create(template(Data=resource(file_systems)))
    (before,) = efs()
    broken = resource(file_systems, ThroughputMode="provisioned")
    status = stack.update(
        template(
            Data=resource(file_systems, Encrypted=True), Broken={**broken, "DependsOn": "Data"}
        )
    )
    left = efs()

    assert "UPDATE_ROLLBACK_COMPLETE" == status
    assert [before] == left
    assert before["FileSystemId"] == stack.outputs["Id"]


def test_both_spellings_of_a_type(stack, efs, file_systems):
    """
    `Custom::Name` and CloudFormation's own type name reach the same class.
    """
    status = stack.create(
        template(
            Named=resource(file_systems),
            Plain=resource(file_systems, kind=ANY_TYPE, ThroughputMode="elastic"),
        )
    )
    modes = {file_system["FileSystemId"]: file_system["ThroughputMode"] for file_system in efs()}
    ids = stack.resources

    assert "CREATE_COMPLETE" == status, stack.reasons
    assert {ids["Named"]: "bursting", ids["Plain"]: "elastic"} == modes


def test_two_providers_one_of_which_refers_to_the_other(
    stack, aws, efs, file_systems, access_points
):
    """
    An attribute of one provider's resource is a property of another's, and follows it when a change
    of a `replace_on` property replaces the resource: a new thing is made, the old one removed.
    """

    def both(**properties):
        return template(
            Data=resource(file_systems, **properties),
            Way=resource(
                access_points,
                kind="Custom::AccessPoint",
                FileSystemId={"Fn::GetAtt": ["Data", "FileSystemId"]},
                Path="/shared",
            ),
        )

    def ways():
        return [
            (describe_access_point["FileSystemId"], describe_access_point["RootDirectory"]["Path"])
            for describe_access_point in aws.client("efs").describe_access_points()["AccessPoints"]
        ]

    created, (first,), first_ways = stack.create(both()), efs(), ways()
    updated, (second,), second_ways = stack.update(both(Encrypted=True)), efs(), ways()

    assert ("CREATE_COMPLETE", "UPDATE_COMPLETE") == (created, updated), stack.reasons
    assert first["FileSystemId"] != second["FileSystemId"] == stack.outputs["Id"]
    assert second["Encrypted"]
    assert [(first["FileSystemId"], "/shared")] == first_ways
    assert [(second["FileSystemId"], "/shared")] == second_ways


def test_the_minimal_example(stack, aws, deploy):
    """
    The example's template and provider work as they are.
    """
    example = ROOT / "examples" / "minimal"
    provider = deploy(example / "provider.py", "pick-provider")
    status = stack.create(example / "template.yaml", ProviderStackName=provider.name)
    zones = aws.client("ec2").describe_availability_zones()["AvailabilityZones"]

    assert "CREATE_COMPLETE" == status, stack.reasons
    assert stack.outputs["Zone"] in {zone["ZoneName"] for zone in zones}


def test_what_is_kept_lies_in_the_providers_namespace(aws, ledger, file_systems, stack):
    """
    Every item in the table begins with the name of the function that keeps it.
    """
    status = stack.create(template(Files=resource(file_systems)))
    table = aws.client("dynamodb").scan(TableName=ledger.outputs["TableName"])
    function = file_systems.outputs["ServiceToken"].rpartition(":")[2]
    keys = [item["pk"]["S"] for item in table["Items"]]

    assert "CREATE_COMPLETE" == status, stack.reasons
    assert "file-systems" == function
    assert any(key.startswith(f"{function}/r") for key in keys)
    assert [] == [key for key in keys if "/" not in key]


def test_the_guardian_of_a_function_that_failed(aws, file_systems):
    """
    It answers FAILED for the function, and SUCCESS to the Delete of what was never made.
    """
    functions, guardian = aws.client("lambda"), file_systems.outputs["GuardianName"]
    deployed = DeployedLambda(guardian, functions, resource_type="Custom::FileSystem")
    failed = partial(on_failure_event, function_arn=file_systems.outputs["ServiceToken"])
    with FakeCloudFormation(deployed, envelope=failed) as cloudformation:
        configured = functions.get_function_configuration(FunctionName=guardian)
        variables = configured["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=guardian,
            Environment={
                "Variables": {**variables, "CFN_ONCE_RESPONSE_HOSTS": cloudformation.response_host}
            },
        )
        answer = cloudformation.create("FileSystem")

    assert "FAILED" == answer.status
    assert "failed or ran out of time or memory in every try" in answer.reason
    assert {} == cloudformation.resources


def test_an_event_that_nobody_can_answer(aws, file_systems):
    """
    What the guardian cannot answer either is kept in the queue of the provider's stack.
    """
    aws.client("lambda").invoke(
        FunctionName=file_systems.outputs["GuardianName"],
        InvocationType="Event",
        Payload=json.dumps(
            on_failure_event(
                {"RequestId": "r", "RequestType": "Create"},
                function_arn=file_systems.outputs["ServiceToken"],
            )
        ),
    )
    queue, messages = file_systems.outputs["UnhandledQueueUrl"], []
    over = time.monotonic() + 60
    while not messages and time.monotonic() < over:
        answer = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)
        messages = answer.get("Messages", [])
    (kept,) = (json.loads(message["Body"]) for message in messages)

    assert "r" == kept["requestPayload"]["requestPayload"]["RequestId"]
    assert "RetriesExhausted" == kept["requestContext"]["condition"]


def test_a_ledger_outlives_its_stack(aws):
    """
    A ledger's stack cannot go before what refers to it, and when it goes, the table stays.
    """
    cloudformation, dynamodb = aws.client("cloudformation"), aws.client("dynamodb")
    ledger = Stack(cloudformation, "another-ledger")
    user = Stack(cloudformation, "user-of-the-ledger")
    parameter = {"Type": "String", "Value": {"Fn::ImportValue": "another-ledger-LedgerUrl"}}
    ledger.create(ROOT / "templates" / "ledger.yaml")
    user.create({"Resources": {"Url": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}})
    table = ledger.outputs["TableName"]
    with pytest.raises(ClientError) as refused:
        ledger.delete()
    deleted = user.delete(), ledger.delete()
    with pytest.raises(ClientError) as protected:
        dynamodb.delete_table(TableName=table)

    assert "Export another-ledger-LedgerUrl is imported by stack" in str(refused.value)
    assert ("DELETE_COMPLETE", "DELETE_COMPLETE") == deleted
    assert "ACTIVE" == dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
    assert "protected against deletion" in str(protected.value)
