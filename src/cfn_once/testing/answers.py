"""Answers, as CloudFormation reads, judges and words them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._cloudformation.canonical import Json
from .._cloudformation.response import LIMIT, LONGEST_ID

ECHOED = ("RequestId", "StackId", "LogicalResourceId")
CANCELLED = "Resource creation cancelled"
TOKEN_IS_FIXED = "Modifying service token is not allowed."  # noqa: S105 - a message
NOT_DELETED = "Update successful. One or more resources could not be deleted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What CloudFormation received: without a body, where it gave up waiting, or never asked."""

    status: str
    reason: str
    physical_resource_id: str
    data: Mapping[str, Json] = field(default_factory=dict)
    no_echo: bool = False
    body: bytes = field(default=b"", repr=False)

    @property
    def succeeded(self) -> bool:
        """Tell whether it was SUCCESS."""
        return self.status == "SUCCESS"


def read(body: bytes) -> Answer:
    """Return the answer that a body spells."""
    answer = json.loads(body)
    return Answer(
        status=answer["Status"],
        reason=answer.get("Reason", ""),
        physical_resource_id=answer["PhysicalResourceId"],
        data=answer.get("Data", {}),
        no_echo=answer.get("NoEcho", False),
        body=body,
    )


def refused(reason: str, physical_resource_id: str) -> Answer:
    """Return what CloudFormation takes for the answer where the provider gave none."""
    return Answer(status="FAILED", reason=reason, physical_resource_id=physical_resource_id)


def judge(event: Mapping[str, Any], body: bytes) -> None:
    """Refuse what CloudFormation refuses in an answer, and what it would act upon wrongly."""
    try:
        answer = json.loads(body)
    except ValueError:
        raise AssertionError("Invalid Response object: it is no JSON") from None
    assert isinstance(answer, dict), "Invalid Response object: it is no map"
    assert len(body) <= LIMIT, "Response object is too long."
    status = answer.get("Status")
    assert status in ("SUCCESS", "FAILED"), (
        f"Invalid Response object: '{status}' is not a valid ResponseStatus"
    )
    physical_id = answer.get("PhysicalResourceId")
    assert isinstance(physical_id, str), "Invalid PhysicalResourceId"
    assert physical_id, "Invalid PhysicalResourceId"
    assert len(physical_id.encode()) <= LONGEST_ID, f"a PhysicalResourceId over {LONGEST_ID} bytes"
    assert status == "SUCCESS" or answer.get("Reason"), "a FAILED answer needs a Reason"
    assert isinstance(answer.get("Data", {}), dict), "Invalid Response object: Data is no map"
    assert isinstance(answer.get("NoEcho", False), bool), (
        "Invalid Response object: NoEcho is neither true nor false"
    )
    differing = [name for name in ECHOED if answer.get(name) != event[name]]
    assert not differing, f"{', '.join(differing)} must be echoed as sent"
    moved = physical_id != event.get("PhysicalResourceId")
    assert not (moved and event["RequestType"] == "Delete"), "a Delete must echo the id"
    assert not (moved and event["RequestType"] == "Update" and status == "FAILED"), (
        "a failed Update must echo the id: CloudFormation would delete the other one later"
    )


def received(answer: Answer, event: Mapping[str, Any]) -> str:
    """Return the status reason of an answer, as stack events show it."""
    if answer.succeeded or not answer.body:
        return answer.reason
    return (
        f"Received response status [FAILED] from custom resource. Message returned: {answer.reason}"
        f" (RequestId: {event['RequestId']})"
    )


def not_received(event: Mapping[str, Any]) -> str:
    """Return the status reason of a request that was not answered in time."""
    return (
        "CloudFormation did not receive a response from your Custom Resource. Please check your"
        f" logs for requestId [{event['RequestId']}]."
    )


def lacks(attribute: str, key: str) -> str:
    """Return the error of a Fn::GetAtt whose name is not in the last answer."""
    return (
        f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in"
        f" object {key}"
    )
