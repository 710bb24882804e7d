"""
A host for answers that misbehaves as it is told: over real sockets, on 127.0.0.1.

    with ResponseHost(Status(503), RESET, Status(200)) as host:     # the last one for ever
        put to host.url("/key?signature=...")
        host.received          # every request that came in whole, whatever became of it
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

PATIENCE = 5  # seconds
TICK = 0.02  # seconds between two looks at whether the host is closed


@dataclass(frozen=True)
class Received:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return every value of a header; an empty one is "", an absent one is missing."""
        return [value for one, value in self.headers if one.lower() == name]


@dataclass(frozen=True)
class Status:
    """Answer with a status; `after` seconds, and with what a redirect points to."""

    code: int
    after: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None  # more than is sent: the body never ends

    def __call__(self, connection: Any, closed: threading.Event) -> None:
        closed.wait(self.after)
        length = len(self.body) if self.length is None else self.length
        headers = {"content-length": str(length), "connection": "close", **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"HTTP/1.1 {self.code} Told\r\n{lines}\r\n".encode() + self.body)
        if self.length is not None:
            closed.wait(PATIENCE)


def RESET(connection: Any, closed: threading.Event) -> None:
    """Break the connection off, as a load balancer that loses its target does."""
    del closed
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def SILENCE(connection: Any, closed: threading.Event) -> None:
    """Take the request and never answer; a client without a timeout is let go, to fail."""
    del connection
    closed.wait(PATIENCE)


Behaviour = Callable[[Any, threading.Event], None]


class ResponseHost:
    """Behaves in the given ways, one a request, the last one for ever.

    Args:
        behaviours: What is done once a request is there; 200 unless given.
        tls: Serve https with this context.

    Attributes:
        received: The requests, in order.
        watch: Is called with each request before it is answered.
    """

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviours = list(behaviours or [Status(200)])
        self.received: list[Received] = []
        self.watch: Callable[[Received], None] = lambda _: None
        self._tls, self._closed, self._threads = tls, threading.Event(), []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(TICK)
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def url(self, target: str) -> str:
        """Return the URL of something on this host."""
        return f"{'https' if self._tls else 'http'}://{self.name}{target}"

    def heal(self) -> None:
        """Answer 200 from now on."""
        self.behaviours[:] = [Status(200)]

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        # A client that gives up, or trusts nobody, is no error of ours.
        with contextlib.suppress(OSError), contextlib.closing(connection):
            spoken = (
                self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            )
            with contextlib.closing(spoken):
                request = _read(spoken)
                with self._lock:
                    self.received.append(request)
                    more = len(self.behaviours) > 1
                    behave = self.behaviours.pop(0) if more else self.behaviours[0]
                self.watch(request)
                behave(spoken, self._closed)


def _read(connection: Any) -> Received:
    with connection.makefile("rb") as stream:
        method, target, _ = stream.readline().decode("ascii").split(" ", 2)
        headers = []
        while line := stream.readline().decode("latin-1").strip("\r\n"):
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        length = next(
            (int(value) for name, value in headers if name.lower() == "content-length"), 0
        )
        return Received(method, target, tuple(headers), stream.read(length))
