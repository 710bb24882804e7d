"""Updates: in place, by a new resource, rolled back, and not at all."""

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import Crashed, FakeCloudFormation

ONE = {"Product": "Linux/UNIX", "Target": 3}
TWO = {"Product": "Windows", "Target": 3}


def test_an_update_that_changes_nothing(cloudformation, groups):
    """
    Where no declared property differs, the ledger gives the last attributes and no hook runs.
    """
    cloudformation.create("Group", ONE)

    answer = cloudformation.update("Group", {"Product": "Linux/UNIX", "Target": "3"})

    assert ("sig-1", "sig-1") == (answer.physical_resource_id, answer.data["GroupId"])
    assert [] == groups.updates
    cloudformation.delete("Group")


def test_the_same_update_again_after_it_failed(cloudformation, groups):
    """
    After a failed Update nothing is known of what holds: the same properties run update again.
    """
    cloudformation.create("Group", ONE)
    groups.fails.append(RuntimeError("no capacity"))
    cloudformation.send(cloudformation.event("Update", "Group", {**ONE, "Target": 9}))

    again = cloudformation.event("Update", "Group", {**ONE, "Target": 9})
    again["OldResourceProperties"] = again["ResourceProperties"]
    cloudformation.send(again)

    assert [("sig-1", 9), ("sig-1", 9)] == groups.updates
    cloudformation.delete("Group")


def test_a_failed_replacement_is_rolled_back(cloudformation, groups):
    """
    The half-made replacement goes, and the resource that was never touched is answered again
    without being made anew.
    """
    cloudformation.create("Group", ONE)
    groups.fails.append(RuntimeError("no capacity"))

    answer = cloudformation.update("Group", TWO)

    assert ("FAILED", "sig-1") == (answer.status, answer.physical_resource_id)
    assert ["sig-1", "sig-2"] == groups.created
    assert ["sig-2"] == groups.deletes
    assert "sig-1" == cloudformation.resources["Group"].data["GroupId"]
    cloudformation.delete("Group")


def test_a_replacement_that_was_never_heard_of(cloudformation, groups):
    """
    A rollback Update that carries the old id shows that CloudFormation never heard of the
    replacement: it is removed first.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", TWO)
    cloudformation.send(update)

    back = cloudformation.event("Update", "Group", ONE)
    back["OldResourceProperties"] = update["ResourceProperties"]
    answer = cloudformation.send(back)

    assert "sig-1" == answer.physical_resource_id
    assert ["sig-2"] == groups.deletes
    cloudformation.delete("Group")


def test_a_clean_up_delete_sent_three_times(cloudformation, groups):
    """
    CloudFormation tries a clean-up three times, each under a RequestId of its own: the live
    replacement is never touched.
    """
    cloudformation.create("Group", ONE)
    cloudformation.update("Group", TWO)

    for _ in range(2):
        again = cloudformation.event("Delete", "Group", physical_resource_id="sig-1")
        assert cloudformation.send(again).succeeded

    assert ["sig-1"] == groups.deletes
    cloudformation.delete("Group")


def test_a_replacement_is_no_reason_to_fail(caplog):
    """
    After every replacement, and after its rollback, a Delete comes before any request that bears
    the id of what is held: it succeeds, and nobody is woken.
    """

    class Thing(CustomResource[dict, dict]):
        replace_on = frozenset({"Name"})
        unresolved = "fail"

        def create(self):
            self.physical_resource_id = "thing-" + self.properties["Name"]

        delete = None

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    stack.create("Thing", {"Name": "a"})
    stack.update("Thing", {"Name": "b"})

    _, deleted = stack.answers[-1]
    assert ("SUCCESS", "thing-b is held in its place") == (deleted.status, deleted.reason)

    stack.update_and_roll_back("Thing", {"Name": "c"})
    _, deleted = stack.answers[-1]
    assert ("SUCCESS", "thing-b is held in its place") == (deleted.status, deleted.reason)
    assert [] == [line for line in caplog.records if line.levelname == "ERROR"]


def test_default_ids_of_a_replacement_differ():
    """
    A resource that sets no id gets one that every copy of its Create gets as well, and its
    replacement another one.
    """

    class Plain(CustomResource[dict, dict]):
        def replaces(self):
            return True

        def create(self):
            return {}

        def delete(self):
            pass

    cloudformation = FakeCloudFormation(Provider(Plain, ledger="memory://"))

    first = cloudformation.create("Thing", {"A": "1"}, times=2)
    second = cloudformation.update("Thing", {"A": "2"}, times=2)

    assert first.physical_resource_id.startswith("stack-Thing-")
    assert first.physical_resource_id != second.physical_resource_id


def test_an_update_that_sets_another_id(cloudformation, group_class):
    """
    An id that changes by accident is refused in words that say what would have been destroyed.
    """

    def update(self):
        self.physical_resource_id = "another"

    group_class.update = update
    cloudformation.create("Group", ONE)

    answer = cloudformation.send(cloudformation.event("Update", "Group", {**ONE, "Target": 4}))

    assert "CloudFormation would then delete sig-1" in answer.reason
    assert "sig-1" == answer.physical_resource_id
    cloudformation.delete("Group")


def test_a_class_without_update(groups):
    """
    Without an update hook, a change that replace_on does not name is FAILED with what to do.
    """

    class Fixed(CustomResource[dict, dict]):
        def create(self):
            return {}

        def delete(self):
            pass

    cloudformation = FakeCloudFormation(Provider(Fixed, ledger="memory://"))
    cloudformation.create("Thing", {"A": "1"})

    answer = cloudformation.send(cloudformation.event("Update", "Thing", {"A": "2"}))

    assert "no update is written" in answer.reason


def test_a_replacement_whose_process_died(cloudformation, groups):
    """
    A replacing Update that dies after its call goes on with what it made.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", TWO)
    with pytest.raises(Crashed):
        cloudformation.send(update, crash_after="group")

    answer = cloudformation.deliver(update)
    cloudformation.send(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))
    cloudformation.resources["Group"].physical_resource_id = answer.physical_resource_id

    assert ["sig-1", "sig-2"] == groups.created
    cloudformation.delete("Group")
