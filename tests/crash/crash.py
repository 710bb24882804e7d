"""
Kill real Lambda processes at random, on real engines, and see that every effect happens once.

    python tests/crash/crash.py [--seed S] [--operations N] [--engine dynamodb-local|ministack]

Real are the processes (`awslambdaric` with the example provider, the mock API, the engines), the
sockets between them, SIGKILL, SIGSTOP and SIGCONT. Not real is the time: a lease lasts as long as
Lambda's deadline, so the package's clock, Lambda's deadlines and retries and CloudFormation's
patience run ten times faster than the machine's (`--speed`). What the package leaves to a socket's
own time-out runs at the machine's pace, so no fault is a silence: connections are refused, delayed
by some milliseconds, or closed. At ten times, the five seconds in which a call of a dead process is
still expected to arrive are half a second: a machine slower than that breaks the assumption, not
the code.

CloudFormation is played by `cloudformation.py`, Lambda by `sandboxes.py`; `mischief.py` draws what
goes wrong, and `history.py` says what is counted and how. The run ends with exit status 1 and the
story of each resource concerned where a law was broken.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":  # run as a program: imports begin in the two folders above
    sys.path[:1] = [str(folder) for folder in Path(__file__).resolve().parents[1:3]]

from crash.history import Report
from crash.world import ROOT, SANDBOXES, dynamodb_local, ministack, run
from support import dynamodb_local as local
from support.ministack import MiniStack

REPORT = ROOT / "build" / "crash" / "report.json"
ENGINES = ("dynamodb-local", "ministack")
COLUMNS = (
    "operations",
    "deliveries",
    "kills",
    "expected_objects",
    "objects_created",
    "objects_left",
    "unanswered",
    "conflicting_answers",
    "guardian_answers",
    "undone_without_a_call",
)
TABLES = {
    "kinds": "requests",
    "befell": "what befell",
    "endings": "how deliveries ended",
    "refusals": "answered FAILED, though nothing in the request makes it necessary",
}
MOST_STORIES = 3  # printed; the rest lie beside the report


def main() -> int:
    """Run, print, and write the report; returns the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    print(
        f"seed {options.seed}: {options.operations} requests an engine, {SANDBOXES} deliveries at"
        f" the same time; real processes and sockets, time {options.speed:g} times as fast",
        flush=True,
    )
    engines = [options.engine] if options.engine else list(ENGINES)
    reports: dict[str, Report] = {}
    skipped: dict[str, str] = {}
    with ExitStack() as world:
        aws = world.enter_context(MiniStack())
        for name in engines:
            if name == "dynamodb-local" and (why := local.missing()):
                print(f"{name}: not run. {why}", flush=True)
                skipped[name] = why
                continue
            reports[name] = _against(name, aws, options)
    _write(options, reports, skipped)
    _print(reports)
    return 1 if not reports or any(report.violations for report in reports.values()) else 0


def _against(name: str, aws: MiniStack, options: argparse.Namespace) -> Report:
    began = time.monotonic()
    with ExitStack() as world:
        if name == "ministack":
            engine = ministack(aws)
        else:
            engine = world.enter_context(dynamodb_local())
        report = run(
            engine,
            aws,
            seed=options.seed,
            operations=options.operations,
            speed=options.speed,
            source=options.source and options.source.resolve(),
            tell=lambda text: print(f"{name}: {text}", flush=True),
        )
    print(f"{name}: done in {time.monotonic() - began:.0f} s", flush=True)
    return report


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--seed", default=time.strftime("%Y%m%d%H%M%S"), help="what all comes from")
    parser.add_argument("--operations", type=int, default=500, help="requests an engine")
    parser.add_argument("--engine", choices=ENGINES, help="one alone; both unless given")
    parser.add_argument("--speed", type=float, default=10.0, help="how much faster time runs")
    parser.add_argument(
        "--source", type=Path, help="a folder with another cfn_once, to see a bug in it caught"
    )
    return parser.parse_args()


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _write(
    options: argparse.Namespace, reports: dict[str, Report], skipped: dict[str, str]
) -> None:
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    for old in REPORT.parent.glob("story-*.txt"):
        old.unlink()
    engine = {
        name: {
            **{column: getattr(report, column) for column in COLUMNS},
            "most_at_once": report.most_at_once,
            **{table: getattr(report, table) for table in TABLES},
            "violations": report.violations,
        }
        for name, report in reports.items()
    }
    document = {"seed": options.seed, "speed": options.speed, "engine": engine, "skipped": skipped}
    REPORT.write_text(json.dumps(document, indent=2) + "\n")
    for name, report in reports.items():
        for number, story in enumerate(report.stories):
            (REPORT.parent / f"story-{name}-{number}.txt").write_text(story + "\n")


def _print(reports: dict[str, Report]) -> None:
    print(f"\n{'':24}" + "".join(f"{name:>18}" for name in reports))
    for column in (*COLUMNS, "most_at_once"):
        figures = [getattr(report, column) for report in reports.values()]
        print(f"{column:24}" + "".join(f"{figure:>18}" for figure in figures))
    for part, title in TABLES.items():
        _print_table(title, [getattr(report, part) for report in reports.values()])
    for name, report in reports.items():
        print(f"\n{name}: {len(report.violations) or 'no'} violations")
        for violation in report.violations:
            print(f"  {violation}")
        for story in report.stories[:MOST_STORIES]:
            print(f"\n{story}")
        if len(report.stories) > MOST_STORIES:
            print(f"\n{len(report.stories) - MOST_STORIES} more stories lie in {REPORT.parent}")


def _print_table(title: str, tables: Sequence[Mapping[str, int]]) -> None:
    """Print a row for each name that a table has, unless all are empty."""
    rows = dict.fromkeys(row for table in tables for row in table)
    if rows:
        print(f"\n{title}")
    for row in rows:
        numbers = "".join(f"{table.get(row, 0):>18}" for table in tables)
        print(f"  {row[:60]:60}{numbers}" if len(row) < 60 else f"  {row}\n  {'':60}{numbers}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
