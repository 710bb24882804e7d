"""The test kit: CloudFormation and its faults, in process and in no time."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Answer as Answer
    from .api import ApiCall as ApiCall
    from .api import ApiError as ApiError
    from .api import FakeApi as FakeApi
    from .clock import VirtualClock as VirtualClock
    from .cloudformation import FakeCloudFormation as FakeCloudFormation
    from .events import LambdaContext as LambdaContext
    from .events import create_event as create_event
    from .events import delete_event as delete_event
    from .events import on_failure_event as on_failure_event
    from .events import sns_event as sns_event
    from .events import sqs_event as sqs_event
    from .events import update_event as update_event
    from .faults import Faults as Faults
    from .functions import DeployedLambda as DeployedLambda
    from .process import Crashed as Crashed
    from .run import ExternalApi as ExternalApi
    from .safe import Checked as Checked
    from .safe import assert_safe as assert_safe
    from .stack import Held as Held
    from .stack import StackEvent as StackEvent

# pytest imports this package at every start, for the plugin in it: the kit comes when it is used.
_NAMES = {
    "answers": "Answer",
    "api": "ApiCall ApiError FakeApi",
    "clock": "VirtualClock",
    "cloudformation": "FakeCloudFormation",
    "events": "LambdaContext create_event delete_event on_failure_event sns_event sqs_event"
    " update_event",
    "faults": "Faults",
    "functions": "DeployedLambda",
    "process": "Crashed",
    "run": "ExternalApi",
    "safe": "Checked assert_safe",
    "stack": "Held StackEvent",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
