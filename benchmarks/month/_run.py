"""The three providers at once, and how far they are."""

import fcntl
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .. import ROOT
from . import PROVIDERS
from ._plan import Plan
from ._worker import STOPPED

# Ours takes the longest. Its stacks are dealt out to two processes, each with a ledger of its own:
# a ledger has a row a resource, and no row knows another.
SHARES = {"cfn_once": 2, "crhelper": 1, "powertools": 1}
SUMMED = (
    "objects_created",
    "objects_left",
    "duplicates_suppressed",
    "deliveries",
    "deliveries_without_answer",
    "object_hours",
    "object_hours_left",
    "cpu_seconds",
    "checksum",
)
PATIENCE = 30.0  # seconds for workers to write where they stand


class Stopped(Exception):
    """Somebody pressed Ctrl-C; the next run goes on from here."""


@dataclass(slots=True)
class Runner:
    """A worker's process, and what it told last."""

    provider: str
    process: subprocess.Popen[str]
    position: int = 0
    first: int | None = None
    result: dict[str, Any] = field(default_factory=dict)


def run(
    plan: Plan,
    folder: Path,
    pythons: Mapping[str, str],
    told: TextIO = sys.stderr,
    logs: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Take each provider that has an interpreter through the plan, and return what came of it.

    Where `logs` is given, the log of cfn-once's function is written there.

    Raises:
        Stopped: By Ctrl-C.
        SystemExit: A worker failed, or another run is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        runners = [
            _start(provider, plan, folder, pythons[provider], share, logs=logs is not None)
            for provider in PROVIDERS
            if provider in pythons
            for share in range(SHARES[provider])
        ]
        try:
            _follow(runners, Progress(plan, runners, told))
        except BaseException:
            for runner in runners:
                if runner.process.poll() is None:
                    runner.process.terminate()
            for runner in runners:
                runner.process.wait(PATIENCE)
            raise
        finally:
            for runner in runners:
                _pipe(runner.process.stdout).close()
    results = {name: _merged(runners, name) for name in dict.fromkeys(r.provider for r in runners)}
    if len({result["checksum"] for result in results.values()}) != 1:
        raise SystemExit("the providers did not get the same events: this month proves nothing")
    if logs is not None:
        with logs.open("wb") as whole:
            for part in sorted(folder.glob("*/logs.jsonl")):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
    shutil.rmtree(folder)
    return results


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit("another run replays the month here: let it end first") from None
        yield


def _start(
    provider: str, plan: Plan, folder: Path, python: str, share: int, *, logs: bool
) -> Runner:
    process = subprocess.Popen(
        [python, "-m", "benchmarks.month._worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C comes to us alone, and from us to them.
        start_new_session=True,
    )
    asked = {
        "provider": provider,
        "plan": plan.to_json(),
        "share": share,
        "shares": SHARES[provider],
        "logs": logs,
        "folder": str(folder / f"{provider}-{share}"),
    }
    with _pipe(process.stdin) as pipe:
        pipe.write(json.dumps(asked) + "\n")
    return Runner(provider, process)


def _pipe(pipe: Any) -> TextIO:
    assert pipe is not None
    return pipe


def _follow(runners: Sequence[Runner], progress: "Progress") -> None:
    lines: queue.Queue[tuple[Runner, str | None]] = queue.Queue()

    def read(runner: Runner) -> None:
        for line in _pipe(runner.process.stdout):
            lines.put((runner, line))
        lines.put((runner, None))

    for runner in runners:
        threading.Thread(target=read, args=(runner,), daemon=True).start()
    open_ = len(runners)
    while open_:
        runner, line = lines.get()
        if line is not None:
            _note(runner, json.loads(line))
            progress.show()
            continue
        open_ -= 1
        status = runner.process.wait()
        if status == STOPPED:
            raise Stopped
        if status or not runner.result:
            raise SystemExit(f"{runner.provider} ended with status {status}: see above")
    progress.end()


def _note(runner: Runner, told: dict[str, Any]) -> None:
    runner.position = told["position"]
    if runner.first is None:
        runner.first = runner.position
    runner.result = told.get("result", {})


def _merged(runners: Sequence[Runner], provider: str) -> dict[str, Any]:
    parts = [runner.result for runner in runners if runner.provider == provider]
    merged: dict[str, Any] = {name: sum(part[name] for part in parts) for name in SUMMED}
    days: dict[str, dict[str, int]] = {}
    for part in parts:
        for day, counts in part["days"].items():
            whole = days.setdefault(day, dict.fromkeys(counts, 0))
            for name, count in counts.items():
                whole[name] += count
    merged |= {
        "seconds": max(part["seconds"] for part in parts),
        "processes": len(parts),
        "days": [{"day": int(day), **days[day]} for day in sorted(days, key=int)],
        "story": next((part["story"] for part in parts if part["story"]), []),
    }
    return merged


class Progress:
    """One line that tells how far it is, how fast, and how long it takes yet."""

    def __init__(
        self,
        plan: Plan,
        runners: Sequence[Runner],
        told: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runners, self._told, self._clock = runners, told, clock
        self._size = plan.size
        self._providers = dict.fromkeys(runner.provider for runner in runners)
        self._began, self._shown = clock(), 0.0
        self._in_place = told.isatty()

    def line(self) -> str:
        """Return the line."""
        passed = max(self._clock() - self._began, 1e-9)
        done = {name: self._sum(name, "position") for name in self._providers}
        # What an earlier run did says nothing of this one's rate.
        rates = {name: (done[name] - self._sum(name, "first")) / passed for name in done}
        left = max((self._size - done[name]) / max(rates[name], 1e-9) for name in done)
        share = sum(done.values()) / (self._size * len(done))
        filled = round(30 * share)
        bar = "#" * filled + "." * (30 - filled)
        spelt = _spelt(left) if left < 86_400 else "?"
        each = ", ".join(f"{name} {done[name] / self._size:.0%}" for name in done)
        return f"[{bar}] {share:6.1%}  {sum(rates.values()):,.0f}/s, {spelt} left  ({each})"

    def _sum(self, provider: str, part: str) -> int:
        mine = [runner for runner in self._runners if runner.provider == provider]
        return sum(getattr(run, part) or 0 for run in mine)

    def show(self) -> None:
        """Print the line, in place on a terminal; elsewhere now and then."""
        now = self._clock()
        if now - self._shown < (0.5 if self._in_place else 30.0):
            return
        self._shown = now
        self._told.write(f"\r\x1b[K{self.line()}" if self._in_place else f"{self.line()}\n")
        self._told.flush()

    def end(self) -> None:
        """Print the last line."""
        self._told.write(f"\r\x1b[K{self.line()}\n" if self._in_place else f"{self.line()}\n")
        self._told.flush()


def _spelt(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
