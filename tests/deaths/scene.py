"""
One death: a function that dies, Lambda that tries again, and a stack that waits for its answer.

    Create ──► the function, up to three tries ──┬──► Answers, CloudFormation's bucket
               a real process of awslambdaric    │
               └── none of them good: Lambda's   │
                   record ──► the guardian, ─────┘
                   up to three tries
    Delete, the same way: what was made is gone, and the stack is told so

Lambda waits one and two minutes between tries. Here it waits as the `Way` says; what it would have
waited is told apart from what was measured.
"""

import json
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

from deaths.ways import LAMBDA_WAITS, PEERS_TIMEOUT, SHORTEST, TIMEOUT, Way, oldest_event
from processes.world import Api, Stack
from support.response_host import TICK, Received, ResponseHost
from support.runtime_api import Ending, Function, Invocation, Sandbox

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = Path(__file__).with_name("functions")
PEERS = ROOT / ".venv-peers" / "bin" / "python"
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework that answers CloudFormation.

    Attributes:
        ours: It has a ledger and a guardian.
    """

    name: str
    handler: str
    python: str
    ours: bool = False


OURS = Framework(
    name="cfn-once", handler="cfn_once.entry.handler", python=sys.executable, ours=True
)
FRAMEWORKS = (
    OURS,
    Framework(name="crhelper", handler="crhelper_peer.handler", python=str(PEERS)),
    Framework(name="cfn-handler", handler="cfn_handler_peer.handler", python=str(PEERS)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all scenes share.

    Attributes:
        tls: The answers' side of TLS; crhelper speaks nothing else.
        authority: The file of the certificate to trust.
        ledger: The URL of a ledger, but for its endpoint.
        endpoint: Where the ledger's DynamoDB is.
        scratch: A folder for the sandboxes.
    """

    tls: ssl.SSLContext
    authority: Path
    ledger: str
    endpoint: str
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """What became of a Create and of the Delete after it.

    Attributes:
        status: What CloudFormation was told of the Create; empty where it was told nothing.
        by: Who told it first: which try of the function, or of the guardian.
        lambda_waited: What Lambda itself would have waited until then, in seconds.
        seconds: All else from the event to the answer.
        took: Seconds of them that the one who told it took, its cold start included.
        answers: How many different ones there were.
        endings: Of each try.
        made: Objects that were ever made.
        deleted: What CloudFormation was told of the Delete; empty where it was told nothing.
        left: Objects that are there at the end.
    """

    way: str
    framework: str
    status: str
    reason: str
    physical_resource_id: str
    by: str
    lambda_waited: float
    seconds: float
    took: float
    answers: int
    endings: Sequence[str]
    made: int
    deleted: str
    deleted_by: str
    left: int

    @property
    def is_right(self) -> bool:
        """Tell whether nobody was left waiting, nothing was made twice, and nothing is left."""
        answered = bool(self.status) and self.answers == 1 and self.deleted == "SUCCESS"
        return answered and self.made <= 1 and self.left == 0


class Answers(ResponseHost):
    """CloudFormation's bucket, which knows when each answer came.

    Args:
        tls: Serves with this context.
        reachable: Not before `open`: packets to it are lost, as in a VPC without a way to S3.
    """

    def __init__(self, tls: ssl.SSLContext, *, reachable: bool = True) -> None:
        super().__init__(tls=tls)
        self.came: list[tuple[float, Received]] = []
        self.watch = lambda received: self.came.append((time.monotonic(), received))
        self._reachable = threading.Event()
        if reachable:
            self.open()

    def open(self) -> None:
        """Let everybody in."""
        self._reachable.set()

    def url_for(self, *parts: str, signed_at: float) -> str:
        """Return a ResponseURL."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(signed_at))
        query = f"X-Amz-Date={date}&X-Amz-Expires=7200&X-Amz-Signature=0"
        return self.url(f"/{quote('|'.join(parts))}?{query}")

    def answers_to(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return all that was ever answered to a request, in order."""
        return [json.loads(body) for _, body in self.told(event)]

    def told(self, event: Mapping[str, Any]) -> list[tuple[float, bytes]]:
        """Return when each answer to a request came, and its bytes."""
        return [
            (at, one.body) for at, one in self.came if self.url(one.target) == event["ResponseURL"]
        ]

    def _accept(self) -> None:
        if not self._reachable.is_set():
            with _lost_packets(self._socket):
                while not (self._reachable.wait(TICK) or self._closed.is_set()):
                    pass
            self._socket.accept()[0].close()  # the one that kept the others out
            self._socket.listen()
        super()._accept()


@contextmanager
def _lost_packets(server: socket.socket) -> Iterator[None]:
    """Take one connection into the queue of none: of all others the kernel drops the packets."""
    server.listen(0)
    with socket.create_connection(server.getsockname()):
        yield


@contextmanager
def nowhere() -> Iterator[str]:
    """An address that swallows packets: connecting to it takes until one gives up."""
    with socket.create_server(("127.0.0.1", 0)) as server, _lost_packets(server):
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class Try:
    """One delivery.

    Attributes:
        name: Whose, and which.
        began: When, by the machine's clock.
        waited: Seconds between tries until then, as they were here.
        lambda_waited: As they are on Lambda.
    """

    name: str
    began: float
    waited: float
    lambda_waited: float


class Scene:
    """A stack with one resource, its function, its guardian and its far side."""

    def __init__(self, way: Way, framework: Framework, world: World) -> None:
        self.way, self.framework, self._world = way, framework, world
        self.answers = Answers(world.tls, reachable=way.s3)
        self.api = Api()
        self._ended = ExitStack()
        self._tries: list[Try] = []
        self._endings: list[str] = []
        self._waited = self._lambda_waited = 0.0

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for one in (self.answers, self.api):
                started.enter_context(one)
            endpoint = self._world.endpoint
            if not self.way.ledger:
                endpoint = started.enter_context(nowhere())
            self._ledger = f"{self._world.ledger}&endpoint={endpoint}"
            self._folder = self._world.scratch / uuid4().hex
            self._root = self._folder / "task"
            self._root.mkdir(parents=True)
            (self._root / "settings.py").write_text(self.way.settings)
            timeout = self.way.timeout if self.framework.ours else PEERS_TIMEOUT
            self._function = started.enter_context(self._a_function(timeout))
            # Only what makes a run short has less than the least: the stack's Delete has that.
            self._deleting = self._function
            if self.framework.ours and timeout < SHORTEST:
                self._deleting = started.enter_context(self._a_function(TIMEOUT))
            self._guardian = started.enter_context(self._the_guardian())
            self._ended = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()

    def play(self) -> Death:
        """Send a Create and, whatever becomes of it, the Delete that follows."""
        age = 0.0 if self.way.runs else oldest_event() + 1
        stack, create = self._create(age)
        began = time.monotonic()
        if self.way.runs:
            self._send(create, self._function)
        elif self.framework.ours:
            self._lambda_waited = age
            self._call_the_guardian(create, "EventAgeExceeded", [])
        self.answers.open()
        told = self.answers.told(create)
        first = json.loads(told[0][1]) if told else {}
        last = self._try_at(told[0][0]) if told else None
        made, endings = self.api.creates, list(self._endings)
        delete = stack.delete_after(create)
        parts = (delete["StackId"], delete["LogicalResourceId"], delete["RequestId"])
        delete["ResponseURL"] = self.answers.url_for(*parts, signed_at=time.time())
        self._send(delete, self._deleting)
        deleted = self.answers.told(delete)
        return Death(
            way=self.way.name,
            framework=self.framework.name,
            status=first.get("Status", ""),
            reason=first.get("Reason", ""),
            physical_resource_id=first.get("PhysicalResourceId", ""),
            by=last.name if last else "",
            lambda_waited=last.lambda_waited if last else 0.0,
            seconds=told[0][0] - began - last.waited if last else 0.0,
            took=told[0][0] - last.began if last else 0.0,
            answers=len({body for _, body in told}),
            endings=endings,
            made=max(made, self.api.creates),
            deleted=json.loads(deleted[0][1])["Status"] if deleted else "",
            deleted_by=self._try_at(deleted[0][0]).name if deleted else "",
            left=len(self.api.groups),
        )

    def deliver_once(self) -> tuple[float | None, list[dict[str, Any]]]:
        """Deliver a Create once, to a process that is up.

        Returns the seconds until the answer came, or None, and every answer.
        """
        _, create = self._create()
        sandbox = self._function.sandbox()
        sandbox.warm_up()
        began = time.monotonic()
        sandbox.invoke(create)
        told = self.answers.told(create)
        return (told[0][0] - began if told else None), self.answers.answers_to(create)

    def _create(self, age: float = 0.0) -> tuple[Stack, dict[str, Any]]:
        stack = Stack(self.answers, time.time() - age, "Custom::Group")
        return stack, stack.create(Name="web", Death=self.way.hook, Where=self.way.where)

    def _try_at(self, moment: float) -> Try:
        return [one for one in self._tries if one.began <= moment][-1]

    def _send(self, event: Mapping[str, Any], function: Function) -> None:
        """Deliver an event as Lambda does, and have the guardian called where that is in vain."""
        self._waited = self._lambda_waited = 0.0
        attempts = self._deliver(event, function, "try")
        if self.framework.ours and not attempts[-1].succeeded:
            self._call_the_guardian(event, "RetriesExhausted", attempts)

    def _call_the_guardian(
        self, event: Mapping[str, Any], condition: str, attempts: Sequence[Invocation]
    ) -> None:
        self.answers.open()  # it is outside of the VPC
        self._deliver(_record(event, condition, attempts), self._guardian, "guardian")

    def _deliver(self, event: Any, function: Function, name: str) -> list[Invocation]:
        """Deliver an event until it succeeds, or three times, in one sandbox."""
        sandbox, request_id = function.sandbox(), str(uuid4())
        made: list[Invocation] = []
        for number, wait in enumerate((0.0, *function.pauses)):
            time.sleep(wait)
            self._waited += wait
            self._lambda_waited += LAMBDA_WAITS[number - 1] if number else 0.0
            began = time.monotonic()
            self._tries.append(
                Try(f"{name} {number + 1}", began, self._waited, self._lambda_waited)
            )
            with self._limited(sandbox):
                made.append(sandbox.invoke(event, request_id=request_id))
            self._endings.append(f"{name}: {made[-1].ending}")
            if made[-1].succeeded:
                break
        return made

    @contextmanager
    def _limited(self, sandbox: Sandbox) -> Iterator[None]:
        """Kill the process when it takes more memory than it may, as Lambda does."""
        if not self.way.memory:
            yield
            return
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                if _memory_of(sandbox) > self.way.memory:
                    sandbox.kill()

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def _a_function(self, timeout: float) -> Function:
        framework, short = self.framework, timeout < SHORTEST
        environment = {
            "API": self.api.url,
            "PYTHONPATH": os.pathsep.join([str(FUNCTIONS), str(ROOT / "benchmarks" / "functions")]),
            "SSL_CERT_FILE": str(self._world.authority),
        }
        if framework.ours:
            environment |= self._settings()
            environment["CFN_ONCE_PROVIDER"] = "short:provider" if short else "groups:provider"
        environment.pop(self.way.unset, None)
        return Function(
            framework.handler,
            task_root=self._root,
            scratch=self._folder / f"function-{timeout:.0f}",
            timeout=timeout,
            pauses=self.way.waits,
            environment=environment,
            python=framework.python,
        )

    def _the_guardian(self) -> Function:
        """Return templates/provider.yaml's, which has none of the function's own settings."""
        return Function(
            "cfn_once.guardian.handler",
            task_root=self._folder,
            scratch=self._folder / "guardian",
            timeout=max(self.way.timeout, TIMEOUT),
            pauses=self.way.waits,
            environment={"SSL_CERT_FILE": str(self._world.authority), **self._settings()},
        )

    def _settings(self) -> dict[str, str]:
        return {"CFN_ONCE_LEDGER": self._ledger, "CFN_ONCE_RESPONSE_HOSTS": self.answers.name}


def _memory_of(sandbox: Sandbox) -> int:
    """Return the bytes of a process that lie in memory; 0 where there is none."""
    runtime = sandbox._runtime
    if runtime is None:
        return 0
    try:
        text = Path(f"/proc/{runtime._process.pid}/statm").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(text.split()[1]) * PAGE if text else 0


def _record(
    event: Mapping[str, Any], condition: str, attempts: Sequence[Invocation]
) -> dict[str, Any]:
    """Return what Lambda sends to an on-failure destination.

    Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
    """
    record = {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "requestContext": {
            "requestId": attempts[-1].request_id if attempts else str(uuid4()),
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:provider:$LATEST",
            "condition": condition,
            "approximateInvokeCount": len(attempts),
        },
        "requestPayload": event,
    }
    if attempts:
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        record["responsePayload"] = _payload(attempts[-1])
    return record


def _payload(last: Invocation) -> Any:
    match last.ending:
        case Ending.TIMEOUT:
            moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            return {"errorMessage": f"{moment} {last.request_id} Task timed out"}
        case Ending.DIED:
            return {
                "errorType": "Runtime.ExitError",
                "errorMessage": f"RequestId: {last.request_id} Error: Runtime exited",
            }
        case _:
            return last.document
