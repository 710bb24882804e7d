"""What came of the month: a table, `report.json`, a chart as SVG and PNG, and one page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ROOT
from .._figures import table
from . import NAMES
from ._chart import Bar, chart, to_png, to_svg
from ._page import page
from ._plan import START, Plan

LEDGERS = {
    "cfn_once": "ledgers in SQLite, synchronous=NORMAL",
    "crhelper": "remembers nothing",
    "powertools": "records in SQLite, synchronous=NORMAL, kept for an hour",
}
HEAD = (
    "",
    "creates asked for",
    "objects made",
    "left",
    "duplicates suppressed",
    "object-hours",
    "cost",
    "for what is left",
    "seconds",
    "of a processor",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was counted.

    Attributes:
        results: What came of each provider.
        price: Dollars per object and hour.
        seconds: How long this run took; less than the whole where it went on from an earlier one.
        versions: Of the libraries beside ours.
    """

    plan: Plan
    results: Mapping[str, Mapping[str, Any]]
    price: float
    seconds: float
    versions: Mapping[str, str]

    @property
    def kept(self) -> bool:
        """Tell whether cfn-once made one object for each create, and left none."""
        ours = self.results["cfn_once"]
        return ours["objects_created"] == self.plan.creates and ours["objects_left"] == 0

    def days(self) -> list[dict[str, int]]:
        """Return creates and duplicates for each 24 hours: the same for every provider."""
        days = next(iter(self.results.values()))["days"]
        return [{name: day[name] for name in ("day", "creates", "duplicates")} for day in days]

    def rows(self) -> list[Sequence[str]]:
        """Return the table, under `HEAD`."""
        return [
            (
                NAMES[name],
                f"{self.plan.creates:,}",
                f"{result['objects_created']:,}",
                f"{result['objects_left']:,}",
                f"{result['duplicates_suppressed']:,}",
                f"{result['object_hours']:,.0f}",
                self._dollars(result["object_hours"]),
                self._dollars(result["object_hours_left"]),
                f"{result['seconds']:,.0f}",
                f"{result['cpu_seconds']:,.0f}",
            )
            for name, result in self.results.items()
        ]

    def _dollars(self, hours: float) -> str:
        return f"${hours * self.price:,.2f}"

    def to_json(self) -> dict[str, Any]:
        providers = {}
        for name, result in self.results.items():
            told = {part: value for part, value in result.items() if part != "checksum"}
            told["seconds"] = round(result["seconds"], 1)
            told["cpu_seconds"] = round(result["cpu_seconds"], 1)
            told["cost"] = round(result["object_hours"] * self.price, 2)
            told["cost_left"] = round(result["object_hours_left"] * self.price, 2)
            told["keeps"] = LEDGERS[name]
            providers[name] = told
        return {
            "creates": self.plan.creates,
            "multiples": self.plan.multiples,
            "triples": self.plan.triples,
            "plan": self.plan.to_json(),
            "price_per_object_hour": self.price,
            "seconds": round(self.seconds, 1),
            "versions": dict(self.versions),
            "days": self.days(),
            "providers": providers,
        }


def write(figures: Figures, folder: Path) -> str:
    """Write all files, and return what is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = chart([Bar(START, **day) for day in figures.days()])
    svg = to_svg(drawn)
    (folder / "report.json").write_text(json.dumps(figures.to_json(), indent=2) + "\n")
    (folder / "chart.svg").write_text(svg)
    to_png(drawn, folder / "chart.png")
    html = page(figures.plan, svg, HEAD, figures.rows(), figures.results, LEDGERS, figures.price)
    (folder / "index.html").write_text(html)
    place = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    kept = "one object a create, none left" if figures.kept else "BROKEN: see the table"
    return "\n".join(
        [
            table(HEAD, figures.rows()),
            "",
            *(f"{NAMES[name]}: {LEDGERS[name]}" for name in figures.results),
            f"at ${figures.price:g} per object and hour; {figures.seconds:,.0f} s in this run",
            f"cfn-once: {kept}",
            f"{place}/report.json, chart.svg, chart.png, index.html",
        ]
    )
