"""DynamoDB's protocol as far as a ledger needs it: three operations, without the SDK's model.

    JSON over kept connections, signed by `signing`, sent by urllib3

It serves where Lambda's environment says everything that matters. Where anything else may have a
say (profiles, proxies, other endpoints, credentials that are fetched), `wire_for` returns nothing,
and boto3 is asked. Tries and time-outs are those of boto3's standard mode.
"""

import json
import os
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from .._clock import SYSTEM_CLOCK, Clock
from .._cloudformation.endpoints import KNOWN_REGIONS, dns_suffix_of
from .._tls import tls_context
from .signing import Credentials, signed
from .table_errors import (
    OF_CREDENTIALS,
    TableRefused,
    TableUnreached,
    Unreached,
    ahead_of,
    check_answer,
    needs_date,
)

# A write is 1 KB: two seconds to connect and five to answer are ample (ledger.md, section 5).
CONNECT, READ, TRIES = 2, 5, 3
VERSION = "DynamoDB_20120810"
MOST = 16 * 1024 * 1024  # bytes of an answer: DynamoDB's have 1 MB of items
KEPT = 4  # connections; the hook and its watchdog may write at the same time
# Where one of these is set, the SDK may go another way than we would.
_ELSEWHERE = frozenset(
    {
        *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE"),
        *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
        *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"),
        *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
        *("AWS_ACCOUNT_ID", "AWS_ACCOUNT_ID_ENDPOINT_MODE"),
        # With SnapStart, credentials change under a restored process.
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    }
)
_IN_LAMBDA = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API")
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# What botocore's standard mode tries again.
_TRANSIENT = frozenset({500, 502, 503, 504})
_TIMED_OUT = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})
_THROTTLED = frozenset(
    {
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException"),
        *("TooManyRequestsException", "ProvisionedThroughputExceededException", "SlowDown"),
        *("TransactionInProgressException", "RequestLimitExceeded", "RequestThrottled", "429"),
        *("BandwidthLimitExceeded", "LimitExceededException", "EC2ThrottledException"),
        "ReplicatedWriteConflictException",
    }
)
PAUSE, PAUSE_OF_THROTTLED = 0.025, 1.0  # seconds


def wire_for(
    region: str | None,
    endpoint: str | None,
    environ: Mapping[str, str] = os.environ,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> "WireTable | None":
    """Return a wire where Lambda's environment says everything, else None.

    Args:
        region: The table's; the function's unless given.
        endpoint: `https://` and a host, in place of the Region's.
        environ: The environment; credentials are read from it for each request, for they rotate.
        clock: Waits between tries, and judges DynamoDB's clock.
    """
    region = region or environ.get("AWS_REGION", "")
    said = (*_IN_LAMBDA, *_CREDENTIALS)
    if region not in KNOWN_REGIONS or not all(environ.get(name) for name in said):
        return None
    if any(name in _ELSEWHERE or _is_proxy(name) for name in environ if environ[name]):
        return None
    if os.path.exists(os.path.expanduser("~/.aws/config")):  # an image may bring one along
        return None
    endpoint = endpoint or f"https://dynamodb.{region}.{dns_suffix_of(region)}"
    return WireTable(region, endpoint, environ, clock)


def _is_proxy(name: str) -> bool:
    return name.lower() in ("http_proxy", "https_proxy", "all_proxy")


class WireTable:
    """An endpoint of DynamoDB, and the connections to it."""

    def __init__(
        self, region: str, endpoint: str, environ: Mapping[str, str], clock: Clock
    ) -> None:
        # In init, where Lambda lends a whole processor; with the first event it may not.
        import urllib3

        self.endpoint, self.region, self._environ, self._clock = endpoint, region, environ, clock
        self._date: str | None = None
        self._dated = 0.0
        parts, self._http = urlsplit(endpoint), urllib3
        self._host = parts.netloc
        options: dict[str, Any] = {
            "port": parts.port,
            "maxsize": KEPT,
            "timeout": urllib3.Timeout(connect=CONNECT, read=READ),
        }
        if parts.scheme == "https":
            self._pool: Any = urllib3.HTTPSConnectionPool(
                parts.hostname or "", ssl_context=tls_context(), **options
            )
        else:
            self._pool = urllib3.HTTPConnectionPool(parts.hostname or "", **options)
        self._pool.ConnectionCls = _timed(self._pool.ConnectionCls)

    @property
    def ahead(self) -> float:
        """How many seconds our clock is ahead of the table's, by its last answer."""
        return ahead_of(self._date, self._dated)

    def ask(self, operation: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a request, and again where it may help.

        Raises:
            TableRefused, TableUnreached: As the error says, after the last try.
        """
        body = json.dumps(members, separators=(",", ":")).encode()
        tries = 1
        while True:
            try:
                return self._once(operation, body)
            except TableRefused as error:
                throttled = error.code in _THROTTLED
                if tries == TRIES or not (throttled or error.is_transient):
                    raise
            except TableUnreached as error:
                throttled = False
                if tries == TRIES or error.why in OF_CREDENTIALS:
                    raise
            pause = (PAUSE_OF_THROTTLED if throttled else PAUSE) * 2 ** (tries - 1)
            self._clock.sleep(pause * self._clock.jitter())
            tries += 1

    def _once(self, operation: str, body: bytes) -> Mapping[str, Any]:
        headers = self._signed(operation, body)
        failures = self._http.exceptions
        try:
            # As it came: it was asked for uncompressed, and may unpack to anything.
            options = {"retries": False, "redirect": False, "decode_content": False}
            answer = self._pool.urlopen(
                "POST", "/", body=body, headers=headers, preload_content=False, **options
            )
            data = _data(answer)
        except (failures.HTTPError, OSError) as error:
            kind = type(error).__name__
            # Without its cause, and that one's: both ways report them in the same words.
            raise TableUnreached(_why(error, failures), kind) from None
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(crc32(data)):
            raise TableUnreached(Unreached.DAMAGED, "x-amz-crc32")
        document = _document(data)
        if answer.status == 200:
            self._date, self._dated = answer.headers.get("date"), self._clock.now()
            if document is None:
                raise TableUnreached(Unreached.DAMAGED, "no JSON")
            check_answer(operation, document)
            return document
        raise self._refused(answer, document or {})

    def _refused(self, answer: Any, document: Mapping[str, Any]) -> TableRefused:
        kind = str(document.get("__type", answer.status))
        code = kind.rpartition("#")[2].partition(":")[0]
        message = str(document.get("message") or document.get("Message") or answer.reason or "")
        ahead = 0.0
        if needs_date(code):
            ahead = ahead_of(answer.headers.get("date"), self._clock.now())
        transient = answer.status in _TRANSIENT or code in _TIMED_OUT
        return TableRefused(
            code, message, document.get("Item"), ahead=ahead, is_transient=transient
        )

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request, signed with the credentials of this moment."""
        key, secret = (self._environ.get(name, "") for name in _CREDENTIALS)
        if not key or not secret:
            raise TableUnreached(Unreached.NO_CREDENTIALS, "NoCredentialsError")
        token = self._environ.get("AWS_SESSION_TOKEN", "")
        if not all(map(_is_sendable, (key, secret, token))):
            raise TableUnreached(Unreached.BAD_CREDENTIALS, "ValueError")
        headers = {
            "Host": self._host,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{VERSION}.{operation}",
            "Accept-Encoding": "identity",
        }
        credentials = Credentials(key, secret, token)
        now = self._clock.now()
        return {**signed(headers, body, credentials, self.region, now), "User-Agent": "cfn-once"}


def _data(answer: Any) -> bytes:
    """Return what an answer says.

    Raises:
        TableUnreached: It is longer than any of DynamoDB's.
    """
    data = b""
    while part := answer.read(MOST + 1 - len(data)):
        data += part
        if len(data) > MOST:
            answer.close()
            raise TableUnreached(Unreached.DAMAGED, f"more than {MOST} bytes")
    return data


def _timed(connection: type) -> type:
    """Return a kind of connections that has its time-out for the whole of an answer."""
    return type("TimedConnection", (connection,), {"response_class": _TimedResponse})


class _TimedResponse(HTTPResponse):
    """An answer that ends in time: a server that sends byte after byte would hold us for hours."""

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = BufferedReader(_TimedStream(sock, self.fp.detach()))


class _TimedStream(RawIOBase):
    """A socket's stream that has the socket's time-out for all that is read from it."""

    def __init__(self, sock: Any, stream: Any) -> None:
        self._socket, self._stream = sock, stream
        self._until = monotonic() + (sock.gettimeout() or READ)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._socket.settimeout(left)
        count: int | None = self._stream.readinto(buffer)
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def _is_sendable(credential: str) -> bool:
    """Tell whether a header can have it: an error that refuses it would quote it."""
    return credential.isascii() and credential.isprintable()


def _document(data: bytes) -> Mapping[str, Any] | None:
    """Return what an answer says; None where it is no JSON of DynamoDB's: a balancer's page."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _why(error: Exception, failures: Any) -> Unreached:
    if isinstance(error, failures.SSLError):
        return Unreached.UNTRUSTED
    if isinstance(error, (failures.ConnectTimeoutError, failures.NewConnectionError)):
        return Unreached.NO_CONNECTION
    return Unreached.NO_ANSWER if isinstance(error, failures.TimeoutError) else Unreached.BROKEN
