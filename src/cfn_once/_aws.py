"""boto3 for hooks: operations that change something are steps, with tokens by their own shape."""

import base64
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.model import OperationModel, Shape

from ._errors import ConfigurationError
from ._identity import Token
from ._request import Json, canonical
from ._steps import Call, Step, Steps, Verdict

DEFAULT_WINDOW = 600.0  # seconds; where the service's documentation says nothing
WINDOWS = {"mediaconvert": 60.0, "codebuild": 300.0}  # seconds; shorter than the default

READS = re.compile(
    r"^(Get|Describe|List|Head|Query|Scan|Search|Lookup|Check|Validate|Simulate|Preview|Test|"
    r"Estimate|Is|Filter|View|Select|BatchGet|BatchDescribe|TransactGet|Assume|Encrypt|Decrypt|"
    r"ReEncrypt|GenerateDataKey|GenerateRandom|GenerateMac|Verify|Sign|Detect|Recognize)"
)
# Verbs of control planes whose second call leaves what the first left.
REPEATED = re.compile(
    r"^(Put|Delete|Tag|Untag|Attach|Detach|Set|Enable|Disable|Associate|Disassociate|Remove|"
    r"Deregister|Terminate|Update|Modify)"
)
# Puts that add: each call is one more record, event, message or figure.
NOT_REPEATED = frozenset(
    {
        "PutEvents",
        "PutRecord",
        "PutRecords",
        "PutRecordBatch",
        "PutMetricData",
        "PutLogEvents",
        "PutTraceSegments",
        "PutTelemetryRecords",
        "PutAuditEvents",
        "UpdateItem",
    }
)
THROTTLES = re.compile(
    r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ProvisionedThroughputExceeded|"
    r"^LimitExceededException$|PriorRequestNotComplete"
)
GONE = re.compile(
    r"NotFound|NoSuch|NonExistent|DoesNotExist|^ResourceNotFoundException$|^404$|^410$"
)
# Members that take a token without bearing the trait `idempotencyToken`.
TOKEN_MEMBERS = (
    "ClientToken",
    "clientToken",
    "ClientRequestToken",
    "clientRequestToken",
    "IdempotencyToken",
    "idempotencyToken",
    "CreationToken",
    "creationToken",
    "ClientIdempotencyToken",
    "EventDataStoreClientToken",
)


@lru_cache(maxsize=4096)
def token_member(operation: OperationModel) -> tuple[str, Shape] | None:
    """Return the member of an operation's input that takes a token, by trait or by name."""
    if is_read(operation.name) or operation.input_shape is None:
        return None
    members = operation.input_shape.members
    for name, shape in members.items():
        if shape.metadata.get("idempotencyToken") or getattr(shape, "idempotency_token", False):
            return name, shape
    for name in TOKEN_MEMBERS:
        if name in members and members[name].type_name == "string":
            return name, members[name]
    return None


def is_read(operation: str) -> bool:
    """Tell whether an operation changes nothing, by its name."""
    return READS.match(operation) is not None


def token_for(shape: Shape, token: Token) -> str:
    """Return the first form of a token that a member's length and pattern allow.

    Raises:
        ConfigurationError: None fits; pass the member yourself.
    """
    limits = shape.metadata
    pattern = _compiled(limits.get("pattern"))
    for form in (token.uuid, token.hex32, token.hex64):
        fits = limits.get("min", 0) <= len(form) <= limits.get("max", len(form))
        if fits and (pattern is None or pattern.search(form)):
            return form
    raise ConfigurationError(f"no form of a step's token fits {shape.name}: pass that member")


@lru_cache(maxsize=512)
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error:  # 31 patterns in botocore are no Python ones
        return None


def client(
    steps: Steps,
    service: str,
    *,
    repeat: Collection[str] = (),
    once: Collection[str] = (),
    region: str | None = None,
    **options: Any,
) -> Any:
    """Return a boto3 client whose changing operations are steps."""
    config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
    config = config.merge(options.pop("config")) if "config" in options else config
    made = boto3.client(service, region_name=region, config=config, **options)  # type: ignore[call-overload]  # any service
    ask = made._make_api_call  # noqa: SLF001 - the one place all operations of a client go through
    model = made.meta.service_model
    service_name = str(model.service_id).replace(" ", "").lower()

    def call(name: str, params: dict[str, Any]) -> Any:
        operation = model.operation_model(name)
        label = f"{service_name}.{name}"
        if is_read(name):
            return steps.read(label, lambda: ask(name, params))
        member = token_member(operation)

        def run(step: Step) -> Any:
            sent = dict(params)
            if member is not None and member[0] not in sent:
                sent[member[0]] = token_for(member[1], step.tokens)
            try:
                answer = ask(name, sent)
            except ClientError as error:
                if steps.deleting and _is_gone(error):
                    return {}
                raise
            return _without_metadata(answer, operation)

        if steps.inside is not None:
            return steps.within(label, run, verdict)
        idempotent = member is None and is_repeated(name)
        return steps.run(
            Call(
                name=label,
                run=run,
                arguments=canonical(_to_json(params)),
                window=WINDOWS.get(service_name, DEFAULT_WINDOW) if member else None,
                repeat=(name in repeat or idempotent) and name not in once,
                once=name in once,
                verdict=verdict,
                to_record=_to_json,
                from_record=_from_json,
                error_to_record=_error_to_record,
                error_from_record=lambda kept: _error_from_record(kept, made),
            )
        )

    made._make_api_call = call  # noqa: SLF001 - as above
    return made


def is_repeated(operation: str) -> bool:
    """Tell whether an operation's second call leaves what the first left, by its name."""
    return REPEATED.match(operation) is not None and operation not in NOT_REPEATED


def verdict(error: Exception) -> Verdict:
    """Judge what boto3 raised: was the operation acted on?"""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        if THROTTLES.search(error.response["Error"]["Code"]):
            return Verdict.THROTTLED
        return Verdict.IN_DOUBT if status >= 500 else Verdict.DEFINITIVE
    if isinstance(error, ParamValidationError | NoCredentialsError | ConfigurationError):
        return Verdict.DEFINITIVE
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return Verdict.NOT_SENT
    return Verdict.IN_DOUBT


def _is_gone(error: ClientError) -> bool:
    return GONE.search(error.response["Error"]["Code"]) is not None


def _without_metadata(answer: Mapping[str, Any], operation: OperationModel) -> dict[str, Any]:
    kept = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    if operation.has_streaming_output:
        raise ConfigurationError(
            f"{operation.name} returns a stream, which cannot be kept: call it with a client of"
            " your own inside self.step(...), and return what you need of it"
        )
    shape = operation.output_shape
    return kept if shape is None else _without_secrets(kept, shape)


def _without_secrets(value: Any, shape: Shape) -> Any:
    """Leave out what the service's model marks sensitive: it is never kept."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members  # type: ignore[attr-defined]  # a structure has members
        return {
            name: _without_secrets(one, members[name])
            for name, one in value.items()
            if name in members and not members[name].metadata.get("sensitive")
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_without_secrets(one, shape.member) for one in value]  # type: ignore[attr-defined]  # a list has one
    return value


def _to_json(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(name): _to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    return {"$decimal": str(value)} if isinstance(value, Decimal) else value


def _from_json(kept: Json) -> Any:
    if isinstance(kept, list):
        return [_from_json(one) for one in kept]
    if not isinstance(kept, dict):
        return kept
    if len(kept) == 1:
        ((tag, text),) = kept.items()
        if tag == "$datetime":
            return datetime.fromisoformat(text)
        if tag == "$bytes":
            return base64.b64decode(text)
        if tag == "$decimal":
            return Decimal(text)
    return {name: _from_json(one) for name, one in kept.items()}


def _error_to_record(error: Exception) -> Json:
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return {
            "code": error.response["Error"]["Code"],
            "message": error.response["Error"].get("Message", ""),
            "operation": error.operation_name,
            "status": status,
        }
    return {"code": type(error).__name__, "message": str(error), "operation": "", "status": 0}


def _error_from_record(kept: Json, made: Any) -> Exception:
    response: Any = {
        "Error": {"Code": kept["code"], "Message": kept["message"]},
        "ResponseMetadata": {"HTTPStatusCode": kept["status"]},
    }
    error: Exception = made.exceptions.from_code(kept["code"])(response, kept["operation"])
    return error


__all__ = ["client", "is_read", "is_repeated", "token_for", "token_member"]
