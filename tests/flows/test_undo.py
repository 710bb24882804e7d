"""What an undo may use: all that its hook may, each call as a step of the clean-up."""

import pytest

from cfn_once import CustomResource, PermanentError, Provider
from cfn_once.testing import Crashed, FakeApi, FakeCloudFormation
from hooks.fake_aws import FakeAws, refusal

INVENTED = "stack-Thing-1A2B3C4D5E6F"
DELETED = "http.DELETE.127.0.0.1"
POSTED = "http.POST.127.0.0.1"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


@pytest.fixture
def api():
    with FakeApi(tokens=False) as api:
        yield api


class Ways:
    """Ways to write one undo: it removes a group of an API.

    Args:
        api: The API.
    """

    def __init__(self, api: FakeApi) -> None:
        self.api = api

    def http(self, hook, made):
        hook.http.delete(f"{self.api.url}/groups/{made}")

    def step(self, hook, made):
        hook.step("drop", lambda step: self.api.delete(made), repeat=True)

    def once(self, hook, made):
        hook.step("drop", lambda step: self.api.delete(made), find=lambda step: self.gone(made))

    def gone(self, made):
        return None if made in self.api.objects else "gone"

    def http_in_a_step(self, hook, made):
        hook.step("drop", lambda step: self.http(hook, made), repeat=True)

    def read_and_plain(self, hook, made):
        if hook.http.get(f"{self.api.url}/groups").json():
            self.api.delete(made)

    def after_a_wait(self, hook, made):
        hook.wait(5)
        hook.wait_until(lambda: True, every=1)
        self.http(hook, made)


def group_of(api, undo):
    """Return a class whose Create, and whose Update, makes a group and may stop behind it."""

    class Thing(CustomResource[dict, None]):
        def create(self):
            self.group()

        def update(self):
            self.group()

        def group(self):
            if "Fails" not in self.properties:
                return
            kept = self.http  # a session of the hook's own works in the undo, too
            self.step(
                "group",
                lambda step: api.create({"tag": step.token}),
                find=lambda step: api.find(tag=step.token),
                undo=lambda made: undo(self, made) if kept is self.http else None,
            )
            raise ValueError("no capacity")

        def delete(self):
            pass

    return Thing


def stack_of(api, way):
    undo = getattr(Ways(api), way)
    return FakeCloudFormation(Provider(group_of(api, undo), ledger="memory://"))


def rollback_of(stack, properties):
    """Deliver an Update that fails, and return its rollback."""
    update = stack.event("Update", "Thing", properties)
    assert "FAILED" == stack.deliver(update).status
    rollback = stack.event("Update", "Thing")
    rollback["OldResourceProperties"] = update["ResourceProperties"]
    return rollback


WAYS = [name for name in vars(Ways) if not name.startswith("_") and name != "gone"]


@pytest.mark.parametrize("way", WAYS)
def test_an_undo_of_a_failed_create(api, way):
    """
    The Delete of a Create that stopped half way undoes what it made, by whatever a hook may use.
    """
    stack = stack_of(api, way)

    failed = stack.create("Thing", {"Fails": "yes"})

    (_, deleted) = stack.answers[-1]
    assert failed.reason.startswith("no capacity (test_undo.py:")
    assert ("SUCCESS", "") == (deleted.status, deleted.reason)
    assert (1, {}) == (len(api.created), api.objects)


@pytest.mark.parametrize("way", WAYS)
def test_an_undo_of_a_failed_update(api, way):
    """
    So does the rollback of an Update.
    """
    stack = stack_of(api, way)
    stack.create("Thing", {})

    stack.update("Thing", {"Fails": "yes"})

    assert ["SUCCESS", "FAILED", "SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert (1, {}) == (len(api.created), api.objects)


@pytest.mark.parametrize(
    ("way", "call"),
    [("http", DELETED), ("step", "drop"), ("once", "drop"), ("http_in_a_step", DELETED)],
)
@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_delete_that_dies_in_an_undo(api, way, call, fault):
    """
    A Delete that dies before or after a call of an undo makes it again, or looks it up: what is
    gone already is done. A duplicate that comes after its answer calls nothing.
    """
    stack = stack_of(api, way)
    stack.deliver(stack.event("Create", "Thing", {"Fails": "yes"}))
    delete = stack.event("Delete", "Thing", {"Fails": "yes"}, physical_resource_id=INVENTED)

    with pytest.raises(Crashed):
        stack.send(delete, **{fault: call})
    stack.clock.advance(900)
    answer = stack.deliver(delete)
    calls = len(api.calls)
    stack.send(delete)

    assert ("SUCCESS", "", {}) == (answer.status, answer.reason, api.objects)
    assert calls == len(api.calls)


def test_a_rollback_that_dies_in_an_undo(api):
    """
    A rollback that dies behind the call of an undo goes on as a Delete does.
    """
    stack = stack_of(api, "http")
    stack.create("Thing", {})
    rollback = rollback_of(stack, {"Fails": "yes"})

    with pytest.raises(Crashed):
        stack.send(rollback, crash_after=DELETED)
    stack.clock.advance(900)

    assert stack.deliver(rollback).succeeded
    assert {} == api.objects


def test_a_call_of_an_undo_that_cannot_be_repeated(api):
    """
    A call of an undo that may have happened and cannot be repeated is not made twice: the Delete
    is FAILED, and names the step and the undo.
    """
    stack = FakeCloudFormation(
        Provider(
            group_of(
                api, lambda hook, made: hook.http.post(f"{api.url}/removals", json={"of": made})
            ),
            ledger="memory://",
        )
    )
    stack.deliver(stack.event("Create", "Thing", {"Fails": "yes"}))
    delete = stack.event("Delete", "Thing", {"Fails": "yes"}, physical_resource_id=INVENTED)

    with pytest.raises(Crashed):
        stack.send(delete, crash_after=POSTED)
    stack.clock.advance(900)
    answer = stack.deliver(delete)

    assert "FAILED" == answer.status
    assert f"undo group/{POSTED}#0" in answer.reason
    assert 1 == sum(call.operation == "create" and "of" in call.properties for call in api.calls)


def test_a_known_call_of_an_undo_is_not_made_again(api):
    """
    A call of an undo whose result is recorded is not made again when the Delete comes again; each
    undo has steps of its own, of whatever name.
    """
    notes = []

    class Thing(CustomResource[dict, None]):
        def create(self):
            for name in ("a", "b", "a"):
                self.step(name, lambda step, name=name: name, undo=self.note)
            raise ValueError("no capacity")

        def note(self, made):
            self.step("note", lambda step: notes.append((made, step.token)), once=True)

        def delete(self):
            self.step("last", lambda step: None, repeat=True)

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    stack.deliver(stack.event("Create", "Thing", {}))
    delete = stack.event("Delete", "Thing", {}, physical_resource_id=INVENTED)

    with pytest.raises(Crashed):
        stack.send(delete, crash_before="last")
    stack.clock.advance(900)
    answer = stack.deliver(delete)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert ["a", "b", "a"] == [made for made, _ in notes]
    assert 3 == len({token for _, token in notes})


def test_an_undo_over_aws():
    """
    A queue that a Create's client has made is deleted by the undo with that client; one that is
    gone already is done.
    """
    with FakeAws() as aws:
        url = f"{aws.url}/123456789012/q"
        aws.answers["CreateQueue"] = {"QueueUrl": url}
        gone = "com.amazonaws.sqs#QueueDoesNotExist"
        aws.answers["DeleteQueue"] = refusal(gone, message="The specified queue does not exist.")

        class Queue(CustomResource[dict, None]):
            def create(self):
                sqs = self.client("sqs", **aws.options, **KEYS)
                self.step(
                    "queue",
                    lambda step: sqs.create_queue(QueueName="q")["QueueUrl"],
                    undo=lambda made: sqs.delete_queue(QueueUrl=made),
                )
                raise ValueError("no capacity")

            def delete(self):
                pass

        stack = FakeCloudFormation(Provider(Queue, ledger="memory://"))
        stack.create("Queue", {})

        (_, deleted) = stack.answers[-1]
        assert ("SUCCESS", "") == (deleted.status, deleted.reason)
        assert ["CreateQueue", "DeleteQueue"] == aws.operations()


def test_an_undo_that_the_network_fails():
    """
    An undo of plain code is run again where the network has failed it.
    """
    tries = []

    def undo(made):
        tries.append(made)
        if len(tries) < 3:
            raise ConnectionError("reset")

    class Thing(CustomResource[dict, None]):
        def create(self):
            self.step("make", lambda step: "m-1", undo=undo)
            raise ValueError("no capacity")

        def delete(self):
            pass

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    stack.create("Thing", {})

    assert (3, "SUCCESS") == (len(tries), stack.answers[-1][1].status)


def test_an_undo_that_gives_an_id(api):
    """
    An undo cannot change the id of what it undoes.
    """

    def undo(hook, made):
        hook.physical_resource_id = "another"
        hook.http.delete(f"{api.url}/groups/{made}")

    stack = FakeCloudFormation(Provider(group_of(api, undo), ledger="memory://"))
    failed = stack.create("Thing", {"Fails": "yes"})

    (_, deleted) = stack.answers[-1]
    assert (failed.physical_resource_id, {}) == (deleted.physical_resource_id, api.objects)


def test_a_rollback_that_has_undone_and_fails(api):
    """
    What a rollback has undone by recorded steps is in no doubt when the rollback itself fails.
    """

    class Thing(CustomResource[dict, None]):
        def create(self):
            pass

        def update(self):
            if "Fails" in self.properties:
                made = self.step(
                    "group",
                    lambda step: api.create({"tag": step.token}),
                    find=lambda step: api.find(tag=step.token),
                    undo=self.drop,
                )
                raise ValueError(made)
            self.step("never", self.refused, once=True)

        def refused(self, step):
            raise PermanentError("not now")

        def drop(self, made):
            self.step("drop", lambda step: api.delete(made), once=True)

        def delete(self):
            pass

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    held = stack.create("Thing", {}).physical_resource_id
    rollback = stack.deliver(rollback_of(stack, {"Fails": "yes"}))
    deleted = stack.deliver(stack.event("Delete", "Thing", {}, physical_resource_id=held))

    assert ("FAILED", {}) == (rollback.status, api.objects)
    assert ("SUCCESS", "") == (deleted.status, deleted.reason)
