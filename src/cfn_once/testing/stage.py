"""
A run on its stage: the stack, the Lambda and the process that let one fault happen at its point.

    scenario ──► stack: a request, its checkpoint ──► Lambda: deliveries ──► process: points
                   late copies, rollbacks, cancels       twins meanwhile       crashes, errors
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Unpack

import requests
from botocore.exceptions import ClientError, ReadTimeoutError

from .._clock import Deadline
from .._cloudformation.delivery import Delivery
from .._cloudformation.request import Json, Request
from .._errors import DeliveryError, InProgress, PermanentError
from .._provider import Provider
from .answers import CANCELLED, Answer
from .cloudformation import FakeCloudFormation
from .faults import NOTHING, FaultPlan, Faults
from .local import LocalLambda
from .process import TELL, Crashed, Point, Process
from .run import Broken, Kind, Run
from .stack import Held
from .watchdog import Hung

LATER = 3600.0  # seconds until the copy that comes when all is gone; a ResponseURL lives for 7200
CLOUDFORMATION = "CloudFormation"
NEVER = 10_000  # more than any request's number

Scenario = Callable[[FakeCloudFormation], object]


class Over(BaseException):
    """The scenario ends here: what there is, is deleted."""


def play(run: Run, scenario: Scenario, watchdog: float) -> Run:
    """Run a scenario from its beginning to its end, and return what was seen."""
    far_side: Any = run.far_side
    far_side.reset()
    own_clock = getattr(far_side, "clock", None)
    if own_clock is not None:
        far_side.clock = run.clock
    listeners = getattr(far_side, "listeners", [])
    listeners.append(run.listen)
    stack = StagedStack(run, watchdog)
    try:
        try:
            scenario(stack)
        except Over:
            stack.give_up()
        if stack.resources:
            raise ValueError(
                f"the scenario leaves {', '.join(stack.resources)} in the stack: end it with"
                " stack.delete(...), so that what is left then is left for ever"
            )
        stack.deliver_late(NEVER)
        run.judge_the_end()
    except Broken as broken:
        run.broken = str(broken)
    finally:
        listeners.remove(run.listen)
        if own_clock is not None:
            far_side.clock = own_clock
        stack.close()
    return run


class StagedStack(FakeCloudFormation):
    """A stack whose requests are counted and judged; the fault befalls one of them."""

    def __init__(self, run: Run, watchdog: float) -> None:
        super().__init__(run.provider, clock=run.clock, watchdog=watchdog)
        self._run, self._events = run, list[dict[str, Any]]()
        assert isinstance(self._function, LocalLambda)
        self._function.turns.aside = run.aside
        self._lambda = self._function = StagedLambda(self._function, run)

    def create(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        resource_type: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        _refuse(faults)
        return _going_on(super().create(logical_id, properties, resource_type=resource_type))

    def update(
        self,
        logical_id: str,
        properties: Mapping[str, Json] | None = None,
        *,
        service_token: str | None = None,
        **faults: Unpack[Faults],
    ) -> Answer:
        _refuse(faults)
        run, before = self._run, len(self._run.far_side.objects)
        run.updates += 1
        goes_back = run.updates - 1 == run.back_at
        if goes_back:
            answer = self.update_and_roll_back(logical_id, properties or {})
        else:
            answer = super().update(logical_id, properties, service_token=service_token)
        if goes_back or not answer.succeeded:
            if run.checkpoints[-1].succeeded:
                run.expect(before, "after the Update was rolled back")
            raise Over
        return answer

    def delete(self, logical_id: str, **faults: Unpack[Faults]) -> Answer:
        _refuse(faults)
        answer = super().delete(logical_id)
        if not answer.succeeded:  # whoever sees DELETE_FAILED tries again
            answer = super().delete(logical_id)
        if not answer.succeeded:
            raise Broken(f"the Delete fails again and again: {answer.reason}")
        return answer

    def roll_back(self, logical_id: str, *, to: Held, from_: Held) -> Answer:
        answer = super().roll_back(logical_id, to=to, from_=from_)
        if not answer.succeeded:  # whoever sees UPDATE_ROLLBACK_FAILED continues the rollback
            answer = super().roll_back(logical_id, to=to, from_=from_)
        if not answer.succeeded:
            raise Broken(f"the rollback fails again and again: {answer.reason}")
        return answer

    def give_up(self) -> None:
        """Delete all, after something has failed."""
        for logical_id in reversed(list(self.resources)):
            self.delete(logical_id)

    def deliver_late(self, after: int) -> None:
        """Deliver the copy that is late, if it comes after this request."""
        run = self._run
        if run.fault.kind is not Kind.LATE or run.fault.until > after or run.reached:
            return
        if not self.resources:
            self.clock.advance(LATER)
        run.reached, event = True, self._events[run.fault.request]
        self._send(event)
        run.compare()

    def _send(self, event: dict[str, Any]) -> list[BaseException]:
        """Deliver a request, and return why it failed.

        Raises:
            Broken: A hook hangs, or CloudFormation refuses the answer.
        """
        try:
            with self._watched(event):
                return self._lambda.deliver(event, NOTHING)
        except AssertionError as refusal:
            self._run.hangs = isinstance(refusal.__cause__, Hung)
            raise Broken(str(refusal).partition("\nThe story so far")[0]) from refusal

    def _create(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        run = self._run
        if run.fault.kind is not Kind.CANCEL or run.fault.request != run.request:
            return super()._create(event, plan)
        logical_id, deletes = event["LogicalResourceId"], list[dict[str, Any]]()
        held = Held(
            event["ResourceType"], self._invented_id(logical_id), event["ResourceProperties"], {}
        )

        def cancel() -> dict[str, Any]:
            self._status(event, "CREATE_FAILED", CANCELLED)
            self._given_up.add(event["ResponseURL"])
            self.resources[logical_id] = held
            deletes.append(self.event("Delete", logical_id))
            run.tell("cancels it, and asks for the Delete", who=CLOUDFORMATION)
            self._sent[deletes[0]["ResponseURL"]] = deletes[0]
            return deletes[0]

        self._lambda.cancel = cancel
        self._ask(event)
        errors = self._send(event)
        if not deletes:
            raise Broken("the hooks go another way when they run again, though nothing befell them")
        answer = self._judged(deletes[0], errors)
        self._deleted(logical_id, answer)
        raise Over

    def _operate(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        del plan
        number = self._run.request
        self._events.append(event)
        self._ask(event)
        answer = self._judged(event, self._send(event))
        self.deliver_late(number)
        return answer

    def _ask(self, event: dict[str, Any]) -> None:
        named = f"{event['RequestType']} of {event['LogicalResourceId']}"
        held = event.get("PhysicalResourceId")
        self._run.tell(f"asks for the {named}{f', {held}' if held else ''}", who=CLOUDFORMATION)

    def _judged(self, event: dict[str, Any], errors: list[BaseException]) -> Answer:
        run = self._run
        gives_up = run.fault.kind is Kind.CRASH_FOR_GOOD and run.fault.request == run.request
        if self.answer_to(event) is None:
            if not gives_up:
                why = "; ".join(str(error) for error in errors) or "no delivery fails"
                raise Broken(f"the {event['RequestType']} is never answered: {why}")
            run.tell("gives up waiting for an answer", who=CLOUDFORMATION)
        answer = self._outcome(event, gives_up=gives_up)
        run.check(event["RequestType"], answer)
        return answer


class StagedLambda:
    """Lambda, which tells what it does, and lets a twin or a Delete come meanwhile.

    Args:
        function: What is staged.
        run: Looks on.

    Attributes:
        cancel: Makes the Delete that comes meanwhile.
    """

    def __init__(self, function: LocalLambda, run: Run) -> None:
        self.cancel: Callable[[], dict[str, Any]] | None = None
        self.made = function.made
        self._function, self._run = function, run
        self._copies, self._errors = Counter[str](), list[BaseException]()

    def deliver(self, event: Mapping[str, Any], plan: FaultPlan) -> list[BaseException]:
        del plan  # the fault is the run's
        fault, self._errors = self._run.fault, []
        job = partial(self._attempt, event)
        if fault.kind in (Kind.TWIN, Kind.CANCEL) and fault.request == self._run.request:
            self._function.turns.run(job)
        else:
            job()
        return self._errors

    def invoke(
        self, event: Mapping[str, Any], plan: FaultPlan, *, provider: Provider | None = None
    ) -> None:
        del plan, provider
        function = self._function
        self._copies[event["RequestId"]] += 1
        number = self._copies[event["RequestId"]]
        invocation = StagedInvocation(self, function.delivery, self._run, event, number)
        process = Process(function.ledger, invocation, invocation)
        ports = dict.fromkeys(("ledger", "delivery", "calls"), process)
        try:
            function.drive(self._run.provider, event, **ports)
        except InProgress:
            invocation.tell("waits for the one before, and gives up")
            raise
        except Exception as error:
            invocation.tell(f"fails: {type(error).__name__}: {error}"[:160])
            raise
        finally:
            invocation.look_outside()

    def meanwhile(self, event: Mapping[str, Any]) -> None:
        """Let another copy come, or the Delete."""
        other = self.cancel() if self.cancel is not None else event
        self._function.turns.start(partial(self._attempt, other))
        self.hand_over()

    def hand_over(self) -> None:
        """Let the others go first."""
        self._function.turns.pause()

    def _attempt(self, event: Mapping[str, Any]) -> None:
        self._function.retry(lambda _: self.invoke(event, NOTHING), self._errors)


class StagedInvocation:
    """One invocation, in which the fault happens at its point.

    It stands at every point of the process, and between it and the bucket.
    """

    def __init__(
        self,
        function: StagedLambda,
        delivery: Delivery,
        run: Run,
        event: Mapping[str, Any],
        number: int,
    ) -> None:
        self._function, self._delivery, self._run = function, delivery, run
        self._event, self._number = event, number
        self._who = f"{event['RequestType']} {number}"
        self._inside, self._points, self._actions = list[str](), 0, 0
        run.who, run.call = self._who, self._inside
        struck, kind = run.fault.request == run.request, run.fault.kind
        other = ("Delete", 1) if kind is Kind.CANCEL else (event["RequestType"], 2)
        self._is_other = (
            struck and kind in (Kind.TWIN, Kind.CANCEL) and (event["RequestType"], number) == other
        )
        self._is_struck = struck and number == 1 and not self._is_other
        if len(run.points) == run.request:
            run.points.append([])
        self._record = (
            run.points[run.request] if number == 1 and not self._is_other else list[Point]()
        )
        self.tell("Lambda delivers it" + (" again" if number > 1 else ""))

    def tell(self, text: str) -> None:
        """Add a line of this delivery to the story."""
        self._run.tell(text, who=self._who)

    def look_outside(self) -> None:
        """See what was done after the last action."""
        self._run.who, self._run.call = self._who, []
        self._run.look(None)

    def check(self, request: Request) -> None:
        self._delivery.check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        self._delivery.put(request, body, deadline)
        self._answer = json.loads(body)

    def at(self, point: Point) -> None:
        index, self._points = self._points, self._points + 1
        self._see(point)
        self._record.append(point)
        if self._is_other:
            self._hold_up_the_other(point)
        elif self._is_struck and index == self._run.fault.at:
            self._strike(point)
        elif self._run.fault.kind is Kind.CRASH_FOR_GOOD and not self._is_struck:
            self._die_again(index)
        self._actions += not point.after
        if point == Point(TELL, after=True):
            said = self._answer
            told = f"{said['Status']} {said['PhysicalResourceId']} {said.get('Reason', '')}"
            self.tell(f"answers {told[:300].strip()}")

    def _see(self, point: Point) -> None:
        """See what was done up to this point, and by which line."""
        run, inside = self._run, self._inside
        run.who = self._who
        by = inside[-1] if inside else None
        if point.after and point.is_call:
            if not run.look(by):
                self.tell(f"calls {by}")
            inside.pop()
        else:
            run.look(by)
            if point.is_call:
                inside.append(point.name)
        run.call = inside
        if point.is_call:
            run.place = run.place_of(sys._getframe())  # noqa: SLF001 - the way there is

    def _hold_up_the_other(self, point: Point) -> None:
        if not point.after and self._actions == self._run.fault.until:
            self._run.reached = True
            self._hold_up(point, self._function.hand_over)

    def _hold_up(self, point: Point, meanwhile: Callable[[], None]) -> None:
        self.tell(f"is held up {point}")
        meanwhile()
        self.tell("goes on")

    def _die_again(self, index: int) -> None:
        if index == 0 and self._run.fault.request == self._run.request:
            self.tell("the process dies")
            raise Crashed("it died again")

    def _strike(self, point: Point) -> None:
        run = self._run
        kind = run.fault.kind
        if kind is Kind.TWIN or kind is Kind.CANCEL:
            self._hold_up(point, lambda: self._function.meanwhile(self._event))
            return
        run.reached = True
        if kind is Kind.CRASH or kind is Kind.CRASH_FOR_GOOD:
            self.tell(f"the process dies {point}")
            raise Crashed(str(point))
        if kind is Kind.UNTOLD:
            self.tell(f"cannot reach CloudFormation, {point}")
            raise DeliveryError("CloudFormation is out of reach")
        if not point.after:
            self._inside.pop()
        if kind is Kind.REFUSED:
            self.tell(f"{point.name} is refused by the far side")
            raise _refusal(point.name)
        acted = "has acted" if point.after else "has not acted"
        self.tell(f"{point.name} gets no answer; the far side {acted}")
        raise _no_answer(point.name)


def _going_on(answer: Answer) -> Answer:
    if not answer.succeeded:
        raise Over
    return answer


def _refuse(faults: Mapping[str, Any]) -> None:
    if faults:
        named = ", ".join(faults)
        raise TypeError(f"a scenario of assert_safe brings no faults of its own: {named}")


def _refusal(name: str) -> Exception:
    """Return an error that says for certain that nothing was done."""
    first, _, operation = name.partition(".")
    if first == "http":
        response = requests.Response()
        response.status_code = 400
        return requests.HTTPError(f"400 for {name}", response=response)
    if operation:
        return ClientError({"Error": {"Code": "AccessDenied", "Message": "refused"}}, operation)
    return PermanentError(f"the far side refuses {name}")


def _no_answer(name: str) -> Exception:
    first, _, operation = name.partition(".")
    if first == "http":
        return requests.ReadTimeout(f"no answer to {name}")
    return ReadTimeoutError(endpoint_url=name) if operation else TimeoutError(f"no answer: {name}")
