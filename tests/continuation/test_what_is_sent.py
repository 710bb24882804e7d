"""What each service is asked: one call a wait, with the whole event in it, and no more."""

import json
import math
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from cfn_once._lambda.continuation_services import open_continuation
from continuation.ways import FUNCTION, NOW, QUEUE, ROLE, URLS, error, event, send, way
from support.host import Status

KEY = "arn:aws:kms:us-east-1:123456789012:alias/ours"
TAKEN = Status(200, body=b"{}")


def asked_of_scheduler(host):
    """What each schedule was named, and what it is to do."""
    return [
        (request.target.rpartition("/")[2], json.loads(request.body)) for request in host.received
    ]


def utc(seconds):
    return f"at({datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S})"


def test_a_schedule(start, waiting):
    """
    It fires once, at the time or within the minute after it, invokes the very function, tries for
    the hour that CloudFormation waits, and deletes itself.
    """
    host = start(TAKEN)

    send(way("scheduler", host), waiting)

    ((name, schedule),) = asked_of_scheduler(host)
    target = schedule.pop("Target")
    schedule.pop("ClientToken")  # botocore's, for its own repetitions
    assert waiting == json.loads(target.pop("Input"))
    assert {
        "Arn": FUNCTION,
        "RoleArn": ROLE,
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
    } == target
    assert {
        "GroupName": "waits",
        "ScheduleExpression": utc(math.ceil(NOW + 300)),
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
    } == schedule
    assert name.startswith("cfn-once-")
    assert len(name) <= 64


def test_what_scheduler_cannot_deliver_is_kept(start, waiting):
    """
    An event that Scheduler gives up goes to the queue for dead letters; without one it is lost.
    """
    host = start(TAKEN)
    queue = "arn:aws:sqs:us-east-1:123456789012:unhandled"
    kept = open_continuation(f"{URLS['scheduler']}&dead_letters={queue}&endpoint={host.url}")

    send(kept, waiting)
    send(way("scheduler", host), waiting)

    first, second = (schedule["Target"] for _, schedule in asked_of_scheduler(host))
    assert {"Arn": queue} == first["DeadLetterConfig"]
    assert "DeadLetterConfig" not in second


def test_a_schedule_under_a_key(start, waiting):
    """
    A customer-managed key is handed on with the event.
    """
    host = start(TAKEN)
    url = f"{URLS['scheduler']}&key={KEY}&endpoint=http://{host.name}"

    send(open_continuation(url), waiting)

    ((_, schedule),) = asked_of_scheduler(host)
    assert KEY == schedule["KmsKeyArn"]


def test_copies_that_wait_for_the_same_moment(start, waiting):
    """
    They ask for the same schedule, of which there is one: that it is there already is no failure.
    Another moment, and another request, have their own.
    """
    host = start(TAKEN, error(409, "ConflictException", "is taken"), TAKEN)
    continuation = way("scheduler", host)

    for sent, after in [
        (waiting, 300),
        (waiting, 300),
        (waiting, 301),
        ({**waiting, "RequestId": "another"}, 300),
        ({**waiting, "LogicalResourceId": "Another"}, 300),
        ({**waiting, "StackId": "another"}, 300),
    ]:
        send(continuation, sent, after)

    first, second, *others = [name for name, _ in asked_of_scheduler(host)]
    assert first == second
    assert 4 == len(set(others) - {first})


@pytest.mark.parametrize("after", [-100, 0, 29])
def test_a_time_that_would_be_over(start, waiting, after):
    """
    Scheduler refuses a time in the past, so one is chosen that is still to come when the last of
    the tries arrives; and the name is that time's, which no schedule that has fired bears.
    """
    host = start(TAKEN)

    send(way("scheduler", host), waiting, after)

    ((name, schedule),) = asked_of_scheduler(host)
    assert utc(math.ceil(NOW + 30)) == schedule["ScheduleExpression"]
    assert name.endswith(f"-{int(NOW + 30)}")


def test_a_property_that_scheduler_would_fill_in(start):
    """
    Scheduler replaces <aws.scheduler.execution-id> in what it is given; it finds none.
    """
    host, waiting = start(TAKEN), event(Script="echo <aws.scheduler.execution-id>")

    send(way("scheduler", host), waiting)

    ((_, schedule),) = asked_of_scheduler(host)
    assert "<" not in schedule["Target"]["Input"]
    assert waiting == json.loads(schedule["Target"]["Input"])


@pytest.mark.parametrize(
    ("after", "delay"), [(-5, 0), (0, 0), (0.2, 1), (60, 60), (899.5, 900), (2400, 900)]
)
def test_a_message(start, waiting, after, delay):
    """
    It is delayed to the second, by a quarter of an hour at most: whoever receives it waits again.
    """
    host = start(TAKEN)

    send(way("sqs", host), waiting, after)

    (message,) = [json.loads(request.body) for request in host.received]
    assert waiting == json.loads(message.pop("MessageBody"))
    assert {"QueueUrl": f"http://{QUEUE}", "DelaySeconds": delay} == message


def test_a_message_of_any_characters(start):
    """
    SQS refuses some; in JSON they are spelt in ASCII.
    """
    host, waiting = start(TAKEN), event(Text="\x00 grün \uffff \U0001f600")

    send(way("sqs", host), waiting)

    text = json.loads(host.received[0].body)["MessageBody"]
    assert text.isascii()
    assert waiting == json.loads(text)


def test_an_invocation(start, waiting):
    """
    The function is invoked as it was, alias included, and nobody waits for what it returns.
    """
    host = start(Status(202))

    send(way("lambda", host), waiting)

    (invocation,) = host.received
    assert f"/2015-03-31/functions/{FUNCTION}/invocations" == unquote(invocation.target)
    assert ["Event"] == invocation.headers.get_all("x-amz-invocation-type")
    assert waiting == json.loads(invocation.body)
