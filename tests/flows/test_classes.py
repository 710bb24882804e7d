"""What a class may say of itself, and what is refused when it is defined."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider
from cfn_once.testing import FakeCloudFormation

A = TypeVar("A")


@dataclass(frozen=True)
class Named:
    Name: str


def test_replace_on_names_a_property():
    """
    A name in replace_on that the properties do not declare is a slip, told at once.
    """
    with pytest.raises(ConfigurationError, match="replace_on names Nmae"):

        class Slip(CustomResource[Named, dict]):
            replace_on = {"Nmae"}


def test_unresolved_is_one_of_two():
    """
    What a Delete does about doubts is "report" or "fail".
    """
    with pytest.raises(ConfigurationError, match="'report' or 'fail'"):

        class Slip(CustomResource[dict, dict]):
            unresolved = "ignore"


def test_two_types_are_named():
    """
    A class says which properties it reads and which attributes it answers.
    """
    with pytest.raises(ConfigurationError, match="must name two types"):

        class Slip(CustomResource):
            pass


class Base(CustomResource[Named, A], Generic[A]):
    """A base class of somebody's own, which leaves the attributes open."""

    def create(self) -> Any:
        return {"Name": self.properties.Name, "Id": self.correlation_id}

    def delete(self) -> None:
        pass


def test_a_base_class_of_ones_own():
    """
    A generic base leaves a type open, and who derives from it names it.
    """

    class Derived(Base["CustomResource[Any, Any]"], CustomResource[Named, dict]):
        pass

    answer = FakeCloudFormation(Provider(Derived, ledger="memory://")).create("One", {"Name": "a"})

    assert "a" == answer.data["Name"]
    assert 26 == len(answer.data["Id"])


def test_attributes_that_are_none():
    """
    A class without attributes answers none.
    """

    class Bare(CustomResource[Named, None]):
        def create(self):
            assert 100 < self.time_left <= 120

        def delete(self):
            pass

    answer = FakeCloudFormation(Provider(Bare, ledger="memory://")).create("One", {"Name": "a"})

    assert (True, {}) == (answer.succeeded, answer.data)


@pytest.mark.parametrize("value", ["", None, 7])
def test_an_id_that_is_none(value):
    """
    A physical id is text, and not empty: CloudFormation would hide the reason behind it.
    """

    class Empty(CustomResource[Named, dict]):
        def create(self):
            self.physical_resource_id = value

        def delete(self):
            pass

    answer = FakeCloudFormation(Provider(Empty, ledger="memory://")).create("One", {"Name": "a"})

    assert "physical_resource_id must be text, and not empty" in answer.reason


def test_hooks_that_are_missing():
    """
    A class without create is FAILED with its name; without delete, the Delete is.
    """

    class Half(CustomResource[Named, dict]):
        def create(self):
            return {}

    class None_(CustomResource[Named, dict]):
        pass

    none = FakeCloudFormation(Provider(None_, ledger="memory://"))
    half = FakeCloudFormation(Provider(Half, ledger="memory://"))
    half.create("One", {"Name": "a"})

    assert "None_ has no create" in none.create("One", {"Name": "a"}).reason
    assert "Half has no delete" in half.delete("One").reason


def test_no_class_at_all():
    """
    A provider serves something.
    """
    with pytest.raises(ConfigurationError, match="needs the classes"):
        Provider(ledger="memory://")
