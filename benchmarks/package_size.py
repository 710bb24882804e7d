"""The zip of the minimal example, as `cfn-once package` makes it: its size, and its bytecode."""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from . import ROOT, _clean
from ._figures import Figure, Measured
from .init_time import init

MOST = 2.0  # MB
ROUNDS = 11


def run() -> Measured:
    """Make the zip in a folder of its own, for this Python."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "examples" / "minimal" / "provider.py", folder)
        command = [sys.executable, "-m", "cfn_once", "package", "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        told = json.loads(done.stdout)
        path = Path(folder) / told["file"]
        size = path.stat().st_size
        took = _inits(path, Path(folder))
    figure = Figure(
        name="zip of the minimal example",
        ours=size / 1e6,
        unit="MB",
        bar=MOST,
        aim=MOST,
        absolute=True,
        how=f"for Python {told['python']} on {told['architecture']}; boto3 is Lambda's own",
    )
    return Measured([figure, _bytecode(took)], {**told, "ms of processor time": took})


def _inits(path: Path, folder: Path) -> dict[str, list[float]]:
    """Start the zip's function with its bytecode and without it, in turn."""
    taken: dict[str, list[float]] = {"compiled": [], "source": []}
    for name in taken:
        zipfile.ZipFile(path).extractall(folder / name)
    for compiled in (folder / "source").rglob("*.pyc"):
        compiled.unlink()
    python = str(_clean.install())
    for number in range(ROUNDS + 1):
        for name, values in taken.items():
            scratch = folder / f"{name}-{number}"
            took = init("provider.provider", python, scratch, task=folder / name, is_compiled=False)
            if number:  # the first round fills the caches of the disk
                values.append(took["cpu"])
    return taken


def _bytecode(taken: dict[str, list[float]]) -> Figure:
    pairs = zip(taken["compiled"], taken["source"], strict=True)
    return Figure(
        name="Lambda init of the zip with its bytecode",
        ours=statistics.median(taken["compiled"]),
        peer=statistics.median(taken["source"]),
        unit="ms",
        against="the same without",
        bar=1.0,
        pairs=statistics.median(ours / theirs for ours, theirs in pairs),
        how=f"medians of {ROUNDS} pairs of cold starts of awslambdaric, one right after the other",
    )
