"""What may befall an operation: copies, crashes, time-outs, lost answers, an API that fails."""

from functools import partial

import pytest
from greenlet import getcurrent

from cfn_once import CustomResource, Provider
from cfn_once.ledger import MemoryStore
from cfn_once.testing import Crashed, FakeCloudFormation

INVENTED = (
    "stack-Group-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)

ONE = {"Product": "a", "Target": 1}


def test_copies_one_after_another(cloudformation, external_api):
    """
    Every copy is delivered, and told the same bytes; it makes nothing.
    """
    cloudformation.create("Group", ONE, times=3)

    assert 3 == cloudformation.deliveries
    assert 3 == len(cloudformation.answers)
    assert 1 == len({answer.body for _, answer in cloudformation.answers})
    assert ["g-1"] == external_api.created


def naive(external_api):
    """A resource that makes its object outside of any step, with what is slow before it."""

    class Naive(CustomResource[dict, dict]):
        def create(self):
            self.step("look", lambda step: None, repeat=True)
            self.physical_resource_id = external_api.make("")

        def delete(self):
            external_api.delete(self.physical_resource_id)

    return Provider(Naive, ledger="memory://")


def test_copies_at_the_same_time(cloudformation, external_api):
    """
    Copies at the same time take turns at all that they do: one works, the others wait and are told
    the same.
    """
    cloudformation.create("Group", ONE, at_once=3)

    assert 3 == cloudformation.deliveries
    assert 1 == len({answer.body for _, answer in cloudformation.answers})
    assert 3 == len(cloudformation.answers)
    assert ["g-1"] == external_api.created
    assert "Create of Group is delivered, 3 at once" in cloudformation.story


def test_they_are_at_work_at_the_same_time(external_api):
    """
    Turns are real: each of two jobs is in the middle of its work when the other one goes on, and
    time passes only where both sleep.
    """
    stack = FakeCloudFormation(naive(external_api))
    turns, seen = stack._function.turns, []

    def job(name, seconds):
        for number in range(3):
            seen.append((name, number, stack.clock.now() - began))
            turns.sleep(seconds)

    began = stack.clock.now()
    turns.run(partial(job, "a", 2), partial(job, "b", 3))

    assert [
        ("a", 0, 0),
        ("b", 0, 0),
        ("a", 1, 2),
        ("b", 1, 3),
        ("a", 2, 4),
        ("b", 2, 6),
    ] == seen
    assert 9 == stack.clock.now() - began


def test_turns_change_at_every_action(provider, external_api):
    """
    Deliveries at once change turns whenever one of them reads or writes the ledger.
    """
    turns = []

    class Watched(MemoryStore):
        def read(self, key):
            turns.append(getcurrent())
            return super().read(key)

        def write(self, key, write):
            turns.append(getcurrent())
            return super().write(key, write)

    FakeCloudFormation(provider, ledger=Watched()).create("Group", ONE, at_once=3)

    assert 3 == len(set(turns[:3]))


def test_the_same_turns_every_time(provider, external_api):
    """
    What happens at once happens in the same order in every run.
    """
    stories = set()
    for _ in range(2):
        external_api.created.clear()
        stack = FakeCloudFormation(provider)
        stack.create("Group", ONE, at_once=2)
        stack.delete("Group", at_once=2)
        stories.add(stack.story)

    assert 1 == len(stories)


@pytest.mark.parametrize("seconds", [600, 6 * 3600])
def test_a_copy_that_is_late(cloudformation, external_api, seconds):
    """
    It comes when its time has come, here after the Delete: it makes nothing, and nobody is told.
    """
    cloudformation.create("Group", ONE, late=seconds)
    cloudformation.delete("Group")
    before = cloudformation.deliveries
    cloudformation.wait(seconds - 10)
    meanwhile = cloudformation.deliveries
    cloudformation.wait(20)

    assert (2, 2, 3) == (before, meanwhile, cloudformation.deliveries)
    assert 2 == len(cloudformation.answers)
    assert ["g-1"] == external_api.created


def test_a_late_copy_comes_before_a_later_operation(cloudformation):
    """
    Nothing overtakes it that begins after its time.
    """
    cloudformation.create("Group", ONE, late=60)
    cloudformation.clock.advance(100)
    cloudformation.update("Group", {**ONE, "Target": 2})
    story = [line.split("  ")[-1] for line in cloudformation.story.splitlines()]

    assert [
        "Create of Group is delivered",
        "Create of Group is delivered",
        "Update of Group is delivered",
    ] == [line for line in story if "delivered" in line]


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_process_that_dies(cloudformation, external_api, moment):
    """
    It dies at a call, and Lambda delivers again a minute later: what was made is looked up, what
    was not is made.
    """
    began = cloudformation.clock.now()
    answer = cloudformation.create("Group", ONE, **{moment: "group"})

    assert ("SUCCESS", "g-1") == (answer.status, answer.physical_resource_id)
    assert ["g-1"] == external_api.created
    assert cloudformation.clock.now() > began + 60
    assert "it failed: Crashed: group" in cloudformation.story


def test_a_process_that_dies_at_every_point(provider, external_api):
    """
    Points are numbered from 0 without a gap; the one after the last is an error that says so.
    """
    point = 0
    while True:
        stack = FakeCloudFormation(provider)
        try:
            stack.create("Group", ONE, crash_at=point)
        except AssertionError as error:
            assert f"there is no point {point} to crash at" in str(error)
            break
        assert f"Crashed: at point {point}" in stack.story
        stack.delete("Group")
        point += 1
        assert {} == external_api.objects

    assert point > 6


def test_nothing_is_done_after_the_time_is_over(external_api):
    """
    A hook that would hold on cannot: it was answered for, and begins no further step.
    """
    after = []

    class Stubborn(CustomResource[dict, dict]):
        delete = None

        def create(self):
            try:
                self.step("slow", lambda step: None, window=None, once=True)
            finally:
                self.step("more", lambda step: after.append(1), repeat=True)

    stack = FakeCloudFormation(Provider(Stubborn, ledger="memory://"))
    stack.send(stack.event("Create", "Thing"), slow={"slow": 1000})

    assert [] == after
    assert ["FAILED"] == [answer.status for _, answer in stack.answers]


def test_a_hook_that_goes_on_when_its_process_is_dead():
    """
    Nothing that it does then gets through: no call is made, none is told, and nobody is answered.
    """
    done = []

    class Stubborn(CustomResource[dict, dict]):
        delete = None

        def create(self):
            try:
                self.call("first", lambda: None)
            except BaseException:
                self.call("second", lambda: done.append(1))

        def call(self, name, fn):
            self.step(name, lambda step: fn(), repeat=True)

    stack = FakeCloudFormation(Provider(Stubborn, ledger="memory://"))

    with pytest.raises(Crashed, match="it died before"):
        stack.send(stack.event("Create", "Thing"), crash_after="first")

    assert [] == done
    assert {"first"} == stack.calls
    assert [] == stack.answers


def test_a_slow_external_api(cloudformation, external_api):
    """
    A call that takes its time and ends in time is only slow.
    """
    began = cloudformation.clock.now()
    cloudformation.create("Group", ONE, slow={"group": 30})

    assert 1 == cloudformation.deliveries
    assert 30 <= cloudformation.clock.now() - began < 40


@pytest.mark.parametrize(("fault", "calls"), [("failing", 2), ("losing", 1)])
def test_an_external_api_that_fails(cloudformation, external_api, fault, calls):
    """
    A call fails before it has its effect, or after it: in doubt, it is looked up, and made again
    where there is nothing.
    """
    answer = cloudformation.create("Group", ONE, **{fault: {"group": ConnectionError("reset")}})

    assert answer.succeeded
    assert ["g-1"] == external_api.created
    assert calls == cloudformation.story.count("call group")
    assert "call find group" in cloudformation.story


def test_a_lost_answer(cloudformation, external_api):
    """
    The bucket refuses it, and Lambda's next delivery tells it.
    """
    answer = cloudformation.create("Group", ONE, lost_answers=1)

    assert answer.succeeded
    assert "status 503, SlowDown" in cloudformation.story
    assert ["g-1"] == external_api.created


def test_a_delete_that_nobody_answers(cloudformation, external_api):
    """
    CloudFormation gives it up: it is no request that is still to be answered, the resource is held.
    """
    cloudformation.create("Group", ONE)
    answer = cloudformation.delete("Group", lost_answers=3)

    assert ("FAILED", "g-1") == (answer.status, answer.physical_resource_id)
    assert [] == cloudformation.unanswered
    assert ["Group"] == list(cloudformation.resources)
    assert cloudformation.delete("Group").succeeded


def test_a_silent_copy_is_no_request_without_answer(cloudformation):
    """
    Where a newer request was answered, an older one needs no answer, not even if it comes last.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    before = cloudformation.unanswered
    cloudformation.deliver(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id=INVENTED)
    )
    cloudformation.clock.advance(6 * 3600)
    cloudformation.send(create)

    assert (["the Create of Group"], []) == (before, cloudformation.unanswered)


def test_three_lost_answers(cloudformation, external_api):
    """
    Lambda gives up, and CloudFormation too: the Delete removes what was made.
    """
    answer = cloudformation.create("Group", ONE, lost_answers=3)

    assert "did not receive a response" in answer.reason
    assert {} == external_api.objects


def test_faults_of_every_operation(provider, external_api):
    """
    Faults of a stack befall each operation that names none, as far as they can.
    """
    stack = FakeCloudFormation(provider, faults={"times": 2, "crash_after": "group"})
    stack.create("Group", ONE)
    stack.update("Group", {**ONE, "Target": 2}, times=1)
    stack.delete("Group")

    assert ["g-1"] == external_api.created
    assert 2 + 1 + 2 == stack.deliveries
    assert 1 == stack.story.count("Crashed: group")


def test_what_a_test_asserts_meanwhile(cloudformation):
    """
    An assertion that fails there fails the test, and is no error of the hook.
    """

    def wrong():
        assert cloudformation.resources, "nothing is held yet"

    with pytest.raises(AssertionError, match="nothing is held yet"):
        cloudformation.create("Group", ONE, meanwhile={"group": wrong})
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="x"))


def test_what_happens_meanwhile(cloudformation, external_api):
    """
    Something else may happen in the world while a call is made.
    """
    seen = []
    cloudformation.create(
        "Group", ONE, meanwhile={"group": lambda: seen.append(external_api.created[:])}
    )

    assert [[]] == seen
