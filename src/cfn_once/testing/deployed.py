"""A function that is deployed, on AWS or an emulator: invoked through boto3, in real time."""

import json
from typing import Any

from .._clock import SYSTEM_CLOCK
from .clock import Turns, VirtualClock
from .events import SERVICE_TOKEN, Envelope, Event, as_it_is
from .faults import COPIES, FaultPlan
from .responses import Keep, ResponseBucket, S3Bucket


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
        self._envelope: Envelope = as_it_is
        self.made, self.turns = set[str](), Turns(WallClock())

    def open(self, keep: Keep, tell: object, envelope: Envelope) -> ResponseBucket | S3Bucket:
        """Take answers from now on."""
        del tell  # what happens is told where it runs
        self._envelope = envelope
        if self._bucket:
            self._answers = S3Bucket(keep, self._bucket, self._s3)
        else:
            self._answers = ResponseBucket(keep)
            self._answers.serve(self._port)
        return self._answers

    def deliver(self, event: Event, plan: FaultPlan) -> list[BaseException]:
        """Hand copies over as CloudFormation does, and wait for what is answered.

        Raises:
            ValueError: Faults that only a provider in this process can have.
        """
        if beyond := sorted(set(plan.named) - {*COPIES, "lost_answers"}):
            raise ValueError(
                f"{', '.join(beyond)}: a deployed function can be sent copies, and its answers"
                " lost; for the rest give FakeCloudFormation the Provider itself"
            )
        assert self._answers is not None, "give it to FakeCloudFormation"
        url = event["ResponseURL"]
        told = self._answers.puts(url)
        for _ in range(plan.at_once):
            self.client.invoke(
                FunctionName=self.function_name,
                InvocationType="Event",
                Payload=json.dumps(self._envelope(event)).encode(),
            )
        if self._answers.wait_for(url, max(told, 1), self._patience):
            self._answers.wait_for(url, told + plan.at_once, self._quiet)
        return []

    def invoke(self, event: Event, plan: FaultPlan, *, provider: Any = None) -> None:
        """Hand it over once."""
        del provider
        self.deliver(event, plan)
