"""
A stand-in for the part of Spot's API that this example uses: a real HTTP server, which counts.

    python spot_api.py --port 0      prints its URL, and serves until SIGTERM or Ctrl-C
    with SpotApi() as spot: ...      the same, inside a test

It is told to go wrong by a method, or over HTTP by a POST of the same words as JSON:

    /_mock/faults   {"method": "POST", "path": "/aws/ec2/group", "when": "after", "drop": true}
    /_mock/honour   {"idempotency_key": true, "window": 60}
    /_mock/reset    {}

and GET /_mock/report says what it was asked and what is left.
"""

import argparse
import copy
import itertools
import json
import re
import signal
import threading
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "an-access-token-of-nobody"
PATH = re.compile(r"(/aws/ec2/group)(?:/([^/]+)(/roll)?)?")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as it came.

    Attributes:
        kind: Method and path, with {id} in place of an id.
        name: The name of the group that it is about, where that is known.
        key: Its Idempotency-Key.
    """

    kind: str
    name: str | None
    key: str | None
    query: dict[str, str]
    body: dict


@dataclass(kw_only=True)
class Fault:
    """What befalls the next requests of one kind.

    Attributes:
        path: As it is asked for, or with {id} in place of an id.
        when: Before or after the request is acted on. A status or a drop before it means that it
            is never acted on.
        delay: Seconds to wait.
        status: Answered in place of the truth.
        drop: The connection is closed without an answer.
        times: How many requests it befalls.
    """

    method: str
    path: str
    when: str = "after"
    delay: float = 0
    status: int | None = None
    drop: bool = False
    times: int = 1

    def __post_init__(self):
        if self.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {self.when}")


class Refused(Exception):
    """The answer is an error."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Dropped(Exception):
    """There is no answer."""


class SpotApi:
    """The server; it serves between `with SpotApi() as spot:` and the end of that block.

    Args:
        port: 0 takes a free one.
        token: The access token that it expects.
        gone: The status that says: there is no such group. Spot's own tools look for 400, too.

    Attributes:
        url: Where it is.
        groups: The groups that exist, by id.
        created: Every group that was ever made, as it was made.
        asked: Every request to Spot's own paths, also those that were refused.
    """

    def __init__(self, port=0, *, token=TOKEN, gone=404):
        self._token, self._gone = token, gone
        self._numbers = itertools.count(1)
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self.reset()
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def calls(self):
        """How often each kind of request came."""
        return Counter(call.kind for call in self.asked)

    def fault(self, **words):
        """Let something go wrong, as Fault says."""
        self._faults.append(Fault(**words))

    def honour(self, *, idempotency_key, window=24 * 3600):
        """Answer a write as before if its Idempotency-Key was seen in the last `window` seconds."""
        self._window = window if idempotency_key else None

    def reset(self):
        """Forget all groups, requests and faults, and honour no key."""
        self.groups, self.created, self.asked = {}, [], []
        self._faults, self._remembered, self._window = [], {}, None

    def report(self):
        """Say what it was asked and what is left."""
        by_name = defaultdict(Counter)
        for call in self.asked:
            if call.name is not None:
                by_name[call.name][call.kind] += 1
        return {
            "calls": self.calls,
            "calls_by_name": by_name,
            "calls_by_key": Counter(call.key for call in self.asked if call.key is not None),
            "groups_created": len(self.created),
            "created_by_name": Counter(made["name"] for made in self.created),
            "groups_left": len(self.groups),
            "left": [{"id": group["id"], "name": group["name"]} for group in self.groups.values()],
        }

    def answer(self, method, target, headers, body):
        """Return the items that a request comes to.

        Raises:
            Refused: It comes to an error.
            Dropped: It comes to nothing that anybody hears of.
        """
        parts = urlsplit(target)
        found = PATH.fullmatch(parts.path)
        if found is None:
            raise Refused(404, "NOT_FOUND", f"there is no {parts.path}")
        group_id = found[2]
        path = found[1] + ("/{id}" if group_id else "") + (found[3] or "")
        key = headers.get("Idempotency-Key")
        with self._lock:
            about = self.groups.get(group_id) or body.get("group") or {}
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            asked = Asked(
                kind=f"{method} {path}", name=about.get("name"), key=key, query=query, body=body
            )
            self.asked.append(asked)
            fault = self._next_fault(method, (parts.path, path))
        self._strike(fault, "before")
        if headers.get("Authorization") != f"Bearer {self._token}":
            raise Refused(401, "UNAUTHORIZED", "the access token is missing or wrong")
        with self._lock:
            made = self._act_once(asked, group_id)
        self._strike(fault, "after")
        return made

    def _next_fault(self, method, paths):
        for fault in self._faults:
            if fault.method == method and fault.path in paths and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _strike(self, fault, when):
        if fault is None or fault.when != when:
            return
        self._stopping.wait(fault.delay)
        if fault.drop:
            raise Dropped
        if fault.status is not None:
            raise Refused(fault.status, "FAULT", "it was told to fail")

    def _act_once(self, asked, group_id):
        if self._window is None or asked.key is None or asked.kind.startswith("GET"):
            return self._act(asked, group_id)
        then, made = self._remembered.get(asked.key, (None, None))
        if then is None or time.monotonic() - then > self._window:
            made = self._act(asked, group_id)
            self._remembered[asked.key] = (time.monotonic(), made)
        return made

    def _act(self, asked, group_id):
        if group_id is not None and group_id not in self.groups:
            raise Refused(self._gone, "GROUP_DOESNT_EXIST", f"there is no group {group_id}")
        match asked.kind:
            case "GET /aws/ec2/group":
                made = list(self.groups.values())
            case "GET /aws/ec2/group/{id}":
                made = [self.groups[group_id]]
            case "POST /aws/ec2/group":
                made = [self._create(asked.body.get("group"))]
            case "PUT /aws/ec2/group/{id}":
                made = [self._update(group_id, asked.body.get("group"))]
            case "PUT /aws/ec2/group/{id}/roll":
                roll = {**asked.body, "id": f"sbgd-{next(self._numbers):08x}", "status": "STARTING"}
                made = [roll]
            case "DELETE /aws/ec2/group/{id}":
                del self.groups[group_id]
                made = []
            case _:
                raise Refused(404, "NOT_FOUND", f"there is no {asked.kind}")
        return copy.deepcopy(made)

    def _create(self, wanted):
        group = {**_checked(wanted), "id": f"sig-{next(self._numbers):08x}"}
        self.groups[group["id"]] = group
        self.created.append(copy.deepcopy(group))
        return group

    def _update(self, group_id, changes):
        if "product" in ((changes or {}).get("compute") or {}):
            raise Refused(400, "CANT_UPDATE_GROUP", "compute.product cannot be changed")
        group = _checked(_merged(self.groups[group_id], changes or {}))
        self.groups[group_id] = group
        return group


def _checked(group):
    """Return a group that can be."""
    if not group or not group.get("name"):
        raise Refused(400, "VALIDATION_ERROR", "group.name is required")
    capacity = group.get("capacity") or {}
    sizes = [capacity.get(name) for name in ("minimum", "target", "maximum")]
    if not all(isinstance(size, int) for size in sizes):
        raise Refused(400, "VALIDATION_ERROR", "capacity takes minimum, target and maximum")
    if sizes != sorted(sizes):
        raise Refused(
            400, "INVALID_CAPACITY", "capacity.minimum <= target <= maximum does not hold"
        )
    return group


def _merged(old, changes):
    """Return what a partial update makes: null takes away, lists are replaced as a whole."""
    merged = copy.deepcopy(old)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _merged(merged[name], value)
        else:
            merged[name] = value
    return merged


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # by default 5 may wait, and whoever comes then waits for a second


def _handler_of(spot):
    class Handler(BaseHTTPRequestHandler):
        """What comes over one connection."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits some 40 ms for the client's ACK
        wbufsize = 65536

        def do_GET(self):
            length = int(self.headers.get("content-length") or 0)
            text = self.rfile.read(length)
            try:
                body = json.loads(text or b"{}")
                if self.path.startswith("/_mock/"):
                    self._send(200, self._admin(body))
                else:
                    made = spot.answer(self.command, self.path, self.headers, body)
                    response = {"kind": "spotinst:aws:ec2:group", "items": made, "count": len(made)}
                    self._send(200, self._envelope(200, response))
            except Dropped:
                self.close_connection = True
            except Refused as refused:
                errors = [{"code": refused.code, "message": refused.message}]
                self._send(refused.status, self._envelope(refused.status, {"errors": errors}))
            except (TypeError, ValueError, AttributeError) as error:
                errors = [{"code": "BAD_REQUEST", "message": f"{type(error).__name__}: {error}"}]
                self._send(400, self._envelope(400, {"errors": errors}))

        do_POST = do_PUT = do_DELETE = do_GET

        def _admin(self, body):
            match f"{self.command} {self.path}":
                case "GET /_mock/report":
                    return spot.report()
                case "POST /_mock/faults":
                    spot.fault(**body)
                case "POST /_mock/honour":
                    spot.honour(**body)
                case "POST /_mock/reset":
                    spot.reset()
                case _:
                    raise Refused(404, "NOT_FOUND", f"there is no {self.path}")
            return {}

        def _envelope(self, status, response):
            said = {"code": status, "message": HTTPStatus(status).phrase}
            asked = {"id": str(uuid.uuid4()), "url": self.path, "method": self.command}
            return {"request": asked, "response": {"status": said, **response}}

        def _send(self, status, answer):
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            """Say nothing: the report tells."""

    return Handler


def main():
    parser = argparse.ArgumentParser(description="A stand-in for Spot's API.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", default=TOKEN, help="the access token that it expects")
    parser.add_argument("--gone", type=int, default=404, help="the status for a missing group")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with SpotApi(arguments.port, token=arguments.token, gone=arguments.gone) as spot:
        print(spot.url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
