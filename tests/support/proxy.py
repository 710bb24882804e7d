"""
A TCP proxy on this machine that drops, delays and cuts, as a network does.

    with Proxy(("127.0.0.1", 8000), faults=lambda: Fault(cut_answer=True)) as proxy:
        ...  # proxy.port leads to 8000

Run as a program it listens on a Unix socket and leads to a TCP port: the way out of a network
namespace of its own.
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
from types import TracebackType
from typing import Self

Address = tuple[str, int] | str
"""Where a connection leads: a host and port, or the path of a Unix socket."""


@dataclass(frozen=True)
class Fault:
    """What happens to one connection.

    Attributes:
        refuse: It is closed before anything is passed on.
        delay: Seconds that each piece waits on its way there.
        cut_answer: What is asked arrives; the answer never does.
    """

    refuse: bool = False
    delay: float = 0.0
    cut_answer: bool = False


def _none() -> Fault:
    return Fault()


class Proxy:
    """One way to an upstream, from `with` to its end.

    Args:
        upstream: Where it leads.
        faults: Says for each connection what happens to it.
        listen: A Unix socket's path to listen on, in place of a free port on 127.0.0.1.
    """

    def __init__(
        self,
        upstream: Address,
        *,
        faults: Callable[[], Fault] = _none,
        listen: str | None = None,
    ) -> None:
        proxy = self
        self._upstream, self.faults = upstream, faults

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy._pass_on(self.request)

        base = socketserver.ThreadingTCPServer
        if listen is not None:
            base = socketserver.ThreadingUnixStreamServer

        class Server(base):  # type: ignore[misc, valid-type]
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self._server = Server(listen or ("127.0.0.1", 0), Handler)
        self.port = 0 if listen else int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until it is ended."""
        self._server.serve_forever(poll_interval=0.05)

    def _pass_on(self, there: socket.socket) -> None:
        fault = self.faults()
        if fault.refuse:
            return
        kind = socket.AF_UNIX if isinstance(self._upstream, str) else socket.AF_INET
        with socket.socket(kind) as upstream, contextlib.suppress(OSError):
            upstream.connect(self._upstream)
            if kind == socket.AF_INET:
                upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_copy, args=(upstream, there, fault, True), daemon=True)
            back.start()
            _copy(there, upstream, fault, False)
            back.join(timeout=120)


def _copy(source: socket.socket, target: socket.socket, fault: Fault, is_answer: bool) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if fault.delay and not is_answer:
                time.sleep(fault.delay)
            if fault.cut_answer and is_answer:
                break
            target.sendall(data)
    for one in (source, target) if fault.cut_answer else (target,):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR if fault.cut_answer else socket.SHUT_WR)


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
    Proxy(("127.0.0.1", port), listen=path).serve()
