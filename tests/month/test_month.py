"""The founding month, a day of it: what each provider makes of the same events."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks.month._logs import kinds_of
from benchmarks.month._plan import Delivery, Plan
from benchmarks.month._report import Figures, write
from benchmarks.month._run import run
from benchmarks.month._worker import STOPPED
from PIL import Image

from cfn_once.cli.invocations import read
from cfn_once.cli.log_lines import lines_of

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
PEERS = ROOT / ".venv-peers" / "bin" / "python"
OURS = {"cfn_once": sys.executable, "crhelper": sys.executable}  # crhelper is here for its adapter
needs_peers = pytest.mark.skipif(
    not PEERS.exists(), reason="no .venv-peers: `make bench` or `make month` makes it"
)


def replayed(plan, folder, pythons):
    """Return what came of it, without the times that it took."""
    results = run(plan, folder / "state", pythons, told=io.StringIO())
    for result in results.values():
        del result["seconds"], result["cpu_seconds"]
    return results


def test_diagnose_finds_every_duplicate_of_a_day_and_names_it_right(tmp_path):
    """
    In the log of a day of about 17,000 creates `cfn-once diagnose` finds each create that was
    delivered again, names why as the log was written, finds none besides, and takes no 20 s.
    """
    plan, log = Plan(days=1, rate=0.005), tmp_path / "day.jsonl"
    run(plan, tmp_path / "state", {"cfn_once": sys.executable}, told=io.StringIO(), logs=log)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cfn_once", "diagnose", "--json", "--file", log],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - began
    told = json.loads(done.stdout)
    found = {
        request["request"]: [again["kind"] for again in request["again"]]
        for request in told["repeated"]
    }

    assert 17_280 == plan.creates
    assert plan.multiples > 50
    assert found == {
        plan.event(Delivery(0, stack, "Create", 0))["RequestId"]: kinds
        for stack, kinds in kinds_of(plan).items()
    }
    assert plan.size == told["deliveries"]
    assert {600} == {round(again["gap_seconds"]) for again in _again(told)}
    assert [] == [again for again in _again(told) if again["may_have_acted_twice"]]
    print(f"\n{seconds:.1f} s for {plan.creates:,} creates")
    assert seconds < 20


def _again(told):
    return [again for request in told["repeated"] for again in request["again"]]


def made_and_left(figures):
    return tuple(
        figures[name] for name in ("objects_created", "objects_left", "duplicates_suppressed")
    )


@pytest.fixture(scope="module")
def day():
    return Plan(days=1, every=100, rate=0.02)


@pytest.fixture(scope="module")
def of_the_day(day, tmp_path_factory):
    return replayed(day, tmp_path_factory.mktemp("day"), OURS)


def test_a_day_makes_one_object_a_create_and_leaves_none(day, of_the_day):
    """cfn-once: as many objects as creates, whatever comes again; crhelper: one more a copy."""
    copies = sum(day.copies.values())

    assert 864 == day.creates
    assert copies > 10
    assert (864, 0, copies) == made_and_left(of_the_day["cfn_once"])
    assert (864 + copies, copies, 0) == made_and_left(of_the_day["crhelper"])


def test_the_same_seed_gives_the_same_result(tmp_path):
    """Two runs differ in nothing but the time that they took."""
    plan = Plan(days=0.01, rate=0.1)
    ours = {"cfn_once": sys.executable}
    one, other = (replayed(plan, tmp_path / name, ours) for name in "ab")

    assert one == other
    assert 3 <= len(one["cfn_once"]["story"])


def test_a_log_that_could_not_be_written_is_refused_before_the_month(tmp_path):
    """The log is put together at the end: a folder that is not there is told of at the start."""
    for place in ("none/month.jsonl", "."):
        done = _month("--days", "0.01", "--logs", place, "--out", tmp_path / "out", cwd=tmp_path)

        assert 2 == done.returncode
        assert f"--logs {place}: name a file in a folder that is there" in done.stderr


def test_a_log_asked_for_after_a_stop_is_whole(tmp_path):
    """Where a run without a log was stopped, the same with one begins anew: no line is missing."""
    plan = Plan(days=0.03, rate=0.02)
    asked = {"provider": "cfn_once", "plan": plan.to_json(), "share": 0, "shares": 1}
    asked["folder"] = str(tmp_path / "stopped")
    with _worker() as worker:
        worker.stdin.write(json.dumps(asked) + "\n")
        worker.stdin.close()
        worker.stdout.readline()  # where it begins
        worker.stdout.readline()  # its first delivery
        worker.send_signal(signal.SIGINT)
        worker.stdout.read()
    with _worker() as again:
        again.communicate(json.dumps({**asked, "logs": True}) + "\n")
    told = read(lines_of((tmp_path / "stopped" / "logs.jsonl").read_text().splitlines()))

    assert STOPPED == worker.returncode
    assert plan.size == len(told.deliveries)


@needs_peers
def test_the_flag_writes_a_log_in_which_diagnose_finds_what_came_again(tmp_path):
    """`make month ARGS='--logs FILE'` is this command: beside the report it leaves the log."""
    asked = ("--days", "0.02", "--rate", "0.05", "--out", tmp_path / "out")
    done = _month(*asked, "--logs", "month.jsonl", cwd=tmp_path)
    diagnosed = subprocess.run(
        [sys.executable, "-m", "cfn_once", "diagnose", "--json", "--file", "month.jsonl"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    plan = Plan(days=0.02, rate=0.05)

    assert 0 == done.returncode, done.stderr
    assert {plan.event(Delivery(0, stack, "Create", 0))["RequestId"] for stack in plan.copies} == {
        request["request"] for request in json.loads(diagnosed.stdout)["repeated"]
    }


def _month(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.month", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_peers
def test_powertools_suppresses_what_comes_within_its_hour_and_no_more(tmp_path):
    """Copies after ten minutes are suppressed by both; after two hours by cfn-once alone."""
    pythons = {"cfn_once": sys.executable, "powertools": str(PEERS)}
    soon = replayed(Plan(days=0.02, rate=0.05), tmp_path / "soon", pythons)
    plan = Plan(days=0.02, rate=0.05, delay=7_200)
    late, copies = replayed(plan, tmp_path / "late", pythons), sum(plan.copies.values())

    assert (345, 0, copies) == made_and_left(soon["powertools"])
    assert (345 + copies, copies, 0) == made_and_left(late["powertools"])
    assert (345, 0, copies) == made_and_left(late["cfn_once"])


def test_copies_that_come_while_the_stack_is_there_get_the_same_answer(tmp_path):
    """Ten seconds after the create each copy is told the id that CloudFormation holds already."""
    plan = Plan(days=0.02, rate=0.05, delay=10)
    ours = replayed(plan, tmp_path, {"cfn_once": sys.executable})["cfn_once"]
    creates = [row for row in ours["story"] if row["request_type"] == "Create"]

    assert (345, 0, sum(plan.copies.values())) == made_and_left(ours)
    assert 0 == ours["deliveries_without_answer"]
    assert 1 == len({row["answer"] for row in creates})
    assert 2 <= len(creates)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_comes_to_what_a_whole_one_comes_to(how, tmp_path):
    """After Ctrl-C it goes on where it stood; after a sudden death it begins anew."""
    plan = Plan(days=0.03, rate=0.02)
    asked = {"provider": "cfn_once", "plan": plan.to_json(), "share": 0, "shares": 1}
    asked["folder"] = str(tmp_path / "stopped")
    whole = replayed(plan, tmp_path, {"cfn_once": sys.executable})["cfn_once"]
    with _worker() as worker:
        worker.stdin.write(json.dumps(asked) + "\n")
        worker.stdin.close()
        worker.stdout.readline()  # where it begins
        worker.stdout.readline()  # its first delivery
        worker.send_signal(how)
        worker.stdout.read()
    kept = json.loads((tmp_path / "stopped" / "checkpoint.json").read_text())
    with _worker() as again:
        told, _ = again.communicate(json.dumps(asked) + "\n")
    first, *_, last = (json.loads(line) for line in told.splitlines())
    result, stood = last["result"], kept["position"] if how is signal.SIGINT else 0

    assert (STOPPED if how is signal.SIGINT else -how) == worker.returncode
    assert (how is signal.SIGINT) == (0 < kept["position"] < plan.size)
    assert stood == first["position"]
    assert 0 == again.returncode
    assert made_and_left(whole) == made_and_left(result)
    assert whole["checksum"] == result["checksum"]
    assert whole["object_hours"] == pytest.approx(result["object_hours"])


def _worker():
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.month._worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_report_tells_it_in_json_a_chart_and_one_page(day, of_the_day, tmp_path):
    """The figures by their names; a bar a day; a page that loads nothing from elsewhere."""
    results = {
        name: {**pair, "seconds": 1.0, "cpu_seconds": 1.0} for name, pair in of_the_day.items()
    }
    printed = write(Figures(day, results, 0.10, 2.0, {"crhelper": "2"}), tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    bars = ET.fromstring((tmp_path / "chart.svg").read_text()).findall(
        ".//{*}rect[@fill='#4c78a8']"
    )
    page = (tmp_path / "index.html").read_text()
    left = report["providers"]["crhelper"]

    assert [864, day.multiples] == [report["creates"], report["multiples"]]
    assert {"objects_created": 864, "objects_left": 0, "seconds": 1.0}.items() <= report[
        "providers"
    ]["cfn_once"].items()
    assert left["cost_left"] == pytest.approx(left["object_hours_left"] * 0.10, abs=0.01)
    assert left["cost_left"] > 1
    assert 1 <= len(bars) <= 2
    assert (1920, 840) == Image.open(tmp_path / "chart.png").size
    assert "the same event again: the stack is gone" in page
    assert not [word for word in ("src=", "href=", "@import", "<script") if word in page]
    assert "one object a create, none left" in printed


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
def test_a_browser_shows_the_page(day, of_the_day, tmp_path):
    """A browser finds the chart, the table and the story, and lets nothing run out of the page."""
    results = {
        name: {**pair, "seconds": 1.0, "cpu_seconds": 1.0} for name, pair in of_the_day.items()
    }
    write(Figures(day, results, 0.10, 2.0, {"crhelper": "2"}), tmp_path)
    shot, page = tmp_path / "page.png", tmp_path / "index.html"
    measured = tmp_path / "measured.html"
    measured.write_text(page.read_text().replace("</body>", f"{MEASURE}</body>"))
    told = browse(f"--screenshot={shot}", "--window-size=1200,1600", page.as_uri(), home=tmp_path)
    seen = json.loads(
        ET.fromstring(
            re.search(
                "<pre id=.measured.>.*?</pre>",
                browse("--dump-dom", "--window-size=1200,1600", measured.as_uri(), home=tmp_path),
            )[0]
        ).text
    )
    colours = {colour for _, colour in Image.open(shot).convert("RGB").getcolors(1 << 20)}

    assert "ERROR" not in told
    assert (0x4C, 0x78, 0xA8) in colours  # a bar of the chart
    assert seen["chart"][0] > 600
    assert seen["chart"][1] > 200
    assert seen["rows"] >= len(results)
    assert "the same event again: the stack is gone" in seen["text"]
    assert seen["width"] <= 1200


def browse(*arguments, home):
    """Run Chromium without a window, and return what it prints."""
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={home / 'browser'}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


MEASURE = """<script>
const chart = document.querySelector("svg").getBoundingClientRect();
const told = document.createElement("pre");
told.id = "measured";
told.textContent = JSON.stringify({
  chart: [chart.width, chart.height],
  rows: document.querySelectorAll("table tbody tr").length,
  text: document.body.innerText,
  width: document.documentElement.scrollWidth,
});
document.body.append(told);
</script>"""


def test_a_broken_promise_is_told(day, of_the_day):
    """The run fails where cfn-once leaves an object."""
    broken = {**of_the_day["cfn_once"], "objects_left": 1}
    results = {**of_the_day, "cfn_once": broken}

    assert not Figures(day, results, 0.10, 2.0, {}).kept
    assert Figures(day, of_the_day, 0.10, 2.0, {}).kept
