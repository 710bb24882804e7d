"""
Fuzz events and ResponseURLs: nothing unexpected is raised, told or sent, and nothing secret shown.

    python tests/fuzz/fuzz.py [--seed S] [--events N] [--urls N] [--seconds N] [--repeat BATCH]

Two processes draw batches of forty events, each from a seed of its own: they go to the provider,
to a queue of it, to its entry and to the guardian. What is found names its batch, such as
`7:queue:12`; `--repeat 7:queue:12` plays that one again, in whichever process it was. The run ends
with exit status 1 where anything was found, and where the time was over before the number was
reached.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a program: imports begin in the folder above
    sys.path[:1] = [str(Path(__file__).resolve().parents[1])]

from fuzz.rig import Figures, Rig
from fuzz.routes import Batch, check_urls

REPORT = Path(__file__).resolve().parents[2] / "build" / "fuzz" / "report.json"
# Of 20 batches: an answer over a socket takes ten times as long as one in the process.
ROUTES = [*["provider"] * 11, *["queue"] * 7, "entry", "guardian"]
PROCESSES = 2
URLS = 1000  # a batch
MOST = 12  # findings printed, one of a kind first


def main() -> int:
    options = _options()
    if options.repeat:
        return _repeat(options.repeat)
    print(f"seed {options.seed}: {options.events} events, {options.urls} URLs", flush=True)
    until = time.monotonic() + options.seconds
    arguments = [
        (options.seed, number, options.events // PROCESSES, options.urls // PROCESSES, until)
        for number in range(PROCESSES)
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        parts = pool.starmap(work, arguments)
    report = _report(parts)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"seed": options.seed, **report}, indent=1), encoding="utf-8")
    return _print(report, options)


def work(seed: int, number: int, events: int, urls: int, until: float) -> Figures:
    """Fuzz in this process; the second one takes itself for a Lambda function."""
    figures = Figures()
    rig = Rig(figures, in_lambda=number == 1)
    try:
        for batch in count(number, PROCESSES):
            route = ROUTES[batch // PROCESSES % len(ROUTES)]
            if figures.urls < urls:
                check_urls(rig, f"{seed}:urls:{batch}", URLS)
            if sum(figures.events.values()) < events:
                Batch(rig, route, f"{seed}:{route}:{batch}").run()
            is_done = sum(figures.events.values()) >= events and figures.urls >= urls
            if is_done or time.monotonic() > until:
                return figures
    finally:
        rig.close()
    raise AssertionError("there is always a next batch")


def _repeat(name: str) -> int:
    seed, route, batch = name.split(":")[:3]
    figures = Figures()
    rig = Rig(figures, in_lambda=int(batch) % PROCESSES == 1)
    try:
        if route == "urls":
            check_urls(rig, f"{seed}:urls:{batch}", URLS)
        else:
            Batch(rig, route, f"{seed}:{route}:{batch}").run()
    finally:
        rig.close()
    for finding in figures.findings:
        print(f"{finding.kind} at {finding.where}\n    {finding.what}")
    return bool(figures.findings)


def _report(parts: list[Figures]) -> dict[str, Any]:
    events: Counter[str] = Counter()
    for part in parts:
        events.update(part.events)
    findings = [finding for part in parts for finding in part.findings]
    return {
        "events": dict(events),
        "answers": sum(part.answers for part in parts),
        "urls": sum(part.urls for part in parts),
        "accepted": sum(part.accepted for part in parts),
        "found": dict(Counter(finding.kind for finding in findings)),
        "findings": [finding._asdict() for finding in findings],
    }


def _print(report: dict[str, Any], options: argparse.Namespace) -> int:
    number, found = sum(report["events"].values()), report["found"]
    spread = ", ".join(f"{name} {events}" for name, events in sorted(report["events"].items()))
    print(f"events {number} ({spread}), answers {report['answers']}")
    print(f"URLs {report['urls']}, accepted {report['accepted']}")
    kinds = ("unexpected", "too large", "accepted", "sent elsewhere")
    print(", ".join(f"{kind} {found.get(kind, 0)}" for kind in kinds), end=", ")
    print(f"secrets {sum(n for kind, n in found.items() if kind.startswith('secret'))}")
    shown: Counter[str] = Counter()
    for finding in report["findings"]:
        shown[finding["kind"]] += 1
        if shown[finding["kind"]] <= MOST // 4:
            print(f"{finding['kind']} at {finding['where']}\n    {finding['what']}")
    is_short = number < options.events or report["urls"] < options.urls
    if is_short:
        print(f"the time was over: there should be {options.events} events, {options.urls} URLs")
    return 1 if found or is_short else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=210_000)
    parser.add_argument("--urls", type=int, default=120_000)
    parser.add_argument("--seconds", type=float, default=110.0)
    parser.add_argument("--repeat", default="", help="a batch, such as 1:queue:12")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
