"""What one run of a hook is given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from .._clock import Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.request import Request
from .._steps.steps import Steps

P = TypeVar("P")


class HookInput(NamedTuple, Generic[P]):
    """What one run of a hook is given.

    Attributes:
        properties: Of the declared type.
        physical_resource_id: The id of what the hook is about; a preset one where it makes it.
        may_set_id: The hook makes the object, so that it may give it its id.
        may_replace: It is `update`, and another id means that it has made another object.
        replaced_ids: Ids that were replaced and are not removed yet.
        recovered: It removes what a request left that failed or was overtaken.
        partial: What the steps of that one returned, by their names.
        is_rollback: A hint: the properties are those of the held object.
        keeps_secrets: The ledger may hold answers marked NoEcho.
    """

    request: Request
    properties: P
    steps: Steps
    deadline: Deadline
    physical_resource_id: str
    may_set_id: bool
    may_replace: bool = False
    replaced_ids: tuple[str, ...] = ()
    recovered: bool = False
    partial: Mapping[str, Json] = MappingProxyType({})
    is_rollback: bool = False
    keeps_secrets: bool = False
