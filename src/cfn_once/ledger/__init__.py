"""The ledger: what makes a side effect happen once. One state machine over three stores."""

import os
from urllib.parse import parse_qs, unquote, urlsplit

from .._errors import ConfigurationError
from ._head import Debt, Head, Old, Record, State, StepState
from ._ledger import SETTLE, Answered, Claimed, Granted, Ignored, Ledger, Stale
from ._store import Change, Guard, MemoryStore, Store, Written
from ._writes import Ending

__all__ = [
    "SETTLE",
    "Answered",
    "Change",
    "Claimed",
    "Debt",
    "Ending",
    "Granted",
    "Guard",
    "Head",
    "Ignored",
    "Ledger",
    "MemoryStore",
    "Old",
    "Record",
    "Stale",
    "State",
    "StepState",
    "Store",
    "Written",
    "open_store",
]

_FORMS = "dynamodb://TABLE[?region=..&endpoint=..&keeps_secrets=true], sqlite:///PATH or memory://"


def open_store(url: str | None, *, in_lambda: bool, allow_local: bool) -> Store:
    """Open the ledger that a URL names; the one place that picks a store.

    Raises:
        ConfigurationError: The URL is missing where it is needed, or wrong.
    """
    if not url:
        if in_lambda and not allow_local:
            raise ConfigurationError(
                "no ledger: set CFN_ONCE_LEDGER to dynamodb://TABLE, the table of"
                " templates/ledger.yaml"
            )
        url = "sqlite:///" + os.path.abspath(".cfn-once.sqlite3")
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "dynamodb":
        return _dynamodb(url, unquote(parts.netloc + parts.path), options)
    if parts.scheme not in ("sqlite", "memory"):
        raise ConfigurationError(f"the ledger URL has the scheme {parts.scheme!r}; give {_FORMS}")
    if in_lambda and not allow_local:
        raise ConfigurationError(
            f"a {parts.scheme} ledger in Lambda: each sandbox would have its own, and copies would"
            " act twice. Use dynamodb://TABLE, or Provider(..., allow_local_ledger=True) in a test"
        )
    if parts.scheme == "memory":
        return MemoryStore()
    return _sqlite(unquote(parts.path), parts.netloc)


def _dynamodb(url: str, table: str, options: dict[str, str]) -> Store:
    unknown = sorted(set(options) - {"region", "endpoint", "keeps_secrets"})
    if not table or unknown:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else "it names no table"
        raise ConfigurationError(f"the ledger URL {url.partition('?')[0]}: {wrong}; give {_FORMS}")
    from ._dynamodb import DynamoDBStore  # loads boto3, which no other store needs

    return DynamoDBStore(
        table,
        region=options.get("region"),
        endpoint=options.get("endpoint"),
        keeps_secrets=options.get("keeps_secrets") == "true",
    )


def _sqlite(path: str, host: str) -> Store:
    if host or len(path) < 2:
        raise ConfigurationError(f"the sqlite ledger URL names no absolute path; give {_FORMS}")
    if not os.path.isdir(os.path.dirname(path)):
        raise ConfigurationError(f"the folder of the ledger file {path} does not exist: make it")
    from ._sqlite import SQLiteStore  # no other store needs sqlite3

    return SQLiteStore(path)
