"""What Lambda hands over: requests of CloudFormation, their envelopes, and the context."""

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._clock import SYSTEM_CLOCK
from .._cloudformation.request import Json
from .signing import key_of, sign

REGION, ACCOUNT = "us-east-1", "123456789012"
SERVICE_TOKEN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:provider"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:provider"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/stack/{uuid.UUID(int=1)}"
RESOURCE_TYPE = "Custom::Resource"

Event = Mapping[str, Any]
Envelope = Callable[[Event], Event]


def create_event(
    logical_id: str = "Resource",
    properties: Mapping[str, Json] | None = None,
    *,
    resource_type: str = RESOURCE_TYPE,
    **options: Any,
) -> dict[str, Any]:
    """Return a Create as Lambda hands it over.

    Args:
        logical_id: The resource's name in the template.
        properties: As in a template; scalars are sent as text, as CloudFormation does.
        resource_type: The type in the template.
        options: `stack_id`, `request_id`, `service_token`, and `response_url` or the moment
            `now` at which the URL is signed: this one, unless given.
    """
    return request_event("Create", logical_id, resource_type, _sent(properties), **options)


def update_event(
    logical_id: str = "Resource",
    properties: Mapping[str, Json] | None = None,
    old_properties: Mapping[str, Json] | None = None,
    *,
    physical_resource_id: str,
    resource_type: str = RESOURCE_TYPE,
    **options: Any,
) -> dict[str, Any]:
    """Return an Update as Lambda hands it over; `options` as for `create_event`."""
    return request_event(
        "Update",
        logical_id,
        resource_type,
        _sent(properties),
        old=_sent(old_properties),
        physical_resource_id=physical_resource_id,
        **options,
    )


def delete_event(
    logical_id: str = "Resource",
    properties: Mapping[str, Json] | None = None,
    *,
    physical_resource_id: str,
    resource_type: str = RESOURCE_TYPE,
    **options: Any,
) -> dict[str, Any]:
    """Return a Delete as Lambda hands it over; `options` as for `create_event`."""
    return request_event(
        "Delete",
        logical_id,
        resource_type,
        _sent(properties),
        physical_resource_id=physical_resource_id,
        **options,
    )


def as_it_is(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what Lambda hands over where a request comes without an envelope."""
    return request


def sns_event(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Lambda hands over where a request came through an SNS topic."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"{TOPIC}:{uuid.UUID(int=2)}",
                "Sns": _notification(request),
            }
        ]
    }


def sqs_event(*requests: Mapping[str, Any], raw: bool = False) -> dict[str, Any]:
    """Return a batch of SQS messages with a request each.

    Args:
        requests: As `create_event` and its like make them.
        raw: The topic's subscription delivers raw messages, without SNS's own wrapping.
    """
    return {
        "Records": [
            {
                "messageId": str(uuid.UUID(int=number)),
                "receiptHandle": "EXAMPLE",
                "body": json.dumps(request if raw else _notification(request)),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:provider",
                "awsRegion": REGION,
            }
            for number, request in enumerate(requests, 1)
        ]
    }


def on_failure_event(
    request: Mapping[str, Any], condition: str = "RetriesExhausted"
) -> dict[str, Any]:
    """Return what an on-failure destination, such as the guardian, is handed.

    Args:
        request: What the function was handed that failed.
        condition: `RetriesExhausted` or `EventAgeExceeded`.
    """
    return {
        "version": "1.0",
        "timestamp": "2027-01-15T08:03:00.000Z",
        "requestContext": {
            "requestId": request["RequestId"],
            "functionArn": f"{SERVICE_TOKEN}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": 3,
        },
        "requestPayload": dict(request),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": {"errorMessage": "Error: Task timed out after 120.00 seconds"},
    }


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who called through Amazon Cognito: nobody."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


@dataclass(kw_only=True)
class LambdaContext:
    """The second argument of a handler, with all that awslambdaric's own has.

    Args:
        timeout: Seconds that the function has left when it begins.
        now: Reads the clock; `VirtualClock().now` stops it.
    """

    timeout: float = 120.0
    now: Callable[[], float] = field(default=SYSTEM_CLOCK.now, repr=False)
    aws_request_id: str = str(uuid.UUID(int=3))
    function_name: str = "provider"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "256"
    log_group_name: str = "/aws/lambda/provider"
    log_stream_name: str = "2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef"
    invoked_function_arn: str = SERVICE_TOKEN
    client_context: Any = None
    identity: Any = _Identity()
    tenant_id: str | None = None

    def __post_init__(self) -> None:
        self._epoch_deadline_time_in_ms = int((self.now() + self.timeout) * 1000)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the function; never negative."""
        return max(0, self._epoch_deadline_time_in_ms - int(self.now() * 1000))

    def w3c(self) -> dict[str, str]:
        """Return the trace that the caller named: none."""
        return {}

    def log(self, msg: object) -> None:
        """Print a line, as Lambda's own does."""
        sys.stdout.write(str(msg))


def as_sent(value: Json) -> Json:
    """Return a template's value as CloudFormation sends it: every scalar as text.

    Raises:
        AssertionError: It is one that CloudFormation refuses.
    """
    if isinstance(value, Mapping):
        return {name: as_sent(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_sent(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    assert value is not None, "Template format error: 'null' values are not allowed in templates"
    return str(value)


def _sent(properties: Mapping[str, Json] | None) -> dict[str, Json]:
    return {name: as_sent(one) for name, one in (properties or {}).items()}


def request_event(
    request_type: str,
    logical_id: str,
    resource_type: str,
    properties: Mapping[str, Json],
    *,
    stack_id: str = STACK_ID,
    request_id: str | None = None,
    service_token: str = SERVICE_TOKEN,
    response_url: str | None = None,
    now: float | None = None,
    physical_resource_id: str | None = None,
    old: Mapping[str, Json] | None = None,
) -> dict[str, Any]:
    """Return a request, its fields in the order of the recorded ones."""
    event: dict[str, Any] = {"RequestType": request_type, "ServiceToken": service_token}
    if "ServiceTimeout" in properties:
        event["ServiceTimeout"] = properties["ServiceTimeout"]
    event |= {
        "ResponseURL": response_url,
        "StackId": stack_id,
        "RequestId": request_id or SYSTEM_CLOCK.nonce(),
        "LogicalResourceId": logical_id,
    }
    if request_id is None:
        event["RequestId"] = str(uuid.UUID(event["RequestId"]))
    if request_type != "Create":
        event["PhysicalResourceId"] = physical_resource_id
    event["ResourceType"] = resource_type
    event["ResourceProperties"] = {**properties, "ServiceToken": service_token}
    if old is not None:
        event["OldResourceProperties"] = {**old, "ServiceToken": service_token}
    if response_url is None:
        signed_at = SYSTEM_CLOCK.now() if now is None else now
        event["ResponseURL"] = sign(key_of(event), signed_at)
    return event


def _notification(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return SNS's own wrapping of a request."""
    return {
        "Type": "Notification",
        "MessageId": request["RequestId"],
        "TopicArn": TOPIC,
        "Subject": "AWS CloudFormation custom resource request",
        "Message": json.dumps(request),
        "Timestamp": "2027-01-15T08:00:00.123Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertUrl": "EXAMPLE",
        "UnsubscribeUrl": "EXAMPLE",
        "MessageAttributes": {},
    }
