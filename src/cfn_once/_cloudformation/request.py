"""A request of CloudFormation: the only place that spells an incoming event."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

from .._errors import InvalidRequest
from .._frozen import Frozen
from .canonical import Json, fingerprint, is_deeper, is_utf8, kind_of
from .endpoints import suffix_of
from .envelopes import DUE
from .identity import (
    OTHER_PLACEHOLDERS,
    PLACEHOLDERS,
    base32,
    default_physical_id,
    is_invented,
    operation_digest,
    operation_name,
    resource_digest,
)

SERVICE_TIMEOUT = 3600  # seconds; Template Reference, "AWS::CloudFormation::CustomResource"
LONGEST_TIME = 12  # digits; 30,000 years
MOST_LEVELS = 100  # of lists and maps in properties; Python's own readers fail at about ten times
SIGV2_LIFE = 7200  # seconds that CloudFormation's pre-signed URLs live, in every recording
NEEDED = ("RequestId", "StackId", "LogicalResourceId", "ResourceType", "ResponseURL")
ENVELOPE = ("ServiceToken", "ServiceTimeout")  # CloudFormation's own names among the properties
NOT_SHOWN = ("ResponseURL", DUE)  # to a hook: a secret, and what cfn-once itself has added
NO_URL = "https://cfn-once.invalid/"  # no host ever has this name: RFC 6761, 6.4


class RequestType(StrEnum):
    """What CloudFormation wants done."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


_CREATE = RequestType.CREATE


class Placeholder(NamedTuple):
    """What one of our own ids stands for.

    Attributes:
        kind: `none` or `never`.
        operation: The name of the Create that it was answered to.
    """

    kind: str
    operation: str


class Request(Frozen):
    """One Create, Update or Delete of one custom resource.

    Attributes:
        type: What is to be done.
        request_id: The same in every copy of the request, and again where a deployment is retried.
        stack_id: The stack's ARN.
        logical_resource_id: The resource's name in the template.
        physical_resource_id: The id that CloudFormation holds, or one that it invented; None in a
            Create.
        resource_type: `Custom::Name` or `AWS::CloudFormation::CustomResource`.
        properties: As sent, every scalar as text, without ServiceToken and ServiceTimeout.
        old_properties: The same for the properties before an Update.
        response_url: Where the answer goes; a bearer secret for two hours: never logged or kept.
        issued_at: Seconds since 1970 by the ResponseURL's own date; None where it bears none.
        service_timeout: Seconds that CloudFormation waits for the answer, 1 to 3600.
        sent: The event, without its ResponseURL.
    """

    type: RequestType
    request_id: str
    stack_id: str
    logical_resource_id: str
    resource_type: str
    response_url: str = field(repr=False)
    physical_resource_id: str | None = None
    properties: Mapping[str, Json] = field(default_factory=dict, repr=False)
    old_properties: Mapping[str, Json] = field(default_factory=dict, repr=False)
    issued_at: int | None = None
    service_timeout: int = SERVICE_TIMEOUT
    sent: Mapping[str, Json] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Read the request that CloudFormation sent.

        Raises:
            InvalidRequest: A field is missing or of another kind; the text names each.
        """
        problems = list(_problems(event))
        if problems:
            raise InvalidRequest("not a custom resource request: " + "; ".join(problems))
        properties = event.get("ResourceProperties", {})
        kind = RequestType(event["RequestType"])
        timeout = event.get("ServiceTimeout", properties.get("ServiceTimeout"))
        return cls(
            type=kind,
            request_id=event["RequestId"],
            stack_id=event["StackId"],
            logical_resource_id=event["LogicalResourceId"],
            resource_type=event["ResourceType"],
            response_url=event["ResponseURL"],
            # What an emulator puts into a Create stands for nothing.
            physical_resource_id=None if kind is _CREATE else event.get("PhysicalResourceId"),
            properties=_without_envelope(properties),
            old_properties=_without_envelope(event.get("OldResourceProperties", {})),
            issued_at=issue_time(event["ResponseURL"]),
            service_timeout=_seconds(timeout),
            sent={name: value for name, value in event.items() if name not in NOT_SHOWN},
        )

    @classmethod
    def addressee_of(cls, event: Any) -> Self | None:
        """Return enough of a request that cannot be read to answer it, if that is there."""
        names = ("RequestId", "StackId", "LogicalResourceId", "ResponseURL")
        if not isinstance(event, dict) or not all(_is_text(event.get(name)) for name in names):
            return None
        physical_id = event.get("PhysicalResourceId")
        physical_id = physical_id if _is_text(physical_id) else None
        kinds = [kind for kind in RequestType if event.get("RequestType") == kind]
        kind = kinds[0] if kinds else _CREATE
        resource_type = event.get("ResourceType")
        return cls(
            type=kind,
            request_id=event["RequestId"],
            stack_id=event["StackId"],
            logical_resource_id=event["LogicalResourceId"],
            resource_type=str(resource_type) if _is_text(resource_type) else "of no type",
            response_url=event["ResponseURL"],
            physical_resource_id=None if kinds == [_CREATE] else physical_id,
            issued_at=issue_time(event["ResponseURL"]),
        )

    def __str__(self) -> str:
        return f"{self.type} of {self.logical_resource_id} ({self.resource_type}) {self.request_id}"

    @property
    def event(self) -> dict[str, Json]:
        """The event as CloudFormation sent it, each scalar as text: a copy that you may change.

        Its ResponseURL is another one, which leads nowhere: cfn-once responds.
        """
        event: dict[str, Json] = {
            **self.sent,
            "RequestType": self.type.value,
            "RequestId": self.request_id,
            "StackId": self.stack_id,
            "LogicalResourceId": self.logical_resource_id,
            "ResourceType": self.resource_type,
            "ResponseURL": NO_URL,
            "PhysicalResourceId": self.physical_resource_id,
        }
        event["ResourceProperties"] = self._in_envelope("ResourceProperties", self.properties)
        old = self._in_envelope("OldResourceProperties", self.old_properties)
        event["OldResourceProperties"] = old
        if self.type is not RequestType.UPDATE:
            del event["OldResourceProperties"]
        if self.physical_resource_id is None:
            del event["PhysicalResourceId"]
        return copy.deepcopy(event)

    def _in_envelope(self, name: str, properties: Mapping[str, Json]) -> dict[str, Json]:
        sent = self.sent.get(name) or self.sent.get("ResourceProperties", {})
        return {**{own: sent[own] for own in ENVELOPE if own in sent}, **properties}

    @cached_property
    def _resource(self) -> bytes:
        return resource_digest(self.stack_id, self.logical_resource_id)

    @cached_property
    def correlation_id(self) -> str:
        """The resource's name for its whole life: 26 characters of lower-case base32."""
        return base32(self._resource, 26)

    @cached_property
    def operation(self) -> bytes:
        """The digest that names this request; equal in every copy of it."""
        return operation_digest(self._resource, self.request_id)

    @property
    def bearer_secrets(self) -> set[str]:
        """What lets anybody who has it respond in our place: the URL, and what signs it."""
        signs = r"[?&](?:X-Amz-Signature|X-Amz-Security-Token|Signature)=([^&]+)"
        return {self.response_url, *map(unquote, re.findall(signs, self.response_url))}

    @property
    def stack_name(self) -> str:
        """The stack's name, which CloudFormation sends in the StackId alone."""
        return self.stack_id.split("/")[1]

    @property
    def region(self) -> str:
        """The stack's Region; empty where the StackId is no ARN, in a refused request."""
        return self.stack_id.split(":")[3] if _is_stack_arn(self.stack_id) else ""

    @property
    def account(self) -> str:
        """The stack's account; empty where the StackId is no ARN, in a refused request."""
        return self.stack_id.split(":")[4] if _is_stack_arn(self.stack_id) else ""

    @property
    def partition(self) -> str:
        """The stack's partition, for ARNs: `AWS::Partition` of its template; empty as above."""
        return self.stack_id.split(":")[1] if _is_stack_arn(self.stack_id) else ""

    @property
    def url_suffix(self) -> str:
        """What names of AWS's hosts end in there: `AWS::URLSuffix` of its template."""
        return suffix_of(self.partition)

    @property
    def default_physical_id(self) -> str:
        """The id of what this request makes, where its hook sets none."""
        return default_physical_id(self.stack_name, self.logical_resource_id, self.operation)

    @cached_property
    def operation_name(self) -> str:
        """What ids bear of this request: 12 characters."""
        return operation_name(self.operation)

    def operation_name_of(self, request_id: str) -> str:
        """Return the name of another request of the same resource."""
        return operation_name(operation_digest(self._resource, request_id))

    def placeholder_id(self, kind: str) -> str:
        """Return an id that stands for what this Create did not make.

        Args:
            kind: `none`, where nothing was made under an id; `never`, where the ledger was out of
                reach.
        """
        issued = self.issued_at or 0
        return f"{PLACEHOLDERS[kind]}{self.correlation_id}.{self.operation_name}.{issued}"

    @property
    def placeholder(self) -> Placeholder | None:
        """What the id stands for, where it is one of our own placeholders; else None."""
        for kind, prefix in PLACEHOLDERS.items():
            start = f"{prefix}{self.correlation_id}."
            if (self.physical_resource_id or "").startswith(start):
                operation = str(self.physical_resource_id)[len(start) :].partition(".")[0]
                return Placeholder(kind, operation)
        return None

    @property
    def is_of_never(self) -> bool:
        """Tell whether it is the Delete of a Create that was answered without the ledger."""
        placeholder = self.placeholder
        deletes = self.type is RequestType.DELETE
        return deletes and placeholder is not None and placeholder.kind == "never"

    @property
    def carries_invented_id(self) -> bool:
        """Tell whether CloudFormation made the id up, for a Create that nobody answered."""
        physical_id = self.physical_resource_id or ""
        return is_invented(physical_id, self.stack_name, self.logical_resource_id)

    @property
    def carries_other_placeholder(self) -> bool:
        """Tell whether another library answered the id, for a Create that made nothing."""
        return self.physical_resource_id in OTHER_PLACEHOLDERS

    @property
    def carries_an_object(self) -> bool:
        """Tell whether the id is of an object, for all that it tells by itself."""
        stands_for_none = self.carries_invented_id or self.carries_other_placeholder
        return self.placeholder is None and not stands_for_none

    @cached_property
    def properties_fingerprint(self) -> str:
        """16 hex digits that differ where the properties differ."""
        return fingerprint(dict(self.properties))

    @cached_property
    def old_properties_fingerprint(self) -> str:
        """The same over the properties before an Update."""
        return fingerprint(dict(self.old_properties))


def issue_time(response_url: str) -> int | None:
    """Return when CloudFormation signed the URL, in seconds since 1970.

    Signature version 4 carries the time itself, version 2 the moment of expiry.
    """
    if found := re.search(r"[?&]X-Amz-Date=(\d{8})T(\d{6})Z(?:&|$)", response_url, re.ASCII):
        return _seconds_since_1970(*found.groups())
    if found := re.search(rf"[?&]Expires=(\d{{1,{LONGEST_TIME}}})", response_url, re.ASCII):
        return int(found[1]) - SIGV2_LIFE
    return None


def _seconds_since_1970(date: str, time: str) -> int | None:
    """Read ISO 8601's basic form in UTC: YYYYMMDD and HHMMSS; None where there is no such time."""
    from datetime import UTC, datetime  # not before the first event

    numbers = (date[:4], date[4:6], date[6:], time[:2], time[2:4], time[4:])
    year, month, day, hour, minute, second = map(int, numbers)
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _without_envelope(properties: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in properties.items() if name not in ENVELOPE}


def _seconds(timeout: Json) -> int:
    try:
        return min(max(int(timeout), 1), SERVICE_TIMEOUT)
    except (TypeError, ValueError, OverflowError):
        return SERVICE_TIMEOUT  # a wrong one is CloudFormation's to refuse


def _problems(event: Any) -> Iterator[str]:
    if not isinstance(event, dict):
        yield f"it is {kind_of(event)}, not a map; was the function invoked by hand?"
        return
    if not set(event) & {*NEEDED, "RequestType"}:
        yield "it has none of a request's fields; who invoked the function, if not CloudFormation?"
        return
    kinds = tuple(RequestType)
    if event.get("RequestType") not in kinds:
        yield f"RequestType must be one of {', '.join(kinds)}"
    yield from _text_problems(event)
    stack_id = event.get("StackId")
    if _is_text(stack_id) and not _is_stack_arn(str(stack_id)):
        yield "StackId must be the ARN of a stack"
    for name in ("ResourceProperties", "OldResourceProperties"):
        if not isinstance(event.get(name, {}), dict):
            yield f"{name} must be a map, not {kind_of(event[name])}"
        elif is_deeper(event.get(name, {}), MOST_LEVELS):
            yield f"{name} is nested more than {MOST_LEVELS} levels deep"


def _text_problems(event: Mapping[str, Json]) -> Iterator[str]:
    needed = list(NEEDED)
    if event.get("RequestType") in (RequestType.UPDATE, RequestType.DELETE):
        needed.append("PhysicalResourceId")
    for name in needed:
        if name not in event:
            yield f"{name} is missing"
        elif not _is_text(event[name]):
            yield f"{name} must be text, not {_kind_of_text(event[name])}"


def _is_text(value: Any) -> bool:
    """Tell whether a value names something, in text that UTF-8 can hold."""
    return isinstance(value, str) and value != "" and is_utf8(value)


def _kind_of_text(value: Json) -> str:
    return "half a character" if value and isinstance(value, str) else kind_of(value)


def _is_stack_arn(text: str) -> bool:
    parts = text.split(":")
    return len(parts) >= 6 and parts[0] == "arn" and parts[5].count("/") >= 1
