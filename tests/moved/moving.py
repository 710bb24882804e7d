"""One handler under the real crhelper, and moved: the same module but for its import line."""

import contextlib
import json
import re
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from crhelper import CfnResource

PAGE = Path(__file__).parents[2].joinpath("docs", "migrate.md").read_text(encoding="utf-8")
HANDLERS = Path(__file__).with_name("handlers")
SHAPES = {
    "module-level boto3": ("boto3_address", "boto3_volume"),
    "Data": ("data_plain", "data_secret"),
    "stacked": ("stacked", "stacked_branch"),
    "returned ids": ("ids_number", "ids_none"),
    "polls": ("polls_id", "polls_all"),
    "two helpers": ("helpers_by_type", "helpers_by_property"),
}
IMPORT = "from crhelper import CfnResource"
REAL = "from moved.moving import Observed as CfnResource"
OURS = "from cfn_once.crhelper import CfnResource"
DRAWN = re.compile(
    r"stack_Thing_[A-Z0-9]{8}$|cfn-once\.none\..*|(eipalloc|vol)-[0-9a-f]{17}$|127(\.\d+){3}$"
)


def load(name: str, line: str) -> Any:
    """Return a handler's module with another import line."""
    return execute((HANDLERS / f"{name}.py").read_text(encoding="utf-8"), line, name)


def execute(source: str, line: str, name: str = "handler") -> Any:
    """Return a module of a source with another import line."""
    assert 1 == source.count(IMPORT)
    module = types.ModuleType(name)
    exec(compile(source.replace(IMPORT, line), name, "exec"), vars(module))
    return module


class Rules:
    """EventBridge and Lambda, as crhelper calls them to poll: the rules that there are."""

    def __init__(self):
        self.ticking, self.permissions = {}, []

    def put_rule(self, Name, **_):
        self.ticking[Name] = None
        return {"RuleArn": f"arn:aws:events:us-east-1:123456789012:rule/{Name}"}

    def put_targets(self, Rule, Targets):
        self.ticking[Rule] = Targets[0]["Input"]

    def remove_targets(self, Rule, Ids):
        self.ticking[Rule] = None

    def delete_rule(self, Name):
        del self.ticking[Name]

    def add_permission(self, StatementId, **_):
        self.permissions.append(StatementId)

    def remove_permission(self, StatementId, **_):
        self.permissions.remove(StatementId)


class Observed(CfnResource):
    """The real one; it tells us what it would send, and its rules tick when they are asked to."""

    rules = Rules()
    told: list[dict[str, Any]] = []

    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self._lambda_client = self._events_client = self.rules

    def _wait_for_cwlogs(self, sleep=None):
        """Have no logs to wait for."""

    def _send(self, status=None, reason="", send_response=None):
        super()._send(status, reason, send_response=self._told)

    def _told(self, url, body, verify):
        try:
            self.told.append(json.loads(json.dumps(body)))
        except TypeError as error:  # as crhelper's own sender does
            text = f"Failed to convert response to json: {error}"
            self.told.append({"Status": "FAILED", "Data": {}, "Reason": text})


class Context:
    """Lambda's, of a function with fifteen minutes."""

    function_name = "function"
    aws_request_id = "invocation"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"

    def get_remaining_time_in_millis(self):
        return 900_000


class Response(NamedTuple):
    """What CloudFormation takes of a response; what was drawn or derived is `<derived>`."""

    status: str
    id: str
    reason: str
    data: Mapping[str, Any]
    no_echo: bool


def response_of(body: Mapping[str, Any], event_id: str) -> Response:
    """Return what CloudFormation takes of a body: of a FAILED one no Data.

    An id that is the event's own is `<held>`.
    """
    good, told = body["Status"] == "SUCCESS", body.get("PhysicalResourceId", "")
    return Response(
        body["Status"],
        "<held>" if told == event_id else DRAWN.sub("<derived>", told),
        body.get("Reason", ""),
        _without_drawn(body.get("Data", {})) if good else {},
        body.get("NoEcho", False) if good else False,
    )


def _without_drawn(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {k: DRAWN.sub("<derived>", v) if isinstance(v, str) else v for k, v in data.items()}


def under_crhelper(handler: Callable[[Any, Any], Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Deliver an event, let the rules tick until there is a response, and return that."""
    Observed.told.clear()
    with contextlib.suppress(SystemExit):  # which nobody answers for
        handler(json.loads(json.dumps(event)), Context())
    for _ in range(20):
        if Observed.told:
            break
        for target in list(Observed.rules.ticking.values()):
            handler(json.loads(target), Context())
    return Observed.told[0] if Observed.told else {"Status": "no response"}
