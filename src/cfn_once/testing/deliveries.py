"""
The requests of a stack: handed to a function as often and as late as a plan says, and answered.

    add ──► deliver ──► the function ──► a PUT to the ResponseURL ──► keep: judged, received
              └─ at once, again and again, late
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
FIRST_INVENTED = 16**11  # twelve capitals and digits, as CloudFormation has


class Function(Protocol):
    """What requests are handed to; where it is virtual, waiting for it takes no time."""

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
    """What a stack asked for, what CloudFormation received, and the story of both."""

    def __init__(self, turns: Turns, stack_name: str) -> None:
        self.number, self.answers = 0, list[tuple[dict[str, Any], Answer]]()
        self._turns, self._stack_name = turns, stack_name
        self._began, self.lines = turns.now(), list[str]()
        self._asked: dict[str, Asked] = {}
        self._newest: dict[str, str] = {}
        self.refusals: list[AssertionError] = []

    @property
    def story_so_far(self) -> str:
        """The end of it, for an error."""
        return "\n".join(["The story so far:", *self.lines[-LAST_LINES:]])

    @property
    def unanswered(self) -> list[str]:
        """The newest request to each resource that was delivered and is not answered."""
        newest = [self._asked[url] for url in self._newest.values()]
        waiting = [asked for asked in newest if asked.answer is None and not asked.is_given_up]
        return [f"the {_named(asked.event)}" for asked in waiting]

    def note(self, line: str) -> None:
        self.lines.append(f"{self._turns.now() - self._began:7.0f} s  {line}")

    def add(self, event: dict[str, Any]) -> dict[str, Any]:
        self._asked[event["ResponseURL"]] = Asked(event)
        return event

    def leaves(self, event: Event, copies: int) -> None:
        """Take note that so many copies of a request are delivered."""
        self.note(f"{_named(event)} is delivered{f', {copies} at once' if copies > 1 else ''}")
        url, logical_id = event["ResponseURL"], event["LogicalResourceId"]
        self._asked.setdefault(url, Asked(dict(event)))
        if logical_id not in self._newest or _issued(self.newest(logical_id)) <= _issued(event):
            self._newest[logical_id] = url

    def newest(self, logical_id: str) -> Event:
        """Return the newest request to a resource that was delivered."""
        return self._asked[self._newest[logical_id]].event

    def of(self, event: Event) -> Asked:
        return self._asked.get(event["ResponseURL"]) or Asked(dict(event))

    def invented_id(self, logical_id: str) -> str:
        """Return an id as CloudFormation makes one up if it received none."""
        return f"{self._stack_name}-{logical_id}-{FIRST_INVENTED + self.number:X}"

    def keep(self, url: str, body: bytes) -> None:
        """Take an answer; S3 takes anything, and CloudFormation refuses later."""
        try:
            assert url in self._asked, "an answer to a request that this stack has not sent"
            asked = self._asked[url]
            judge(asked.event, body)
            if asked.answer is None:
                asked.answer, asked.answered_at = read(body), self._turns.now()
            answer, kept = asked.answer, asked.answer.body
            assert kept == body, f"two answers to the {_named(asked.event)}: {kept!r} and {body!r}"
        except AssertionError as refusal:
            self.refusals.append(refusal)
        else:
            self.note(f"  answered {answer.status} {answer.physical_resource_id} {answer.reason}")
            self.answers.append((asked.event, answer))


class Deliveries:
    """How requests get to a function; a test decides by itself what follows a failure."""

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
        gives_up = plan.may_silence or self.turns.now() > _deadline(event)
        if errors and not gives_up and self.requests.of(event).answer is None:
            raise errors[0]
        return self.outcome(event, gives_up=gives_up)

    def another_fails(self) -> bool:
        return False

    def ended(self, what: str, answer: Answer) -> bool:
        del what, answer
        return False

    def outcome(self, event: Event, *, gives_up: bool) -> Answer:
        """Return the answer, or what CloudFormation says when it has waited for none."""
        requests, asked, until = self.requests, self.requests.of(event), _deadline(event)
        if asked.answer is not None and asked.answered_at <= until:
            return asked.answer
        if asked.answer is None and not gives_up:
            hangs = f"the stack hangs: the {_named(event)} was never answered"
            raise AssertionError(f"{hangs}\n{requests.story_so_far}")
        if self.function.is_virtual:
            self.wait(max(0.0, until - self.turns.now()))
        asked.is_given_up = True
        requests.note(f"  {not_received(event)}")
        invented = requests.invented_id(event["LogicalResourceId"])
        return refused(not_received(event), event.get("PhysicalResourceId", invented))

    def invoke(self, event: Event, plan: FaultPlan, provider: Provider | None) -> None:
        self.bucket.refuse(plan.lost_answers)
        with self.watched(event):
            self.function.invoke(event, plan, provider=provider)

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Deliver as often as the faults say; return the errors of those that Lambda gave up."""
        self.bucket.refuse(plan.lost_answers)
        with self.watched(event, plan.at_once):
            errors = self.function.deliver(event, plan)
        for _ in range(plan.times - 1):
            with self.watched(event):
                errors += self.function.deliver(event, NOTHING)
        if plan.late is not None:
            self._late.append((self.turns.now() + plan.late, event))
        return errors

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
        """Count, tell and watch over what is done about a request, and refuse its answers."""
        self.count += copies
        self.requests.leaves(event, copies)
        try:
            with self._watchdog:
                yield
        except Hung as hung:
            hangs = f"a hook hangs in the {_named(event)}:\n{hung}"
            raise AssertionError(f"{hangs}\n{self.requests.story_so_far}") from hung
        finally:
            if self.requests.refusals:
                raise self.requests.refusals.pop(0)


def _deadline(event: Event) -> float:
    """Return when CloudFormation stops waiting for an answer."""
    return _issued(event) + float(event.get("ServiceTimeout", SERVICE_TIMEOUT))


def _issued(event: Event) -> int:
    """Return when a request was issued, in seconds since 1970."""
    return issue_time(event["ResponseURL"]) or 0


def _named(event: Event) -> str:
    return f"{event['RequestType']} of {event['LogicalResourceId']}"
