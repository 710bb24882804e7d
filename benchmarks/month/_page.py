"""One page that needs nothing else: chart, table, and the story of one duplicate."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from . import NAMES
from ._plan import Plan

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
svg { width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { padding: 0.35rem 0.6rem; border-bottom: 1px solid #ddd; text-align: right;
         vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
.story th, .story td { text-align: left; }
.again td { background: #fff3f3; }
code { font-size: 0.85em; }
"""


def page(
    plan: Plan,
    svg: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    results: Mapping[str, Mapping[str, Any]],
    keeps: Mapping[str, str],
    price: float,
) -> str:
    """Return the page."""
    share = plan.multiples / plan.creates
    kept = "".join(f"<li>{escape(NAMES[name])}: {escape(keeps[name])}</li>" for name in results)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The founding month, replayed</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>The founding month, replayed</h1>
<p>{plan.creates:,} stacks were created and deleted, one every {plan.every} s of virtual time.
{plan.multiples} creates ({share:.4%}) were delivered more than once, {plan.triples} of them three
times, {plan.delay} s apart. The three providers got the same events.</p>
{svg}
<div class="wide">
{_table(head, rows)}
</div>
<p>An object that nobody deletes is there to the month's end. Each costs ${price:g} an hour.</p>
<ul>{kept}</ul>
<h2>The story of one duplicate</h2>
{_story(results)}
<p>This run delivers what the 2017 study counted. It does not show why Lambda or CloudFormation
deliver twice, nor what happens when a process dies half-way or two copies run at once.</p>
</body>
</html>
"""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>"


def _story(results: Mapping[str, Mapping[str, Any]]) -> str:
    told = [result["story"] for result in results.values()]
    if not told[0]:
        return "<p>No create came twice in this part of the month.</p>"
    heads = "".join(f"<th>{escape(NAMES[name])}</th>" for name in results)
    lines = []
    gone = False
    for same in zip(*told, strict=True):
        event = same[0]
        cells = "".join(f"<td>{_cell(row)}</td>" for row in same)
        kind = ' class="again"' if event["copy"] else ""
        at = time.strftime("%d %B, %H:%M:%S", time.gmtime(event["at"]))
        lines.append(f"<tr{kind}><td>{at}</td><td>{_what(event, gone=gone)}</td>{cells}</tr>")
        gone = gone or event["request_type"] == "Delete"
    rows = "\n".join(lines)
    return (
        f"<p>Stack <code>mock-elastigroup-{told[0][0]['stack']:06d}</code>, the first of the month"
        " whose Create came again.</p>\n"
        f'<div class="wide"><table class="story">\n<thead><tr><th>Virtual time</th><th>Event</th>'
        f"{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _what(event: Mapping[str, Any], *, gone: bool) -> str:
    said = f"{event['request_type']} <code>{event['request_id'][:8]}…{event['request_id'][-2:]}"
    said += "</code>"
    if event["copy"]:
        said += ", the same event again"
        said += ": the stack is gone" if gone else ""
    return said


def _cell(delivery: Mapping[str, Any]) -> str:
    if delivery["request_type"] == "Delete":
        done = "group deleted"
    elif delivery["made"]:
        done = f"group <code>{escape(delivery['answer'] or '')}</code> made"
    else:
        done = "nothing made"
    answer = "no answer is due, and none is sent" if delivery["answer"] is None else "answered"
    return f"{done}; {answer}; {delivery['there']} there"
