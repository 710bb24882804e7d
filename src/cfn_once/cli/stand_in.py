"""The stand-in for the external API, which `[tool.cfn-once] external-api` names."""

import importlib
import os
import sys
from typing import Any

from .._described.importing import reason_of
from .._described.settings import NO_API
from .console import Stop


class OfDict:
    """A dict, as `assert_safe` wants an external API."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def reset(self) -> None:
        """Forget all."""
        self.objects.clear()


def stand_in(place: str) -> Any:
    """Return what the factory makes; None where hooks call nothing, or only read.

    Raises:
        Stop: There is no such factory, or it fails, or what it makes is no stand-in.
    """
    if place == NO_API:
        return None
    module, _, name = place.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        made = getattr(importlib.import_module(module), name)()
    except Exception as error:  # noqa: BLE001 - a factory of the user's may do anything
        raise Stop(f"external-api = {place!r}: {reason_of(error)}") from None
    made = OfDict(made) if isinstance(made, dict) else made
    if made is not None and not (hasattr(made, "objects") and hasattr(made, "reset")):
        raise Stop(f"external-api = {place!r}: what it makes has no objects, or no reset()")
    return made


def set_clock(made: Any, clock: Any) -> None:
    """Let a stand-in that has a clock go by a stack's, as `assert_safe` does."""
    if hasattr(made, "clock"):
        made.clock = clock
