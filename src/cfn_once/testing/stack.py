"""
One stack: what it holds, and the requests about it, each sent as often and as late as a test likes.

    event ──► send, deliver ──► the function ──► a PUT to the ResponseURL ──► judged, told
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self, Unpack
from uuid import UUID

from .._cloudformation.delivery import HttpsDelivery
from .._cloudformation.request import Json, issue_time
from .._provider import Provider
from ..ledger import MemoryStore, Store
from .answers import Answer, judge, read
from .clock import TIMEOUT, VirtualClock
from .deployed import DeployedLambda, WallClock
from .events import SERVICE_TOKEN, Envelope, as_it_is, as_sent, request_event
from .faults import COPIES, NOTHING, FaultPlan, Faults
from .local import InProcessDelivery, LocalLambda
from .responses import ResponseBucket, S3Bucket, key_of
from .turns import Turns
from .watchdog import Hung, Watchdog

WATCHDOG = 20.0  # real seconds for one operation, which takes milliseconds
LAST_LINES = 25  # of a story


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


class Function(Protocol):
    """What CloudFormation hands requests to."""

    made: set[str]

    def invoke(
        self, event: Mapping[str, Any], plan: FaultPlan, *, provider: Provider | None = None
    ) -> None:
        """Hand an event over once."""

    def deliver(self, event: Mapping[str, Any], plan: FaultPlan) -> list[BaseException]:
        """Hand it over as Lambda does; return what those deliveries raised that were given up."""


class Stack:
    """One stack whose custom resources a provider serves."""

    def __init__(
        self,
        provider: Provider | DeployedLambda,
        *,
        ledger: Store | None = None,
        clock: VirtualClock | None = None,
        stack_name: str = "stack",
        timeout: float = TIMEOUT,
        over_http: bool = False,
        envelope: Envelope = as_it_is,
        watchdog: float = WATCHDOG,
        faults: Faults | None = None,
    ) -> None:
        if not isinstance(provider, Provider | DeployedLambda):
            raise TypeError(
                "a FakeCloudFormation drives a Provider, or a DeployedLambda: give it"
                f' Provider(MyResource, ledger="memory://"), not {provider!r}'
            )
        self._turns = Turns(clock or VirtualClock())
        self.ledger: Store = ledger or MemoryStore()
        self.stack_name = stack_name
        self.resources: dict[str, Held] = {}
        self.orphans: list[Held] = []
        self.answers: list[tuple[dict[str, Any], Answer]] = []
        self.stack_events: list[StackEvent] = []
        self.deliveries = 0
        self._provider = provider
        self._plan = FaultPlan.of(faults or {}, strict=False)
        self._watchdog = Watchdog(watchdog)
        self._function: Function
        self._bucket: ResponseBucket | S3Bucket
        if isinstance(provider, Provider):
            bucket = self._bucket = ResponseBucket(self._keep, self._turns.now)
            if over_http:
                bucket.serve()
            self._function = LocalLambda(
                provider,
                self.ledger,
                HttpsDelivery(hosts=[bucket.host]) if over_http else InProcessDelivery(bucket),
                self._turns,
                envelope=envelope,
                timeout=timeout,
                tell=self._tell,
            )
        else:
            self._turns, self._watchdog = Turns(WallClock()), Watchdog(0)  # it has its own patience
            self._function, self._bucket = provider, provider.open(self._keep, envelope)
        self._began, self._story = self.clock.now(), list[str]()
        self._sent: dict[str, dict[str, Any]] = {}
        self._told: dict[str, bytes] = {}
        self._told_at: dict[str, float] = {}
        self._newest: dict[str, str] = {}
        self._given_up: set[str] = set()
        self._late: list[tuple[float, Mapping[str, Any]]] = []
        self._violations: list[AssertionError] = []
        self._requests = 0
        self.stack_id = self._new_stack_id()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking answers over HTTP."""
        self._bucket.close()

    @property
    def clock(self) -> VirtualClock:
        """The time; another clock may be put here."""
        return self._turns.clock

    @clock.setter
    def clock(self, clock: VirtualClock) -> None:
        self._turns.clock = clock

    @property
    def response_host(self) -> str:
        """The host of the ResponseURLs, as CFN_ONCE_RESPONSE_HOSTS wants it."""
        return self._bucket.host

    @property
    def story(self) -> str:
        """What has happened so far, a line each: requests, calls, crashes, answers."""
        return "\n".join(self._story)

    @property
    def calls(self) -> frozenset[str]:
        """The names of the calls that hooks have made; none where the function is deployed."""
        return frozenset(self._function.made)

    @property
    def unanswered(self) -> list[str]:
        """The newest request to each resource that was delivered and is not answered."""
        return [
            f"the {self._sent[url]['RequestType']} of {logical_id}"
            for logical_id, url in self._newest.items()
            if url not in self._told and url not in self._given_up
        ]

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
        held_id = held.physical_resource_id if held is not None else ""
        self._requests += 1
        event = request_event(
            request_type,
            logical_id,
            resource_type or (held.resource_type if held else self._only_type()),
            sent,
            stack_id=self.stack_id,
            request_id=str(UUID(int=self._requests)),
            service_token=self._service_token(),
            response_url="",
            physical_resource_id=physical_resource_id or held_id,
            old=kept if request_type == "Update" else None,
        )
        return self._issue(event)

    def asked_again(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same request with a new ResponseURL, as a retried deployment sends it."""
        return self._issue({**event})

    def send(
        self,
        event: Mapping[str, Any],
        *,
        provider: Provider | None = None,
        **faults: Unpack[Faults],
    ) -> Answer | None:
        """Deliver an event once, and return what CloudFormation was told by then.

        Args:
            event: As `event` makes it; the same one again is a duplicate.
            provider: Another version of the provider, or its guardian, in place of the usual one.
            faults: What befalls this delivery. Where there are fewer points than `crash_at` says,
                the process lives.

        Raises:
            Crashed: The process died where it was told to.
            CfnOnceError: What the provider raises, so that Lambda comes again.
            AssertionError: CloudFormation refuses the answer, or a fault could not befall.
        """
        plan = FaultPlan.of(faults)
        if copies := [name for name in (*COPIES, "crashes") if name in plan.named]:
            raise TypeError(f"send delivers once: {', '.join(copies)} is for deliver and the verbs")
        self.lose_answers(plan.lost_answers)
        with self._watched(event):
            self._function.invoke(event, plan, provider=provider)
        return self.answer_to(event)

    def deliver(self, event: Mapping[str, Any], **faults: Unpack[Faults]) -> Answer | None:
        """Deliver as Lambda does: twice more after an error, a minute and two minutes later.

        Raises:
            Exception: What the third delivery raised.
        """
        errors = self._deliver(event, FaultPlan.of(faults))
        if errors and self.answer_to(event) is None:
            raise errors[0]
        return self.answer_to(event)

    def answer_to(self, event: Mapping[str, Any]) -> Answer | None:
        """Return what CloudFormation was told of a request, or None."""
        body = self._told.get(event["ResponseURL"])
        return None if body is None else read(body)

    def lose_answers(self, number: int) -> None:
        """Let the next answers be refused, as a response bucket out of reach does."""
        self._bucket.refuse(number)

    def wait(self, seconds: float) -> None:
        """Let time pass; copies that are late come when they are due."""
        until = self.clock.now() + seconds
        self._deliver_late(until)
        self.clock.advance(max(0.0, until - self.clock.now()))

    def settle(self) -> None:
        """Let every copy come that is still to come."""
        self._deliver_late(float("inf"))

    def _deliver(self, event: Mapping[str, Any], plan: FaultPlan) -> list[BaseException]:
        """Deliver as often as it befalls; return what those raised that Lambda has given up."""
        self.lose_answers(plan.lost_answers)
        with self._watched(event, plan.at_once):
            errors = self._function.deliver(event, plan)
        for _ in range(plan.times - 1):
            with self._watched(event):
                errors += self._function.deliver(event, NOTHING)
        if plan.late is not None:
            self._late.append((self.clock.now() + plan.late, event))
        return errors

    def _deliver_late(self, until: float) -> None:
        """Deliver the copies that are due; nobody waits for them, so they may fail."""
        self._late.sort(key=lambda one: one[0])
        while self._late and self._late[0][0] <= until:
            moment, event = self._late.pop(0)
            self.clock.advance(max(0.0, moment - self.clock.now()))
            with self._watched(event):
                self._function.deliver(event, NOTHING)

    @contextmanager
    def _watched(self, event: Mapping[str, Any], number: int = 1) -> Iterator[None]:
        """Count, tell and watch over what is done about an event."""
        self.deliveries += number
        url = event["ResponseURL"]
        self._sent.setdefault(url, dict(event))
        copies = f", {number} at once" if number > 1 else ""
        self._tell(f"{event['RequestType']} of {event['LogicalResourceId']} is delivered{copies}")
        before = self._newest.get(event["LogicalResourceId"])
        if before is None or issued(self._sent[before]) <= issued(event):
            self._newest[event["LogicalResourceId"]] = url
        try:
            with self._watchdog:
                yield
        except Hung as hung:
            raise AssertionError(
                f"a hook hangs in the {event['RequestType']} of {event['LogicalResourceId']}:\n"
                f"{hung.where}\n{self._story_so_far()}"
            ) from hung
        finally:
            if self._violations:
                raise self._violations.pop(0)

    def _keep(self, url: str, body: bytes) -> None:
        """Take an answer; S3 takes anything, and what CloudFormation refuses is told later."""
        event = self._sent.get(url)
        try:
            assert event is not None, "an answer to a request that this stack has not sent"
            judge(event, body)
            before = self._told.setdefault(url, body)
            what = f"the {event['RequestType']} of {event['LogicalResourceId']}"
            assert before == body, f"two answers to {what}: {before!r} and {body!r}"
        except AssertionError as refusal:
            self._violations.append(refusal)
            return
        self._told_at.setdefault(url, self.clock.now())
        answer = read(body)
        self._tell(f"  answered {answer.status} {answer.physical_resource_id} {answer.reason}")
        self.answers.append((event, answer))

    def _issue(self, event: dict[str, Any]) -> dict[str, Any]:
        """Give a request its ResponseURL."""
        self.clock.advance(1)  # issue times are whole seconds
        event["ResponseURL"] = self._bucket.sign(key_of(event), self.clock.now())
        self._sent[event["ResponseURL"]] = event
        return event

    def _only_type(self) -> str:
        named = self._provider.resource_types
        if len(named) != 1:
            serves = ", ".join(named) or "what nobody has said"
            raise ValueError(f"name the resource_type: the provider serves {serves}")
        return named[0]

    def _service_token(self) -> str:
        named = getattr(self._provider, "function_name", "")
        return named if named.startswith("arn:") else SERVICE_TOKEN

    def _new_stack_id(self) -> str:
        return (
            f"arn:aws:cloudformation:us-east-1:123456789012:stack/{self.stack_name}/"
            f"{UUID(int=int(self.clock.now()))}"
        )

    def _tell(self, line: str) -> None:
        self._story.append(f"{self.clock.now() - self._began:7.0f} s  {line}")

    def _story_so_far(self) -> str:
        return "\n".join(["The story so far:", *self._story[-LAST_LINES:]])


def issued(event: Mapping[str, Any]) -> int:
    """Return when a request was issued, in seconds since 1970."""
    return issue_time(event["ResponseURL"]) or 0
