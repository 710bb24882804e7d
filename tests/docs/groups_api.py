"""
The far side of the pages: an HTTP API of groups that knows no idempotency key.

    POST /groups          makes a group, however often it is asked
    GET /groups           tells of all
    PUT, DELETE /groups/ID
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class GroupsApi:
    """A server on a free port of this machine, from `with` to its end.

    Attributes:
        made: Every group that was ever made, by id.
        groups: Those that are there.
        to_lose: How many of the next answers are lost after it has acted.
    """

    def __init__(self) -> None:
        self.made, self.groups, self.to_lose = {}, {}, 0
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def acted(self, method, place, asked):
        """Return the status and the body of an answer."""
        if method == "GET":
            return 200, list(self.groups.values())
        if method == "POST":
            group = {**asked, "id": f"g-{len(self.made) + 1}"}
            self.made[group["id"]] = self.groups[group["id"]] = group
            return 201, group
        if place not in self.groups:
            return 404, {"message": "no such group"}
        if method == "DELETE":
            return 200, self.groups.pop(place)
        self.groups[place].update(asked)
        return 200, self.groups[place]


class _Handler(BaseHTTPRequestHandler):
    api: GroupsApi
    disable_nagle_algorithm = True

    def answer(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        status, told = self.api.acted(self.command, self.path.rpartition("/")[2], asked)
        if self.api.to_lose:
            self.api.to_lose -= 1
            return  # the connection ends without an answer
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass
