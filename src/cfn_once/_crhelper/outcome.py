"""What a decorated function came to."""

from typing import Any, TypedDict

from .._cloudformation.canonical import Json


class Outcome(TypedDict):
    """What a function came to, as JSON.

    Attributes:
        id: What it returned: text, a whole number, a boolean or None.
        data: None where it is secret, and not kept.
    """

    id: Any
    data: dict[str, Json] | None
    reason: str
    no_echo: bool


def outcome_of(kept: Any) -> Outcome:
    """Return what a function came to; an operator may have settled its step with the id alone."""
    match kept:
        case {"id": returned, "data": data, "reason": str(reason), "no_echo": bool(no_echo)}:
            return Outcome(id=returned, data=data, reason=reason, no_echo=no_echo)
        case _:
            return Outcome(id=kept, data={}, reason="", no_echo=False)


def is_an_id(returned: Any) -> bool:
    """Tell whether what a function returned is a physical id."""
    return bool(returned) and returned is not True
