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
from ._figures import Measured

NAMES = ("duplicates", "import_time", "init_time", "round_trips", "in_process")
REPORT = ROOT / "build" / "bench" / "report.json"


def main() -> int:
    """Return 1 where a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = parser.parse_args().names or list(NAMES)
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
    print(f"\n{REPORT.relative_to(ROOT)}: {'every bar is met' if good else 'a bar is MISSED'}")
    return 0 if good else 1


def _earlier() -> dict[str, Any]:
    """Return the report so far: a run of some figures keeps the others."""
    try:
        kept = json.loads(REPORT.read_text())
        return {part: dict(kept[part]) for part in ("figures", "details")}
    except (OSError, ValueError, KeyError):
        return {"figures": {}, "details": {}}


if __name__ == "__main__":
    sys.exit(main())
