"""What the ledger says of a resource, in words: who works on it, what is in doubt, what to do.

It never shows results of steps, attributes and properties: they may be secret. What an operator has
given as a step's result is shown: `resolve` asks for no secret.
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .._clock import utc
from .._cloudformation.identity import (
    OTHER_PLACEHOLDERS,
    PLACEHOLDERS,
    Token,
    is_invented,
    operation_digest,
    resource_digest,
)
from .._cloudformation.request import SERVICE_TIMEOUT, RequestType
from .._steps.settling import settling
from ..ledger import Head, Operation, State, StepRecord, StepState
from ..ledger.operator import doubted
from ..ledger.step_record import step_of

STEP_STATES = {
    StepState.STARTED: "may have run",
    StepState.DONE: "done",
    StepState.FAILED: "did not happen",
    StepState.WAITING: "waits, or has waited",
    StepState.VALUE: "a value that was read",
}
RESPOND = "cfn-once respond {} --from-queue URL | --event FILE | --schedule NAME"
NOT_RECORDED = "a step that is not recorded"

AUDIT = "nothing if CloudFormation sends its Delete; if its stack has none to send: cfn-once audit"
DELETE_AGAIN = "have CloudFormation delete it again, as it did when this failed"
# EventBridge Scheduler fires within the minute after its time, and Lambda may ask for a place then.
LATE, LATE_AT_MOST = 120_000, "two minutes"  # milliseconds

UPDATE = "is a newer cfn-once at work on this ledger? Update this one"


class Doubt(NamedTuple):
    """A step of which cfn-once cannot determine whether it has run.

    Attributes:
        step: Its key in the ledger; empty where it is not recorded.
        at: When it may have run, in UTC.
        words: All that is known of it.
        is_made: It was made, and no hook will remove it.
    """

    step: str
    words: str
    at: str = ""
    is_made: bool = False


class Finding(NamedTuple):
    """What is the matter with a resource.

    Attributes:
        kind: In a word, for programs.
        words: In a sentence.
        next: The command that goes on from here; empty where nobody has to act.
        is_open: Its newest request is not answered, or something is left to do.
    """

    kind: str
    words: str
    next: str = ""
    is_open: bool = False


def is_deleted(head: Head) -> bool:
    """Tell whether the resource's own Delete has succeeded: no hook will remove anything more."""
    return head.held is None and head.operation.ended_as(RequestType.DELETE)


def is_at_work(head: Head, now: int) -> bool:
    """Tell whether an execution may hold the resource now, in milliseconds since 1970."""
    operation = head.operation
    return operation.state == State.RUNNING and now < operation.execution.lease


def comes_until(operation: Operation) -> int:
    """Return until when a continuation may yet come, in milliseconds since 1970; 0 for none."""
    due = operation.execution.due
    return 0 if operation.state != State.PARKED or due is None else due + LATE


def may_come_until(operation: Operation) -> int:
    """Return until when a late delivery may act, in milliseconds since 1970; 0 for none.

    CloudFormation waits so long for an answer, at most. It may wait no more, and the event may be
    on its way still.
    """
    return 0 if operation.is_over else (operation.issued_at + SERVICE_TIMEOUT) * 1000


def doubts_of(head: Head, now: int) -> list[Doubt]:
    """Return what is in doubt; what an execution is about at this moment is not."""
    at_work = is_at_work(head, now)
    operations = [*head.pending_cleanup, *([] if at_work else [head.operation])]
    found = [doubt for operation in operations for doubt in _doubts(operation)]
    kept = [Doubt(step_of(words), words) for words in head.doubts]
    return [*found, *kept]


def _doubts(operation: Operation) -> Iterator[Doubt]:
    of = f"of {operation.type} {operation.request_id}"
    for key in doubted(operation):
        at = utc((operation.steps[key].first_used if key else 0) / 1000 or operation.begun / 1000)
        if not key:
            yield Doubt("", f"{NOT_RECORDED} {of} may have run since {at}", at)
        elif operation.steps[key].state == StepState.DONE:
            words = f"{key} {of} was made since {at}, and the code of today has no such step"
            yield Doubt(key, words, at, is_made=True)
        else:
            yield Doubt(key, f"{key} {of} may have run at {at}", at)


def finding(head: Head, now: int, place: str, status: str = "") -> Finding:
    """Return what is the matter, and what to do next.

    Args:
        head: The resource.
        now: Milliseconds since 1970.
        place: Its stack and its logical id, as a command takes them.
        status: CloudFormation's own of the resource; empty where it was not asked.
    """
    operation, ended = head.operation, utc(head.operation.execution.lease / 1000)
    is_forgotten = operation.cleanup.forgotten and was_forgotten(head)
    match operation.state:
        case State.RUNNING if is_at_work(head, now):
            who = operation.execution.invocation or "outside Lambda"
            words = f"at work ({who}), until {ended} at the latest; a takeover is automatic then"
            return Finding("at-work", words, is_open=True)
        case State.RUNNING:
            words = f"its execution died: nobody is at work on it since {ended}"
            return _of_dead(words, doubts_of(head, now), place)
        case State.PARKED if is_forgotten and not waits(status):
            return _of_forgotten(head)
        case State.PARKED:
            return _of_parked(operation, now, place)
        case State.SUCCEEDED | State.FAILED:
            return _of_answered(head, now, place, status)
        case _:
            return unreadable(f"its request is in a state {operation.state!r}")


def waits(status: str) -> bool:
    """Tell whether CloudFormation waits, by its status of a resource."""
    return status.endswith("_IN_PROGRESS")


def unreadable(problem: str) -> Finding:
    """Return the finding of an item that nobody can read here, and why."""
    return Finding("unreadable", f"cannot be read: {problem}", UPDATE, is_open=True)


def _of_forgotten(head: Head) -> Finding:
    return Finding("forgotten", f"forgotten by {head.history[-1].by}")


def _of_dead(words: str, doubts: Sequence[Doubt], place: str) -> Finding:
    """Return what to do for an execution that died: what it may have made comes before a response.

    Once CloudFormation has a FAILED response, its Delete comes within seconds, and finds nothing.
    """
    steps = [doubt.step for doubt in doubts if doubt.step]
    if not steps:
        return Finding("died", words, RESPOND.format(place), is_open=True)
    words = f"{words}, and {steps[0]} may have run"
    return Finding("died", words, settling(place, steps[0]), is_open=True)


def _of_parked(operation: Operation, now: int, place: str) -> Finding:
    execution = operation.execution
    if execution.due is None:
        ended = utc(execution.lease / 1000)
        words = (
            f"its execution has ended at {ended} without an answer, and another delivery goes on"
        )
        return Finding("given-back", words, RESPOND.format(place), is_open=True)
    due = utc(execution.due / 1000)
    if now < comes_until(operation):
        words = f"its hook waits, and its continuation comes at {due}, or {LATE_AT_MOST} later"
        return Finding("waits", words, is_open=True)
    words = f"its continuation was to come at {due}, and has not: was its schedule deleted?"
    return Finding("not-come-back", words, RESPOND.format(place), is_open=True)


def _of_answered(head: Head, now: int, place: str, status: str) -> Finding:
    operation = head.operation
    at = utc(operation.execution.lease / 1000)
    outcome = "SUCCESS" if operation.state == State.SUCCEEDED else "FAILED"
    answered = f"answered {outcome} at {at}"
    if waits(status):
        asked = status.partition("_")[0].capitalize()
        words = (
            f"CloudFormation waits for the answer to its {asked}. The newest request here is its"
            f" {operation.type}, {answered}: either that answer was lost, or no delivery of the"
            f" {asked} has come to this ledger"
        )
        return Finding("waited-for", words, RESPOND.format(place), is_open=True)
    if doubts := doubts_of(head, now):
        may_be_made = not (doubts[0].is_made or is_deleted(head))
        how = settling(place, doubts[0].step, may_be_made=may_be_made)
        return Finding("in-doubt", f"{answered}, and in doubt", how, is_open=True)
    if head.pending_cleanup:
        words = f"{answered}; what earlier requests left is cleaned up by the next request"
        again = DELETE_AGAIN if operation.type == RequestType.DELETE else ""
        return Finding("not-cleaned-up", words, again, is_open=True)
    if was_forgotten(head):
        return _of_forgotten(head)
    if operation.state == State.SUCCEEDED:
        return Finding("answered", answered)
    return _of_failed(operation, answered, AUDIT if not status else "")


def _of_failed(operation: Operation, answered: str, how: str) -> Finding:
    """Return what is the matter after a request that failed: a Create may have made something."""
    has_made = any(step.state == StepState.DONE for step in operation.steps.values())
    if operation.type == RequestType.CREATE and has_made:
        words = f"{answered}; its Delete removes what it made"
        return Finding("not-cleaned-up", words, how, is_open=True)
    return Finding("failed", answered)


def was_forgotten(head: Head) -> bool:
    """Tell whether the last that was done is that an operator had it forgotten."""
    return bool(head.history) and head.history[-1].outcome == "FORGOTTEN"


def is_foreign(head: Head, physical_id: str) -> bool:
    """Tell whether an id is of an object that the ledger has never known.

    After a forget, hooks act under such an id. Under any other, a Delete removes nothing.
    """
    operations = (*head.pending_cleanup, head.operation)
    known = {
        head.held_id,
        *head.replaced_ids,
        *head.removed,
        *(old.id for old in head.forgotten),
        *(operation.assigned_id for operation in operations),
    }
    stack_name = head.stack_id.partition("/")[2].partition("/")[0]
    stands_for_none = (
        physical_id.startswith(tuple(PLACEHOLDERS.values()))
        or physical_id in OTHER_PLACEHOLDERS
        or is_invented(physical_id, stack_name, head.logical_resource_id)
    )
    return bool(physical_id) and physical_id not in known and not stands_for_none


def document(head: Head, now: int, found: Finding) -> dict[str, Any]:
    """Return everything shown of a resource, for programs; times are in UTC."""
    resource = resource_digest(head.stack_id, head.logical_resource_id)
    return {
        "stack_id": head.stack_id,
        "logical_resource_id": head.logical_resource_id,
        "resource_type": head.resource_type,
        "finding": found.kind,
        "words": found.words,
        "next": found.next,
        "open": found.is_open,
        "request": _request(head.operation, resource, now),
        "reason": reason_of(head),
        "physical_resource_id": head.held_id,
        "replaced": list(head.replaced_ids),
        "forgotten": [old.id for old in head.forgotten],
        "pending_cleanup": [_request(left, resource, now) for left in head.pending_cleanup],
        "doubts": [doubt._asdict() for doubt in doubts_of(head, now)],
        "history": [
            {
                "type": entry.type,
                "outcome": entry.outcome,
                "at": utc(entry.at / 1000),
                "step": entry.step,
                "reason": entry.reason,
                "by": entry.by,
                "made": entry.made,
            }
            for entry in head.history
        ],
        "revision": head.revision,
    }


def _request(operation: Operation, resource: bytes, now: int) -> dict[str, Any]:
    execution, digest = operation.execution, operation_digest(resource, operation.request_id)
    return {
        "request_id": operation.request_id,
        "request_type": operation.type,
        "state": operation.state,
        "begun": utc(operation.begun / 1000),
        "lease": utc(execution.lease / 1000),
        "lease_runs": operation.state == State.RUNNING and now < execution.lease,
        "due": None if execution.due is None else utc(execution.due / 1000),
        "deliveries": execution.deliveries,
        "function_request_id": execution.invocation,
        "steps": {
            key: _step(step, Token.of(digest, key, step.generation))
            for key, step in operation.steps.items()
        },
    }


def _step(step: StepRecord, token: Token) -> dict[str, Any]:
    at = utc(step.first_used / 1000) if step.first_used else None
    return {"state": STEP_STATES[StepState(step.state)], "at": at, "token": token.uuid}


def reason_of(head: Head) -> str:
    """Return why the newest request failed, as in its response."""
    response = head.operation.response
    if response is None or head.operation.state != State.FAILED:
        return ""
    try:
        return str(json.loads(response).get("Reason", ""))
    except (ValueError, AttributeError, RecursionError):  # the item is damaged
        return "its response cannot be read"


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Spell a resource's document for people."""
    yield f"{report['logical_resource_id']} ({report['resource_type']}) in {report['stack_id']}"
    request = report["request"]
    yield f"  {request['request_type']} {request['request_id']}, begun {request['begun']}"
    yield f"  {report['words']}"
    if report["reason"]:
        yield f"  reason: {report['reason']}"
    yield from _steps(request, "  ")
    yield f"  holds: {report['physical_resource_id'] or 'nothing'}"
    for name in ("replaced", "forgotten"):
        if report[name]:
            yield f"  {name}, and not removed: {', '.join(report[name])}"
    for left in report["pending_cleanup"]:
        yield f"  left by {left['request_type']} {left['request_id']}, to be cleaned up:"
        yield from _steps(left, "    ")
    for doubt in report["doubts"]:
        yield f"  in doubt: {doubt['words']}"
    for entry in report["history"]:
        yield f"  {entry_line(entry)}"
    yield next_line(report["next"], report["open"])


def _steps(request: dict[str, Any], indent: str) -> Iterator[str]:
    for key, step in request["steps"].items():
        at = f", {step['at']}, under token {step['token']}" if step["at"] else ""
        yield f"{indent}step {key}: {step['state']}{at}"


def entry_line(entry: dict[str, Any]) -> str:
    """Spell an entry of the history."""
    parts = [
        entry["at"],
        entry["type"],
        entry["step"],
        entry["outcome"],
        f"by {entry['by']}:" if entry["by"] else "",
        entry["reason"],
    ]
    made = f"; it returned {entry['made']}" if entry["made"] else ""
    return " ".join(filter(None, parts)) + made


def next_line(command: str, is_open: bool) -> str:  # noqa: FBT001 - as it is in the document
    """Spell what to do next."""
    if command:
        return f"next: {command}"
    return "next: wait" if is_open else "next: nothing"


def place_of(stack: str, logical_resource_id: str) -> str:
    """Spell a resource as a command takes it."""
    return f"{shlex.quote(stack)} {shlex.quote(logical_resource_id)}"


def summary(found: Sequence[Finding]) -> str:
    """Spell how many resources there are, and how many need somebody."""
    needy = sum(bool(item.next) for item in found)
    things = "1 resource" if len(found) == 1 else f"{len(found)} resources"
    return f"{things}, {needy} in need of somebody"
