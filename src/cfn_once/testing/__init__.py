"""The test kit: CloudFormation and its faults, in process and in no time."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Answer
    from .api import ApiCall, ApiError, FakeApi
    from .clock import VirtualClock
    from .cloudformation import FakeCloudFormation
    from .deployed import DeployedLambda
    from .events import (
        LambdaContext,
        create_event,
        delete_event,
        on_failure_event,
        sns_event,
        sqs_event,
        update_event,
    )
    from .faults import Faults
    from .process import Crashed
    from .run import FarSide
    from .safe import Checked, assert_safe
    from .stack import Held, StackEvent

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
    "Answer": "answers",
    "ApiCall": "api",
    "ApiError": "api",
    "Checked": "safe",
    "Crashed": "process",
    "DeployedLambda": "deployed",
    "FakeApi": "api",
    "FakeCloudFormation": "cloudformation",
    "FarSide": "run",
    "Faults": "faults",
    "Held": "stack",
    "LambdaContext": "events",
    "StackEvent": "stack",
    "VirtualClock": "clock",
    "assert_safe": "safe",
    "create_event": "events",
    "delete_event": "events",
    "on_failure_event": "events",
    "sns_event": "events",
    "sqs_event": "events",
    "update_event": "events",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
