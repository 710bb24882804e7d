"""
One death: a function that dies, Lambda that tries again, and a stack that waits for its answer.

    Create ──► the function, up to three tries ──┬──► ResponseHost, CloudFormation's bucket
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
import ssl
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from cfn_once.testing import on_failure_event
from deaths.ways import LAMBDA_WAITS, PEERS_TIMEOUT, SHORTEST, TIMEOUT, Way, oldest_event
from support.external_api import ApiWithAccidents
from support.fast_clock import FastClock
from support.host import nowhere
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost, Told
from support.runtime_api import TESTS, Function, Invocation

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = (Path(__file__).with_name("functions"), ROOT / "benchmarks" / "functions", TESTS)
SPEED = 12  # of the clock where a function has less than the least Timeout
PEERS = ROOT / ".venv-peers" / "bin" / "python"


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
        deletes: What it should have been told.
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
    deletes: str
    deleted_by: str
    left: int

    @property
    def is_right(self) -> bool:
        """Tell whether nobody was left waiting, nothing was made twice, and nothing is left."""
        answered = bool(self.status) and self.answers == 1 and self.deleted == self.deletes
        return answered and self.made <= 1 and self.left == 0


@dataclass(frozen=True, slots=True)
class Try:
    """One delivery.

    Attributes:
        name: Whose, and which.
        waited: Seconds between tries until then, as they were here.
        lambda_waited: As they are on Lambda.
    """

    name: str
    invocation: Invocation
    waited: float
    lambda_waited: float


class Scene:
    """A stack with one resource, its function, its guardian and the API that its hooks call."""

    def __init__(self, way: Way, framework: Framework, world: World) -> None:
        self.way, self.framework, self._world = way, framework, world
        self._is_short = framework.ours and way.timeout < SHORTEST
        self._clock = FastClock(time.time(), SPEED if self._is_short else 1.0)
        self.answers = ResponseHost(now=self._clock.now, tls=world.tls, reachable=way.s3)
        self.api = ApiWithAccidents()
        self._ended = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for server in (self.answers, self.api):
                started.enter_context(server)
            endpoint = self._world.endpoint
            if not self.way.ledger:
                endpoint = started.enter_context(nowhere())
            self._ledger = f"{self._world.ledger}&endpoint={endpoint}"
            self._folder = self._world.scratch / uuid4().hex
            self._root = self._folder / "task"
            self._root.mkdir(parents=True)
            (self._root / "settings.py").write_text(self.way.settings)
            self._function = started.enter_context(self._the_function())
            self._guardian = started.enter_context(self._the_guardian())
            self._ended = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()

    def play(self) -> Death:
        """Send a Create and, whatever becomes of it, the Delete that follows."""
        age = 0.0 if self.way.runs else oldest_event() + 1
        requests, create = self._create(age)
        began = time.monotonic()
        tries = self._send(create, self._function if self.way.runs else None, age)
        self.answers.open()
        told = self.answers.told_for(create)
        first = json.loads(told[0].body) if told else {}
        last = _by(tries, told)
        made = len(self.api.created)
        delete = requests.delete_after(create)
        deleting = self._send(delete, self._function)
        deleted = self.answers.answers_to(delete)
        deleted_by = _by(deleting, self.answers.told_for(delete))
        return Death(
            way=self.way.name,
            framework=self.framework.name,
            status=first.get("Status", ""),
            reason=first.get("Reason", ""),
            physical_resource_id=first.get("PhysicalResourceId", ""),
            by=last.name if last else "",
            lambda_waited=last.lambda_waited if last else 0.0,
            seconds=told[0].at - began - last.waited if last else 0.0,
            took=told[0].at - last.invocation.began if last else 0.0,
            answers=len({answer.body for answer in told}),
            endings=[
                f"{attempt.name.split()[0]}: {attempt.invocation.ending}" for attempt in tries
            ],
            made=max(made, len(self.api.created)),
            deleted=deleted[0]["Status"] if deleted else "",
            deletes="SUCCESS" if self.way.ledger else "FAILED",
            deleted_by=deleted_by.name if deleted_by else "",
            left=len(self.api.objects),
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
        told = self.answers.told_for(create)
        return (told[0].at - began if told else None), self.answers.answers_to(create)

    def _create(self, age: float = 0.0) -> tuple[Requests, dict[str, Any]]:
        requests = Requests(self.answers, "Custom::Group")
        wanted = {"Name": "web", "Death": self.way.hook, "Where": self.way.where}
        return requests, requests.request("Create", wanted, signed_at=self._clock.now() - age)

    def _send(
        self, event: dict[str, Any], function: Function | None, age: float = 0.0
    ) -> list[Try]:
        """Deliver an event as Lambda does, and have the guardian called where that is in vain."""
        tries: list[Try] = []
        if function is not None:
            tries = _tries("try", function.deliver(event), self.way, (0.0, age))
        if self.framework.ours and not (tries and tries[-1].invocation.succeeded):
            self.answers.open()  # the guardian is outside of the VPC
            record = on_failure_event(event, "RetriesExhausted" if tries else "EventAgeExceeded")
            before = (tries[-1].waited, tries[-1].lambda_waited) if tries else (0.0, age)
            tries += _tries("guardian", self._guardian.deliver(record), self.way, before)
        return tries

    def _the_function(self) -> Function:
        framework, provider = self.framework, "short" if self._is_short else "groups"
        environment = {**self._settings(), "API": self.api.url}
        if framework.ours:
            environment["CFN_ONCE_PROVIDER"] = f"{provider}:provider"
        environment.pop(self.way.unset, None)
        return Function(
            framework.handler,
            task_root=self._root,
            scratch=self._folder / "function",
            timeout=self.way.timeout if framework.ours else PEERS_TIMEOUT,
            pauses=self.way.waits,
            memory=self.way.memory,
            environment=environment,
            python=framework.python,
        )

    def _the_guardian(self) -> Function:
        """Return templates/provider.yaml's, which has none of the function's own settings."""
        return Function(
            "short_guardian.handler" if self._is_short else "cfn_once.guardian.handler",
            task_root=self._folder,
            scratch=self._folder / "guardian",
            timeout=max(self.way.timeout, TIMEOUT),
            pauses=self.way.waits,
            environment=self._settings(),
        )

    def _settings(self) -> dict[str, str]:
        return {
            **self._clock.environment,
            "PYTHONPATH": os.pathsep.join(map(str, IMPORTS)),
            "SSL_CERT_FILE": str(self._world.authority),
            "CFN_ONCE_LEDGER": self._ledger,
            "CFN_ONCE_RESPONSE_HOSTS": self.answers.name,
        }


def _tries(
    name: str, invocations: Sequence[Invocation], way: Way, before: tuple[float, float]
) -> list[Try]:
    """Name deliveries, and say what had been waited before each."""
    waited, lambda_waited = before
    tries = []
    for number, invocation in enumerate(invocations):
        if number:
            waited += way.waits[number - 1]
            lambda_waited += LAMBDA_WAITS[number - 1]
        tries.append(Try(f"{name} {number + 1}", invocation, waited, lambda_waited))
    return tries


def _by(tries: Sequence[Try], told: Sequence[Told]) -> Try | None:
    """Return the delivery that the first answer came from; None where there was none."""
    if not told:
        return None
    return [attempt for attempt in tries if attempt.invocation.began <= told[0].at][-1]
