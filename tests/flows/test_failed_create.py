"""Creates that fail half way, and the Delete that CloudFormation sends after each."""

import asyncio
from datetime import timedelta

import pytest

from cfn_once import CustomResource, InProgress, PermanentError, Provider
from cfn_once.testing import Crashed, FakeCloudFormation

INVENTED = (
    "stack-Thing-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)

ONE = {"Product": "Linux/UNIX", "Target": 3}


def stack(hooks: type) -> FakeCloudFormation:
    return FakeCloudFormation(Provider(hooks, ledger="memory://"))


def test_nothing_made_means_no_hook(cloudformation, group_class, groups):
    """
    A Create that made nothing answers a stand-in, and its Delete runs no hook.
    """

    def create(self):
        raise PermanentError("not today")

    group_class.create = create

    answer = cloudformation.create("Group", ONE)

    assert answer.physical_resource_id.startswith("cfn-once.none.")
    assert [] == groups.deletes


def test_the_id_set_too_late_is_found_by_replay(cloudformation, group_class, groups):
    """
    A Create that died before it set its id: the Delete replays it as far as its steps are known,
    and learns the id.
    """

    def create(self):
        made = self.step("group", self.make, find=self.find)
        self.step("note", lambda step: None, once=True)
        self.physical_resource_id = made
        return {"GroupId": made}

    group_class.create = create
    create_event = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create_event, crash_after="note")

    delete = cloudformation.event(
        "Delete", "Group", ONE, physical_resource_id="stack-Group-1A2B3C4D5E6F"
    )
    answer = cloudformation.deliver(delete)

    assert answer.succeeded
    assert "in doubt: note#0" in answer.reason
    assert [None] == groups.deletes or ["stack-Group"] == [
        delete.rsplit("-", 1)[0] for delete in groups.deletes
    ]
    groups.objects.clear()


def test_steps_with_an_undo(groups):
    """
    What a failed Create made in steps with an undo is undone, the last one first, before delete.
    """
    events = []

    class Chain(CustomResource[dict, dict]):
        def create(self):
            for name in ("a", "b", "c"):
                self.step(name, lambda step, name=name: name, undo=events.append)
            raise ValueError("after c")

        def delete(self):
            events.append("delete")
            events.append(dict(self.partial))

    stack(Chain).create("Thing")

    assert ["c", "b", "a", "delete", {"a": "a", "b": "b", "c": "c"}] == events


@pytest.mark.parametrize("ends", ["FAILED", "its process dies"])
def test_calls_that_are_repeated_leave_traces_too(ends):
    """
    A Create that failed after calls which are never recorded is cleaned up by delete; so is one
    whose process died in its first call, where nobody wrote anything down.
    """
    parameters = {}

    class Parameter(CustomResource[dict, dict]):
        def create(self):
            self.step("put", lambda step: parameters.update(one="1"), repeat=True)
            raise ValueError("after the put")

        def delete(self):
            self.step("delete", lambda step: parameters.clear(), repeat=True)

    cloudformation = stack(Parameter)
    create = cloudformation.event("Create", "Thing")
    if ends == "FAILED":
        assert ends == cloudformation.send(create).status
    else:
        with pytest.raises(Crashed):
            cloudformation.send(create, crash_after="put")

    delete = cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)

    assert cloudformation.deliver(delete).succeeded
    assert {} == parameters


@pytest.mark.parametrize(("unresolved", "status"), [("report", "SUCCESS"), ("fail", "FAILED")])
@pytest.mark.parametrize("retried", [True, False])
def test_a_doubt_that_nobody_can_resolve(groups, unresolved, status, retried):
    """
    A call that can be neither looked up nor repeated is never made twice; the Delete says what is
    in doubt instead of passing over it, and with unresolved = "fail" it is FAILED until somebody
    has looked.
    """

    class Mail(CustomResource[dict, dict]):
        def create(self):
            self.step("mail", lambda step: groups.make(step.token), once=True)

        def delete(self):
            pass

    Mail.unresolved = unresolved
    cloudformation = stack(Mail)
    create = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="mail")
    reason = cloudformation.deliver(create).reason if retried else "in doubt: step mail#0"

    deleted = cloudformation.deliver(
        cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)
    )

    assert "in doubt: step mail#0" in reason
    assert (status, True) == (deleted.status, "in doubt: mail#0" in deleted.reason)
    assert 1 == len(groups.created)


def test_a_token_tells_the_id(groups):
    """
    Where the external API takes a token, the Delete asks under it once more to learn what was made.
    """
    by_token = {}

    class Group(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("group", self.make, window=timedelta(hours=1))

        def make(self, step):
            if step.token not in by_token:
                by_token[step.token] = groups.make(step.token)
            return by_token[step.token]

        def delete(self):
            groups.delete(self.physical_resource_id)

    cloudformation = stack(Group)
    with pytest.raises(Crashed):
        cloudformation.send(cloudformation.event("Create", "Thing"), crash_after="group")

    cloudformation.deliver(
        cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)
    )

    assert (["sig-1"], {}) == (groups.deletes, groups.objects)


def test_a_failing_clean_up_is_tried_again(cloudformation, group_class, groups):
    """
    What a failed Create left stays on the books until a Delete has removed it.
    """
    groups.fails.append(ValueError("bad luck"))
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.send(create)
    delete = group_class.delete

    def failing(self):
        raise RuntimeError("still in use")

    group_class.delete = failing
    first = cloudformation.send(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-1")
    )
    group_class.delete = delete
    second = cloudformation.send(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-1")
    )

    assert ("FAILED", "SUCCESS") == (first.status, second.status)
    assert ["sig-1"] == groups.deletes


def test_a_replay_that_cannot_read(groups):
    """
    A replay that fails before the step that may have happened is no proof that nothing was made:
    another delivery tries again, and where none comes the doubt is named.
    """
    readable = []

    class Group(CustomResource[dict, dict]):
        def create(self):
            if not readable:
                raise ConnectionError("the secret cannot be read")
            self.physical_resource_id = self.step("group", self.make, find=self.find)

        def make(self, step):
            return groups.make(step.token)

        def find(self, step):
            return groups.find(tag=step.token)

        def delete(self):
            groups.delete(self.physical_resource_id)

    cloudformation = stack(Group)
    readable.append(1)
    with pytest.raises(Crashed):
        cloudformation.send(cloudformation.event("Create", "Thing"), crash_after="group")
    readable.clear()
    cloudformation.clock.advance(130)
    delete = cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)

    with pytest.raises(InProgress, match="cannot be told yet"):
        cloudformation.send(delete)
    readable.append(1)
    answer = cloudformation.send(delete)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert ["sig-1"] == groups.deletes


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError, "enough"),
        (SystemExit, "SystemExit: enough"),
        (KeyboardInterrupt, "KeyboardInterrupt: enough"),
        (asyncio.CancelledError, "CancelledError: enough"),
    ],
)
def test_a_hook_that_ends_as_before_in_its_replay(error, told):
    """
    However a Create's hook ends itself, its Delete replays it to there, and removes what it made.
    """
    live = []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.step("thing", lambda step: live.append("thing"), undo=lambda _: live.clear())
            raise error("enough")

        def delete(self):
            pass

    cloudformation = stack(Thing)
    failed = cloudformation.send(cloudformation.event("Create", "Thing", {}))
    deleted = cloudformation.send(
        cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)
    )

    assert ("FAILED", told) == (failed.status, failed.reason)
    assert ("SUCCESS", "", []) == (deleted.status, deleted.reason, live)
