"""Objects that are older than what the ledger knows: another handler made them, or it was lost."""

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.ledger import MemoryStore
from cfn_once.testing import Crashed, FakeCloudFormation, Held

ONE = {"Product": "Linux/UNIX", "Target": "3"}
TWO = {"Product": "Windows", "Target": "3"}
UNKNOWN = "made before there was a ledger: nothing is known of its attributes"


@pytest.fixture
def cloudformation(on_two_ways):
    return on_two_ways


@pytest.fixture
def adopted(cloudformation, groups):
    """The stack holds a group that another handler made."""
    return adopt(cloudformation, groups)


def adopt(stack, groups, held="old"):
    groups.objects[held] = {}
    token = stack.event("Create", "Unsent")["ServiceToken"]
    stack.resources["Group"] = Held("Custom::Group", held, {**ONE, "ServiceToken": token}, {})
    return stack


def without_update(group_class):
    version = type("Group", (group_class,), {"update": CustomResource.update})
    return Provider(version, ledger="memory://")


def test_a_replacement_that_is_rolled_back(adopted, groups):
    """
    The first request that the ledger sees replaces the object, and the stack rolls back: the old id
    is answered again, nothing third is made, and the new object is cleaned up.
    """
    back = adopted.update_and_roll_back("Group", TWO)

    assert ("SUCCESS", "old", UNKNOWN) == (back.status, back.physical_resource_id, back.reason)
    assert ["sig-1"] == groups.created == groups.deletes
    assert ["old"] == list(groups.objects)

    assert "SUCCESS" == adopted.delete("Group").status
    assert {} == groups.objects


@pytest.mark.parametrize("how", ["its hook fails", "it dies behind its call"])
def test_a_replacement_that_fails(adopted, groups, how):
    """
    So it is where the replacement itself fails, or dies, half way.
    """
    if how == "its hook fails":
        groups.fails.append(ValueError("no capacity"))
        adopted.update("Group", TWO)
    else:
        update = adopted.event("Update", "Group", TWO)
        with pytest.raises(Crashed):
            adopted.send(update, crash_after="group")
        adopted.clock.advance(130)
        back = adopted.event("Update", "Group", ONE)
        back["OldResourceProperties"] = update["ResourceProperties"]
        adopted.send(back)
    _, last = adopted.answers[-1]

    assert ("SUCCESS", "old") == (last.status, last.physical_resource_id)
    assert ["sig-1"] == groups.created == groups.deletes
    assert ["old"] == list(groups.objects)


def test_an_update_in_place_that_is_rolled_back(adopted, groups):
    """
    An Update in place has touched the object: its rollback runs `update` with the old properties.
    """
    back = adopted.update_and_roll_back("Group", {**ONE, "Target": 9})

    assert ("SUCCESS", "old") == (back.status, back.physical_resource_id)
    assert [("old", 9), ("old", 3)] == groups.updates


def test_an_update_that_is_refused(adopted, groups):
    """
    A first Update that ran no hook is rolled back without one; what its attributes were nobody
    knows, and the answer says so.
    """
    adopted.update("Group", {**ONE, "Target": "many"})
    _, back = adopted.answers[-1]

    assert ("SUCCESS", "old", UNKNOWN) == (back.status, back.physical_resource_id, back.reason)
    assert {} == back.data
    assert [] == groups.calls


def test_a_first_update_that_changes_nothing(adopted, groups):
    """
    A first Update in which no declared property changes runs `update` once, which tells the
    attributes; the next one is answered with those.
    """
    first = adopted.update("Group", {**ONE, "ServiceTimeout": 600}, times=3)
    second = adopted.update("Group", {**ONE, "ServiceTimeout": 900})

    assert ("old", "old") == (first.physical_resource_id, first.data["GroupId"])
    assert first.data == second.data
    assert [("old", 3)] == groups.updates


@pytest.mark.parametrize("before", ["a replacement that is rolled back", "no update is written"])
def test_an_update_that_changes_nothing_later(adopted, group_class, groups, before):
    """
    What was answered without a hook has told no attributes: the first Update after it that changes
    nothing runs `update` once.
    """
    if before == "a replacement that is rolled back":
        adopted.update_and_roll_back("Group", TWO)
    else:
        update = adopted.event("Update", "Group", {**ONE, "ServiceTimeout": 300})
        adopted.send(update, provider=without_update(group_class))

    first = adopted.update("Group", {**ONE, "ServiceTimeout": 600}, times=2)
    second = adopted.update("Group", {**ONE, "ServiceTimeout": 900})

    assert ("old", "old", "") == (first.physical_resource_id, first.data["GroupId"], first.reason)
    assert first.data == second.data
    assert [("old", 3)] == groups.updates


def test_a_rollback_that_comes_twice(adopted, groups):
    """
    Copies of an answer that tells no attributes get the same bytes, and so does a second rollback.
    """
    adopted.send(adopted.event("Update", "Group", {**ONE, "Target": "many"}))
    back, again = (adopted.event("Update", "Group", ONE) for _ in range(2))
    for event in (back, again):
        event["OldResourceProperties"] = {**event["ResourceProperties"], "Target": "many"}

    first, second, third = (adopted.send(event) for event in (back, back, again))

    assert first.body == second.body
    assert ("SUCCESS", UNKNOWN) == (third.status, third.reason)
    assert [] == groups.updates


def test_a_first_update_that_changes_nothing_and_no_update(adopted, group_class, groups):
    """
    Where no `update` is written it is SUCCESS under the same id, without attributes, and says why.
    """
    update = adopted.event("Update", "Group", {**ONE, "ServiceTimeout": 600})

    answer = adopted.send(update, provider=without_update(group_class))

    assert ("SUCCESS", "old", UNKNOWN) == (
        answer.status,
        answer.physical_resource_id,
        answer.reason,
    )
    assert ({}, []) == (answer.data, groups.calls)


def test_a_replacement_after_an_update_in_place(adopted, groups):
    """
    Once an Update was answered the object is ours: its attributes come back with it.
    """
    changed = adopted.update("Group", {**ONE, "Target": 9})

    back = adopted.update_and_roll_back("Group", TWO)

    assert ("SUCCESS", "old", "") == (back.status, back.physical_resource_id, back.reason)
    assert changed.data == back.data
    assert ["sig-1"] == groups.deletes


def test_a_replacement_that_stays(adopted, groups):
    """
    Where the stack is not rolled back, the old object is cleaned up, and the new one is held.
    """
    answer = adopted.update("Group", TWO)

    assert "sig-1" == answer.physical_resource_id
    assert (["old"], ["sig-1"]) == (groups.deletes, list(groups.objects))


# The ledger was lost, or another handler was back for a while


@pytest.mark.parametrize("asked", [TWO, {**ONE, "Target": 9}], ids=["replaced", "in place"])
def test_a_ledger_that_was_lost(provider, groups, asked):
    """
    Our own object after the ledger was lost is adopted like anybody's.
    """
    first = FakeCloudFormation(provider)
    first.create("Group", ONE)
    stack = FakeCloudFormation(provider, ledger=MemoryStore(), clock=first.clock)
    stack.resources |= first.resources

    back = stack.update_and_roll_back("Group", asked)
    stack.delete("Group")

    assert ("SUCCESS", "sig-1") == (back.status, back.physical_resource_id)
    assert {} == groups.objects


def test_another_handler_was_back_for_a_while(cloudformation, groups):
    """
    The ledger knows one id and the Update names another: that one is held from now on, and what it
    displaced is kept and named by the last Delete.
    """
    cloudformation.create("Group", ONE)
    adopt(cloudformation, groups, "theirs")

    updated = cloudformation.update("Group", {**ONE, "Target": 9})
    last = cloudformation.delete("Group")

    assert ("SUCCESS", "theirs") == (updated.status, updated.physical_resource_id)
    assert [("theirs", 9)] == groups.updates
    assert ("SUCCESS", ["theirs"]) == (last.status, groups.deletes)
    assert "left: sig-1 was replaced, and no Delete of it has come" == last.reason


def test_another_handler_was_back_and_the_stack_rolls_back(cloudformation, groups):
    """
    A replacing Update of that id is rolled back to it, never to what the ledger held before, though
    the properties are the same.
    """
    cloudformation.create("Group", ONE)
    adopt(cloudformation, groups, "theirs")

    back = cloudformation.update_and_roll_back("Group", TWO)

    assert ("SUCCESS", "theirs") == (back.status, back.physical_resource_id)
    assert ["sig-2"] == groups.deletes


def test_a_displaced_object_that_is_deleted_after_all(cloudformation, groups):
    """
    The Delete of a displaced id removes that one, and no more.
    """
    cloudformation.create("Group", ONE)
    adopt(cloudformation, groups, "theirs")
    cloudformation.update("Group", {**ONE, "Target": 9})

    late = cloudformation.event("Delete", "Group", physical_resource_id="sig-1")
    answer = cloudformation.send(late)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert ["sig-1"] == groups.deletes


@pytest.mark.parametrize("who", ["nobody", "another type"])
def test_nobody_can_delete_what_was_adopted(adopted, group_class, groups, who):
    """
    Where no class can serve, the Delete of an adopted object is FAILED, and says to look for it.
    """
    adopted.update("Group", {**ONE, "Target": "many"})
    other = Provider(type("Other", (group_class,), {}), ledger="memory://")
    by = Provider.unable("no module") if who == "nobody" else other

    answer = adopted.send(adopted.event("Delete", "Group"), provider=by)

    assert ("FAILED", "old") == (answer.status, answer.physical_resource_id)
    assert answer.reason.endswith("Look for it by hand")
    assert ["old"] == list(groups.objects)
