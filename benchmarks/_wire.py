"""A wire to a server that counts what goes over it."""

import http.client
from urllib.parse import urlsplit

from support.host import Host, Received, Status

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class CountingWire(Host):
    """A proxy before an AWS endpoint, from the beginning of a `with` block to its end.

    Args:
        endpoint: Where requests go.

    Attributes:
        requests: The operation of every request so far, in order; a retry is one more.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__(self._pass_on)
        self._to = urlsplit(endpoint).netloc
        self.requests: list[str] = []

    def _pass_on(self, request: Received) -> Status:
        target = request.headers.get("X-Amz-Target", request.target)
        self.requests.append(target.rpartition(".")[2])
        onward = http.client.HTTPConnection(self._to, timeout=30)
        try:
            onward.request(request.method, request.target, request.body, dict(request.headers))
            answer = onward.getresponse()
            body = answer.read()
        finally:
            onward.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
        return Status(answer.status, headers=headers, body=body)
