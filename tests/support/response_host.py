"""CloudFormation's bucket over real sockets: signs ResponseURLs, and keeps what S3 would take."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cfn_once.testing.responses import ResponseBucket
from cfn_once.testing.signing import bucket_url
from support.host import Behaviour, Host, Received, Status

BUCKET = bucket_url()


class Told(NamedTuple):
    """One body that was taken: when, by the monotonic clock, and under which URL."""

    at: float
    url: str
    body: bytes


class ResponseHost(Host):
    """The bucket; behaviours besides its own make it fail.

    Args:
        now: Reads the clock by which URLs expire.
        options: As for `Host`.

    Attributes:
        told: All that was taken, in order.
    """

    def __init__(
        self, *behaviours: Behaviour, now: Callable[[], float] = time.time, **options: Any
    ) -> None:
        super().__init__(*(behaviours or [self.take]), **options)
        self.told: list[Told] = []
        self.now = now
        self._bucket = ResponseBucket(self._keep, now)

    def sign(self, key: str, at: float) -> str:
        """Return the URL under which an answer may be PUT; its date orders requests."""
        return self._bucket.sign(key, at).replace(BUCKET, self.url)

    def take(self, request: Received) -> Status:
        """Keep an answer, or refuse it as S3 does."""
        content_type = request.headers.get("content-type", "")
        signed = f"{BUCKET}{request.target}"
        reply = self._bucket.put(signed, request.body, content_type=content_type)
        return Status(reply.status, body=reply.to_xml())

    def told_for(self, event: Mapping[str, Any]) -> list[Told]:
        """Return all that was ever answered to a request, in order, and when it came."""
        return [told for told in self.told if told.url == event["ResponseURL"]]

    def bodies_for(self, event: Mapping[str, Any]) -> list[bytes]:
        """Return all that was ever answered to a request, in order, as it came."""
        return [told.body for told in self.told_for(event)]

    def answers_to(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return all that was ever answered to a request, in order."""
        return [json.loads(body) for body in self.bodies_for(event)]

    def _keep(self, url: str, body: bytes) -> None:
        here = url.replace(BUCKET, self.url)
        self.told.append(Told(time.monotonic(), here, body))
