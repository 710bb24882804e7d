"""Which class serves what, and properties that do not fit."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider, Secret
from cfn_once.testing import FakeCloudFormation


class Red(CustomResource[dict, dict]):
    def create(self):
        return {"Colour": "red"}

    def delete(self):
        pass


class Blue(CustomResource[dict, dict]):
    resource_type = "Custom::Azure"

    def create(self):
        return {"Colour": "blue"}

    def delete(self):
        pass


def test_several_types_in_one_function():
    """
    Each type is served by the class of that name, or by the one that names it.
    """
    cloudformation = FakeCloudFormation(Provider(Red, Blue, ledger="memory://"))

    red = cloudformation.create("One", resource_type="Custom::Red")
    blue = cloudformation.create("Two", resource_type="Custom::Azure")

    assert ("red", "blue") == (red.data["Colour"], blue.data["Colour"])


def test_the_generic_type_name():
    """
    AWS::CloudFormation::CustomResource is served by a sole class.
    """
    cloudformation = FakeCloudFormation(Provider(Red, ledger="memory://"))

    answer = cloudformation.create("One", resource_type="AWS::CloudFormation::CustomResource")

    assert answer.succeeded


def test_a_type_that_is_not_served():
    """
    Create is FAILED naming the types served, and its Delete is SUCCESS: the ledger knows nothing.
    """
    cloudformation = FakeCloudFormation(Provider(Red, Blue, ledger="memory://"))

    answer = cloudformation.create("One", resource_type="Custom::Green")

    assert "this provider serves Custom::Azure, Custom::Red, not Custom::Green" == answer.reason
    assert {} == cloudformation.resources


def test_a_type_that_is_served_no_more():
    """
    The Delete of what a former version made is FAILED with what to do, and nothing is lost.
    """
    cloudformation = FakeCloudFormation(Provider(Red, ledger="memory://"))
    cloudformation.create("One")
    later = Provider(Blue, Red, ledger="memory://")

    answer = cloudformation.send(
        cloudformation.event("Delete", "One", resource_type="Custom::Green"), provider=later
    )

    assert "FAILED" == answer.status
    assert "deploy the version of the provider" in answer.reason


def test_two_classes_of_one_type():
    """
    Two classes that serve the same type are refused when the provider is made.
    """
    with pytest.raises(ConfigurationError, match="two classes serve Custom::Red"):
        Provider(Red, type("Red", (Red,), {}), ledger="memory://")


@dataclass(frozen=True)
class Wanted:
    Name: str
    Size: int
    Password: Annotated[str, Secret] = ""


class Picky(CustomResource[Wanted, dict]):
    runs = 0

    def create(self):
        type(self).runs += 1

    def delete(self):
        pass


def test_properties_that_do_not_fit():
    """
    Every wrong property is named at once, none of their values, and no hook runs.
    """
    Picky.runs = 0
    cloudformation = FakeCloudFormation(Provider(Picky, ledger="memory://"))

    answer = cloudformation.create("One", {"Size": "large", "Nmae": "x", "Password": "hunter22"})

    assert "FAILED" == answer.status
    assert "Name: missing" in answer.reason
    assert "Size: expected an integer, got text" in answer.reason
    assert "Nmae: unknown; did you mean Name?" in answer.reason
    assert "large" not in answer.reason
    assert 0 == Picky.runs
