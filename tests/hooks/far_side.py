"""
A far side: a real HTTP server that acts, counts, and fails as it is told.

    with FarSide() as api:
        api.then(lost())               # it acts, and its answer is lost
        api.then(answer(429))          # then it is busy once; afterwards all goes well
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Plan:
    """What becomes of one request; without a status, the connection is reset."""

    status: int | None = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    acts: bool = True


def answer(status=200, body=None, *, acts=None, **headers):
    """Answer; what is no success has not acted, unless the test says so."""
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Plan(status, data, named, status < 300 if acts is None else acts)


def lost():
    """Act, and close the connection in place of an answer."""
    return Plan(None, acts=True)


def refused():
    """Close the connection before anything is done."""
    return Plan(None, acts=False)


class FarSide:
    """The server.

    Args:
        usual: What becomes of a request that no test planned for.
        honours: It answers a repeated `Idempotency-Key` as before, and does nothing.
        port: Where it listens; a free port unless given.
        listening: It listens at once; else when it is told to.

    Attributes:
        url: Where it is.
        seen: Every request, in order.
        acted: Those that had an effect.
    """

    def __init__(
        self,
        usual: Callable[[Seen], Plan] | None = None,
        *,
        honours: bool = False,
        port: int = 0,
        listening: bool = True,
    ) -> None:
        self.seen: list[Seen] = []
        self.acted: list[Seen] = []
        self._plans: list[Plan] = []
        self._honours, self._made = honours, dict[str, Plan]()
        self._usual = usual or (lambda seen: answer(body={"id": f"thing-{len(self.acted)}"}))
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return lambda: far_side._take(self)
                raise AttributeError(name)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = port
        if listening:
            self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Take requests from now on."""
        if not self._thread.is_alive():
            self._server.server_bind()
            self._server.server_activate()
            self.port = self._server.server_address[1]
            self._thread.start()

    def then(self, *plans: Plan) -> None:
        """Do this with the next requests, one after the other; afterwards the usual."""
        self._plans += plans

    def methods(self) -> list[str]:
        return [one.method for one in self.seen]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _act(self, seen: Seen, plan: Plan | None) -> Plan:
        if plan is not None and not plan.acts:
            return plan
        key = seen.headers.get("idempotency-key", "")
        if self._honours and key in self._made:
            return plan or self._made[key]
        self.acted.append(seen)
        self._made[key] = self._usual(seen)
        return plan or self._made[key]

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        seen = Seen(
            handler.command,
            handler.path,
            {name.lower(): value for name, value in handler.headers.items()},
            handler.rfile.read(length),
        )
        self.seen.append(seen)
        plan = self._act(seen, self._plans.pop(0) if self._plans else None)
        if plan.status is None:
            reset = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            handler.connection.close()
            handler.close_connection = True
            return
        handler.send_response(plan.status)
        for name, value in {"content-type": "application/json", **plan.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(plan.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(plan.body)
