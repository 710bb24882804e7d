"""What CloudFormation and Lambda refuse, the kit refuses, before the provider is asked."""

import pytest
from moto import mock_aws

from cfn_once import CustomResource, Provider
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.testing import FakeCloudFormation

LONGEST = "x" * 60


class Thing(CustomResource[dict, dict]):
    asked = []

    def create(self):
        self.asked.append("create")
        return {}

    def update(self):
        self.asked.append("update")
        return {}

    def delete(self):
        pass


@pytest.fixture
def stack():
    Thing.asked.clear()
    return FakeCloudFormation(Provider(Thing, ledger="memory://"))


@pytest.mark.parametrize(
    "resource_type",
    [
        "MyCompany::S3::Thing",
        "Custom::",
        f"Custom::{LONGEST}x",
        "Custom::My-Thïng",
        "Custom::Thing::Part",
        "Custom::Thing ",
        "custom::Thing",
        "AWS::CloudFormation::WaitCondition",
    ],
)
def test_a_resource_type(stack, resource_type):
    """
    No template can have such a type, so no test passes with it.
    """
    with pytest.raises(AssertionError, match=r"takes no resource type .*write Custom:: and up to"):
        stack.event("Create", "Thing", resource_type=resource_type)

    assert [] == Thing.asked


@pytest.mark.parametrize(
    "resource_type", [f"Custom::{LONGEST}", "Custom::a_@-9", "AWS::CloudFormation::CustomResource"]
)
def test_the_longest_and_oddest_types(stack, resource_type):
    """
    What CloudFormation takes is sent.
    """
    assert (
        resource_type == stack.event("Create", "T", {}, resource_type=resource_type)["ResourceType"]
    )


@pytest.mark.parametrize("timeout", [0, -1, 3601, "1h", "", 1.5, True, [60]])
def test_a_service_timeout(stack, timeout):
    """
    A ServiceTimeout is 1 to 3600 whole seconds, in a Create and in an Update.
    """
    with pytest.raises(AssertionError, match=r"takes no ServiceTimeout .* from 1 to 3600"):
        stack.create("Thing", {"ServiceTimeout": timeout})
    stack.create("Thing", {"ServiceTimeout": 3600})
    with pytest.raises(AssertionError, match="takes no ServiceTimeout"):
        stack.update("Thing", {"ServiceTimeout": timeout})

    assert ["create"] == Thing.asked


@pytest.mark.parametrize("logical_id", ["", "My-Thing", "Thïng", "T" * 256])
def test_a_logical_id(stack, logical_id):
    """
    A logical id has letters and digits only.
    """
    with pytest.raises(AssertionError, match="takes no logical id"):
        stack.create(logical_id)


@pytest.mark.parametrize("name", ["", "1-shop", "my_shop", "s" * 129])
def test_a_stack_name(name):
    """
    The stack's name is part of the ids that CloudFormation invents.
    """
    with pytest.raises(AssertionError, match="takes no stack name"):
        FakeCloudFormation(Provider(Thing, ledger="memory://"), stack_name=name)


def test_properties_that_are_too_large(stack):
    """
    Lambda takes no event over a megabyte; the largest property is named, and its value is not.
    """
    fits = {"Small": "x", "Policy": "p" * (2**20 - 1000)}
    stack.create("Fits", fits)

    with pytest.raises(AssertionError, match=r"no event of 1,0.* the property Policy has") as told:
        stack.create("Large", {"Small": "x", "Policy": "p" * 2**20})

    assert "ppp" not in str(told.value)
    assert ["create"] == Thing.asked


class Answers(CustomResource[dict, dict]):
    said = {}

    def create(self):
        self.physical_resource_id = "i" * self.said["id"]
        return {"Data": "d" * self.said["data"]}

    def delete(self):
        pass


@pytest.mark.parametrize(
    ("said", "succeeds"),
    [
        ({"id": 1024, "data": 0}, True),
        ({"id": 1025, "data": 0}, False),
        ({"id": 5, "data": 3700}, True),
        ({"id": 5, "data": 4096}, False),
    ],
)
def test_an_answer_at_the_limits(said, succeeds):
    """
    An id has 1,024 bytes, an answer 4,096: cfn-once answers FAILED before CloudFormation would.
    """
    Answers.said = said
    answer = FakeCloudFormation(Provider(Answers, ledger="memory://")).create("Thing")

    assert succeeds == answer.succeeded
    assert len(answer.body) <= 4096


def test_a_ledger_on_aws(monkeypatch):
    """
    In the kit nothing of ours calls AWS, not even where it is asked to; the provider's own ledger
    is left alone, and under moto there is nothing to refuse.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    on_aws = DynamoDBStore("things", region="us-east-1")
    provider = Provider(Thing, ledger=on_aws)

    with pytest.raises(ValueError, match=r"does not call AWS, and this ledger is on dynamodb\.us-"):
        FakeCloudFormation(provider, ledger=on_aws)
    with mock_aws():
        FakeCloudFormation(provider, ledger=on_aws)

    assert FakeCloudFormation(provider).create("Thing").succeeded
