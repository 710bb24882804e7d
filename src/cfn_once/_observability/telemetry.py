"""
What came of a delivery, reported without a call to anybody.

    two lines    when it begins, and when it ends
    one line     at its end: the outcome, and metrics in CloudWatch's embedded format
    spans        one a delivery and one a step's call, where OpenTelemetry is loaded
    log lines    bear what is known of it at the time

None of it carries a ResponseURL, a property, or the text of an exception; an answer's reason was
masked when it was made.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from .._clock import Clock, Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.envelopes import Envelope
from .._cloudformation.request import Request
from .._errors import DeliveryError, InProgress
from ..ledger import Answered, Claimed, Ignored, Lease
from .logs import AT_WORK, DELIVERIES, Work, print_json, timestamp, to_line

log = logging.getLogger("cfn_once")
deliveries = logging.getLogger(DELIVERIES)


class Trail(Work):
    """What is known of the delivery at work.

    Attributes:
        doubts: The steps that may have run.
        span: OpenTelemetry's, where it is loaded.
    """

    def __init__(self, request: Request, clock: Clock, context: Any) -> None:
        super().__init__(
            correlation_id=request.correlation_id,
            request_id=request.request_id,
            request_type=request.type.value,
            logical_resource_id=request.logical_resource_id,
            resource_type=request.resource_type,
        )
        if (lambdas := getattr(context, "aws_request_id", None)) is not None:
            self.note(function_request_id=lambdas)
        self._request, self._clock = request, clock
        self._counts: dict[str, float] = {"Deliveries": 1}
        self._at_the_end: dict[str, Json] = {}
        self._is_answered = self._is_over = False
        self.doubts: dict[str, None] = {}
        self.span: Any = None

    def begin(self, envelope: Envelope) -> None:
        """Report that it begins, before any call: a process that dies later has reported it."""
        beginning: dict[str, Json] = {
            "phase": "begins",
            "stack_id": self._request.stack_id,
            "transport": envelope.transport,
            "resumes": envelope.due > 0,
        }
        if envelope.delivery_id:
            beginning["message_id"] = envelope.delivery_id
        if envelope.receive_count:
            beginning["receive_count"] = envelope.receive_count
        deliveries.info("%s begins", self._request, extra={**self.fields, **beginning})

    def claimed(self, claimed: Claimed) -> None:
        """Take note of what the ledger says of the request."""
        if isinstance(claimed, Lease):
            operation = claimed.head.operation
            self.note(deliveries=operation.execution.deliveries)
            if operation.execution.deliveries > 1 and operation.tail_in_doubt:
                self._counts["Takeovers"] = 1
            return
        self._counts["DuplicatesSuppressed"] = 1
        if isinstance(claimed, Answered):
            self._counts["Replays"] = 1
        elif isinstance(claimed, Ignored):
            self.note(outcome="Ignored")

    def answered(self, body: bytes) -> None:
        """Take note of the response, which is sent next."""
        answer = json.loads(body)
        self._is_answered = True
        self.note(outcome=answer["Status"])
        if "Reason" in answer:
            self._at_the_end["reason"] = answer["Reason"]

    def responded(self) -> None:
        """Take note that CloudFormation has the answer."""
        self._counts["AnswersPosted"] = 1
        if self._request.issued_at is not None:
            seconds = self._clock.now() - self._request.issued_at
            self._counts["SecondsToAnswer"] = round(seconds, 3)

    def end(self, error: Exception | None = None) -> None:
        """Tell what came of it, once: a watchdog may have done so before the hook returns."""
        if self._is_over:
            return
        self._is_over = True
        if error is not None:
            self._raised(error)
        if self.doubts and self._is_answered:  # if not, another delivery may yet resolve them
            self._counts["StepsInDoubt"] = len(self.doubts)
            self._at_the_end["in_doubt"] = list(self.doubts)
        is_raised = error is not None and not isinstance(error, InProgress)
        is_failed = self.fields.get("outcome") == "FAILED"
        is_bad = is_raised or is_failed or "in_doubt" in self._at_the_end
        self._end_span(is_bad=is_bad)
        outcome = self.fields.get("outcome")
        ending = {**self.fields, **self._at_the_end, "phase": "ends"}
        deliveries.info("%s ends: %s", self._request, outcome, extra=ending)
        self._print_line(is_bad=is_bad)

    def _end_span(self, *, is_bad: bool) -> None:
        if self.span is None:
            return
        attributes = {f"cfn_once.{name}": value for name, value in self.fields.items()}
        self.span.set_attributes(attributes)
        if is_bad:
            _mark(self.span, str(self.fields.get("outcome")))
        self.span.end()

    def _print_line(self, *, is_bad: bool) -> None:
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        if function and os.environ.get("CFN_ONCE_METRICS", "").lower() != "off":
            line = to_line(self._line(function, "ERROR" if is_bad else "INFO"))
            sys.stdout.write(line + "\n")  # at once, so that nothing comes between
            sys.stdout.flush()  # the sandbox may be frozen next

    def _raised(self, error: Exception) -> None:
        name = type(error).__name__
        self._at_the_end["error"] = name
        self.fields = {"outcome": name, **self.fields}
        if isinstance(error, DeliveryError):
            self._counts["AnswersFailed"] = 1
        elif isinstance(error, InProgress) and "deliveries" not in self.fields:
            self._counts["DuplicatesSuppressed"] = 1

    def _line(self, function: str, level: str) -> dict[str, Json]:
        now = self._clock.now()
        metrics = [
            {"Name": name, "Unit": "Seconds" if name == "SecondsToAnswer" else "Count"}
            for name in self._counts
        ]
        # One set of dimensions: CloudWatch bills every metric again in every further set.
        about = {"Namespace": "cfn-once", "Dimensions": [["FunctionName"]], "Metrics": metrics}
        return {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [about]},
            "FunctionName": function,
            **self._counts,
            # Where Lambda filters by level, it takes a line without these two for INFO.
            "timestamp": timestamp(now),
            "level": level,
            "message": f"{self._request}: {self.fields.get('outcome')}",
            **self.fields,
            **self._at_the_end,
        }


@contextmanager
def following(request: Request, clock: Clock, context: Any, envelope: Envelope) -> Iterator[Trail]:
    """Report one delivery of a request; if its process dies on the way, only that it has begun."""
    print_json()
    trail = Trail(request, clock, context)
    before = AT_WORK.set(trail)
    trail.begin(envelope)
    try:
        with _span(f"cfn_once {request.type}", end_on_exit=False) as trail.span:
            yield trail
    except Exception as error:
        trail.end(error)
        raise
    else:
        trail.end()
    finally:
        AT_WORK.reset(before)


@contextmanager
def telling(body: bytes) -> Iterator[None]:
    """Report the PUT of a response, with which a delivery ends."""
    trail = _trail()
    if trail is None:
        yield
        return
    trail.answered(body)
    try:
        yield
    except DeliveryError as error:
        trail.end(error)
        raise
    trail.responded()
    trail.end()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell of one call of a step; after one that failed, lines bear its name until the next."""
    trail = _trail()
    if trail is None:
        yield
        return
    trail.note(step=name)
    with _span(name) as span:
        try:
            yield
        except BaseException as error:
            if span is not None:
                _mark(span, type(error).__name__)
            raise
    trail.forget("step")


def in_doubt(name: str) -> None:
    """Report a step that may have run; reported twice, it counts once."""
    trail = _trail()
    if trail is not None:
        trail.doubts[name] = None


def _trail() -> Trail | None:
    work = AT_WORK.get()
    return work if isinstance(work, Trail) else None


def _span(name: str, *, end_on_exit: bool = True) -> AbstractContextManager[Any]:
    # Who exports spans has loaded the API before the first event: there is nothing to import.
    api: Any = sys.modules.get("opentelemetry.trace")
    if api is None:
        return nullcontext()
    started: AbstractContextManager[Any] = api.get_tracer("cfn_once").start_as_current_span(
        name,
        end_on_exit=end_on_exit,
        record_exception=False,  # the text of an error may hold a secret
        set_status_on_exception=False,
    )
    return started


def _mark(span: Any, kind: str) -> None:
    span.set_status(sys.modules["opentelemetry.trace"].StatusCode.ERROR, kind)


def warn_of_timeouts(request: Request, deadline: Deadline) -> bool:
    """Warn where CloudFormation gives up while the function works on; tell whether."""
    patience = request.service_timeout
    if not deadline.function or patience >= deadline.total:  # off Lambda, nothing ends it
        return False
    log.warning(
        "%s: CloudFormation waits %d s for the response, by its ServiceTimeout, and the function"
        " may run for %.0f s: a request that takes longer fails while it is still at work. Set a"
        " ServiceTimeout with room for three tries, such as 600 for a Timeout of 120",
        request,
        patience,
        deadline.total,
    )
    return True
