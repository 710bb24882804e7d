"""What a moved handler may be that crhelper took, or that nobody should write."""

import json
import logging

import boto3
import pytest
from moto import mock_aws

from cfn_once import ConfigurationError
from cfn_once.crhelper import CfnResource
from cfn_once.ledger import MemoryStore
from cfn_once.testing import FakeCloudFormation
from moved.moving import OURS, REAL, Observed, execute, load
from moved.things import things

POLLED = """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource(polling_interval=2)

@helper.create
def create(event, context):
    return things.make("a")

@helper.poll_create
def poll(event, context):
    things.calls.append("look")
    return things.objects[event["CrHelperData"]["PhysicalResourceId"]] == "ready"

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])

def handler(event, context):
    helper(event, context)
"""
SECRET = """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource()

@helper.create
def create(event, context):
    helper.NoEcho = True
    helper.Data["Key"] = "correct horse battery"
    return things.make("a")

@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])
"""


def secretless():
    ledger = MemoryStore()
    ledger.keeps_secrets = False
    return ledger


def test_crhelper_beside_ours(caplog):
    """
    A helper that was not moved answers by itself: the first event says so, once.
    """
    module = load("data_plain", OURS)

    with caplog.at_level(logging.WARNING, "cfn_once.crhelper"):
        for _ in range(2):
            with pytest.raises(Exception, match="not a custom resource request"):
                module.handler({}, None)

    said = [row.message for row in caplog.records if "crhelper is imported" in row.message]
    assert 1 == len(said)


@pytest.mark.parametrize("verify", [False, "/etc/ssl/own.pem"])
def test_tls_that_is_not_verified(verify, monkeypatch):
    """
    It is refused where the helper is made; in Lambda, where that would answer nobody, each request
    is FAILED with what to write instead.
    """
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        CfnResource(ssl_verify=verify)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    helper = CfnResource(ssl_verify=verify, allow_local_ledger=True)
    answer = FakeCloudFormation(helper.provider).create("Thing", resource_type="Custom::Thing")

    assert "FAILED" == answer.status
    assert "SSL_CERT_FILE" in answer.reason


def test_a_function_that_does_nothing_when_it_is_called():
    """
    crhelper answers SUCCESS for an `async def`, and nothing is done.
    """
    helper = CfnResource()

    async def create(event, context):
        things.make("a")

    with pytest.raises(ConfigurationError, match=r"create is a coroutine function .* asyncio\.run"):
        helper.create(create)


def test_a_word_that_on_crash_does_not_know():
    """
    It would be taken for "fail".
    """
    with pytest.raises(ConfigurationError, match='write "fail" or "again"'):
        CfnResource().create(on_crash="retry")


def test_a_poll_that_returns_nothing_for_ever():
    """
    FAILED before CloudFormation stops waiting, and the Delete removes what create made.
    """
    cloudformation = FakeCloudFormation(execute(POLLED, OURS).helper.provider)

    answer = cloudformation.create("Thing")

    assert ("FAILED", "thing-1") == (answer.status, answer.physical_resource_id)
    assert "did not come within" in answer.reason
    assert {} == things.objects
    assert 25 < things.calls.count("look") < 35


class Context:
    function_name = "function"
    aws_request_id = "invocation"

    def get_remaining_time_in_millis(self):
        return 900_000


def test_the_tick_of_an_old_rule(monkeypatch):
    """
    A Create under way when the handler was moved: create is not called again, its polls go on, the
    response bears the id that crhelper's create returned, and the rule is taken away.
    """
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    ready = POLLED.replace(
        'things.objects[event["CrHelperData"]["PhysicalResourceId"]] == "ready"',
        'things.is_ready("a")',
    )
    ours = FakeCloudFormation(execute(ready, OURS).helper.provider)
    create = ours.event("Create", "Thing", {}, resource_type="Custom::Thing")
    execute(ready, REAL).handler(json.loads(json.dumps(create)), Context())
    ((rule, target),) = Observed.rules.ticking.items()
    Observed.rules.ticking.clear()  # it ticks in EventBridge
    with mock_aws():
        events = boto3.client("events")
        events.put_rule(Name=rule, ScheduleExpression="rate(2 minutes)")
        events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": "arn:aws:lambda:::function"}])
        answer = ours.deliver(json.loads(target))
        left = events.list_rules()["Rules"]

    assert ("SUCCESS", "thing-1") == (answer.status, answer.physical_resource_id)
    assert ["make a", *["look"] * 3] == things.calls
    assert [] == left


def test_a_secret_that_the_ledger_may_not_keep():
    """
    It is sent once; the ledger never has it, and a later duplicate is FAILED, which says why.
    """
    ledger = secretless()
    cloudformation = FakeCloudFormation(execute(SECRET, OURS).helper.provider, ledger=ledger)
    create = cloudformation.event("Create", "Thing", {}, resource_type="Custom::Thing")

    first = cloudformation.deliver(create)
    again = cloudformation.deliver(cloudformation.asked_again(create))

    assert ("SUCCESS", True, {"Key": "correct horse battery"}) == (
        first.status,
        first.no_echo,
        first.data,
    )
    assert "horse" not in str(vars(ledger))
    assert "FAILED" == again.status
    assert "keeps_secrets=true" in again.reason
    assert ["thing-1"] == things.created


def test_a_secret_that_was_not_kept_and_a_crash():
    """
    Nobody has it any more: FAILED says so, and the Delete removes the thing.
    """
    cloudformation = FakeCloudFormation(execute(SECRET, OURS).helper.provider, ledger=secretless())

    answer = cloudformation.create("Thing", crash_at=7)

    assert "FAILED" == answer.status
    assert "secret, and was not kept" in answer.reason
    assert (["thing-1"], {}) == (things.created, things.objects)


def test_secrets_that_are_said_to_be_secret_beforehand():
    """
    `no_echo=True` refuses before anything is made.
    """
    source = SECRET.replace("CfnResource()", "CfnResource(no_echo=True)")
    cloudformation = FakeCloudFormation(execute(source, OURS).helper.provider, ledger=secretless())

    answer = cloudformation.create("Thing")

    assert ("FAILED", []) == (answer.status, things.created)
    assert "keeps_secrets=true" in answer.reason


def test_an_id_that_is_too_long():
    """
    CloudFormation would refuse it: FAILED, and the function's Delete still runs.
    """
    source = SECRET.replace('return things.make("a")', 'things.make("a")\n    return "x" * 2000')
    cloudformation = FakeCloudFormation(execute(source, OURS).helper.provider)

    answer = cloudformation.create("Thing")

    assert "FAILED" == answer.status
    assert "2000 bytes long" in answer.reason
    assert f"remove {answer.physical_resource_id}" in things.calls


def test_the_root_logger_is_left_alone():
    """
    crhelper sets its level, for all that log in the process.
    """
    before = logging.getLogger().level

    CfnResource(log_level="DEBUG")

    assert before == logging.getLogger().level
