"""
What CloudFormation hands requests to: a provider in this process, or a function that is deployed.

    deliver ──► invoke ──► answered, or silent on purpose
                  └─ error, crash, timeout ─► a minute ─► invoke ─► two minutes ─► invoke
"""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from .._clock import SYSTEM_CLOCK, Deadline
from .._cloudformation.delivery import Delivery, HttpsDelivery
from .._cloudformation.request import Request
from .._errors import DeliveryError
from .._provider import Provider
from ..ledger import Store
from .clock import Turns, VirtualClock
from .events import SERVICE_TOKEN, Event, LambdaContext, Wrapping
from .faults import COPIES, NOTHING, RESUMED, FaultInjector, FaultPlan
from .process import Crashed, Interceptor, Process, VirtualContinuation
from .responses import Keep, ResponseBucket, S3Bucket

log = logging.getLogger("cfn_once.testing")

RETRY_PAUSES = (60.0, 120.0)  # seconds; Lambda Developer Guide, "Asynchronous invocation"
NOT_HANDLED = "the function could not handle it"
Note = Callable[[str], None]


class LocalLambda:
    """A function that is a provider in this process, in virtual time.

    `intercept` makes what stands at the points of an invocation; `assert_safe` has its own.
    """

    is_virtual, service_token = True, SERVICE_TOKEN

    def __init__(
        self, provider: Provider, ledger: Store, turns: Turns, timeout: float, *, over_http: bool
    ) -> None:
        self.turns, self.resource_types = turns, provider.resource_types
        self.made = set[str]()
        self.waiting: dict[float, Event] = {}  # what comes back, by the moment when it is due
        self.intercept: Callable[[Event, FaultPlan], Interceptor] = self._inject
        self._provider, self._ledger = provider, ledger
        self._timeout, self._over_http = timeout, over_http

    def open(self, keep: Keep, note: Note, envelope: Wrapping) -> ResponseBucket:
        """Take answers from now on, and tell what happens; requests come in an envelope."""
        self._note, self._envelope = note, envelope
        bucket = ResponseBucket(keep, self.turns.now)
        self._delivery: Delivery = InProcessDelivery(bucket)
        if self._over_http:
            bucket.serve()
            self._delivery = HttpsDelivery(hosts=[bucket.host])
        return bucket

    def invoke(self, event: Event, plan: FaultPlan, *, provider: Provider | None = None) -> None:
        """Run the provider once, or another version of it; its errors are raised."""
        context = LambdaContext(
            timeout=self._timeout,
            now=self.turns.now,
            aws_request_id=event.get("RequestId", LambdaContext.aws_request_id),
        )
        interceptor = self.intercept(event, plan)
        process = Process(self._ledger, self._delivery, interceptor)
        driven = (provider or self._provider).using(
            ledger=process,
            delivery=process,
            calls=process,
            clock=self.turns,
            continuation=self._way_back_of(provider or self._provider),
        )
        failed: BaseException | None = None
        try:
            again = driven(json.loads(json.dumps(self._envelope(event))), context)
            if again and again["batchItemFailures"]:
                raise RuntimeError(f"SQS delivers the message again: {NOT_HANDLED}")
        except BaseException as error:
            failed = error
            raise
        finally:
            interceptor.end(failed)

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Deliver copies at the same time, the first with the faults of the plan."""
        errors: list[BaseException] = []
        first = partial(self.attempt, event, plan, errors)
        if plan.at_once > 1 or plan.on_call is not None:
            copy = partial(self.attempt, event, NOTHING, errors)
            self.turns.run(first, *[copy] * (plan.at_once - 1))
        else:
            first()
        self.bring_back(errors)
        return errors

    def bring_back(self, errors: list[BaseException]) -> None:
        """Deliver what waits to come back, one after the other, until nothing does."""
        while self.waiting:
            due = min(self.waiting)
            again = self.waiting.pop(due)
            self.turns.sleep(max(0.0, due - self.turns.now()))
            self._note("it comes back from its wait")
            self.attempt(again, RESUMED, errors)

    def attempt(self, event: Event, plan: FaultPlan, errors: list[BaseException]) -> None:
        """Invoke, and again a minute and two minutes after an error; the last one is kept."""
        for number, pause in enumerate((*RETRY_PAUSES, None)):
            try:
                self.invoke(event, plan.nth(number))
            except AssertionError:
                raise
            except (Exception, Crashed) as error:  # noqa: BLE001 - Lambda retries, whatever it is
                self._note(f"  it failed: {type(error).__name__}: {error}")
                log.info("a delivery failed: %s: %s", type(error).__name__, error)
                if pause is None:
                    errors.append(error)
                else:
                    self.turns.sleep(pause)
            else:
                break
        if number == 0 and plan.strict and plan.crash_at is not None:
            point = f"there is no point {plan.crash_at} to crash at"
            raise AssertionError(f"{point}: the delivery was over before it")

    def _way_back_of(self, provider: Provider) -> VirtualContinuation | None:
        """Return what stands for a provider's continuation; nothing where it has none."""
        real = provider._continuation  # noqa: SLF001 - our own
        return None if real is None else VirtualContinuation(real, self.waiting)

    def _inject(self, event: Event, plan: FaultPlan) -> Interceptor:
        del event
        end = self.turns.now() + self._timeout
        return FaultInjector(plan, self.turns, end, self._take_note)

    def _take_note(self, call: str) -> None:
        self._note(f"  call {call}")
        self.made.add(call)


class InProcessDelivery:
    """Takes answers to the bucket without a network."""

    def __init__(self, bucket: ResponseBucket) -> None:
        self._bucket = bucket

    def check(self, request: Request) -> str:
        return HttpsDelivery().check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        del deadline
        reply = self._bucket.put(request.response_url, body)
        if reply.status != 200:
            raise DeliveryError(
                f"{request}: the response is recorded and could not be sent: status"
                f" {reply.status}, {reply.code}: {reply.message}"
            )


class WallClock(VirtualClock):
    """The real clock in the place of the virtual one: letting time pass takes it."""

    def now(self) -> float:
        return SYSTEM_CLOCK.now()

    def advance(self, seconds: float) -> None:
        SYSTEM_CLOCK.sleep(seconds)


class DeployedLambda:
    """A Lambda function, in the place of a provider: `FakeCloudFormation(DeployedLambda(...))`.

    Its answers come to a port of this machine, or to an S3 bucket of your own where it runs
    elsewhere. CFN_ONCE_RESPONSE_HOSTS in its environment must name their host, which is
    `FakeCloudFormation.response_host`.

    Args:
        function_name: Its name or ARN.
        client: `boto3.client("lambda")`.
        resource_type: What its resources are, where a test does not say.
        port: Of 127.0.0.1, for an emulator; a free one unless given.
        bucket: The name of the S3 bucket, in place of a port.
        s3: `boto3.client("s3", config=Config(signature_version="s3v4"))`, with a bucket.
        patience: Seconds to wait for an answer.
        quiet: Seconds to wait for a further answer to what is answered: copies may stay silent.
    """

    is_virtual = False  # it has a patience of its own

    def __init__(
        self,
        function_name: str,
        client: Any,
        *,
        resource_type: str = "",
        port: int = 0,
        bucket: str = "",
        s3: Any = None,
        patience: float = 60.0,
        quiet: float = 2.0,
    ) -> None:
        if bool(bucket) != (s3 is not None):
            raise ValueError("answers in S3 take both: bucket, and s3, a client")
        self.function_name, self.client = function_name, client
        self.resource_types: tuple[str, ...] = (resource_type,) if resource_type else ()
        is_arn = function_name.startswith("arn:")
        self.service_token = function_name if is_arn else SERVICE_TOKEN
        self._port, self._bucket, self._s3 = port, bucket, s3
        self._patience, self._quiet = patience, quiet
        self._answers: ResponseBucket | S3Bucket | None = None
        self.made, self.clock = set[str](), WallClock()
        self.turns = Turns(lambda: self.clock)

    def open(self, keep: Keep, note: object, envelope: Wrapping) -> ResponseBucket | S3Bucket:
        """Take answers from now on."""
        del note  # the log of the function says what happens
        self._envelope = envelope
        if self._bucket:
            self._answers = S3Bucket(keep, self._bucket, self._s3)
        else:
            self._answers = ResponseBucket(keep)
            self._answers.serve(self._port)
        return self._answers

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Hand copies over as CloudFormation does, and wait for what is answered."""
        if beyond := sorted(set(plan.named) - {*COPIES, "lost_answers"}):
            raise ValueError(
                f"{', '.join(beyond)}: a deployed function can be sent copies, and its answers"
                " lost; for the rest give FakeCloudFormation the Provider itself"
            )
        assert self._answers is not None, "give it to FakeCloudFormation"
        url, payload = event["ResponseURL"], json.dumps(self._envelope(event)).encode()
        before, invoked = self._answers.puts(url), {"FunctionName": self.function_name}
        for _ in range(plan.at_once):
            self.client.invoke(**invoked, InvocationType="Event", Payload=payload)
        if self._answers.wait_for(url, max(before, 1), self._patience):
            self._answers.wait_for(url, before + plan.at_once, self._quiet)
        return []

    def invoke(self, event: Event, plan: FaultPlan, *, provider: Any = None) -> None:
        """Send an event to the deployed function; another version of it cannot be sent to."""
        del provider
        self.deliver(event, plan)
