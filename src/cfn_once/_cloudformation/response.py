"""The answer: what came of a request, and the only place that spells it for CloudFormation."""

import json
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .canonical import Json, is_utf8
from .request import Request, RequestType

LIMIT = 4096  # bytes of the whole body; "custom resource request and response reference"
LARGEST_NUMBER = 2**1024 - 1  # a double's range; Python itself refuses to print far longer ones
LONGEST_ID = 1024  # bytes; the same page
MARK = ',"NoEcho":true'  # its bytes are kept free: a class may become secret after its answer
CUT = " ... (shortened) ... "


class Success(NamedTuple):
    """The resource is as the template wants it.

    Attributes:
        is_kept: The ledger may have the attributes; else they are sent once.
    """

    physical_resource_id: str
    attributes: Mapping[str, Json] = MappingProxyType({})
    no_echo: bool = False
    reason: str = ""
    is_kept: bool = True


class Failure(NamedTuple):
    """The resource is not as the template wants it; CloudFormation rolls back."""

    reason: str
    physical_resource_id: str


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

Outcome = Success | Failure


def encode(request: Request, outcome: Outcome) -> tuple[Outcome, bytes]:
    """Return the outcome that is really answered, and its body: at most 4,096 bytes.

    A reason that is too long is shortened, and left out of a SUCCESS that has no room for it;
    attributes that are too long, or not JSON, make the answer FAILED, with the id kept.
    """
    deletes = request.type is RequestType.DELETE  # it echoes what it brought
    if not deletes and len(outcome.physical_resource_id.encode("utf-8", "replace")) > LONGEST_ID:
        size = len(outcome.physical_resource_id.encode("utf-8", "replace"))
        safe = request.physical_resource_id or request.placeholder_id("none")
        reason = f"the physical id is {size} bytes long; CloudFormation takes {LONGEST_ID}"
        outcome = Failure(reason=reason, physical_resource_id=safe)
    if isinstance(outcome, Success) and (problems := list(_not_json(outcome.attributes))):
        reason = "attributes that are not JSON: " + "; ".join(problems) + ". Return text or numbers"
        outcome = Failure(reason=reason, physical_resource_id=outcome.physical_resource_id)
    outcome = _shortened(request, outcome)
    body = _body(request, outcome)
    if len(body) <= _room(outcome) or isinstance(outcome, Failure):
        return outcome, body
    reason = _too_large(outcome, len(body))
    return encode(
        request, Failure(reason=reason, physical_resource_id=outcome.physical_resource_id)
    )


def _room(outcome: Outcome) -> int:
    """Return how many bytes an answer may have, so that it fits whenever it is sent again."""
    is_open = isinstance(outcome, Success) and outcome.attributes and not outcome.no_echo
    # Seeded bug: room-for-no-echo
    return LIMIT - len(MARK) if is_open else LIMIT


def _body(request: Request, outcome: Outcome) -> bytes:
    failed = isinstance(outcome, Failure)
    document: dict[str, Json] = {"Status": "FAILED" if failed else "SUCCESS"}
    if failed or outcome.reason:
        document["Reason"] = outcome.reason or "no reason was given"
    document["PhysicalResourceId"] = outcome.physical_resource_id or request.placeholder_id("none")
    if isinstance(outcome, Success) and request.type is not RequestType.DELETE:
        if outcome.no_echo:
            document["NoEcho"] = True
        if outcome.attributes:
            document["Data"] = dict(outcome.attributes)
    return _to_json(document)[:-1] + _ids(request)


def _ids(request: Request) -> bytes:
    """Return the end of each body: what every delivery of the request carries as well."""
    ids = {
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
    }
    return b"," + _to_json(ids)[1:]


def without_ids(request: Request, body: bytes, outcome: Outcome) -> str:
    """Return what the ledger keeps of a body: all that the request itself cannot tell.

    Args:
        request: The request that it answers.
        body: What is answered.
        outcome: What it tells of.
    """
    kept = body.removesuffix(_ids(request)).decode() + "}"
    if isinstance(outcome, Failure) or outcome.is_kept:
        return kept
    return _to_json({**json.loads(kept), "Data": None}).decode()


NOT_KEPT = (
    "this request already got a response with secrets, which its ledger is not declared to keep:"
    " put the table under a customer-managed key and say keeps_secrets=true in its URL"
)


def with_ids(request: Request, kept: str, *, no_echo: bool = False) -> bytes:
    """Return the body that `without_ids` was given, byte for byte; FAILED where it lacks secrets.

    Args:
        request: One of the deliveries of the request that it answers.
        kept: What the ledger has of it.
        no_echo: The attributes are secret, by the class of today. They may have been recorded by
            one that did not say so: the one case in which the body differs.
    """
    if kept.endswith('"Data":null}'):  # which no attributes are
        return refusal(request, NOT_KEPT)
    document = json.loads(kept) if no_echo else {}
    if "Data" in document and "NoEcho" not in document:
        kept = _to_json({**document, "NoEcho": True}).decode()
    return kept[:-1].encode() + _ids(request)


def _to_json(value: Json) -> bytes:
    text = _JSON.encode(value)
    return text.encode("utf-8", "replace")


def _shortened(request: Request, outcome: Outcome) -> Outcome:
    """Cut the middle out of a reason that is too long: its head says what, its tail says where."""
    room, low, high = _room(outcome), 0, len(outcome.reason)
    if not high or len(_body(request, outcome)) <= room:
        return outcome
    if isinstance(outcome, Success) and len(_body(request, _cut(outcome, 0))) > room:
        return outcome._replace(
            reason=""
        )  # the attributes are what the stack needs; the log has it
    while low < high:  # the longest that fits, counted in bytes of the body
        keep = (low + high + 1) // 2
        if len(_body(request, _cut(outcome, keep))) <= room:
            low = keep
        else:
            high = keep - 1
    return _cut(outcome, low)


def _cut(outcome: Outcome, keep: int) -> Outcome:
    tail = keep // 3
    text = outcome.reason
    end = text[len(text) - tail :] if tail else ""
    return outcome._replace(reason=text[: keep - tail] + CUT + end)


def _too_large(outcome: Success, size: int) -> str:
    sizes = {name: len(_to_json(value)) for name, value in outcome.attributes.items()}
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:3]
    named = ", ".join(f"{name[:60]} {sizes[name]} bytes" for name in largest)
    spare = f", {len(MARK)} of them kept free for NoEcho" if _room(outcome) < LIMIT else ""
    return (
        f"the response is {size} bytes long and CloudFormation takes {LIMIT}{spare}; the largest"
        f" attributes: {named}. Return fewer or shorter ones, or the ARN of where they are kept"
    )


def _not_json(attributes: Mapping[str, Json]) -> Iterator[str]:
    for name, value in attributes.items():
        if not isinstance(name, str):
            yield f"a name is {type(name).__name__}, not text"
            continue
        for where, kind in _strange(value, name):
            yield f"{where} is {kind}"


def _strange(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Yield each place in a value that JSON cannot hold, and what is there."""
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                yield path, f"a map with a name of kind {type(name).__name__}"
            yield from _strange(member, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, member in enumerate(value):
            yield from _strange(member, f"{path}[{place}]")
    elif kind := _strange_scalar(value):
        yield path, kind


def _strange_scalar(value: Json) -> str:
    """Say what a value is that JSON cannot hold; empty for any other."""
    match value:
        case float():
            return "" if math.isfinite(value) else "no finite number"
        case int():
            is_read = abs(value) <= LARGEST_NUMBER
            return "" if is_read else "a whole number beyond those of JSON's readers"
        case str():
            return "" if is_utf8(value) else "text with half a character"
        case None:
            return ""
        case _:
            return type(value).__name__


def refusal(request: Request, reason: str, kind: str = "none") -> bytes:
    """Answer FAILED without a hook, under an id that stands for nothing where there is no other."""
    held = request.physical_resource_id or request.placeholder_id(kind)
    return encode(request, Failure(reason=reason, physical_resource_id=held))[1]


def gone(request: Request, reason: str) -> bytes:
    """Answer a Delete of what was never begun, and name why the ledger was not asked."""
    held, reason = str(request.physical_resource_id), f"the ledger was not asked: {reason}"
    return encode(request, Success(physical_resource_id=held, reason=reason))[1]
