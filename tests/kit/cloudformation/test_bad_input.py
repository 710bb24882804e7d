"""Scenarios that cannot be: each is an error that says what is wrong, and none hangs."""

import json
import signal
import sys
import threading
import time

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider
from cfn_once.testing import FakeCloudFormation, VirtualClock

ONE = {"Product": "a", "Target": 1}


@pytest.mark.parametrize(
    "fault", ["crash_before", "crash_after", "failing", "losing", "slow", "meanwhile"]
)
def test_a_call_that_is_never_made(cloudformation, external_api, fault):
    """
    What befalls a call does so by its name: one that is misspelt names those that there are.
    """
    named = "grop" if fault.startswith("crash") else {"grop": ValueError("x")}

    with pytest.raises(AssertionError, match=r"no call of grop; there were: group$"):
        cloudformation.create("Group", ONE, **{fault: named})
    external_api.objects.clear()


def test_a_cancelled_create_without_such_a_call(cloudformation, external_api):
    """
    The call during which a Create is cancelled must be one of its own.
    """
    with pytest.raises(AssertionError, match=r"no call of grop during which .* were: group"):
        cloudformation.cancel_create("Group", ONE, at="grop")
    external_api.objects.clear()


def test_a_fault_that_there_is_none_of(cloudformation):
    """
    A fault that is misspelt names those that there are.
    """
    with pytest.raises(TypeError, match="no such fault: tiems; there are times, at_once, late"):
        cloudformation.create("Group", ONE, tiems=3)


@pytest.mark.parametrize(("fault", "number"), [("times", 0), ("at_once", 101), ("crashes", 4)])
def test_a_number_that_cannot_be(cloudformation, fault, number):
    """
    Lambda delivers at least once, and three times where each one fails.
    """
    with pytest.raises(ValueError, match=f"{fault} is from 1 to"):
        cloudformation.create("Group", ONE, **{fault: number})


def test_at_once_without_greenlet(cloudformation, monkeypatch):
    """
    What happens at once needs a package that the extra brings.
    """
    monkeypatch.setitem(sys.modules, "greenlet", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'cfn-once\[testing\]'"):
        cloudformation.create("Group", ONE, at_once=2)
    cloudformation._requests._newest.clear()


def test_at_once_inside_of_at_once(cloudformation):
    """
    Deliveries at the same time do not start further ones of their own.
    """
    other = cloudformation.event("Create", "Other", ONE)

    with pytest.raises(AssertionError, match="at once, inside of deliveries at once"):
        cloudformation.create(
            "Group",
            ONE,
            at_once=2,
            meanwhile={"group": lambda: cloudformation.deliver(other, at_once=2)},
        )
    cloudformation._requests._newest.clear()


@pytest.mark.parametrize("fault", ["times", "at_once", "late", "crashes"])
def test_copies_of_one_delivery(cloudformation, fault):
    """
    `send` delivers once.
    """
    event = cloudformation.event("Create", "Group", ONE)

    with pytest.raises(TypeError, match=f"send delivers once: {fault} is for"):
        cloudformation.send(event, **{fault: 2})


def test_a_type_that_must_be_named(group):
    """
    A provider of several types does not guess which one is meant.
    """

    class Other(group):
        pass

    stack = FakeCloudFormation(Provider(group, Other, ledger="memory://"))

    with pytest.raises(
        ValueError, match=r"name the resource_type: .* Custom::Group, Custom::Other"
    ):
        stack.create("Group", ONE)


def test_null(cloudformation):
    """
    CloudFormation takes none in a template.
    """
    with pytest.raises(AssertionError, match="'null' values are not allowed in templates"):
        cloudformation.create("Group", {"Product": None})


@pytest.mark.parametrize(
    "verb", ["update", "delete", "remove", "retain", "ref", "update_and_roll_back"]
)
def test_a_resource_that_is_not_there(cloudformation, verb):
    """
    An operation on what is not held names what is.
    """
    cloudformation.create("Group", ONE)
    arguments = (ONE,) if verb == "update_and_roll_back" else ()

    with pytest.raises(ValueError, match="the stack holds no Grop; it holds Group"):
        getattr(cloudformation, verb)("Grop", *arguments)


def test_a_resource_that_is_there_already(cloudformation):
    """
    A template has one resource of a name.
    """
    cloudformation.create("Group", ONE)

    with pytest.raises(ValueError, match="Group is in the stack already"):
        cloudformation.create("Group", ONE)


def test_a_create_that_never_was(cloudformation):
    """
    Only what has failed can be retried.
    """
    with pytest.raises(ValueError, match="no Create of Group that has failed"):
        cloudformation.retry_create("Group")


@pytest.mark.parametrize("wrong", ["class", "handler"])
def test_what_is_no_provider(group, wrong):
    """
    The class itself, or a handler of another kind, cannot be driven.
    """
    with pytest.raises(TypeError, match=r"drives a Provider, or a DeployedLambda: give it Prov"):
        FakeCloudFormation(group if wrong == "class" else lambda event, context: None)


def test_a_provider_without_ledger(group, monkeypatch):
    """
    In Lambda a provider without ledger answers so, whatever ledger the test would give it.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    monkeypatch.delenv("CFN_ONCE_LEDGER", raising=False)
    stack = FakeCloudFormation(Provider(group))

    answer = stack.create("Group", ONE)

    assert "no ledger: set CFN_ONCE_LEDGER to dynamodb://TABLE" in answer.reason


def hanging(how):
    """A provider whose Create never ends."""

    class Hanging(CustomResource[dict, dict]):
        def create(self):
            self.step("first", lambda step: None, repeat=True)
            how()

        def delete(self):
            pass

    return Provider(Hanging, ledger="memory://")


def for_ever():
    while True:
        try:
            time.sleep(60)  # here it hangs
        except Exception:
            continue


@pytest.mark.parametrize("faults", [{}, {"at_once": 2}])
def test_a_hook_that_hangs(faults):
    """
    The watchdog ends it, however much it swallows, and says where it hangs and what went before;
    the alarm is gone afterwards.
    """
    stack = FakeCloudFormation(hanging(for_ever), watchdog=0.8)

    with pytest.raises(AssertionError) as caught:
        stack.create("Thing", **faults)

    assert "a hook hangs in the Create of Thing" in str(caught.value)
    assert "time.sleep(60)  # here it hangs" in str(caught.value)
    assert "in create\n    how()" in str(caught.value)
    assert "call first" in str(caught.value)
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)


def test_a_hook_that_swallows_everything():
    """
    A bare `except` holds up one alarm, not the next one.
    """
    swallowed = []

    def stubborn():
        for _ in range(3):
            try:
                time.sleep(5)
            except:  # noqa: E722 - what the watchdog must get past
                swallowed.append(1)
                if len(swallowed) > 1:
                    raise

    stack = FakeCloudFormation(hanging(stubborn), watchdog=0.5)

    with pytest.raises(AssertionError, match="a hook hangs"):
        stack.create("Thing")

    assert 2 == len(swallowed)


def test_somebody_elses_alarm():
    """
    An alarm that was set before goes on afterwards; a nearer one is left alone.
    """
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 50)
        FakeCloudFormation(hanging(lambda: None), watchdog=1).create("Thing")
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        FakeCloudFormation(hanging(lambda: time.sleep(0.2)), watchdog=9).create("Thing")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert 40 < left <= 50
    assert [1] == rung


def test_in_another_thread(provider):
    """
    There are no alarms outside of the main thread, and no error either.
    """
    stack, answers = FakeCloudFormation(provider), []
    thread = threading.Thread(target=lambda: answers.extend([stack.create("Group", ONE)]))
    thread.start()
    thread.join()

    assert ["SUCCESS"] == [answer.status for answer in answers]


def test_a_stack_that_hangs(group, external_api):
    """
    A request that nobody answers, though nothing befell it, is an error with the story so far.
    """

    class Silent(Provider):
        def __call__(self, event, context=None):
            return None

    stack = FakeCloudFormation(Silent(group, ledger="memory://"))

    with pytest.raises(AssertionError) as caught:
        stack.create("Group", ONE)

    assert "the stack hangs: the Create of Group was never answered" in str(caught.value)
    assert "Create of Group is delivered" in str(caught.value)
    assert ["the Create of Group"] == stack.unanswered


GOOD = {"Status": "SUCCESS", "PhysicalResourceId": "x"}
WRONG = {
    "Invalid Response object: 'OK' is not a valid ResponseStatus": {"Status": "OK"},
    "Invalid PhysicalResourceId": {"PhysicalResourceId": ""},
    "a FAILED answer needs a Reason": {"Status": "FAILED"},
    "LogicalResourceId must be echoed as sent": {"LogicalResourceId": "Grop"},
    "Response object is too long.": {"Data": {"A": "x" * 4096}},
    "a PhysicalResourceId over 1024 bytes": {"PhysicalResourceId": "x" * 1025},
}
MOVED = {
    "Delete": ("a Delete must echo the id", {}),
    "Update": ("a failed Update must echo the id", {"Status": "FAILED", "Reason": "why"}),
}


@pytest.fixture
def refusal(group):
    """Tells what is said when a provider of another kind answers a request so."""

    class Other(Provider):
        def __call__(self, event, context=None):
            echoed = ("StackId", "RequestId", "LogicalResourceId")
            body = {**{name: event[name] for name in echoed}, **GOOD, **self.answer}
            stack._bucket.put(event["ResponseURL"], self.spelt(body))

    provider = Other(group, ledger="memory://")
    stack = FakeCloudFormation(provider)

    def refusal(request_type, answer, spelt=lambda body: json.dumps(body).encode()):
        provider.answer, provider.spelt = answer, spelt
        with pytest.raises(AssertionError) as caught:
            stack.send(stack.event(request_type, "Thing", {}, physical_resource_id="held"))
        return str(caught.value).splitlines()[0]

    return refusal


@pytest.mark.parametrize("text", WRONG)
def test_an_answer_that_cloudformation_refuses(refusal, text):
    """
    What a handler answers is judged: the status, the id, what must be echoed, and the size.
    """
    assert text == refusal("Create", WRONG[text])


@pytest.mark.parametrize("request_type", MOVED)
def test_an_answer_that_cloudformation_would_act_upon_wrongly(refusal, request_type):
    """
    Another id in a Delete or a failed Update is refused, whatever CloudFormation makes of it.
    """
    text, answer = MOVED[request_type]

    assert refusal(request_type, answer).startswith(text)


@pytest.mark.parametrize(("body", "text"), [(b"no", "it is no JSON"), (b"[]", "it is no map")])
def test_an_answer_that_cannot_be_read(refusal, body, text):
    """
    So is what is no JSON object at all.
    """
    assert f"Invalid Response object: {text}" == refusal("Create", {}, lambda _: body)


def test_two_answers_that_differ(refusal, group):
    """
    A second answer to the same request must be the first one, byte for byte.
    """
    stack = FakeCloudFormation(Provider(group, ledger="memory://"))
    create = stack.event("Create", "Group", ONE)
    first = stack.send(create)
    stack._bucket.put(create["ResponseURL"], first.body.replace(b"g-1", b"g-2"))

    with pytest.raises(AssertionError, match="two answers to the Create of Group"):
        stack.send(create)


def test_an_answer_to_nobody(provider):
    """
    An answer to what this stack has not sent is an error, though it is signed.
    """
    stack, other = (FakeCloudFormation(provider, stack_name=name) for name in "ab")
    stack._bucket.put(other.event("Create", "Group", ONE)["ResponseURL"], b"{}")

    with pytest.raises(AssertionError, match="a request that this stack has not sent"):
        stack.create("Group", ONE)


def test_a_clock_that_several_stacks_share(provider):
    """
    Time that passes for one passes for the other.
    """
    clock = VirtualClock()
    first, second = (FakeCloudFormation(provider, clock=clock, stack_name=name) for name in "ab")
    first.wait(60)

    assert clock.now() == second.clock.now()
