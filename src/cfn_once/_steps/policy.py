"""What a run of a hook may do where nothing is recorded: all of it, unless it is a replay."""

from typing import Any

from .call import Call, Verdict
from .journal import StepAttempt


class Policy:
    """Lets a hook run; `Replay` ends it where what is known of an earlier run ends.

    Attributes:
        hands_over: A step in doubt may be left to another delivery where time is short.
    """

    hands_over = True

    def before_call(self, key: str) -> None:
        """Allow the first call of a step that was never begun."""

    def before_second_call(self, attempt: StepAttempt) -> None:
        """Allow the call of a step in doubt, which its look-up or token allows."""

    def before_repeat(self, name: str) -> None:
        """Allow a call that is idempotent."""

    def before_wait(self, key: str) -> None:
        """Allow a wait that was never begun, or a further look at what is waited for."""

    def before_value(self, key: str) -> None:
        """Allow a value that was never recorded."""

    def passes_time(self) -> bool:
        """Tell whether a wait takes its time."""
        return True

    def unresolved(self, attempt: StepAttempt, error: BaseException, verdict: Verdict) -> None:
        """Note that nothing could be learned of a step in doubt; the error is raised next."""

    def not_kept(self, call: Call, key: str, first_used: int) -> None:
        """Note a step that is done, and what it returned is nowhere; the error is raised next."""

    def after_step(self, call: Call, key: str, result: Any) -> None:
        """Note what a step has returned."""

    def after_id(self) -> None:
        """Note that the hook has set its physical id."""


CONTINUE = Policy()
