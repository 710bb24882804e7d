"""Events and contexts that tests make: of the shape that was recorded."""

import time
from functools import partial

import pytest
from awslambdaric.lambda_context import LambdaContext as AwsContext

from cfn_once import Request
from cfn_once.testing import (
    FakeCloudFormation,
    LambdaContext,
    VirtualClock,
    create_event,
    delete_event,
    on_failure_event,
    sns_event,
    sqs_event,
    update_event,
)
from support.requests_of_cloudformation import recorded

ONE = {"Name": "a", "Size": 1, "ServiceTimeout": 600}


def shape(event):
    """The names of an event's fields in their order, and the kinds of what they hold."""
    if isinstance(event, dict):
        return {
            name: {} if name in ("ResourceProperties", "OldResourceProperties") else shape(pair)
            for name, pair in event.items()
        }
    if isinstance(event, list):
        return [shape(event[0])]
    return type(event).__name__


CASES = {
    "create": create_event("Group", ONE),
    "update": update_event("Group", ONE, ONE, physical_resource_id="g-1"),
    "delete": delete_event("Group", ONE, physical_resource_id="g-1"),
    "sns_create": sns_event(create_event("Group", ONE)),
    "sqs_from_sns_create": sqs_event(create_event("Group", ONE)),
    "async_destination_failure": on_failure_event(create_event("Group", ONE)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_shape_of_what_was_recorded(name):
    """
    An event has the fields of the recorded one, in its order, each of its kind.
    """
    expected, made = shape(recorded(name)), shape(CASES[name])

    assert expected == made
    assert list(expected) == list(made)


def test_it_can_be_read():
    """
    Each is a request of CloudFormation, with text for scalars, and its URL tells when it was made.
    """
    request = Request.from_event(create_event("Group", ONE, now=1_800_000_000))

    assert {"Name": "a", "Size": "1"} == request.properties
    assert (600, 1_800_000_000) == (request.service_timeout, request.issued_at)


@pytest.mark.parametrize("envelope", [sns_event, sqs_event, partial(sqs_event, raw=True)])
def test_a_life_in_envelopes(provider, external_api, envelope):
    """
    A provider takes requests in every envelope; what it cannot handle comes again, from the queue
    too.
    """
    stack = FakeCloudFormation(provider, envelope=envelope)
    stack.create("Group", {"Product": "a"}, lost_answers=1)
    stack.delete("Group")

    assert ["g-1"] == external_api.created
    assert 1 == stack.story.count("it failed")
    assert {} == external_api.objects


def test_two_events_of_a_factory_are_two():
    """
    Each has a RequestId of its own unless one is given.
    """
    given = create_event(request_id="r", stack_id="s", service_token="t", response_url="u")

    assert create_event()["RequestId"] != create_event()["RequestId"]
    assert ("r", "s", "t", "u") == tuple(
        given[name] for name in ("RequestId", "StackId", "ServiceToken", "ResponseURL")
    )


def test_the_context_of_lambda():
    """
    It has every attribute that Lambda's own has, and counts down.
    """
    clock = VirtualClock()
    theirs = AwsContext("id", None, None, int((time.time() + 60) * 1000))
    ours = LambdaContext(timeout=60, now=clock.now)
    before = ours.get_remaining_time_in_millis()
    clock.advance(59)
    later = ours.get_remaining_time_in_millis()
    clock.advance(59)
    public = {name for name in dir(theirs) if not name.startswith("__")}

    assert (60_000, 1_000, 0) == (before, later, ours.get_remaining_time_in_millis())
    assert set() == {name for name in public if not hasattr(ours, name)} - {
        "_extract_and_strip_w3c",
        "_w3c_fields",
    }
    assert {} == ours.w3c()
    assert None is ours.identity.cognito_identity_id


def test_a_line_of_the_context(capsys):
    """
    Its log is Lambda's.
    """
    LambdaContext().log("hello")

    assert "hello" == capsys.readouterr().out
