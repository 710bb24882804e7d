"""Requests as CloudFormation sends them: recorded shapes, addressed to where a test listens."""

import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cfn_once.testing import create_event, delete_event, update_event
from support.response_host import ResponseHost

EVENTS = Path(__file__).resolve().parents[1] / "events"
HOST = "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com"
SIGNATURE = "5196a7e5bd5b3aa56e5d3d0e1e7f5d0c"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE"
PASSWORD = "correct horse battery staple"
MAKE = {"Create": create_event, "Update": update_event, "Delete": delete_event}


@contextmanager
def nothing_logged_of(secrets: Collection[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Assert that no logger says anything of these, in a message or in its arguments."""
    for logger in (None, "botocore", "urllib3"):  # moto silences botocore in the whole process
        caplog.set_level(logging.DEBUG, logger)
    yield
    form = logging.Formatter("%(name)s %(message)s").format
    lines = [form(record) + repr(record.args) for record in caplog.get_records("call")]

    assert not [line for line in lines for secret in secrets if secret in line]


def recorded(name: str) -> Any:
    """Return one of the recorded shapes of tests/events."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def target(event: Any, now: float) -> str:
    """Return the path and query of a pre-signed URL, as CloudFormation makes it."""
    key = f"{event['StackId']}|{event['LogicalResourceId']}|{event['RequestId']}"
    signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return (
        f"/{key.replace(':', '%3A').replace('|', '%7C')}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Date={signed}&X-Amz-SignedHeaders=host&X-Amz-Expires=7200"
        f"&X-Amz-Credential={CREDENTIAL}%2Fs3%2Faws4_request&X-Amz-Signature={SIGNATURE}"
    )


class Requests:
    """The requests of one resource, whose answers come to a host.

    Args:
        host: Takes the answers; by its clock each URL is signed, a second or more after the last.
        resource_type: The type in the template.
        stack: The end of the stack's ARN.
    """

    def __init__(self, host: ResponseHost, resource_type: str, *, stack: str = "") -> None:
        self._host, self._type, self._signed = host, resource_type, 0
        self._stack_id = (
            f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack or f'shop/{uuid4()}'}"
        )

    def create(self, **properties: str) -> dict[str, Any]:
        """Return a Create."""
        return self.request("Create", properties)

    def delete_after(self, create: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Delete that follows a Create: with the answered id, or one made up."""
        answered = [answer.get("PhysicalResourceId") for answer in self._host.answers_to(create)]
        # Source: CloudFormation makes up <stack>-<logical id>-<random> when it was told of none.
        known = next((told for told in answered if told), "shop-Group-1A2B3C4D5E6F7")
        properties = dict(create["ResourceProperties"])
        del properties["ServiceToken"]
        return self.request("Delete", properties, physical_resource_id=known)

    def request(
        self,
        request_type: str,
        properties: Mapping[str, Any],
        *,
        signed_at: float | None = None,
        request_id: str = "",
        **parts: Any,
    ) -> dict[str, Any]:
        """Return a request; `parts` as the kit's factory of its type takes them."""
        request_id = request_id or str(uuid4())
        now = self._host.now() if signed_at is None else signed_at
        self._signed = max(self._signed + 1, int(now))  # its date has whole seconds
        return MAKE[request_type](
            "Group",
            properties,
            resource_type=self._type,
            stack_id=self._stack_id,
            request_id=request_id,
            response_url=self._host.sign(f"{self._stack_id}|Group|{request_id}", self._signed),
            **parts,
        )
