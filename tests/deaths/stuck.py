"""How much time is left when a stuck hook is answered for, with a Timeout of three seconds."""

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deaths.scene import OURS, Scene, World
from deaths.ways import Way

TIMEOUT = 3.0  # seconds
AT_ONCE = 2
HOOKS = {
    "sleep": "time.sleep",
    "receive": "a socket's recv",
    "swallow": "a loop that swallows all exceptions",
    "compute": "a loop in Python",
    "digest": "C code that releases the GIL",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One Create whose hook got stuck.

    Attributes:
        left: Seconds from the answer's arrival to the deadline; negative or None where it was late.
        failed: It was one answer, and said FAILED.
        made: Objects that were made.
    """

    hook: str
    left: float | None
    failed: bool
    made: int

    @property
    def is_right(self) -> bool:
        """Tell whether CloudFormation was told in time."""
        return self.failed and self.left is not None and self.left > 0 and self.made <= 1


def run(world: World, times: int) -> bool:
    """Get stuck so many times, print a table, and tell whether each was answered in time."""
    hooks = [name for _, name in zip(range(times), list(HOOKS) * times, strict=False)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = list(threads.map(lambda hook: _once(world, hook), hooks))
    print(f"| stuck in, Timeout {TIMEOUT:g} s | FAILED in time | left: least | median | most |")
    print("| --- | --: | --: | --: | --: |")
    for hook, name in HOOKS.items():
        _tell(name, [run for run in runs if run.hook == hook])
    _tell("all", runs)
    wrong = [run for run in runs if not run.is_right]
    for fault in wrong:
        print(f"WRONG: {fault}")
    return not wrong


def _once(world: World, hook: str) -> Run:
    way = Way(name=hook, hook=hook, timeout=TIMEOUT)
    with Scene(way, OURS, world) as scene:
        took, answers = scene.deliver_once()
        left = None if took is None else TIMEOUT - took
        failed = ["FAILED"] == [answer["Status"] for answer in answers]
        return Run(hook, left, failed, len(scene.api.created))


def _tell(name: str, runs: Sequence[Run]) -> None:
    left = [run.left for run in runs if run.left is not None]
    if left:
        right = sum(run.is_right for run in runs)
        figures = (min(left), statistics.median(left), max(left))
        told = " | ".join(f"{figure:.2f} s" for figure in figures)
        print(f"| {name} | {right} of {len(runs)} | {told} |")
    elif runs:
        print(f"| {name} | 0 of {len(runs)} | | | |")
