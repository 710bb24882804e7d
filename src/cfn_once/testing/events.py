"""What Lambda hands over: requests of CloudFormation, their envelopes, and the context."""

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from .._clock import SYSTEM_CLOCK
from .._cloudformation.canonical import Json
from .signing import key_of, sign

REGION, ACCOUNT = "us-east-1", "123456789012"
SERVICE_TOKEN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:provider"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:provider"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/stack/{uuid.UUID(int=1)}"
RESOURCE_TYPE = "Custom::Resource"
NOBODY = {"cognito_identity_id": None, "cognito_identity_pool_id": None}

Event = Mapping[str, Any]
Wrapping = Callable[[Event], Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whom a request comes from, and where its answer goes: signed now, where no URL is given."""

    stack_id: str = STACK_ID
    request_id: str | None = None
    service_token: str = SERVICE_TOKEN
    response_url: str | None = None
    now: float | None = None


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
    sent = as_sent(properties or {})
    return request_event("Create", logical_id, resource_type, sent, Source(**options))


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
    sent, old, source = as_sent(properties or {}), as_sent(old_properties or {}), Source(**options)
    return request_event(
        "Update", logical_id, resource_type, sent, source, physical_resource_id, old
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
    sent, source = as_sent(properties or {}), Source(**options)
    return request_event("Delete", logical_id, resource_type, sent, source, physical_resource_id)


def request_event(
    request_type: str,
    logical_id: str,
    resource_type: str,
    properties: Mapping[str, Json],
    source: Source,
    physical_resource_id: str = "",
    old: Mapping[str, Json] | None = None,
) -> dict[str, Any]:
    """Return a request, its fields in the order of the recorded ones."""
    token, timeout = source.service_token, properties.get("ServiceTimeout")
    event = {
        "RequestType": request_type,
        "ServiceToken": token,
        "ServiceTimeout": timeout,
        "ResponseURL": source.response_url,
        "StackId": source.stack_id,
        "RequestId": source.request_id or str(uuid.UUID(SYSTEM_CLOCK.nonce())),
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": None if request_type == "Create" else physical_resource_id,
        "ResourceType": resource_type,
        "ResourceProperties": {**properties, "ServiceToken": token},
        "OldResourceProperties": None if old is None else {**old, "ServiceToken": token},
    }
    if source.response_url is None:
        signed_at = SYSTEM_CLOCK.now() if source.now is None else source.now
        event["ResponseURL"] = sign(key_of(event), signed_at)
    return {name: value for name, value in event.items() if value is not None}


def sns_event(request: Event) -> dict[str, Any]:
    """Return what Lambda hands over where a request came through an SNS topic."""
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{TOPIC}:{uuid.UUID(int=2)}",
        "Sns": _notification(request),
    }
    return {"Records": [record]}


def sqs_event(*requests: Event, raw: bool = False) -> dict[str, Any]:
    """Return a batch of SQS messages with a request each; raw ones lack SNS's own wrapping."""
    records = [
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
    return {"Records": records}


def on_failure_event(
    request: Event, condition: str = "RetriesExhausted", *, function_arn: str = SERVICE_TOKEN
) -> dict[str, Any]:
    """Return what an on-failure destination, such as the guardian, is handed of a request.

    The condition is `RetriesExhausted` or `EventAgeExceeded`; the function is the one that failed.
    """
    return {
        "version": "1.0",
        "timestamp": "2027-01-15T08:03:00.000Z",
        "requestContext": {
            "requestId": request["RequestId"],
            "functionArn": f"{function_arn}:$LATEST",
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


@dataclass(kw_only=True)
class LambdaContext:
    """The second argument of a handler, with all that awslambdaric's own has.

    Its `timeout`, in seconds, begins now; `now=VirtualClock().now` stops the clock.
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
    identity: Any = field(default_factory=lambda: SimpleNamespace(**NOBODY))
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


def as_sent(value: Any) -> Any:
    """Return a template's value as CloudFormation sends it: every scalar as text."""
    if isinstance(value, Mapping):
        return {name: as_sent(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_sent(part) for part in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    assert value is not None, "Template format error: 'null' values are not allowed in templates"
    return str(value)


def _notification(request: Event) -> dict[str, Any]:
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
