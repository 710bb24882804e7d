"""A ledger in a DynamoDB table: one item a resource, one conditional UpdateItem a write."""

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from .._silence import Quiet
from .document import CorruptHead, Doc, reading_item
from .head import Head, read_head
from .store import (
    COUNT,
    Absent,
    AllOf,
    AnyOf,
    Below,
    Change,
    Equals,
    Guard,
    Lacks,
    Page,
    Path,
    Write,
    Written,
    listed,
)
from .table_errors import (
    MOST_AHEAD,
    TableRefused,
    TableUnreached,
    shown,
    too_far_ahead,
    unavailable,
)
from .wire import wire_for

GUARDED = "ConditionalCheckFailedException"  # a guard did not hold

_QUIET = Quiet("boto3", "botocore", "urllib3")  # they quote what is written, and what is read


class Table(Protocol):
    """What a table is asked, in the words of DynamoDB's API."""

    @property
    def endpoint(self) -> str:
        """Where the table is."""

    @property
    def region(self) -> str:
        """The Region that is asked."""

    @property
    def ahead(self) -> float:
        """How many seconds our clock is ahead of the table's, by its last answer."""

    def ask(self, operation: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a request, and return the answer.

        Raises:
            TableRefused: The service answered with an error.
            TableUnreached: Nothing is known of what came of it.
        """


class DynamoDBStore:
    """Heads in a table with the keys `pk` and `sk`, both text.

    Args:
        table: The table's name or ARN.
        keeps_secrets: The table is under a customer-managed key, so that answers marked NoEcho
            may be in it.
        checks_clock: Refuse to go on where our clock is ahead of the table's: an operator's, who
            judges of leases.
        client: A boto3 client, in place of what is made for `region` and `endpoint`.
        environ: Says whether boto3 is needed, and has the credentials where it is not.

    Raises:
        ConfigurationError: The environment names no Region, or has broken settings.
    """

    def __init__(
        self,
        table: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        keeps_secrets: bool = False,
        checks_clock: bool = False,
        client: Any = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._name, self.keeps_secrets, self._checks_clock = table, keeps_secrets, checks_clock
        wire = None if client else wire_for(region, endpoint, environ)
        self._table: Table = wire or _through_sdk(table, region, endpoint, client, environ)

    @property
    def endpoint(self) -> str:
        """Where the table is."""
        return self._table.endpoint

    def read(self, key: str) -> Head | None:
        item = self._item(key, "H")
        with reading_item(key):
            return None if item is None else _head(item)

    def write(self, key: str, write: Write) -> Written:
        names = _Names()
        try:
            answer = self._ask(
                "UpdateItem",
                Key=_key(key, "H"),
                ConditionExpression=names.guard(write.guard),
                UpdateExpression=names.change(write.change),
                ExpressionAttributeNames=names.names,
                ExpressionAttributeValues=names.values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except TableRefused as refused:
            # An engine that does not say what refused the write is asked once more.
            with reading_item(key):
                head = _head(refused.item) if refused.item else self.read(key)
            return Written(applied=False, head=head)
        with reading_item(key):
            return Written(applied=True, head=_head(answer["Attributes"]))

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        item = {**_key(key, name), "data": {"S": data}, "ttl": {"N": str(expires)}}
        self._ask("PutItem", Item=item)

    def unspill(self, key: str, name: str) -> str | None:
        item = self._item(key, name)
        with reading_item(key):
            return None if item is None else _text(item, "data")

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        asked: Doc = {
            "FilterExpression": "#s = :head AND begins_with(#p, :prefix)",
            "ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
            "ExpressionAttributeValues": {":head": {"S": "H"}, ":prefix": {"S": prefix}},
        }
        if not prefix:  # DynamoDB compares with no empty text
            asked["FilterExpression"] = "#s = :head"
            asked["ExpressionAttributeNames"] = {"#s": "sk"}
            asked["ExpressionAttributeValues"] = {":head": {"S": "H"}}
        if most is not None:
            asked["Limit"] = most
        if after:
            asked["ExclusiveStartKey"] = _key(*json.loads(after))
        answer = self._ask("Scan", ConsistentRead=True, **asked)
        last = answer.get("LastEvaluatedKey")
        following = "" if not last else json.dumps([last["pk"]["S"], last["sk"]["S"]])
        return Page([listed(item["pk"]["S"], item, _head) for item in answer["Items"]], following)

    def _item(self, key: str, name: str) -> Doc | None:
        answer = self._ask("GetItem", Key=_key(key, name), ConsistentRead=True)
        item: Doc | None = answer.get("Item")
        return item

    def _ask(self, operation: str, **members: Any) -> Mapping[str, Any]:
        """Ask the table; what it refuses because of a guard is no trouble of the ledger's."""
        try:
            with _QUIET:
                answer = self._table.ask(operation, {"TableName": self._name, **members})
        except (TableRefused, TableUnreached) as error:
            is_guarded = isinstance(error, TableRefused) and error.code == GUARDED
            if is_guarded and operation == "UpdateItem":  # nothing else has a guard
                raise
            raise unavailable(self._name, self._table.region, error) from None
        if self._checks_clock and operation != "UpdateItem" and self._table.ahead > MOST_AHEAD:
            raise too_far_ahead(self._name, self._table.ahead)
        return answer


def _through_sdk(
    table: str,
    region: str | None,
    endpoint: str | None,
    client: Any,
    environ: Mapping[str, str],
) -> Table:
    from .sdk import SdkTable, client_for  # loads boto3, which takes twice as long as the rest

    return SdkTable(client or client_for(table, region, endpoint, environ))


def _key(key: str, name: str) -> Doc:
    return {"pk": {"S": key}, "sk": {"S": name}}


def _head(item: Mapping[str, Any]) -> Head:
    return read_head(_doc(item))


def _doc(item: Mapping[str, Any]) -> Doc:
    return {name: _value(name, value) for name, value in item.items() if name not in ("pk", "sk")}


def _value(name: str, value: Any) -> Any:
    try:
        return _from_item(value)
    except (AttributeError, RecursionError, TypeError, ValueError):
        raise CorruptHead(f"its {shown(name)} is no value that is ever written") from None


def _text(item: Mapping[str, Any], name: str) -> str:
    text = _value(name, item.get(name))
    if not isinstance(text, str):
        raise CorruptHead(f"its {name} is no text")
    return text


def _to_item(value: Any) -> Doc:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": str(value)}
        case dict():
            return {"M": {name: _to_item(inner) for name, inner in value.items()}}
        case list() | tuple():
            return {"L": [_to_item(inner) for inner in value]}
        case _:
            pass
    raise TypeError(f"a head holds no {type(value).__name__}")


def _from_item(value: Doc) -> Any:
    ((kind, inner),) = value.items()
    if kind == "N":
        return int(inner, 10)  # of text alone
    if kind == "M":
        return {name: _from_item(part) for name, part in inner.items()}
    return [_from_item(part) for part in inner] if kind == "L" else inner


class _Names:
    """Spells guards and changes; every attribute is aliased, for `ttl` and others are reserved."""

    def __init__(self) -> None:
        self._aliases: dict[str, str] = {}
        self.values: Doc = {}

    @property
    def names(self) -> dict[str, str]:
        """What each alias stands for."""
        return {alias: name for name, alias in self._aliases.items()}

    def guard(self, guard: Guard) -> str:
        match guard:
            case AllOf([one]) | AnyOf([one]):  # DynamoDB refuses redundant parentheses
                return self.guard(one)
            case AllOf(guards):
                return "(" + " AND ".join(self.guard(part) for part in guards) + ")"
            case AnyOf(guards):
                return "(" + " OR ".join(self.guard(part) for part in guards) + ")"
            case Absent(path):
                return f"attribute_not_exists({self._path(path)})"
            case Equals(path, value):
                return f"{self._path(path)} = {self._value(value)}"
            case Below(path, value):
                return f"{self._path(path)} < {self._value(value)}"
            case Lacks(path, value):
                return f"(NOT contains({self._path(path)}, {self._value(value)}))"

    def change(self, change: Change) -> str:
        sets = [f"{self._path(path)} = {self._value(value)}" for path, value in change.set.items()]
        for name, value in change.default.items():
            alias = self._path((name,))
            sets.append(f"{alias} = if_not_exists({alias}, {self._value(value)})")
        for name, value in change.append.items():
            alias, empty = self._path((name,)), self._value([])
            new = self._value([value])
            sets.append(f"{alias} = list_append(if_not_exists({alias}, {empty}), {new})")
        parts = ["SET " + ", ".join(sets)] if sets else []
        parts.append(f"ADD {self._path((COUNT,))} {self._value(change.counts)}")
        if change.remove:
            parts.append("REMOVE " + ", ".join(self._path(path) for path in change.remove))
        return " ".join(parts)

    def _path(self, path: Path) -> str:
        text = ""
        for part in path:
            if isinstance(part, int):
                text += f"[{part}]"
                continue
            alias = self._aliases.setdefault(part, f"#n{len(self._aliases)}")
            text += f".{alias}" if text else alias
        return text

    def _value(self, value: Any) -> str:
        alias = f":v{len(self.values)}"
        self.values[alias] = _to_item(value)
        return alias
