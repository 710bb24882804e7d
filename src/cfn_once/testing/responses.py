"""
The bucket that answers go to: pre-signed URLs, and S3's own way of refusing a PUT to one.

    sign ──► ResponseURL ──► PUT ──► signature, expiry, content-type ──► 200, kept │ 403 and why
                                                                                   │ 503, as set
The same rules hold in process and over HTTP; `serve` opens a port on 127.0.0.1.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .._clock import SYSTEM_CLOCK
from .server import LocalHandler, LocalServer
from .signing import LIFE, bucket_url, sign, verify

LOOK = 0.3  # seconds between two looks into a bucket of one's own
Keep = Callable[[str, bytes], None]


class Reply(NamedTuple):
    """What S3 says to a PUT, with its name of what is wrong; none where nothing is."""

    status: int
    code: str = ""
    message: str = ""

    def to_xml(self) -> bytes:
        """Return the body: what is wrong, in S3's words."""
        if not self.code:
            return b""
        text = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        return text.encode()


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


class ResponseBucket:
    """Signs ResponseURLs, which expire by the clock `now`, and keeps what is PUT to them."""

    def __init__(self, keep: Keep, now: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        self._keep, self._now, self._refusals = keep, now, 0
        self._base = ""  # CloudFormation's own
        self._server: LocalServer | None = None
        self._puts, self._changed = Counter[str](), threading.Condition()

    @property
    def host(self) -> str:
        """The host of the URLs, as CFN_ONCE_RESPONSE_HOSTS wants it."""
        return urlsplit(self._base or bucket_url()).netloc

    def sign(self, key: str, now: float) -> str:
        """Return the URL under which `key` may be PUT for the next two hours."""
        return sign(key, now, self._base)

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
        return self._puts[url]

    def wait_for(self, url: str, number: int, seconds: float) -> bool:
        """Wait, by the real clock, until so many bodies were PUT to a URL."""
        with self._changed:
            return self._changed.wait_for(lambda: self._puts[url] >= number, seconds)

    def serve(self, port: int = 0) -> None:
        """Take answers over HTTP as well, on a port of 127.0.0.1, a free one unless given."""
        self._server = LocalServer(_PutHandler, self, port)
        self._base = self._server.url

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _judge(self, url: str, content_type: str) -> Reply:
        try:
            until = verify(url)
        except KeyError:
            return DENIED
        # A type is part of what the older kind of URL signs: no provider may rely on the newer.
        if content_type or until is None:
            return MISMATCH
        return KEPT if self._now() <= until else EXPIRED


class _PutHandler(LocalHandler):
    def do_PUT(self) -> None:  # noqa: N802 - the library's name
        bucket: ResponseBucket = self.server.what
        url = f"http://{self.headers['host']}{self.path}"
        content_type = self.headers.get("content-type") or ""
        reply = bucket.put(url, self.read(), content_type=content_type)
        self.reply(reply.status, reply.to_xml(), "application/xml")


class S3Bucket:
    """A bucket of one's own, on AWS or an emulator, which a function that runs there can reach.

    The client, of `signature_version="s3v4"`, may put, get and delete there.
    """

    def __init__(self, keep: Keep, name: str, client: Any) -> None:
        self._keep, self._name, self._client = keep, name, client
        self._puts, self._keys = Counter[str](), dict[str, str]()
        self.host = urlsplit(self.sign("host", 0)).netloc

    def sign(self, key: str, now: float) -> str:
        """Return the URL under which `key` may be PUT for the next two hours, by the real clock."""
        del now
        wanted = {"Bucket": self._name, "Key": key}
        url = str(self._client.generate_presigned_url("put_object", wanted, ExpiresIn=LIFE))
        self._keys[url] = key
        return url

    def refuse(self, number: int) -> None:
        """Refuse nothing: the bucket is a real one."""
        if number:
            raise ValueError("lost_answers: a bucket of one's own loses none")

    def puts(self, url: str) -> int:
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
