"""A provider's imports against `import cfn_handler`: the same interpreter, one after the other."""

import compileall
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from . import ROOT, _clean, _peers
from ._figures import Figure, Measured

ROUNDS = 31
_CODE = """
import sys, time
{first}
sys.path.insert(0, sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()
{line}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
# Names are loaded when they are first used: what a provider uses is imported by name.
_LINES = {
    "cfn_once": "from cfn_once import CustomResource, Provider",
    "cfn_handler": "import cfn_handler",
}
_HOW = (
    f"medians of {ROUNDS} pairs of fresh processes, one right after the other, in the environment"
    " of the init; both compiled before, each alone in a folder that leads sys.path; processor"
    " time, since the machine is shared"
)


def run() -> Measured:
    """Measure in an interpreter that has loaded nothing, and in Lambda's, which has."""
    python = _clean.install()
    _peers.install()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"cfn_once": Path(scratch) / "ours", "cfn_handler": Path(scratch) / "peers"}
        shutil.copytree(ROOT / "src" / "cfn_once", folders["cfn_once"] / "cfn_once")
        for part in _peers.site_packages().glob("cfn_handler*"):  # it looks its own version up
            shutil.copytree(part, folders["cfn_handler"] / part.name)
        for folder in folders.values():
            compileall.compile_dir(folder, quiet=1)
        fresh = _measure(python, folders, "")
        within = _measure(python, folders, "import awslambdaric.bootstrap")
    figures = [
        _figure("import, fresh interpreter", fresh, "cpu", bar=1.0),
        _figure("import, fresh interpreter, by the clock", fresh, "wall"),
        _figure("import, inside Lambda's runtime", within, "cpu"),
    ]
    return Measured(
        figures, {"fresh interpreter, ms": fresh, "inside Lambda's runtime, ms": within}
    )


def _measure(
    python: Path, folders: dict[str, Path], first: str
) -> dict[str, dict[str, list[float]]]:
    taken: dict[str, dict[str, list[float]]] = {
        module: {"wall": [], "cpu": []} for module in folders
    }
    for _ in range(ROUNDS):
        for module, folder in folders.items():
            code = _CODE.format(first=first, line=_LINES[module])
            done = subprocess.run(
                [str(python), "-c", code, str(folder)],
                capture_output=True,
                text=True,
                check=True,
                env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},  # wanted by its import; never called
            )
            wall, cpu = map(float, done.stdout.split())
            taken[module]["wall"].append(wall * 1000)
            taken[module]["cpu"].append(cpu * 1000)
    return taken


def _figure(
    name: str, taken: dict[str, dict[str, list[float]]], kind: str, bar: float | None = None
) -> Figure:
    return Figure(
        name=name,
        ours=statistics.median(taken["cfn_once"][kind]),
        peer=statistics.median(taken["cfn_handler"][kind]),
        unit="ms",
        against="cfn-handler",
        bar=bar,
        pairs=statistics.median(
            ours / theirs
            for ours, theirs in zip(
                taken["cfn_once"][kind], taken["cfn_handler"][kind], strict=True
            )
        ),
        how=_HOW,
    )
