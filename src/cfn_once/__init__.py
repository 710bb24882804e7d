"""CloudFormation custom resources whose side effects happen once, however often an event comes."""

from ._cloudformation.request import Request, RequestType
from ._errors import (
    CfnOnceError,
    ConfigurationError,
    DeliveryError,
    HookError,
    InDoubt,
    InProgress,
    Interrupt,
    InvalidProperties,
    InvalidRequest,
    LedgerUnavailable,
    NonDeterminism,
    PermanentError,
    ReplayEnd,
    SecretNotKept,
    StepFailed,
    Superseded,
    Suspended,
    TemporaryError,
    WaitTimeout,
)
from ._hooks.resource import CustomResource
from ._properties import Json, Secret
from ._provider import Provider
from ._steps.call import Step
from .ledger import Store

__all__ = [
    "CfnOnceError",
    "ConfigurationError",
    "CustomResource",
    "DeliveryError",
    "HookError",
    "InDoubt",
    "InProgress",
    "Interrupt",
    "InvalidProperties",
    "InvalidRequest",
    "Json",
    "LedgerUnavailable",
    "NonDeterminism",
    "PermanentError",
    "Provider",
    "ReplayEnd",
    "Request",
    "RequestType",
    "Secret",
    "SecretNotKept",
    "Step",
    "StepFailed",
    "Store",
    "Superseded",
    "Suspended",
    "TemporaryError",
    "WaitTimeout",
]
