"""A replay: the hook of an earlier request runs again, as far as its steps are known.

Recorded results are returned, a step in doubt is looked up, and nothing else is called.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from .._clock import utc
from .._cloudformation.canonical import Json
from .._cloudformation.identity import base32, digest
from .._errors import HookError, InDoubt, ReplayEnd, TemporaryError
from .._observability import telemetry
from ..ledger import Operation, StepState
from .call import Call, Repetition, Verdict
from .doubt import OutOfTime
from .journal import Journal, StepAttempt, is_scoped
from .policy import Policy
from .steps import Steps

LONGEST_SPELLED = 24  # characters of a step's name in the keys of what its undo calls


class Replay(Policy):
    """Ends a hook where what is known of its operation ends.

    Args:
        journal: Of the operation left behind.

    Attributes:
        has_acted: Something may have been made on the way.
        results: What was met on the way, by the steps' names.
        doubts: Steps that stay in doubt, in words.
        may_be_known_later: What there is to be known may be known to the next delivery.
        has_called: A call was made again under its token: what was gone may be there again.
        id_at_end: The physical id when the end was reached: what follows cannot change it.
    """

    hands_over = False  # that is for the request at work: it cleans up what else is left

    def __init__(self, journal: Journal) -> None:
        self._journal, self._left = journal, journal.operation
        self._undos: list[tuple[str, str, Callable[[], Any]]] = []
        self.results: dict[str, Json] = {}
        self.doubts: list[str] = []
        self.has_acted = self.has_called = self.may_be_known_later = False
        self.id_at_end: str | None = None

    def before_call(self, key: str) -> None:
        self._end(key)

    def before_second_call(self, attempt: StepAttempt) -> None:
        # Under its token a call cannot make a second effect, and it tells the id, or what to undo.
        call = attempt.call
        # Seeded bug: undo-asked
        is_asked = self._left.assigned_id is None or call.undo is not None
        if call.repetition is not Repetition.TOKEN or not is_asked:
            self._end(attempt.key)
        self.has_called = True

    def before_repeat(self, name: str) -> None:
        # Behind it, a step may be known, or in doubt; and what is not recorded may have been made.
        if not self._is_something_known_behind():
            self._end(name)
        self.has_acted = True

    def before_wait(self, key: str) -> None:
        self._end(key)  # it is kept before anything behind it can begin

    def before_value(self, key: str) -> None:
        self._end(key)  # as a wait is

    def passes_time(self) -> bool:
        if not self._is_something_known_behind():
            self._end("wait")
        return False

    def unresolved(self, attempt: StepAttempt, error: BaseException, verdict: Verdict) -> None:
        self.may_be_known_later = isinstance(error, OutOfTime | TemporaryError)
        if verdict is Verdict.IN_DOUBT or isinstance(error, InDoubt):
            self.doubts.append(doubt(self._left, attempt.key, attempt.record.first_used))
        self._end(attempt.key)

    def not_kept(self, call: Call, key: str, first_used: int) -> None:
        self._journal.flush()  # as below
        self.has_acted = True
        is_named = self._left.assigned_id is not None or self._journal.assigned_id is not None
        # Seeded bug: not-kept-named
        if call.undo is not None or not is_named:
            self.doubts.append(doubt(self._left, key, first_used))
        if self._journal.tail_in_doubt:
            self.doubts.append(doubt(self._left, "a step that is not recorded", self._left.begun))
        self._end(key)

    def after_step(self, call: Call, key: str, result: Any) -> None:
        self._journal.flush()  # before anything is removed because of it
        self.has_acted = True
        if call.repetition is not Repetition.AT_WILL:
            self.results[call.name] = result
            if call.undo is not None:
                self._undos.append((key, call.name, partial(call.undo, result)))
        self._end_where_all_is_known(call.name)

    def after_id(self) -> None:
        self._end_where_all_is_known("physical_resource_id")

    def _end_where_all_is_known(self, where: str) -> None:
        """End before the hook comes to where its first run was stuck, or died."""
        if self._left.assigned_id is None and self._journal.assigned_id is None:
            return  # its name may still be reported
        if not self._is_something_known_behind():
            self._end(where)

    def _end(self, where: str) -> NoReturn:
        self.id_at_end = self.id_at_end or self._journal.assigned_id
        raise ReplayEnd(where)

    def _is_something_known_behind(self) -> bool:
        return bool(self.skipped_steps()) or self._journal.tail_in_doubt

    def end_early(self, error: BaseException) -> None:
        """Note an error that came before the step that may have happened was reached.

        The first run ended there as well where the hook alone decides; where it had read something
        from the world, it may have come further.
        """
        # Seeded bug: undecided
        decided = isinstance(error, HookError) and not isinstance(error, TemporaryError)
        if self._journal.tail_in_doubt and not decided:
            self.may_be_known_later = True
            text = f"a step (its replay ended with {type(error).__name__})"
            self.doubts.append(doubt(self._left, text, self._left.begun))

    def undo(self, steps: Steps, journal: Journal) -> None:
        """Undo the steps that took effect and have an undo, the last one first.

        Args:
            steps: Those of the replay.
            journal: Of the request that cleans up.
        """
        operation = replace(journal.request, request_id=self._left.request_id).operation
        for key, name, undo in reversed(self._undos):
            # By the step, for more of them may be known to the next delivery.
            # Seeded bug: undo-scope
            scope = (
                f"~{base32(digest('undo', operation.hex(), key), 12)} undo {name[:LONGEST_SPELLED]}"
            )
            steps.undo(journal, scope, f"undo {name}", undo)
        journal.flush()

    def skipped_steps(self) -> list[str]:
        """Return its hook's steps that may have had an effect and that today's code left out."""
        records, visited = self._journal.operation.steps, self._journal.visited
        nothing = (StepState.FAILED, StepState.WAITING, StepState.VALUE)
        own = [key for key in records if key not in visited and not is_scoped(key)]
        return [key for key in own if records[key].state not in nothing]

    def skipped_doubts(self) -> list[str]:
        """Spell those of which nothing is known.

        A known id tells what done steps have made, but for those that have an undo.
        """
        records = self._journal.operation.steps
        known = {StepState.DONE} if self._left.assigned_id is not None else set()
        skipped = [
            key
            for key in self.skipped_steps()
            if records[key].undo or records[key].state not in known
        ]
        cleaned = [key for key in records if is_scoped(key)]  # what it removed is gone
        unclear = [key for key in cleaned if records[key].state == StepState.STARTED]
        return [doubt(self._left, key, records[key].first_used) for key in (*skipped, *unclear)]


def doubt(left: Operation, what: str, milliseconds: int) -> str:
    """Spell what is in doubt of an earlier request."""
    telemetry.in_doubt(f"{what} of {left.request_id}")
    # When a step was made is not kept once it is done: its request had begun then.
    at = utc((milliseconds or left.begun) / 1000)
    return f"{what} of {left.request_id} at {at}"
