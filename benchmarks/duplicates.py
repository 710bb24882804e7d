"""What comes of events that come twice, at once, late, or to a process that dies.

Every row runs in real processes of `awslambdaric`, against an API that makes one more group with
each POST, and a bucket that takes answers over TLS, as crhelper needs it. After each case the
stack sends the Delete that CloudFormation would send, and what is left is counted.
"""

import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import trustme

from support.external_api import ApiWithAccidents
from support.ministack import MiniStack
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost
from support.runtime_api import Function

from . import FUNCTIONS, _peers
from ._figures import Figure, Measured, indented, table

TIMEOUT = 30.0  # seconds; the shortest that a provider of ours accepts
SLOW = 0.5  # seconds of the API, for two deliveries at the same time
_HOW = "real awslambdaric processes; our ledger is a DynamoDB on MiniStack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way of making groups.

    Attributes:
        resource_type: The type in the template, which picks the class of ours.
        python: The interpreter that has the library.
        honours: The API remembers idempotency keys.
        promised: It has a token or a look-up, so one group is made and none is left.
    """

    name: str
    handler: str
    python: str
    resource_type: str = "Custom::Group"
    honours: bool = False
    promised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a case came to.

    Attributes:
        creates: Groups that were ever made; 1 is right.
        left: Groups that are there at the end; 0 is right.
        deletes: DELETE requests that the API got.
        answers: Different answers to the Create.
        statuses: What the stack was told of its Create, in order.
    """

    creates: int
    left: int
    deletes: int
    answers: int
    statuses: list[str]


class Scene:
    """One case of one row: an API, a stack and a function of its own."""

    def __init__(
        self, row: Row, bucket: ResponseHost, environment: Mapping[str, str], scratch: Path
    ) -> None:
        self.api = ApiWithAccidents(tokens=row.honours)
        self.stack = Requests(bucket, row.resource_type)
        self.function = Function(
            row.handler,
            task_root=FUNCTIONS,
            scratch=scratch,
            timeout=TIMEOUT,
            python=row.python,
            environment={**environment, "API": self.api.url},
        )
        self.create, self._bucket = self.stack.create(Name="web"), bucket
        self.deleted: dict[str, Any] | None = None

    def delete(self, times: int = 1) -> None:
        """Send the Delete that follows the Create."""
        delete = self.stack.delete_after(self.create)
        for _ in range(times):
            self.function.deliver(delete, self.function.sandbox())

    def counted(self) -> Counted:
        """Return what came of it all."""
        bodies = self._bucket.bodies_for(self.create)
        told = [f"{answer['Status']}" for answer in self._bucket.answers_to(self.create)]
        return Counted(
            creates=len(self.api.created),
            left=len(self.api.objects),
            deletes=self.api.count("delete"),
            answers=len(set(bodies)),
            statuses=told,
        )


def again_warm(scene: Scene) -> None:
    """The same event again, after success, in the same process."""
    sandbox = scene.function.sandbox()
    for _ in range(2):
        scene.function.deliver(scene.create, sandbox)
    scene.delete()


def again_cold(scene: Scene) -> None:
    """The same event again, after success, in another process."""
    for _ in range(2):
        scene.function.deliver(scene.create, scene.function.sandbox())
    scene.delete()


def at_the_same_time(scene: Scene) -> None:
    """Two deliveries at once, to two environments; the API takes half a second."""
    scene.api.delay = SLOW
    sandboxes = [scene.function.sandbox() for _ in range(2)]
    for sandbox in sandboxes:
        sandbox.warm_up()
    for twin in [scene.function.enqueue(scene.create, sandbox) for sandbox in sandboxes]:
        twin.result()
    scene.delete()


def died(scene: Scene) -> None:
    """The process is killed after the create and before its answer; Lambda tries again."""
    sandbox = scene.function.sandbox()
    scene.api.accidents["after create"] = sandbox.kill
    scene.function.deliver(scene.create, sandbox)
    scene.delete()


def died_elsewhere(scene: Scene) -> None:
    """As before, but Lambda tries again in another environment."""
    sandbox = scene.function.sandbox()
    scene.api.accidents["after create"] = sandbox.kill
    scene.function.deliver(scene.create, sandbox, scene.function.sandbox())
    scene.delete()


def timed_out(scene: Scene) -> None:
    """The group is made, then never becomes ready: killed at the timeout, three times."""
    scene.api.ready = False
    scene.function.deliver(scene.create, scene.function.sandbox())
    scene.api.ready = True
    scene.delete()


def late(scene: Scene) -> None:
    """Create, Delete, then the old Create again."""
    sandbox = scene.function.sandbox()
    scene.function.deliver(scene.create, sandbox)
    scene.delete()
    scene.function.deliver(scene.create, sandbox)


def deleted_twice(scene: Scene) -> None:
    """Create, then the same Delete twice."""
    scene.function.deliver(scene.create, scene.function.sandbox())
    scene.delete(times=2)


Case = Callable[[Scene], None]
CASES: dict[str, Case] = {
    "a, warm": again_warm,
    "a, cold": again_cold,
    "b": at_the_same_time,
    "c": died,
    "c, elsewhere": died_elsewhere,
    "c', timeout x3": timed_out,
    "d": late,
    "delete twice": deleted_twice,
}
PATIENT = {died_elsewhere, timed_out}  # they wait for timeouts and leases: all at the same time


def run() -> Measured:
    """Play every case in every row, and print one table."""
    peer = str(_peers.install())
    rows = [
        Row(
            name="cfn-once, find",
            handler="groups.provider",
            python=sys.executable,
            resource_type="Custom::WithFind",
            promised=True,
        ),
        Row(
            name="cfn-once, token",
            handler="groups.provider",
            python=sys.executable,
            resource_type="Custom::WithToken",
            honours=True,
            promised=True,
        ),
        Row(
            name="cfn-once, plain POST",
            handler="groups.provider",
            python=sys.executable,
            resource_type="Custom::Plain",
        ),
        Row(name="crhelper", handler="crhelper_peer.handler", python=peer),
        Row(name="cfn-handler", handler="cfn_handler_peer.handler", python=peer),
    ]
    counted = _play(rows)
    print(indented(_told(counted)))
    details: dict[str, dict[str, Any]] = {row.name: {} for row in rows}
    for (row, case), pair in counted.items():
        details[row][case] = asdict(pair)
    return Measured(_figures(rows, counted), details)


def _play(rows: list[Row]) -> dict[tuple[str, str], Counted]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with ExitStack() as world:
        scratch = Path(world.enter_context(tempfile.TemporaryDirectory()))
        aws = world.enter_context(MiniStack())
        _make_table(aws)
        bucket = world.enter_context(ResponseHost(tls=tls))
        trusted = scratch / "authority.pem"
        authority.cert_pem.write_to_path(str(trusted))
        environment = {
            "SSL_CERT_FILE": str(trusted),
            "CFN_ONCE_LEDGER": f"dynamodb://ledger?region=us-east-1&endpoint={aws.url}",
            "CFN_ONCE_RESPONSE_HOSTS": bucket.name,
        }
        counted: dict[tuple[str, str], Counted] = {}
        lock = threading.Lock()

        def play(row: Row, name: str) -> None:
            folder = scratch / f"{row.name} {name}".replace("'", "-")
            scene = Scene(row, bucket, environment, folder)
            with scene.api, scene.function:
                CASES[name](scene)
                with lock:
                    counted[row.name, name] = scene.counted()

        games = [(row, name) for name in CASES for row in rows]
        quick = [game for game in games if CASES[game[1]] not in PATIENT]
        patient = [game for game in games if CASES[game[1]] in PATIENT]
        for row, name in quick:
            play(row, name)
        with ThreadPoolExecutor(len(patient)) as threads:
            for game in [threads.submit(play, row, name) for row, name in patient]:
                game.result()
    return counted


def _told(counted: Mapping[tuple[str, str], Counted]) -> str:
    rows = dict.fromkeys(row for row, _ in counted)
    head = ("created / left / different answers", *CASES)
    lines: list[list[str]] = []
    for row in rows:
        cells = [counted[row, name] for name in CASES]
        lines.append([row, *(f"{cell.creates} / {cell.left} / {cell.answers}" for cell in cells)])
    deletes = [
        [f"{row}: DELETE calls", *(str(counted[row, name].deletes) for name in CASES)]
        for row in rows
    ]
    told = [
        [f"{row}: told", *(_statuses(counted[row, name].statuses) for name in CASES)]
        for row in rows
    ]
    parts = [table(head, lines), table(("", *CASES), deletes), table(("", *CASES), told)]
    return "\n\n".join(parts)


def _statuses(told: list[str]) -> str:
    """Spell SUCCESS and FAILED by their first letters, in order; a dash for silence."""
    return "".join(answer[0] for answer in told) or "-"


def _figures(rows: list[Row], counted: Mapping[tuple[str, str], Counted]) -> list[Figure]:
    """Return the worst case of each row of ours, beside the best peer's worst."""
    peers = [row.name for row in rows if row.handler != "groups.provider"]

    def worst(row: str, part: str) -> int:
        return max(getattr(pair, part) for (name, _), pair in counted.items() if name == row)

    words = {
        "creates": "groups made for one Create, worst case",
        "left": "groups left after all, worst case",
        "answers": "different answers to one Create, worst case",
    }
    bars = {"creates": 1, "left": 0, "answers": 1}
    figures = []
    for row in (row for row in rows if row.handler == "groups.provider"):
        for part, text in words.items():
            bar = None if part == "left" and not row.promised else bars[part]
            figures.append(
                Figure(
                    name=f"{row.name}: {text}",
                    ours=worst(row.name, part),
                    peer=min(worst(peer, part) for peer in peers),
                    against="the best peer",
                    bar=bar,
                    absolute=True,
                    how=_HOW,
                )
            )
    return figures


def _make_table(aws: MiniStack) -> None:
    aws.client("dynamodb").create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
    )
