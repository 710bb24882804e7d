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
from .._cloudformation.delivery import HttpsDelivery
from .._cloudformation.request import Request
from .._errors import DeliveryError
from .._provider import Provider
from ..ledger import Store
from .clock import VirtualClock
from .events import Envelope, LambdaContext
from .ports import Crashed
from .process import Faults, Process
from .responses import ResponseBucket
from .turns import Turns

log = logging.getLogger("cfn_once.testing")

RETRY_PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
Tell = Callable[[str], None]


class LocalLambda:
    """A function that is a provider in this process, in virtual time.

    Args:
        provider: As it is deployed; copies of it are driven.
        clock: Returns the clock.
        bucket: Takes the answers, over HTTP where it serves.
        over_http: The provider's own delivery PUTs the answers.
        envelope: What a request comes in.
        timeout: Seconds that an invocation has.
        tell: Takes the lines of the story.

    Attributes:
        made: The name of every call that was ever made.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: Store,
        clock: Callable[[], VirtualClock],
        bucket: ResponseBucket,
        *,
        over_http: bool,
        envelope: Envelope,
        timeout: float,
        tell: Tell,
    ) -> None:
        self.provider, self.ledger, self.bucket = provider, ledger, bucket
        self.turns = Turns(clock)
        self.made: set[str] = set()
        self.waiting: dict[float, Mapping[str, Any]] = {}
        self._over_http, self._envelope = over_http, envelope
        self._timeout, self._tell = timeout, tell

    def invoke(
        self,
        event: Mapping[str, Any],
        faults: Faults,
        *,
        provider: Provider | None = None,
        strict: bool = True,
        on_call: Tell | None = None,
    ) -> None:
        """Run the provider once.

        Args:
            event: What Lambda hands over.
            faults: What befalls it; those of one delivery count.
            provider: Another version of it.
            strict: Refuse faults of calls that were not made.
            on_call: Is told the name of each call before it is made.

        Raises:
            Crashed: The process died.
            AssertionError: A fault could not befall.
        """
        context = LambdaContext(
            timeout=self._timeout,
            now=self.turns.now,
            aws_request_id=event.get("RequestId", LambdaContext.aws_request_id),
        )

        def call(name: str) -> None:
            self._tell(f"  call {name}")
            self.made.add(name)
            if on_call is not None:
                on_call(name)

        def receive(request: Request, body: bytes) -> None:
            if self._over_http:
                deadline = Deadline(self.turns, context)
                HttpsDelivery(hosts=[self.bucket.host]).put(request, body, deadline)
            else:
                self._put(request, body)

        hosts = (self.bucket.host,) if self._over_http else ()
        end = self.turns.now() + self._timeout
        process = Process(self.ledger, receive, self.turns, end, faults, hosts, call)
        driven = (provider or self.provider).using(
            ledger=process,
            delivery=process,
            calls=process,
            clock=self.turns,
            continuation=process,
        )
        try:
            comes_again = driven(json.loads(json.dumps(self._envelope(event))), context)
        finally:
            self.waiting |= process.sent
            if process.broken:
                raise process.broken[0]
        if comes_again and comes_again["batchItemFailures"]:
            raise RuntimeError("SQS delivers the message again: the function could not handle it")
        if strict:
            process.judge()

    def deliver(
        self, event: Mapping[str, Any], faults: Faults, number: int = 1, *, strict: bool = True
    ) -> list[BaseException]:
        """Deliver so many copies at the same time, and what comes back; faults befall the first.

        Returns:
            What those raised that Lambda has given up.

        Raises:
            AssertionError: Something is not as CloudFormation or the test has it.
        """
        errors: list[BaseException] = []
        first = partial(self.attempt, event, faults, errors, strict=strict)
        if number == 1:
            first()
        else:
            copy = partial(self.attempt, event, {}, errors)
            self.turns.run(first, *[copy] * (number - 1))
        while self.waiting:
            due = min(self.waiting)
            again = self.waiting.pop(due)
            self.turns.sleep(max(0.0, due - self.turns.now()))
            self._tell("it comes back from its wait")
            self.attempt(again, {}, errors)
        return errors

    def attempt(
        self,
        event: Mapping[str, Any],
        faults: Faults,
        errors: list[BaseException],
        *,
        strict: bool = True,
        on_call: Tell | None = None,
    ) -> None:
        """Invoke, and twice more after errors; faults befall the first one.

        Args:
            event: What Lambda hands over.
            faults: What befalls it.
            errors: Where the last of three errors goes.
            strict: As for `invoke`.
            on_call: As for `invoke`.
        """
        harmed = faults.get("crashes", 1)
        for number, pause in enumerate((*RETRY_PAUSES, None)):
            befalls: Faults = {"crash_at": 0} if number < harmed else {}
            if number == 0:
                befalls = faults
            judged = strict and number == 0
            try:
                self.invoke(event, befalls, strict=judged, on_call=on_call)
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
                if judged and (at := befalls.get("crash_at")) is not None:
                    raise AssertionError(
                        f"there is no point {at} to crash at: the delivery was over before it"
                    )
                return

    def _put(self, request: Request, body: bytes) -> None:
        reply = self.bucket.put(request.response_url, body)
        if reply.status != 200:
            raise DeliveryError(
                f"{request}: the answer is recorded but nobody could be told: status"
                f" {reply.status}, {reply.code}: {reply.message}"
            )
