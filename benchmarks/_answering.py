"""A DynamoDB that gives one answer to all: in a process of its own, whose time is its own.

stdin     the body of the answer, and the end
stdout    one line: the port
"""

import socket
import sys
import threading
from typing import BinaryIO
from zlib import crc32


def main() -> None:
    """Answer until it is killed."""
    body = sys.stdin.buffer.read()
    headers = (
        "HTTP/1.1 200 OK",
        "content-type: application/x-amz-json-1.0",
        f"content-length: {len(body)}",
        f"x-amz-crc32: {crc32(body)}",
        "x-amzn-requestid: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF",
        "date: Fri, 27 Nov 2026 10:00:00 GMT",
    )
    answer = "\r\n".join([*headers, "", ""]).encode() + body
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_serve, args=(connection, answer), daemon=True).start()


def _serve(connection: socket.socket, answer: bytes) -> None:
    with connection, connection.makefile("rb") as requests:
        while _is_read(requests):
            connection.sendall(answer)


def _is_read(requests: BinaryIO) -> bool:
    """Read one request; False at the end of all."""
    length, line = 0, requests.readline()
    while line.strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        line = requests.readline()
    requests.read(length)
    return bool(line)


if __name__ == "__main__":
    main()
