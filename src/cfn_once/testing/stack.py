"""
One stack: what it holds, and whole operations on it, with all that follows them.

    create      C            fails: D     unanswered: D of an invented id     cancelled: D meanwhile
    update      U            fails: U back, D of what had replaced it
                             replaced: D of the old one, three times at most
    delete      D            fails: still held

C is a Create, U an Update, D a Delete. Its operator hands each over, and decides what is tried
again after a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from .._cloudformation.canonical import Json
from .._hooks.definition import EVERY_TYPE, GENERAL_TYPE
from .answers import CANCELLED, NOT_DELETED, TOKEN_IS_FIXED, Answer, received, refused
from .deliveries import Deliveries
from .events import Event, Source, as_sent, request_event
from .faults import NOTHING, FaultPlan
from .signing import key_of
from .template import check_event, check_resource, check_stack_name

CLEAN_UPS = 3  # attempts; CloudFormation User Guide, "Troubleshooting"
NewProperties = Mapping[str, Json] | None  # None where those that are held stay


@dataclass(slots=True)
class Held:
    """What CloudFormation holds of one resource."""

    resource_type: str
    physical_resource_id: str
    properties: Mapping[str, Json]
    data: Mapping[str, Json]


class StackEvent(NamedTuple):
    """One line of the stack's events, as the console shows them."""

    logical_resource_id: str
    resource_status: str
    resource_status_reason: str = ""


class StackOperator(Protocol):
    """An operator of a stack."""

    def operate(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        """Hand a request over, and return what CloudFormation makes of it."""

    def another_fails(self) -> bool:
        """Tell, before an Update, whether another resource of the stack will fail after it."""

    def ended(self, what: str, answer: Answer) -> bool:
        """See an operation end, with all that followed it; tell whether it is tried again."""


class Stack:
    """What CloudFormation knows of a stack, and does about it."""

    def __init__(self, name: str, deliveries: Deliveries, plan: FaultPlan) -> None:
        check_stack_name(name)
        self.name, self.deliveries = name, deliveries
        self.operator: StackOperator = deliveries
        self.resources: dict[str, Held] = {}
        self.orphans: list[Held] = []
        self.events: list[StackEvent] = []  # as the console shows them
        self._plan, self._function = plan, deliveries.function
        self._requests, self._turns = deliveries.requests, deliveries.turns
        self.found()

    def found(self) -> None:
        """Make the stack, or one of the same name after it."""
        account = "arn:aws:cloudformation:us-east-1:123456789012"
        self.id = f"{account}:stack/{self.name}/{UUID(int=int(self._turns.now()))}"

    def held(self, logical_id: str) -> Held:
        """Return what is held of a resource, which must be something."""
        if logical_id not in self.resources:
            named = ", ".join(self.resources) or "nothing"
            raise ValueError(f"the stack holds no {logical_id}; it holds {named}")
        return self.resources[logical_id]

    def show(self, logical_id: str, status: str, reason: str = "") -> None:
        self.events.append(StackEvent(logical_id, status, reason))

    def event(
        self,
        request_type: str,
        logical_id: str,
        properties: NewProperties = None,
        *,
        physical_resource_id: str | None = None,
        resource_type: str | None = None,
    ) -> dict[str, Any]:
        """Return a request as CloudFormation would send it now, about what it holds now."""
        self._requests.number += 1
        held = self.resources.get(logical_id)
        if held is None:
            held = Held(resource_type or self._only_type(), "", {}, {})
        source = Source(
            stack_id=self.id,
            request_id=str(UUID(int=self._requests.number)),
            service_token=self._function.service_token,
            response_url="",
        )
        kind, sent = resource_type or held.resource_type, held.properties
        if properties is not None:
            sent = as_sent(properties)
        old = held.properties if request_type == "Update" else None
        check_resource(logical_id, kind, sent)
        named = physical_resource_id or held.physical_resource_id
        return self.issue(request_event(request_type, logical_id, kind, sent, source, named, old))

    def issue(self, event: dict[str, Any]) -> dict[str, Any]:
        """Give a request its ResponseURL."""
        self._turns.clock.advance(1)  # issue times are whole seconds
        event["ResponseURL"] = self.deliveries.bucket.sign(key_of(event), self._turns.now())
        check_event(event)
        return self._requests.add(event)

    def create(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        logical_id = event["LogicalResourceId"]
        answer = self._operate(event, plan)
        self.resources[logical_id] = _held_after(event, answer)
        if not answer.succeeded:
            self.delete(logical_id, NOTHING)
        self.operator.ended("Create", answer)
        return answer

    def cancel(self, create: Event) -> dict[str, Any]:
        """Return the Delete of a Create that still runs, with an id that CloudFormation invents."""
        logical_id = create["LogicalResourceId"]
        self.show(logical_id, "CREATE_FAILED", CANCELLED)
        unanswered = refused(CANCELLED, self._requests.invented_id(logical_id))
        self.resources[logical_id] = _held_after(create, unanswered)
        return self.event("Delete", logical_id)

    def cancel_create(self, create: dict[str, Any], at: str | None, plan: FaultPlan) -> Answer:
        """Create a resource, and delete it during a call; return the answer to the Delete."""
        logical_id, calls, deletes = create["LogicalResourceId"], list[str](), list[Event]()

        def on_call(name: str) -> None:
            calls.append(name)
            if not deletes and at in (None, name):
                deletes.append(self.cancel(create))
                self._begins(deletes[0])
                self._turns.start(overtake)

        def overtake() -> None:
            with self.deliveries.watched(deletes[0]):
                self._function.deliver(deletes[0], NOTHING)

        self._begins(create)
        self.deliveries.deliver(create, replace(plan, on_call=on_call))
        if not deletes:
            raise AssertionError(
                f"the Create of {logical_id} makes no call{f' of {at}' if at else ''} during which"
                f" it could be cancelled; there were: {', '.join(calls) or 'none'}"
            )
        answer = self.deliveries.outcome(deletes[0], gives_up=False)
        return self._deleted(logical_id, self._ends(deletes[0], answer))

    def update(
        self, logical_id: str, properties: NewProperties, service_token: str | None, plan: FaultPlan
    ) -> Answer:
        """Update a resource; CloudFormation refuses to change its service token."""
        held, another_fails = self.held(logical_id), self.operator.another_fails()
        if service_token in (None, self._function.service_token) or another_fails:
            answer = self.change(logical_id, properties, plan, another_fails=another_fails)
        else:
            answer = refused(TOKEN_IS_FIXED, held.physical_resource_id)
            self.show(logical_id, "UPDATE_FAILED", answer.reason)
        self.operator.ended("Update", answer)
        return answer

    def change(
        self, logical_id: str, properties: NewProperties, plan: FaultPlan, *, another_fails: bool
    ) -> Answer:
        """Update a resource, then remove what it replaced, or roll it back; return what counts."""
        held, event = self.held(logical_id), self.event("Update", logical_id, properties)
        answer = self._operate(event, plan)
        new = _held_after(event, answer)
        if another_fails or not answer.succeeded:
            back = self.roll_back(logical_id, to=held, from_=new)
            return back if answer.succeeded else answer
        self.resources[logical_id] = new
        if new.physical_resource_id != held.physical_resource_id:
            self.clean_up(logical_id, held, plan.copies)
        return answer

    def roll_back(self, logical_id: str, *, to: Held, from_: Held) -> Answer:
        self.resources[logical_id] = from_
        answer = self._operate(self.event("Update", logical_id, to.properties), NOTHING)
        held = replace(to, physical_resource_id=answer.physical_resource_id, data=answer.data)
        self.resources[logical_id] = held
        if answer.physical_resource_id != from_.physical_resource_id:
            self.clean_up(logical_id, from_, NOTHING)
        if self.operator.ended("rollback", answer):
            return self.roll_back(logical_id, to=to, from_=from_)
        return answer

    def clean_up(self, logical_id: str, held: Held, plan: FaultPlan) -> Answer:
        """Delete what is replaced or removed, in three attempts; then it is left behind."""
        for _ in range(CLEAN_UPS):
            named, kind = held.physical_resource_id, held.resource_type
            event = self.event(
                "Delete", logical_id, {}, physical_resource_id=named, resource_type=kind
            )
            event["ResourceProperties"] = dict(held.properties)
            answer = self._operate(event, plan)
            if answer.succeeded:
                return answer
        self.orphans.append(held)
        self.show(self.name, "UPDATE_COMPLETE", NOT_DELETED)
        return answer

    def delete(self, logical_id: str, plan: FaultPlan) -> Answer:
        self.held(logical_id)
        answer = self._operate(self.event("Delete", logical_id), plan)
        self._deleted(logical_id, answer)
        if self.operator.ended("Delete", answer):
            return self.delete(logical_id, NOTHING)
        return answer

    def _operate(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        self._begins(event)
        answer = self.operator.operate(event, plan if plan.named else self._plan)
        return self._ends(event, answer)

    def _begins(self, event: Event) -> None:
        self.show(event["LogicalResourceId"], f"{event['RequestType'].upper()}_IN_PROGRESS")

    def _ends(self, event: Event, answer: Answer) -> Answer:
        status = "COMPLETE" if answer.succeeded else "FAILED"
        verb, reason = event["RequestType"].upper(), received(answer, event)
        self.show(event["LogicalResourceId"], f"{verb}_{status}", reason)
        return answer

    def _deleted(self, logical_id: str, answer: Answer) -> Answer:
        if answer.succeeded:
            del self.resources[logical_id]
        return answer

    def _only_type(self) -> str:
        served = self._function.resource_types
        if len(served) != 1:
            serves = ", ".join(served) or "what nobody has said"
            raise ValueError(f"name the resource_type: the provider serves {serves}")
        return GENERAL_TYPE if served[0] == EVERY_TYPE else served[0]


def _held_after(event: Event, answer: Answer) -> Held:
    properties = event["ResourceProperties"]
    return Held(event["ResourceType"], answer.physical_resource_id, properties, answer.data)
