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
    given = kept if isinstance(kept, dict) else {"id": kept}
    return Outcome(
        id=given.get("id"),
        data=given.get("data", {}),
        reason=str(given.get("reason", "")),
        no_echo=bool(given.get("no_echo")),
    )


def is_an_id(returned: Any) -> bool:
    """Tell whether what a function returned is a physical id."""
    return bool(returned) and returned is not True
