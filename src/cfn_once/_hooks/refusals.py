"""What is refused before a hook runs: nothing has been made, and a rollback succeeds."""

from .._clock import Deadline
from .._errors import ConfigurationError
from ..ledger import Head
from .reasons import TOO_MUCH_IN_DOUBT

MIN_FUNCTION_TIMEOUT = 30  # seconds; a takeover waits for the lease of the one before
START_UP = 5  # seconds that may pass between Lambda's start and ours: it imports the provider
MOST_PENDING = 8  # requests whose traces are in doubt, before no further one is begun


def refuse_much_in_doubt(head: Head) -> None:
    """Refuse to make more where the ledger has as much in doubt as it can hold.

    Raises:
        ConfigurationError: It has.
    """
    if len(head.pending_cleanup) > MOST_PENDING:
        pending = ", ".join(left.request_id for left in head.pending_cleanup)
        raise ConfigurationError(TOO_MUCH_IN_DOUBT.format(pending))


def refuse_short_time(deadline: Deadline) -> None:
    """Refuse to begin in a function whose Timeout is too short.

    Raises:
        ConfigurationError: It is.
    """
    if deadline.total < MIN_FUNCTION_TIMEOUT - START_UP:
        raise ConfigurationError(
            f"the function has {deadline.total:.0f} s for an event: set its Timeout to 120, at"
            f" least {MIN_FUNCTION_TIMEOUT} (templates/provider.yaml)"
        )
