"""
Draw `templates/dashboard.yaml` from a log, as CloudWatch would: `python -m demo.dashboard`.

Its widgets are read from the template, and what they show is computed from the lines that a
function has printed. Of the alarms only the names are drawn: a log does not tell their states.
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "templates" / "dashboard.yaml"
PICTURE = ROOT / "docs" / "images" / "dashboard.png"
HOUR = 3_600  # the period that CloudWatch itself picks for a week
COLUMNS = 24  # of the dashboard
INCHES = (16, 0.6)  # how wide the dashboard is drawn, and how high one of its units
COLOURS = ("#1f77b4", "#ff7f0e", "#d62728", "#2ca02c")
WIDTHS = (2.6, 1.4, 0.7, 0.7)  # of lines: where two are the same, both are seen
ROWS = 7  # of a table, as many as its widget shows without scrolling
CHARACTERS, LONGEST = 98, 19  # that fit into a table, and into a column but the reason's
Row = tuple[str, ...]
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


def by_hour(lines: Iterable[Mapping[str, Any]]) -> dict[str, Points]:
    """Return the creates by hour and their duplicates, as the query of that widget counts them."""
    creates = [line for line in lines if line["request_type"] == "Create"]
    known: dict[int, set[str]] = defaultdict(set)
    for line in creates:
        at = line["_aws"]["Timestamp"] // 1_000
        known[at - at % HOUR].add(line["correlation_id"])
    return {
        "creates": {at: len(known[at]) for at in sorted(known)},
        "duplicates": points(creates, "DuplicatesSuppressed", "Sum", HOUR),
    }


def in_doubt(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of the query for steps in doubt, the newest first."""
    names = ("timestamp", "logical_resource_id", "resource_type", "request_type")
    found = [line for line in lines if line.get("StepsInDoubt", 0) > 0]
    found.sort(key=lambda line: line["_aws"]["Timestamp"], reverse=True)
    rows = [
        (*(str(line[name]) for name in names), line["in_doubt"][0], line["reason"])
        for line in found
    ]
    return [("@timestamp", *names[1:], "in_doubt.0", "reason"), *rows]


def failed(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of the query for failed requests, the most frequent first."""
    names = ("resource_type", "logical_resource_id", "reason")
    times = Counter(
        tuple(str(line.get(name, "")) for name in names)
        for line in lines
        if line["outcome"] == "FAILED"
    )
    return [(*names, "times"), *((*row, str(count)) for row, count in times.most_common())]


def draw(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the widgets where the dashboard has them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    widgets = body()["widgets"]
    units = max(widget["y"] + widget["height"] for widget in widgets)
    width, unit = INCHES
    figure = plt.figure(figsize=(width, units * unit))
    for widget in widgets:
        left, bottom = widget["x"] / COLUMNS, 1 - (widget["y"] + widget["height"]) / units
        place = (
            left + 0.03,
            bottom + 0.5 / units,
            widget["width"] / COLUMNS - 0.06,
            (widget["height"] - 1.6) / units,
        )
        axes = figure.add_axes(place)
        axes.set_title(widget["properties"]["title"], loc="left", fontsize=12, pad=24)
        _drawn(axes, widget, lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def _drawn(axes: Any, widget: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Draw what a widget shows."""
    properties = widget["properties"]
    match widget["type"], properties.get("view"):
        case "metric", _:
            _lines(axes, properties, lines)
        case "log", "bar":
            _bars(axes, by_hour(lines))
        case "log", _:
            return _table(
                axes, in_doubt(lines) if "StepsInDoubt" in properties["query"] else failed(lines)
            )
        case _:
            return _names(axes, properties["alarms"])
    _with_days(axes)


def _table(axes: Any, rows: Sequence[Row]) -> None:
    """Draw a table as a Logs Insights widget shows it: what is too long is cut."""
    axes.axis("off")
    axes.set_ylim(0, 1)
    widths = _widths(rows)
    for number, row in enumerate(rows[: ROWS + 1]):
        top, begins = 1 - number / (ROWS + 1), 0
        for cell, width in zip(row, widths, strict=True):
            axes.text(
                begins / CHARACTERS,
                top - 0.06,
                cell if len(cell) <= width else f"{cell[: width - 1]}…",
                fontsize=8.5,
                family="monospace",
                weight="normal" if number else "bold",
                transform=axes.transAxes,
            )
            begins += width + 1
        axes.axhline(top - 0.085, color="#dddddd", lw=0.8)


def _widths(rows: Sequence[Row]) -> list[int]:
    """Return how many characters each column is wide; the reason gets what the others leave."""
    widths = [min(LONGEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    reason = rows[0].index("reason")
    widths[reason] += CHARACTERS - len(widths) - sum(widths)
    return widths


def _names(axes: Any, arns: Sequence[str]) -> None:
    """Draw a box for each alarm."""
    axes.axis("off")
    for place, arn in enumerate(arns):
        name = arn.removeprefix("${").removesuffix(".Arn}")
        box = {"boxstyle": "round,pad=0.6", "facecolor": "#f4f4f4", "edgecolor": "#aaaaaa"}
        axes.text(0.005 + place * 0.1, 0.6, name, fontsize=10, bbox=box)


def _with_days(axes: Any) -> None:
    from matplotlib import dates

    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=8))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))
    axes.tick_params(labelsize=9)
    axes.grid(axis="y", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _days(at: Iterable[int]) -> list[float]:
    """Return moments in days since 1970, as matplotlib counts them."""
    return [seconds / 86_400 for seconds in at]


def _with_gaps(drawn: Points, period: int) -> Points:
    """Return the points with none where a period has no data: no line is drawn across it."""
    if not drawn:
        return {}
    every = range(min(drawn), max(drawn) + 1, period)
    return {at: drawn.get(at, math.nan) for at in every}


def _bars(axes: Any, drawn: Mapping[str, Points]) -> None:
    for colour, (label, values) in zip(COLOURS[::2], drawn.items(), strict=False):
        width = 0.8 * HOUR / 86_400
        axes.bar(_days(values), list(values.values()), width=width, color=colour, label=label)
    _legend(axes, axes.get_legend_handles_labels()[0])


def _legend(axes: Any, handles: Sequence[Any]) -> None:
    """Put the legend between the title and the chart, where it covers nothing."""
    axes.legend(
        handles=handles,
        fontsize=9,
        frameon=False,
        ncols=len(handles),
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.98),
        columnspacing=1,
        handlelength=1.4,
    )


def _lines(axes: Any, properties: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    right, is_daily = None, properties["period"] >= 86_400
    handles = []
    for colour, width, (label, drawn, is_right) in zip(
        COLOURS, WIDTHS, series(properties, lines), strict=False
    ):
        if is_right and right is None:
            right = axes.twinx()
            right.set_ylabel("%", fontsize=9)
            right.tick_params(labelsize=9)
        on = right if is_right else axes
        gapped = _with_gaps(drawn, max(properties["period"], HOUR))
        style = {"color": colour, "label": label, "lw": width, "ms": width + 2 * is_daily + 1}
        handles += on.plot(_days(gapped), list(gapped.values()), "o-", **style)
    for line in properties.get("annotations", {}).get("horizontal", ()):
        handles.append(
            axes.axhline(line["value"], color="#555555", ls="--", lw=1, label=line["label"])
        )
    _legend(axes, handles)
    for on in (axes, right):
        if on is not None:
            on.set_ylim(bottom=0, top=on.get_ylim()[1] * 1.1)


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
