"""What is outside a function: an API that makes things, CloudFormation's bucket, and its requests.

Both servers run in this process, on 127.0.0.1, and count; the functions that call them run in
others, so that killing one loses nothing of what is counted here.
"""

import itertools
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

Accident = Callable[[], object]
"""Something that happens in the midst of a request: a process is killed, or frozen."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: "_Server"

    def answer(self, status: int, document: Any = None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    world: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a killed process hangs up
            super().handle_error(request, client_address)


class _Serving:
    """Something with a server, from the beginning of a `with` block to its end."""

    handler: type[_Handler]

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), self.handler)
        self._server.world = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.lock = threading.Lock()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _ApiHandler(_Handler):
    """POST /groups makes one more each time; GET /groups?tag=; GET, PUT, DELETE /groups/ID."""

    def do_POST(self) -> None:
        api: Api = self.server.world
        asked, key = json.loads(self.body()), self.headers.get("Idempotency-Key")
        if api.happens("before create"):  # it never came here
            self.close_connection = True
            return
        group = api.create(asked, key)
        api.happens("after create")
        time.sleep(api.delay)
        self.answer(201, group)

    def do_GET(self) -> None:
        api: Api = self.server.world
        parts = urlsplit(self.path)
        tag = parse_qs(parts.query).get("tag", [None])[0]
        with api.lock:
            groups = {key: {**one, "ready": api.ready} for key, one in api.groups.items()}
        if parts.path == "/groups":
            self.answer(200, [one for one in groups.values() if tag in (None, one["tag"])])
            return
        group = groups.get(parts.path.removeprefix("/groups/"))
        self.answer(200 if group else 404, group)

    def do_PUT(self) -> None:
        api: Api = self.server.world
        asked = json.loads(self.body())
        with api.lock:
            api.changes += 1
            group = api.groups.get(self.path.removeprefix("/groups/"), {})
            group.update(asked)
        api.happens("after change")
        self.answer(200 if group else 404, group)

    def do_DELETE(self) -> None:
        api: Api = self.server.world
        with api.lock:
            api.deletes += 1
            group = api.groups.pop(self.path.removeprefix("/groups/"), None)
        self.answer(204 if group else 404)


class Api(_Serving):
    """An API as most are: each POST makes one more thing.

    Args:
        honours: It remembers `Idempotency-Key`s, and makes nothing for one that it knows.
        delay: Seconds that it takes to answer a POST, after it has acted.

    Attributes:
        creates: How many things it has ever made.
        changes: How often it was asked to change one.
        deletes: How often it was asked to remove one.
        groups: What there is now.
        ready: Whether a group is said to be ready.
        accidents: What happens once, "before create", "after create" or
            "after change".
    """

    handler = _ApiHandler

    def __init__(self, *, honours: bool = False, delay: float = 0.0) -> None:
        super().__init__()
        self.delay, self._honours = delay, honours
        self.creates = self.changes = self.deletes = 0
        self.groups: dict[str, dict[str, Any]] = {}
        self.ready = True
        self.accidents: dict[str, Accident] = {}
        self._keys: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def create(self, asked: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        with self.lock:
            if self._honours and key in self._keys:
                return self._keys[key]
            self.creates += 1
            group = {"id": f"group-{self.creates}", "name": asked["name"], "tag": asked.get("tag")}
            self.groups[group["id"]] = group
            if key is not None:
                self._keys[key] = group
            return group

    def happens(self, moment: str) -> bool:
        accident = self.accidents.pop(moment, None)
        if accident is not None:
            accident()
        return accident is not None


class _BucketHandler(_Handler):
    def do_PUT(self) -> None:
        bucket: Bucket = self.server.world
        body = self.body()
        if (accident := bucket.accidents.pop("before put", None)) is not None:
            accident()
            self.close_connection = True
            return
        with bucket.lock:
            bucket.puts.append((self.path, body))
        self.answer(200)


class Bucket(_Serving):
    """Where answers go.

    Args:
        tls: Serves HTTPS with this context.

    Attributes:
        puts: Every answer, in order: path and body.
        accidents: What happens once, "before put"; the answer is lost then.
    """

    handler = _BucketHandler

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.puts: list[tuple[str, bytes]] = []
        self.accidents: dict[str, Accident] = {}

    def url_for(self, *parts: str, signed_at: float) -> str:
        """Return a ResponseURL; its date orders a resource's requests."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(signed_at))
        key = quote("|".join(parts))
        query = f"X-Amz-Date={date}&X-Amz-Expires=7200&X-Amz-Signature=0"
        return f"{self._scheme}://{self.host}/{key}?{query}"

    def answers_to(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return all that was ever answered to a request, in order."""
        return [json.loads(body) for body in self.bodies_for(event)]

    def bodies_for(self, event: Mapping[str, Any]) -> list[bytes]:
        """Return all that was ever answered to a request, in order, as it came."""
        parts = urlsplit(event["ResponseURL"])
        path = f"{parts.path}?{parts.query}"
        with self.lock:
            return [body for put, body in self.puts if put == path]


class Stack:
    """CloudFormation, as far as the requests of one resource go.

    Args:
        bucket: Where it wants answers.
        signed_at: When it signed the first URL; each later one was signed a second later.
        resource_type: The type in the template.
    """

    def __init__(self, bucket: Bucket, signed_at: float, resource_type: str) -> None:
        self._bucket, self._type = bucket, resource_type
        self._dates = itertools.count(int(signed_at))
        self._stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/shop/{uuid4()}"

    def create(self, **properties: str) -> dict[str, Any]:
        """Return a Create."""
        return self._event("Create", properties)

    def delete(self, physical_resource_id: str, **properties: str) -> dict[str, Any]:
        """Return a Delete of what CloudFormation knows under this id."""
        return self._event("Delete", properties) | {"PhysicalResourceId": physical_resource_id}

    def delete_after(self, create: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Delete that follows a Create: with the answered id, or one made up."""
        answered = [one.get("PhysicalResourceId") for one in self._bucket.answers_to(create)]
        # Source: CloudFormation makes up <stack>-<logical id>-<random> when it was told of none.
        known = next((one for one in answered if one), "shop-Group-1A2B3C4D5E6F7")
        properties = dict(create["ResourceProperties"])
        del properties["ServiceToken"]
        return self.delete(known, **properties)

    def _event(self, request_type: str, properties: Mapping[str, str]) -> dict[str, Any]:
        token = "arn:aws:lambda:us-east-1:123456789012:function:provider"
        request_id = str(uuid4())
        return {
            "RequestType": request_type,
            "ServiceToken": token,
            "ResponseURL": self._bucket.url_for(
                self._stack_id, "Group", request_id, signed_at=next(self._dates)
            ),
            "StackId": self._stack_id,
            "RequestId": request_id,
            "LogicalResourceId": "Group",
            "ResourceType": self._type,
            "ResourceProperties": {"ServiceToken": token, **properties},
        }
