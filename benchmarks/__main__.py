"""Measure every figure, or those named: `python -m benchmarks [duplicates init_time ...]`."""

import argparse
import importlib
import json
import logging
import os
import platform
import sys
from importlib.metadata import version
from typing import Any

from . import ROOT, _peers
from ._figures import Measured, indented, table

NAMES = (
    "duplicates",
    "import_time",
    "init_time",
    "package_size",
    "round_trips",
    "in_process",
    "table_write",
    "write_units",
)
REPORT = ROOT / "build" / "bench" / "report.json"
KEPT = ROOT / "benchmarks" / "figures.json"


def main() -> int:
    """Return 1 where a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--keep", action="store_true", help=f"write the figures to {KEPT.name}, for README and docs"
    )
    given = parser.parse_args()
    names = given.names or list(NAMES)
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    report = _earlier()
    report["machine"] = {
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    report["versions"] = {"cfn-once": version("cfn-once"), **_peers.versions()}
    logging.getLogger("cfn_once").setLevel(logging.CRITICAL)  # what goes wrong here is meant to
    good = True
    for name in names:
        print(f"\n{name}", flush=True)
        measured: Measured = importlib.import_module(f".{name}", __package__).run()
        for figure in measured.figures:
            print(f"  {figure}", flush=True)
        report["figures"][name] = [figure.to_json() for figure in measured.figures]
        report["details"][name] = measured.details
        good = good and all(figure.met is not False for figure in measured.figures)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\n{indented(_aims(report['figures']))}")
    if given.keep:
        units = report["details"].get("write_units")
        kept = {"figures": report["figures"], "units": units, "versions": report["versions"]}
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    print(f"\n{REPORT.relative_to(ROOT)}: {'every bar is met' if good else 'a bar is MISSED'}")
    return 0 if good else 1


def _aims(figures: dict[str, list[dict[str, Any]]]) -> str:
    """Return a table of what has an aim: what it comes to, and whether that is met."""
    rows = []
    for figure in (figure for all_ in figures.values() for figure in all_):
        if (aim := figure.get("aim")) is not None:
            value = figure["ours"] if figure["absolute"] else figure["ratio"]
            unit = figure["unit"] if figure["absolute"] else "x"
            met = "met" if value <= aim else "missed"
            rows.append((figure["name"], f"{value:.4g} {unit}", f"{aim:g} {unit}", met))
    return table(("what has an aim", "now", "aim", ""), rows)


def _earlier() -> dict[str, Any]:
    """Return the report so far: a run of some figures keeps the others."""
    try:
        kept = json.loads(REPORT.read_text())
        return {part: dict(kept[part]) for part in ("figures", "details")}
    except (OSError, ValueError, KeyError):
        return {"figures": {}, "details": {}}


if __name__ == "__main__":
    sys.exit(main())
