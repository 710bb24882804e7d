"""What the ledger keeps of one step of an operation: as little as it can, for every write pays."""

from enum import StrEnum
from typing import Any, Self

from .document import NOTHING_KNOWN, CorruptHead, Kept, Known, kept_as

LENGTH_OF_HASH = 5  # lower-case letters and digits of a hash of arguments: it finds mistakes


class StepState(StrEnum):
    """What is known of one step."""

    STARTED = "S"  # it may have happened
    DONE = "D"
    FAILED = "F"  # it did not happen
    WAITING = "W"  # the hook waits here, or has waited
    VALUE = "V"  # a value that the hook has read or computed: nothing has happened


class StepRecord(Kept):
    """What is known of one step.

    Attributes:
        result: JSON text of the result, or of the error of a failed step.
        spilled: True where the result has an item of its own.
        secret: True where the result was left out.
        generation: Part of the token; rises only after a definitive failure.
        round: The round in which it failed.
        first_used: When its token was first sent; of one whose outcome is recorded nobody asks.
        arguments: A hash of what was asked of the external API.
        undo: It has an undo, which its hook alone knows.
    """

    is_one_of_many = True
    kinds = (dict, str)

    state: str = kept_as("s", StepState.DONE.value, among=frozenset(StepState))
    result: str | None = kept_as("r")
    spilled: bool = kept_as("sp", default=False)
    secret: bool = kept_as("x", default=False)
    generation: int = kept_as("g", 0)
    round: int = kept_as("rd", 0)
    first_used: int = kept_as("t", 0)
    arguments: str | None = kept_as("a")
    undo: bool = kept_as("u", default=False)

    def to_doc(self) -> Any:
        """Return it as short as it can be: every later write of its request pays for it again.

        Text where a result is all that there is: of a step behind the hash of its arguments, of a
        value behind its state. Else a document.
        """
        doc = super().to_doc()
        if not self.result:  # of an empty one, text would tell nothing
            return doc
        if doc.keys() == {"r", "a"} and len(doc["a"]) == LENGTH_OF_HASH and doc["a"].islower():
            return doc["a"] + doc["r"]
        if doc.keys() == {"s", "r"} and self.state == StepState.VALUE:
            return doc["s"] + doc["r"]
        return doc

    @classmethod
    def from_doc(cls, doc: Any, known: Known = NOTHING_KNOWN) -> Self:
        if not isinstance(doc, str):
            return super().from_doc(doc, known)
        hashed, result = doc[:LENGTH_OF_HASH], doc[LENGTH_OF_HASH:]
        is_value = doc.startswith(StepState.VALUE)
        if not (doc[1:] if is_value else result):
            raise CorruptHead("its steps have text in them that tells no result")
        if is_value:
            return cls.of({"state": StepState.VALUE.value, "result": doc[1:]})
        return cls.of({"arguments": hashed, "result": result})

    @property
    def has_result(self) -> bool:
        """Tell whether its result can be read: not where that is secret, or was no JSON."""
        return self.result is not None or self.spilled


def step_of(words: str) -> str:
    """Return the step's key from the words in which a Delete names it; else nothing."""
    step = words.partition(" of ")[0]
    return step if "#" in step and " " not in step else ""
