"""The way back: an event whose hook waits is delivered again later."""

from typing import Protocol

from .._cloudformation.canonical import Json
from .._errors import PermanentError, TemporaryError


class ContinuationRefused(PermanentError):
    """The event cannot be brought back as things stand: the request fails."""


class ContinuationUnavailable(TemporaryError):
    """The event cannot be brought back now: another delivery of the request may try again."""


class Continuation(Protocol):
    """What brings an event back; swapped by tests and by the explorer.

    Attributes:
        shortest: Seconds; a shorter wait stays in the invocation where it fits.
        longest: Seconds that one hop can delay; a longer wait takes several.
    """

    shortest: float
    longest: float

    def send(self, event: Json, due: float, *, now: float, function: str) -> None:
        """Deliver an event to the function again at `due`, or after `longest` if that is earlier.

        Args:
            event: What CloudFormation sent.
            due: Seconds since 1970.
            now: The same.
            function: The ARN that the function was invoked by; it may bear an alias.

        Raises:
            ContinuationRefused: Trying again is useless; the text is for who can change that.
            ContinuationUnavailable: It may work later. The event may come back all the same.
        """
