"""
Where the demo's answers go: a host with TLS, as CloudFormation's is, that counts and hands on.

One for each library. The functions tell it what they were sent, and ask it who has to die.
"""

import json
import ssl
import sys
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

QUIET = 60  # seconds for the last copies to end; a takeover after a crash takes ten to forty


class Authority:
    """The authority that vouches for response hosts.

    Args:
        folder: Where its certificate lies, for those who are to trust it.

    Attributes:
        certificate: That file: what SSL_CERT_FILE is set to.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.context)


class ResponseHost:
    """The host for one library, from `with` to its end.

    Args:
        authority: Vouches for it.
        dies: Says of an event whether its function is killed, once, when it has made a group.

    Attributes:
        aws: Where answers are handed on to; set before the first.
        events: What CloudFormation sent, by RequestId, in its order.
        answers: The bodies that were PUT for each RequestId.
        deliveries: How often the function was started, by RequestId.
        ended: How often it came to an end of its own, by RequestId.
    """

    def __init__(self, authority: Authority, dies: Callable[[dict[str, Any]], bool]) -> None:
        self._dies, self._killed = dies, set[str]()
        self._copies = Counter[str]()
        self._lock = threading.Lock()
        self.aws = ""
        self.events: dict[str, dict[str, Any]] = {}
        self.answers = defaultdict[str, list[bytes]](list)
        self.deliveries, self.ended = Counter[str](), Counter[str]()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        # Each connection shakes hands in its own thread, when it is first read.
        self._server.socket = authority.context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"https://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def conflicting(self) -> list[str]:
        """The RequestIds that were answered in more than one way."""
        return [request for request, bodies in self.answers.items() if len(set(bodies)) > 1]

    def expect_again(self, event: dict[str, Any]) -> None:
        """One more copy of an event is on its way."""
        with self._lock:
            self._copies[event["RequestId"]] += 1

    def wait_until_quiet(self) -> list[str]:
        """Wait until each copy has come to its end; return the RequestIds of those that do not."""
        over = time.monotonic() + QUIET
        while True:
            with self._lock:
                open_ones = list((self._copies - self.ended).elements())
            if not open_ones or time.monotonic() > over:
                return open_ones
            time.sleep(0.1)

    def answered(self, path: str, body: bytes) -> None:
        """Count an answer, and hand it on.

        Raises:
            OSError: CloudFormation cannot be reached.
        """
        with self._lock:
            self.answers[json.loads(body)["RequestId"]].append(body)
        asked = urllib.request.Request(self.aws + path, body, method="PUT")
        with urllib.request.urlopen(asked) as answer:
            answer.read()

    def told(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """Take note of what a function says."""
        with self._lock:
            match path:
                case "/events":
                    event = said["event"]
                    self.events[event["RequestId"]] = event
                    self._copies[event["RequestId"]] += said["copies"]
                case "/started":
                    self.deliveries[said["request_id"]] += 1
                case "/ended":
                    self.ended[said["request_id"]] += 1
                case "/sent":
                    return {"dies": self._is_to_die(said["request_id"])}
                case _:
                    raise ValueError(path)
        return {}

    def _is_to_die(self, request_id: str) -> bool:
        if request_id in self._killed or not self._dies(self.events[request_id]):
            return False
        self._killed.add(request_id)
        return True


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # by default 5 may wait, and who comes then tries again after seconds

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed before it heard; of all else, what is usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler_of(host: ResponseHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection, for one request."""

        disable_nagle_algorithm = True
        wbufsize = 65536
        timeout = 30

        def do_PUT(self) -> None:
            try:
                host.answered(self.path, self._body())
            except OSError:
                self._send(b"", status=503)
            else:
                self._send(b"")  # as S3, which takes the last answer as it took the first

        def do_POST(self) -> None:
            self._send(json.dumps(host.told(self.path, json.loads(self._body()))).encode())

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["content-length"]))

        def _send(self, body: bytes, *, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Say nothing: what is counted is told at the end."""

    return Handler
