"""
A run on its stage: it operates the stack, and lets the one fault happen at its point.

    scenario ──► stack ──► stage: a request, its checkpoint ──► deliveries ──► points
                            late copies, rollbacks, cancels       twice         crashes, errors
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from botocore.exceptions import ClientError, ReadTimeoutError

from .._errors import DeliveryError, InProgress, PermanentError
from .._lambda.continuation import ContinuationRefused, ContinuationUnavailable
from .._steps.pacing import CONTINUATION
from .answers import Answer
from .events import Event
from .faults import NOTHING, RESUMED, FaultPlan
from .functions import LocalLambda
from .process import RESPOND, Crashed, Interceptor, Point
from .run import LONGEST, Broken, FaultKind, Run
from .stack import Stack
from .watchdog import Hung

LATER = 3600.0  # seconds until the copy that comes when all is gone; a ResponseURL lives for 7200
CLOUDFORMATION = "CloudFormation"
# No faults; they tell the first delivery of a request, and the one that comes meanwhile.
FIRST, OTHER = FaultPlan(strict=False), FaultPlan(strict=False)


class Over(BaseException):
    """The scenario ends here: what there is, is deleted."""

    passes_hooks = True


class Stage:
    """Operates the stack of a run: reports and judges each request; one of them has the fault."""

    def __init__(self, run: Run, stack: Stack) -> None:
        function = stack.deliveries.function
        assert isinstance(function, LocalLambda)
        self._run, self._stack, self._function = run, stack, function
        self._events, self._errors = list[Event](), list[BaseException]()
        self._copies, self._failures = Counter[str](), 0
        self._living, self._rolls_back = 0, False
        self._delete: Event | None = None  # that overtakes its Create
        stack.operator, function.intercept = self, self._intercept
        function.turns.aside = run.seen.aside

    def operate(self, event: dict[str, Any], plan: FaultPlan) -> Answer:
        if plan.named:
            named = ", ".join(plan.named)
            raise TypeError(f"a scenario of assert_safe brings no faults of its own: {named}")
        run, number = self._run, self._run.seen.request
        self._events.append(event)
        held = event.get("PhysicalResourceId")
        named = f"{event['RequestType']} of {event['LogicalResourceId']}"
        run.seen.note(f"asks for the {named}{f', {held}' if held else ''}", who=CLOUDFORMATION)
        is_cancelled = run.fault.kind is FaultKind.CANCEL and run.is_struck
        errors = self._send(event, FIRST)
        if not is_cancelled:
            answer = self._judged(event, errors)
            self.deliver_late(number)
            return answer
        if self._delete is None:
            raise Broken("the hooks make other calls when they run again, though no fault happens")
        if self._judged(self._delete, errors).succeeded:
            del self._stack.resources[event["LogicalResourceId"]]
        raise Over

    def another_fails(self) -> bool:
        run = self._run
        run.updates += 1
        self._living, self._rolls_back = len(run.ours()), run.updates - 1 == run.back_at
        return self._rolls_back

    def ended(self, what: str, answer: Answer) -> bool:
        run = self._run
        if what == "Update" and (self._rolls_back or not answer.succeeded):
            if run.checkpoints[-1].succeeded:
                run.expect(self._living, "after the Update was rolled back")
            raise Over
        if answer.succeeded:
            self._failures = 0
            return False
        if what == "Create":
            raise Over
        self._failures += 1
        if self._failures > 1:
            raise Broken(f"the {what} fails again and again: {answer.reason}")
        return True  # as an operator does after DELETE_FAILED or UPDATE_ROLLBACK_FAILED

    def deliver_late(self, after: float) -> None:
        """Deliver the copy that is late, if it comes after this request."""
        run = self._run
        if run.fault.kind is not FaultKind.LATE or run.fault.until > after or run.reached:
            return
        if not self._stack.resources:
            run.clock.advance(LATER)
        run.reached = True
        self._send(self._events[run.fault.request], NOTHING)
        run.compare()

    def meanwhile(self, event: Event) -> None:
        other = event
        if self._run.fault.kind is FaultKind.CANCEL:
            other = self._delete = self._stack.cancel(event)
            self._run.seen.note("cancels it, and asks for the Delete", who=CLOUDFORMATION)
        self._function.turns.start(partial(self._function.attempt, other, OTHER, self._errors))
        self.hand_over()

    def hand_over(self) -> None:
        self._function.turns.pause()

    def answer_to(self, event: Event) -> Answer | None:
        return self._stack.deliveries.requests.of(event).answer

    def _send(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Deliver a request, and return why it failed; what is refused of it breaks a law."""
        run, errors = self._run, list[BaseException]()
        self._errors = errors

        def job() -> None:
            self._function.attempt(event, plan, errors)
            self._function.bring_back(errors)

        try:
            with self._stack.deliveries.watched(event):
                if run.is_struck and run.fault.kind.holds_up:
                    self._function.turns.run(job)
                    self._function.bring_back(errors)  # of the one that came meanwhile
                else:
                    job()
        except AssertionError as refusal:
            run.hangs = isinstance(refusal.__cause__, Hung)
            raise Broken(str(refusal).partition("\nThe story so far")[0]) from refusal
        return errors

    def _judged(self, event: Event, errors: list[BaseException]) -> Answer:
        run = self._run
        gives_up = run.fault.kind is FaultKind.CRASH_FOR_GOOD and run.is_struck
        if self.answer_to(event) is None:
            if not gives_up:
                why = "; ".join(str(error) for error in errors) or "no delivery fails"
                raise Broken(f"the {event['RequestType']} is never answered: {why}")
            run.seen.note("gives up waiting for an answer", who=CLOUDFORMATION)
        answer = self._stack.deliveries.outcome(event, gives_up=gives_up)
        run.check(event["RequestType"], answer)
        return answer

    def _intercept(self, event: Event, plan: FaultPlan) -> Interceptor:
        self._copies[event["RequestId"]] += 1
        return StagedInvocation(self, self._run, event, plan, self._copies[event["RequestId"]])


class StagedInvocation:
    """One invocation, in which the fault happens at its point."""

    def __init__(self, stage: Stage, run: Run, event: Event, plan: FaultPlan, number: int) -> None:
        self._stage, self._run, self._seen, self._event = stage, run, run.seen, event
        self._who, self._inside = f"{event['RequestType']} {number}", list[str]()
        self._seen.who, self._seen.inside = self._who, self._inside
        self._is_other = plan is OTHER
        is_first = plan is FIRST or plan is RESUMED  # of the first delivery, which may wait
        self._is_struck = run.is_struck and is_first
        dies_for_good = run.fault.kind is FaultKind.CRASH_FOR_GOOD
        self._dies_again = run.is_struck and dies_for_good and not is_first
        if len(run.points) == self._seen.request:
            run.points.append([])
        self._record = run.points[self._seen.request] if is_first else list[Point]()
        self._points, self._actions = len(self._record), 0
        comes_back = "it comes back from its wait"
        delivers = "Lambda delivers it" + " again" * (number > 1)
        self._note(comes_back if plan is RESUMED else delivers)

    def at(self, point: Point) -> None:
        fault, number = self._run.fault, self._points
        self._points += 1
        self._see(point)
        self._record.append(point)
        if self._is_other and not point.after and self._actions == fault.until:
            self._run.reached = True
            self._hold_up(point, self._stage.hand_over)
        elif self._is_struck and number == fault.at:
            self._strike(point)
        elif self._dies_again:
            self._note("the process dies")
            raise Crashed("it died again")
        self._actions += not point.after
        answer = self._stage.answer_to(self._event)
        if answer is not None and point == Point(RESPOND, after=True):
            response = f"{answer.status} {answer.physical_resource_id} {answer.reason}"
            self._note(f"answers {response[:LONGEST].strip()}")

    def end(self, error: BaseException | None) -> None:
        if isinstance(error, InProgress):
            self._note("waits for the one before, and gives up")
        elif isinstance(error, Exception):
            self._note(f"fails: {type(error).__name__}: {error}"[:160])
        self._seen.who, self._seen.inside = self._who, []
        self._seen.look()

    def _note(self, text: str) -> None:
        self._seen.note(text, who=self._who)

    def _see(self, point: Point) -> None:
        """See what was done up to this point, and by which line."""
        seen, inside = self._seen, self._inside
        seen.who, seen.inside = self._who, inside
        is_seen = seen.look()
        if point.is_call and not point.after:
            inside.append(point.name)
        elif point.is_call:
            if not is_seen:
                self._note(f"calls {seen.call}")
            inside.pop()
        if point.is_call:
            seen.look_here()

    def _hold_up(self, point: Point, meanwhile: Callable[[], None]) -> None:
        self._note(f"is held up {point}")
        meanwhile()
        self._note("goes on")

    def _strike(self, point: Point) -> None:
        kind = self._run.fault.kind
        if kind.holds_up:
            self._hold_up(point, partial(self._stage.meanwhile, self._event))
            return
        self._run.reached = True
        if kind in (FaultKind.CRASH, FaultKind.CRASH_FOR_GOOD):
            self._note(f"the process dies {point}")
            raise Crashed(str(point))
        if kind is FaultKind.UNTOLD:
            self._note(f"cannot reach CloudFormation, {point}")
            raise DeliveryError("CloudFormation is out of reach")
        if not point.after:
            self._inside.pop()
        if kind is FaultKind.REFUSED:
            self._note(f"{point.name} is refused by the external API")
            raise _error(point.name, refused=True)
        acted = "has acted" if point.after else "has not acted"
        self._note(f"{point.name} gets no answer; the external API {acted}")
        raise _error(point.name, refused=False)


def _error(call: str, *, refused: bool) -> Exception:
    """Return what a call raises that was refused for certain, or had no answer."""
    first, _, operation = call.partition(".")
    if first == "http":
        response = requests.Response()
        response.status_code = 400
        refusal = requests.HTTPError(f"400 for {call}", response=response)
        return refusal if refused else requests.ReadTimeout(f"no answer to {call}")
    if operation:
        denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "refused"}}, operation)
        return denied if refused else ReadTimeoutError(endpoint_url=call)
    if call == CONTINUATION:
        said = f"the event cannot be brought back: {'AccessDenied' if refused else 'no answer'}"
        return ContinuationRefused(said) if refused else ContinuationUnavailable(said)
    no = f"the external API refuses {call}"
    return PermanentError(no) if refused else TimeoutError(f"no answer: {call}")
