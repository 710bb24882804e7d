"""The dashboard's template beside what the code prints: a week of metrics, in virtual time."""

import json
import re

import pytest
from demo import dashboard, week
from PIL import Image

from support.ministack import ROOT
from unit.test_templates import template

# What Logs Insights knows of every line, and of Lambda's own.
INSIGHTS = {"@timestamp", "@type", "@requestId", "@message"}
WORDS = re.compile(r"@?[A-Za-z_][\w.]*")
KEYWORDS = set(
    "fields filter stats sort limit by as and or sum count count_distinct min max bin desc asc"
    " SOURCE h".split()
)


@pytest.fixture(scope="module")
def printed():
    return [json.loads(line) for line in week.lines()]


@pytest.fixture(scope="module")
def emitted(printed):
    """The metrics that the function has printed."""
    return {
        metric["Name"]
        for line in printed
        for about in line["_aws"]["CloudWatchMetrics"]
        for metric in about["Metrics"]
    }


@pytest.fixture(scope="module")
def resources():
    return template("dashboard")["Resources"]


@pytest.fixture(scope="module")
def widgets():
    return dashboard.body()["widgets"]


def shown(widgets):
    """The metrics of the widgets: namespace, name and dimension."""
    return [
        tuple(metric[:3])
        for widget in widgets
        if widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]
        if isinstance(metric[0], str)
    ]


def test_each_metric_is_one_that_the_code_emits(widgets, resources, emitted):
    """
    What the dashboard shows, and what its alarms watch, is printed in a week; and all that is
    printed is shown.
    """
    alarmed = {
        (alarm["Properties"]["Namespace"], alarm["Properties"]["MetricName"], dimension["Name"])
        for alarm in resources.values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
        for dimension in alarm["Properties"]["Dimensions"]
    }
    wanted = {("cfn-once", name, "FunctionName") for name in emitted}

    assert wanted == set(shown(widgets))
    assert alarmed < wanted


def test_the_dimension_is_the_one_that_is_printed(printed):
    """
    Metrics have one dimension, by which the widgets find them.
    """
    directives = [metrics for line in printed for metrics in line["_aws"]["CloudWatchMetrics"]]

    assert {"cfn-once"} == {metrics["Namespace"] for metrics in directives}
    assert all([["FunctionName"]] == metrics["Dimensions"] for metrics in directives)


def queries(widgets, resources):
    yield from (
        widget["properties"]["query"].partition("|")[2]
        for widget in widgets
        if widget["type"] == "log"
    )
    yield from (
        saved["Properties"]["QueryString"]
        for saved in resources.values()
        if saved["Type"] == "AWS::Logs::QueryDefinition"
    )


def test_each_field_of_a_query_is_one_that_is_printed(widgets, resources, printed):
    """
    Queries name fields that lines have, or names that they give themselves.
    """
    fields = {name for line in printed for name in line} | INSIGHTS | {"step"}
    found = list(queries(widgets, resources))
    for query in found:
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", query)
        own = set(re.findall(r" as (\w+)", bare))
        named = {word.split(".")[0] for word in WORDS.findall(bare)} - KEYWORDS - own

        assert named <= fields, query
    assert 6 == len(found)


def test_widgets_fill_their_rows(widgets):
    """
    No two widgets share a place, and each row is as wide as the dashboard.
    """
    taken = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(taken) == len(set(taken))
    assert len(taken) == 24 * (1 + max(y for _, y in taken))


def test_an_hour_is_drawn_where_responses_are(widgets):
    """
    Seconds to respond stand beside the hour after which CloudFormation gives up.
    """
    (widget,) = (drawn for drawn in widgets if drawn["properties"]["title"] == "Seconds to respond")

    assert [3_600] == [line["value"] for line in widget["properties"]["annotations"]["horizontal"]]


def test_every_alarm_is_in_the_alarms_widget(widgets, resources):
    """
    The last widget shows each alarm of the template; together with the provider's they cover every
    metric at which somebody has to act.
    """
    own = {name for name, thing in resources.items() if thing["Type"] == "AWS::CloudWatch::Alarm"}
    (widget,) = (drawn for drawn in widgets if drawn["type"] == "alarm")
    alarms = [*resources.values(), *template("provider")["Resources"].values()]
    watched = {
        alarm["Properties"]["MetricName"]
        for alarm in alarms
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
    }
    (somebody,) = (drawn for drawn in widgets if drawn["properties"]["title"] == "Needs somebody")

    assert own == {arn[2:-5] for arn in widget["properties"]["alarms"]}
    assert {name for _, name, _ in shown([somebody])} <= watched


def test_the_share_of_duplicates_by_hand(printed):
    """
    What is drawn is what CloudWatch would compute: a day's duplicates, and their share.
    """
    (widget,) = (
        drawn["properties"]
        for drawn in dashboard.body()["widgets"]
        if drawn["properties"]["title"].startswith("Duplicates a day")
    )
    drawn = {label: points for label, points, _ in dashboard.series(widget, printed)}
    day = min(drawn["duplicates"])
    of_day = [line for line in printed if day <= line["_aws"]["Timestamp"] // 1000 < day + 86_400]
    duplicates = sum(line.get("DuplicatesSuppressed", 0) for line in of_day)

    assert duplicates > 0
    assert duplicates == drawn["duplicates"][day]
    assert 100 * duplicates / len(of_day) == drawn["% of deliveries"][day]


def test_creates_by_hour_by_hand(printed):
    """
    A resource counts once, however often its Create is delivered; the rest are its duplicates.
    """
    creates = [line for line in printed if line["request_type"] == "Create"]
    drawn = dashboard.by_hour(printed)
    duplicates = sum(line.get("DuplicatesSuppressed", 0) for line in creates)

    assert len({line["correlation_id"] for line in creates}) == sum(drawn["creates"].values())
    assert sum(drawn["creates"].values()) < len(creates)
    assert duplicates == sum(drawn["duplicates"].values()) > 0


def test_the_tables_by_hand(printed):
    """
    The rows of a table are those that its query finds, in its order and with its columns.
    """
    doubts, failed = dashboard.in_doubt(printed), dashboard.failed(printed)
    (query, *_), (grouped, *_) = (
        [query for query in queries(dashboard.body()["widgets"], {}) if word in query]
        for word in ("StepsInDoubt > 0", "outcome = 'FAILED'")
    )
    fields = query.partition("fields ")[2].partition(" |")[0].split(", ")
    by = grouped.partition(" by ")[2].partition(" |")[0].split(", ")

    assert (*fields,) == doubts[0]
    assert (*by, "times") == failed[0]
    assert sum("StepsInDoubt" in line for line in printed) == len(doubts) - 1 > 1
    assert sorted((row[0] for row in doubts[1:]), reverse=True) == [row[0] for row in doubts[1:]]
    assert sum(line["outcome"] == "FAILED" for line in printed) == sum(
        int(row[-1]) for row in failed[1:]
    )


def test_the_picture(printed, tmp_path):
    """
    The widgets are drawn with their colours, in the size of the picture on the page.
    """
    dashboard.draw(printed, tmp_path / "new.png")
    new, kept = (Image.open(path) for path in (tmp_path / "new.png", dashboard.PICTURE))
    colours = {colour for _, colour in new.convert("RGB").getcolors(1 << 20)}

    assert new.size == kept.size
    assert {(0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E), (0xD6, 0x27, 0x28)} <= colours
    assert dashboard.PICTURE.stat().st_size < 200_000
    assert (
        str(dashboard.PICTURE.relative_to(ROOT / "docs"))
        in (ROOT / "docs" / "dashboard.md").read_text()
    )
