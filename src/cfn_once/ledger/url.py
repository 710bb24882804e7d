"""Which ledger a URL names."""

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from .._errors import ConfigurationError
from .namespace import Namespace, is_name
from .store import MemoryStore, Store

_FORMS = (
    "dynamodb://TABLE[?namespace=..&formerly=..&region=..&endpoint=..&keeps_secrets=true],"
    " sqlite:///PATH[?namespace=..&formerly=..] or memory://"
)
_PARTS = ("namespace", "formerly")  # of a store that several may share
_NAME = r"[a-zA-Z0-9_.-]{3,255}"
_ARN = rf"arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{{12}}:table/{_NAME}"


def open_store(url: str | None, *, in_lambda: bool, allow_local: bool, makes: bool = True) -> Store:
    """Open the ledger that a URL names; the one place that picks a store.

    Where it `makes` nothing, it is an operator's: a file that is not there is an error, none is
    changed by opening, and no table is read by a clock that is ahead of its own.
    No message repeats what stands in a URL but its scheme, table or path: the rest may be secret.

    Raises:
        ConfigurationError: The URL is missing where it is needed, or wrong.
    """
    if not url:
        return _open_default(refused=in_lambda and not allow_local)
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme not in ("dynamodb", "sqlite", "memory") or not separator:
        raise ConfigurationError(f"the ledger URL is of no kind that we know; give {_FORMS}")
    place, _, query = rest.partition("?")
    if scheme == "dynamodb":
        return _open_table(unquote(place), query, checks_clock=not makes)
    if in_lambda and not allow_local:
        raise ConfigurationError(
            f"a {scheme} ledger in Lambda: each sandbox would have its own, and copies would act"
            " twice. Use dynamodb://TABLE, or Provider(..., allow_local_ledger=True) in a test"
        )
    if scheme == "sqlite":
        path = unquote(place)
        options = _options(path, query, *_PARTS)
        return _part_of(_open_file(path, makes=makes), path, options)
    if query:
        raise ConfigurationError(f"a memory ledger URL takes no options; give {_FORMS}")
    return _open_memory(place)


def _open_default(*, refused: bool) -> Store:
    if refused:
        raise ConfigurationError(
            "no ledger: set CFN_ONCE_LEDGER to dynamodb://TABLE, the table of templates/ledger.yaml"
        )
    return _open_file(os.path.abspath(".cfn-once.sqlite3"))


def _open_memory(place: str) -> Store:
    if place:
        raise ConfigurationError("a memory ledger has no name: give memory://")
    return MemoryStore()


def _open_table(table: str, query: str, *, checks_clock: bool) -> Store:
    if not re.fullmatch(_ARN if ":" in table else _NAME, table):
        raise ConfigurationError(
            "the dynamodb ledger URL names no table: give dynamodb:// and the table's name, or its"
            " ARN, and the rest as ?namespace=..&region=..&keeps_secrets=true"
        )
    options = _options(table, query, *_PARTS, "region", "endpoint", "keeps_secrets")
    endpoint = options.get("endpoint")
    if endpoint is not None and not _is_plain(endpoint):
        raise ConfigurationError(
            f"the ledger {table}: its endpoint must be http:// or https://, a host and perhaps a"
            " port, with nothing else; credentials come from the environment"
        )
    region = options.get("region", table.split(":")[3] if ":" in table else None)
    if region is not None and not re.fullmatch(r"[a-z0-9-]+", region):
        raise ConfigurationError(f"the ledger {table}: give a Region such as ?region=eu-west-1")
    if options.get("keeps_secrets", "false") not in ("true", "false"):
        raise ConfigurationError(f"the ledger {table}: keeps_secrets is true or false")
    from .dynamodb import DynamoDBStore  # loads boto3, which no other store needs

    store = DynamoDBStore(
        table,
        region=region,
        endpoint=endpoint,
        keeps_secrets=options.get("keeps_secrets") == "true",
        checks_clock=checks_clock,
    )
    return _part_of(store, table, options)


def _options(place: str, query: str, *known: str) -> dict[str, str]:
    given = parse_qsl(query, keep_blank_values=True)
    options = dict(given)
    if set(options) - set(known) or len(options) < len(given):
        raise ConfigurationError(
            f"the ledger {place} takes the options {', '.join(known)}, each once: give {_FORMS}"
        )
    return options


def _part_of(store: Store, place: str, options: Mapping[str, str]) -> Store:
    """Return the part of a store that a URL names; all of it, where it names none."""
    name, formerly = options.get("namespace"), options.get("formerly")
    if name is not None and not is_name(name):
        raise ConfigurationError(
            f"the ledger {place}: a namespace has 1 to 64 letters, digits, dots, hyphens and"
            " underscores, such as the function's name"
        )
    if formerly and not is_name(formerly):
        raise ConfigurationError(
            f"the ledger {place}: formerly is the name of another namespace, or empty for the keys"
            " that bear none"
        )
    if formerly == (name or ""):
        raise ConfigurationError(
            f"the ledger {place}: formerly names the very namespace that it is to move to"
        )
    return (
        store
        if not options.keys() & set(_PARTS)
        else Namespace(store, name or "", formerly=formerly)
    )


def _is_plain(endpoint: str) -> bool:
    """Tell whether it is nothing but a scheme, a host and perhaps a port."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        return False
    more = "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(host) and not more


def _open_file(path: str, *, makes: bool = True) -> Store:
    if not path.startswith("/") or path.startswith(("/./", "/../")) or path.endswith("/"):
        raise ConfigurationError(
            "the sqlite ledger URL names no file by its whole path: give three slashes and the"
            f" path from the root, such as sqlite://{os.path.abspath('.cfn-once.sqlite3')}"
        )
    if os.path.isdir(path):
        raise ConfigurationError(f"the ledger file {path} is a folder: name a file in it")
    if not os.path.isdir(os.path.dirname(path)):
        raise ConfigurationError(f"the folder of the ledger file {path} does not exist: make it")
    if not makes and not os.path.exists(path):
        raise ConfigurationError(f"there is no ledger file {path}: name the one that it uses")
    from .sqlite import SQLiteStore  # no other store needs sqlite3

    return SQLiteStore(path, makes=makes)
