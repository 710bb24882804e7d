"""What is known of one operation's steps: what the ledger has, and what it still lacks.

A result is in the head, beside it where it is long, or nowhere where it is secret.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NamedTuple

from .._cloudformation.canonical import Json
from .._cloudformation.identity import base32
from .._cloudformation.request import Request, RequestType
from .._errors import (
    PermanentError,
    SecretNotKept,
    TemporaryError,
    is_raised_by_hook,
    text_of,
)
from ..ledger import SPILL_DAYS, Deed, Lease, Operation, Progress, StepRecord, StepState
from .call import LONGEST_RESULT, Call, Step
from .record_size import reserved_size_of, size_of

INLINE_RESULT = 1024  # bytes of a result that stays in the head; a write costs by the kilobyte
INLINE_RESULTS = 32_768  # bytes of all records in the head; beyond it, every result lies outside
LONGEST_ERROR = 1000  # characters of an error whose record would be longer than a result may be
# Bytes of records in an item, which DynamoDB bounds at 400 KB: a Delete needs room of its own.
ROOM, ROOM_OF_A_DELETE = 200_000, 300_000
FEW_STEPS = 50  # of all that is left as well: they have room, however long their names are
# Of one request but a Delete, which has to undo what others made: each step's write pays for all
# before it.
MOST_STEPS = 400

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class StepAttempt(NamedTuple):
    """A call under its key, and the record that says that it may have happened."""

    call: Call
    key: str
    step: Step
    record: StepRecord


class Journal:
    """The records of one operation, at work or left behind by an earlier request.

    Args:
        lease: The right to write them.
        request: The request that the operation is of.
        mask: Hides what is secret: a result that it would change is not kept.
        left: The operation, where it was left behind; else the one at work.

    Attributes:
        pending: Records of steps that the ledger still lacks.
        tail_in_doubt: The first step without a record may have happened; that step takes it down.
        assigned_id: The physical id that the hook has set so far.
        has_unrecorded_calls: The hook has made repeatable calls, which it never records.
        deed: What an Update does; None until its hook begins.
        has_secrets: A result was not kept because it is secret.
        visited: The keys that the hook has come by.
        previous_owner_ended_at: When the last execution before this one was over, in seconds.
    """

    def __init__(
        self,
        lease: Lease,
        request: Request,
        mask: Callable[[str], str],
        *,
        left: Operation | None = None,
    ) -> None:
        self.lease, self.request, self._mask = lease, request, mask
        self._owner = None if left is None else left.execution.owner
        self.pending: dict[str, StepRecord] = {}
        self.visited: set[str] = set()
        self.assigned_id: str | None = None
        self.has_unrecorded_calls = self.has_secrets = False
        self.deed: Deed | None = None
        self.previous_owner_ended_at = lease.previous_owner_ended_at
        self.tail_in_doubt = lease.head.operation.tail_in_doubt
        if left is not None:
            ended = left.execution.lease / 1000
            self.previous_owner_ended_at = max(self.previous_owner_ended_at, ended)
            self.tail_in_doubt = left.may_have_acted_last
        self._in_flight: tuple[str, StepRecord | None] | None = None
        self._counted: int | None = None  # bytes of records, as far as they were counted

    @property
    def operation(self) -> Operation:
        """The operation, as our last write left it."""
        return self.lease.operation_of(self._owner)

    def visit(self, key: str) -> StepRecord | None:
        """Note that the hook comes by a step, and return what is recorded of it."""
        self.visited.add(key)
        return self.operation.steps.get(key)

    def has_failed(self, known: StepRecord) -> bool:
        """Tell whether a step has failed for this round of its request."""
        return known.state == StepState.FAILED and known.round == self.operation.round

    def skipped(self, scope: str = "") -> list[str]:
        """Return the steps of a scope that have or may have run, and the hook did not come by."""
        prefix = f"{scope}/" if scope else ""
        return sorted(
            key
            for key, record in self.operation.steps.items()
            if record.state in (StepState.DONE, StepState.STARTED)
            and key not in self.visited
            and (key.startswith(prefix) if prefix else not is_scoped(key))
        )

    # What is on its way

    def begin_call(self, key: str, record: StepRecord | None) -> None:
        """Note that a call leaves, which may happen from now on; without record, a repeated one.

        Raises:
            Superseded: Nothing may be begun any more.
        """
        # Seeded bug: call-after-end
        with self.lease.exclusive:
            self.lease.ensure_held()
            if self._owner is None:  # what was left behind is in doubt already, and stays so
                self._in_flight = (key, record)

    def end_call(self) -> None:
        """Note that a repeated call is over."""
        self._in_flight = None

    def call_in_flight(self) -> tuple[str, StepRecord | None] | None:
        """Return the call that may have happened, and of which nothing is known yet."""
        if self._in_flight is None:
            return None
        key, record = self._in_flight
        known = self.pending.get(key) or self.operation.steps.get(key)
        if record is None or known is None or known.state == StepState.STARTED:
            return key, record
        # Failed in an earlier round, and called again since.
        return None if known.generation >= record.generation else (key, record)

    @contextmanager
    def keeping_what_is_cut_short(self, attempt: StepAttempt) -> Iterator[None]:
        """Keep that a step may have happened where its function says no more than that it ends.

        A TemporaryError does, and what is no Exception: `sys.exit`, a cancelled task.
        """
        try:
            yield
        except BaseException as error:
            says_more = isinstance(error, Exception) and not isinstance(error, TemporaryError)
            # Seeded bug: cut-short
            if is_raised_by_hook(error) and not says_more:
                self.pending[attempt.key] = attempt.record
            raise

    # What is recorded

    def flush(self) -> None:
        """Record what is pending: before a call leaves that must not be repeated."""
        if self.pending:
            if self._owner is None:
                self.lease.record(self.progress())
            else:
                self.lease.record(Progress(steps=dict(self.pending)), self._owner)
            self.pending.clear()

    def progress(self, *, timed_out: bool = False) -> Progress:
        """Return what the next write has to keep.

        Args:
            timed_out: The hook may be stuck in a call, which may have happened.
        """
        steps = dict(self.pending)
        in_flight = self.call_in_flight() if timed_out else None
        # Seeded bug: time-out-call
        if in_flight is not None and in_flight[1] is not None:
            steps[in_flight[0]] = in_flight[1]
        return Progress(
            steps=steps,
            assigned_id=self.assigned_id,
            has_unrecorded_calls=self.has_unrecorded_calls,
            tail_in_doubt=self.tail_in_doubt,
            deed=None if self.deed is None else self.deed.value,
        )

    def keep(self, attempt: StepAttempt, record: StepRecord) -> None:
        """Keep a record: with the next write, or at once where the step must never run twice."""
        self.pending[attempt.key] = record
        if self._counted is not None:
            self._counted += size_of({attempt.key: record})
        if attempt.call.is_once:
            self.flush()

    # Results

    def refuse_without_room(self, key: str) -> None:
        """Refuse a further step where the item could not hold it, and its Delete; or one too many.

        Raises:
            PermanentError: Nothing of the step has happened.
        """
        deletes = self.operation.type == RequestType.DELETE
        if not deletes and not is_scoped(key):
            self._refuse_too_many(key)
        room = ROOM_OF_A_DELETE if deletes else ROOM
        records = self._records()
        recorded = sum(map(len, records))
        # What is counted may be all names, which count twice: far from the bound, nobody looks.
        near = recorded >= FEW_STEPS and not self._have_room(0, room // 2)
        if near and sum(map(reserved_size_of, records)) > room:
            raise PermanentError(
                f"step {key} of {self.request} was not begun: {recorded} steps are recorded, and"
                " the ledger's item has no room for more. Make fewer steps, or let one step do what"
                " several do"
            )

    def _refuse_too_many(self, key: str) -> None:
        steps = self.operation.steps
        made = len(steps) + sum(pending not in steps for pending in self.pending)
        if made >= MOST_STEPS:
            raise PermanentError(
                f"step {key} of {self.request} was not begun: it has made {made} steps, and one"
                f" request makes {MOST_STEPS} at most. Let one step do what several do, in a call"
                " for a batch, or make several resources"
            )

    def keep_failure(self, attempt: StepAttempt, error: Exception) -> Exception:
        """Keep that a step did not happen, and return the error that its hook gets."""
        call, key = attempt.call, attempt.key
        text = json.dumps(self._masked_error(call, error))
        failed = {"state": StepState.FAILED.value, "round": self.operation.round}
        self.keep(attempt, self._with_text(key, attempt.record, text, **failed))
        return call.error_from_record(json.loads(text))

    def _masked_error(self, call: Call, error: Exception) -> Json:
        """Return what is kept of an error, masked: less where that is too long, or unreadable."""
        kept = _masked(call.error_to_record(error), self._mask)
        with suppress(Exception):  # the mask may have taken what a reader needs
            call.error_from_record(kept)
            if len(json.dumps(kept)) <= LONGEST_RESULT:
                return kept
        message = self._mask(text_of(error))[:LONGEST_ERROR]  # cut first, half a secret would stay
        return {"kind": type(error).__name__, "message": message}

    def error(self, call: Call, key: str, known: StepRecord) -> Exception:
        """Return the error of a step that is known to have failed."""
        text = self._text_of(key, known)
        if text is None:
            return PermanentError(f"step {key} of {self.request} failed before, and why is gone")
        return call.error_from_record(json.loads(text))

    def keep_result(self, attempt: StepAttempt, result: Any) -> Any:
        """Keep that a step is done, and return what its hook gets, now and in every later run.

        Raises:
            PermanentError: Its result cannot be kept.
        """
        call, key, record = attempt.call, attempt.key, attempt.record
        try:
            text = _to_text(call, key, result)
        except PermanentError:
            # Its effect has happened; only a look-up can still find what it is.
            state = StepState.DONE if call.find is None else StepState.STARTED
            self.pending[key] = replace(record, state=state.value)
            raise
        done = StepState.DONE.value
        if call.secret or self._mask(text) != text:
            record, self.has_secrets = replace(record, state=done, secret=True), True
        else:
            record = self._with_text(key, record, text, state=done)
        self.keep(attempt, record)
        return call.from_record(json.loads(text))

    def keep_value(self, attempt: StepAttempt, found: Any) -> Any:
        """Record a value at once, before anything can be done because of it, and return it.

        Raises:
            SecretNotKept, PermanentError: It cannot be kept; a later run would have another one.
        """
        call, key = attempt.call, attempt.key
        text = _to_text(call, key, found)
        if self._mask(text) != text:
            raise SecretNotKept(
                f"value {key} of {self.request} is secret, and is not written to the ledger: make"
                " and store a secret in one step, and return its ARN"
            )
        self.pending[key] = self._with_text(key, attempt.record, text)
        # Seeded bug: value-at-once
        self.flush()
        return call.from_record(json.loads(text))

    def value(self, call: Call, key: str, known: StepRecord) -> Any:
        """Return what a step that is done returned.

        Raises:
            SecretNotKept, PermanentError: It is not there.
        """
        if known.secret:
            raise SecretNotKept(
                f"step {key} of {self.request} ran before and its result was never kept: make and"
                " store the secret in one step, and return its ARN"
            )
        if not known.has_result:
            raise PermanentError(
                f"step {key} of {self.request} ran before and returned what cannot be kept: return"
                " text, numbers, booleans, lists and maps from it, and less of them"
            )
        text = self._text_of(key, known)
        if text is None:
            raise PermanentError(
                f"the result of step {key} of {self.request} is gone from the ledger: long results"
                f" are kept for {SPILL_DAYS} days. Look for what the step made"
            )
        return call.from_record(json.loads(text))

    def _with_text(self, key: str, record: StepRecord, text: str, **came: Any) -> StepRecord:
        """Return a record of what came of a step that has its result, in the head or beside it."""
        if self._fits_the_head(text):
            return replace(record, first_used=0, result=text, **came)
        # Seeded bug: spill-first
        self.lease.spill(self._spill_name(key, record), text)  # before the head tells of it
        return replace(record, first_used=0, spilled=True, **came)

    def _text_of(self, key: str, known: StepRecord) -> str | None:
        """Return the result of a step that is recorded, or None where it is gone."""
        if known.spilled:
            return self.lease.unspill(self._spill_name(key, known))
        return known.result

    def _fits_the_head(self, text: str) -> bool:
        size = len(text.encode())
        return size <= INLINE_RESULT and self._have_room(size, INLINE_RESULTS)

    def _records(self) -> list[Mapping[str, StepRecord]]:
        left = self.lease.head.pending_cleanup
        return [self.operation.steps, self.pending, *(operation.steps for operation in left)]

    def _have_room(self, size: int, most: int) -> bool:
        """Tell whether all records and so many bytes more stay below a bound.

        They are counted as they come, and all of them again only where the count is near the bound:
        else each step would cost what all before it have.
        """
        if self._counted is None or self._counted + size >= most:
            self._counted = sum(map(size_of, self._records()))
        return self._counted + size < most

    def _spill_name(self, key: str, record: StepRecord) -> str:
        return f"S#{base32(self.request.operation, 12)}#{key}#{record.generation}"


def is_scoped(key: str) -> bool:
    """Tell whether a step is of a clean-up, or a further object's, and not of the request's hook.

    Such a step removes: where it is done, nothing of it is left.
    """
    return "/" in key


def _masked(value: Json, mask: Callable[[str], str]) -> Json:
    """Return a value without secrets in any text or number."""
    if isinstance(value, dict):
        return {mask(name): _masked(member, mask) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked(element, mask) for element in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    masked = mask(text)
    return value if masked == text else masked


def _to_text(call: Call, key: str, result: Any) -> str:
    try:
        text = _JSON.encode(call.to_record(result))
        size = len(text.encode())
    except (TypeError, ValueError) as error:
        raise PermanentError(
            f"step {key} returned {type(result).__name__}, which cannot be kept: {error}. Return"
            " text, numbers, booleans, lists and maps"
        ) from error
    if size > LONGEST_RESULT and not call.secret:
        raise PermanentError(
            f"step {key} returned {size} bytes, more than the {LONGEST_RESULT} that can be kept:"
            " return less from it"
        )
    return text
