"""
Lambda, as CloudFormation meets it: an event is invoked asynchronously, again after each error.

    deliver ──► invoke ──► answered, or silent on purpose
                  └─ error, crash, timeout ─► a minute ─► invoke ─► two minutes ─► invoke
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._clock import Deadline
from .._cloudformation.delivery import Delivery, HttpsDelivery
from .._cloudformation.request import Request
from .._errors import DeliveryError
from .._provider import Provider
from ..ledger import Store
from .events import Envelope, LambdaContext
from .faults import NOTHING, FaultInjector, FaultPlan
from .process import Crashed, Process
from .responses import ResponseBucket
from .turns import Turns

log = logging.getLogger("cfn_once.testing")

RETRY_PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
Tell = Callable[[str], None]


class LocalLambda:
    """A function that is a provider in this process, in virtual time.

    Args:
        provider: As it is deployed; copies of it are driven.
        ledger: Where all of them keep their heads.
        delivery: Takes the answers.
        turns: The clock, shared by deliveries that are at work at the same time.
        envelope: What a request comes in.
        timeout: Seconds that an invocation has.
        tell: Takes the lines of the story.

    Attributes:
        made: The name of every call that was ever made.
        waiting: What is to come back, by the moment when it is due.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: Store,
        delivery: Delivery,
        turns: Turns,
        *,
        envelope: Envelope,
        timeout: float,
        tell: Tell,
    ) -> None:
        self.provider, self.ledger, self.delivery, self.turns = provider, ledger, delivery, turns
        self.made: set[str] = set()
        self.waiting: dict[float, Mapping[str, Any]] = {}
        self._envelope, self._timeout, self._tell = envelope, timeout, tell

    def drive(self, provider: Provider, event: Mapping[str, Any], **ports: Any) -> Any:
        """Hand an event to a provider that reaches the world by these ports, and return its own.

        Args:
            provider: A copy of it is driven.
            event: What Lambda hands over, but for its envelope.
            ports: As `Provider.using` takes them; the clock is ours.
        """
        context = LambdaContext(
            timeout=self._timeout,
            now=self.turns.now,
            aws_request_id=event.get("RequestId", LambdaContext.aws_request_id),
        )
        handed = json.loads(json.dumps(self._envelope(event)))
        return provider.using(clock=self.turns, **ports)(handed, context)

    def invoke(
        self,
        event: Mapping[str, Any],
        plan: FaultPlan,
        *,
        provider: Provider | None = None,
        on_call: Tell | None = None,
    ) -> None:
        """Run the provider once.

        Args:
            event: What CloudFormation sends.
            plan: What befalls it.
            provider: Another version of it.
            on_call: Is told the name of each call before it is made.

        Raises:
            Crashed: The process died.
            AssertionError: A fault could not befall.
        """

        def call(name: str) -> None:
            self._tell(f"  call {name}")
            self.made.add(name)
            if on_call is not None:
                on_call(name)

        injector = FaultInjector(plan, self.turns, self.turns.now() + self._timeout, call)
        process = Process(self.ledger, self.delivery, injector)
        ports = dict.fromkeys(("ledger", "delivery", "calls", "continuation"), process)
        try:
            comes_again = self.drive(provider or self.provider, event, **ports)
        finally:
            self.waiting |= process.sent
            injector.raise_what_was_asserted()
        if comes_again and comes_again["batchItemFailures"]:
            raise RuntimeError("SQS delivers the message again: the function could not handle it")
        injector.judge()

    def deliver(self, event: Mapping[str, Any], plan: FaultPlan) -> list[BaseException]:
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
        event: Mapping[str, Any],
        plan: FaultPlan,
        errors: list[BaseException],
        on_call: Tell | None = None,
    ) -> None:
        """Invoke, and twice more after errors; the plan says what befalls each.

        Args:
            event: What CloudFormation sends.
            plan: What befalls it.
            errors: Where the last of three errors goes.
            on_call: As for `invoke`.
        """

        def invoke(number: int) -> None:
            self.invoke(event, plan.nth(number), on_call=on_call)
            if number == 0 and plan.strict and plan.crash_at is not None:
                raise AssertionError(
                    f"there is no point {plan.crash_at} to crash at: the delivery was over before"
                    " it"
                )

        self.retry(invoke, errors)

    def retry(self, invoke: Callable[[int], None], errors: list[BaseException]) -> None:
        """Invoke, and again a minute and two minutes after an error; the last one is kept."""
        for number, pause in enumerate((*RETRY_PAUSES, None)):
            try:
                invoke(number)
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
                return


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
