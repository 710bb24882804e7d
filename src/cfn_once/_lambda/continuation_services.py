"""
The AWS services that bring an event back, and the URL that names one.

    scheduler://GROUP?role=ARN       a schedule of EventBridge Scheduler, which deletes itself
    sqs://HOST/ACCOUNT/QUEUE         a message with a delay, in a queue that invokes the function
    lambda://self                    the function invokes itself, at once

What is sent holds the ResponseURL, and properties that may be secret: nothing of it is logged, and
no error repeats what botocore says of it, or what a service says that may quote it.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import unquote

from .._cloudformation.canonical import Json
from .._cloudformation.identity import base32, operation_digest, resource_digest
from .._errors import ConfigurationError
from .._silence import Quiet
from .continuation import Continuation, ContinuationRefused, ContinuationUnavailable

AHEAD = 30.0  # seconds: no time may be over when the last of our tries arrives
EVENT_AGE = 3600  # seconds: CloudFormation waits for no answer longer than that
LONGEST_DELAY = 900  # seconds; SQS takes no more
LARGEST_EVENT = 2**20  # bytes; none of the three takes more
# 185 is the most that Scheduler takes; the age ends its tries before.
RETRIES = {"MaximumEventAgeInSeconds": EVENT_AGE, "MaximumRetryAttempts": 185}
SCHEDULER_INPUT = 256_000  # bytes; documented as 256 KB, and refused like any wrong member

_FORMS = (
    "scheduler://GROUP?role=ARN[&key=KMS_KEY_ARN&dead_letters=QUEUE_ARN&region=..],"
    " sqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE or lambda://self, each with endpoint=.. where it"
    " is an emulator's"
)
_PATTERNS = {
    "role": r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
    "key": r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[\w/-]+",
    "dead_letters": r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}",  # Scheduler takes no FIFO
    "region": r"[a-z0-9-]+",
    "endpoint": r"https?://([\w.-]+|\[[0-9a-f:]+\])(:\d+)?/?",  # credentials have no place in it
}
_OF_SCHEDULER = ("role", "key", "dead_letters", "region", "endpoint")
_UNREACHED = {"ConnectionError", "HTTPClientError"}  # botocore's, and all that derives from them
_PASSES = re.compile(r"Throttl|TooManyRequests|QuotaExceeded|Expired")
# What is said of these names who may not do what, or what is not there.
_QUOTED = re.compile(r"AccessDenied|NotFound|NonExistent|DoesNotExist|RecursiveInvocation")

_QUIET = Quiet("boto3", "botocore", "urllib3")  # they quote what is sent


class _Service:
    """A way through one AWS service.

    Attributes:
        service: As for `boto3.client`.
        hints: What to do about errors, by a pattern that is found in their code.
    """

    service: ClassVar[str]
    hints: ClassVar[Mapping[str, str]]

    def __init__(
        self, place: str, *, region: str | None = None, endpoint: str | None = None
    ) -> None:
        self._way = f"brought back through {place}"
        self._region, self._endpoint = region, endpoint

    @cached_property
    def _client(self) -> Any:
        import boto3  # none of it before the first wait
        from botocore.config import Config

        config = Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
        )
        # A session of its own: another thread may be making clients in the common one.
        return boto3.session.Session().client(  # type: ignore[call-overload]  # any service
            self.service, region_name=self._region, endpoint_url=self._endpoint, config=config
        )

    def _ask(
        self, operation: str, event: Json, text: str, *, done: str = "", **members: Any
    ) -> None:
        """Ask; an error of the code `done` says that it was done before."""
        from botocore.exceptions import BotoCoreError, ClientError

        if len(text) > LARGEST_EVENT:
            raise self._too_large(event, text)
        failure: Exception | None = None
        client = self._client  # first, so that its loggers are there
        try:
            with _QUIET:
                getattr(client, operation)(**members)
        except ClientError as error:
            if error.response["Error"].get("Code") != done:
                failure = self._refusal(error.response, event, text)
        except BotoCoreError as error:
            failure = self._trouble(error)
        if failure is not None:
            raise failure  # out here, without a context: that would quote what was sent

    def _refusal(self, answer: Any, event: Json, text: str) -> Exception:
        code, said = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        is_too_long = "Validation" in code and len(text) > SCHEDULER_INPUT
        if is_too_long or status == 413 or "shorter than" in said:
            return self._too_large(event, text)
        message = f"{code}: {said}" if _QUOTED.search(code) else f"{code} (status {status})"
        problem = f"the event cannot be {self._way}: {message}"
        if status >= 500 or status in (408, 409, 429) or _PASSES.search(code):
            return ContinuationUnavailable(problem)
        hints = [hint for pattern, hint in self.hints.items() if re.search(pattern, code)]
        return ContinuationRefused("; ".join([problem, *hints[:1]]))

    def _trouble(self, error: Exception) -> Exception:
        problem = f"the event cannot be {self._way}: {type(error).__name__}"
        if {kind.__name__ for kind in type(error).__mro__} & _UNREACHED:
            return ContinuationUnavailable(
                f"{problem}; may the function reach it? In a VPC it needs an interface endpoint for"
                f" {self.service}, or a NAT gateway"
            )
        return ContinuationRefused(f"{problem}; has the function a Region and credentials?")

    def _too_large(self, event: Json, text: str) -> ContinuationRefused:
        properties = event.get("ResourceProperties", {})
        sizes = {name: len(_text(value)) for name, value in properties.items()}
        largest = max(sizes, key=sizes.__getitem__, default="")
        most = f", {sizes[largest]:,} of them in the property {largest}" if largest else ""
        return ContinuationRefused(
            f"the event is too large to be {self._way}: it has {len(text):,} bytes{most}. Keep that"
            " in S3 or in a parameter, and give the resource its name"
        )


class Scheduler(_Service):
    """A one-time schedule for each wait."""

    service = "scheduler"
    hints: ClassVar = {
        "AccessDenied": (
            "let the function's role call scheduler:CreateSchedule in the group, iam:PassRole on"
            " the role, and use the KMS key if there is one"
        ),
        "NotFound": "make the group, or correct CFN_ONCE_CONTINUATION",
        "Validation": (
            "may scheduler.amazonaws.com assume the role, and is the KMS key a symmetric one here?"
        ),
    }
    shortest, longest = 60.0, math.inf  # it fires within the minute after its time

    def __init__(
        self,
        group: str,
        role: str,
        key: str | None = None,
        dead_letters: str | None = None,
        **options: str,
    ) -> None:
        super().__init__(f"the schedule group {group} with the role {role}", **options)
        self._group, self._role = group, role
        self._encrypted = {} if key is None else {"KmsKeyArn": key}
        self._kept = {} if dead_letters is None else {"DeadLetterConfig": {"Arn": dead_letters}}

    def send(self, event: Json, due: float, *, now: float, function: str) -> None:
        from datetime import UTC, datetime  # not before the first wait

        at = max(due, now + AHEAD)
        time = datetime.fromtimestamp(math.ceil(at), tz=UTC)
        text = _text(event).replace("<", "\\u003c")  # or Scheduler fills in <aws.scheduler.*>
        self._ask(
            "create_schedule",
            event,
            text,
            done="ConflictException",  # another copy of the event waits for the same moment
            Name=f"cfn-once-{_operation_id(event)}-{int(at)}",
            GroupName=self._group,
            ScheduleExpression=f"at({time:%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": function,
                "RoleArn": self._role,
                "Input": text,
                "RetryPolicy": RETRIES,
                **self._kept,
            },
            **self._encrypted,
        )


class Queue(_Service):
    """A delayed message for each wait, of up to a quarter of an hour."""

    service = "sqs"
    hints: ClassVar = {
        "(?i)kms": "let the function's role use the queue's key: kms:GenerateDataKey, kms:Decrypt",
        "AccessDenied": "let the function's role call sqs:SendMessage on the queue",
        "NonExistent|DoesNotExist": "make the queue, or correct CFN_ONCE_CONTINUATION",
    }
    # To the second, but Lambda ends a chain after about 16 rounds: none is spent on a short wait.
    shortest, longest = 60.0, float(LONGEST_DELAY)

    def __init__(self, url: str, **options: str) -> None:
        super().__init__(f"the queue {url}", **options)
        self._url = url

    def send(self, event: Json, due: float, *, now: float, function: str) -> None:
        del function  # the queue's event source mapping says whom it invokes
        delay = min(math.ceil(max(due - now, 0)), LONGEST_DELAY)
        text = _text(event)
        self._ask(
            "send_message", event, text, QueueUrl=self._url, MessageBody=text, DelaySeconds=delay
        )


class SelfInvocation(_Service):
    """An asynchronous invocation of the function by itself, which takes no time: it only hops."""

    service = "lambda"
    hints: ClassVar = {
        "AccessDenied": "let the function's role call lambda:InvokeFunction on the function",
        "RecursiveInvocation": (
            "Lambda ends such a chain after about 16 rounds: wait through EventBridge Scheduler, or"
            " set RecursiveLoop: Allow on the function"
        ),
    }
    shortest, longest = math.inf, 0.0

    def send(self, event: Json, due: float, *, now: float, function: str) -> None:
        del due, now  # the receiver waits for the rest
        text = _text(event)
        self._ask(
            "invoke", event, text, FunctionName=function, InvocationType="Event", Payload=text
        )


def _text(value: Json) -> str:
    """Return JSON in ASCII: its length is in bytes, and SQS takes every character of it."""
    return json.dumps(value, separators=(",", ":"))


def _operation_id(event: Json) -> str:
    """Return the name of an event's operation, the same in each copy of the event."""
    resource = resource_digest(event["StackId"], event["LogicalResourceId"])
    return base32(operation_digest(resource, event["RequestId"]), 26)


def open_continuation(url: str) -> Continuation:
    """Open the continuation that a URL names.

    Raises:
        ConfigurationError: The URL is wrong; the text repeats nothing of it.
    """
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    match scheme.lower():
        case "scheduler":
            return _open_scheduler(place, _options(query, *_OF_SCHEDULER))
        case "sqs":
            return _open_queue(place, _options(query, "region", "endpoint"))
        case "lambda" if place == "self":
            return SelfInvocation("its own invocation", **_options(query, "endpoint"))
        case _:
            raise _wrong("is of no kind that we know")


def _open_scheduler(place: str, options: dict[str, str]) -> Scheduler:
    if not re.fullmatch(r"[\w.-]{1,64}", place, re.ASCII) or "role" not in options:
        raise _wrong("names no schedule group, or no role for Scheduler")
    return Scheduler(place, **options)


def _open_queue(place: str, options: dict[str, str]) -> Queue:
    named = re.fullmatch(r"([\w.:-]+)/\d{12}/[\w-]{1,80}(\.fifo)?", place, re.ASCII)
    if named is None:
        raise _wrong("names no queue by its host, account and name")
    if named[2]:
        raise _wrong("names a FIFO queue, where no message can have a delay of its own")
    if of_aws := re.fullmatch(r"sqs\.([a-z0-9-]+)\.[a-z0-9.-]+", named[1]):
        options = {"region": of_aws[1], **options}
    scheme = options.get("endpoint", "https").partition(":")[0]
    return Queue(f"{scheme}://{place}", **options)


def _options(query: str, *known: str) -> dict[str, str]:
    pairs = [option.partition("=") for option in query.split("&") if option]
    options = {name: unquote(value) for name, _, value in pairs}  # a role's + is no space
    if set(options) - set(known) or len(options) < len(pairs):
        raise _wrong(f"has an option that is not {' or '.join(known)}, or has one twice")
    for name, value in options.items():
        if not re.fullmatch(_PATTERNS[name], value, re.ASCII):
            raise _wrong(f"has no {name} that is written as one")
    return options


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"the continuation URL {what}; give {_FORMS}")
