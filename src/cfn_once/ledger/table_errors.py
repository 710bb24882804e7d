"""How a table refuses, or cannot be reached: the same errors whichever way it was asked."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from .._errors import ConfigurationError, LedgerTrouble, LedgerUnavailable

_CAPACITY = "give the table on-demand capacity, or more of it (templates/ledger.yaml)"
_CREDENTIALS = (
    "it has no credentials that AWS takes: in Lambda the function's role gives them; elsewhere, set"
    " AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_WAY = (
    "may the function reach DynamoDB? In a VPC it needs a gateway endpoint for DynamoDB, or a NAT"
    " gateway"
)
_HINTS = {
    "AccessDeniedException": (
        "let the function's role call dynamodb:UpdateItem, dynamodb:GetItem and dynamodb:PutItem on"
        " it, and on the leading keys of its namespace (templates/provider.yaml); to list a ledger,"
        " a person also needs dynamodb:Scan"
    ),
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "ProvisionedThroughputExceededException": _CAPACITY,
    "ResourceNotFoundException": (
        "{region} was asked: check the table's name, its Region and its account (CFN_ONCE_LEDGER,"
        " or --ledger). Only where there is no ledger yet, deploy templates/ledger.yaml there"
    ),
    "ThrottlingException": _CAPACITY,
    "UnrecognizedClientException": _CREDENTIALS,
    "ValidationException": "its keys must be pk and sk, both text (templates/ledger.yaml)",
}
_SIGNED = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"})
CLOCKS_DIFFER = 60  # seconds; DynamoDB refuses five minutes
# An operator judges leases of others: with a clock ahead, one that runs looks expired. A Date has
# whole seconds, and an answer may take some.
MOST_AHEAD = 10  # seconds
# What a service may quote of a request whose signature it refuses has the session's token in it.
_QUOTED = re.compile(r"\s*The (Canonical String|String-to-Sign).*", re.DOTALL)
MOST_QUOTED = 500  # characters of what a service, or the SDK, says of an error


class TableRefused(Exception):
    """The table's service answered with an error.

    Args:
        code: The error's name, or the status where there was none.
        message: The service's own words.
        item: The item that refused a conditional write.
        ahead: Seconds that our clock is ahead of the service's.
        is_transient: The same request may succeed at once.
    """

    def __init__(
        self,
        code: str,
        message: str,
        item: Mapping[str, Any] | None = None,
        *,
        ahead: float = 0.0,
        is_transient: bool = False,
    ) -> None:
        self.code, self.message = shown(code), _QUOTED.sub("", shown(message))
        # Where it is no item, the table is asked for it.
        self.item = item if isinstance(item, Mapping) else None
        self.ahead, self.is_transient = ahead, is_transient
        super().__init__(f"{code}: {self.message}" if self.message else code)


class Unreached(StrEnum):
    """Why nothing is known of what came of a request."""

    NO_CONNECTION = "it could not be connected to"
    NO_ANSWER = "it did not answer in time"
    BROKEN = "the connection ended before its answer"
    DAMAGED = "its answer was damaged on the way"
    UNTRUSTED = "the certificate that it showed is not trusted"
    NO_PROXY = "the proxy did not connect to it"
    NO_CREDENTIALS = "there are no credentials"
    BAD_CREDENTIALS = (
        "its credentials cannot be sent: one of them has a line break in it, or another character"
        " that no credential has"
    )


OF_CREDENTIALS = (Unreached.NO_CREDENTIALS, Unreached.BAD_CREDENTIALS)  # another try is no help


class TableUnreached(Exception):
    """Nothing is known of what came of a request; it may have been applied.

    Args:
        why: An `Unreached`, or words of the SDK's own.
        kind: The name of the error that it came of.
    """

    def __init__(self, why: Unreached | str, kind: str) -> None:
        self.why = why
        super().__init__(f"{shown(why)} ({shown(kind)})")


def shown(text: str) -> str:
    """Return the beginning of a text of somebody else's, with nothing that acts on a terminal."""
    start = text[:MOST_QUOTED]
    kept = "".join(letter if letter.isprintable() else " " for letter in start)
    return kept + "…" if len(text) > MOST_QUOTED else kept


class NoClient(ConfigurationError):
    """The SDK makes no client of the settings and credentials that it finds."""


TableError = TableRefused | TableUnreached


def check_answer(operation: str, answer: Any) -> None:
    """Refuse what is no answer to an operation: what stands in it is judged by who reads it.

    Raises:
        TableUnreached: It is damaged.
    """
    if not isinstance(answer, Mapping) or not _IS_ANSWER[operation](answer):
        raise TableUnreached(Unreached.DAMAGED, f"no answer to {operation}")


def _has_items(answer: Mapping[str, Any]) -> bool:
    items, last = answer.get("Items"), answer.get("LastEvaluatedKey")
    return isinstance(items, list) and all(map(_has_key, items)) and (not last or _has_key(last))


def _has_key(item: Any) -> bool:
    parts = [item.get(name) for name in ("pk", "sk")] if isinstance(item, Mapping) else [None]
    return all(isinstance(part, Mapping) and isinstance(part.get("S"), str) for part in parts)


_IS_ANSWER: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "GetItem": lambda answer: isinstance(answer.get("Item", {}), Mapping),
    "PutItem": lambda _: True,
    "Scan": _has_items,
    "UpdateItem": lambda answer: isinstance(answer.get("Attributes"), Mapping),
}


def ahead_of(date: str | None, now: float) -> float:
    """Return how many seconds our clock is ahead of the Date that a service answered with."""
    from email.utils import parsedate_to_datetime  # only where a signature was refused

    try:
        return now - parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return 0.0


def needs_date(code: str) -> bool:
    """Tell whether an error may come of a clock that is wrong."""
    return code in _SIGNED


def too_far_ahead(table: str, ahead: float) -> LedgerUnavailable:
    """Return the error to raise where our clock does not allow to judge of leases."""
    text = f"this machine's clock is {ahead:.0f} s ahead of DynamoDB's: correct it"
    return LedgerUnavailable(f"the ledger table {table}: {text}", trouble=LedgerTrouble.PASSING)


def unavailable(table: str, region: str, error: TableError) -> LedgerUnavailable:
    """Return the error to raise: what happened, where, and what to do about it."""
    text = f"the ledger table {table}: {error}; {_hint(error).format(region=region)}"
    return LedgerUnavailable(text, trouble=_trouble(error))


def _trouble(error: TableError) -> LedgerTrouble:
    if isinstance(error, TableUnreached):
        return LedgerTrouble.PASSING
    is_invalid = error.code == "ValidationException"
    if error.code == "ResourceNotFoundException" or (is_invalid and "key" in error.message):
        return LedgerTrouble.MISSING
    if is_invalid and "size" in error.message:
        return LedgerTrouble.FULL
    denied = error.code == "AccessDeniedException"
    return LedgerTrouble.DENIED if denied else LedgerTrouble.PASSING


def _hint(error: TableError) -> str:
    """Say what to do about an error, to the one who deployed the provider."""
    if isinstance(error, TableUnreached):
        return _CREDENTIALS if error.why in OF_CREDENTIALS else _WAY
    if _trouble(error) is LedgerTrouble.FULL:
        return "one resource's results take more than DynamoDB's 400 KB: return less from its steps"
    if needs_date(error.code) and abs(error.ahead) > CLOCKS_DIFFER:
        side = "ahead of" if error.ahead > 0 else "behind"
        return f"this machine's clock is {abs(error.ahead):.0f} s {side} DynamoDB's: correct it"
    return _HINTS.get(error.code, "if it does not pass, look at the table")
