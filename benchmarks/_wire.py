"""A wire to a server that counts what goes over it."""

import http.client
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class CountingWire:
    """A proxy before an AWS endpoint, from the beginning of a `with` block to its end.

    Args:
        endpoint: Where requests go.

    Attributes:
        requests: The operation of every request so far, in order; a retry is one more.
    """

    def __init__(self, endpoint: str) -> None:
        self.to = urlsplit(endpoint).netloc
        self.requests: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wire = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: CountingWire

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: _Server

    def do_POST(self) -> None:
        wire = self.server.wire
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wire.requests.append(self.headers.get("X-Amz-Target", self.path).rpartition(".")[2])
        onward = http.client.HTTPConnection(wire.to, timeout=30)
        try:
            onward.request("POST", self.path, body, dict(self.headers))
            answer = onward.getresponse()
            told = answer.read()
        finally:
            onward.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base's name
        pass
