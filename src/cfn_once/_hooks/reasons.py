"""The Reason for an error that a hook raised: what happened, where, and what was meant."""

from collections.abc import Iterable
from typing import Any

from .._clock import Deadline
from .._cloudformation.request import Request
from .._errors import CfnOnceError, ConfigurationError, HookError, InvalidProperties, text_of
from .._observability.places import line_of
from .._properties import names_of
from .._properties.suggestions import did_you_mean

TOO_MUCH_IN_DOUBT = (
    "too much is in doubt: what the requests {} made is not cleaned up. Look for it by hand, then"
    " delete the resource: its Delete forgets them"
)
SAME_ID = (
    "the replacement has the id {} of what it replaces: CloudFormation would see none, and never"
    " delete the old one. Both are left as they are until the resource is deleted. Make the id"
    " differ with {}, or take that out of replace_on"
)
# Slips of the code, which Python tells in words that name no place.
_SLIPS = (AttributeError, NameError, TypeError, LookupError, ImportError)


def reason_of(error: BaseException, sent: Iterable[str]) -> str:
    """Return the Reason of an error: its own text, where a person may have written that.

    Args:
        error: What a hook raised, or what was raised before it.
        sent: The names of the properties in the request.
    """
    if isinstance(error, InvalidProperties | ConfigurationError):
        return text_of(error)
    if type(error) in _SLIPS or isinstance(error, NameError | KeyError | ImportError):
        # Python's own words, which without the kind say little: "'Name'".
        return f"{type(error).__name__}: {text_of(error)}{_meant(error, sent)}{line_of(error)}"
    if not isinstance(error, Exception):  # sys.exit(1) has the Reason "1"
        return f"{type(error).__name__}: {text_of(error)}{line_of(error)}"
    message = text_of(error) or type(error).__name__
    # Ours are raised with a text for their reader; of any other, the place is half the help.
    return message if isinstance(error, HookError | CfnOnceError) else f"{message}{line_of(error)}"


def unfinished(
    request: Request, deadline: Deadline, line: str, in_flight: tuple[str, Any] | None
) -> str:
    """Return the Reason of a hook that does not come back in time."""
    left = deadline.remaining()
    step = f" in step {in_flight[0]}" if in_flight else ""
    return (
        f"{request.type.lower()} was still at work after {deadline.total - left:.0f} s, at"
        f" {line}{step}; Lambda ends the function in {left:.0f} s"
    )


def _meant(error: BaseException, sent: Iterable[str]) -> str:
    """Name the property that was probably meant."""
    if isinstance(error, AttributeError) and error.obj is not None:
        return did_you_mean(str(error.name), names_of(error.obj))
    is_name = isinstance(error, KeyError) and error.args and isinstance(error.args[0], str)
    return did_you_mean(error.args[0], sent) if is_name else ""
