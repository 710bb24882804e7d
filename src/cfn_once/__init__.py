"""CloudFormation custom resources whose side effects happen once, however often an event comes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._cloudformation.request import Request as Request
    from ._cloudformation.request import RequestType as RequestType
    from ._errors import CfnOnceError as CfnOnceError
    from ._errors import ConfigurationError as ConfigurationError
    from ._errors import DeliveryError as DeliveryError
    from ._errors import HookError as HookError
    from ._errors import InDoubt as InDoubt
    from ._errors import InProgress as InProgress
    from ._errors import Interrupt as Interrupt
    from ._errors import InvalidProperties as InvalidProperties
    from ._errors import InvalidRequest as InvalidRequest
    from ._errors import LedgerUnavailable as LedgerUnavailable
    from ._errors import NonDeterminism as NonDeterminism
    from ._errors import PermanentError as PermanentError
    from ._errors import ReplayEnd as ReplayEnd
    from ._errors import SecretNotKept as SecretNotKept
    from ._errors import StepFailed as StepFailed
    from ._errors import Superseded as Superseded
    from ._errors import Suspended as Suspended
    from ._errors import TemporaryError as TemporaryError
    from ._errors import WaitTimeout as WaitTimeout
    from ._hooks.resource import CustomResource as CustomResource
    from ._properties import Json as Json
    from ._properties import Secret as Secret
    from ._provider import Provider as Provider
    from ._steps.call import Step as Step
    from .ledger import Store as Store

# The command shows its help without the rest of the package, which takes twice as long to load.
_NAMES = {
    "_cloudformation.request": "Request RequestType",
    "_errors": "CfnOnceError ConfigurationError DeliveryError HookError InDoubt InProgress"
    " Interrupt InvalidProperties InvalidRequest LedgerUnavailable NonDeterminism PermanentError"
    " ReplayEnd SecretNotKept StepFailed Superseded Suspended TemporaryError WaitTimeout",
    "_hooks.resource": "CustomResource",
    "_properties": "Json Secret",
    "_provider": "Provider",
    "_steps.call": "Step",
    "ledger": "Store",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_MODULES)  # noqa: PLE0605 - a list, made of the names above


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return found
