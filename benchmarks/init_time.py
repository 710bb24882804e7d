"""Lambda's init: a provider on the DynamoDB ledger against a bare handler with one boto3 client."""

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from support.runtime_api import Function

from . import FUNCTIONS, _peers
from ._figures import Figure, Measured

ROUNDS = 15
BAR = 1.10
_HOW = (
    f"medians of {ROUNDS} alternating cold starts of awslambdaric, from the start of the process"
    " until it asks for its first event; processor time, since the machine is shared"
)


def run() -> Measured:
    """Start each handler again and again, in turn."""
    peers = _peers.install()
    handlers = {
        "bare": ("bare.handler", sys.executable),
        "cfn-once": ("on_dynamodb.provider", sys.executable),
        "crhelper": ("crhelper_peer.handler", str(peers)),
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in handlers}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(ROUNDS + 1):
            for name, (handler, python) in handlers.items():
                folder = Path(scratch) / f"{name}-{number}"
                took = _init(handler, python, folder)
                if number:  # the first round compiles
                    taken[name].append(took)
    medians = {
        kind: {
            name: statistics.median(sample[kind] for sample in all_) for name, all_ in taken.items()
        }
        for kind in ("cpu", "wall")
    }
    figures = [
        Figure(
            name=f"Lambda init, {name}{'' if kind == 'cpu' else ', by the clock'}",
            ours=medians[kind][name],
            peer=medians[kind]["bare"],
            unit="ms",
            against="a bare handler",
            bar=BAR if (name, kind) == ("cfn-once", "cpu") else None,
            how=_HOW,
        )
        for kind in medians
        for name in ("cfn-once", "crhelper")
    ]
    return Measured(figures, {"ms": taken})


def _init(handler: str, python: str, folder: Path) -> dict[str, float]:
    before = _processor_time()
    with Function(
        handler,
        task_root=FUNCTIONS,
        scratch=folder,
        python=python,
        environment={"CFN_ONCE_LEDGER": "dynamodb://ledger"},
    ) as function:
        wall = function.sandbox().warm_up()
        time.sleep(0.05)  # it waits for its event now; what it has used is complete
    return {"wall": wall * 1000, "cpu": (_processor_time() - before) * 1000}


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of processes that have ended
    return used.ru_utime + used.ru_stime
