"""
The requests of a stack: handed to a function as often and as late as a plan says, and answered.

    add ──► deliver ──► the function ──► a PUT to the ResponseURL ──► keep: judged, told
              └─ at once, again and again, late
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from .._cloudformation.request import SERVICE_TIMEOUT, issue_time
from .._provider import Provider
from .answers import Answer, judge, not_received, read, refused
from .clock import Turns
from .events import Event
from .faults import NOTHING, FaultPlan
from .responses import ResponseBucket, S3Bucket
from .watchdog import HangWatchdog, Hung

LAST_LINES = 25  # of a story
FIRST_INVENTED = 0x10000000000  # the end of an id: as long as CloudFormation makes them


Other = Callable[[str], Event | None]


class Function(Protocol):
    """What requests are handed to.

    Attributes:
        made: The name of every call that was ever made, as far as is known.
        is_virtual: Waiting for it takes no time.
    """

    made: set[str]
    is_virtual: bool
    resource_types: tuple[str, ...]
    service_token: str
    turns: Turns

    def invoke(self, event: Event, plan: FaultPlan, *, provider: Provider | None = None) -> None:
        """Hand a request over once."""

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Hand it over as Lambda does; return what those raised that were given up."""


@dataclass(slots=True)
class Asked:
    """One request, and what became of it."""

    event: dict[str, Any]
    answer: Answer | None = None
    answered_at: float = 0.0
    is_given_up: bool = False


class Requests:
    """What a stack asked for, what CloudFormation was told of it, and the story of both.

    Attributes:
        number: So many were made.
        answers: Every answer, in order.
    """

    def __init__(self, turns: Turns, stack_name: str) -> None:
        self.number, self.answers = 0, list[tuple[dict[str, Any], Answer]]()
        self._stack_name = stack_name
        self._turns, self._began, self._lines = turns, turns.now(), list[str]()
        self._asked: dict[str, Asked] = {}
        self._newest: dict[str, str] = {}
        self._refusals: list[AssertionError] = []

    @property
    def story(self) -> str:
        """What has happened so far."""
        return "\n".join(self._lines)

    @property
    def story_so_far(self) -> str:
        """The end of it, for an error."""
        return "\n".join(["The story so far:", *self._lines[-LAST_LINES:]])

    @property
    def unanswered(self) -> list[str]:
        """The newest request to each resource that was delivered and is not answered."""
        newest = [self._asked[url] for url in self._newest.values()]
        return [
            f"the {_named(asked.event)}"
            for asked in newest
            if asked.answer is None and not asked.is_given_up
        ]

    def tell(self, line: str) -> None:
        """Add a line to the story."""
        self._lines.append(f"{self._turns.now() - self._began:7.0f} s  {line}")

    def add(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take note of a request, and return it."""
        self._asked[event["ResponseURL"]] = Asked(event)
        return event

    def leaves(self, event: Event, copies: int) -> None:
        """Take note that so many copies of a request are delivered."""
        self.tell(f"{_named(event)} is delivered{f', {copies} at once' if copies > 1 else ''}")
        url, logical_id = event["ResponseURL"], event["LogicalResourceId"]
        self._asked.setdefault(url, Asked(dict(event)))
        if logical_id not in self._newest or _issued(self.newest(logical_id)) <= _issued(event):
            self._newest[logical_id] = url

    def newest(self, logical_id: str) -> Event:
        """Return the newest request to a resource that was delivered."""
        return self._asked[self._newest[logical_id]].event

    def invented_id(self, logical_id: str) -> str:
        """Return an id as CloudFormation invents one where it was told none."""
        return f"{self._stack_name}-{logical_id}-{FIRST_INVENTED + self.number:X}"

    def of(self, event: Event) -> Asked:
        """Return what became of a request."""
        return self._asked.get(event["ResponseURL"]) or Asked(dict(event))

    def keep(self, url: str, body: bytes) -> None:
        """Take an answer; S3 takes anything, and what CloudFormation refuses is told later."""
        try:
            assert url in self._asked, "an answer to a request that this stack has not sent"
            asked = self._asked[url]
            judge(asked.event, body)
            if asked.answer is None:
                asked.answer, asked.answered_at = read(body), self._turns.now()
            answer, told = asked.answer, asked.answer.body
            assert told == body, f"two answers to the {_named(asked.event)}: {told!r} and {body!r}"
        except AssertionError as refusal:
            self._refusals.append(refusal)
        else:
            self.tell(f"  answered {answer.status} {answer.physical_resource_id} {answer.reason}")
            self.answers.append((asked.event, answer))

    def raise_refusals(self) -> None:
        """Raise why CloudFormation refuses an answer that it was told."""
        if self._refusals:
            raise self._refusals.pop(0)


class Deliveries:
    """How requests get to a function, and what CloudFormation makes of them.

    It operates a stack for a test, which decides by itself what follows a failure.

    Attributes:
        count: How often the function was invoked, Lambda's retries apart.
    """

    def __init__(
        self,
        function: Function,
        bucket: ResponseBucket | S3Bucket,
        requests: Requests,
        watchdog: HangWatchdog,
    ) -> None:
        self.function, self.bucket, self.requests = function, bucket, requests
        self.turns, self.count = function.turns, 0
        self._watchdog = watchdog
        self._late: list[tuple[float, Event]] = []

    def operate(self, event: Event, plan: FaultPlan) -> Answer:
        """Hand a request over, and return what CloudFormation makes of it."""
        self.deliver_late(self.turns.now())
        errors = self.deliver(event, plan)
        gives_up = plan.may_silence or self.turns.now() > deadline_of(event)
        if errors and not gives_up and self.requests.of(event).answer is None:
            raise errors[0]
        return self.outcome(event, gives_up=gives_up)

    def another_fails(self) -> bool:
        """No other resource of the stack fails."""
        return False

    def tries_again(self, what: str, answer: Answer) -> bool:
        """Nothing is tried again."""
        del what, answer
        return False

    def outcome(self, event: Event, *, gives_up: bool) -> Answer:
        """Return the answer, or what CloudFormation says when it has waited for none."""
        asked, until = self.requests.of(event), deadline_of(event)
        if asked.answer is not None and asked.answered_at <= until:
            return asked.answer
        if asked.answer is None and not gives_up:
            raise AssertionError(
                f"the stack hangs: the {_named(event)} was never answered\n"
                f"{self.requests.story_so_far}"
            )
        if self.function.is_virtual:
            self.wait(max(0.0, until - self.turns.now()))
        asked.is_given_up = True
        self.requests.tell(f"  {not_received(event)}")
        invented = self.requests.invented_id(event["LogicalResourceId"])
        return refused(not_received(event), event.get("PhysicalResourceId", invented))

    def invoke(self, event: Event, plan: FaultPlan, provider: Provider | None) -> None:
        """Invoke the function once."""
        self.bucket.refuse(plan.lost_answers)
        with self.watched(event):
            self.function.invoke(event, plan, provider=provider)

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Deliver as often as it befalls; return what those raised that Lambda has given up."""
        self.bucket.refuse(plan.lost_answers)
        with self.watched(event, plan.at_once):
            errors = self.function.deliver(event, plan)
        for _ in range(plan.times - 1):
            with self.watched(event):
                errors += self.function.deliver(event, NOTHING)
        if plan.late is not None:
            self._late.append((self.turns.now() + plan.late, event))
        return errors

    def interrupt(
        self, event: Event, attempt: Callable[..., None], plan: FaultPlan, other: Other
    ) -> None:
        """Deliver a request, and another one meanwhile, in turns.

        Args:
            event: The request.
            attempt: Delivers either.
            plan: What befalls the first.
            other: Is told the name of each call, and returns the other request when it is due.
        """
        errors: list[BaseException] = []

        def overtake(other: Event) -> None:
            with self.watched(other):
                attempt(other, NOTHING, errors)

        def on_call(name: str) -> None:
            if (due := other(name)) is not None:
                self.turns.start(partial(overtake, due))

        self.bucket.refuse(plan.lost_answers)
        with self.watched(event):
            self.turns.run(lambda: attempt(event, plan, errors, on_call=on_call))

    def deliver_late(self, until: float) -> None:
        """Deliver the copies that are due; nobody waits for them, so they may fail."""
        self._late.sort(key=lambda copy: copy[0])
        while self._late and self._late[0][0] <= until:
            moment, event = self._late.pop(0)
            self.turns.clock.advance(max(0.0, moment - self.turns.now()))
            with self.watched(event):
                self.function.deliver(event, NOTHING)

    def wait(self, seconds: float) -> None:
        """Let time pass; copies that are late come when they are due."""
        until = self.turns.now() + seconds
        self.deliver_late(until)
        self.turns.clock.advance(max(0.0, until - self.turns.now()))

    @contextmanager
    def watched(self, event: Event, copies: int = 1) -> Iterator[None]:
        """Count, tell and watch over what is done about a request.

        Raises:
            AssertionError: A hook hangs, or CloudFormation refuses an answer.
        """
        self.count += copies
        self.requests.leaves(event, copies)
        try:
            with self._watchdog:
                yield
        except Hung as hung:
            story = self.requests.story_so_far
            raise AssertionError(
                f"a hook hangs in the {_named(event)}:\n{hung.where}\n{story}"
            ) from hung
        finally:
            self.requests.raise_refusals()


def deadline_of(event: Event) -> float:
    """Return when CloudFormation stops waiting for an answer."""
    return _issued(event) + float(event.get("ServiceTimeout", SERVICE_TIMEOUT))


def _issued(event: Event) -> int:
    """Return when a request was issued, in seconds since 1970."""
    return issue_time(event["ResponseURL"]) or 0


def _named(event: Event) -> str:
    return f"{event['RequestType']} of {event['LogicalResourceId']}"
