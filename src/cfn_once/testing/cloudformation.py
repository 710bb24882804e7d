"""`FakeCloudFormation`: CloudFormation, as a provider meets it and a test operates it."""

import sys
from collections.abc import Mapping
from typing import Any, Self, Unpack
from urllib.parse import urlsplit

from .._cloudformation.canonical import Json
from .._provider import Provider
from ..ledger import MemoryStore, Store
from .answers import Answer, lacks
from .clock import TIMEOUT, Turns, VirtualClock
from .deliveries import Deliveries, Requests
from .events import Event, Wrapping, as_sent
from .faults import COPIES, NOTHING, FaultPlan, Faults
from .functions import DeployedLambda, LocalLambda
from .signing import key_of
from .stack import Held, NewProperties, Stack
from .watchdog import HangWatchdog

OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
WATCHDOG = 20.0  # real seconds for one operation, which takes milliseconds


class FakeCloudFormation:
    """One stack whose custom resources a provider serves, in process and in virtual time.

    Args:
        provider: As it is deployed; a copy of it is driven, with a ledger and a clock of its own.
            A `DeployedLambda` is driven where it runs, by the real clock, with its own ledger.
        ledger: A store; a fresh one in memory unless given, whatever the provider's own is.
        clock: A clock that several stacks may share.
        stack_name: The stack's name.
        timeout: Seconds that Lambda gives the function.
        over_http: Serve the ResponseURLs on 127.0.0.1, and let the provider's own delivery PUT
            there; `close` ends it, as does the end of a `with`.
        envelope: `sns_event` or `sqs_event` where requests come through a topic or a queue.
        watchdog: Real seconds after which a hook that hangs is an error; 0 for never.
        faults: The faults of each operation that names none itself.

    Attributes:
        clock: Moves when somebody waits; `wait(seconds)` lets time pass.
        resources: What the stack holds, by logical id.
        orphans: What CloudFormation has given up deleting in a clean-up.
        answers: Every answer, in order, as `(event, Answer)`.
        stack_events: What the console shows of each resource.
        deliveries: How often the provider was invoked, Lambda's retries apart.
        response_host: The host of the ResponseURLs, as CFN_ONCE_RESPONSE_HOSTS wants it.
    """

    def __init__(
        self,
        provider: Provider | DeployedLambda,
        *,
        ledger: Store | None = None,
        clock: VirtualClock | None = None,
        stack_name: str = "stack",
        timeout: float = TIMEOUT,
        over_http: bool = False,
        envelope: Wrapping = dict,
        watchdog: float = WATCHDOG,
        faults: Faults | None = None,
    ) -> None:
        if not isinstance(provider, Provider | DeployedLambda):
            raise TypeError(
                "a FakeCloudFormation drives a Provider, or a DeployedLambda: give it"
                f' Provider(MyResource, ledger="memory://"), not {provider!r}'
            )
        _refuse_aws(ledger)
        self.ledger: Store = ledger or MemoryStore()
        plan = FaultPlan.of(faults or {}, strict=False)
        self.clock, turns = clock or VirtualClock(), Turns(lambda: self.clock)
        function: DeployedLambda | LocalLambda
        if isinstance(provider, DeployedLambda):
            function, self.clock = provider, provider.clock
        else:
            function = LocalLambda(provider, self.ledger, turns, timeout, over_http=over_http)
        self._function = function
        requests = self._requests = Requests(function.turns, stack_name)
        self._bucket = function.open(requests.keep, requests.note, envelope)
        patience = HangWatchdog(watchdog if function.is_virtual else 0)
        self._deliveries = Deliveries(function, self._bucket, requests, patience)
        stack = self._stack = Stack(stack_name, self._deliveries, plan)
        self.stack_name, self.resources, self.orphans = stack_name, stack.resources, stack.orphans
        self.answers, self.stack_events = requests.answers, stack.events
        self.response_host = self._bucket.host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking answers over HTTP."""
        self._bucket.close()

    @property
    def stack_id(self) -> str:
        """The stack's ARN: another one after `recreate_stack`."""
        return self._stack.id

    @stack_id.setter
    def stack_id(self, stack_id: str) -> None:
        self._stack.id = stack_id

    @property
    def deliveries(self) -> int:
        return self._deliveries.count

    @property
    def story(self) -> str:
        """What has happened so far, a line each: requests, calls, crashes, answers."""
        return "\n".join(self._requests.lines)

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that hooks have made; none where the function is deployed."""
        return frozenset(self._function.made)

    @property
    def unanswered(self) -> list[str]:
        """The newest request to each resource that was delivered and is not answered."""
        return self._requests.unanswered

    def create(
        self,
        logical_id: str,
        properties: NewProperties = None,
        *,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource; a failed Create is followed by its Delete.

        Args:
            logical_id: The resource's name in the template.
            properties: As in a template; scalars are sent as text, as CloudFormation does.
            resource_type: The type in the template; may be left out of a provider of one type.
            faults: The faults of the Create.
        """
        create = self._create_event(logical_id, properties, resource_type)
        return self._stack.create(create, FaultPlan.of(faults))

    def retry_create(self, logical_id: str, **faults: Unpack[Faults]) -> Answer:
        """Create what could not be created, under the same RequestId, as a retried deployment."""
        wanted = ("Create", logical_id)
        creates = [
            event
            for event, _ in self.answers
            if wanted == (event["RequestType"], event["LogicalResourceId"])
        ]
        if not creates or logical_id in self.resources:
            raise ValueError(f"there is no Create of {logical_id} that has failed")
        return self._stack.create(self.asked_again(creates[-1]), FaultPlan.of(faults))

    def create_and_roll_back(
        self,
        logical_id: str,
        properties: NewProperties = None,
        *,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource, and delete it as another one fails; return the Create's answer."""
        answer = self.create(logical_id, properties, resource_type=resource_type, **faults)
        if answer.succeeded:
            self.remove(logical_id)
        return answer

    def cancel_create(
        self,
        logical_id: str,
        properties: NewProperties = None,
        *,
        at: str | None = None,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Create a resource in a stack where another one fails meanwhile.

        While the Create still runs, during the call `at` or the first one, its Delete comes with
        an id that CloudFormation invents. The answer is the one to the Delete.
        """
        if not self._function.is_virtual:
            needs = "cancel_create needs the Provider itself"
            raise TypeError(f"{needs}: a deployed function takes no turns")
        plan = FaultPlan.of(faults)
        if copies := sorted(set(plan.named) & set(COPIES)):
            raise TypeError(f"cancel_create delivers once: {', '.join(copies)} is for other verbs")
        create = self._create_event(logical_id, properties, resource_type)
        return self._stack.cancel_create(create, at, plan)

    def update(
        self,
        logical_id: str,
        properties: NewProperties = None,
        *,
        service_token: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        """Update a resource, then remove what it replaced; a failed Update is rolled back.

        The Update is sent even where the properties are the same, or none are given; the clean-up
        comes as many times. CloudFormation refuses to change the ServiceToken in a template.
        """
        plan = FaultPlan.of(faults)
        return self._stack.update(logical_id, properties, service_token, plan)

    def update_and_roll_back(
        self, logical_id: str, properties: Mapping[str, Json], **faults: Unpack[Faults]
    ) -> Answer:
        """Update a resource in a stack where another one fails afterwards.

        It is updated back, and what had replaced it is removed. The answer is the one to the last
        Update; where the first one fails, to that.
        """
        plan = FaultPlan.of(faults)
        return self._stack.change(logical_id, properties, plan, another_fails=True)

    def roll_back(self, logical_id: str, *, to: Held, from_: Held) -> Answer:
        """Update a resource back to what it was, then remove what had replaced it."""
        return self._stack.roll_back(logical_id, to=to, from_=from_)

    def rename(self, logical_id: str, new_id: str, **faults: Unpack[Faults]) -> Answer:
        """Rename a resource in the template: a Create of the new name, a Delete of the old one."""
        held = self._stack.held(logical_id)
        properties = {k: v for k, v in held.properties.items() if k != "ServiceToken"}
        answer = self.create(new_id, properties, resource_type=held.resource_type, **faults)
        if answer.succeeded:
            self.remove(logical_id)
        return answer

    def remove(self, logical_id: str) -> Answer:
        """Take a resource out of the template: it is deleted, in three attempts at most."""
        held = self._stack.held(logical_id)
        del self.resources[logical_id]
        return self._stack.clean_up(logical_id, held, NOTHING)

    def retain(self, logical_id: str) -> None:
        """Let a resource go without a Delete, as `DeletionPolicy: Retain` does."""
        self._stack.held(logical_id)
        del self.resources[logical_id]
        self._stack.show(logical_id, "DELETE_SKIPPED")

    def delete(self, logical_id: str, **faults: Unpack[Faults]) -> Answer:
        """Delete a resource; what could not be deleted is still held, and may be tried again."""
        return self._stack.delete(logical_id, FaultPlan.of(faults))

    def delete_stack(self, **faults: Unpack[Faults]) -> list[Answer]:
        """Delete every resource that the stack holds, the last one first."""
        return [self.delete(logical_id, **faults) for logical_id in reversed(list(self.resources))]

    def recreate_stack(self) -> list[Answer]:
        """Delete the stack, and make one of the same name: another StackId, nothing in it."""
        answers = self.delete_stack()
        failed = [answer.reason for answer in answers if not answer.succeeded]
        assert not failed, f"the stack cannot be deleted: {'; '.join(failed)}"
        self.clock.advance(1)
        self._stack.found()
        return answers

    def ref(self, logical_id: str) -> str:
        """Return what `Ref` comes to."""
        return self._stack.held(logical_id).physical_resource_id

    def get_att(self, logical_id: str, attribute: str) -> Json:
        """Return what `Fn::GetAtt` comes to, or raise CloudFormation's error."""
        data = self._stack.held(logical_id).data
        if attribute not in data:
            raise AssertionError(lacks(attribute, key_of(self._requests.newest(logical_id))))
        return as_sent(data[attribute])

    def event(
        self,
        request_type: str,
        logical_id: str,
        properties: NewProperties = None,
        *,
        physical_resource_id: str | None = None,
        resource_type: str | None = None,
    ) -> dict[str, Any]:
        """Return a Create, Update or Delete as CloudFormation would send it now.

        Properties are as in a template; those that are held unless given, as are type and id.
        """
        return self._stack.event(
            request_type,
            logical_id,
            properties,
            physical_resource_id=physical_resource_id,
            resource_type=resource_type,
        )

    def asked_again(self, event: Event) -> dict[str, Any]:
        """Return the same request with a new ResponseURL, as a retried deployment sends it."""
        return self._stack.issue({**event})

    def send(
        self, event: Event, *, provider: Provider | None = None, **faults: Unpack[Faults]
    ) -> Answer | None:
        """Deliver an event once, and return what CloudFormation has received by then.

        What the provider raises is raised, and what CloudFormation refuses in its answer. The same
        event again is a duplicate; another version of the provider may take it, or its guardian.
        Where there are fewer points than `crash_at` says, the process lives.
        """
        plan = FaultPlan.of(faults)
        if copies := [name for name in (*COPIES, "crashes") if name in plan.named]:
            raise TypeError(f"send delivers once: {', '.join(copies)} is for deliver and the verbs")
        self._deliveries.invoke(event, plan, provider)
        return self.answer_to(event)

    def deliver(self, event: Event, **faults: Unpack[Faults]) -> Answer | None:
        """Deliver as Lambda does, again a minute and two after an error; raise the third one."""
        errors = self._deliveries.deliver(event, FaultPlan.of(faults))
        if errors and self.answer_to(event) is None:
            raise errors[0]
        return self.answer_to(event)

    def answer_to(self, event: Event) -> Answer | None:
        """Return what CloudFormation received for a request, or None."""
        return self._requests.of(event).answer

    def lose_answers(self, number: int) -> None:
        """Let the next answers be refused, as a response bucket out of reach does."""
        self._bucket.refuse(number)

    def wait(self, seconds: float) -> None:
        """Let time pass; copies that are late come when they are due."""
        self._deliveries.wait(seconds)

    def settle(self) -> None:
        """Let every copy come that is still to come."""
        self._deliveries.deliver_late(float("inf"))

    def _create_event(
        self, logical_id: str, properties: Mapping[str, Json] | None, resource_type: str | None
    ) -> dict[str, Any]:
        if logical_id in self.resources:
            raise ValueError(f"{logical_id} is in the stack already: update it, or delete it first")
        return self.event("Create", logical_id, properties, resource_type=resource_type)


def _refuse_aws(ledger: Store | None) -> None:
    """Refuse a ledger on AWS itself: the kit's time is none that a real table may see."""
    host = urlsplit(getattr(ledger, "endpoint", "")).hostname or ""
    stubber = getattr(sys.modules.get("moto.core.models"), "botocore_stubber", None)
    if host.endswith(OF_AWS) and not getattr(stubber, "enabled", False):
        raise ValueError(
            f"the test kit does not call AWS, and this ledger is on {host}: leave ledger= out for"
            " one in memory, use moto or an emulator, or drive a DeployedLambda"
        )
