"""What a value promises its hook, and what the errors that a step names as refusals say."""

from itertools import count

import pytest

from cfn_once import CustomResource, Provider, StepFailed
from cfn_once.testing import Crashed, FakeCloudFormation

INVENTED = "stack-Thing-1A2B3C4D5E6F"  # as CloudFormation makes one up


class Duplicate(Exception):
    """A database refuses: there is one of this name."""


def stack(create, delete=lambda self: None):
    class Thing(CustomResource[dict, dict]):
        pass

    Thing.create, Thing.delete = create, delete
    return FakeCloudFormation(Provider(Thing, ledger="memory://"))


def crashed(cloudformation, **when):
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, **when)
    return cloudformation.deliver(event)


def test_a_value_is_the_same_in_every_run():
    """
    What was drawn before a crash is what the next delivery gets: one object under one name.
    """
    numbers, puts = count(), []

    def create(self):
        name = self.value("name", lambda: f"drawn-{next(numbers)}")
        self.physical_resource_id = name
        self.step("put", lambda step: puts.append(name), repeat=True)

    answer = crashed(stack(create), crash_after="put")

    assert "drawn-0" == answer.physical_resource_id
    assert ["drawn-0", "drawn-0"] == puts


def test_a_delete_knows_the_value_of_a_create_that_died():
    """
    The Delete of a Create that died removes the object under the name that it drew, and draws none.
    """
    numbers, removed = count(), []

    def create(self):
        self.physical_resource_id = self.value("name", lambda: f"drawn-{next(numbers)}")
        self.step("put", lambda step: None, repeat=True)

    cloudformation = stack(create, lambda self: removed.append(self.physical_resource_id))
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, crash_after="put")
    cloudformation.deliver(cloudformation.event("Delete", "Thing", physical_resource_id=INVENTED))

    assert ["drawn-0"] == removed
    assert 1 == next(numbers)


def test_a_value_that_fails_is_not_in_doubt():
    """
    A value that raises has done nothing: the request is FAILED with that error alone.
    """

    def create(self):
        self.value("name", lambda: {}["missing"])

    reason = stack(create).create("Thing").reason

    assert reason.startswith("KeyError: 'missing'")
    assert "doubt" not in reason


def test_two_values_of_one_name():
    """
    They are told apart by their order, and each stays: no copy and no clean-up draws one anew.
    """
    numbers, seen = count(), []

    def create(self):
        for _ in range(2):
            seen.append(self.value("number", lambda: next(numbers)))
        self.step("put", lambda step: None, repeat=True)

    cloudformation = stack(create)
    crashed(cloudformation, crash_after="put")

    assert [0, 1, 0, 1] == seen


def changes(self):
    return self.value("mail", lambda: self.http.post("https://api.example.com", json={}))


def holds_a_secret(self):
    self.mask("hunter22")
    return self.value("password", lambda: "hunter22")


def is_no_json(self):
    return self.value("thing", object)


def was_a_step(self):
    self.step("name", lambda step: "x")
    self._steps._counts.clear()  # as another version of the code would come by it
    return self.value("name", lambda: "y")


@pytest.mark.parametrize(
    ("create", "told"),
    [
        (changes, "a look-up must only read"),
        (holds_a_secret, "value password#0 of"),
        (is_no_json, "returned object, which cannot be kept"),
        (was_a_step, "has a value at name#0, where it made a step before"),
        (lambda self: self.value("name", "x"), "value name: its function is text"),
        (lambda self: self.value("name", lambda a: a), "value name: its function takes a"),
        (lambda self: self.value(len, "name"), "is not a name for a value"),
    ],
)
def test_what_is_no_value(create, told):
    """
    What changes something, or could not be the same again, fails before anything is made of it.
    """
    answer = stack(create).create("Thing")

    assert "FAILED" == answer.status
    assert told in answer.reason
    assert "hunter22" not in answer.reason


def test_new_code_may_leave_a_value_out():
    """
    A value changed nothing: the next delivery's code need not come by it.
    """
    runs = []

    def create(self):
        runs.append(1)
        if len(runs) == 1:
            self.value("name", lambda: "x")
        self.step("make", lambda step: "made", repeat=True)

    assert crashed(stack(create), crash_after="make").succeeded


def refusing(**how):
    """A hook whose step is refused in the database's own way, and what it calls."""
    calls = []

    def refuse(step):
        calls.append(step.token)
        raise Duplicate("there is a user web")

    def create(self):
        try:
            self.step("user", refuse, **how)
        except StepFailed as error:
            return {"Why": str(error)}

    return create, calls


def test_a_refusal_is_no_doubt():
    """
    An error that the step names says that nothing was done: StepFailed, and no second call.
    """
    create, calls = refusing(refused=(Duplicate,))

    answer = stack(create).create("Thing", times=2)

    assert {"Why": "there is a user web"} == answer.data
    assert 1 == len(calls)


def test_the_same_error_without_a_word():
    """
    Nothing tells cfn-once what an error of a library means: the step is in doubt.
    """
    create, _ = refusing()

    assert "in doubt: step user#0" in stack(create).create("Thing").reason


def test_an_error_after_the_effect_is_no_refusal():
    """
    Where a call inside the step has acted, the step has, whatever the next error is called.
    """

    def create(self):
        def both(step):
            self._steps.caller.call_inside_step("post", lambda step: 1, lambda e: None, single=True)
            raise Duplicate

        self.step("both", both, refused=(Duplicate,))

    assert "in doubt: step both#0" in stack(create).create("Thing").reason


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ((OSError,), "refused=OSError says that the call had no effect, but"),
        ((Exception,), "refused=Exception says that the call had no effect"),
        (("Duplicate",), "refused= takes kinds of errors, not text"),
        ((BaseException,), "refused= takes kinds of errors, not type"),
    ],
)
def test_what_is_no_refusal(refused, told):
    """
    An error that also comes when a connection is lost says nothing of the effect.
    """
    create, calls = refusing(refused=refused)

    assert told in stack(create).create("Thing").reason
    assert [] == calls
