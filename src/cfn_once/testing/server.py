"""HTTP on a port of this machine, from now on until it is closed."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any


class LocalServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1, on a free port unless one is given; its handlers serve `what`.

    A thread that has answered takes the next connection: to start one takes longer than to answer.
    """

    def __init__(self, handler: type["LocalHandler"], what: Any, port: int = 0) -> None:
        self._connections: SimpleQueue[tuple[Any, Any] | None] = SimpleQueue()
        self._idle, self._threads_begun = threading.Semaphore(0), 0
        super().__init__(("127.0.0.1", port), handler)
        self.what, self.url = what, f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Leave a connection to a thread that is idle, or begin another one."""
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, daemon=True).start()
            self._threads_begun += 1
        # Only now: a connection that no thread can be begun for is closed, and nobody counts on it.
        self._connections.put((request, client_address))

    def _work(self) -> None:
        while (connection := self._connections.get()) is not None:
            self.process_request_thread(*connection)
            self._idle.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up: it timed out, or was killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
        for _ in range(self._threads_begun):
            self._connections.put(None)


class LocalHandler(BaseHTTPRequestHandler):
    """Reads whole requests, and answers them in one piece."""

    server: LocalServer
    disable_nagle_algorithm = True
    wbufsize = -1  # one piece for the socket, too

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def reply(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Print nothing: the line would hold the URL, which may be a secret."""
