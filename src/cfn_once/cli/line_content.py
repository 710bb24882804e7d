"""What one line of a log says of an invocation: Lambda's own lines, cfn-once's, and others'.

Lines are read by the names of their fields, and nothing else of them is kept: neither properties,
nor data, nor the URL that a response goes to.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from .printed_events import values_in

Facts = dict[str, Any]

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_START = re.compile(rf"START RequestId: ({_UUID})")
_REPORT = re.compile(rf"REPORT RequestId: ({_UUID})(.*)", re.DOTALL)
_STATUS = re.compile(r"Status: (\w+)")
_TIMED_OUT = re.compile(rf"({_UUID}) Task timed out after")
_EXITED = re.compile(rf"RequestId: ({_UUID})\s+(?:Error: \w+|Process exited)")
_FIELD = re.compile(rf"(?:^|\t)({_UUID})(?=\t)")  # how the runtimes of Python and Node part a line
# With a tab behind it, it is a line of somebody's logger, and no error that left the handler.
_UNHANDLED = re.compile(
    r"\[ERROR\] (?!\d)([\w.]+)|\tERROR\t(?:Invoke|Uncaught) (?:Error|Exception)"
)
_LAMBDAS = ("function_request_id", "aws_request_id", "awsRequestId", "requestId")
_IN_CUT = re.compile(rf'"(?:{"|".join(_LAMBDAS)})"\s*:\s*"({_UUID})"')
MOST_DIGITS = 18  # of a number in a line
_ENDED_BADLY = ("error", "failure", "timeout")


class Event(StrEnum):
    """What a line is of an invocation."""

    START = "start"
    REPORT = "report"  # Lambda's last line of it
    LINE = "line"
    CUT = "cut"  # a JSON object that ends in the middle


class LineContent(NamedTuple):
    """What a line says.

    Attributes:
        invocation: Lambda's request id; empty where the line has none.
        ended: How the invocation ended: success, error or timeout; empty where it does not tell.
        facts: What it says of a request of CloudFormation's, by our names; empty where nothing.
    """

    event: Event
    invocation: str = ""
    ended: str = ""
    facts: Facts = {}  # noqa: RUF012 - never written


def content_of(text: str, by: re.Pattern[str] | None = None) -> LineContent:
    """Return what a line says.

    Args:
        text: The line.
        by: Finds the name of what is to be made once in lines of handlers that print no RequestId
            of CloudFormation's: its first group, or all of the match.
    """
    text = text.strip()
    if text[:1] == "{":
        return _of_json(text, by)
    if start := _START.match(text):
        return LineContent(Event.START, start[1])
    if report := _REPORT.match(text):
        status = _STATUS.search(report[2])
        return LineContent(Event.REPORT, report[1], _ended(status[1]) if status else "")
    if timed_out := _TIMED_OUT.search(text):
        return LineContent(Event.LINE, timed_out[1], "timeout")
    if exited := _EXITED.match(text):
        return LineContent(Event.LINE, exited[1], "error")
    lambdas = _FIELD.search(text)
    ended = "error" if _UNHANDLED.search(text[:200]) else ""
    return LineContent(Event.LINE, lambdas[1] if lambdas else "", ended, _of_text(text, by))


def _ended(status: str) -> str:
    if status == "success":
        return status
    return "timeout" if status == "timeout" else "error"


def _of_json(text: str, by: re.Pattern[str] | None) -> LineContent:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):  # cut, or nested without end
        lambdas = _IN_CUT.search(text)
        event = Event.LINE if text.endswith("}") else Event.CUT  # a map of Python's is whole, too
        return LineContent(event, lambdas[1] if lambdas else "", "", _of_text(text, by))
    if str(body.get("type")).startswith("platform."):
        return _of_platform(body["type"], body.get("record"))
    spelt = next((str(body[name]) for name in _LAMBDAS if body.get(name)), "")
    if "correlation_id" in body and "request_id" in body:
        return LineContent(Event.LINE, spelt, "", _of_ours(body))
    raised = "error" if {"errorType", "stackTrace"} <= set(body) else ""
    return LineContent(Event.LINE, spelt, raised, _of_crhelper(body) or _of_text(text, by))


def _of_platform(kind: str, record: Any) -> LineContent:
    """Read a line of Lambda's own, where the function logs JSON."""
    fields = record if isinstance(record, dict) else {}
    spelt, status = str(fields.get("requestId", "")), str(fields.get("status", ""))
    if kind == "platform.start":
        return LineContent(Event.START, spelt)
    is_bad = status in _ENDED_BADLY
    if kind == "platform.report":
        return LineContent(Event.REPORT, spelt, _ended(status) if status else "")
    ended = _ended(status) if kind == "platform.runtimeDone" and is_bad else ""
    return LineContent(Event.LINE, spelt, ended)


def _of_ours(body: Mapping[str, Any]) -> Facts:
    facts = {
        "request": str(body["request_id"]),
        "correlation_id": str(body["correlation_id"]),
        "resource": body.get("logical_resource_id", ""),
        "resource_type": body.get("resource_type", ""),
        "request_type": body.get("request_type", ""),
        "outcome": body.get("outcome", ""),
        "function": body.get("FunctionName", ""),
        "receives": _number(body.get("receive_count")),
        "is_ours": True,
        "has_begun": body.get("phase") == "begins",
        "is_told": "Deliveries" in body,  # the line of metrics, at the end of a delivery
        "resumes": body.get("resumes") is True,
        "is_raised": bool(body.get("error")),
        "is_suppressed": bool(body.get("DuplicatesSuppressed")),
        "is_replay": bool(body.get("Replays")),
        "is_in_doubt": bool(body.get("StepsInDoubt")),
        "execution": _number(body.get("deliveries")),
    }
    return {name: value for name, value in facts.items() if value}


def _of_crhelper(body: Mapping[str, Any]) -> Facts:
    """Read a line of crhelper's JSON, and of whatever else names a request in its own fields.

    Its message may be the event, or the response, as JSON.
    """
    message = body.get("message")
    parts = [body, *([message] if isinstance(message, dict) else [])]
    facts = _named({name: value for part in parts for name, value in part.items()})
    if message == "Setting up polling":
        facts["polls"] = True
    return facts if "request" in facts else {}


def _of_text(text: str, by: re.Pattern[str] | None) -> Facts:
    """Read an event or a response that a handler has printed, and what `by` finds."""
    facts = _named(values_in(text))
    if "request" in facts:
        return facts
    found = by.search(text) if by else None
    return {"request": f"{found[1] if found.re.groups else found[0]}"} if found else {}


def _named(values: Mapping[str, Any]) -> Facts:
    if not isinstance(values.get("RequestId"), str) or "LogicalResourceId" not in values:
        return {}
    facts = {
        "request": values["RequestId"],
        "resource": values["LogicalResourceId"],
        "resource_type": values.get("ResourceType", ""),
        "request_type": values.get("RequestType", ""),
        "receives": _number(values.get("ApproximateReceiveCount")),
        "resumes": "CrHelperPoll" in values,
    }
    if values.get("Status") in ("SUCCESS", "FAILED"):  # a response, and no event
        facts["outcome"] = values["Status"]
        facts["physical_id"] = str(values.get("PhysicalResourceId", ""))
    return {name: value for name, value in facts.items() if value}


def _number(value: Any) -> int:
    spelt = str(value)[:MOST_DIGITS]
    return int(spelt) if spelt.isdecimal() else 0
