"""Work that is longer than an invocation: it waits in none, and goes on in another."""

import pytest

from cfn_once import CustomResource, PermanentError, Provider
from cfn_once._lambda.continuation import ContinuationUnavailable
from cfn_once.testing import FakeCloudFormation, VirtualClock
from support.taken import Taken

SCHEDULER = "scheduler://waits?role=arn:aws:iam::123456789012:role/waits"


def continued(kind, make=Provider):
    """A provider whose events a schedule brings back: in the kit, in virtual time."""
    return make(kind, ledger="memory://", continuation=SCHEDULER)


class Cluster:
    """An external API that takes its time, and counts what it is asked for."""

    def __init__(self):
        self.made, self.looks, self.ready_at, self.live = [], 0, 0.0, set()


@pytest.fixture
def cluster():
    """An external API on which nothing is."""
    return Cluster()


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def thing(cluster, clock):
    """A resource that makes a cluster and waits for it."""

    class Thing(CustomResource[dict, dict]):
        def create(self):
            made = self.step("cluster", self.make, find=self.find)
            self.physical_resource_id = made
            state = self.wait_until(self.look, every=90, timeout=3000)
            self.step("greet", lambda step: cluster.made.append("greeting"), once=True)
            return {"State": state}

        def make(self, step):
            name = f"c-{len(cluster.made) + 1}"
            cluster.made.append(name)
            cluster.live.add(name)
            cluster.ready_at = clock.now() + cluster.takes
            return name

        def find(self, step):
            return next(iter(cluster.live), None)

        def look(self):
            cluster.looks += 1
            return "ACTIVE" if clock.now() >= cluster.ready_at else None

        def on_timeout(self):
            self.step("note", lambda step: cluster.made.append("note"), once=True)

        def delete(self):
            cluster.live.discard(self.physical_resource_id)

    return Thing


@pytest.fixture
def stack(thing, clock):
    """What CloudFormation does with it."""
    return FakeCloudFormation(continued(thing), clock=clock)


def test_forty_minutes(stack, cluster):
    """
    A Create of 40 minutes is one external create and one answer, over as many invocations as it
    takes looks; an event that is sent again meanwhile has no effect.
    """
    cluster.takes = 2400
    began = stack.clock.now()

    answer = stack.create("Thing")

    assert (True, {"State": "ACTIVE"}) == (answer.succeeded, answer.data)
    assert ["c-1", "greeting"] == cluster.made
    assert 1 == len(stack.answers)
    assert 2400 <= stack.clock.now() - began < 2500
    assert 28 == cluster.looks
    assert 27 == stack.story.count("it comes back from its wait")


def test_copies_meanwhile(stack, cluster):
    """
    Copies of the event find that it waits, and leave it to the continuation.
    """
    cluster.takes = 300

    answer = stack.create("Thing", times=3)

    assert answer.succeeded
    assert ["c-1", "greeting"] == cluster.made


def test_what_comes_back_twice_or_after_the_answer(stack, cluster):
    """
    A continuation is a copy of the event: whatever is done is not done again.
    """
    cluster.takes = 100
    event = stack.event("Create", "Thing")
    sent = []
    stack.send(event)
    sent += stack._function.waiting.values()
    stack._function.waiting.clear()
    stack.clock.advance(91)
    for again in sent * 2:
        stack.send(again)
    sent += stack._function.waiting.values()
    stack.clock.advance(200)
    for again in sent:
        stack.send(again)

    assert ["c-1", "greeting"] == cluster.made
    assert {"SUCCESS"} == {answer.status for _, answer in stack.answers}


def test_a_delete_stops_it(stack, cluster):
    """
    A Delete over a waiting Create removes what was made at once, and what comes back is dropped.
    """
    cluster.takes = 2400
    event = stack.event("Create", "Thing")
    stack.send(event)
    (again,) = stack._function.waiting.values()
    stack._function.waiting.clear()
    began = stack.clock.now()

    stack.send(stack.event("Delete", "Thing", physical_resource_id="c-1"))
    took = stack.clock.now() - began
    stack.clock.advance(100)
    stack.send(again)

    assert ["SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert (["c-1"], set()) == (cluster.made, cluster.live)
    assert took < 10


def test_in_vain(stack, cluster):
    """
    What does not come in time is FAILED, after on_timeout; the rollback removes what was made.
    """
    cluster.takes = 10_000

    answer = stack.create("Thing")

    assert not answer.succeeded
    assert "what wait_until#0 waits for did not come within 3000 s" in answer.reason
    assert ["c-1", "note"] == cluster.made
    assert set() == cluster.live


@pytest.mark.parametrize("point", range(0, 24, 3))
def test_crashes_on_the_way(stack, cluster, point):
    """
    Wherever the first invocation dies, it is made once, and waited for to the end.
    """
    cluster.takes = 200
    try:
        answer = stack.create("Thing", crash_at=point)
    except AssertionError as error:
        assert "there is no point" in str(error)
        return

    assert answer.succeeded
    assert 1 == cluster.made.count("greeting")
    assert 1 == len([name for name in cluster.made if name.startswith("c-")])


def hook(act):
    """Return a stack whose Create does this."""

    class Thing(CustomResource[dict, dict]):
        def create(self):
            act(self)

        def delete(self):
            pass

    return FakeCloudFormation(continued(Thing))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda self: self.wait(4000), "is longer than CloudFormation waits for the response"),
        (lambda self: self.wait(-1), "wait takes a number of seconds, 0 or more, not -1"),
        (lambda self: self.wait(float("nan")), "not nan"),
        (lambda self: self.wait("60"), "not '60'"),
        (lambda self: self.wait_until(lambda: None, every=0.1), "every 1 s at most, not 0.1"),
        (lambda self: self.wait_until(lambda: None, timeout=True), "not True"),
        (lambda self: self.step("a", lambda step: self.wait(1)), "made inside another step"),
    ],
)
def test_absurd_waits(act, told):
    """
    A wait that cannot be is FAILED at once, and says why.
    """
    answer = hook(act).create("Thing")

    assert not answer.succeeded
    assert told in answer.reason


def test_short_waits_stay():
    """
    A short wait takes no further invocation, and is not waited for again after a crash behind it.
    """
    stack = hook(lambda self: [self.wait(20), self.step("a", lambda step: 1, find=lambda step: 1)])
    began = stack.clock.now()

    answer = stack.create("Thing", crash_after="a")

    assert answer.succeeded
    assert "it comes back" not in stack.story
    assert stack.clock.now() - began < 20 + 140


def test_no_continuation():
    """
    Where nothing brings the event back, a wait that outlasts the invocation says what is missing.
    """

    class Thing(CustomResource[dict, dict]):
        delete = None

        def create(self):
            try:
                self.wait(600)
            except PermanentError as error:
                said.append(str(error))

    said = []
    stack = FakeCloudFormation(continued(Thing))
    event = stack.event("Create", "Thing")

    provider = Provider(Thing, ledger="memory://", clock=stack.clock)
    provider.using(delivery=Taken())(event, None)

    assert "a wait of 600 s does not fit the 120 s" in said[0]
    assert "CFN_ONCE_CONTINUATION" in said[0]


def long_steps(number, seconds, **stack_options):
    """Return what making `number` things one by one comes to, each of which takes so long."""
    made = []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            for n in range(number):
                self.step(f"thing {n}", self.make, find=lambda step: None)

        def make(self, step):
            stack.clock.sleep(seconds)
            made.append(step.token)
            return len(made)

        def delete(self):
            pass

    stack = FakeCloudFormation(continued(Thing), **stack_options)
    return stack, made


def test_steps_that_together_outlast_the_invocation():
    """
    A step that would not end in time is left to another invocation, and none is made twice.
    """
    stack, made = long_steps(7, 50)

    answer = stack.create("Thing")

    assert answer.succeeded
    assert 7 == len(set(made)) == len(made)
    assert 3 == stack.story.count("it comes back from its wait")


def test_a_step_that_outlasts_the_invocation():
    """
    What would be cut short again and again is FAILED the first time.
    """
    stack, _ = long_steps(1, 130)

    answer = stack.create("Thing")

    assert "FAILED" == answer.status
    assert "create was still at work after 110 s" in answer.reason
    assert 0 == stack.story.count("it comes back from its wait")


def test_steps_that_outlast_the_hour():
    """
    Nothing is handed over that could not be answered any more.
    """
    stack, made = long_steps(100, 50)

    answer = stack.create("Thing")

    assert "FAILED" == answer.status
    assert 60 < len(set(made)) == len(made) < 72


def test_a_step_behind_a_wait():
    """
    A step is not begun with what a wait has left of the invocation, but in the next one.
    """

    class Thing(CustomResource[dict, dict]):
        delete = None

        def create(self):
            self.step("make", lambda step: 1, find=lambda step: None)
            self.wait_until(lambda: stack.clock.now() - began > 85)
            self.step("configure", lambda step: stack.clock.sleep(40), find=lambda step: None)

    stack = FakeCloudFormation(continued(Thing))
    began = stack.clock.now()

    assert stack.create("Thing").succeeded


def test_a_secret_result_is_not_handed_over():
    """
    It is not kept, so the hook goes on with it here, though the next step may not end in time.
    """

    class Thing(CustomResource[dict, dict]):
        delete = None

        def create(self):
            self.step("password", lambda step: "hunter2", find=lambda step: None, secret=True)
            self.step("long", lambda step: stack.clock.sleep(60), find=lambda step: None)
            self.step("short", lambda step: stack.clock.sleep(10), find=lambda step: None)

    stack = FakeCloudFormation(continued(Thing))

    assert stack.create("Thing").succeeded


def test_a_new_round_waits_anew():
    """
    Asked again after FAILED, a wait has all of its time again.
    """

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.wait_until(self.look, every=90, timeout=600)

        def look(self):
            if stack.clock.now() < began + 100:
                raise ValueError("a bug, mended meanwhile")
            return stack.clock.now() > began + 1200

        def delete(self):
            pass

    stack = FakeCloudFormation(continued(Thing))
    began = stack.clock.now()
    event = stack.event("Create", "Thing")
    first = stack.deliver(event)
    stack.clock.advance(1000)

    again = stack.deliver(stack.asked_again(event))

    assert ("FAILED", "SUCCESS") == (first.status, again.status)


class Throttled:
    """A continuation that is out of reach when it is asked for the fifth time."""

    def __init__(self):
        self.through, self.sent = None, 0

    def __getattr__(self, name):
        return getattr(self.through, name)

    def send(self, event, due, **how):
        self.sent += 1
        if self.sent == 5:
            raise ContinuationUnavailable("ThrottlingException (status 429)")
        self.through.send(event, due, **how)


def test_a_continuation_that_is_throttled_late(thing, clock, cluster):
    """
    What has come back is an event of its own: an error that passes is left to Lambda's next try.
    """
    throttled = Throttled()

    class Late(Provider):
        def using(self, *, continuation, **ways):
            throttled.through = continuation
            return super().using(continuation=throttled, **ways)

    stack = FakeCloudFormation(continued(thing, Late), clock=clock)
    cluster.takes = 1200

    assert stack.create("Thing").succeeded
    assert ["c-1", "greeting"] == cluster.made


@pytest.mark.parametrize("how", ["a wait", "a crash"])
def test_what_is_cleaned_up_is_not_cleaned_up_again(how):
    """
    A Create over one that failed cleans up once: what comes back later under the same name is its
    own.
    """
    live = set()

    class Parameter(CustomResource[dict, dict]):
        def create(self):
            name = self.physical_resource_id = self.properties["Name"]
            self.step("put", lambda step: live.add(name), find=lambda step: name in live or None)
            if "Broken" in self.properties:
                raise ValueError("boom")
            if how == "a wait":
                self.wait(300)
            self.step("tag", lambda step: 1, find=lambda step: None)

        def delete(self):
            here = self.physical_resource_id
            self.step("remove", lambda step: live.discard(here), repeat=True)

    stack = FakeCloudFormation(continued(Parameter))
    stack.deliver(stack.event("Create", "P", {"Name": "/db", "Broken": "yes"}))
    crash = {"crash_before": "tag"} if how == "a crash" else {}

    answer = stack.deliver(stack.event("Create", "P", {"Name": "/db"}), **crash)

    assert (True, {"/db"}) == (answer.succeeded, live)


def test_a_rollback_undoes_once():
    """
    What a rollback has put back is not undone when it comes back from a wait.
    """
    policies = {}

    class Bucket(CustomResource[dict, dict]):
        def create(self):
            self.put()

        def update(self):
            self.put()
            if "Broken" in self.properties:
                raise ValueError("boom")
            self.wait(300)

        def put(self):
            self.step(
                "policy",
                lambda step: policies.update(policy=self.properties["Policy"]),
                find=lambda step: None,
                undo=lambda made: policies.pop("policy", None),
            )

        def delete(self):
            policies.clear()

    stack = FakeCloudFormation(continued(Bucket))
    stack.create("B", {"Policy": "v1"})

    stack.update("B", {"Policy": "v2", "Broken": "yes"})

    assert "SUCCESS" == stack.answers[-1][1].status
    assert {"policy": "v1"} == policies


def test_the_delete_of_a_failed_create_may_wait():
    """
    A clean-up goes on in another invocation, as every hook does.
    """

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("make", lambda step: "t-1", once=True)
            raise ValueError("boom")

        def delete(self):
            self.wait(600)
            gone.append(self.physical_resource_id)

    gone = []
    stack = FakeCloudFormation(continued(Thing))

    assert not stack.create("Thing").succeeded
    assert ["FAILED", "SUCCESS"] == [answer.status for _, answer in stack.answers]
    assert ["t-1"] == gone


def test_a_session_of_an_earlier_event():
    """
    A session that outlives its event ends no later one in silence: that is FAILED, and says why.
    """
    kept = []

    class Thing(CustomResource[dict, dict]):
        delete = None

        def create(self):
            kept.append(self.http)
            kept[0].post("http://127.0.0.1:1/things", json={})

    stack = FakeCloudFormation(continued(Thing))
    stack.create("A")

    answer = stack.create("B")

    assert "a client or a session of an earlier event was used" in answer.reason
