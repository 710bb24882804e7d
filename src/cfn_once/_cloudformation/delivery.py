"""Telling CloudFormation: one PUT to a pre-signed URL, all of which but the host is a secret."""

import logging
import re
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._clock import Deadline
from .._errors import DeliveryError, InvalidRequest
from .._silence import Quiet
from .request import Request

# Every host in recordings since 2013; protocol reference, "ResponseURL".
HOST = re.compile(
    r"cloudformation-custom-resource-response-[a-z0-9]+\.s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?"
)
log = logging.getLogger("cfn_once")

RETRIED = frozenset({408, 425, 429})
RESERVE = 0.5  # seconds kept for raising in order


class Delivery(Protocol):
    """The way of an answer to CloudFormation; swapped by tests and by the explorer."""

    def check(self, request: Request) -> None:
        """Refuse a request whose answer would go to somebody else.

        Raises:
            InvalidRequest: The host is neither CloudFormation's nor a listed one.
        """

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        """Deliver an answer.

        Raises:
            DeliveryError: It could not be delivered; it is kept, and a later delivery tells it.
        """


_QUIET = Quiet("urllib3")  # its lines quote the URL


class HttpsDelivery:
    """The real one.

    Args:
        hosts: Further hosts, `name` or `name:port`; they may use http, as emulators do.
        pauses: Seconds between tries, the last one again and again until the time is over.
        connect: Seconds to connect.
        read: Seconds to wait for the answer.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str] = (),
        pauses: Sequence[float] = (0.5, 1, 2, 4, 8),
        connect: float = 3.0,
        read: float = 10.0,
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._pauses, self._connect, self._read = tuple(pauses), connect, read
        self._pool: Any = None

    def check(self, request: Request) -> None:
        host, scheme, plain = _parts(request.response_url)
        listed = host in self._hosts
        if not plain:
            wrong = "is written as CloudFormation never writes one"
        elif scheme not in ("http", "https") or not host:
            wrong = "is no https URL"
        elif not listed and not HOST.fullmatch(host):
            wrong = (
                f"has the host {host}, which is not CloudFormation's. If it is your emulator's:"
                f' Provider(..., response_hosts=["{host}"]), or CFN_ONCE_RESPONSE_HOSTS={host}'
            )
        elif not listed and scheme != "https":
            wrong = "is not https"
        else:
            return
        raise InvalidRequest(f"{request}: nothing was done, for its ResponseURL {wrong}")

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        tries = 0
        while True:
            problem, final = self._try(request, body, deadline)
            if not problem:
                return
            pause = self._pauses[min(tries, len(self._pauses) - 1)]
            tries += 1
            if final or not deadline.pause(pause, reserve=RESERVE):
                break
            log.info("%s: the answer is told again, after %s", request, problem)
        host = _parts(request.response_url)[0]
        raise DeliveryError(
            f"{request}: {host} could not be told the answer, after {tries}"
            f" {'try' if tries == 1 else 'tries'}: {problem}. The next delivery tells it"
        )

    def _try(self, request: Request, body: bytes, deadline: Deadline) -> tuple[str, bool]:
        """Return what went wrong, if anything, and whether trying again is useless."""
        import urllib3  # not needed before an answer is ready

        if self._pool is None:
            self._pool = urllib3.PoolManager(retries=False)
        left = max(deadline.remaining() - RESERVE, 0.1)
        timeout = urllib3.Timeout(
            connect=min(self._connect, left), read=min(self._read, left), total=left
        )
        try:
            with _QUIET:
                response = self._pool.request(
                    "PUT",
                    request.response_url,
                    body=body,
                    headers={"content-type": "", "content-length": str(len(body))},
                    timeout=timeout,
                    redirect=False,
                    preload_content=False,  # the status says it all; a body may never end
                )
                response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return f"{type(error).__name__} ({_hint(request)})", False
        status = int(response.status)
        if 200 <= status < 300:
            return "", True
        if status >= 500 or status in RETRIED:
            return f"status {status}", False
        return f"status {status}; {_advice(status, request)}", True


def _parts(url: str) -> tuple[str, str, bool]:
    """Return a URL's host as it must be listed, its scheme, and whether nothing odd is in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "", False
    name = parts.hostname or ""
    clean = url.isascii() and url.isprintable() and not set(url) & set(" \\")
    plain = clean and "@" not in parts.netloc
    host = name if port in (None, 443 if parts.scheme == "https" else 80) else f"{name}:{port}"
    return host, parts.scheme, plain


def _hint(request: Request) -> str:
    bucket = f"cloudformation-custom-resource-response-{request.region.replace('-', '')}"
    return (
        f"in a VPC, the function needs a way to S3 in {request.region or 'the Region'}: a NAT"
        f" gateway, or an S3 endpoint that allows s3:PutObject on {bucket}"
    )


def _advice(status: int, request: Request) -> str:
    if status == 403:
        return f"the URL is over two hours old, or {_hint(request)}"
    if 300 <= status < 400:
        return "redirects are not followed: an answer goes nowhere but to CloudFormation"
    return "CloudFormation's bucket refused it"
