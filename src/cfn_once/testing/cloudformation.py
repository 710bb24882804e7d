"""
CloudFormation, as a provider meets it: whole operations on one stack, with all that follows them.

    create      C            fails: D     unanswered: D of an invented id     cancelled: D meanwhile
    update      U            fails: U back, D of what had replaced it
                             replaced: D of the old one, three times at most
    delete      D            fails: still held

C is a Create, U an Update, D a Delete; each is retried as Lambda retries it. What CloudFormation
refuses in an answer is an AssertionError here, and so is a second answer that differs.
"""

from collections.abc import Mapping
from typing import Any, Unpack

from .._cloudformation.request import SERVICE_TIMEOUT, Json
from .answers import (
    CANCELLED,
    NOT_DELETED,
    TOKEN_IS_FIXED,
    Answer,
    lacks,
    not_received,
    received,
    refused,
)
from .deployed import DeployedLambda
from .events import as_sent
from .faults import COPIES, NOTHING, FaultPlan, Faults
from .local import LocalLambda
from .responses import key_of
from .stack import Held, Stack, StackEvent, issued

CLEAN_UPS = 3  # attempts; CloudFormation User Guide, "Troubleshooting"
PROGRESS = {"Create": "CREATE", "Update": "UPDATE", "Delete": "DELETE"}


class FakeCloudFormation(Stack):
    """One stack whose custom resources a provider serves, in process and in virtual time.

    Args:
        provider: As it is deployed; a copy of it is driven, with a ledger and a clock of its own.
            A `DeployedLambda` is driven where it runs, by the real clock, with its own ledger.
        ledger: A store; a fresh one in memory unless given.
        clock: A clock that several stacks may share.
        stack_name: The stack's name.
        timeout: Seconds that Lambda gives the function.
        over_http: Serve the ResponseURLs on 127.0.0.1, and let the provider's own delivery PUT
            there; `close` ends it, as does the end of a `with`.
        envelope: `sns_event` or `sqs_event` where requests come through a topic or a queue.
        watchdog: Real seconds after which a hook that hangs is an error; 0 for never.
        faults: What befalls each operation that names no faults of its own.

    Attributes:
        clock: Moves when somebody waits; `wait(seconds)` lets time pass.
        resources: What the stack holds, by logical id.
        orphans: What CloudFormation has given up deleting in a clean-up.
        answers: Every answer, in order, as `(event, Answer)`.
        stack_events: What the console shows of each resource.
        deliveries: How often the provider was invoked, Lambda's retries apart.
    """

    def create(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource; a failed Create is followed by its Delete.

        Args:
            logical_id: The resource's name in the template.
            properties: As in a template; scalars are sent as text, as CloudFormation does.
            resource_type: The type in the template; may be left out of a provider of one type.
            faults: What befalls the Create.
        """
        event = self._create_event(logical_id, properties, resource_type)
        return self._create(event, FaultPlan.of(faults))

    def retry_create(self, logical_id: str, **faults: Unpack[Faults]) -> Answer:
        """Create again what could not be created, under the same RequestId, as a retried
        deployment does.
        """
        before = [
            event
            for event, _ in self.answers
            if (event["LogicalResourceId"], event["RequestType"]) == (logical_id, "Create")
        ]
        if not before or logical_id in self.resources:
            raise ValueError(f"there is no Create of {logical_id} that has failed")
        return self._create(self.asked_again(before[-1]), FaultPlan.of(faults))

    def create_and_roll_back(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource in a stack where another one fails afterwards: it is deleted again.

        Returns:
            The answer to the Create.
        """
        answer = self.create(logical_id, properties, resource_type=resource_type, **faults)
        if answer.succeeded:
            self.remove(logical_id)
        return answer

    def cancel_create(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        at: str | None = None,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource in a stack where another one fails meanwhile: while the Create still
        runs, its Delete comes with an id that CloudFormation invents.

        Args:
            logical_id: The resource's name in the template.
            properties: As in a template.
            at: The call during which the Delete comes; the first one unless given.
            resource_type: The type in the template.
            faults: What befalls the Create: it may be slow, or die.

        Returns:
            The answer to the Delete.

        Raises:
            AssertionError: The Create makes no such call.
        """
        function, plan = self._here("cancel_create"), FaultPlan.of(faults)
        if copies := sorted(set(plan.named) & set(COPIES)):
            raise TypeError(f"cancel_create delivers once: {', '.join(copies)} is for other verbs")
        create = self._create_event(logical_id, properties, resource_type)
        held = Held(
            create["ResourceType"],
            self._invented_id(logical_id),
            create["ResourceProperties"],
            {},
        )
        deletes, calls, errors = list[Any](), list[str](), list[BaseException]()

        def cancel(name: str) -> None:
            calls.append(name)
            if not deletes and at in (None, name):
                self._status(create, "CREATE_FAILED", CANCELLED)
                self.resources[logical_id] = held
                deletes.append(self.event("Delete", logical_id))
                self._status(deletes[0], "DELETE_IN_PROGRESS")
                function.turns.start(overtake)

        def overtake() -> None:
            with self._watched(deletes[0]):
                function.attempt(deletes[0], NOTHING, errors)

        self._status(create, "CREATE_IN_PROGRESS")
        self.lose_answers(plan.lost_answers)
        with self._watched(create):
            function.turns.run(lambda: function.attempt(create, plan, errors, on_call=cancel))
        if not deletes:
            there_were = ", ".join(calls) or "none"
            raise AssertionError(
                f"the Create of {logical_id} makes no call{f' of {at}' if at else ''} during which"
                f" it could be cancelled; there were: {there_were}"
            )
        return self._deleted(logical_id, self._outcome(deletes[0], gives_up=False))

    def update(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        service_token: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Update a resource, then remove what it replaced; a failed Update is rolled back.

        The Update is sent even where the properties are the same.

        Args:
            logical_id: The resource's name in the template.
            properties: As in a template; those that are held, unless given.
            service_token: The ServiceToken in the template, which CloudFormation refuses to change.
            faults: What befalls the Update; the clean-up comes as many times.
        """
        held = self._held(logical_id)
        if service_token not in (None, self._service_token()):
            answer = refused(TOKEN_IS_FIXED, held.physical_resource_id)
            self.stack_events.append(StackEvent(logical_id, "UPDATE_FAILED", answer.reason))
            return answer
        plan = FaultPlan.of(faults)
        answer, new = self._update(logical_id, properties, plan)
        if not answer.succeeded:
            self.roll_back(logical_id, to=held, from_=new)
            return answer
        if new.physical_resource_id != held.physical_resource_id:
            self._clean_up(logical_id, held, plan.copies)
        return answer

    def update_and_roll_back(
        self, logical_id: str, properties: Mapping[str, Json], **faults: Unpack[Faults]
    ) -> Answer:
        """Update a resource in a stack where another one fails afterwards: it is updated back, and
        what had replaced it is removed.

        Returns:
            The answer to the Update that rolls back; where the first one fails, the answer to it.
        """
        held = self._held(logical_id)
        answer, new = self._update(logical_id, properties, FaultPlan.of(faults))
        back = self.roll_back(logical_id, to=held, from_=new)
        return back if answer.succeeded else answer

    def roll_back(self, logical_id: str, *, to: Held, from_: Held) -> Answer:
        """Update a resource back to what it was, then remove what had replaced it."""
        self.resources[logical_id] = from_
        event = self.event("Update", logical_id, to.properties)
        answer = self._operate(event, NOTHING)
        self.resources[logical_id] = Held(
            to.resource_type, answer.physical_resource_id, to.properties, answer.data
        )
        if answer.physical_resource_id != from_.physical_resource_id:
            self._clean_up(logical_id, from_, NOTHING)
        return answer

    def rename(self, logical_id: str, new_id: str, **faults: Unpack[Faults]) -> Answer:
        """Give a resource another name in the template: it is created anew, then the old one is
        deleted.
        """
        held = self._held(logical_id)
        properties = {k: v for k, v in held.properties.items() if k != "ServiceToken"}
        answer = self.create(new_id, properties, resource_type=held.resource_type, **faults)
        if answer.succeeded:
            self.remove(logical_id)
        return answer

    def remove(self, logical_id: str) -> Answer:
        """Take a resource out of the template: it is deleted, in three attempts at most."""
        held = self.resources.pop(logical_id, None) or self._held(logical_id)
        return self._clean_up(logical_id, held, NOTHING)

    def retain(self, logical_id: str) -> None:
        """Let a resource go without a Delete, as `DeletionPolicy: Retain` does."""
        self._held(logical_id)
        del self.resources[logical_id]
        self.stack_events.append(StackEvent(logical_id, "DELETE_SKIPPED"))

    def delete(self, logical_id: str, **faults: Unpack[Faults]) -> Answer:
        """Delete a resource; what could not be deleted is still held, and may be tried again."""
        self._held(logical_id)
        event = self.event("Delete", logical_id)
        return self._deleted(logical_id, self._operate(event, FaultPlan.of(faults)))

    def delete_stack(self, **faults: Unpack[Faults]) -> list[Answer]:
        """Delete every resource that the stack holds, the last one first."""
        return [self.delete(logical_id, **faults) for logical_id in reversed(list(self.resources))]

    def recreate_stack(self) -> list[Answer]:
        """Delete the stack, and make one of the same name: another StackId, nothing in it."""
        answers = self.delete_stack()
        failed = [one.reason for one in answers if not one.succeeded]
        assert not failed, f"the stack cannot be deleted: {'; '.join(failed)}"
        self.clock.advance(1)
        self.stack_id = self._new_stack_id()
        return answers

    def ref(self, logical_id: str) -> str:
        """Return what `Ref` comes to."""
        return self._held(logical_id).physical_resource_id

    def get_att(self, logical_id: str, attribute: str) -> Json:
        """Return what `Fn::GetAtt` comes to.

        Raises:
            AssertionError: The last answer had no such attribute, in CloudFormation's words.
        """
        data = self._held(logical_id).data
        if attribute not in data:
            last = self._sent[self._newest[logical_id]]
            raise AssertionError(lacks(attribute, key_of(last)))
        return as_sent(data[attribute])

    def _create_event(
        self, logical_id: str, properties: Mapping[str, Json] | None, resource_type: str | None
    ) -> dict[str, Any]:
        if logical_id in self.resources:
            raise ValueError(f"{logical_id} is in the stack already: update it, or delete it first")
        return self.event("Create", logical_id, properties, resource_type=resource_type)

    def _create(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        logical_id = event["LogicalResourceId"]
        answer = self._operate(event, plan)
        self.resources[logical_id] = Held(
            event["ResourceType"],
            answer.physical_resource_id,
            event["ResourceProperties"],
            answer.data,
        )
        if not answer.succeeded:
            self.delete(logical_id)
        return answer

    def _update(
        self, logical_id: str, properties: Mapping[str, Json] | None, plan: FaultPlan
    ) -> tuple[Answer, Held]:
        """Update, and return what is held then, clean-up and rollback apart."""
        event = self.event("Update", logical_id, properties)
        answer = self._operate(event, plan)
        new = Held(
            event["ResourceType"],
            answer.physical_resource_id,
            event["ResourceProperties"],
            answer.data,
        )
        if answer.succeeded:
            self.resources[logical_id] = new
        return answer, new

    def _clean_up(self, logical_id: str, held: Held, plan: FaultPlan) -> Answer:
        """Delete what is replaced or removed, in three attempts; then it is left behind."""
        for _ in range(CLEAN_UPS):
            event = self.event(
                "Delete",
                logical_id,
                {},
                physical_resource_id=held.physical_resource_id,
                resource_type=held.resource_type,
            )
            event["ResourceProperties"] = dict(held.properties)
            answer = self._operate(event, plan)
            if answer.succeeded:
                return answer
        self.orphans.append(held)
        self.stack_events.append(StackEvent(self.stack_name, "UPDATE_COMPLETE", NOT_DELETED))
        return answer

    def _deleted(self, logical_id: str, answer: Answer) -> Answer:
        if answer.succeeded:
            del self.resources[logical_id]
        return answer

    def _operate(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        """Send a request as often as it befalls, and return what CloudFormation makes of it."""
        plan = plan if plan.named else self._plan
        self._deliver_late(self.clock.now())
        self._status(event, f"{PROGRESS[event['RequestType']]}_IN_PROGRESS")
        errors = self._deliver(event, plan)
        gives_up = plan.may_silence or self.clock.now() > self._until(event)
        if errors and self.answer_to(event) is None and not gives_up:
            raise errors[0]
        return self._outcome(event, gives_up=gives_up)

    def _outcome(self, event: dict[str, Any], *, gives_up: bool) -> Answer:
        """Return the answer, or what CloudFormation says when it has waited for none."""
        verb, answer = PROGRESS[event["RequestType"]], self.answer_to(event)
        if self._told_at.get(event["ResponseURL"], 0.0) > self._until(event):
            answer, gives_up = None, True  # nobody reads it any more
        if answer is None and not gives_up:
            raise AssertionError(
                f"the stack hangs: the {event['RequestType']} of {event['LogicalResourceId']} was"
                f" never answered\n{self._story_so_far()}"
            )
        if answer is None:
            if not isinstance(self._function, DeployedLambda):  # in no time
                self.wait(max(0.0, self._until(event) - self.clock.now()))
            self._given_up.add(event["ResponseURL"])
            invented = self._invented_id(event["LogicalResourceId"])
            answer = refused(not_received(event), event.get("PhysicalResourceId", invented))
            self._tell(f"  {answer.reason}")
        status = f"{verb}_{'COMPLETE' if answer.succeeded else 'FAILED'}"
        self._status(event, status, received(answer, event))
        return answer

    def _until(self, event: Mapping[str, Any]) -> float:
        """Return when CloudFormation stops waiting for an answer."""
        return issued(event) + float(event.get("ServiceTimeout", SERVICE_TIMEOUT))

    def _status(self, event: Mapping[str, Any], status: str, reason: str = "") -> None:
        self.stack_events.append(StackEvent(event["LogicalResourceId"], status, reason))

    def _held(self, logical_id: str) -> Held:
        if logical_id not in self.resources:
            named = ", ".join(self.resources) or "nothing"
            raise ValueError(f"the stack holds no {logical_id}; it holds {named}")
        return self.resources[logical_id]

    def _here(self, verb: str) -> LocalLambda:
        if not isinstance(self._function, LocalLambda):
            raise TypeError(f"{verb} needs the Provider itself: a deployed function takes no turns")
        return self._function

    def _invented_id(self, logical_id: str) -> str:
        """Return an id as CloudFormation invents one where it was told none."""
        return f"{self.stack_name}-{logical_id}-{1_099_511_627_776 + self._requests:X}"
