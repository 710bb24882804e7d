"""
A forward proxy, as networks have one on their way out: CONNECT for https, whole URLs for http.

    with ForwardProxy({"bucket.example:443": host.name}) as proxy:
        ...  # HTTPS_PROXY=proxy.url; proxy.asked has what it was asked for
"""

import base64
import contextlib
import socket
import socketserver
import threading
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from support.proxy import _copy, read_message


class ForwardProxy:
    """Passes on what it is asked for, from `with` to its end.

    Args:
        names: Where a host and port lead, for names that only the proxy can resolve.
        credentials: `user:password` that it asks for.
        refuses: The status that it refuses everything with.

    Attributes:
        asked: The hosts and ports that it was asked for, in order.
        heads: What it was sent until then, in full.
    """

    def __init__(
        self, names: Mapping[str, str] | None = None, *, credentials: str = "", refuses: int = 0
    ) -> None:
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self._names, self._refuses = names or {}, refuses
        self._told = base64.b64encode(credentials.encode()) if credentials else b""
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    proxy._serve(self.rfile, self.connection)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{credentials}@{self.name}" if credentials else f"http://{self.name}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, stream, connection) -> None:
        head = read_message(stream)
        method, target = head.split(b" ", 2)[:2]
        is_tunnel = method == b"CONNECT"
        asked = target.decode() if is_tunnel else urlsplit(target.decode()).netloc
        self.asked.append(asked)
        self.heads.append(head)
        if status := self._refusal(head):
            connection.sendall(f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n".encode())
            return
        host, _, port = self._names.get(asked, asked).partition(":")
        with socket.create_connection((host, int(port or 80)), timeout=5) as upstream:
            if is_tunnel:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
                back.start()
                _copy(connection, upstream)
                back.join(5)
            else:
                parts = urlsplit(target)
                path = parts.path + (b"?" + parts.query if parts.query else b"")
                upstream.sendall(head.replace(target, path, 1))
                with upstream.makefile("rb") as answers:
                    connection.sendall(read_message(answers))

    def _refusal(self, head: bytes) -> int:
        if self._refuses:
            return self._refuses
        return 407 if self._told not in head else 0
