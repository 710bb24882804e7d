"""The API that functions in other processes call, which is told when to have an accident."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from cfn_once.testing import ApiError, FakeApi


class ApiWithAccidents(FakeApi):
    """An API as most are: each POST makes one more group.

    Args:
        tokens: It remembers `Idempotency-Key`s, and makes nothing for one that it knows.

    Attributes:
        accidents: What happens once, "before create", "after create" or "after update": a process
            is killed, or frozen. A request with an accident before it never arrives.
        delay: Seconds that it takes to answer a creation, after it has acted.
        ready: Whether a group is said to be ready.
    """

    def __init__(self, *, tokens: bool = False) -> None:
        super().__init__(tokens=tokens, prefix="group")
        self.accidents: dict[str, Callable[[], object]] = {}
        self.delay, self.ready = 0.0, True

    def count(self, operation: str) -> int:
        """Return how often an operation was asked for."""
        return [call.operation for call in self.calls].count(operation)

    def create(self, properties: Mapping[str, Any], *, token: str | None = None) -> str:
        if self._happens("before create"):
            raise ApiError(503, "it never came here")
        made = super().create(properties, token=token)
        self._happens("after create")
        time.sleep(self.delay)
        return made

    def get(self, id: str) -> dict[str, Any]:  # noqa: A002 - the base's name
        return {**super().get(id), "ready": self.ready}

    def update(self, id: str, properties: Mapping[str, Any]) -> None:  # noqa: A002 - as above
        super().update(id, properties)
        self._happens("after update")

    def _happens(self, moment: str) -> bool:
        accident = self.accidents.pop(moment, None)
        if accident is not None:
            accident()
        return accident is not None
