"""Telling CloudFormation: one PUT to a pre-signed URL, all of which but the host is a secret."""

import logging
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, assert_never

from .._clock import Deadline
from .._errors import ConfigurationError, DeliveryError, InvalidRequest
from .._silence import Quiet
from .._tls import tls_context
from .endpoints import (
    Addressee,
    Endpoint,
    Foreign,
    OtherRegion,
    Own,
    Trusted,
    bucket_of,
    is_region,
    judge,
)
from .proxies import Proxy, ProxyUnreadable, proxy_for
from .request import Request

log = logging.getLogger("cfn_once")

RETRIED = frozenset({408, 425, 429})
RESERVE = 0.5  # seconds kept for raising in order


class Delivery(Protocol):
    """The way of an answer to CloudFormation; swapped by tests and by the explorer."""

    def check(self, request: Request) -> str:
        """Say why a request is answered, and not served; empty where it is served.

        Raises:
            InvalidRequest: Its answer would go to somebody else.
        """

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        """Deliver an answer.

        Raises:
            DeliveryError: It could not be delivered; it is kept, and a later delivery tells it.
        """


class _Problem(NamedTuple):
    """Why a try did not deliver the answer; a final one stays when it is tried again."""

    text: str
    is_final: bool


_QUIET = Quiet("urllib3")  # its lines quote the URL, and spans of it do


class HttpsDelivery:
    """The real one.

    Args:
        hosts: Further hosts, `name` or `name:port`; they may use http, as emulators do.
        own_region: The function's own; empty off Lambda, where each request's is.
        regions: Further Regions.
        pauses: Seconds between tries, the last one again and again until the time is over.
        connect: Seconds to connect.
        read: Seconds to wait for the answer.

    Raises:
        ConfigurationError: What is given as a Region has no name of one.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str] = (),
        own_region: str = "",
        regions: Sequence[str] = (),
        pauses: Sequence[float] = (0.5, 1, 2, 4, 8),
        connect: float = 3.0,
        read: float = 10.0,
    ) -> None:
        if odd := [region for region in regions if not is_region(region)]:
            raise ConfigurationError(
                f'regions={odd!r}: give names of Regions, such as regions=["eu-west-1"]'
            )
        listed = frozenset(host.lower() for host in hosts)
        self._trusted = Trusted(own=own_region, regions=frozenset(regions), hosts=listed)
        self._pauses, self._connect, self._read = tuple(pauses), connect, read
        self._pools: dict[Proxy | None, Any] = {}  # of connections, by the proxy that they go by

    def _pool(self, proxy: Proxy | None) -> Any:
        if proxy not in self._pools:
            import urllib3  # not needed before an answer is ready

            options: dict[str, Any] = {"retries": False, "ssl_context": tls_context()}
            if proxy is None:
                self._pools[proxy] = urllib3.PoolManager(**options)
            else:
                self._pools[proxy] = urllib3.ProxyManager(
                    proxy.url, proxy_headers=proxy.headers(), **options
                )
        return self._pools[proxy]

    def check(self, request: Request) -> str:
        names = Addressee(request.stack_id, request.logical_resource_id, request.request_id)
        match judge(request.response_url, names, self._trusted):
            case Own():
                return ""
            case OtherRegion(region):
                return (
                    f"this provider serves stacks in {self._trusted.own}, and this one is in"
                    f' {region}. If that is meant: Provider(..., regions=["{region}"])'
                )
            case Foreign(problem):
                raise InvalidRequest(f"{request}: nothing was done, for its ResponseURL {problem}")
            case never:
                assert_never(never)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        tries = 0
        while (problem := self._try(request, body, deadline)) is not None:
            pause = self._pauses[min(tries, len(self._pauses) - 1)]
            tries += 1
            if problem.is_final or not deadline.pause(pause, reserve=RESERVE):
                host = Endpoint.of(request.response_url).host
                raise DeliveryError(
                    f"{request}: the response could not be sent to {host}, after {tries}"
                    f" {'try' if tries == 1 else 'tries'}: {problem.text}. The next delivery"
                    " sends it"
                )
            log.info("%s: sending the response again, after %s", request, problem.text)

    def _try(self, request: Request, body: bytes, deadline: Deadline) -> _Problem | None:
        import urllib3  # as above

        proxy: Proxy | None = None
        try:
            with _QUIET:
                proxy = proxy_for(request.response_url)
                status = self._send(request.response_url, body, deadline, proxy)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return _problem(error, request, proxy)
        if 200 <= status < 300:
            return None
        if status >= 500 or status in RETRIED:
            return _Problem(f"status {status}", is_final=False)
        return _Problem(f"status {status}; {_advice(status, request)}", is_final=True)

    def _send(self, url: str, body: bytes, deadline: Deadline, proxy: Proxy | None) -> int:
        """Return the status, which says it all: a body may never end."""
        import urllib3  # as above

        left = max(deadline.remaining() - RESERVE, 0.1)
        response = self._pool(proxy).request(
            "PUT",
            url,
            body=body,
            headers={"content-type": "", "content-length": str(len(body))},
            timeout=urllib3.Timeout(
                connect=min(self._connect, left), read=min(self._read, left), total=left
            ),
            redirect=False,
            preload_content=False,
        )
        response.close()
        return int(response.status)


def _problem(error: Exception, request: Request, proxy: Proxy | None) -> _Problem:
    """Return why there was no status; of what the error says, only a proxy's own status."""
    if isinstance(error, ProxyUnreadable):
        return _Problem(f"the proxy's URL cannot be read: {error}", is_final=True)
    refused = re.search(r"Tunnel connection failed: (4\d\d)", str(error))
    if proxy is None:
        return _Problem(f"{type(error).__name__} ({_hint(request)})", is_final=False)
    host = Endpoint.of(request.response_url).host
    said = f"the proxy {proxy.url} refuses with {refused[1]}" if refused else type(error).__name__
    return _Problem(
        f"{said} (by HTTPS_PROXY the response goes through {proxy.url}: let it connect to {host},"
        f" or name the host in NO_PROXY where the function needs no proxy to reach it)",
        is_final=refused is not None,
    )


def _hint(request: Request) -> str:
    return (
        f"in a VPC, the function needs a way to S3 in {request.region or 'the Region'}: a NAT"
        f" gateway, or an S3 endpoint that allows s3:PutObject on {bucket_of(request.region)}"
    )


def _advice(status: int, request: Request) -> str:
    if status == 407:
        return "the proxy of HTTP_PROXY wants credentials: http://user:password@host:port"
    if status == 403:
        return f"the URL is over two hours old, or {_hint(request)}"
    if 300 <= status < 400:
        return "cfn-once follows no redirects: a response goes only to CloudFormation"
    return "CloudFormation's bucket refused it"
