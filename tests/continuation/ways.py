"""The three ways back, and the event that goes there."""

import json
import time
import traceback

import pytest
from botocore.retries.standard import register_retry_handler

from cfn_once._lambda.continuation_services import open_continuation
from support.host import Status
from support.requests_of_cloudformation import (
    CREDENTIAL,
    HOST,
    PASSWORD,
    SIGNATURE,
    recorded,
    target,
)

NOW = time.time()
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:provider:live"
ROLE = "arn:aws:iam::123456789012:role/ways/back+forth"
SECRETS = (SIGNATURE, CREDENTIAL, "%7CGroup%7C", PASSWORD)
QUEUE = "sqs.us-east-1.amazonaws.com/123456789012/waits"
URLS = {
    "scheduler": f"scheduler://waits?role={ROLE}",
    "sqs": f"sqs://{QUEUE}?region=us-east-1",
    "lambda": "lambda://self?",
}


def event(**properties):
    made = recorded("create")
    made["ResponseURL"] = HOST + target(made, NOW)
    made["ResourceProperties"] = {"Password": PASSWORD, **properties}
    return {**made, "CfnOnceDue": NOW + 300}


def way(kind, host):
    """Open a way to a host in the place of AWS; botocore repeats what fails without pausing."""
    way = open_continuation(f"{URLS[kind]}&endpoint=http://{host.name}".replace("?&", "?"))
    client = way._client
    tries = client.meta.config.retries["total_max_attempts"]
    handler = register_retry_handler(client, tries)

    def at_once(**asked):
        return None if handler.needs_retry(**asked) is None else 0

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"needs-retry.{service}", at_once)
    return way


def send(continuation, event, after=300.0):
    continuation.send(event, NOW + after, now=NOW, function=FUNCTION)


def fail(kind, host, event):
    """Send where it cannot go, and return what is raised, which tells no secret."""
    with pytest.raises(Exception, match="brought back through") as raised:
        send(way(kind, host), event)
    told = "".join(traceback.format_exception(raised.value))

    assert (None, None) == (raised.value.__cause__, raised.value.__context__)
    assert not [secret for secret in SECRETS if secret in told]
    return raised.value


def error(status, code, message):
    """Answer as the three services do where they refuse."""
    body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    return Status(status, headers={"x-amzn-errortype": code}, body=body)
