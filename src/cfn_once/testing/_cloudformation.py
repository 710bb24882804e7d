"""
CloudFormation and Lambda, as a provider meets them: one stack, its resources, and their events.

    create, update, delete    a whole operation with its clean-up or rollback, every event retried
                              as Lambda retries it
    event, send               one event, as often and as late as a test likes

What CloudFormation refuses in an answer is an AssertionError here, and so is a second answer that
differs from the first.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from .._errors import DeliveryError
from .._provider import Provider
from .._request import Json, Request
from .._response import LIMIT
from ..ledger import MemoryStore, Store
from ._clock import TIMEOUT, VirtualClock
from ._ports import Faults, Ports

log = logging.getLogger("cfn_once.testing")

RETRY_PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
HOST = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What CloudFormation was told.

    Attributes:
        body: The bytes of it.
    """

    status: str
    reason: str
    physical_resource_id: str
    data: Mapping[str, Json]
    no_echo: bool
    body: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Tell whether it was SUCCESS."""
        return self.status == "SUCCESS"


@dataclass(slots=True)
class Held:
    """What CloudFormation holds of one resource."""

    resource_type: str
    physical_resource_id: str
    properties: Mapping[str, Json]
    data: Mapping[str, Json]


class FakeCloudFormation:
    """One stack whose custom resources a provider serves, in process and in virtual time.

    Args:
        provider: As it is deployed; a copy of it is driven, with a ledger and a clock of its own.
        ledger: A store; a fresh one in memory unless given.
        clock: A clock that several stacks may share.
        stack_name: The stack's name.
        timeout: Seconds that Lambda gives the function.

    Attributes:
        clock: Moves when somebody waits; `clock.advance(seconds)` lets time pass.
        resources: What the stack holds, by logical id.
        answers: Every answer, in order, as `(event, Answer)`.
        deliveries: How often the provider was invoked.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        ledger: Store | None = None,
        clock: VirtualClock | None = None,
        stack_name: str = "stack",
        timeout: float = TIMEOUT,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.ledger: Store = ledger or MemoryStore()
        self.stack_id = (
            f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack_name}/"
            f"{UUID(int=int(self.clock.now()))}"
        )
        self.resources: dict[str, Held] = {}
        self.answers: list[tuple[dict[str, Any], Answer]] = []
        self.deliveries = 0
        self._timeout, self._requests, self._lose = timeout, 0, 0
        self._told: dict[str, bytes] = {}
        self._sent: dict[str, dict[str, Any]] = {}
        self._provider = provider

    def create(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        resource_type: str | None = None,
        times: int = 1,
    ) -> Answer:
        """Create a resource; a failed Create is followed by its Delete.

        Args:
            logical_id: The resource's name in the template.
            properties: As in a template; scalars are sent as text, as CloudFormation does.
            resource_type: The type in the template; may be left out of a provider of one type.
            times: How often the event is delivered.
        """
        resource_type = resource_type or self._only_type()
        event = self.event("Create", logical_id, properties, resource_type=resource_type)
        answer = self._operate(event, times)
        held = Held(
            resource_type, answer.physical_resource_id, event["ResourceProperties"], answer.data
        )
        self.resources[logical_id] = held
        if not answer.succeeded:
            self.delete(logical_id)
        return answer

    def update(
        self, logical_id: str, properties: Mapping[str, Json] | None = None, *, times: int = 1
    ) -> Answer:
        """Update a resource, then remove what it replaced; a failed Update is rolled back."""
        held = self.resources[logical_id]
        event = self.event("Update", logical_id, properties)
        answer = self._operate(event, times)
        new = Held(
            held.resource_type,
            answer.physical_resource_id,
            event["ResourceProperties"],
            answer.data,
        )
        if not answer.succeeded:
            self.roll_back(logical_id, to=held, from_=new)
            return answer
        self.resources[logical_id] = new
        if new.physical_resource_id != held.physical_resource_id:
            self._operate(self._delete_event(logical_id, held), times)
        return answer

    def roll_back(self, logical_id: str, *, to: Held, from_: Held) -> Answer:
        """Update a resource back to what it was, then remove what had replaced it."""
        self.resources[logical_id] = from_
        event = self.event("Update", logical_id, to.properties)
        answer = self._operate(event, 1)
        self.resources[logical_id] = Held(
            to.resource_type, answer.physical_resource_id, to.properties, answer.data
        )
        if answer.physical_resource_id != from_.physical_resource_id:
            self._operate(self._delete_event(logical_id, from_), 1)
        return answer

    def delete(self, logical_id: str, *, times: int = 1) -> Answer:
        """Delete a resource; what could not be deleted is still held."""
        answer = self._operate(self.event("Delete", logical_id), times)
        if answer.succeeded:
            del self.resources[logical_id]
        return answer

    def delete_stack(self) -> list[Answer]:
        """Delete every resource that the stack holds, the last one first."""
        return [self.delete(logical_id) for logical_id in reversed(list(self.resources))]

    def event(
        self,
        request_type: str,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        physical_resource_id: str | None = None,
        resource_type: str | None = None,
    ) -> dict[str, Any]:
        """Return a request as CloudFormation would send it now, about what it holds now.

        Args:
            request_type: Create, Update or Delete.
            logical_id: The resource's name in the template.
            properties: As in a template; a Delete sends those that are held.
            physical_resource_id: In place of the id that is held, as CloudFormation invents one.
            resource_type: In place of the type that is held.
        """
        held = self.resources.get(logical_id)
        kept = held.properties if held is not None else {}
        sent = kept if properties is None and held is not None else as_sent(properties or {})
        self._requests += 1
        self.clock.advance(1)  # issue times are whole seconds
        event: dict[str, Any] = {
            "RequestType": request_type,
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
            "StackId": self.stack_id,
            "RequestId": str(UUID(int=self._requests)),
            "LogicalResourceId": logical_id,
            "ResourceType": resource_type or (held.resource_type if held else self._only_type()),
            "ResourceProperties": {**sent, "ServiceToken": "arn:aws:lambda:...:provider"},
        }
        if request_type != "Create":
            held_id = held.physical_resource_id if held is not None else ""
            event["PhysicalResourceId"] = physical_resource_id or held_id
        if request_type == "Update":
            event["OldResourceProperties"] = dict(kept)
        event["ResponseURL"] = self._url(event)
        self._sent[event["ResponseURL"]] = event
        return event

    def asked_again(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same request with a new ResponseURL, as a retried deployment sends it."""
        self.clock.advance(1)
        again = {**event}
        again["ResponseURL"] = self._url(again)
        self._sent[again["ResponseURL"]] = again
        return again

    def send(
        self,
        event: Mapping[str, Any],
        *,
        crash_before: str | None = None,
        crash_after: str | None = None,
        crash_at: int | None = None,
        meanwhile: Mapping[str, Callable[[], object]] | None = None,
        provider: Provider | None = None,
    ) -> Answer | None:
        """Deliver an event once, and return what CloudFormation was told by then.

        Args:
            event: As `event` makes it; the same one again is a duplicate.
            crash_before: A step, or `http.<METHOD>.<host>`, or `<service>.<Operation>`: the
                process dies before that call leaves.
            crash_after: The process dies after that call has had its effect.
            crash_at: The process dies at this point: 2n is before its n-th action, be it on the
                ledger, on the far side or an answer, and 2n+1 after it, n from 0. Where there are
                fewer it lives.
            meanwhile: What happens in the world while a call is made, by its name.
            provider: Another version of the provider, or its guardian, in place of the usual one.

        Raises:
            Crashed: The process died where it was told to.
            CfnOnceError: What the provider raises, so that Lambda comes again.
        """
        self.deliveries += 1
        faults = Faults(crash_before, crash_after, crash_at, meanwhile or {})
        ports = Ports(self.ledger, self._receive, faults)
        end = self.clock.now() + self._timeout
        context = SimpleNamespace(
            function_name="provider",
            aws_request_id=event["RequestId"],
            get_remaining_time_in_millis=lambda: int(1000 * (end - self.clock.now())),
        )
        driven = (provider or self._provider).using(
            ledger=ports, delivery=ports, calls=ports, clock=self.clock
        )
        driven(json.loads(json.dumps(event)), context)
        ports.judge()
        return self.answer_to(event)

    def deliver(self, event: Mapping[str, Any]) -> Answer | None:
        """Deliver as Lambda does: twice more after an error, a minute and two minutes later."""
        for pause in (*RETRY_PAUSES, None):
            try:
                self.send(event)
            except Exception as error:
                log.info("a delivery failed: %s: %s", type(error).__name__, error)
                if pause is None:
                    raise
                self.clock.advance(pause)
            else:
                break
        return self.answer_to(event)

    def answer_to(self, event: Mapping[str, Any]) -> Answer | None:
        """Return what CloudFormation was told of a request, or None."""
        body = self._told.get(event["ResponseURL"])
        return None if body is None else _answer(body)

    def lose_answers(self, number: int) -> None:
        """Let the next answers be refused, as a response bucket out of reach does."""
        self._lose += number

    def _operate(self, event: Mapping[str, Any], times: int) -> Answer:
        for _ in range(times):
            self.deliver(event)
        answer = self.answer_to(event)
        if answer is None:
            raise AssertionError(
                f"the stack hangs: the {event['RequestType']} of {event['LogicalResourceId']} was"
                " never answered"
            )
        return answer

    def _delete_event(self, logical_id: str, held: Held) -> dict[str, Any]:
        event = self.event("Delete", logical_id, physical_resource_id=held.physical_resource_id)
        event["ResourceProperties"] = dict(held.properties)
        return event

    def _only_type(self) -> str:
        named = self._provider.resource_types
        if len(named) != 1:
            raise ValueError(f"name the resource_type: the provider serves {', '.join(named)}")
        return named[0]

    def _url(self, event: Mapping[str, Any]) -> str:
        signed = datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        name = "|".join(event[part] for part in ("StackId", "LogicalResourceId", "RequestId"))
        key = name.replace(":", "%3A").replace("|", "%7C")
        return f"https://{HOST}/{key}?X-Amz-Date={signed}&X-Amz-Expires=7200&X-Amz-Signature=0"

    def _receive(self, request: Request, body: bytes) -> None:
        if self._lose:
            self._lose -= 1
            raise DeliveryError(f"{request}: the answer is recorded but nobody could be told")
        event = self._sent[request.response_url]
        judge(event, body)
        before = self._told.setdefault(request.response_url, body)
        assert before == body, f"two answers to {request}: {before!r} and {body!r}"
        self.answers.append((event, _answer(body)))


def as_sent(value: Json) -> Json:
    """Return a template's value as CloudFormation sends it: every scalar as text."""
    if isinstance(value, Mapping):
        return {name: as_sent(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_sent(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def judge(event: Mapping[str, Any], body: bytes) -> None:
    """Refuse what CloudFormation refuses in an answer.

    Raises:
        AssertionError: Says what, in CloudFormation's words where it has any.
    """
    answer = json.loads(body)
    assert len(body) <= LIMIT, "Response object is too long."
    status = answer.get("Status")
    assert status in ("SUCCESS", "FAILED"), (
        f"Invalid Response object: '{status}' is not a valid ResponseStatus"
    )
    assert answer.get("PhysicalResourceId"), "Invalid PhysicalResourceId"
    assert status == "SUCCESS" or answer.get("Reason"), "a FAILED answer needs a Reason"
    differing = [name for name in _echoed() if answer.get(name) != event[name]]
    assert not differing, f"{', '.join(differing)} must be echoed as sent"
    moved = answer["PhysicalResourceId"] != event.get("PhysicalResourceId")
    assert not (moved and event["RequestType"] == "Delete"), "a Delete must echo the id"
    assert not (moved and event["RequestType"] == "Update" and status == "FAILED"), (
        "a failed Update must echo the id: CloudFormation would delete the other one later"
    )


def _echoed() -> Iterable[str]:
    return ("RequestId", "StackId", "LogicalResourceId")


def _answer(body: bytes) -> Answer:
    answer = json.loads(body)
    return Answer(
        status=answer["Status"],
        reason=answer.get("Reason", ""),
        physical_resource_id=answer["PhysicalResourceId"],
        data=answer.get("Data", {}),
        no_echo=answer.get("NoEcho", False),
        body=body,
    )
