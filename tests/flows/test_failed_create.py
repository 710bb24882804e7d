"""Creates that fail half way, and the Delete that CloudFormation sends after each."""

import asyncio
from datetime import timedelta

import pytest

from cfn_once import (
    CustomResource,
    InProgress,
    PermanentError,
    Provider,
    StepFailed,
    TemporaryError,
)
from cfn_once.testing import Crashed, FakeApi, FakeCloudFormation

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

    with pytest.raises(InProgress, match="is not known yet"):
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

    assert "FAILED" == failed.status
    assert failed.reason.startswith(f"{told} (test_failed_create.py:")
    assert ("SUCCESS", "", []) == (deleted.status, deleted.reason, live)


class Timeout(BaseException):
    """As gevent's, trio's and anyio's are: no `except Exception` sees it."""


CUT_SHORT = [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, Timeout]


def made_and_lost(error, **how):
    """Answer a Create whose step makes something and then raises, and its Delete."""
    live = []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("thing", self.make, **how)

        def make(self, step):
            live.append("thing")
            raise error

        def delete(self):
            live.remove(self.physical_resource_id)

    cloudformation = stack(Thing)
    failed = cloudformation.deliver(cloudformation.event("Create", "Thing", {}))
    deleted = cloudformation.deliver(
        cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)
    )
    return failed, deleted, live


@pytest.mark.parametrize("error", CUT_SHORT)
def test_a_step_that_is_cut_short_once_it_has_acted(error):
    """
    Whatever ends a step's function, what it may have made is in doubt: the Delete names it.
    """
    failed, deleted, live = made_and_lost(error("enough"))

    assert "FAILED" == failed.status
    assert failed.reason.startswith(f"{error.__name__}: enough (test_failed_create.py:")
    assert ["thing"] == live
    assert "in doubt: thing#0" in deleted.reason


@pytest.mark.parametrize("error", CUT_SHORT)
def test_a_look_up_finds_what_a_step_cut_short_has_made(error):
    """
    With a `find=`, the Delete finds and removes it.
    """
    failed, deleted, live = made_and_lost(error(), find=lambda step: "thing")

    assert ("FAILED", "SUCCESS", "", []) == (failed.status, deleted.status, deleted.reason, live)


@pytest.mark.parametrize("error", CUT_SHORT)
def test_a_look_up_that_is_cut_short(error):
    """
    A look-up that is cut short each time tells nothing: what it was to find stays in doubt.
    """

    def find(step):
        raise error

    _, deleted, live = made_and_lost(ConnectionError("lost"), find=find)

    assert ["thing"] == live
    assert "in doubt: thing#0" in deleted.reason


@pytest.mark.parametrize("error", CUT_SHORT)
def test_a_call_inside_a_step_that_is_cut_short(error):
    """
    A step's function that hides it behind an error that says for certain is not believed.
    """

    live = FakeApi()

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.step("thing", self.make)

        def make(self, step):
            try:
                self.http.post(f"{live.url}/things", json={}, hooks={"response": cut})
            except error:
                raise PermanentError("not today") from None

        delete = None

    def cut(response, *_, **__):
        raise error

    with live:
        cloudformation = stack(Thing)
        cloudformation.deliver(cloudformation.event("Create", "Thing", {}))
        deleted = cloudformation.deliver(
            cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)
        )

    assert 1 == len(live.objects)
    assert "in doubt: thing#0" in deleted.reason


@pytest.mark.parametrize(
    ("base", "doubt"), [(ValueError, True), (Timeout, True), (StepFailed, False)]
)
def test_an_error_of_a_step_that_cannot_be_printed(base, doubt):
    """
    Its `__str__` raises: the step is judged by its kind, and both requests are answered.
    """
    unprintable = type("ApiError", (base,), {"__str__": lambda self: self.response.text})

    failed, deleted, _ = made_and_lost(unprintable())

    assert "its __str__ raised AttributeError" in failed.reason
    assert doubt is deleted.reason.startswith("in doubt: thing#0")


def test_a_temporary_error_that_cannot_be_printed():
    """
    Lambda comes again as for any other, and the last delivery answers.
    """

    class Busy(TemporaryError):
        def __str__(self):
            return self.response.text

    class Thing(CustomResource[dict, dict]):
        def create(self):
            raise Busy

        delete = None

    answer = stack(Thing).create("Thing", {})

    assert "Busy (its __str__ raised AttributeError)" == answer.reason


def test_a_test_that_fails_inside_a_hook():
    """
    It has failed, and is no answer of the provider's; so is what a test skips.
    """

    class Thing(CustomResource[dict, dict]):
        def create(self):
            pytest.fail("the hook has no region")

        delete = None

    cloudformation = stack(Thing)

    with pytest.raises(pytest.fail.Exception, match="no region"):
        cloudformation.send(cloudformation.event("Create", "Thing", {}))
