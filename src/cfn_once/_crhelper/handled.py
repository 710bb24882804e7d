"""The one class that all decorated functions of a helper are the hooks of."""

from collections.abc import Callable
from typing import Any, Protocol

from .._cloudformation.canonical import Json
from .._cloudformation.request import Request, RequestType
from .._hooks.resource import CustomResource
from .._steps.call import Call, Repetition, Step
from .identity import derived_id

GROW = (
    "to have it looked up next time, make its effects in steps of their own:"
    " docs/migrate.md#growing-into-steps"
)


class Helper(Protocol):
    """Runs what is decorated."""

    def handle(self, resource: "Handled") -> dict[str, Json]:
        """Run what is decorated for a request, and return the attributes."""


class Handled(CustomResource[dict[str, Any], dict[str, Any]]):
    """A resource of any type, whose hooks are the decorated functions of a helper."""

    resource_type = "Custom::Handled"
    update_may_replace = True
    always_delete = True
    _tells_secrets_once = True
    helper: Helper

    @classmethod
    def _default_id(cls, request: Request) -> str:
        return derived_id(request.stack_id, request.logical_resource_id, request.request_id)

    @property
    def may_keep_secrets(self) -> bool:
        """Tell whether the ledger may have what is marked NoEcho."""
        return self._given.keeps_secrets

    def event(self) -> dict[str, Any]:
        """Return the event for a function, with the id of the object that it is about."""
        event = self.request.event
        if "PhysicalResourceId" in event:
            event["PhysicalResourceId"] = self.physical_resource_id
        return event

    def take_id(self, value: str | None) -> None:
        """Set the id of what is made; None for the one that it has by itself."""
        if self.request.type is RequestType.DELETE:
            return
        self.physical_resource_id = self._given.physical_resource_id if value is None else value

    def run_whole(self, name: str, run: Callable[[Step], Any], *, again: bool) -> Any:
        """Run all of a function as one step; `again`, if it may run again from its top."""
        from datetime import timedelta  # not before the first event

        call = Call(
            name=name,
            run=run,
            arguments=run.__qualname__,
            repetition=Repetition.TOKEN if again else Repetition.ONCE,
            window=timedelta.max.total_seconds() if again else None,
            remedy=GROW,
        )
        return self._steps.run(call)

    def create(self) -> dict[str, Json]:
        return self.helper.handle(self)

    def update(self) -> dict[str, Json]:
        return self.helper.handle(self)

    def delete(self) -> None:
        self.helper.handle(self)
