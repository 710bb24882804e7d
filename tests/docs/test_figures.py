"""The figures of README and of the page of cost are those that `make bench` has measured."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = json.loads((ROOT / "benchmarks" / "figures.json").read_text())
README = (ROOT / "README.md").read_text()
MANY = "a Create of 200 steps, memory"
COST = (ROOT / "docs" / "cost.md").read_text()


def figure(group, name):
    (found,) = [kept for kept in KEPT["figures"][group] if name == kept["name"]]
    return found


def row(page, first):
    """Return the cells behind the first one of a table's row."""
    (line,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", page, re.MULTILINE)
    return [cell.strip() for cell in line.split("|")]


def beside(kept):
    return f"{kept['ours']:.0f} ms, {kept['pairs']:.2f} x"


def test_the_import():
    kept = figure("import_time", "import, fresh interpreter")

    ours, peer = row(README, "`from cfn_once import CustomResource, Provider`, processor time")

    assert beside(kept) == ours
    assert f"cfn-handler: {kept['peer']:.0f} ms" == peer


def test_lambdas_init():
    bare = figure("init_time", "Lambda init beside bare")
    crhelper = figure("init_time", "Lambda init beside crhelper")

    ours, peer = row(README, "Lambda's init with a DynamoDB ledger, processor time")

    assert beside(bare) == ours
    assert (
        f"a handler with one DynamoDB client: {bare['peer']:.0f} ms; crhelper:"
        f" {crhelper['peer']:.0f} ms, {crhelper['peer'] / bare['peer']:.2f} x" == peer
    )


def test_memory():
    kept = figure("init_time", "memory after init")

    ours, peer = row(README, "memory after init")

    assert f"{kept['ours']:.0f} MiB" == ours
    assert f"a handler with one DynamoDB client: {kept['peer']:.0f} MiB" == peer


def test_creates_in_process():
    memory, sqlite, many = (
        figure("in_process", name)["ours"]
        for name in ("a Create, memory", "a Create, SQLite, NORMAL", MANY)
    )

    one, _ = row(
        README,
        "a whole Create in process, one step: memory; SQLite that does not wait for the disk; 200"
        " steps in memory",
    )

    assert f"{memory / 1000:.1f} ms; {sqlite / 1000:.1f} ms; {many:.0f} ms" == one


def test_a_full_ledger():
    kept = figure("in_process", "a Create among 100,000 resources, SQLite, NORMAL")

    ours, peer = row(README, "the same in a SQLite ledger of 100,000 resources")

    assert f"{kept['ours'] / 1000:.1f} ms, {kept['pairs']:.2f} x" == ours
    assert f"in an empty one: {kept['peer'] / 1000:.1f} ms" == peer


def test_a_write_in_lambda():
    kept = figure("table_write", "a ledger write in Lambda, client side")

    ours, peer = row(README, "a write to a DynamoDB ledger in Lambda, our side, processor time")

    assert f"{kept['ours'] / 1000:.1f} ms, {kept['pairs']:.2f} x" == ours
    assert f"through boto3: {kept['peer'] / 1000:.1f} ms" == peer


def test_the_zip():
    kept = figure("package_size", "zip of the minimal example")

    ours, _ = row(README, "the zip of [minimal](examples/minimal/README.md)")

    assert f"{kept['ours']:.1f} MB" == ours


def test_units_of_steps():
    creates = KEPT["units"]["creates"]
    for kind, first in {
        "find": "`find=`, or `window=`",
        "window": "`find=`, or `window=`",
        "once": "`once=True`",
        "value": "`self.value`",
        "repeat": "`repeat=True`",
    }.items():
        units = [str(creates[kind][steps]) for steps in ("0", "1", "10", "50", "200")]
        assert units == row(COST, first)


def test_units_of_updates():
    for steps, first in {"0": "without a step", "1": "with one step"}.items():
        updates = KEPT["units"]["updates"][steps]

        assert [str(updates[number]) for number in ("1", "10", "41", "1000")] == row(COST, first)


def test_units_of_requests():
    for request, units in KEPT["units"]["requests"].items():
        assert [f"{unit:g}" for unit in units] == row(COST, request)
