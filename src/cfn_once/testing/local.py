"""
Lambda, as CloudFormation meets it: an event is invoked asynchronously, again after each error.

    deliver ──► invoke ──► answered, or silent on purpose
                  └─ error, crash, timeout ─► a minute ─► invoke ─► two minutes ─► invoke
"""

import json
import logging
from collections.abc import Callable
from functools import partial

from .._clock import Deadline
from .._cloudformation.delivery import Delivery, HttpsDelivery
from .._cloudformation.request import Request
from .._errors import DeliveryError
from .._provider import Provider
from ..ledger import Store
from .clock import Turns
from .events import SERVICE_TOKEN, Envelope, Event, LambdaContext
from .faults import NOTHING, FaultInjector, FaultPlan
from .process import Crashed, Interceptor, Process
from .responses import Keep, ResponseBucket

log = logging.getLogger("cfn_once.testing")

RETRY_PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
Tell = Callable[[str], None]


class LocalLambda:
    """A function that is a provider in this process, in virtual time.

    Attributes:
        made: The name of every call that was ever made.
        waiting: What is to come back, by the moment when it is due.
        continues: A hook may send its event to come back.
        intercept: Makes what stands at the points of an invocation, from the event, what befalls
            it, and who is told of its calls.
    """

    is_virtual, service_token = True, SERVICE_TOKEN

    def __init__(
        self, provider: Provider, ledger: Store, turns: Turns, timeout: float, *, over_http: bool
    ) -> None:
        self.turns, self.resource_types = turns, provider.resource_types
        self.made, self.continues = set[str](), True
        self.waiting: dict[float, Event] = {}
        self.intercept: Callable[[Event, FaultPlan, Tell | None], Interceptor] = self._inject
        self._provider, self._ledger = provider, ledger
        self._timeout, self._over_http = timeout, over_http

    def open(self, keep: Keep, tell: Tell, envelope: Envelope) -> ResponseBucket:
        """Take answers from now on, and tell what happens; requests come in an envelope."""
        self._tell, self._envelope = tell, envelope
        bucket = ResponseBucket(keep, self.turns.now)
        self._delivery: Delivery = InProcessDelivery(bucket)
        if self._over_http:
            bucket.serve()
            self._delivery = HttpsDelivery(hosts=[bucket.host])
        return bucket

    def invoke(
        self,
        event: Event,
        plan: FaultPlan,
        *,
        provider: Provider | None = None,
        on_call: Tell | None = None,
    ) -> None:
        """Run the provider once, or another version of it.

        Raises:
            Crashed: The process died.
            AssertionError: A fault could not befall.
        """
        context = LambdaContext(
            timeout=self._timeout,
            now=self.turns.now,
            aws_request_id=event.get("RequestId", LambdaContext.aws_request_id),
        )
        interceptor = self.intercept(event, plan, on_call)
        process = Process(self._ledger, self._delivery, interceptor)
        driven = (provider or self._provider).using(
            ledger=process,
            delivery=process,
            calls=process,
            clock=self.turns,
            continuation=process if self.continues else None,
        )
        failed: BaseException | None = None
        try:
            again = driven(json.loads(json.dumps(self._envelope(event))), context)
            if again and again["batchItemFailures"]:
                raise RuntimeError(
                    "SQS delivers the message again: the function could not handle it"
                )
        except BaseException as error:
            failed = error
            raise
        finally:
            self.waiting |= process.sent
            interceptor.end(failed)

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Deliver copies at the same time, and what comes back; the plan befalls the first.

        Returns:
            What those raised that Lambda has given up.

        Raises:
            AssertionError: Something is not as CloudFormation or the test has it.
        """
        errors: list[BaseException] = []
        first = partial(self.attempt, event, plan, errors)
        copy = partial(self.attempt, event, NOTHING, errors)
        if plan.at_once == 1:
            first()
        else:
            self.turns.run(first, *[copy] * (plan.at_once - 1))
        while self.waiting:
            due = min(self.waiting)
            again = self.waiting.pop(due)
            self.turns.sleep(max(0.0, due - self.turns.now()))
            self._tell("it comes back from its wait")
            self.attempt(again, NOTHING, errors)
        return errors

    def attempt(
        self,
        event: Event,
        plan: FaultPlan,
        errors: list[BaseException],
        on_call: Tell | None = None,
    ) -> None:
        """Invoke, and again a minute and two minutes after an error; the last one is kept."""
        for number, pause in enumerate((*RETRY_PAUSES, None)):
            try:
                self.invoke(event, plan.nth(number), on_call=on_call)
            except AssertionError:
                raise
            except (Exception, Crashed) as error:  # noqa: BLE001 - Lambda retries, whatever it is
                self._tell(f"  it failed: {type(error).__name__}: {error}")
                log.info("a delivery failed: %s: %s", type(error).__name__, error)
                if pause is None:
                    errors.append(error)
                    return
                self.turns.sleep(pause)
            else:
                if number == 0 and plan.strict and plan.crash_at is not None:
                    raise AssertionError(
                        f"there is no point {plan.crash_at} to crash at: the delivery was over"
                        " before it"
                    )
                return

    def _inject(self, event: Event, plan: FaultPlan, on_call: Tell | None) -> Interceptor:
        del event

        def call(name: str) -> None:
            self._tell(f"  call {name}")
            self.made.add(name)
            if on_call is not None:
                on_call(name)

        return FaultInjector(plan, self.turns, self.turns.now() + self._timeout, call)


class InProcessDelivery:
    """Takes answers to the bucket without a network."""

    def __init__(self, bucket: ResponseBucket) -> None:
        self._bucket = bucket

    def check(self, request: Request) -> None:
        HttpsDelivery().check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        del deadline
        reply = self._bucket.put(request.response_url, body)
        if reply.status != 200:
            raise DeliveryError(
                f"{request}: the answer is recorded but nobody could be told: status"
                f" {reply.status}, {reply.code}: {reply.message}"
            )
