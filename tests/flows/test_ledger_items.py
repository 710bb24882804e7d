"""Items in the ledger that this version of the package did not write."""

import json
import sqlite3

import pytest

from cfn_once import LedgerUnavailable, Request
from cfn_once.ledger import open_store
from cfn_once.testing import FakeCloudFormation

ONE = {"Product": "Linux/UNIX"}


@pytest.fixture
def cloudformation(provider, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = open_store(
        "sqlite:///" + str(tmp_path / "l.sqlite3"), in_lambda=False, allow_local=True
    )
    return FakeCloudFormation(provider, ledger=ledger)


def overwritten(event, change):
    """Change the head that an event is about, past every guard, and return its key."""
    key = "r" + Request.from_event(event).correlation_id
    with sqlite3.connect("l.sqlite3") as file:
        row = file.execute("select doc from ledger where pk = ?", (key,)).fetchone()
        doc = json.loads(row[0] if row else "{}")
        operation = {**doc.get("op", {}), **change.pop("op", {})}
        doc |= {**({"op": operation} if operation else {}), **change}
        file.execute("replace into ledger values (?, 'H', ?)", (key, json.dumps(doc)))
    return key


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"op": {"st": 7}}, "its st is int"),
        ({"held": {"id": 7}}, "its id is int"),
        ({"hist": "none"}, "its hist is str"),
        ({"w": 0.5}, "its w is float"),
    ],
)
def test_an_item_that_is_no_head(cloudformation, groups, change, problem):
    """
    An item that nobody of ours wrote is neither used nor overwritten, and named.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 2})
    key = overwritten(update, change)

    with pytest.raises(LedgerUnavailable, match=problem) as caught:
        cloudformation.send(update)

    assert key in str(caught.value)
    assert [] == groups.updates


def test_an_item_that_lacks_what_every_head_has(cloudformation, groups):
    """
    An item without our own attributes is taken for no head, and for no free place either.
    """
    cloudformation.create("Other", ONE)
    event = cloudformation.event("Create", "Group", ONE)
    overwritten(event, {"w": 3})

    with pytest.raises(LedgerUnavailable, match="it lacks v, op"):
        cloudformation.send(event)

    assert ["sig-1"] == groups.created


def test_a_head_of_a_later_version(cloudformation, groups):
    """
    A head that a newer package wrote is refused, with what to do, and stays as it is.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 2})
    key = overwritten(update, {"v": 3})
    before = cloudformation.ledger.unspill(key, "H")

    with pytest.raises(LedgerUnavailable, match="deploy a cfn-once at least as new") as caught:
        cloudformation.send(update)

    assert key in str(caught.value)
    assert before == cloudformation.ledger.unspill(key, "H")
    assert [] == groups.updates


FIRST_VERSION = {  # what cfn-once wrote before an operation was a part of its head
    "v": 1, "f": 1, "w": 2, "rid": "r1", "typ": "Create", "iss": 1, "st": "DONE", "ok": True,
    "own": "o1", "out": "{}", "phys": "sig-1", "steps": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_head_of_the_first_version(cloudformation, groups, kind):
    """
    An item of the first version is neither read nor overwritten: the message names it, and says
    what to do.
    """
    cloudformation.create("Other", ONE)
    held = None if kind == "Create" else "sig-1"
    event = cloudformation.event(kind, "Group", ONE, physical_resource_id=held)
    key = overwritten(event, dict(FIRST_VERSION))
    before = cloudformation.ledger.unspill(key, "H")

    with pytest.raises(LedgerUnavailable, match="an earlier cfn-once wrote it") as caught:
        cloudformation.send(event)

    assert key in str(caught.value)
    assert "give this provider a table of its own" in str(caught.value)
    assert before == cloudformation.ledger.unspill(key, "H")
    assert ["sig-1"] == groups.created
