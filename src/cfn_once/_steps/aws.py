"""
boto3 for hooks: operations that change something are steps.

    READ       passed through
    TOKEN      sent with the step's token in the member that takes one; made again when in doubt
    AT_WILL    repeated as needed, not recorded; a removal of a create or update hook is recorded
    ONCE       recorded before it leaves, and sent by a client that repeats nothing by itself

What is kept of an answer, and returned in the first run too, is JSON, without what the service's
model marks sensitive. Inside a step of the hook's own, nothing is kept here and nothing left out.
"""

import logging
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import OperationModel, ServiceModel, Shape

from .._cloudformation.canonical import canonical, kind_of
from .._cloudformation.identity import Token
from .._errors import ConfigurationError
from .._silence import Quiet
from .aws_clients import CLIENTS, face_of, sends_once
from .aws_codec import (
    error_from_record,
    error_to_record,
    from_record,
    response_to_record,
    tells_secrets,
    to_record,
)
from .aws_operations import (
    ADOPTED,
    TOKEN_MEMBERS,
    is_gone,
    is_read,
    removes,
    repetition_of,
    window_of,
)
from .aws_words import DeclaredOperations
from .call import (
    Call,
    Repetition,
    Step,
    Verdict,
    declared_repetition,
    repetition_in_hook,
)
from .steps import Steps

_POSITIONS = (  # boto3.client's own, behind the service
    *("region_name", "api_version", "use_ssl", "verify", "endpoint_url", "aws_access_key_id"),
    *("aws_secret_access_key", "aws_session_token", "config"),
)

# Its lines at DEBUG quote each request and each answer.
_BODIES, _QUIET = logging.getLogger("botocore.parsers"), Quiet("botocore", traces=True)

_THROTTLED_CODES = re.compile(
    r"Throttl|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|SlowDown"
    r"|ProvisionedThroughputExceeded|PriorRequestNotComplete"
)
# Errors of the service's own, which come with any status.
_SERVICE_FAILURE_CODES = re.compile(
    r"^(Internal|RequestTimeout|Service(Failure|Error)|ServerError)|Unavailable"
)
# By name: some are younger than the oldest botocore that we take.
_NOT_SENT = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
_NEVER_SENT = frozenset(  # and never will be, as it stands
    {
        "ConfigurationError",
        "CredentialRetrievalError",
        "EndpointProviderError",
        "InvalidConfigError",
        "InvalidEndpointConfigurationError",
        "LoginError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "ParamValidationError",
        "PartialCredentialsError",
        "SSOError",
        "TokenRetrievalError",
        "UnknownSignatureVersionError",
        "UnsupportedSignatureVersionError",
    }
)


def client(
    steps: Steps, service: str, *positional: Any, said: DeclaredOperations, **options: Any
) -> Any:
    """Return a boto3 client whose changing operations are steps.

    Args:
        steps: Those of the hook that calls.
        service: As for `boto3.client`.
        *positional: As for `boto3.client`.
        **options: As for `boto3.client`.
        said: What the hook says of operations.

    Raises:
        ConfigurationError: There is no such service, or what is said names what it does not have.
    """
    options |= dict(zip(_POSITIONS, positional, strict=False))
    return _Hooked(steps, CLIENTS.get(service, options), said).client


def wrap(steps: Steps, given: Any, *, said: DeclaredOperations) -> Any:
    """Return a face of a user's own client, as `client` does.

    Raises:
        ConfigurationError: It is no boto3 client of the user's own.
    """
    if not isinstance(given, BaseClient):
        raise ConfigurationError(
            f'self.wrap takes a client, as in self.wrap(boto3.client("s3")), not {kind_of(given)}'
        )
    if "_make_api_call" in vars(given):
        raise ConfigurationError(
            "self.wrap takes a client of boto3, and this one comes from self.client or self.wrap:"
            " say repeat=, once=, find= and window= there"
        )
    return _Hooked(steps, given, said).client


class _Hooked:
    """A client, and what stands between it and its hook.

    Attributes:
        client: What the hook gets.
    """

    def __init__(self, steps: Steps, behind: Any, said: DeclaredOperations) -> None:
        self._steps, self._behind = steps, behind
        self._model: ServiceModel = behind.meta.service_model
        self._service = str(self._model.service_name)
        self._words = said.checked(self._model)
        self._prefix = str(self._model.service_id).replace(" ", "").lower()
        self._ask = behind._make_api_call  # noqa: SLF001 - botocore has no public one
        self.client = face_of(behind, self._call)

    @cached_property
    def _ask_once(self) -> Any:
        return sends_once(self._behind)

    def _call(self, name: str, params: dict[str, Any]) -> Any:
        operation = self._model.operation_model(name)
        label = f"{self._prefix}.{name}"
        member = token_member(self._service, operation)
        repetition, window = self._repetition(name, params, takes_token=member is not None)
        if repetition is Repetition.READ:
            read = partial(self._send, self._ask, operation, params)
            return self._steps.read(label, read, verdict)
        send = _Sending(self, operation, member, params, repetition)
        caller = self._steps.caller
        if caller.inside is not None:
            single = repetition is Repetition.ONCE
            return caller.call_inside_step(label, send, verdict, single=single)
        repetition, window = repetition_in_hook(
            repetition, window, removes=removes(name), deleting=self._steps.deleting
        )
        call = Call(name=label, run=send, repetition=repetition, window=window, verdict=verdict)
        if repetition is not Repetition.AT_WILL:
            find = None if name in self._words.once else self._words.find.get(name)
            call = self._recorded(replace(call, find=find), operation, params)
        return self._steps.run(call)

    def _repetition(
        self, name: str, params: Mapping[str, Any], *, takes_token: bool
    ) -> tuple[Repetition, float | None]:
        """Return what a second call may do, and its window: by the hook's word, else the table."""
        words = self._words
        if name in words.once or name in words.repeat or name in words.window:
            return declared_repetition(
                repeat=name in words.repeat, once=name in words.once, window=words.window.get(name)
            )
        repetition = repetition_of(self._service, name, params, takes_token=takes_token)
        if repetition is Repetition.TOKEN:
            return repetition, window_of(self._service, name)
        if repetition is Repetition.AT_WILL and name in words.find:
            return Repetition.ONCE, None  # as the hook says: it is not all the same
        return repetition, None

    def _recorded(self, call: Call, operation: OperationModel, params: Mapping[str, Any]) -> Call:
        """Return a call whose response and error the ledger can keep."""
        _refuse_streams(operation)
        return replace(
            call,
            arguments=canonical(to_record(_readable(params))),
            to_record=partial(response_to_record, shape=operation.output_shape),
            from_record=from_record,
            error_to_record=partial(error_to_record, operation=operation),
            error_from_record=partial(error_from_record, classes=self.client.exceptions),
        )

    def ask(
        self,
        name: str,
        params: dict[str, Any],
        repetition: Repetition,
        *,
        ours: str | None,
        again: bool,
    ) -> Any:
        """Send; that a thing is gone is an answer in a delete hook, and to a removal made again.

        Args:
            name: The operation.
            params: What it is given.
            repetition: What a second call may do.
            ours: The member that holds our own token; None where the hook gave one.
            again: It was sent before.
        """
        ask = self._ask_once if repetition is Repetition.ONCE else self._ask
        try:
            return self._send(ask, self._model.operation_model(name), params)
        except ClientError as error:
            if ours is not None and (made := self._adopted(name, params, ours, error)):
                return made
            metadata = error.response.get("ResponseMetadata", {})
            again = again or metadata.get("RetryAttempts", 0) > 0
            if not self._is_done(name, error, again=again):
                raise
            return {"ResponseMetadata": metadata}

    def _send(self, ask: Any, operation: OperationModel, params: dict[str, Any]) -> Any:
        """Send; botocore is silent where it would log a secret before the hook can mask it."""
        is_logged = _BODIES.isEnabledFor(logging.DEBUG) and tells_secrets(operation)
        with _QUIET if is_logged else nullcontext():
            return _without_values(ask, operation.name, params)

    def _is_done(self, name: str, error: ClientError, *, again: bool) -> bool:
        """Tell whether an error says that what the call was to do is done."""
        gone_is_done = self._steps.deleting or (again and removes(name))
        refusal = error.response["Error"]
        gone = is_gone(self._service, name, refusal.get("Code", ""), refusal.get("Message", ""))
        return gone_is_done and gone

    def _adopted(
        self, name: str, params: Mapping[str, Any], token: str, error: ClientError
    ) -> dict[str, Any] | None:
        """Return what an earlier call of the same step made, where AWS refuses to tell it again."""
        adoption, response = ADOPTED.get(f"{self._service}.{name}"), error.response
        if adoption is None or response["Error"].get("Code") != adoption.code:
            return None
        source = response.get(adoption.source, params.get(adoption.source))
        answer = self._ask(adoption.look_up, {adoption.by: source})
        things = answer[adoption.among]
        made = next((thing for thing in things if thing.get(token) == params[token]), None)
        if made is None or adoption.whole is None:
            return made and {**made, "ResponseMetadata": answer["ResponseMetadata"]}
        return dict(self._ask(adoption.whole, {"Id": made["Id"]}))


class _Sending:
    """One call with its token, made as often as its step says."""

    def __init__(
        self,
        hooked: _Hooked,
        operation: OperationModel,
        member: str | None,
        params: dict[str, Any],
        repetition: Repetition,
    ) -> None:
        self._hooked, self._operation, self._repetition = hooked, operation, repetition
        self._member, self._params = member, params
        self._starts = {name: value.tell() for name, value in params.items() if _can_seek(value)}
        self._made = False

    def __call__(self, step: Step) -> Any:
        again, self._made = self._made or step.again, True
        if again:  # a file was read to its end
            for name, start in self._starts.items():
                self._params[name].seek(start)
        sent = dict(self._params)
        name, inputs, ours = self._operation.name, self._operation.input_shape, None
        if self._member is not None and self._member not in sent and inputs is not None:
            ours = self._member
            sent[ours] = token_for(inputs.members[ours], step.tokens)
        return self._hooked.ask(name, sent, self._repetition, ours=ours, again=again)


def token_member(service: str, operation: OperationModel) -> str | None:
    """Return the member of an operation's input that takes a token, by its trait or our table."""
    if is_read(service, operation.name) or operation.input_shape is None:
        return None
    name = TOKEN_MEMBERS.get(f"{service}.{operation.name}")
    if operation.idempotent_members:
        return str(operation.idempotent_members[0])
    return name if name in operation.input_shape.members else None


@lru_cache(maxsize=256)
def _form_for(least: int, most: int | None, pattern: str | None) -> str | None:
    """Return which form of a token these limits allow, the shortest name first."""
    try:
        allowed = re.compile(pattern or "", re.DOTALL)
    except re.error:  # some patterns in botocore are no Python ones
        pattern, allowed = None, re.compile("")
    example = Token(bytes(range(200, 232)))
    for form in ("uuid", "hex32", "hex64"):
        text = getattr(example, form)
        fits = least <= len(text) and (most is None or len(text) <= most)
        # In full: half a token would match most patterns, and be refused by the service.
        if fits and (pattern is None or allowed.fullmatch(text)):
            return form
    return None


def token_for(shape: Shape, token: Token) -> str:
    """Return the form of a token that a member's length and pattern allow.

    Raises:
        ConfigurationError: None fits; pass the member yourself.
    """
    limits = shape.metadata
    form = _form_for(limits.get("min", 0), limits.get("max"), limits.get("pattern"))
    if form is None:
        raise ConfigurationError(f"no form of a step's token fits {shape.name}: pass that member")
    return str(getattr(token, form))


def verdict(error: Exception) -> Verdict:
    """Judge what boto3 raised: was the operation acted on?"""
    if isinstance(error, ClientError):
        return _verdict_of(error.response)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & _NOT_SENT:
        return Verdict.NOT_SENT
    untrusted = "SSLError" in kinds and "CERTIFICATE_VERIFY_FAILED" in str(error)
    return Verdict.DEFINITIVE if untrusted or kinds & _NEVER_SENT else Verdict.IN_DOUBT


def _verdict_of(response: Mapping[str, Any]) -> Verdict:
    code = response.get("Error", {}).get("Code", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if status == 429 or _THROTTLED_CODES.search(code):
        return Verdict.THROTTLED
    doubt = status >= 500 or _SERVICE_FAILURE_CODES.search(code) is not None
    return Verdict.IN_DOUBT if doubt else Verdict.DEFINITIVE


def _without_values(ask: Any, name: str, params: dict[str, Any]) -> Any:
    """Send; if boto3 finds a member wrong, the error lacks its value, which may be secret."""
    try:
        return ask(name, params)
    except ParamValidationError as error:
        report = str(error.kwargs.get("report", error))
        refusal = re.sub(r"value: .*?, (?=type: <|valid min )", "", report, flags=re.DOTALL)
        raise ParamValidationError(report=refusal) from None


def _refuse_streams(operation: OperationModel) -> None:
    """Refuse before it acts what could not be kept after it did."""
    if operation.has_streaming_output or operation.has_event_stream_output:
        raise ConfigurationError(
            f"{operation.name} answers with a stream, which cannot be kept: call it inside"
            " self.step(...), and return what you need of it"
        )


def _readable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Put the content of a file in its place, and the file back to where it was."""
    read: dict[str, Any] = {}
    for name, value in params.items():
        read[name] = value
        if _can_seek(value):
            start = value.tell()
            read[name] = value.read()
            value.seek(start)
    return read


def _can_seek(value: Any) -> bool:
    seekable = getattr(value, "seekable", None)
    return hasattr(value, "read") and seekable is not None and bool(seekable())


__all__ = ["DeclaredOperations", "client", "token_for", "token_member", "verdict", "wrap"]
