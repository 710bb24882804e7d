"""200 resources of one stack and one sandbox: Lambda throttles, tries later, and gives up."""

import heapq
import random
from collections import Counter
from itertools import count

import pytest

from cfn_once import CustomResource, InProgress, Provider, guardian
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.testing import Crashed, FakeApi, FakeCloudFormation, on_failure_event

RESOURCES = 200
TAKES = {"Create": 22.0, "Delete": 4.0}  # seconds in the external API
SHORTEST, LONGEST = 1.0, 300.0  # seconds between two tries of what is throttled; Developer Guide
PAUSES = (60.0, 120.0)  # after errors, the same
BEHIND_ITS_CALL = 3  # the point after the second action; the first one claims the request
OF_THE_TEMPLATE, OF_LAMBDA = 3300.0, 6 * 3600.0  # MaximumEventAgeInSeconds


class OneSandbox:
    """A function of reserved concurrency 1, with Lambda's queue of asynchronous events before it.

    Args:
        stack: Whose function it is.
        oldest: The age at which an event goes to the on-failure destination, in seconds.
    """

    def __init__(self, stack, oldest):
        self._stack, self._oldest, self._busy_until = stack, oldest, 0.0
        self._queue, self._numbers, self._chance = [], count(), random.Random(200)
        self.counts = Counter()

    def invoke(self, event, at=None):
        sent = self._stack.clock.now() if at is None else at
        self._push(sent, (event, sent, SHORTEST, 0))

    def work_off(self, dies=lambda event: {}):
        """Let every event come to its end; `dies` says what befalls an invocation."""
        while self._queue:
            due, _, (event, sent, pause, errors) = heapq.heappop(self._queue)
            if due - sent > self._oldest:
                self._give_up(event, "EventAgeExceeded", due)
            elif due < self._busy_until:
                self.counts["throttled"] += 1
                later = due + pause * self._chance.uniform(0.5, 1)
                self._push(later, (event, sent, min(2 * pause, LONGEST), errors))
            elif not self._run(event, due, dies(event)):
                if errors == len(PAUSES):
                    self._give_up(event, "RetriesExhausted", self._busy_until)
                else:
                    again = self._busy_until + PAUSES[errors]
                    self._push(again, (event, sent, SHORTEST, errors + 1))

    def _run(self, event, due, faults):
        """Run the function, and return whether it ended in order."""
        self._wait_until(due)
        self.counts["runs"] += 1
        try:
            self._stack.send(event, **faults)
        except (InProgress, Crashed):
            return False
        finally:
            self._busy_until = self._stack.clock.now()
        return True

    def _give_up(self, event, condition, at):
        self._wait_until(at)
        self.counts[condition] += 1
        guardian.handler(on_failure_event(event, condition), clock=self._stack.clock)

    def _push(self, due, waiting):
        heapq.heappush(self._queue, (due, next(self._numbers), waiting))

    def _wait_until(self, moment):
        clock = self._stack.clock
        clock.advance(max(0.0, moment - clock.now()))


@pytest.fixture
def api():
    return FakeApi(tokens=False)


@pytest.fixture
def stack(api, tmp_path, monkeypatch):
    """A stack whose ledger and bucket the guardian finds in its environment."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    ledger = SQLiteStore(f"{tmp_path}/ledger.sqlite3", synchronous="OFF")

    class Group(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("make", self.make, find=self.find)
            return {"Number": self.properties["Number"]}

        def make(self, step):
            stack.clock.advance(TAKES["Create"])
            return api.create({"token": step.token, "number": self.properties["Number"]})

        def find(self, step):
            return api.find(token=step.token)

        def delete(self):
            stack.clock.advance(TAKES["Delete"])
            self.step("drop", lambda step: api.delete(self.physical_resource_id), repeat=True)

    provider = Provider(Group, ledger=ledger)
    with FakeCloudFormation(provider, ledger=ledger, over_http=True) as stack:
        monkeypatch.setenv("CFN_ONCE_LEDGER", url)
        monkeypatch.setenv("CFN_ONCE_RESPONSE_HOSTS", stack.response_host)
        yield stack


def deletes_of(stack, creates):
    """The Deletes of a stack whose creation has failed, the last resource first."""
    for create in reversed(creates):
        answer, logical_id = stack.answer_to(create), create["LogicalResourceId"]
        held = answer.physical_resource_id if answer else f"stack-{logical_id}-1A2B3C4D5E6F"
        yield stack.event(
            "Delete", logical_id, {"Number": logical_id[1:]}, physical_resource_id=held
        )


def answered_in_time(stack, events, issued):
    return [
        event["RequestId"]
        for event in events
        if stack._requests.of(event).answer is not None
        and stack._requests.of(event).answered_at - issued[event["RequestId"]] <= 3600
    ]


@pytest.mark.parametrize("oldest", [OF_THE_TEMPLATE, OF_LAMBDA], ids=["template", "Lambda"])
def test_a_stack_of_200(stack, api, oldest):
    """
    Every tenth event is delivered twice, and every 23rd process dies behind its call. Whatever runs
    is made once; what was never run is made never. With the template's MaximumEventAge every
    request is answered within its hour, by the guardian where Lambda could not run it; with
    Lambda's six hours the guardian comes too late for CloudFormation, and still nothing is left.
    """
    function, creates, issued = OneSandbox(stack, oldest), [], {}
    for number in range(RESOURCES):
        create = stack.event("Create", f"R{number}", {"Number": number})
        creates.append(create)
        issued[create["RequestId"]] = stack.clock.now()
        function.invoke(create)
        if number % 10 == 0:
            function.invoke(create)  # the queue is only eventually consistent
    doomed = {create["RequestId"] for create in creates[::23]}

    def dies(event):
        is_doomed = event["RequestId"] in doomed
        doomed.discard(event["RequestId"])
        return {"crash_at": BEHIND_ITS_CALL} if is_doomed else {}

    function.work_off(dies)
    throttled = Counter(function.counts)
    made = Counter(api.objects[name]["number"] for name in api.created)
    answers = [stack.answer_to(create) for create in creates]
    succeeded = [answer for answer in answers if answer and answer.succeeded]

    assert {1} == set(made.values())
    assert 100 < len(succeeded) < RESOURCES, throttled
    assert len(api.objects) >= len(succeeded)
    if oldest == OF_THE_TEMPLATE:
        assert RESOURCES == len(answered_in_time(stack, creates, issued))
        assert throttled["EventAgeExceeded"] >= 10
        assert all(
            "before the event was too old" in answer.reason or "RetriesExhausted" in answer.reason
            for answer in answers
            if not answer.succeeded
        )
    assert throttled["throttled"] > 1000

    deletes = list(deletes_of(stack, creates))
    for delete in deletes:
        issued[delete["RequestId"]] = stack.clock.now()
        function.invoke(delete)
    function.work_off()

    assert RESOURCES == len(answered_in_time(stack, deletes, issued)), function.counts - throttled
    assert {} == api.objects
    assert len(made) == len(api.created), "what is deleted is not made again"
