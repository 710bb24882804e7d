"""
A server that behaves as it is told: over real sockets, on 127.0.0.1.

    with Host(Status(503), RESET, Status(200)) as host:     # the last one for ever
        put to host.url + "/key?signature=..."
        host.received          # every request that came in whole, whatever became of it

A behaviour is a reply, or a function of the request that returns one.
"""

import contextlib
import http.client
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any, Self

PATIENCE = 5  # seconds
TICK = 0.02  # seconds between two looks at whether the host is closed


@dataclass(frozen=True)
class Received:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reply:
    """What becomes of a request; it is the behaviour that replies so to all."""

    def __call__(self, request: Received) -> Self:
        return self

    def send(self, connection: Any, closed: threading.Event) -> None:
        """Reply on a connection, which is closed afterwards."""


@dataclass(frozen=True)
class Status(Reply):
    """Answer with a status; `after` seconds, and with what a redirect points to."""

    code: int
    after: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None  # more than is sent: the body never ends

    def send(self, connection: Any, closed: threading.Event) -> None:
        closed.wait(self.after)
        length = len(self.body) if self.length is None else self.length
        headers = {"content-length": str(length), "connection": "close", **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        first = f"HTTP/1.1 {self.code} {HTTPStatus(self.code).phrase}\r\n"
        connection.sendall(f"{first}{lines}\r\n".encode() + self.body)
        if self.length is not None:
            closed.wait(PATIENCE)


@dataclass(frozen=True)
class Dripping(Reply):
    """Send a text again and again, byte after byte, and never come to an end."""

    first: bytes
    again: bytes
    pause: float

    def send(self, connection: Any, closed: threading.Event) -> None:
        connection.sendall(self.first)
        until = time.monotonic() + PATIENCE
        for number in itertools.count():
            if closed.wait(self.pause) or time.monotonic() > until:
                return
            at = number % len(self.again)
            connection.sendall(self.again[at : at + 1])


class _HangUp(Reply):
    """Close the connection, as a process that ends does."""

    def __repr__(self) -> str:
        return "HANG_UP"


class _Reset(Reply):
    """Break the connection off, as a load balancer that loses its target does."""

    def __repr__(self) -> str:
        return "RESET"

    def send(self, connection: Any, closed: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Silence(Reply):
    """Never answer; a client without a timeout is let go, to fail."""

    def __repr__(self) -> str:
        return "SILENCE"

    def send(self, connection: Any, closed: threading.Event) -> None:
        closed.wait(PATIENCE)


HANG_UP, RESET, SILENCE = _HangUp(), _Reset(), _Silence()

Behaviour = Callable[[Received], Reply]


class Host:
    """Behaves in the given ways, one a request, the last one for ever.

    Before its `with` begins it has its address, and refuses connections.

    Args:
        behaviours: What is done once a request is there; 200 unless given.
        tls: Serve https with this context.
        reachable: Not before `open`: packets to it are lost, as in a VPC without a way to it.

    Attributes:
        name: Its address and port; `url` is where it is.
        received: The requests, in order.
        watch: Is called with each request before it is answered.
    """

    def __init__(
        self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None, reachable: bool = True
    ) -> None:
        self.behaviours: list[Behaviour] = list(behaviours or [Status(200)])
        self.received: list[Received] = []
        self.watch: Callable[[Received], object] = lambda _: None
        self._tls, self._closed = tls, threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock, self._reachable = threading.Lock(), threading.Event()
        if reachable:
            self.open()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(TICK)
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._socket.listen()
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.name}"

    def heal(self) -> None:
        """Answer 200 from now on."""
        self.behaviours[:] = [Status(200)]

    def open(self) -> None:
        """Let everybody in."""
        self._reachable.set()

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        if not self._reachable.is_set():
            with _lost_packets(self._socket):
                while not (self._reachable.wait(TICK) or self._closed.is_set()):
                    pass
            self._socket.accept()[0].close()  # the one that kept the others out
            self._socket.listen()
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        # A client that gives up, is killed, or trusts nobody, is no error of ours.
        with contextlib.suppress(OSError), contextlib.closing(connection):
            spoken = (
                self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            )
            with contextlib.closing(spoken):
                request = _read(spoken)
                if request is not None:
                    self._reply_to(request).send(spoken, self._closed)

    def _reply_to(self, request: Received) -> Reply:
        with self._lock:
            self.received.append(request)
            more = len(self.behaviours) > 1
            behave = self.behaviours.pop(0) if more else self.behaviours[0]
        self.watch(request)
        return behave(request)


@contextlib.contextmanager
def nowhere() -> Iterator[str]:
    """An address that swallows packets: connecting to it takes until one gives up."""
    with socket.create_server(("127.0.0.1", 0)) as server, _lost_packets(server):
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def _lost_packets(server: socket.socket) -> Iterator[None]:
    """Take one connection into the queue of none: of all others the kernel drops the packets."""
    server.listen(0)
    with socket.create_connection(server.getsockname()):
        yield


def _read(connection: Any) -> Received | None:
    """Return a request; None where the client hung up before its end."""
    with connection.makefile("rb") as stream:
        first = stream.readline().decode("ascii").split(" ", 2)
        headers = http.client.parse_headers(stream)
        if headers.get("expect") == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", 0))
        body = stream.read(length)
    if len(first) < 3 or len(body) < length:
        return None
    return Received(first[0], first[1], headers, body)
