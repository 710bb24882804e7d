"""
A table is asked in two ways: with boto3, and without its model of DynamoDB.

Whatever a server does, both ways come to the same, in the same words, in as many requests.
"""

import hashlib
import hmac
import json
import logging
import re
import ssl
import time
import traceback
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import botocore.session
import pytest
import trustme
from botocore.config import Config

from cfn_once import LedgerUnavailable
from cfn_once._cloudformation.endpoints import KNOWN_REGIONS
from cfn_once._errors import LedgerTrouble
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.table_errors import Refused
from cfn_once.ledger.wire import WireTable, wire_for
from cfn_once.testing import VirtualClock
from ledger.engines import IN_LAMBDA
from support.host import HANG_UP, RESET, Behaviour, Host, Received, Status, nowhere

TOKEN, SECRET = "PlantedSessionToken", "PlantedSecretAccessKey"
PLANTED = {**IN_LAMBDA, "AWS_SESSION_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": SECRET}
PASSING, DENIED, MISSING, FULL = (
    LedgerTrouble.PASSING,
    LedgerTrouble.DENIED,
    LedgerTrouble.MISSING,
    LedgerTrouble.FULL,
)

Way = Callable[[str, Mapping[str, str]], DynamoDBStore]


def with_boto3(url: str, environ: Mapping[str, str]) -> DynamoDBStore:
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        config=Config(
            connect_timeout=0.5,
            read_timeout=0.5,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return DynamoDBStore("ledger", client=client)


def without_boto3(url: str, environ: Mapping[str, str]) -> DynamoDBStore:
    store = DynamoDBStore("ledger", endpoint=url, environ=environ)
    table: Any = store._table
    assert isinstance(table, WireTable)
    # As above: no test waits for seconds.
    table._pool.timeout = table._http.Timeout(connect=0.5, read=0.5)
    return store


both_ways = pytest.mark.parametrize("way", [with_boto3, without_boto3], ids=["boto3", "wire"])


def answer(document: Any, status: int = 200, **headers: str) -> Status:
    """Answer as DynamoDB does, with a checksum."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    known = {"content-type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(body))}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Status(status, headers={**known, **named}, body=body)


def error(code: str, message: str = "", status: int = 400, **headers: str) -> Status:
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return answer({"__type": kind, "message": message}, status, **headers)


def lying(request: Received) -> Status:
    """Answer with the checksum of another body."""
    return answer({}, x_amz_crc32="1")


def late(request: Received) -> Status:
    return Status(200, after=1.0, body=b"{}")


def off_by(seconds: float) -> Behaviour:
    """Refuse the clock, as a service does whose own clock differs by so much."""

    def refuse(request: Received) -> Status:
        date = formatdate(time.time() + seconds, usegmt=True)
        said = "Signature expired: 20261127T100000Z is now earlier than 20261127T100500Z"
        return error("InvalidSignatureException", said, date=date)

    return refuse


def quoting(request: Received) -> Status:
    """Refuse a signature, and quote what was signed."""
    said = (
        "The request signature we calculated does not match the signature you provided.\n\n"
        f"The Canonical String for this request should have been\n'POST\n/\n\n{request.headers}'"
    )
    return error("InvalidSignatureException", said)


BALANCER = Status(503, headers={"content-type": "text/html"}, body=b"<html>no target</html>")
PAGE = Status(200, headers={"content-type": "text/html"}, body=b"<html>sign in</html>")

# What the server does to all requests · what is said · what kind of trouble it is · how many
# requests are made
TROUBLES: dict[str, tuple[Behaviour, str | re.Pattern[str], LedgerTrouble, int]] = {
    "throttles": (
        error("ThrottlingException", "Rate exceeded"),
        (
            "ThrottlingException: Rate exceeded; give the table on-demand capacity, or more of it"
            " (templates/ledger.yaml)"
        ),
        PASSING,
        3,
    ),
    "has too little capacity": (
        error("ProvisionedThroughputExceededException", "The level of throughput"),
        (
            "ProvisionedThroughputExceededException: The level of throughput; give the table"
            " on-demand capacity, or more of it (templates/ledger.yaml)"
        ),
        PASSING,
        3,
    ),
    "fails": (
        error("InternalServerError", "Internal server error", 500),
        "InternalServerError: Internal server error; if it does not pass, look at the table",
        PASSING,
        3,
    ),
    "is behind a balancer without it": (
        BALANCER,
        "503: Service Unavailable; if it does not pass, look at the table",
        PASSING,
        3,
    ),
    "resets": (
        RESET,
        "the connection ended before its answer (",
        PASSING,
        3,
    ),
    "hangs up": (
        HANG_UP,
        "the connection ended before its answer (",
        PASSING,
        3,
    ),
    "answers late": (
        late,
        (
            "it did not answer in time (ReadTimeoutError); may the function reach DynamoDB? In a"
            " VPC it needs a gateway endpoint for DynamoDB, or a NAT gateway"
        ),
        PASSING,
        3,
    ),
    "is five minutes ahead": (
        off_by(310),
        re.compile(r"this machine's clock is (31\d|30\d) s behind DynamoDB's: correct it"),
        PASSING,
        1,
    ),
    "is five minutes behind": (
        off_by(-310),
        re.compile(r"this machine's clock is (31\d|30\d) s ahead of DynamoDB's: correct it"),
        PASSING,
        1,
    ),
    "refuses the signature": (
        quoting,
        (
            "InvalidSignatureException: The request signature we calculated does not match the"
            " signature you provided.; it has no credentials that AWS takes"
        ),
        PASSING,
        1,
    ),
    "refuses expired credentials": (
        error("ExpiredTokenException", "The security token included in the request is expired"),
        (
            "ExpiredTokenException: The security token included in the request is expired; it"
            " has no credentials that AWS takes: in Lambda the function's role gives them"
        ),
        PASSING,
        1,
    ),
    "says more than anybody reads": (
        error("ValidationException", "no:\x1b[31m\n" + 3_000_000 * "m"),
        re.compile(r"table ledger: ValidationException: no: \[31m m{491}…; its keys must be"),
        PASSING,
        1,
    ),
    "denies": (
        error("AccessDeniedException", "not authorized to perform: dynamodb:GetItem"),
        "let the function's role call dynamodb:UpdateItem, dynamodb:GetItem and dynamodb:PutItem",
        DENIED,
        1,
    ),
    "has the table in another Region": (
        error("ResourceNotFoundException", "Requested resource not found"),
        (
            "ResourceNotFoundException: Requested resource not found; deploy templates/ledger.yaml"
            " in the function's account and Region"
        ),
        MISSING,
        1,
    ),
    "has a table of another shape": (
        error("ValidationException", "The provided key element does not match the schema"),
        "its keys must be pk and sk, both text (templates/ledger.yaml)",
        MISSING,
        1,
    ),
    "has an item of 400 KB": (
        error("ValidationException", "Item size to update has exceeded the maximum allowed size"),
        "one resource's results take more than DynamoDB's 400 KB: return less from its steps",
        FULL,
        1,
    ),
}


@both_ways
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_server_that_misbehaves(way: Way, trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    """
    The same words, the same kind of trouble, and as many requests; no credentials in any of it,
    nor in what is logged at DEBUG.
    """
    caplog.set_level(logging.DEBUG)
    behaviour, said, kind, requests = TROUBLES[trouble]
    words = re.escape(said) if isinstance(said, str) else said
    with Host(behaviour) as host:
        store = way(host.url, PLANTED)

        with pytest.raises(LedgerUnavailable, match=words) as raised:
            store.read("r1")

    told = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert str(raised.value).startswith("the ledger table ledger: ")
    assert kind is raised.value.trouble
    assert requests == len(host.received)
    assert [] == [secret for secret in (TOKEN, SECRET, "Signature=", "AWS4-HMAC") if secret in told]


@both_ways
@pytest.mark.parametrize(
    "behaviour",
    [error("ThrottlingException"), BALANCER, RESET, HANG_UP, late, lying],
    ids=["throttled", "balancer", "reset", "hung up", "late", "checksum"],
)
def test_trouble_that_passes_at_once(way: Way, behaviour: Behaviour) -> None:
    """One try more, with a signature of its own, and all is well."""
    item = {"data": {"S": "kept"}}
    with Host(behaviour, answer({"Item": item})) as host:
        store = way(host.url, PLANTED)

        assert "kept" == store.unspill("r1", "S#1")
        assert 2 == len(host.received)
        assert all(map(is_signed, host.received))


def test_a_checksum_that_is_always_wrong() -> None:
    """An answer that was damaged in three tries is none. (boto3 takes it in the end.)"""
    with Host(lying) as host, pytest.raises(LedgerUnavailable, match="damaged on the way"):
        without_boto3(host.url, PLANTED).read("r1")


@both_ways
def test_a_page_in_place_of_an_answer(way: Way) -> None:
    """
    What answers 200 and is not DynamoDB is not believed: boto3 reads it as an item that is not
    there.
    """
    with Host(PAGE) as host, pytest.raises(LedgerUnavailable, match="damaged on the way"):
        way(host.url, PLANTED).read("r1")


@both_ways
def test_nobody_there(way: Way) -> None:
    """Packets that are lost, or refused, are told alike."""
    with Host() as host:
        refused = host.url
    with nowhere() as swallowed:
        for url in (refused, swallowed):
            with pytest.raises(LedgerUnavailable, match="it could not be connected to") as raised:
                way(url, PLANTED).read("r1")

            assert PASSING is raised.value.trouble


@both_ways
def test_a_certificate_that_is_not_trusted(way: Way) -> None:
    """It is told by name, and nothing is sent."""
    with Host(tls=certified(trustme.CA())) as host:
        with pytest.raises(LedgerUnavailable, match="that it showed is not trusted"):
            way(host.url, PLANTED).read("r1")

        assert [] == host.received


def test_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authorities are those that answers to CloudFormation trust: SSL_CERT_FILE's."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    with Host(answer({}), tls=certified(authority)) as host:
        assert without_boto3(host.url, PLANTED).read("r1") is None


def test_credentials_that_rotate() -> None:
    """Each request is signed with the credentials of its moment; none are sent where none are."""
    environ = dict(PLANTED)
    with Host(answer({})) as host:
        store = without_boto3(host.url, environ)
        store.read("r1")
        environ |= {"AWS_ACCESS_KEY_ID": "ROTATED", "AWS_SECRET_ACCESS_KEY": "other"}
        environ["AWS_SESSION_TOKEN"] = "next"
        store.read("r1")
        del environ["AWS_SECRET_ACCESS_KEY"]
        with pytest.raises(LedgerUnavailable, match=r"there are no credentials .*; it has no"):
            store.read("r1")

    first, second = host.received
    assert is_signed(first)
    assert is_signed(second, secret="other")
    assert "Credential=ROTATED/" in second.headers["authorization"]
    assert [TOKEN, "next"] == [one.headers["x-amz-security-token"] for one in host.received]


def test_credentials_that_boto3_does_not_find() -> None:
    """It is told in the same words."""
    session = botocore.session.get_session()
    session.get_component("credential_provider").providers = []
    store = DynamoDBStore("ledger", client=session.create_client("dynamodb", "us-east-1"))

    with pytest.raises(LedgerUnavailable, match=r"there are no credentials .*; it has no"):
        store.read("r1")


@both_ways
@pytest.mark.parametrize("bad", [f"{TOKEN}\nrest", f"{TOKEN}\r"], ids=ascii)
def test_a_credential_that_no_header_can_have(
    way: Way, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told what is wrong with it, and nothing of it; nothing is sent."""
    caplog.set_level(logging.DEBUG)
    with Host(answer({})) as host:
        store = way(host.url, {**PLANTED, "AWS_SESSION_TOKEN": bad})
        with pytest.raises(LedgerUnavailable, match="credentials cannot be sent: one") as raised:
            store.read("r1")

        assert [] == host.received
    told = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert TOKEN not in told
    assert SECRET not in told


def test_the_endpoint_of_each_region() -> None:
    """It is the one that boto3 would ask, in every partition."""
    session = botocore.session.get_session()
    for region in sorted(KNOWN_REGIONS):
        wire = wire_for(region, None, IN_LAMBDA)
        client = session.create_client(
            "dynamodb", region, aws_access_key_id="a", aws_secret_access_key="b"
        )

        assert wire is not None
        assert client.meta.endpoint_url == wire.endpoint


@pytest.mark.parametrize(
    "says",
    [
        {"AWS_LAMBDA_FUNCTION_NAME": ""},
        {"AWS_LAMBDA_RUNTIME_API": ""},
        {"AWS_REGION": ""},
        {"AWS_REGION": "eu-nowhere-1"},
        {"AWS_REGION": "local"},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_PROFILE": "dev"},
        {"AWS_CONFIG_FILE": "/etc/aws"},
        {"AWS_CA_BUNDLE": "/etc/ca.pem"},
        {"REQUESTS_CA_BUNDLE": "/etc/ca.pem"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566"},
        {"AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ACCOUNT_ID": "123456789012"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/credentials"},
        {"HTTPS_PROXY": "http://proxy:8080"},
        {"http_proxy": "http://proxy:8080"},
        {"ALL_PROXY": "http://proxy:8080"},
    ],
    ids=str,
)
def test_where_boto3_is_asked(says: dict[str, str]) -> None:
    """Wherever more than Lambda's own variables may have a say, or less is there."""
    assert wire_for(None, None, {**IN_LAMBDA, **says}) is None
    assert wire_for(None, None, {**IN_LAMBDA, "NO_PROXY": "a", "AWS_PROFILE": ""}) is not None


def test_pauses_between_tries() -> None:
    """Those of boto3's standard mode: seconds where it is throttled, else milliseconds."""
    clock = VirtualClock()
    for behaviour, most in ((error("ThrottlingException"), 3.0), (BALANCER, 0.075)):
        began = clock.now()
        with Host(behaviour) as host:
            wire = wire_for(None, host.url, IN_LAMBDA, clock=clock)
            assert wire is not None
            with pytest.raises(Refused):
                wire.ask("GetItem", {})

        assert 0 < clock.now() - began <= most


def certified(authority: trustme.CA) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return tls


def is_signed(request: Received, secret: str = SECRET) -> bool:
    """
    Tell whether a request bears the signature of what came over the wire.

    Source: IAM User Guide, "Create a signed AWS API request".
    """
    told = request.headers["authorization"]
    (scope,) = re.findall(r"Credential=[^/]+/([^,]+)", told)
    (names,) = re.findall(r"SignedHeaders=([^,]+)", told)
    spelt = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names.split(";"))
    digest = hashlib.sha256(request.body).hexdigest()
    canonical = f"{request.method}\n{request.target}\n\n{spelt}\n{names}\n{digest}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return {"host", "x-amz-target"} <= set(names.split(";")) and f"Signature={signature}" in told
