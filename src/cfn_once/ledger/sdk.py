"""A table, asked through boto3: wherever more than Lambda's environment says how."""

from collections.abc import Mapping
from typing import Any

import botocore.exceptions as errors
from botocore.config import Config
from botocore.parsers import ResponseParserError

from .._clock import SYSTEM_CLOCK
from .._errors import ConfigurationError
from .table_errors import (
    NoClient,
    TableRefused,
    TableUnreached,
    Unreached,
    ahead_of,
    check_answer,
    needs_date,
)
from .wire import CONNECT, READ, TRIES

_METHODS = {
    "GetItem": "get_item",
    "PutItem": "put_item",
    "Scan": "scan",
    "UpdateItem": "update_item",
}
_WHY: dict[str, Unreached] = {  # errors by name: some are younger than our oldest botocore
    "EndpointConnectionError": Unreached.NO_CONNECTION,
    "ConnectTimeoutError": Unreached.NO_CONNECTION,
    "ReadTimeoutError": Unreached.NO_ANSWER,
    "ConnectionClosedError": Unreached.BROKEN,
    "IncompleteReadError": Unreached.BROKEN,
    "ResponseStreamingError": Unreached.BROKEN,
    "ResponseParserError": Unreached.DAMAGED,
    "SSLError": Unreached.UNTRUSTED,
    "ProxyConnectionError": Unreached.NO_PROXY,
    "NoCredentialsError": Unreached.NO_CREDENTIALS,
    "PartialCredentialsError": Unreached.NO_CREDENTIALS,
    "CredentialRetrievalError": Unreached.NO_CREDENTIALS,
    "TokenRetrievalError": Unreached.NO_CREDENTIALS,
    "SSOTokenLoadError": Unreached.NO_CREDENTIALS,
    "UnauthorizedSSOTokenError": Unreached.NO_CREDENTIALS,
    "ProfileNotFound": Unreached.NO_CREDENTIALS,
}
# What boto3's parser raises of JSON that is no answer of DynamoDB's.
_OF_PARSING = (AttributeError, KeyError, RecursionError, TypeError, ValueError)


class SdkTable:
    """The operations of a boto3 client that a ledger needs."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._date: str | None = None
        self._dated = 0.0

    @property
    def endpoint(self) -> str:
        """Where the table is."""
        return str(self.client.meta.endpoint_url)

    @property
    def region(self) -> str:
        """The Region that is asked."""
        return str(self.client.meta.region_name)

    @property
    def ahead(self) -> float:
        """How many seconds our clock is ahead of the table's, by its last answer."""
        return ahead_of(self._date, self._dated)

    def ask(self, operation: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a request, with the SDK's own tries.

        Raises:
            TableRefused, TableUnreached: As the error says.
        """
        try:
            answer: Mapping[str, Any] = getattr(self.client, _METHODS[operation])(**members)
        except errors.ClientError as error:
            raise _refused(error) from None
        except (errors.BotoCoreError, ResponseParserError) as error:
            raise TableUnreached(_why(error), type(error).__name__) from None
        except _OF_PARSING as error:
            raise TableUnreached(Unreached.DAMAGED, type(error).__name__) from None
        self._date, self._dated = _headers(answer).get("date"), SYSTEM_CLOCK.now()
        check_answer(operation, answer)
        _check_body(operation, answer)
        return answer


def _check_body(operation: str, answer: Mapping[str, Any]) -> None:
    """Refuse what is no JSON: boto3 reads it as an answer that says nothing, as of no item."""
    headers = _headers(answer)
    kind, length = headers.get("content-type", "json"), headers.get("content-length", "2")
    is_cut = operation == "GetItem" and "Item" not in answer and not _is_empty(length)
    if is_cut or "json" not in kind:
        raise TableUnreached(Unreached.DAMAGED, kind)


def _is_empty(length: str) -> bool:
    """Tell whether a body of so many bytes may be `{}`, perhaps with white space."""
    return length.isdecimal() and len("{}") <= int(length) <= len("{ }\r\n")


def _why(error: Exception) -> Unreached | str:
    text = str(error)
    if "Invalid header value" in text:  # which is quoted, and may be the session's token
        return Unreached.BAD_CREDENTIALS
    return _WHY.get(type(error).__name__, text)


def _refused(error: errors.ClientError) -> TableRefused:
    answer: Any = error.response
    code, message = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
    date = _headers(answer).get("date")
    ahead = ahead_of(date, SYSTEM_CLOCK.now()) if needs_date(code) else 0.0
    return TableRefused(code, message, answer.get("Item"), ahead=ahead)


def _headers(answer: Mapping[str, Any]) -> Mapping[str, str]:
    headers: Mapping[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers


def client_for(
    table: str, region: str | None, endpoint: str | None, environ: Mapping[str, str]
) -> Any:
    """Return a client with the time-outs and tries of the wire.

    Raises:
        NoClient: The settings or the credentials of the environment are broken.
        ConfigurationError: No Region is named, here or in the environment.
    """
    import boto3

    config = Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"mode": "standard", "total_max_attempts": TRIES},
    )
    # Outside Lambda, boto3 reads AWS_DEFAULT_REGION alone.
    region = region or environ.get("AWS_REGION") or None
    try:
        return boto3.client("dynamodb", region_name=region, endpoint_url=endpoint, config=config)
    except errors.NoRegionError:
        raise ConfigurationError(
            f"the ledger table {table}: in which Region is it? Give dynamodb://{table}?region=.."
            " or set AWS_REGION"
        ) from None
    except (errors.BotoCoreError, ValueError) as error:  # an endpoint that is none: ValueError
        raise NoClient(
            f"the ledger table {table}: boto3 cannot use this environment: {error}; correct"
            " AWS_PROFILE, AWS_CONFIG_FILE, AWS_ENDPOINT_URL or the credentials"
        ) from None
