"""A function that is deployed, on a local AWS: driven through boto3, in real time."""

import json
import sys

import boto3
import pytest
from botocore.config import Config

from cfn_once.testing import DeployedLambda, FakeCloudFormation
from cfn_once.testing.responses import S3Bucket
from support.lambda_zip import lambda_zip
from support.ministack import ROOT
from support.stacks import Stack

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}  # as the local AWS has it
NAME = "kit-parameter"
PROVIDER = """
from cfn_once import CustomResource, Provider


class Parameter(CustomResource[dict, dict]):
    replace_on = ()

    def create(self):
        name = "/kit/" + self.step("name", lambda step: step.token, find=lambda step: None)
        self.physical_resource_id = name
        return self.update()

    def update(self):
        value = self.raw_properties["Value"]
        self.client("ssm").put_parameter(
            Name=self.physical_resource_id, Value=value, Type="String", Overwrite=True
        )
        return {"Value": value}

    def delete(self):
        self.client("ssm").delete_parameter(Name=self.physical_resource_id)


provider = Provider(Parameter)
"""


@pytest.fixture(scope="module")
def ledger(ministack):
    stack = Stack(ministack.client("cloudformation"), "kit-ledger")

    assert "CREATE_COMPLETE" == stack.create(ROOT / "templates" / "ledger.yaml"), stack.reasons
    return stack.outputs["LedgerUrl"]


@pytest.fixture
def deployed(ministack, ledger):
    """Makes a stack of a deployed function that may answer where the stack listens."""
    client = ministack.client("lambda")
    stacks = []

    def deployed(**where):
        function = DeployedLambda(NAME, client, resource_type="Custom::Parameter", quiet=1, **where)
        stack = FakeCloudFormation(function)
        stacks.append(stack)
        client.create_function(
            FunctionName=NAME,
            Runtime=f"python3.{sys.version_info.minor}",
            Role="arn:aws:iam::000000000000:role/kit",
            Handler="kit_provider.provider",
            Code={"ZipFile": lambda_zip({"kit_provider.py": PROVIDER})},
            Timeout=60,
            Environment={
                "Variables": {
                    "CFN_ONCE_LEDGER": ledger,
                    "CFN_ONCE_RESPONSE_HOSTS": stack.response_host,
                }
            },
        )
        return stack

    yield deployed
    client.delete_function(FunctionName=NAME)
    for stack in stacks:
        stack.close()


@pytest.mark.e2e
@pytest.mark.parametrize("place", ["this machine", "a bucket"])
def test_a_whole_life(ministack, deployed, place):
    """
    Create, copies of it, an Update in place and a Delete, all answered to this machine or to an S3
    bucket; a copy after the Delete makes nothing.
    """
    ssm, where = ministack.client("ssm"), {}
    if place == "a bucket":
        s3 = boto3.client(
            "s3",
            endpoint_url=ministack.url,
            region_name="us-east-1",
            config=Config(signature_version="s3v4"),
            **KEYS,
        )
        s3.create_bucket(Bucket="kit-answers")
        where = {"bucket": "kit-answers", "s3": s3}
    cloudformation = deployed(**where)
    created = cloudformation.create("Parameter", {"Value": 1}, at_once=2, times=2)
    create, _ = cloudformation.answers[0]
    values = [ssm.get_parameter(Name=created.physical_resource_id)["Parameter"]["Value"]]
    updated = cloudformation.update("Parameter", {"Value": 2})
    values.append(ssm.get_parameter(Name=created.physical_resource_id)["Parameter"]["Value"])
    deleted = cloudformation.delete("Parameter")
    cloudformation.send(create)

    assert ["1", "2"] == values
    assert [True] * 3 == [outcome.succeeded for outcome in (created, updated, deleted)]
    assert created.physical_resource_id == updated.physical_resource_id
    assert [] == ssm.get_parameters_by_path(Path="/kit")["Parameters"]
    assert 3 <= len(cloudformation.answers) <= 6


class Asked:
    """Lambda's client, as far as an invocation goes."""

    def __init__(self, answer=lambda event: None):
        self.asked, self.answer = [], answer

    def invoke(self, **arguments):
        self.asked.append(arguments)
        self.answer(arguments["Payload"])


def test_an_event_is_invoked_asynchronously():
    """
    As CloudFormation does; where nobody answers within the time that is given, the stack hangs.
    """
    client = Asked()
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:other"
    deployed = DeployedLambda(arn, client, resource_type="Custom::X", patience=0.01)
    with FakeCloudFormation(deployed) as stack:
        with pytest.raises(AssertionError, match="the stack hangs: the Create of Thing"):
            stack.create("Thing")
        event = stack.answers

    assert [("Event", arn)] == [
        (call["InvocationType"], call["FunctionName"]) for call in client.asked
    ]
    assert f'"ServiceToken": "{arn}"'.encode() in client.asked[0]["Payload"]
    assert [] == event


def test_copies_are_invoked_one_right_after_another():
    """
    Copies at once do not wait for one another's answers; those in a row do.
    """

    def answer(payload):
        event = json.loads(payload)
        echoed = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        body = {**echoed, "Status": "SUCCESS", "PhysicalResourceId": "x"}
        stack._bucket.put(event["ResponseURL"], json.dumps(body).encode())

    client = Asked(answer)
    deployed = DeployedLambda("x", client, resource_type="Custom::X", quiet=0.01)
    with FakeCloudFormation(deployed) as stack:
        answers = [stack.create("Thing", at_once=2, times=2)]
        answers += stack.delete_stack()

    assert [True, True] == [answer.succeeded for answer in answers]
    assert 4 == len(client.asked)
    assert 4 == len(stack.answers)


def test_what_a_deployed_function_cannot_be_done():
    """
    It cannot be crashed from here, nor be stopped at a call; and a resource's type must be said.
    """
    with FakeCloudFormation(DeployedLambda("x", Asked(), resource_type="Custom::X")) as stack:
        with pytest.raises(ValueError, match="crash_before, slow: a deployed function can be sent"):
            stack.create("Thing", crash_before="x", slow={"x": 1})
        with pytest.raises(TypeError, match="cancel_create needs the Provider itself"):
            stack.cancel_create("Thing")
    with (
        FakeCloudFormation(DeployedLambda("x", Asked())) as stack,
        pytest.raises(ValueError, match="name the resource_type"),
    ):
        stack.create("Thing")


def test_answers_in_a_bucket_need_both():
    """
    A bucket's name without a client is no place for answers, and a real bucket loses none.
    """
    with pytest.raises(ValueError, match="answers in S3 take both"):
        DeployedLambda("x", Asked(), bucket="answers")
    bucket = S3Bucket(print, "answers", boto3.client("s3", region_name="eu-west-1", **KEYS))

    with pytest.raises(ValueError, match="a bucket of one's own loses none"):
        bucket.refuse(1)
    assert bucket.host.startswith("answers.s3.")
