"""What a decorated function came to."""

from typing import Any, TypedDict, cast

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
    bare = Outcome(id=kept, data={}, reason="", no_echo=False)
    return cast(Outcome, kept) if isinstance(kept, dict) and kept.keys() == bare.keys() else bare


def is_an_id(returned: Any) -> bool:
    """Tell whether what a function returned is a physical id."""
    return bool(returned) and returned is not True
