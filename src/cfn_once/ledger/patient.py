"""A store that is asked again while it is in trouble."""

from collections.abc import Callable
from typing import TypeVar

from .._clock import Deadline
from .._cloudformation.request import Request
from .._errors import LedgerTrouble, LedgerUnavailable
from .document import CorruptHead
from .head import VERSION, Head, OtherVersion
from .store import Store, Write, Written

RETRY_IN_PLACE = 30.0  # seconds; IAM propagates in about ten
RETRY_OF_MISSING = 1.0  # seconds; a table that was made a moment ago may not be known everywhere
EXIT_RESERVE = 5.0  # seconds kept for leaving in order

T = TypeVar("T")


class PatientStore:
    """The head of a request's resource, read and written with retries.

    Every method raises `LedgerUnavailable` where the store cannot be reached, or its item must not
    be touched by us.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, request: Request, deadline: Deadline) -> Head | None:
        """Return the head, with retries."""
        return self._retried(request, deadline, lambda: self._store.read(_key(request)))

    def write(
        self, request: Request, write: Write, deadline: Deadline, *, limit: float = RETRY_IN_PLACE
    ) -> Written:
        """Make one write, with retries: each write recognises its own earlier success."""
        return self._retried(
            request, deadline, lambda: self._store.write(_key(request), write), limit=limit
        )

    def spill(
        self, request: Request, name: str, text: str, expires: int, deadline: Deadline
    ) -> None:
        """Keep a long result, with retries."""
        self._retried(
            request, deadline, lambda: self._store.spill(_key(request), name, text, expires)
        )

    def unspill(self, request: Request, name: str, deadline: Deadline) -> str | None:
        """Return a long result, with retries."""
        return self._retried(request, deadline, lambda: self._store.unspill(_key(request), name))

    def _retried(
        self,
        request: Request,
        deadline: Deadline,
        ask: Callable[[], T],
        limit: float = RETRY_IN_PLACE,
    ) -> T:
        since, pause = deadline.clock.now(), 0.2
        while True:
            try:
                return ask()
            except OtherVersion as error:
                raise LedgerUnavailable(_of_another_version(request, error)) from None
            except CorruptHead as error:
                raise LedgerUnavailable(
                    f"{request}: the ledger's item {_key(request)} is no head of ours:"
                    f" {error.problem}. Nothing was done. Restore the item from the table's backup"
                ) from None
            except LedgerUnavailable as error:
                if error.trouble is LedgerTrouble.MISSING:
                    limit = min(limit, RETRY_OF_MISSING)
                if error.trouble is LedgerTrouble.FULL or deadline.clock.now() - since > limit:
                    raise
                if not deadline.pause(pause, reserve=EXIT_RESERVE, polling=True):
                    raise
            pause = min(pause * 2, 5.0)


def _key(request: Request) -> str:
    return "r" + request.correlation_id


def _of_another_version(request: Request, error: OtherVersion) -> str:
    message = f"{request}: the ledger's item {_key(request)} was not touched: {error.problem}"
    if error.version > VERSION:
        return f"{message}: deploy a cfn-once at least as new as the one that wrote it"
    return (
        f"{message}: an earlier cfn-once wrote it, and this one cannot read it. Deploy that one to"
        " change or delete the resource, or give this provider a table of its own"
    )
