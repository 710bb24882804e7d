"""
An external API to write tests against: an API whose objects are made, changed and removed.

    create ──► a known token? ──► the same answer again │ 422, where it asks for something else
       └─ in `fail`? before acting: an error, nothing made │ after acting: made, and an error
"""

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from .._cloudformation.canonical import Json
from .clock import VirtualClock
from .server import LocalHandler, LocalServer

OPERATIONS = ("create", "find", "get", "update", "delete")


class ApiError(Exception):
    """The external API refuses, or fails, with a status as over HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.response = SimpleNamespace(status_code=status)  # where cfn-once looks for it


class ApiCall(NamedTuple):
    """One call that the external API was asked for."""

    operation: str
    id: str | None
    properties: Mapping[str, Json]
    token: str | None = None


class _Failure(NamedTuple):
    operation: str | None
    status: int
    after: bool


class FakeApi:
    """The API that a hook calls: over HTTP at `url`, or by the methods, for a plain step.

    Args:
        tokens: An `Idempotency-Key`, or `token=`, makes a creation happen once.
        window: Seconds after which a token is forgotten; None for never.
        clock: By which the window is measured; `assert_safe` puts its own here.
        prefix: What the ids begin with.

    Attributes:
        url: Where it listens on 127.0.0.1, from the first use on. `POST /groups` of a JSON map
            makes an object, whatever the collection is called; `GET /groups?name=value` lists,
            and `GET`, `PUT`, `PATCH` and `DELETE` are for `/groups/ID`.
        objects: What lives, by id.
        created: The ids that were ever made.
        calls: All that was asked for, in order, as `ApiCall`s.
        listeners: Get each call before it acts, in the thread that serves it.
    """

    def __init__(
        self,
        *,
        tokens: bool = True,
        window: float | None = None,
        clock: VirtualClock | None = None,
        prefix: str = "obj",
    ) -> None:
        self.clock = clock or VirtualClock()
        self.objects: dict[str, dict[str, Json]] = {}
        self.created: list[str] = []
        self.calls: list[ApiCall] = []
        self.listeners: list[Callable[[ApiCall], None]] = []
        self._honours_tokens, self._prefix = tokens, prefix
        self._window = math.inf if window is None else window
        self._tokens: dict[str, tuple[str, Mapping[str, Json], float]] = {}  # made, of, until
        self._failures: list[_Failure] = []
        self._lock = threading.RLock()
        self._server: LocalServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        if self._server is None:
            self._server = LocalServer(_ApiHandler, self)
        return self._server.url

    def close(self) -> None:
        """Stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def reset(self) -> None:
        """Forget all that was made, asked for, and set by `fail`; go on listening."""
        with self._lock:
            for memory in (self.objects, self.created, self.calls, self._tokens, self._failures):
                memory.clear()

    def fail(
        self,
        operation: str | None = None,
        *,
        after: bool = False,
        times: int = 1,
        status: int = 503,
    ) -> None:
        """Let the next calls fail: create, find, get, update or delete; any, unless given.

        `after` it has acted, so that its answer is lost, or before; so many `times`; with a
        status that says for certain, below 500, that nothing was done.
        """
        if operation not in (None, *OPERATIONS):
            raise ValueError(f"no operation {operation!r}: there are {', '.join(OPERATIONS)}")
        self._failures += [_Failure(operation, status, after)] * times

    def create(self, properties: Mapping[str, Json], *, token: str | None = None) -> str:
        """Make an object, and return its id; a known token's again, or 422 if that differs."""
        asked = deepcopy(dict(properties))
        with self._doing(ApiCall("create", None, asked, token)):
            made, of, until = self._tokens.get(token or "", ("", asked, -math.inf))
            if until >= self.clock.now():
                if of != asked:
                    raise ApiError(422, f"this token made {made}, of other properties")
                return made
            made = f"{self._prefix}-{len(self.created) + 1}"
            self.created.append(made)
            self.objects[made] = deepcopy(asked)
            if token is not None and self._honours_tokens:
                self._tokens[token] = (made, asked, self.clock.now() + self._window)
            return made

    def find(self, **wanted: Json) -> str | None:
        """Return the id of the first object with these properties, or None."""
        with self._doing(ApiCall("find", None, wanted)):
            return next((name for name, _ in self._matching(wanted)), None)

    def get(self, id: str) -> dict[str, Json]:  # noqa: A002 - what it is
        """Return an object's properties; an error 404, if it is not there."""
        with self._doing(ApiCall("get", id, {})):
            return deepcopy(self._held(id))

    def update(self, id: str, properties: Mapping[str, Json]) -> None:  # noqa: A002 - what it is
        """Change an object's properties; those that are not named stay. 404, as for `get`."""
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
            return [{"id": name, **deepcopy(held)} for name, held in self._matching(wanted)]

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
        for failure in self._failures:
            if failure.operation in (None, operation):
                self._failures.remove(failure)
                return failure
        return None

    def _matching(self, wanted: Mapping[str, Json]) -> list[tuple[str, dict[str, Json]]]:
        def text(properties: Mapping[str, Json]) -> set[tuple[str, str]]:
            return {(name, str(value)) for name, value in properties.items()}

        return [kept for kept in self.objects.items() if text(wanted) <= text(kept[1])]

    def _held(self, id: str) -> dict[str, Json]:  # noqa: A002 - what it is
        if id not in self.objects:
            raise ApiError(404, f"there is no {id}")
        return self.objects[id]


class _ApiHandler(LocalHandler):
    """The API over HTTP: collections, and objects in them."""

    def _answer(self) -> None:
        try:
            status, document = self._act(self.read())
        except ApiError as error:
            status, document = error.status, {"message": str(error)}
        text = b"" if document is None else json.dumps(document).encode()
        self.reply(status, text, "application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the library's names

    def _act(self, body: bytes) -> tuple[int, Json]:
        api: FakeApi = self.server.what
        match self.command, self._object():
            case "POST", None:
                asked = _map(body)
                made = api.create(asked, token=self.headers.get("idempotency-key"))
                return 201, {"id": made, **asked}
            case "GET", None:
                return 200, api.search(**dict(parse_qsl(urlsplit(self.path).query)))
            case "GET", str(object_id):
                return 200, {"id": object_id, **api.get(object_id)}
            case (("PUT" | "PATCH"), str(object_id)):
                asked = _map(body)
                api.update(object_id, asked)
                return 200, {"id": object_id, **asked}
            case "DELETE", str(object_id):
                if not api.delete(object_id):
                    raise ApiError(404, f"there is no {object_id}")
                return 204, None
            case _:
                raise ApiError(405, f"{self.command} {urlsplit(self.path).path}")

    def _object(self) -> str | None:
        """Return the id of the object that the path names, or None where it is a collection."""
        names = [name for name in urlsplit(self.path).path.split("/") if name]
        return names[-1] if names and len(names) % 2 == 0 else None


def _map(body: bytes) -> dict[str, Json]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise ApiError(400, "the body must be a JSON map")
    return asked
