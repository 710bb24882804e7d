"""Lambda's init: a provider on the DynamoDB ledger against a bare handler with one boto3 client."""

import resource
import statistics
import tempfile
import time
from pathlib import Path

from support.runtime_api import Function

from . import FUNCTIONS, _clean, _peers
from ._figures import Figure, Measured

ROUNDS = 15
AIMS = {"bare": 0.70, "crhelper": 0.60}
MOST_MEMORY = 35.0  # MiB
MIB = 2**20
_HOW = (
    f"medians of {ROUNDS} pairs of cold starts of awslambdaric, one right after the other, in an"
    " environment of awslambdaric, boto3 and our wheel; from the start of the process until it asks"
    " for its first event; processor time, since the machine is shared"
)


def run() -> Measured:
    """Start each handler again and again, in turn."""
    clean, peers = str(_clean.install()), str(_peers.install())
    handlers = {
        "bare": ("bare.handler", clean),
        "cfn-once": ("on_dynamodb.provider", clean),
        "crhelper": ("crhelper_peer.handler", peers),
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in handlers}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(ROUNDS + 1):
            for name, (handler, python) in handlers.items():
                folder = Path(scratch) / f"{name}-{number}"
                took = init(handler, python, folder)
                if number:  # the first round compiles
                    taken[name].append(took)
    figures = [_compared(taken, peer, kind) for kind in ("cpu", "wall") for peer in AIMS]
    memory = {
        name: statistics.median(took["memory"] for took in all_) for name, all_ in taken.items()
    }
    figures.append(
        Figure(
            name="memory after init",
            ours=memory["cfn-once"],
            peer=memory["bare"],
            unit="MiB",
            against="a bare handler",
            bar=MOST_MEMORY,
            aim=MOST_MEMORY,
            absolute=True,
            how=_HOW,
        )
    )
    return Measured(figures, {"ms and MiB": taken})


def _compared(taken: dict[str, list[dict[str, float]]], peer: str, kind: str) -> Figure:
    pairs = zip(taken["cfn-once"], taken[peer], strict=True)
    by_the_clock = "" if kind == "cpu" else ", by the clock"
    return Figure(
        name=f"Lambda init beside {peer}{by_the_clock}",
        ours=statistics.median(took[kind] for took in taken["cfn-once"]),
        peer=statistics.median(took[kind] for took in taken[peer]),
        unit="ms",
        against="a bare handler" if peer == "bare" else peer,
        bar=0.85 if (peer, kind) == ("bare", "cpu") else None,
        aim=AIMS[peer] if kind == "cpu" else None,
        pairs=statistics.median(ours[kind] / theirs[kind] for ours, theirs in pairs),
        how=_HOW,
    )


def init(
    handler: str, python: str, folder: Path, *, task: Path = FUNCTIONS, is_compiled: bool = True
) -> dict[str, float]:
    """Start a process of Lambda's runtime, and return what its init took.

    Args:
        handler: Module and name, in the task's folder.
        python: The interpreter.
        folder: Scratch of this start alone.
        task: The folder of the function's code.
        is_compiled: What it compiles is kept there. Lambda's own folder takes nothing.
    """
    around = {} if is_compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    before = _processor_time()
    with Function(
        handler,
        task_root=task,
        scratch=folder,
        python=python,
        environment={"CFN_ONCE_LEDGER": "dynamodb://ledger", **around},
    ) as function:
        sandbox = function.sandbox()
        wall = sandbox.warm_up()
        time.sleep(0.05)  # it waits for its event now; what it has used is complete
        memory = sandbox.memory() / MIB
    cpu = _processor_time() - before
    return {"wall": wall * 1000, "cpu": cpu * 1000, "memory": memory}


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of processes that have ended
    return used.ru_utime + used.ru_stime
