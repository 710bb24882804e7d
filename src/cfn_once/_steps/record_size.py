"""The bytes of an item that the records of steps take."""

from collections.abc import Mapping

from ..ledger import StepRecord

AROUND_A_RESULT = 32  # bytes that a record takes besides its key and result


def reserved_size_of(records: Mapping[str, StepRecord]) -> int:
    """Return the bytes that records may come to take: a step in doubt is named a second time."""
    names = sum(len(key.encode()) + AROUND_A_RESULT for key in records)
    return 2 * names + sum(len(record.result or "") for record in records.values())


def size_of(records: Mapping[str, StepRecord]) -> int:
    """Return the bytes that records take."""
    return sum(
        len(key.encode()) + AROUND_A_RESULT + len(record.result or "")
        for key, record in records.items()
    )
