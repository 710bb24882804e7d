"""
A table is asked in two ways: with boto3, and without its model of DynamoDB.

Whatever a server does, both ways come to the same, in the same words, in as many requests.
"""

import contextlib
import gzip
import hashlib
import hmac
import json
import logging
import re
import ssl
import time
import traceback
import tracemalloc
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import botocore.credentials
import botocore.session
import pytest
import trustme
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from cfn_once import LedgerUnavailable
from cfn_once._cloudformation.endpoints import KNOWN_REGIONS
from cfn_once._errors import LedgerTrouble
from cfn_once.ledger.document import CorruptHead
from cfn_once.ledger.dynamodb import DynamoDBStore, _to_item
from cfn_once.ledger.signing import Credentials, signed
from cfn_once.ledger.store import Absent, Change, Write, changed
from cfn_once.ledger.table_errors import TableRefused
from cfn_once.ledger.wire import WireTable, wire_for
from cfn_once.testing import VirtualClock
from cfn_once.testing.server import LocalHandler, LocalServer
from ledger.engines import IN_LAMBDA
from ledger.told import a_head
from support.host import HANG_UP, RESET, Behaviour, Dripping, Host, Received, Status, nowhere

TOKEN, SECRET = "PlantedSessionToken", "PlantedSecretAccessKey"
PLANTED = {**IN_LAMBDA, "AWS_SESSION_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": SECRET}
PASSING, DENIED, MISSING, FULL = (
    LedgerTrouble.PASSING,
    LedgerTrouble.DENIED,
    LedgerTrouble.MISSING,
    LedgerTrouble.FULL,
)

Way = Callable[..., DynamoDBStore]


def with_boto3(url: str, environ: Mapping[str, str], **options: Any) -> DynamoDBStore:
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
    return DynamoDBStore("ledger", client=client, **options)


def without_boto3(url: str, environ: Mapping[str, str], **options: Any) -> DynamoDBStore:
    store = DynamoDBStore("ledger", endpoint=url, environ=environ, **options)
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


def read(store: DynamoDBStore) -> object:
    return store.read("r1")


def write(store: DynamoDBStore) -> object:
    return store.write("r1", Write(Absent(("v",)), Change(set={("v",): 2})))


def to_attributes(doc: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _to_item(value) for name, value in doc.items()}


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
            "ResourceNotFoundException: Requested resource not found;"
            f" {PLANTED['AWS_REGION']} was asked: check the table's name, its Region and its"
            " account (CFN_ONCE_LEDGER, or --ledger). Only where there is no ledger yet, deploy"
            " templates/ledger.yaml there"
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


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["body", "headers", "chunks"],
)
def test_an_answer_that_does_not_end(first: bytes, again: bytes) -> None:
    """
    A try has its half second for all of it, however often something comes. (boto3 has it for each
    part.)
    """
    began = time.monotonic()
    with Host(Dripping(first, again, pause=0.05)) as host:
        with pytest.raises(LedgerUnavailable, match="it did not answer in time"):
            without_boto3(host.url, PLANTED).read("r1")

        assert 3 == len(host.received)
    assert 1.5 < time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(100_000_000 * b" " + b"{}"), {"content_encoding": "gzip"}),
        (20_000_000 * b" " + b"{}", {}),
    ],
    ids=["packed", "plain"],
)
def test_an_answer_that_is_too_long(body: bytes, headers: dict[str, str]) -> None:
    """It is not unpacked, nor read to its end."""
    with Host(answer(body, **headers)) as host:
        store = without_boto3(host.url, PLANTED)
        tracemalloc.start()
        with pytest.raises(LedgerUnavailable, match="its answer was damaged on the way"):
            store.read("r1")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 60_000_000


def test_connections_are_kept() -> None:
    """An answer that was read to its end leaves its connection for the next."""
    connections: list[Any] = []
    with contextlib.closing(LocalServer(_KeptConnection, connections)) as server:
        store = without_boto3(server.url, PLANTED)
        for _ in range(3):
            assert store.read("r1") is None

    assert 1 == len(connections)


@both_ways
def test_a_page_in_place_of_an_answer(way: Way) -> None:
    """
    What answers 200 and is not DynamoDB is not believed: boto3 reads it as an item that is not
    there.
    """
    with Host(PAGE) as host, pytest.raises(LedgerUnavailable, match="damaged on the way"):
        way(host.url, PLANTED).read("r1")


A_HEAD = b'{"v":{"N":"2"},"w":{"N":"1"},"op":{"M":%s}}'
# What the server answers to everything · what is asked
DAMAGED: dict[str, tuple[bytes, Callable[[DynamoDBStore], object]]] = {
    "nothing": (b"", read),
    "a list": (b"[]", read),
    "null": (b"null", read),
    "text": (b'"no"', read),
    "no text": (b"\xff\xfe", read),
    "what was cut off": (b'{"Item":{"v":', read),
    "what nests too deeply": (100_000 * b"[", read),
    "a number of 5,000 digits": (b'{"Item":' + 5_000 * b"9" + b"}", read),
    "an item that is a number": (b'{"Item":5}', read),
    "an item that is a list": (b'{"Item":[]}', read),
    "no word of what was written": (b"{}", write),
    "what was written is null": (b'{"Attributes":null}', write),
    "a page of nothing": (b"{}", DynamoDBStore.page),
    "a page of null": (b'{"Items":null}', DynamoDBStore.page),
    "a page of numbers": (b'{"Items":[5]}', DynamoDBStore.page),
    "a page of items without keys": (b'{"Items":[{}]}', DynamoDBStore.page),
    "a page before one without a key": (
        b'{"Items":[],"LastEvaluatedKey":{"pk":{"S":"a"}}}',
        DynamoDBStore.page,
    ),
}


@both_ways
@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_answer(way: Way, name: str) -> None:
    """It is told as what a checksum finds; without boto3, which takes it, it is tried again."""
    body, ask = DAMAGED[name]
    with Host(answer(body)) as host:
        with pytest.raises(LedgerUnavailable, match="its answer was damaged on the way") as raised:
            ask(way(host.url, PLANTED))

        assert PASSING is raised.value.trouble
        assert (1 if way is with_boto3 else 3) == len(host.received)


# What stands in an item · what is said of it
UNREADABLE: dict[bytes, str] = {
    b"{}": "it lacks v, w, op",
    b'{"v":{"N":"two"}}': "its v is no value that is ever written",
    b'{"v":{"N":"1.5"}}': "its v is no value that is ever written",
    b'{"v":{"N":"%s"}}' % (5_000 * b"9"): "its v is no value that is ever written",
    b'{"v":{"N":"2","S":"2"}}': "its v is no value that is ever written",
    b'{"v":{"BOOL":true},"w":{"N":"1"},"op":{"M":{}}}': "its v is bool",
    b'{"v":{"S":"2"},"w":{"N":"1"},"op":{"M":{}}}': "its v is str",
    b'{"op\\u001b[31m":{"N":"x"}}': "its op [31m is no value that is ever written",
    A_HEAD % b"{}": "it lacks rid, st, steps",
    A_HEAD % b'{"rid":{"S":"r"},"st":{"S":"NOPE"},"own":{"S":""},"steps":{"M":{}}}': (
        "its st is nothing that is ever written there"
    ),
}


@both_ways
@pytest.mark.parametrize(("item", "problem"), UNREADABLE.items(), ids=range(len(UNREADABLE)))
def test_an_item_that_cannot_be_read(way: Way, item: bytes, problem: str) -> None:
    """
    What is read, what refused a write, and what was written are told by key, and asked for once;
    on a page, the others are there.
    """
    kind = b'{"__type":"x#ConditionalCheckFailedException","Item":%s}' % item
    refused = answer(kind, 400) if item != b"{}" else answer(b'{"Item":{}}')
    written = answer(b'{"Attributes":%s}' % item)
    with Host(answer(b'{"Item":%s}' % item), refused, written) as host:
        store = way(host.url, PLANTED)
        for ask in (read, write, write) if item != b"{}" else (read, read):
            with pytest.raises(CorruptHead, match=f"^r1: {re.escape(problem)}"):
                ask(store)

    keyed = b'{"pk":{"S":"r%d"},"sk":{"S":"H"},'
    bad = (keyed % 1 + item[1:]).replace(b",}", b"}")
    good = keyed % 2 + json.dumps(to_attributes(changed(a_head(), {}))).encode()[1:]
    with Host(answer(b'{"Items":[%s,%s]}' % (bad, good))) as host:
        first, second = way(host.url, PLANTED).page().listed

    assert ("r1", None) == first[:2]
    assert problem in first.problem
    assert second.head is not None


@both_ways
def test_a_guard_that_refuses_a_read(way: Way) -> None:
    """Only a write has one: from a read, it is an error like any other."""
    with (
        Host(error("ConditionalCheckFailedException", "No")) as host,
        pytest.raises(LedgerUnavailable, match="ConditionalCheckFailedException: No; if it does"),
    ):
        write(way(host.url, PLANTED))


@both_ways
def test_a_long_result_that_is_no_text(way: Way) -> None:
    """It is told by its key, too."""
    for item in (b"{}", b'{"data":{"N":"1"}}', b'{"data":{"M":{}}}'):
        with (
            Host(answer(b'{"Item":%s}' % item)) as host,
            pytest.raises(CorruptHead, match=r"^r1: its data is no "),
        ):
            way(host.url, PLANTED).unspill("r1", "S#1")


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
    assert [TOKEN, "next"] == [request.headers["x-amz-security-token"] for request in host.received]


@pytest.mark.parametrize("token", ["", "a token  with spaces "], ids=["no token", "token"])
@pytest.mark.parametrize("host", ["ledger.example", "127.0.0.1:8000"])
def test_the_signature_is_amazons(host: str, token: str) -> None:
    """botocore signs the same request in the same way."""
    headers = {"Host": host, "X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "a/b"}
    body = '{"S": "ä"}'.encode()

    ours = signed(headers, body, Credentials("AKIA", SECRET, token), "eu-west-1", 1_800_000_000)

    request = AWSRequest("POST", f"https://{host}/", dict(headers), body)
    request.context["timestamp"] = request.headers["X-Amz-Date"] = "20270115T080000Z"
    if token:
        request.headers["X-Amz-Security-Token"] = token
    theirs = SigV4Auth(botocore.credentials.Credentials("AKIA", SECRET), "dynamodb", "eu-west-1")
    text = theirs.string_to_sign(request, theirs.canonical_request(request))
    assert f"Signature={theirs.signature(text, request)}" in ours["Authorization"]
    assert f"Credential={theirs.scope(request)}," in ours["Authorization"]
    assert "20270115T080000Z" == ours["X-Amz-Date"]


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
            with pytest.raises(TableRefused):
                wire.ask("GetItem", {})

        assert 0 < clock.now() - began <= most


class _KeptConnection(LocalHandler):
    """Answers one request after the other on a connection."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.server.what.append(self.client_address)
        super().setup()

    def do_POST(self) -> None:
        self.read()
        self.reply(200, b"{}", "application/json")


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


@pytest.mark.parametrize("seconds", [-3_600, -30, -3, 0, 3_600])
@both_ways
def test_a_clock_that_is_ahead_of_the_tables(way: Way, seconds: int) -> None:
    """
    An operator judges of leases: by a clock that is ahead, one that runs would be over. It is
    refused before anything is shown or written; one that is behind only waits too long.
    """
    with Host(answer({}, date=formatdate(time.time() + seconds, usegmt=True))) as host:
        store = way(host.url, IN_LAMBDA)
        operators = way(host.url, IN_LAMBDA, checks_clock=True)

        assert store.read("r1") is None
        if seconds > -10:
            assert operators.read("r1") is None
            return
        with pytest.raises(LedgerUnavailable, match=r"clock is 3\d+ s ahead of DynamoDB"):
            operators.read("r1")
