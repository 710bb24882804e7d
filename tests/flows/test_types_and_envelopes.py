"""Which class serves what, and properties that do not fit."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider, Secret
from cfn_once.testing import Crashed, FakeCloudFormation

SIZE = {"Product": "Linux/UNIX", "Target": "1"}


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

    mistyped = cloudformation.create("Two", resource_type="Custom::Azuer")

    assert mistyped.reason.endswith("not Custom::Azuer; did you mean Custom::Azure?")


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


# Another type under a logical id


KINDS = {}


class Kept(CustomResource[dict, dict]):
    def create(self):
        self.physical_resource_id = f"{type(self).__name__}-{self.raw_properties['Name']}"
        KINDS[self.physical_resource_id] = True

    def delete(self):
        del KINDS[self.physical_resource_id]


class Disk(Kept):
    pass


class Volume(Kept):
    pass


@pytest.fixture
def kinds():
    KINDS.clear()
    return KINDS


@pytest.fixture
def both():
    return FakeCloudFormation(Provider(Disk, Volume, ledger="memory://"))


def ask(stack, kind, type_, name="a", **options):
    event = stack.event(kind, "One", {"Name": name}, resource_type=f"Custom::{type_}", **options)
    return stack.send(event)


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_what_another_type_holds(both, kinds, kind):
    """
    An Update, or a Delete of the held id, under another type is refused, and names the type that
    the ledger knows.
    """
    ask(both, "Create", "Disk")

    answer = ask(both, kind, "Volume", physical_resource_id="Disk-a")

    assert ("FAILED", "Disk-a") == (answer.status, answer.physical_resource_id)
    assert "the ledger knows One as a Custom::Disk" in answer.reason
    assert {"Disk-a": True} == kinds


def test_a_create_takes_over_what_another_type_left(both, kinds):
    """
    A Create of another type takes the resource over, and names what the other type left; the
    Deletes of that remove it alone, and the resource's own Delete its own.
    """
    ask(both, "Create", "Disk")

    answer = ask(both, "Create", "Volume")
    named = ask(both, "Delete", "Volume", physical_resource_id="theirs")
    late = ask(both, "Delete", "Disk", physical_resource_id="Disk-a")
    between = list(kinds)
    last = ask(both, "Delete", "Volume", physical_resource_id="Volume-a")

    assert "SUCCESS" == answer.status
    assert "left: Disk-a of type Custom::Disk was there before" == answer.reason
    assert "Volume-a is held" in named.reason
    assert ("SUCCESS", ["Volume-a"]) == (late.status, between)
    assert ("SUCCESS", "", {}) == (last.status, last.reason, kinds)


@pytest.mark.parametrize("physical_id", ["placeholder", "stack-One-1A2B3C4D5E6F"])
def test_an_id_of_nothing_of_another_type(both, kinds, physical_id):
    """
    The Delete of a Create of another type that made nothing is SUCCESS, and leaves what is held.
    """
    ask(both, "Create", "Disk")
    refused = both.send(
        both.event("Create", "One", {"Name": "b"}, resource_type="Custom::Unserved")
    )
    if physical_id == "placeholder":
        physical_id = refused.physical_resource_id
    ask(both, "Create", "Volume")

    answer = ask(both, "Delete", "Unserved", physical_resource_id=physical_id)

    assert ("FAILED", "SUCCESS") == (refused.status, answer.status)
    assert {"Disk-a": True, "Volume-a": True} == kinds


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_failed_create_of_another_type(groups, group_class, is_deleted):
    """
    A Create that died is kept, and one of another type follows under its logical id. What the first
    one made, its own Delete removes, with the hooks of its own type; where that never comes, the
    last Delete of the other type names it.
    """
    other = type("Other", (group_class,), {})
    stack = FakeCloudFormation(Provider(group_class, other, ledger="memory://"))
    died = stack.event("Create", "Group", SIZE, resource_type="Custom::Group")
    with pytest.raises(Crashed):
        stack.send(died, crash_after="group")
    stack.wait(130)

    made = stack.create("Group", {**SIZE, "Target": "2"}, resource_type="Custom::Other")
    if is_deleted:
        invented = "stack-Group-0A1B2C3D4E5F"
        kept = {"physical_resource_id": invented, "resource_type": "Custom::Group"}
        assert stack.send(stack.event("Delete", "Group", SIZE, **kept)).succeeded
        assert [made.physical_resource_id] == list(groups.objects)
    deleted = stack.delete("Group")

    left = [] if is_deleted else ["sig-1"]
    assert deleted.succeeded
    assert left == list(groups.objects)
    assert is_deleted is ("may have made is not cleaned up yet" not in deleted.reason)


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
