"""A ledger in a DynamoDB table: one item a resource, one conditional UpdateItem a write."""

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from .._errors import ConfigurationError, LedgerTrouble, LedgerUnavailable
from .._silence import Quiet
from .document import Doc
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

_QUIET = Quiet("boto3", "botocore", "urllib3")  # they quote what is written, and what is read

# A write is 1 KB: two seconds to connect and five to answer are ample (ledger.md, section 5).
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
)

_CAPACITY = "give the table on-demand capacity, or more of it (templates/ledger.yaml)"
_CREDENTIALS = (
    "it has no credentials that AWS takes: in Lambda the function's role gives them; elsewhere, set"
    " AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_WITHOUT_CREDENTIALS = frozenset(  # botocore's errors, by name: some are younger than our oldest
    {
        *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
        *(
            "TokenRetrievalError",
            "SSOTokenLoadError",
            "UnauthorizedSSOTokenError",
            "ProfileNotFound",
        ),
    }
)
_HINTS = {
    "AccessDeniedException": (
        "let the function's role call dynamodb:UpdateItem, dynamodb:GetItem and dynamodb:PutItem on"
        " it, and on the leading keys of its namespace (templates/provider.yaml); whoever lists a"
        " ledger needs dynamodb:Scan besides"
    ),
    "ExpiredTokenException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "ProvisionedThroughputExceededException": _CAPACITY,
    "ResourceNotFoundException": (
        "deploy templates/ledger.yaml in the function's account and Region, or correct"
        " CFN_ONCE_LEDGER"
    ),
    "ThrottlingException": _CAPACITY,
    "UnrecognizedClientException": _CREDENTIALS,
    "ValidationException": "its keys must be pk and sk, both text (templates/ledger.yaml)",
}


class DynamoDBStore:
    """Heads in a table with the keys `pk` and `sk`, both text.

    Args:
        table: The table's name or ARN.
        keeps_secrets: The table is under a customer-managed key, so that answers marked NoEcho
            may lie in it.
        client: In place of one made for `region` and `endpoint`.

    Raises:
        ConfigurationError: No Region is named, here or in the environment.
    """

    def __init__(
        self,
        table: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        keeps_secrets: bool = False,
        client: Any = None,
    ) -> None:
        self._table, self.keeps_secrets = table, keeps_secrets
        try:
            self._client = client or boto3.client(
                "dynamodb", region_name=region, endpoint_url=endpoint, config=_CONFIG
            )
        except NoRegionError:
            raise ConfigurationError(
                f"the ledger table {table}: in which Region is it? Give dynamodb://{table}?region=.."
                " or set AWS_REGION"
            ) from None

    @property
    def endpoint(self) -> str:
        """Where the table is."""
        return str(self._client.meta.endpoint_url)

    def read(self, key: str) -> Head | None:
        item = self._item(key, "H")
        return None if item is None else _head(item)

    def write(self, key: str, write: Write) -> Written:
        names = _Names()
        try:
            answer = self._ask(
                "update_item",
                Key=_key(key, "H"),
                ConditionExpression=names.guard(write.guard),
                UpdateExpression=names.change(write.change),
                ExpressionAttributeNames=names.names,
                ExpressionAttributeValues=names.values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise self._trouble(error) from error
            item: Doc | None = error.response.get("Item")  # type: ignore[assignment]  # untyped by botocore
            # An engine that does not say what refused the write is asked once more.
            return Written(applied=False, head=_head(item) if item else self.read(key))
        except BotoCoreError as error:
            raise self._trouble(error) from error
        return Written(applied=True, head=_head(answer["Attributes"]))

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        item = {**_key(key, name), "data": {"S": data}, "ttl": {"N": str(expires)}}
        try:
            self._ask("put_item", Item=item)
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(error) from error

    def unspill(self, key: str, name: str) -> str | None:
        item = self._item(key, name)
        return None if item is None else str(item["data"]["S"])

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
        try:
            answer = self._ask("scan", ConsistentRead=True, **asked)
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(error) from error
        last = answer.get("LastEvaluatedKey")
        following = "" if not last else json.dumps([last["pk"]["S"], last["sk"]["S"]])
        return Page([listed(item["pk"]["S"], _doc(item)) for item in answer["Items"]], following)

    def _item(self, key: str, name: str) -> Doc | None:
        try:
            answer = self._ask("get_item", Key=_key(key, name), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(error) from error
        item: Doc | None = answer.get("Item")
        return item

    def _ask(self, operation: str, **members: Any) -> Any:
        with _QUIET:
            return getattr(self._client, operation)(TableName=self._table, **members)

    def _trouble(self, error: ClientError | BotoCoreError) -> LedgerUnavailable:
        text = f"the ledger table {self._table}: {error}; {_hint(error)}"
        return LedgerUnavailable(text, trouble=_trouble(error))


def _trouble(error: ClientError | BotoCoreError) -> LedgerTrouble:
    if not isinstance(error, ClientError):
        return LedgerTrouble.PASSING
    details = error.response["Error"]
    wrong_keys = details["Code"] == "ValidationException" and "key" in details.get("Message", "")
    if details["Code"] == "ResourceNotFoundException" or wrong_keys:
        return LedgerTrouble.MISSING
    if details["Code"] == "ValidationException" and "size" in details.get("Message", ""):
        return LedgerTrouble.FULL
    denied = details["Code"] == "AccessDeniedException"
    return LedgerTrouble.DENIED if denied else LedgerTrouble.PASSING


def _hint(error: ClientError | BotoCoreError) -> str:
    """Say what to do about an error, to the one who deployed the provider."""
    if type(error).__name__ in _WITHOUT_CREDENTIALS:
        return _CREDENTIALS
    if not isinstance(error, ClientError):
        return (
            "may the function reach DynamoDB? In a VPC it needs a gateway endpoint for DynamoDB, or"
            " a NAT gateway"
        )
    details = error.response["Error"]
    code = details["Code"]
    if _trouble(error) is LedgerTrouble.FULL:
        return "one resource's results take more than DynamoDB's 400 KB: return less from its steps"
    return _HINTS.get(code, "if it does not pass, look at the table")


def _key(key: str, name: str) -> Doc:
    return {"pk": {"S": key}, "sk": {"S": name}}


def _head(item: Doc) -> Head:
    return read_head(_doc(item))


def _doc(item: Doc) -> Doc:
    return {name: _from_item(value) for name, value in item.items() if name not in ("pk", "sk")}


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
        return int(inner)
    if kind == "M":
        return {name: _from_item(part) for name, part in inner.items()}
    return [_from_item(part) for part in inner] if kind == "L" else inner


class _Names:
    """Spells guards and changes; every attribute is aliased, for `ttl` and others are reserved."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: Doc = {}

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
            alias = next((a for a, name in self.names.items() if name == part), None)
            if alias is None:
                alias = f"#n{len(self.names)}"
                self.names[alias] = part
            text += f".{alias}" if text else alias
        return text

    def _value(self, value: Any) -> str:
        alias = f":v{len(self.values)}"
        self.values[alias] = _to_item(value)
        return alias
