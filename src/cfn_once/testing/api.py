"""
A far side to write tests against: an API whose objects are made, changed and removed.

    create ──► a known token? ──► the same answer again │ 422, where it asks for something else
       └─ in `fail`? before acting: an error, nothing made │ after acting: made, and an error
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from .._cloudformation.request import Json
from .clock import VirtualClock

OPERATIONS = ("create", "find", "get", "update", "delete")


class ApiError(Exception):
    """The far side refuses, or fails.

    Attributes:
        status: As over HTTP.
        response: Where cfn-once looks for the status of an error, as in `requests`' own.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.response = status, SimpleNamespace(status_code=status)


class ApiCall(NamedTuple):
    """One call that the far side was asked for."""

    operation: str
    id: str | None
    properties: Mapping[str, Json]
    token: str | None = None


class _Failure(NamedTuple):
    operation: str | None
    status: int
    after: bool


class _Kept(NamedTuple):
    """What is remembered of a token."""

    id: str
    properties: Mapping[str, Json]
    until: float


class FakeApi:
    """The API that a hook calls: over HTTP at `url`, or by the methods, for a plain step.

    Args:
        tokens: An `Idempotency-Key`, or `token=`, makes a creation happen once.
        window: Seconds after which a token is forgotten; None for never.
        clock: By which the window is measured; `assert_safe` puts its own here.

    Attributes:
        url: Where it listens on 127.0.0.1, from the first use on. `POST /groups` of a JSON map
            makes an object, whatever the collection is called; `GET /groups?name=value` lists,
            and `GET`, `PUT`, `PATCH` and `DELETE` are for `/groups/ID`.
        objects: What lives, by id.
        created: The ids that were ever made.
        calls: All that was asked for, in order, as `ApiCall`s.
        listeners: Are told of each call before it acts, in the thread that serves it.
    """

    def __init__(
        self,
        *,
        tokens: bool = True,
        window: float | None = None,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.objects: dict[str, dict[str, Json]] = {}
        self.created: list[str] = []
        self.calls: list[ApiCall] = []
        self.listeners: list[Callable[[ApiCall], None]] = []
        self._tokens = tokens
        self._window = float("inf") if window is None else window
        self._kept: dict[str, _Kept] = {}
        self._failures: list[_Failure] = []
        self._lock = threading.RLock()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        if self._server is None:
            self._server = _Server(self)
        return self._server.url

    def close(self) -> None:
        """Stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def reset(self) -> None:
        """Forget all that was made, asked for, and told by `fail`; go on listening."""
        with self._lock:
            for one in (self.objects, self.created, self.calls, self._kept, self._failures):
                one.clear()

    def fail(
        self,
        operation: str | None = None,
        *,
        after: bool = False,
        times: int = 1,
        status: int = 503,
    ) -> None:
        """Let the next calls fail.

        Args:
            operation: create, find, get, update or delete; any, unless given.
            after: It acts, and only then fails: its answer is lost.
            times: So many calls.
            status: Of the error; below 500 it says for certain that nothing was done.
        """
        if operation not in (None, *OPERATIONS):
            raise ValueError(f"no operation {operation!r}: there are {', '.join(OPERATIONS)}")
        self._failures += [_Failure(operation, status, after)] * times

    def create(self, properties: Mapping[str, Json], *, token: str | None = None) -> str:
        """Make an object, and return its id; under a known token, return the one it made.

        Raises:
            ApiError: 422, if the token made something else.
        """
        asked = deepcopy(dict(properties))
        with self._doing(ApiCall("create", None, asked, token)):
            kept = self._remembered(token)
            if kept is None:
                made = f"obj-{len(self.created) + 1}"
                self.created.append(made)
                self.objects[made] = deepcopy(asked)
                if token is not None and self._tokens:
                    self._kept[token] = _Kept(made, asked, self.clock.now() + self._window)
                return made
            if kept.properties != asked:
                raise ApiError(422, f"this token made {kept.id}, of other properties")
            return kept.id

    def find(self, **wanted: Json) -> str | None:
        """Return the id of the first object with these properties, or None."""
        with self._doing(ApiCall("find", None, wanted)):
            return next((one for one, _ in self._matching(wanted)), None)

    def get(self, id: str) -> dict[str, Json]:  # noqa: A002 - what it is
        """Return an object's properties.

        Raises:
            ApiError: 404, if it is not there.
        """
        with self._doing(ApiCall("get", id, {})):
            return deepcopy(self._held(id))

    def update(self, id: str, properties: Mapping[str, Json]) -> None:  # noqa: A002 - what it is
        """Change an object's properties; those that are not named stay.

        Raises:
            ApiError: 404, if it is not there.
        """
        asked = deepcopy(dict(properties))
        with self._doing(ApiCall("update", id, asked)):
            self._held(id).update(asked)

    def delete(self, id: str) -> bool:  # noqa: A002 - what it is
        """Remove an object; return False where it is gone already, which over HTTP is 404."""
        with self._doing(ApiCall("delete", id, {})):
            return self.objects.pop(id, None) is not None

    def search(self, **wanted: Json) -> list[dict[str, Json]]:
        """Return the objects with these properties, each with its id."""
        with self._doing(ApiCall("find", None, wanted)):
            return [{"id": one, **deepcopy(held)} for one, held in self._matching(wanted)]

    @contextmanager
    def _doing(self, call: ApiCall) -> Iterator[None]:
        """Tell of a call, and fail before or after it where that was asked for."""
        for listener in self.listeners:
            listener(call)
        with self._lock:
            self.calls.append(call)
            failure = self._next_failure(call.operation)
            if failure is not None and not failure.after:
                raise ApiError(failure.status, "nothing was done")
            yield
        if failure is not None:
            raise ApiError(failure.status, "it was done, and the answer is lost")

    def _next_failure(self, operation: str) -> _Failure | None:
        for one in self._failures:
            if one.operation in (None, operation):
                self._failures.remove(one)
                return one
        return None

    def _remembered(self, token: str | None) -> _Kept | None:
        kept = self._kept.get(token or "")
        return None if kept is None or kept.until < self.clock.now() else kept

    def _matching(self, wanted: Mapping[str, Json]) -> list[tuple[str, dict[str, Json]]]:
        return [
            (one, held)
            for one, held in self.objects.items()
            if all(name in held and str(held[name]) == str(v) for name, v in wanted.items())
        ]

    def _held(self, id: str) -> dict[str, Json]:  # noqa: A002 - what it is
        if id not in self.objects:
            raise ApiError(404, f"there is no {id}")
        return self.objects[id]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: FakeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api, self.url = api, f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            status, told = self._act(body)
        except ApiError as error:
            status, told = error.status, {"message": str(error)}
        text = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the library's names

    def _act(self, body: bytes) -> tuple[int, Json]:
        api, parts = self.server.api, urlsplit(self.path)
        names = [name for name in parts.path.split("/") if name]
        one = names[-1] if names and len(names) % 2 == 0 else None
        match self.command, one:
            case "POST", None:
                asked = _map(body)
                made = api.create(asked, token=self.headers.get("idempotency-key"))
                return 201, {"id": made, **asked}
            case "GET", None:
                return 200, api.search(**dict(parse_qsl(parts.query)))
            case "GET", str():
                return 200, {"id": one, **api.get(one)}
            case (("PUT" | "PATCH"), str()):
                asked = _map(body)
                api.update(one, asked)
                return 200, {"id": one, **asked}
            case "DELETE", str():
                if not api.delete(one):
                    raise ApiError(404, f"there is no {one}")
                return 204, None
            case _:
                raise ApiError(405, f"{self.command} {parts.path}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Print nothing."""


def _map(body: bytes) -> dict[str, Json]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise ApiError(400, "the body must be a JSON map")
    return asked
