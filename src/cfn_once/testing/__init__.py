"""The test kit: CloudFormation and its faults, in process and in no time."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._answers import Answer
    from ._api import ApiCall, ApiError, FakeApi
    from ._clock import VirtualClock
    from ._cloudformation import FakeCloudFormation
    from ._deployed import DeployedLambda
    from ._events import (
        LambdaContext,
        create_event,
        delete_event,
        on_failure_event,
        sns_event,
        sqs_event,
        update_event,
    )
    from ._ports import Crashed
    from ._process import Faults
    from ._run import FarSide
    from ._safe import Checked, assert_safe
    from ._stack import Held, StackEvent

__all__ = [
    "Answer",
    "ApiCall",
    "ApiError",
    "Checked",
    "Crashed",
    "DeployedLambda",
    "FakeApi",
    "FakeCloudFormation",
    "FarSide",
    "Faults",
    "Held",
    "LambdaContext",
    "StackEvent",
    "VirtualClock",
    "assert_safe",
    "create_event",
    "delete_event",
    "on_failure_event",
    "sns_event",
    "sqs_event",
    "update_event",
]

# pytest imports this package at every start, for the plugin in it: the kit comes when it is used.
_MODULES = {
    "Answer": "_answers",
    "ApiCall": "_api",
    "ApiError": "_api",
    "Checked": "_safe",
    "Crashed": "_ports",
    "DeployedLambda": "_deployed",
    "FakeApi": "_api",
    "FakeCloudFormation": "_cloudformation",
    "FarSide": "_run",
    "Faults": "_process",
    "Held": "_stack",
    "LambdaContext": "_events",
    "StackEvent": "_stack",
    "VirtualClock": "_clock",
    "assert_safe": "_safe",
    "create_event": "_events",
    "delete_event": "_events",
    "on_failure_event": "_events",
    "sns_event": "_events",
    "sqs_event": "_events",
    "update_event": "_events",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
