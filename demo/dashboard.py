"""
Draw `templates/dashboard.yaml` from a log, as CloudWatch would: `python -m demo.dashboard`.

Its widgets are read from the template, and their metrics are computed from the lines that a
function has printed. Charts of metrics and of logs are drawn, tables are not.
"""

import argparse
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "templates" / "dashboard.yaml"
PICTURE = ROOT / "docs" / "images" / "dashboard.png"
HOUR = 3_600  # the period that CloudWatch itself picks for a week
COLUMNS, ROW = 24, 6  # of the dashboard; every chart is as high as a row
COLOURS = ("#1f77b4", "#ff7f0e", "#d62728", "#2ca02c")
Points = dict[int, float]  # values by the beginnings of their periods, in seconds since 1970


def body() -> dict[str, Any]:
    """Return the dashboard's body."""
    template, problems = decode(str(TEMPLATE))
    assert not problems
    found: dict[str, Any] = json.loads(
        template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    )
    return found


def points(lines: Iterable[Mapping[str, Any]], metric: str, stat: str, period: int) -> Points:
    """Return a metric's values over each period in which it has any."""
    values: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        if metric in line:
            at = line["_aws"]["Timestamp"] // 1_000
            values[at - at % period].append(line[metric])
    return {at: _statistic(values[at], stat) for at in sorted(values)}


def _statistic(values: list[float], stat: str) -> float:
    if stat == "Sum":
        return sum(values)
    if stat == "Maximum":
        return max(values)
    share = float(stat.removeprefix("p")) / 100
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def series(properties: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what a widget of metrics shows: label, points, and whether on the right axis."""
    named, shown = {}, []
    period = max(properties["period"], HOUR)
    for metric in properties["metrics"]:
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        if "expression" in options:
            drawn = _quotient(options["expression"], named)
        else:
            stat = options.get("stat", properties.get("stat"))
            drawn = points(lines, metric[1], stat, period)
        named[options.get("id", options.get("label"))] = drawn
        if options.get("visible", True):
            shown.append((options["label"], drawn, options.get("yAxis") == "right"))
    return shown


def _quotient(expression: str, named: Mapping[str, Points]) -> Points:
    """Evaluate `FACTOR * FILL(A, 0) / B`, the only form that the dashboard has."""
    form = r"(\d+) \* FILL\((\w+), 0\) / (\w+)"
    factor, above, below = re.fullmatch(form, expression).groups()
    return {at: int(factor) * named[above].get(at, 0) / value for at, value in named[below].items()}


def by_hour(lines: Iterable[Mapping[str, Any]]) -> Points:
    """Return the creates by hour, as the query of that widget counts them."""
    creates = [line for line in lines if line["request_type"] == "Create"]
    return points(creates, "Deliveries", "Sum", HOUR)


def draw(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the widgets where the dashboard has them."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.dates
    from matplotlib import pyplot as plt

    widgets = [widget for widget in body()["widgets"] if _is_chart(widget)]
    rows = max(widget["y"] + widget["height"] for widget in widgets) // ROW
    figure = plt.figure(figsize=(15, rows * 3.4))
    for widget in widgets:
        left, bottom = widget["x"] / COLUMNS, 1 - (widget["y"] // ROW + 1) / rows
        width, height = widget["width"] / COLUMNS, 1 / rows
        axes = figure.add_axes((left + 0.03, bottom + 0.05, width - 0.06, height - 0.12))
        axes.set_title(widget["properties"]["title"], loc="left", fontsize=11)
        if widget["type"] == "log":
            _bars(axes, by_hour(lines))
        else:
            _lines(axes, widget["properties"], lines)
        locator = matplotlib.dates.AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(matplotlib.dates.DateFormatter("%d %b"))
        axes.tick_params(labelsize=8)
        axes.grid(axis="y", color="#e5e5e5")
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=72, metadata={"Software": None})
    plt.close(figure)


def _is_chart(widget: Mapping[str, Any]) -> bool:
    kind, properties = widget["type"], widget["properties"]
    return kind == "metric" or (kind == "log" and properties["view"] == "bar")


def _days(at: Iterable[int]) -> list[float]:
    """Return moments in days since 1970, as matplotlib counts them."""
    return [seconds / 86_400 for seconds in at]


def _with_gaps(drawn: Points, period: int) -> Points:
    """Return the points with none where a period has no data: no line is drawn across it."""
    if not drawn:
        return {}
    every = range(min(drawn), max(drawn) + 1, period)
    return {at: drawn.get(at, math.nan) for at in every}


def _bars(axes: Any, drawn: Points) -> None:
    axes.bar(_days(drawn), list(drawn.values()), width=0.8 * HOUR / 86_400, color=COLOURS[0])


def _lines(axes: Any, properties: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    right, is_daily = None, properties["period"] >= 86_400
    handles = []
    for colour, (label, drawn, is_right) in zip(COLOURS, series(properties, lines), strict=False):
        if is_right and right is None:
            right = axes.twinx()
            right.set_ylabel("%", fontsize=8)
            right.tick_params(labelsize=8)
        on = right if is_right else axes
        style = "o-" if is_daily else ".-"
        gapped = _with_gaps(drawn, max(properties["period"], HOUR))
        handles += on.plot(
            _days(gapped), list(gapped.values()), style, color=colour, label=label, ms=4, lw=1
        )
    for line in properties.get("annotations", {}).get("horizontal", ()):
        handles.append(
            axes.axhline(line["value"], color="#d62728", ls="--", lw=1, label=line["label"])
        )
    axes.legend(handles=handles, fontsize=8, frameon=False, loc="upper left")
    for on, room in ((axes, 1.35), (right, 1.6)):  # for the legend, above what is drawn
        if on is not None:
            on.set_ylim(bottom=0, top=on.get_ylim()[1] * room)


def main() -> None:
    """Draw it, from a file of JSON lines or from a week in virtual time."""
    parser = argparse.ArgumentParser(prog="python -m demo.dashboard", description=__doc__)
    parser.add_argument("log", nargs="?", type=Path, help="lines of metrics; a week, if not given")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the picture (%(default)s)")
    options = parser.parse_args()
    if options.log:
        texts = options.log.read_text().splitlines()
    else:
        from . import week

        texts = list(week.lines())
    draw([json.loads(text) for text in texts if '"_aws"' in text], options.out)
    print(f"{len(texts):,} lines: {options.out}")


if __name__ == "__main__":
    main()
