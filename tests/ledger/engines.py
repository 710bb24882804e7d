"""The engines that a ledger lies in, as tests need them: a table, faults, a count of requests."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

Handler = Callable[..., Any]

IN_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "provider",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""An environment that says everything: no boto3 is needed."""


def make_table(client: Any, name: str, *, keys: tuple[str, str] = ("pk", "sk")) -> str:
    """Make a table as templates/ledger.yaml does, and return its name."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
        ],
    )
    return name


def count_requests(client: Any) -> list[str]:
    """Return a list that names every request that leaves a client from now on."""
    sent: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    client.meta.events.register("before-send.dynamodb", note)
    return sent


def keep_to_one_thread(client: Any) -> Any:
    """Refuse a client's requests from other threads: moto loses conditional updates under them."""
    home = threading.get_ident()

    def check(**_: Any) -> None:
        assert threading.get_ident() == home, "moto is no lock: use SQLite or MiniStack"

    client.meta.events.register("before-send.dynamodb", check)
    return client


def answer_with(client: Any, code: str, message: str = "", status: int = 400) -> Callable[[], None]:
    """Answer every request with an error, as DynamoDB would, until what is returned is called."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, _Raw(body.encode()))

    client.meta.events.register("before-send.dynamodb", answer)
    return lambda: client.meta.events.unregister("before-send.dynamodb", answer)


class _Raw:
    """A body as urllib3 hands it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


class SaysNothing:
    """A client of an engine that does not return the item that refused a write, as dynalite."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def update_item(self, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self._client.update_item(**arguments)
        except ClientError as error:
            error.response.pop("Item", None)  # not among botocore's keys
            raise
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
