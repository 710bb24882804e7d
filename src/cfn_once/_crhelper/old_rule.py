"""The rules with which crhelper polls: what ticks on when its function has been moved."""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from .._steps.call import Step
from .outcome import Outcome

log = logging.getLogger("cfn_once.crhelper")


def of_old_rule(event: Mapping[str, Any]) -> Outcome:
    """Return what a function came to under crhelper, whose rule goes on polling for it."""
    data = dict(event.get("CrHelperData") or {})
    return {
        "id": data.pop("PhysicalResourceId", None),
        "data": data,
        "reason": "",
        "no_echo": False,
    }


def take_away(event: Mapping[str, Any], step: Step) -> None:
    """Remove the rule with which crhelper polls; a rule that stays has no effect."""
    del step
    rule, permission = event.get("CrHelperRule"), event.get("CrHelperPermission")
    if rule:
        _try(f"the rule {rule}", lambda: _remove_rule(str(rule).rpartition("/")[2]))
    if permission:
        _try(f"the permission {permission}", lambda: _remove_permission(str(permission)))


def _remove_rule(name: str) -> None:
    import boto3  # only where crhelper has left a rule

    events = boto3.client("events")
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def _remove_permission(statement: str) -> None:
    import boto3  # as above

    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    boto3.client("lambda").remove_permission(FunctionName=function, StatementId=statement)


def _try(what: str, remove: Callable[[], None]) -> None:
    try:
        remove()
    except Exception as error:  # noqa: BLE001 - whatever boto3 raises, the request goes on
        kind = type(error).__name__
        log.warning(
            "%s, which crhelper has made, is still there: %s. Remove it by hand", what, kind
        )
