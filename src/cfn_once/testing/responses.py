"""
The bucket that answers go to: pre-signed URLs, and S3's own way of refusing a PUT to one.

    sign ──► ResponseURL ──► PUT ──► signature, expiry, content-type ──► 200, kept │ 403 and why
                                                                                   │ 503, as told
The same rules hold in process and over HTTP; `serve` opens a port on 127.0.0.1.
"""

import hmac
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from .._clock import SYSTEM_CLOCK

BUCKET = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
LIFE = 7200  # seconds; every recorded URL
# The sample credentials of AWS's documentation: what they sign is worth nothing elsewhere.
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
LOOK = 0.3  # seconds between two looks into a bucket of one's own
SCOPE = "us-east-1/s3/aws4_request"
ALGORITHM = "AWS4-HMAC-SHA256"


class Reply(NamedTuple):
    """What S3 says to a PUT.

    Attributes:
        code: S3's name of what is wrong; empty where nothing is.
    """

    status: int
    code: str = ""
    message: str = ""

    def to_xml(self) -> bytes:
        """Return the body, as S3 writes it."""
        if not self.code:
            return b""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        ).encode()


KEPT = Reply(200)
MISMATCH = Reply(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key"
    " and signing method.",
)
EXPIRED = Reply(403, "AccessDenied", "Request has expired")
DENIED = Reply(403, "AccessDenied", "Access Denied")
SLOW_DOWN = Reply(503, "SlowDown", "Please reduce your request rate.")

Keep = Callable[[str, bytes], None]


class ResponseBucket:
    """Signs ResponseURLs, and takes what is PUT to them.

    Args:
        keep: Takes the URL and the body of each PUT that is not refused.
        now: Reads the clock by which URLs expire.
    """

    def __init__(self, keep: Keep | None = None, now: Callable[[], float] | None = None) -> None:
        self._keep: Keep = keep or _forget
        self._now, self._refusals = now or SYSTEM_CLOCK.now, 0
        self._server: _Server | None = None
        self._puts: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._base = f"https://{BUCKET}"

    @property
    def host(self) -> str:
        """The host of the URLs, as CFN_ONCE_RESPONSE_HOSTS wants it."""
        return urlsplit(self._base).netloc

    def sign(self, key: str, now: float) -> str:
        """Return the URL under which `key` may be PUT for the next two hours."""
        date = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        path = "/" + quote(key, safe="/-_.~")
        query = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Date": date,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": str(LIFE),
            "X-Amz-Credential": f"{KEY_ID}/{date[:8]}/{SCOPE}",
        }
        signature = _signature(self.host, path, query)
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"{self._base}{path}?{asked}&X-Amz-Signature={signature}"

    def refuse(self, number: int) -> None:
        """Answer the next PUTs 503, as a bucket that is out of reach for a while."""
        self._refusals += number

    def put(self, url: str, body: bytes, *, content_type: str = "") -> Reply:
        """Take a body, or say why not, as S3 does."""
        if self._refusals:
            self._refusals -= 1
            return SLOW_DOWN
        reply = self._judge(url, content_type)
        if reply is KEPT:
            self._keep(url, body)
            with self._changed:
                self._puts[url] += 1
                self._changed.notify_all()
        return reply

    def puts(self, url: str) -> int:
        """Return how many bodies were PUT to a URL."""
        return self._puts[url]

    def wait_for(self, url: str, number: int, seconds: float) -> bool:
        """Wait, by the real clock, until so many bodies were PUT to a URL."""
        with self._changed:
            return self._changed.wait_for(lambda: self._puts[url] >= number, seconds)

    def _judge(self, url: str, content_type: str) -> Reply:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        signature = query.pop("X-Amz-Signature", None)
        if signature is None:
            return DENIED
        # A type is part of what the older kind of URL signs: no provider may rely on the newer.
        if content_type or not hmac.compare_digest(
            signature, _signature(parts.netloc, parts.path, query)
        ):
            return MISMATCH
        signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if self._now() > signed.timestamp() + int(query["X-Amz-Expires"]):
            return EXPIRED
        return KEPT

    def serve(self, port: int = 0) -> None:
        """Take answers over HTTP as well, on a port of 127.0.0.1, a free one unless given."""
        self._server = _Server(self, port)
        self._base = self._server.url

    def close(self) -> None:
        """Stop serving."""
        server, self._server = self._server, None
        if server is not None:
            server.close()


class S3Bucket:
    """A bucket of one's own, on AWS or an emulator, which a function that runs there can reach.

    Args:
        keep: As for `ResponseBucket`.
        name: The bucket's name.
        client: `boto3.client("s3", config=Config(signature_version="s3v4"))`, which may put, get
            and delete there.
    """

    def __init__(self, keep: Keep, name: str, client: Any) -> None:
        self._keep, self._name, self._client = keep, name, client
        self._puts: Counter[str] = Counter()
        self._keys: dict[str, str] = {}
        self.host = urlsplit(self.sign("host", 0)).netloc

    def sign(self, key: str, now: float) -> str:
        """Return the URL under which `key` may be PUT for the next two hours, by the real clock."""
        del now
        wanted = {"Bucket": self._name, "Key": key}
        url = str(self._client.generate_presigned_url("put_object", wanted, ExpiresIn=LIFE))
        self._keys[url] = key
        return url

    def refuse(self, number: int) -> None:
        """Refuse nothing: the bucket is a real one.

        Raises:
            ValueError: Answers should be lost.
        """
        if number:
            raise ValueError("lost_answers: a bucket of one's own loses none")

    def puts(self, url: str) -> int:
        """Return how many bodies were found under a URL."""
        return self._puts[url]

    def wait_for(self, url: str, number: int, seconds: float) -> bool:
        """Look every now and then until so many bodies were found; each is removed."""
        until = SYSTEM_CLOCK.now() + seconds
        while self._puts[url] < number:
            if self._take(url):
                continue
            if SYSTEM_CLOCK.now() > until:
                return False
            SYSTEM_CLOCK.sleep(LOOK)
        return True

    def _take(self, url: str) -> bool:
        place = {"Bucket": self._name, "Key": self._keys[url]}
        try:
            body = self._client.get_object(**place)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return False
        self._client.delete_object(**place)
        self._puts[url] += 1
        self._keep(url, body)
        return True

    def close(self) -> None:
        """Do nothing: nothing was opened."""


class _Server(ThreadingHTTPServer):
    """S3 as far as a PUT to a pre-signed URL goes."""

    daemon_threads = True

    def __init__(self, bucket: ResponseBucket, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.bucket = bucket
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        reply = self.server.bucket.put(
            f"http://{self.headers['host']}{self.path}",
            body,
            content_type=self.headers.get("content-type") or "",
        )
        self.send_response(reply.status)
        self.send_header("content-length", str(len(reply.to_xml())))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(reply.to_xml())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Print nothing: the line would hold the URL, which is a secret."""


def _forget(url: str, body: bytes) -> None:
    """Keep nothing."""


def key_of(event: Mapping[str, Any]) -> str:
    """Return the key of a request's answer: the same for every URL of the request."""
    return "|".join(str(event[part]) for part in ("StackId", "LogicalResourceId", "RequestId"))


def _signature(host: str, path: str, query: Mapping[str, str]) -> str:
    """Return Signature Version 4 of a request whose only signed header is its host."""
    date = query.get("X-Amz-Date", "")
    asked = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(query.items())
    )
    canonical = f"PUT\n{path}\n{asked}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{date}\n{date[:8]}/{SCOPE}\n{digest}"
    return _hmac(_signing_key(date[:8]), text).hex()


@lru_cache(maxsize=64)
def _signing_key(day: str) -> bytes:
    key = f"AWS4{SECRET}".encode()
    for part in (day, *SCOPE.split("/")):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()
