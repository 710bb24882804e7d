"""The ledger: what makes a side effect happen once. One state machine over three stores."""

from .claim import Answered, Ignored, Refused, Stale
from .head import (
    CleanupRecord,
    Deed,
    ExecutionRecord,
    Head,
    HeldObject,
    Operation,
    Origin,
    State,
    Touched,
)
from .held_objects import Ending
from .lease import SPILL_DAYS, Lease
from .ledger import LEDGER_OUTAGE_GRACE, Claimed, Ledger
from .step_record import LENGTH_OF_HASH, StepRecord, StepState
from .store import Change, Guard, Listed, MemoryStore, Page, Store, Write, Written
from .transitions import IN_FLIGHT_GRACE, Progress
from .url import open_store

__all__ = [
    "IN_FLIGHT_GRACE",
    "LEDGER_OUTAGE_GRACE",
    "LENGTH_OF_HASH",
    "SPILL_DAYS",
    "Answered",
    "Change",
    "Claimed",
    "CleanupRecord",
    "Deed",
    "Ending",
    "ExecutionRecord",
    "Guard",
    "Head",
    "HeldObject",
    "Ignored",
    "Lease",
    "Ledger",
    "Listed",
    "MemoryStore",
    "Operation",
    "Origin",
    "Page",
    "Progress",
    "Refused",
    "Stale",
    "State",
    "StepRecord",
    "StepState",
    "Store",
    "Touched",
    "Write",
    "Written",
    "open_store",
]
