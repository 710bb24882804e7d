"""A hook that does not come back: answered for before Lambda ends it."""

import re
import time
from types import SimpleNamespace

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import Crashed, FakeCloudFormation, VirtualClock, create_event, sqs_event
from support.fast_clock import FastClock
from support.taken import Taken

ONE = {"Product": "Linux/UNIX"}


def test_stuck_in_a_step(group_class, groups):
    """
    FAILED is told with the time, the line and the step, before Lambda's deadline, and again by
    Lambda's retry; what the call made is looked up and removed by the rollback, which waits for the
    stuck process to be gone.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))
    began = stack.clock.now()

    answer = stack.create("Thing", ONE, slow={"group": 500})

    assert re.fullmatch(
        r"create was still at work after 110 s, at groups\.py:\d+ in step group#0; Lambda ends"
        r" the function in 10 s",
        answer.reason,
    )
    assert ["FAILED", "FAILED", "SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert (["sig-1"], {}) == (groups.deletes, groups.objects)
    assert 120 + 2 + 1 + 5 < stack.clock.now() - began < 200
    assert "its time was over while group was called" in stack.story


def test_stuck_outside_of_steps(group_class, groups):
    """
    The id that the hook had set is told, so that the Delete removes the thing under it.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))

    class Stuck(Exception):
        def __init__(self):
            stack.clock.advance(300)
            super().__init__("after all")

    groups.check = lambda: (_ for _ in ()).throw(Stuck())
    stack.send(stack.event("Create", "Thing", ONE))

    assert [("FAILED", "sig-1")] == [
        (answer.status, answer.physical_resource_id) for _, answer in stack.answers
    ]
    assert "at groups.py" in stack.answers[0][1].reason
    assert "in step" not in stack.answers[0][1].reason


def test_a_hook_that_swallows_everything():
    """
    Nothing it does afterwards has an effect, and it does not answer a second time.
    """
    done = []

    class Deaf(CustomResource[dict, dict]):
        delete = None

        def create(self):
            for number in range(5):
                try:
                    self.step(f"step {number}", lambda step, n=number: done.append(n))
                except BaseException:
                    done.append("refused")
            return {"It": "worked"}

    stack = FakeCloudFormation(Provider(Deaf, ledger="memory://"))
    stack.send(stack.event("Create", "Thing"), slow={"step 1": 115})

    assert [0, 1, "refused", "refused", "refused", "refused"] == done
    assert ["FAILED"] == [answer.status for _, answer in stack.answers]


def test_a_hook_that_ends_as_it_is_answered_for(group_class, groups):
    """
    Whoever records first decides, and a copy that comes later is told the same.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))
    event = stack.event("Create", "Thing", ONE)
    stack.send(event, slow={"group": 112})
    stack.send(event)

    (_, first), (_, second) = stack.answers
    assert first == second
    assert ["sig-1"] == groups.created


def test_an_answer_of_the_watchdog_that_cannot_be_told(group_class, groups):
    """
    It was recorded: the next delivery tells it.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))
    answer = stack.create("Thing", ONE, slow={"group": 112}, lost_answers=1)

    assert "still at work" in answer.reason
    assert {} == groups.objects


def test_a_delete_that_is_stuck(group_class, groups):
    """
    It fails, and the next Delete, once the stuck one is gone for certain, removes what is left.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))
    thing = stack.create("Thing", ONE)
    event = stack.event("Delete", "Thing", ONE, physical_resource_id=thing.physical_resource_id)
    began = stack.clock.now()
    with pytest.raises(Crashed):
        stack.send(event, slow={"remove": 500})
    again = stack.event("Delete", "Thing", ONE, physical_resource_id=thing.physical_resource_id)
    stack.send(again)

    assert ["SUCCESS", "FAILED", "SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert stack.clock.now() - began >= 120 + 2 + 1 + 5


def test_by_a_real_clock():
    """
    A hook in time.sleep is answered for by another thread, before its time is over.
    """
    clock = FastClock(started=time.time(), speed=30)  # the test need not last half a minute
    end = time.monotonic() + 1.2
    context = SimpleNamespace(
        get_remaining_time_in_millis=lambda: max(0, int((end - time.monotonic()) * 1000))
    )

    class Sleeper(CustomResource[dict, dict]):
        delete = None

        def create(self):
            self.physical_resource_id = "made-1"
            time.sleep(1.5)

    taken = Taken()
    stack = FakeCloudFormation(Provider(Sleeper, ledger="memory://"))
    provider = Provider(Sleeper, ledger="memory://").using(delivery=taken, clock=clock)
    provider(stack.event("Create", "Thing"), context)

    (answer,), (at,) = taken.answers, taken.at
    assert ("FAILED", "made-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert "at test_watchdog.py" in answer["Reason"]
    assert at < end


def test_what_comes_late_in_a_batch():
    """
    A message whose turn comes when most of the time is gone comes again: it would be cut short for
    what another one took.
    """
    begun = []

    class Slow(CustomResource[dict, dict]):
        delete = None

        def create(self):
            begun.append(self.request.logical_resource_id)
            clock.advance(80)

    clock = VirtualClock()
    taken = Taken()
    end = clock.now() + 120
    context = SimpleNamespace(
        get_remaining_time_in_millis=lambda: max(0, int((end - clock.now()) * 1000))
    )
    provider = Provider(Slow, ledger="memory://").using(delivery=taken, clock=clock)
    how = {"resource_type": "Custom::Slow", "now": clock.now()}
    events = [create_event(name, **how) for name in ("A", "B")]
    batch = sqs_event(*events, raw=True)
    failed = provider(batch, context)

    assert (["A"], ["SUCCESS"]) == (begun, [answer["Status"] for answer in taken.answers])
    assert 1 == len(failed["batchItemFailures"])


@pytest.mark.parametrize("how", ["stuck", "SystemExit", "stuck in a repeated call"])
def test_the_rollback_does_not_go_where_the_create_was_lost(groups, how):
    """
    The replay that tells what was made ends before the line at which the Create did.
    """
    came = []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("group", lambda step: groups.make(step.token))
            if how == "stuck in a repeated call":
                self.step("tag", lambda step: self.lose(), repeat=True)
            else:
                self.lose()

        def lose(self):
            came.append("here")
            if how == "SystemExit":
                raise SystemExit(1)
            stack.clock.advance(115)

        def delete(self):
            groups.delete(self.physical_resource_id)

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    answer = stack.create("Thing")

    assert ("FAILED", "sig-1") == (answer.status, answer.physical_resource_id)
    assert ["FAILED", "SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert (["here"], {}) == (came, groups.objects)
