"""
Ways to a server on this machine: a tunnel that passes bytes on, and a proxy that does what networks
do to HTTP.

    with Proxy(("127.0.0.1", 8000), watch=lambda request: Fault(cut=True)) as proxy:
        ...  # http://127.0.0.1:{proxy.port} leads there, and no answer comes back
        proxy.down(0.5)  # for half a second, every connection is refused

Run as a program it is a tunnel from a Unix socket to a TCP port: the way out of a network namespace
of its own.
"""

import contextlib
import fcntl
import os
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Self

Address = tuple[str, int] | str
"""Where a connection leads: a host and port, or the path of a Unix socket."""

LONGEST_WAIT = 120.0  # seconds for an answer; whoever asks has given up long before


class Tunnel:
    """Passes bytes on, both ways, from `with` to its end.

    Args:
        upstream: Where it leads.
        listen: A Unix socket's path to listen on, in place of a free port on 127.0.0.1.
    """

    def __init__(self, upstream: Address, *, listen: str | None = None) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                _tunnel(self.request, upstream)

        base = socketserver.ThreadingTCPServer
        if listen is not None:
            base = socketserver.ThreadingUnixStreamServer

        class Server(base):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self._server = Server(listen or ("127.0.0.1", 0), Handler)
        self.port = 0 if listen else int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until it is ended."""
        self._server.serve_forever(poll_interval=0.05)


def _tunnel(there: socket.socket, address: Address) -> None:
    with contextlib.suppress(OSError), _connected(address) as upstream:
        back = threading.Thread(target=_copy, args=(upstream, there), daemon=True)
        back.start()
        _copy(there, upstream)
        back.join(timeout=LONGEST_WAIT)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _connected(address: Address) -> socket.socket:
    if isinstance(address, str):
        upstream = socket.socket(socket.AF_UNIX)
    else:
        upstream = socket.socket(socket.AF_INET)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    upstream.settimeout(LONGEST_WAIT)
    upstream.connect(address)
    return upstream


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to one request.

    Attributes:
        refuse: It is not passed on, and its connection is closed.
        delay: Seconds that it waits on its way there.
        cut: It arrives, and its answer does not: the connection is closed instead.
        before: Is called before it is passed on.
        on_its_way: Is called once it has been passed on.
        after: Is called with the answer, before that is passed back.
    """

    refuse: bool = False
    delay: float = 0.0
    cut: bool = False
    before: Callable[[], None] = _nothing
    on_its_way: Callable[[], None] = _nothing
    after: Callable[[bytes], None] = lambda _: None


class Proxy:
    """A way to an HTTP server, from `with` to its end.

    Args:
        upstream: Where it leads.
        watch: Says for each request, which is there in whole, what happens to it.
    """

    def __init__(self, upstream: Address, *, watch: Callable[[bytes], Fault]) -> None:
        self._upstream, self._watch = upstream, watch
        self._socket, self.port = _reserved()
        self._change = threading.Condition()
        self._idle: set[socket.socket] = set()
        self._down_until, self._closed = 0.0, False

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._closed = True
            self._change.notify_all()
            self._hang_up()
        self._thread.join()
        self._socket.close()

    def down(self, seconds: float) -> None:
        """Refuse every connection for so long, and end those that wait for a request."""
        with self._change:
            self._down_until = time.monotonic() + seconds
            self._hang_up()

    def _hang_up(self) -> None:
        # A socket that is bound and does not listen refuses connections, and keeps its port.
        for open_socket in (self._socket, *self._idle):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while self._listens():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = self._socket.accept()
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _listens(self) -> bool:
        """Listen, as soon as it is not down any more; False once it has ended."""
        with self._change:
            while not self._closed and (left := self._down_until - time.monotonic()) > 0:
                self._change.wait(left)
            if not self._closed:
                self._socket.listen(64)
            return not self._closed

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while request := self._next(connection, stream):
                answer = self._pass_on(request)
                if not answer:
                    break
                connection.sendall(answer)

    def _next(self, connection: socket.socket, stream: IO[bytes]) -> bytes:
        with self._change:
            self._idle.add(connection)
        try:
            return read_message(stream)
        finally:
            with self._change:
                self._idle.discard(connection)

    def _pass_on(self, request: bytes) -> bytes:
        """Return what is to be passed back; empty where that is nothing."""
        fault = self._watch(request)
        fault.before()
        if fault.refuse:
            return b""
        time.sleep(fault.delay)
        with _connected(self._upstream) as upstream, upstream.makefile("rb") as stream:
            upstream.sendall(request)
            fault.on_its_way()
            answer = read_message(stream)
        fault.after(answer)
        return b"" if fault.cut else answer


def read_message(stream: IO[bytes]) -> bytes:
    """Return one HTTP request or response; empty where the other side hung up before its end."""
    head = []
    while (line := stream.readline()).strip():
        head.append(line)
    if not line:
        return b""
    fields = {}
    for field in head[1:]:
        name, _, value = field.partition(b":")
        fields[name.strip().lower()] = value.strip().lower()
    text = b"".join([*head, line])
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return _with_chunks(text, stream)
    if b"content-length" in fields:
        length = int(fields[b"content-length"])
        body = stream.read(length)
        return text + body if len(body) == length else b""
    is_answer = text.startswith(b"HTTP/")
    return text + (stream.read() if is_answer else b"")


def _with_chunks(text: bytes, stream: IO[bytes]) -> bytes:
    while size := stream.readline():
        length = int(size.split(b";")[0], 16)
        text += size + stream.read(length) + stream.readline()
        if length == 0:
            return text
    return b""


def _reserved() -> tuple[socket.socket, int]:
    """Return a socket that keeps its port while it does not listen: it was bound by number."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        ours = socket.socket()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind(("127.0.0.1", port))
        except OSError:  # somebody was faster
            ours.close()
        else:
            return ours, port


def _bring_loopback_up() -> None:
    """Do what `ip link set lo up` does: a new network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS, with the flags IFF_UP and IFF_RUNNING; see netdevice(7)
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


if __name__ == "__main__":
    path, port = sys.argv[1], int(sys.argv[2])
    _bring_loopback_up()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    Tunnel(("127.0.0.1", port), listen=path).serve()
