"""Values of a hook: what it has read or computed, the same however often the hook runs."""

from collections.abc import Callable
from typing import Any

from .._errors import NonDeterminism
from ..ledger import StepRecord, StepState
from .call import Call, Step
from .caller import Caller
from .journal import Journal, StepAttempt
from .policy import Policy


class Values:
    """The values of one run of a hook.

    Args:
        step_of: Returns the step of a key in a generation.
    """

    def __init__(
        self,
        journal: Journal,
        caller: Caller,
        policy: Policy,
        step_of: Callable[[str, int], Step],
    ) -> None:
        self._journal, self._caller, self._policy = journal, caller, policy
        self._step_of = step_of

    def value(self, key: str, call: Call) -> Any:
        """Return what is recorded, or run the function and record what it returns.

        It is never in doubt: a function that only reads may run again, and nothing has used what
        it returned before that was recorded.
        """
        known = self._journal.visit(key)
        if known is not None and known.state != StepState.VALUE:
            raise NonDeterminism(
                f"{self._journal.request} has a value at {key}, where it made a step before: a hook"
                " must do the same again when it runs again"
            )
        if known is not None:
            return self._journal.value(call, key, known)
        self._policy.before_value(key)
        self._journal.refuse_without_room(key)
        generation = self._journal.operation.generation
        step = self._step_of(key, generation)
        found = self._caller.compute(f"value {call.name}", step, lambda: call.run(step))
        self._journal.tail_in_doubt = False  # what stands behind it has never begun
        record = StepRecord(state=StepState.VALUE.value, generation=generation)
        return self._journal.keep_value(StepAttempt(call, key, step, record), found)
