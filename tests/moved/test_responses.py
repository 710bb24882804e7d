"""The same handlers and the same events under crhelper and under ours: every response compared."""

from collections.abc import Mapping
from typing import Any

import pytest
from moto import mock_aws

from cfn_once.testing import FakeCloudFormation
from moved.moving import (
    OURS,
    PAGE,
    REAL,
    SHAPES,
    Response,
    execute,
    load,
    response_of,
    under_crhelper,
)
from moved.things import things

HEAD = """
from crhelper import CfnResource
from moved.things import things
helper = CfnResource(sleep_on_delete=0, polling_interval=1)
def handler(event, context):
    helper(event, context)
"""


def source(body: str) -> str:
    return HEAD + "\n".join(line.removeprefix("    ") for line in body.splitlines())


def cases() -> dict[str, str]:
    """Return functions that come to something else than an id, by what they do."""
    return {name: source(body) for name, body in CASES.items()}


CASES = {
    "no function at all": "",
    "create only": """
    @helper.create
    def create(event, context):
        return things.make("a")
    """,
    "raises": """
    @helper.create
    def create(event, context):
        raise ValueError("no capacity")
    """,
    "raises without a text": """
    @helper.create
    def create(event, context):
        raise ValueError
    """,
    "a missing property": """
    @helper.create
    def create(event, context):
        return things.make(event["ResourceProperties"]["Nmae"])
    """,
    "raises after it has set an id": """
    @helper.create
    def create(event, context):
        helper.PhysicalResourceId = things.make("a")
        raise ValueError("half way")
    """,
    "sets an id and returns none": """
    @helper.create
    def create(event, context):
        helper.PhysicalResourceId = "mine"
    """,
    "Status without raising": """
    @helper.create
    def create(event, context):
        helper.Status, helper.Reason = "FAILED", "by hand"
        return "thing"
    """,
    "an id that is no text": """
    @helper.create
    def create(event, context):
        return {"Arn": "arn:thing"}
    """,
    "an empty id": """
    @helper.create
    def create(event, context):
        return ""
    """,
    "Update says True": """
    @helper.create
    def create(event, context):
        return things.make("a")
    @helper.update
    def update(event, context):
        return True
    """,
    "Update raises": """
    @helper.create
    def create(event, context):
        return things.make("a")
    @helper.update
    def update(event, context):
        helper.PhysicalResourceId = "another"
        raise ValueError("not to be changed")
    """,
    "Delete returns something": """
    @helper.create
    def create(event, context):
        return "thing"
    @helper.delete
    def delete(event, context):
        return "something"
    """,
    "Delete raises": """
    @helper.create
    def create(event, context):
        return "thing"
    @helper.delete
    def delete(event, context):
        raise ValueError("still in use")
    """,
    "NoEcho of one answer": """
    @helper.create
    def create(event, context):
        helper.NoEcho, helper.Data = True, {"Key": "secret"}
        return "thing"
    @helper.update
    def update(event, context):
        helper.Data["Open"] = "yes"
        return "thing"
    """,
    "Data that is no JSON": """
    @helper.create
    def create(event, context):
        helper.Data["When"] = {"a set"}
        return things.make("a")
    """,
    "Data of 6 KB": """
    @helper.create
    def create(event, context):
        helper.Data["Long"] = "x" * 6000
        return "thing"
    """,
    "Data that is nested": """
    @helper.create
    def create(event, context):
        helper.Data["Address"] = {"Host": "a", "Port": 1, "Path": None}
        return "thing"
    """,
    "a long Reason": """
    @helper.create
    def create(event, context):
        raise ValueError("beginning " + 300 * "x")
    """,
    "init_failure": """
    helper.init_failure(ValueError("no table"))
    """,
    "sys.exit": """
    @helper.create
    def create(event, context):
        raise SystemExit("enough")
    """,
    "the event": """
    @helper.create
    def create(event, context):
        del event["ResponseURL"]
        helper.Data = {**event.pop("ResourceProperties"), **event}
        helper.Data["Function"] = bool(context.function_name)
        return "thing"
    """,
    "what it was called with": """
    @helper.create
    def create(event, context):
        helper.Data = {"Request": helper.RequestId, "Stack": helper.StackId}
        helper.Data |= {"Name": helper.LogicalResourceId, "Type": helper.RequestType}
        helper.Data |= {"Status": helper.Status, "Id": helper.PhysicalResourceId}
        return "thing"
    """,
    "a changed event": """
    @helper.create
    @helper.update
    def create(event, context):
        event["ResourceProperties"]["Name"] = "changed"
        event["RequestType"] = "Other"
        return "thing"
    """,
    "an id of its own making": """
    @helper.create
    def create(event, context):
        return helper.generate_physical_id(event)
    """,
    "a poll that raises": """
    @helper.create
    def create(event, context):
        return things.make("a")
    @helper.poll_create
    def poll(event, context):
        raise ValueError("it has failed to start")
    """,
    "a poll that raises an error of the network": """
    @helper.create
    def create(event, context):
        return things.make("a")
    @helper.poll_create
    def poll(event, context):
        raise OSError("no route")
    """,
    "a poll that sets Status": """
    @helper.create
    def create(event, context):
        return things.make("a")
    @helper.poll_create
    def poll(event, context):
        helper.Status, helper.Reason = "FAILED", "it will not start"
    """,
    "a create that raises before its poll": """
    @helper.create
    def create(event, context):
        raise ValueError("no capacity")
    @helper.poll_create
    def poll(event, context):
        return True
    """,
    "a poll without a create": """
    @helper.poll_create
    def poll(event, context):
        return "found"
    """,
    "a poll that returns another id": """
    @helper.create
    def create(event, context):
        return "asked"
    @helper.poll_create
    def poll(event, context):
        helper.Data["Was"] = event["CrHelperData"]["PhysicalResourceId"]
        return "found"
    """,
}  # fmt: skip
ALL = {name: None for names in SHAPES.values() for name in names} | cases()

TOO_LONG = (
    "the response is 6254 bytes long and CloudFormation takes 4096, 14 of them kept free for"
    " NoEcho; the largest attributes: Long 6002 bytes. Return fewer or shorter ones, or the ARN of"
    " where they are kept"
)
LONG = "x" * 6000
NESTED = {"Host": "a", "Port": 1, "Path": None}
NOT_JSON = "Object of type set is not JSON serializable"
STICKY = ("NoEcho stays on", {("Update", "no_echo"): (True, False)})
STICKY[1][("Delete", "no_echo")] = (True, False)
FORGETS_ID = ("forgets the id of `create`", {("Create", "id"): ("<derived>", "thing-1")})
OF_OURS = "'Observed' object has no attribute '_poll_other_func'"
NAMED: dict[str, tuple[str, dict[tuple[str, str], tuple[Any, Any]]]] = {
    # what the page says; request, field: crhelper's, ours
    "data_secret": STICKY,
    "NoEcho of one answer": STICKY,
    "a poll that raises": FORGETS_ID,
    "a poll that raises an error of the network": FORGETS_ID,
    "a poll that sets Status": FORGETS_ID,
    "polls_all": (
        "forgets the id of `create`",
        {
            ("Create", "id"): ("<derived>", "thing-1"),
            ("Update", "id"): ("<derived>", "<held>"),
            ("Delete", "id"): ("<derived>", "<held>"),
        },
    ),
    "raises without a text": (
        "an error without a text",
        {("Create", "reason"): ("", "ValueError")},
    ),
    "Update says True": ("draws a new id", {("Update", "id"): ("<derived>", "<held>")}),
    "Update raises": ("keeps the event's id", {("Update", "id"): ("another", "<held>")}),
    "Delete returns something": (
        "keeps the event's id",
        {("Delete", "id"): ("something", "<held>")},
    ),
    "Data that is no JSON": (
        "no id at all",
        {
            ("Create", "id"): ("", "thing-1"),
            ("Create", "reason"): (
                f"Failed to convert response to json: {NOT_JSON}",
                f"Data cannot be sent as JSON: {NOT_JSON}. Put text and numbers into it",
            ),
        },
    ),
    "Data of 6 KB": (
        "more than 4,096 bytes",
        {
            ("Create", "status"): ("SUCCESS", "FAILED"),
            ("Create", "reason"): ("", TOO_LONG),
            ("Create", "data"): ({"Long": LONG}, {}),
        },
    ),
    "Data that is nested": (
        "`Address.Host`",
        {
            ("Create", "data"): (
                {"Address": NESTED},
                {"Address.Host": "a", "Address.Port": 1},
            )
        },
    ),
    "a long Reason": (
        "its last 240 characters",
        {
            ("Create", "reason"): (
                f"ERROR: (truncated) {240 * 'x'}",
                f"beginning {300 * 'x'}",
            )
        },
    ),
    "init_failure": (
        "the Delete of what was never made",
        {
            ("Create", "id"): ("", "<derived>"),
            ("Delete", "status"): ("FAILED", "SUCCESS"),
            ("Delete", "id"): ("", "<held>"),
            ("Delete", "reason"): ("no table", ""),
        },
    ),
    "sys.exit": (
        "sys.exit",
        {
            ("Create", "status"): ("no response", "FAILED"),
            ("Create", "id"): ("", "<derived>"),
            ("Create", "reason"): ("", "enough"),
        },
    ),
    "a changed event": (
        "a copy of its own",
        {
            ("Create", "status"): ("FAILED", "SUCCESS"),
            ("Create", "reason"): (OF_OURS, ""),
            ("Update", "status"): ("FAILED", "SUCCESS"),
            ("Update", "reason"): (OF_OURS, ""),
        },
    ),
}


def told(name: str) -> Mapping[str, tuple[Response, Response]]:
    """Return what both answer to a Create, an Update and a Delete."""
    text = ALL[name]
    theirs, ours = (
        load(name, line) if text is None else execute(text, line) for line in (REAL, OURS)
    )
    handler = theirs.lambda_handler if hasattr(theirs, "lambda_handler") else theirs.handler
    cloudformation = FakeCloudFormation(ours.helper.provider, timeout=900)
    held: dict[str, Any] = {"theirs": "none", "ours": "none"}
    found = {}
    for kind in ("Create", "Update", "Delete"):
        if kind == "Update" and "FAILED" == found["Create"][1].status:
            continue  # as CloudFormation does
        name = "a" if list(found) in ([], ["Create"]) and kind != "Update" else "b"
        event = cloudformation.event(
            kind,
            "Thing",
            {"Name": name},
            physical_resource_id=held["ours"],
            resource_type="Custom::Thing",
        )
        if kind == "Update":
            event["OldResourceProperties"] = {**event["ResourceProperties"], "Name": "a"}
        things.reset()
        theirs_told = under_crhelper(handler, with_id(event, held["theirs"]))
        things.reset()
        answer = cloudformation.deliver(event)
        body = {
            "Status": answer.status,
            "PhysicalResourceId": answer.physical_resource_id,
            "Reason": answer.reason,
            "Data": answer.data,
            "NoEcho": answer.no_echo,
        }
        found[kind] = (
            response_of(theirs_told, held["theirs"]),
            response_of(body, held["ours"]),
        )
        held = {
            "theirs": theirs_told.get("PhysicalResourceId") or "none",
            "ours": answer.physical_resource_id,
        }
    return found


def with_id(event: Mapping[str, Any], held: str) -> Mapping[str, Any]:
    return {**event, "PhysicalResourceId": held} if "PhysicalResourceId" in event else event


@pytest.mark.parametrize("name", ALL)
def test_every_response(name):
    """
    Each response is the same but for the differences that docs/migrate.md names.
    """
    with mock_aws():
        found = told(name)

    differences = {
        (kind, field): (getattr(theirs, field), getattr(ours, field))
        for kind, (theirs, ours) in found.items()
        for field in Response._fields
        if getattr(theirs, field) != getattr(ours, field)
    }
    row, named = NAMED.get(name, ("", {}))
    assert named == differences
    assert row in PAGE
