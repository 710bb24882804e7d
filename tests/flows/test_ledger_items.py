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
        doc = {**json.loads(row[0] if row else "{}"), **change}
        file.execute("replace into ledger values (?, 'H', ?)", (key, json.dumps(doc)))
    return key


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"st": 7}, "its st is int"), ({"hist": "none"}, "its hist is str"), ({"f": 0.5}, "its f")],
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

    with pytest.raises(LedgerUnavailable, match="it lacks v, f, rid, st, own"):
        cloudformation.send(event)

    assert ["sig-1"] == groups.created


def test_a_head_of_a_later_version(cloudformation, groups):
    """
    A head that a newer package wrote is refused, with what to do, and stays as it is.
    """
    cloudformation.create("Group", ONE)
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 2})
    key = overwritten(update, {"v": 2})
    before = cloudformation.ledger.read(key)

    with pytest.raises(LedgerUnavailable, match="deploy a cfn-once at least as new"):
        cloudformation.send(update)

    assert before == cloudformation.ledger.read(key)
    assert [] == groups.updates
