"""Functions that cannot run: answered all the same."""

import base64
import json
from contextlib import ExitStack
from functools import partial

import pytest

from cfn_once import CustomResource, DeliveryError, InProgress, Provider, Request, entry, guardian
from cfn_once.ledger import open_store
from cfn_once.testing import Crashed, FakeCloudFormation, on_failure_event, sqs_event

ONE = {"Product": "Linux/UNIX"}
TIMEOUT = 120  # seconds that the kit's functions have


@pytest.fixture
def entry_point(tmp_path, monkeypatch):
    """Write a module, and return the provider that the entry makes of it."""
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")
    monkeypatch.syspath_prepend(tmp_path)
    number = iter(range(99))

    def make(text, name="provider"):
        module = f"module_{tmp_path.name.replace('-', '_')}_{next(number)}"
        (tmp_path / f"{module}.py").write_text(text)
        monkeypatch.setenv("CFN_ONCE_PROVIDER", f"{module}:{name}")
        entry._imported.cache_clear()
        return entry.provider()

    yield make
    entry._imported.cache_clear()


GOOD = """
from cfn_once import CustomResource, Provider
class Thing(CustomResource[dict, dict]):
    def create(self): return {"It": "works"}
    def delete(self): pass
provider = Provider(Thing)
"""


def test_a_module_that_can_be_imported(entry_point):
    """
    The entry hands every event to the provider that the environment names.
    """
    answer = FakeCloudFormation(entry_point(GOOD)).create("One")

    assert {"It": "works"} == answer.data


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that"),
        ("def broken(:", "SyntaxError"),
        ("import os; os.environ['NO_SUCH_SETTING']", "KeyError: 'NO_SUCH_SETTING'"),
        ("raise SystemExit('not here')", "SystemExit: not here"),
        ("provider = 1", "there is no cfn_once.Provider of that name"),
    ],
)
def test_a_module_that_cannot(entry_point, text, told):
    """
    A Create is FAILED with the reason, and its Delete is SUCCESS: the rollback is not stuck.
    """
    cloudformation = FakeCloudFormation(entry_point(text))

    answer = cloudformation.create("One", resource_type="Custom::Thing")

    assert "FAILED" == answer.status
    assert told in answer.reason
    assert {} == cloudformation.resources


def test_a_setting_that_is_missing(monkeypatch):
    """
    Without CFN_ONCE_PROVIDER the answer says how to set it.
    """
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")
    monkeypatch.delenv("CFN_ONCE_PROVIDER", raising=False)
    entry._imported.cache_clear()

    answer = FakeCloudFormation(entry.provider()).create("One", resource_type="Custom::Thing")

    assert "module:name, such as provider:provider" in answer.reason
    entry._imported.cache_clear()


def test_a_secret_in_the_traceback(entry_point, monkeypatch):
    """
    The value of a setting whose name says that it is secret is masked.
    """
    monkeypatch.setenv("API_TOKEN", "hunter22")
    cloudformation = FakeCloudFormation(
        entry_point("import os; raise ValueError('refused ' + os.environ['API_TOKEN'])")
    )

    answer = cloudformation.create("One", resource_type="Custom::Thing")

    assert "refused *****" in answer.reason


@pytest.mark.parametrize(
    ("name", "value", "told", "left"),
    [
        ("DB_PWD", "hunter22", "hunter22", ""),
        ("STRIPE_AUTH", "sk-live-42", "sk-live-42", ""),
        ("QUEUE_URL", "amqps://app:p%40ss-w0rd@mq:5671/v", "p@ss-w0rd", ""),
        ("QUEUE_URL", "amqps://app:p%40ss-w0rd@mq:5671/v", "p%40ss-w0rd at mq", " at mq"),
        ("SECRETS", '{"user": "root", "password": "hunter22"}', "root:hunter22@db", ":*****@db"),
        ("API_TOKEN", 'it"s\nsecret', json.dumps({"t": 'it"s\nsecret'}), '{"t": "*****"}'),
        ("API_TOKEN", "hunter22", base64.b64encode(b"u:hunter22").decode(), ""),
    ],
)
def test_settings_that_are_secret(entry_point, monkeypatch, name, value, told, left):
    """
    By their name, or since they are a URL with a password: in any spelling, the longest first.
    """
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTHER_KEY", "hunter")
    cloudformation = FakeCloudFormation(entry_point(f"raise ValueError({told!r})"))

    reason = cloudformation.create("One", resource_type="Custom::Thing").reason
    said = reason.rpartition("ValueError: ")[2]

    assert "*****" in said
    assert said.endswith(left)
    assert told not in reason
    assert "22" not in said


def test_a_delete_of_something_made_before(entry_point, cloudformation, groups):
    """
    What an earlier version made is not given up because this one cannot be imported.
    """
    cloudformation.create("Group", ONE)
    broken = entry_point("import nothing_of_that_name")

    answer = cloudformation.send(cloudformation.event("Delete", "Group"), provider=broken)

    assert ("FAILED", "sig-1") == (answer.status, answer.physical_resource_id)
    cloudformation.delete("Group")


SCHEDULER = "scheduler://waits?role=arn:aws:iam::123456789012:role/waits"


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Make stacks whose ledger and bucket the guardian's function finds in its environment."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    monkeypatch.setenv("CFN_ONCE_LEDGER", url)
    with ExitStack() as stacks:

        def guarded(kind):
            ledger = open_store(url, in_lambda=False, allow_local=True)
            provider = Provider(kind, ledger=ledger, continuation=SCHEDULER)
            stack = stacks.enter_context(
                FakeCloudFormation(provider, ledger=ledger, over_http=True)
            )
            monkeypatch.setenv("CFN_ONCE_RESPONSE_HOSTS", stack.response_host)
            return stack

        yield guarded


@pytest.fixture
def cloudformation(guarded, group_class, groups):
    stack = guarded(group_class)
    yield stack

    assert {resource.physical_resource_id for resource in stack.resources.values()} == set(
        groups.objects
    )


def guard(cloudformation, event, condition="RetriesExhausted"):
    """Let the guardian's function work on Lambda's record of an event that failed."""
    guardian.handler(on_failure_event(event, condition), clock=cloudformation.clock)
    return cloudformation.answer_to(event)


def test_the_guardian_answers_for_a_dead_function(cloudformation, groups):
    """
    After Lambda's last try FAILED is told at once; the Delete waits until the dead one cannot act
    any more, and finds what it had made.
    """
    create = cloudformation.event("Create", "Group", ONE)
    began = cloudformation.clock.now()
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")

    answer = guard(cloudformation, create)
    answered = cloudformation.clock.now()
    cloudformation.deliver(
        cloudformation.event(
            "Delete", "Group", ONE, physical_resource_id=answer.physical_resource_id
        )
    )

    assert "FAILED" == answer.status
    assert answered - began < 1
    assert cloudformation.clock.now() - began > TIMEOUT
    assert ["sig-1"] == groups.deletes


def test_the_time_of_who_waits_for_the_dead(guarded):
    """
    A Delete that has waited for the dead leaves the work to its next delivery, which has time.
    """
    left = []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.physical_resource_id = self.step("thing", lambda step: "t-1", once=True)
            self.step("part", lambda step: "p-1", once=True)

        def delete(self):
            left.append(self.time_left)

    cloudformation = guarded(Thing)
    create = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_before="part")
    cloudformation.clock.advance(30)
    answer = guard(cloudformation, create)

    cloudformation.deliver(
        cloudformation.event("Delete", "Thing", physical_resource_id=answer.physical_resource_id)
    )

    assert ["FAILED", "SUCCESS"] == [answer.status for _, answer in cloudformation.answers]
    assert left[0] > TIMEOUT / 2


@pytest.mark.parametrize("condition", ["EventAgeExceeded", "something new"])
def test_the_guardian_of_an_event_that_grew_too_old(cloudformation, groups, condition):
    """
    Where not every try has failed, another delivery may be at work, and is waited for.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")

    with pytest.raises(InProgress):
        guard(cloudformation, create, condition)

    cloudformation.clock.advance(TIMEOUT)
    answer = guard(cloudformation, create, condition)
    cloudformation.deliver(
        cloudformation.event(
            "Delete", "Group", ONE, physical_resource_id=answer.physical_resource_id
        )
    )

    assert "FAILED" == answer.status


def test_the_guardian_tells_what_was_recorded(cloudformation, groups):
    """
    An answer that the function had recorded and could not deliver is told as it is.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.lose_answers(30)  # more than the delivery has time for, fewer than twice that
    with pytest.raises(DeliveryError):
        cloudformation.send(create)

    answer = guard(cloudformation, create)

    assert answer.succeeded
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))


def test_a_record_that_is_not_ours(caplog):
    """
    What is no request of CloudFormation is named in the log, and nothing happens.
    """
    guardian.handler({"requestPayload": "text"})
    guardian.handler({"Records": [{"body": "no json"}]})

    assert 2 == caplog.text.count("the guardian did nothing")


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:provider"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:provider"


@pytest.mark.parametrize(
    ("guards", "record", "is_answered"),
    [
        ("", on_failure_event, True),
        (FUNCTION, on_failure_event, True),
        (f"{FUNCTION}-2, {FUNCTION}", on_failure_event, True),
        (f"{FUNCTION}-2", on_failure_event, False),
        (FUNCTION.removesuffix("r"), on_failure_event, False),
        (QUEUE, on_failure_event, False),
        (f"{FUNCTION},{QUEUE}", partial(sqs_event, raw=True), True),
        (FUNCTION, partial(sqs_event, raw=True), False),
        (FUNCTION, dict, False),
        (FUNCTION, lambda event: {"requestPayload": dict(event), "requestContext": 5}, False),
        (FUNCTION, lambda event: sqs_event(on_failure_event(event), raw=True), True),
    ],
)
def test_what_the_guardian_guards(cloudformation, monkeypatch, caplog, guards, record, is_answered):
    """
    A record is of a function that it guards, or came through that function's dead-letter queue. Of
    any other nobody is answered, the ledger is not touched, and the log says whose it was.
    """
    monkeypatch.setenv("CFN_ONCE_GUARDS", guards)
    create = cloudformation.event("Create", "Group", ONE)
    key = "r" + Request.from_event(create).correlation_id

    guardian.handler(record(create), clock=cloudformation.clock)

    assert is_answered == (cloudformation.answer_to(create) is not None)
    assert is_answered == (cloudformation.ledger.read(key) is not None)
    assert is_answered != ("CFN_ONCE_GUARDS" in caplog.text)


def test_a_create_that_only_the_guardian_has_seen(cloudformation, groups):
    """
    Where no delivery had come to the ledger, the function may have been at work with another one:
    the Delete is SUCCESS, and never without a word. A copy of it is told the same.
    """
    create = cloudformation.event("Create", "Group", ONE)
    told = guard(cloudformation, create)
    placeholder = told.physical_resource_id
    delete = cloudformation.event("Delete", "Group", ONE, physical_resource_id=placeholder)

    answers = [cloudformation.send(delete) for _ in range(2)]

    left = "left: the guardian responded to that Create, and no delivery of it is in the ledger"
    assert [("SUCCESS", left)] * 2 == [(answer.status, answer.reason) for answer in answers]
    assert {} == groups.objects


def test_a_create_that_the_function_had_begun(cloudformation, groups):
    """
    Where a delivery had come to the ledger, the guardian's answer leaves nothing to be named.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_before="group")
    placeholder = guard(cloudformation, create).physical_resource_id
    delete = cloudformation.event("Delete", "Group", ONE, physical_resource_id=placeholder)

    cloudformation.deliver(delete)

    assert "" == cloudformation.answer_to(delete).reason
    assert {} == groups.objects


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("RetriesExhausted", "the function failed or ran out of time or memory in every try"),
        ("EventAgeExceeded", "could not be run before the event was too old"),
        ("something new", "the function failed (Lambda: something new)"),
    ],
)
def test_the_word_of_lambda(cloudformation, condition, told):
    """
    The reason says in words why the function is given up.
    """
    create = cloudformation.event("Create", "Group", ONE)

    assert told in guard(cloudformation, create, condition).reason


def test_a_queue_behind_a_topic(cloudformation, groups):
    """
    The guardian reads what lies in a topic's wrapping, and one request that it cannot answer keeps
    no other from being answered.
    """
    at_work, waiting = (cloudformation.event("Create", name, ONE) for name in "AB")
    with pytest.raises(Crashed):
        cloudformation.send(at_work, crash_after="group")

    with pytest.raises(InProgress):
        guardian.handler(sqs_event(at_work, waiting), clock=cloudformation.clock)

    assert [None, "FAILED"] == [
        answer and answer.status for answer in map(cloudformation.answer_to, (at_work, waiting))
    ]
    groups.objects.clear()


def test_a_way_back_that_dies_before_it_is_due(guarded):
    """
    A hop that failed in every try was the way back of a hook that waits: the guardian answers at
    once; the record of another copy meanwhile has no effect.
    """

    class Thing(CustomResource[dict, dict]):
        def create(self):
            self.wait(2000)

        def delete(self):
            pass

    cloudformation = guarded(Thing)
    event = cloudformation.event("Create", "Thing")
    cloudformation.send(event)
    ((due, hop),) = cloudformation._function.waiting.items()
    cloudformation._function.waiting.clear()

    guard(cloudformation, event)
    before = list(cloudformation.answers)
    guard(cloudformation, hop)

    assert due > cloudformation.clock.now()
    assert [] == before
    assert ["FAILED"] == [answer.status for _, answer in cloudformation.answers]


@pytest.mark.parametrize("context", [None, [], "x", 5, {"condition": None}, {"condition": ["x"]}])
def test_a_record_whose_context_is_none(cloudformation, context):
    """
    Whatever a record says of how the function failed, its request is answered.
    """
    event = cloudformation.event("Create", "One", {"Product": "a"})
    record = {**on_failure_event(event), "requestContext": context}

    guardian.handler(record, clock=cloudformation.clock)

    assert "the function failed (Lambda: " in cloudformation.answer_to(event).reason


@pytest.mark.parametrize("said", [[], "x", {"ErrorMessage": []}, {"ErrorMessage": {"x": 1}}])
def test_a_message_whose_attributes_are_none(cloudformation, said):
    """
    The same of a message in a dead-letter queue.
    """
    event = cloudformation.event("Create", "One", {"Product": "a"})
    batch = sqs_event(event, raw=True)
    batch["Records"][0]["messageAttributes"] = said

    guardian.handler(batch, clock=cloudformation.clock)

    assert "(Lambda: dead-letter queue)" in cloudformation.answer_to(event).reason


def test_a_secret_of_several_lines(entry_point, monkeypatch):
    """
    A private key is masked as a whole, although the reason has only the last lines.
    """
    monkeypatch.setenv("SIGNING_KEY", "-----BEGIN\nline one\nline two\n-----END")
    cloudformation = FakeCloudFormation(
        entry_point("import os; raise ValueError(os.environ['SIGNING_KEY'])")
    )

    reason = cloudformation.create("One", resource_type="Custom::Thing").reason

    assert "*****" in reason
    assert "line one" not in reason
    assert "line two" not in reason


def test_an_import_error_that_passes(tmp_path, monkeypatch):
    """
    Each event tries the import anew.
    """
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CFN_ONCE_PROVIDER", "late_module:provider")
    first = entry.provider()
    (tmp_path / "late_module.py").write_text(GOOD)

    assert [(), ("Custom::Thing",)] == [first.resource_types, entry.provider().resource_types]
    entry._imported.cache_clear()
