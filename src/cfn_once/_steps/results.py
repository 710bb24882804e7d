"""What steps returned, as the ledger keeps it: in the head, beside it, or, if secret, nowhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._cloudformation.identity import base32
from .._cloudformation.request import Request
from .._errors import PermanentError, SecretNotKept
from ..ledger import SPILL_DAYS, Granted, Record, StepState
from .call import Call

INLINE = 1024  # bytes of a result that lies in the head; a write costs by the kilobyte
MOST_INLINE = 32_768  # bytes of all records in the head; beyond it, every result lies outside
LARGEST = 300_000  # bytes of one result; DynamoDB refuses items over 400 KB

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Results:
    """The results of the steps of one execution.

    Args:
        mask: Hides what is secret: a result that it would change is not kept.
    """

    def __init__(self, granted: Granted, request: Request, mask: Callable[[str], str]) -> None:
        self._granted, self._request, self._mask = granted, request, mask

    def keep(self, call: Call, key: str, record: Record, result: Any) -> tuple[str, Record]:
        """Return a result as JSON text, and the record that tells of it.

        Raises:
            PermanentError: It cannot be kept.
        """
        text = _to_text(call, key, result)
        kept = replace(record, state=StepState.DONE.value)
        if call.secret or self._mask(text) != text:
            return text, replace(kept, secret=True)
        if self._lies_in_the_head(text):
            return text, replace(kept, result=text)
        # Seeded bug: spill-first
        self._granted.spill(self._spill_name(key, record), text)  # before the head tells of it
        return text, replace(kept, spilled=True)

    def value(self, call: Call, key: str, known: Record) -> Any:
        """Return what a step that is done returned.

        Raises:
            SecretNotKept, PermanentError: It is not there.
        """
        if known.secret:
            raise SecretNotKept(
                f"step {key} of {self._request} ran before and its result was never kept: make and"
                " store the secret in one step, and return its ARN"
            )
        text = known.result
        if known.spilled:
            text = self._granted.unspill(self._spill_name(key, known))
        if text is None:
            raise PermanentError(
                f"the result of step {key} of {self._request} is gone from the ledger: long results"
                f" are kept for {SPILL_DAYS} days. Look for what the step made"
            )
        return call.from_record(json.loads(text))

    def _lies_in_the_head(self, text: str) -> bool:
        size = len(text.encode())
        if size > INLINE:
            return False
        held = {
            **self._granted.head.steps,
            **{key: one.to_doc() for key, one in self._granted.pending.items()},
        }
        return (
            size + len(json.dumps(held)) + len(json.dumps(self._granted.head.debts)) < MOST_INLINE
        )

    def _spill_name(self, key: str, record: Record) -> str:
        return f"S#{base32(self._request.operation, 12)}#{key}#{record.generation}"


def _to_text(call: Call, key: str, result: Any) -> str:
    try:
        text = _JSON.encode(call.to_record(result))
        size = len(text.encode())
    except (TypeError, ValueError) as error:
        raise PermanentError(
            f"step {key} returned {type(result).__name__}, which cannot be kept: {error}. Return"
            " text, numbers, booleans, lists and maps"
        ) from error
    if size > LARGEST and not call.secret:
        raise PermanentError(
            f"step {key} returned {size} bytes, more than the {LARGEST} that can be kept: return"
            " less from it"
        )
    return text
