"""One request out of every envelope, and what is said of an event that is none."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn_once import InvalidRequest, Request, RequestType
from cfn_once._cloudformation.envelopes import open_envelopes
from cfn_once._cloudformation.request import issue_time
from support.requests_of_cloudformation import HOST, recorded


def opened(event):
    [envelope] = open_envelopes(event)

    assert "" == envelope.problem
    return envelope.message_id, Request.from_event(envelope.event)


def over_sqs(*bodies):
    records = [
        {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


CREATE = Request.from_event(recorded("create"))


@pytest.mark.parametrize(
    ("event", "message_id"),
    [
        (recorded("create"), None),
        (recorded("sns_create"), None),
        (recorded("sqs_from_sns_create"), "19dd0b57-b21e-4ac1-bd88-01bbb068cb78"),
        (over_sqs(json.dumps(recorded("create"))), "message-0"),
    ],
    ids=["lambda", "sns", "sns over sqs", "raw sqs"],
)
def test_envelopes(event, message_id):
    """
    The same request comes out of each; a message of SQS has an id by which it is told from others.
    """
    assert (message_id, CREATE) == opened(event)


def test_a_create():
    """
    Every field of the recorded shape is there, typed; ServiceToken and ServiceTimeout are
    CloudFormation's own and no properties.
    """
    assert RequestType.CREATE is CREATE.type
    assert "1f2e3d4c-0000-4000-8000-000000000001" == CREATE.request_id
    assert ("shop", "eu-central-1", "123456789012") == (
        CREATE.stack_name,
        CREATE.region,
        CREATE.account,
    )
    assert ("Group", "Custom::elastigroup") == (CREATE.logical_resource_id, CREATE.resource_type)
    assert CREATE.physical_resource_id is None
    assert {"group", "autoTag"} == set(CREATE.properties)
    assert {} == CREATE.old_properties
    assert (600, 1719828000) == (CREATE.service_timeout, CREATE.issued_at)


@pytest.mark.parametrize(
    ("arn", "partition", "suffix"),
    [
        ("arn:aws:cloudformation:eu-central-1", "aws", "amazonaws.com"),
        ("arn:aws-cn:cloudformation:cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("arn:aws-us-gov:cloudformation:us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("arn:aws-eusc:cloudformation:eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_partitions(arn, partition, suffix):
    """
    A hook spells ARNs and hosts as its template does with AWS::Partition and AWS::URLSuffix.
    """
    request = dataclasses.replace(CREATE, stack_id=f"{arn}:123456789012:stack/shop/1")

    assert (partition, suffix) == (request.partition, request.url_suffix)


@pytest.mark.parametrize("name", ["update", "delete", "delete_of_cancelled_create"])
def test_updates_and_deletes(name):
    """
    They bring the id that CloudFormation holds or has invented; an Update the old properties too.
    """
    event = recorded(name)
    request = Request.from_event(event)

    assert event["RequestType"] == request.type
    assert event["PhysicalResourceId"] == request.physical_resource_id
    assert ("update" == name) == bool(request.old_properties)
    assert "ServiceToken" not in {*request.properties, *request.old_properties}


def test_it_is_frozen_and_keeps_its_secrets():
    """
    What travels cannot be changed on its way, and printing it tells neither URL nor properties.
    """
    with pytest.raises(dataclasses.FrozenInstanceError):
        CREATE.response_url = "https://elsewhere"

    assert "X-Amz" not in repr(CREATE) + str(CREATE)
    assert "fallbackToOd" not in repr(CREATE) + str(CREATE)


def test_unknown_fields_are_tolerated():
    """
    CloudFormation has added fields before, and has never documented ServiceToken at the top.
    """
    event = {**recorded("create"), "Invented": {"in": 2031}, "Records": "of something else"}

    assert CREATE == opened(event)[1]


@pytest.mark.parametrize(
    ("top", "property_", "seconds"),
    [
        ({}, {}, 3600),
        ({"ServiceTimeout": "30"}, {}, 30),
        ({}, {"ServiceTimeout": "45"}, 45),
        ({"ServiceTimeout": "30"}, {"ServiceTimeout": "45"}, 30),
        ({"ServiceTimeout": 60}, {}, 60),
        ({"ServiceTimeout": "0"}, {}, 1),
        ({"ServiceTimeout": "7200"}, {}, 3600),
        ({"ServiceTimeout": "soon"}, {}, 3600),
        ({"ServiceTimeout": None}, {}, 3600),
        ({"ServiceTimeout": float("inf")}, {}, 3600),
        ({"ServiceTimeout": []}, {}, 3600),
    ],
)
def test_the_service_timeout(top, property_, seconds):
    """
    It comes as text, at the top or among the properties; a wrong one is CloudFormation's affair.
    """
    event = {**recorded("create"), "ResourceProperties": {"Name": "x", **property_}}
    del event["ServiceTimeout"]

    request = Request.from_event({**event, **top})

    assert seconds == request.service_timeout
    assert {"Name": "x"} == request.properties


@pytest.mark.parametrize(
    ("query", "issued"),
    [
        ("X-Amz-Date=20240701T100000Z&X-Amz-Expires=7200", 1719828000),
        ("AWSAccessKeyId=AKIA&Expires=1719835200&Signature=abc", 1719828000),
        ("", None),
        ("token=of-an-emulator", None),
        ("X-Amz-Date=yesterday", None),
        ("X-Amz-Date=20241301T100000Z", None),
        ("Expires=never", None),
        ("Expires=1" + "0" * 4000, 10**11 - 7200),
    ],
    ids=["v4", "v2", "no query", "undated", "no date", "a 13th month", "no number", "far away"],
)
def test_when_it_was_issued(query, issued):
    """
    Signature version 4 dates a URL, version 2 its end two hours later; emulators date none.
    """
    assert issued == issue_time(f"{HOST}/key?{query}")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"RequestType": "Describe"}, "RequestType must be one of Create, Update, Delete"),
        ({"RequestType": None}, "RequestType must be one of Create, Update, Delete"),
        ({"RequestType": ["Create"]}, "RequestType must be one of Create, Update, Delete"),
        ({"RequestId": 7}, "RequestId must be text, not a number"),
        ({"StackId": ""}, "StackId must be text, not empty text"),
        ({"StackId": "my-stack"}, "StackId must be the ARN of a stack"),
        ({"StackId": "arn:aws:sns:eu-central-1:123456789012:topic"}, "StackId must be the ARN"),
        ({"LogicalResourceId": {}}, "LogicalResourceId must be text, not a map"),
        ({"LogicalResourceId": "\ud83d"}, "LogicalResourceId must be text, not half a character"),
        ({"ResourceType": True}, "ResourceType must be text, not a boolean"),
        ({"ResponseURL": None}, "ResponseURL must be text, not null"),
        ({"ResponseURL": ...}, "ResponseURL is missing"),
        ({"RequestType": "Update"}, "PhysicalResourceId is missing"),
        ({"RequestType": "Delete", "PhysicalResourceId": ""}, "PhysicalResourceId must be text"),
        ({"ResourceProperties": "x"}, "ResourceProperties must be a map, not text"),
        ({"ResourceProperties": None}, "ResourceProperties must be a map, not null"),
        ({"OldResourceProperties": []}, "OldResourceProperties must be a map, not a list"),
    ],
)
def test_missing_and_wrong_fields(changes, problem):
    """
    Each is named with what is expected and the kind of what came, never its value.
    """
    event = {**recorded("create"), **changes}
    event = {name: value for name, value in event.items() if value is not ...}

    with pytest.raises(InvalidRequest) as raised:
        Request.from_event(event)

    assert f"not a custom resource request: {problem}" == str(raised.value)[: 31 + len(problem)]


def test_whom_to_answer():
    """
    Of a damaged request that much is kept that an answer needs, and a line that names it.
    """
    event = {**recorded("delete"), "ResourceType": {"a": "map"}, "StackId": "my-stack"}

    addressee = Request.addressee_of(event)

    assert (RequestType.DELETE, event["PhysicalResourceId"]) == (
        addressee.type,
        addressee.physical_resource_id,
    )
    assert f"Delete of Group (of no type) {event['RequestId']}" == str(addressee)
    assert Request.addressee_of({**event, "ResponseURL": None}) is None


def test_every_problem_is_named_at_once():
    """
    Whoever made the event mends it once.
    """
    with pytest.raises(InvalidRequest) as raised:
        Request.from_event({"RequestType": "Update", "StackId": 1, "ResourceProperties": 2})

    told = str(raised.value)
    assert 7 == told.count(";") + 1
    assert "RequestId is missing" in told
    assert "ResourceProperties must be a map, not a number" in told


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (None, "it is null, not a map; was the function invoked by hand?"),
        ("Create", "it is text, not a map"),
        ([], "it is a list, not a map"),
        ({}, "it has none of a request's fields; who invoked the function"),
        ({"source": "aws.events", "detail": {}}, "it has none of a request's fields"),
        ({"Records": []}, "it has none of a request's fields"),
    ],
)
def test_what_is_no_request_at_all(event, problem):
    """
    Another event, or a test invocation by hand, is told from a damaged request.
    """
    [envelope] = open_envelopes(event)

    with pytest.raises(InvalidRequest, match="not a custom resource request") as raised:
        Request.from_event(envelope.event)

    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"eventSource": "aws:s3", "s3": {}}, "a record of neither SNS nor SQS"),
        ("record", "a record that is no map"),
        ({"Sns": {"Message": "{half"}}, "a message that is not JSON"),
        ({"Sns": {}}, "a message that is not JSON"),
        ({"eventSource": "aws:sqs", "body": "hello"}, "a message that is not JSON"),
        ({"eventSource": "aws:sqs"}, "a message that is not JSON"),
        (
            {"eventSource": "aws:sqs", "body": json.dumps({"Type": "Notification"})},
            "a message that is not JSON",
        ),
    ],
)
def test_envelopes_without_a_request(record, problem):
    """
    What lies in none of the known envelopes is no event, and it is said why.
    """
    [envelope] = open_envelopes({"Records": [record]})

    assert envelope.event is None
    assert problem in envelope.problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    name=st.sampled_from(
        ["create", "update", "delete", "sns_create", "sqs_from_sns_create"],
    ),
    field=st.sampled_from([*recorded("update"), "Records"]),
    value=JSON,
)
def test_whatever_comes(name, field, value):
    """
    Every event is a request, or is refused with words; nothing else is raised, and if enough of it
    is there to be answered, it has all that an answer needs.
    """
    event = {**recorded(name), field: value}
    for envelope in open_envelopes(event):
        try:
            Request.from_event(envelope.event)
        except InvalidRequest:
            addressee = Request.addressee_of(envelope.event)
            assert addressee is None or all(
                (
                    addressee.placeholder_id("none"),
                    addressee.stack_id,
                    addressee.request_id,
                    str(addressee),
                )
            )
