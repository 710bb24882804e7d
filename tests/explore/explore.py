"""
Explore the shipped code to its last interleaving, and show that every seeded bug is caught.

    python tests/explore/explore.py            the standard spaces: minutes
    python tests/explore/explore.py --deep     all of them: an hour at most
    python tests/explore/explore.py --full     also what shows nothing new: four times as long
    python tests/explore/explore.py --replay 'NAME OF A SPACE' 0.0.2.1

Prints a table, and writes build/explore/report.json. A broken law is told as the shortest schedule
that breaks it, with the line that replays it.
"""

import argparse
import json
import multiprocessing
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[0] = str(HERE.parents[1])  # tests, as the test runner has it; this file is not `explore`

from explore.mutants import MUTANTS, Mutant  # noqa: E402 - found by the line above
from explore.spaces import SPACES, Space  # noqa: E402 - as above

REPORT = HERE.parents[2] / "build" / "explore" / "report.json"
LONGEST = {False: 240.0, True: 1500.0}  # processor seconds for one space: standard, deep


def explore(job: tuple[Space, float, bool]) -> dict[str, Any]:
    """Explore one space; all that is told of it is text and numbers."""
    space, seconds, full = job
    explorer = space.explorer(full=full)
    verdict = explorer.search(seconds=seconds)
    missing = sorted(set(space.reaches) - verdict.marks)
    result = {
        "name": space.name,
        "states": verdict.states,
        "moves": verdict.moves,
        "seconds": round(verdict.seconds, 1),
        "reached": sorted(verdict.marks),
        "verdict": "holds",
    }
    if verdict.law:
        result["verdict"] = f"BROKEN {verdict.law}"
        result["story"] = list(explorer.story(verdict.schedule))
        schedule = ".".join(map(str, verdict.schedule))
        again = ["--replay", space.name, schedule, *(["--full"] if full else [])]
        result["replay"] = shlex.join(again)
    elif not verdict.complete:
        result["verdict"] = "not exhausted"
    elif missing:
        result["verdict"] = f"NEVER REACHED {', '.join(missing)}"
    return result


def hunt(mutant: Mutant) -> dict[str, Any]:
    """Let a seeded bug be caught, in a space where all laws hold without it."""
    verdict = mutant.explorer().search()
    without = mutant.space.explorer().search()
    caught = mutant.is_seen_by(verdict.law) and without.complete
    return {
        "name": mutant.name,
        "seeded": mutant.seeded,
        "caught": bool(verdict.law) and caught,
        "law": verdict.law or "no law broken",
        "states": verdict.states,
        "states_without": without.states,
        "without": without.law or "holds",
    }


def in_parallel(work: Any, jobs: Sequence[Any], processes: int) -> Iterator[dict[str, Any]]:
    """Do each job in a process of its own, so that its memory goes with it."""
    SPACES[0].explorer().search()  # loads what every one of them would load anew
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap(work, jobs, chunksize=1)


def main() -> int:
    """Explore, print and report; returns how much is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--deep", action="store_true", help="the large spaces, too")
    parser.add_argument("--full", action="store_true", help="states that show nothing new, too")
    parser.add_argument("--only", default="", help="spaces and bugs with this in their name")
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, 2))
    parser.add_argument("--replay", nargs=2, metavar=("SPACE", "SCHEDULE"))
    given = parser.parse_args()
    if given.replay:
        return replay(*given.replay, full=given.full)
    begun = time.monotonic()
    spaces = [s for s in SPACES if (given.deep or not s.deep) and given.only in s.name]
    results = []
    print(f"{'space':<78} {'states':>9} {'seconds':>8}  verdict; reached")
    jobs = [(space, LONGEST[given.deep], given.full) for space in spaces]
    for result in in_parallel(explore, jobs, given.processes):
        results.append(result)
        reached = ", ".join(result["reached"])
        row = f"{result['name']:<78} {result['states']:>9,} {result['seconds']:>8.1f}"
        print(f"{row}  {result['verdict']}; {reached}", flush=True)
        tell(result)
    print(f"\n{'seeded bug':<70} {'seen at':>8} {'of':>8}  by")
    mutants = []
    wanted = [mutant for mutant in MUTANTS if given.only in mutant.name]
    for result in in_parallel(hunt, wanted, given.processes):
        mutants.append(result)
        law = result["law"] if result["caught"] else f"NOT CAUGHT: {result['law']}"
        row = f"{result['name']:<70} {result['states']:>8,} {result['states_without']:>8,}"
        print(f"{row}  {law}{'' if result['without'] == 'holds' else ' ' + result['without']}")
    wrong = report(results, mutants, given.deep, time.monotonic() - begun)
    return min(wrong, 1)


def tell(result: dict[str, Any]) -> None:
    """Tell the story of a broken law, and how to see it again."""
    for line in result.get("story", ()):
        print(f"    {line}")
    if "replay" in result:
        print(f"    python tests/explore/explore.py {result['replay']}")


def report(
    results: Sequence[dict[str, Any]],
    mutants: Sequence[dict[str, Any]],
    deep: bool,
    seconds: float,
) -> int:
    """Write the report, print its sum, and return how much is wrong."""
    states = sum(result["states"] for result in results)
    violations = sum(result["verdict"].startswith("BROKEN") for result in results)
    wrong = sum(result["verdict"] != "holds" for result in results)
    caught = sum(mutant["caught"] for mutant in mutants)
    whole = {
        "states": states,
        "violations": violations,
        "deep": deep,
        "seconds": round(seconds),
        "spaces": results,
        "mutants": {"seeded": len(mutants), "caught": caught, "each": mutants},
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(
        f"\n{states:,} states in {len(results)} spaces, {violations} violations, {caught} of"
        f" {len(mutants)} seeded bugs caught, {seconds:.0f} s;"
        f" {REPORT.relative_to(HERE.parents[2])}"
    )
    return wrong + len(mutants) - caught


def replay(name: str, schedule: str, *, full: bool) -> int:
    """Tell one schedule of one space, or of one seeded bug's."""
    made: dict[str, Callable[[], Any]] = {mutant.name: mutant.explorer for mutant in MUTANTS}
    made |= {space.name: partial(space.explorer, full=full) for space in SPACES}
    for line in made[name]().story([int(choice) for choice in schedule.split(".") if choice]):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
