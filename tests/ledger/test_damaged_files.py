"""Rows of a SQLite file that something else has written, or cut off."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cfn_once.ledger.document import CorruptHead
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, Below, Change, Write, changed
from ledger.told import a_head, an_operation

GOOD = changed(a_head(stk="s1"), {})
SOME = Write(Below(("v",), 99), Change(set={("stk",): "s2"}))


def with_step(step: Any) -> dict[str, Any]:
    return with_operation(steps={"thing#0": step})


def with_operation(**attributes: Any) -> dict[str, Any]:
    return {**GOOD, "op": an_operation(**attributes)}


# What is in the row · what is said of it
DAMAGED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "it is no JSON that can be read"),
    "empty": ("", "it is no JSON that can be read"),
    "deep": (100_000 * "[", "it is no JSON that can be read"),
    "bytes": (b"\xff\xfe\x00", "it is no JSON that can be read"),
    "long": (f'{{"v":{5_000 * "9"}}}', "it is no JSON that can be read"),
    "a list": ("[]", "it is no document"),
    "null": ("null", "it is no document"),
    "a number": (5, "it is no document"),
    "an empty document": ("{}", "it is no document"),
    "no version": ({**GOOD, "v": None}, "its v is NoneType"),
    "a count of text": ({**GOOD, "w": "x"}, "its w is str"),
    "NaN": ({**GOOD, "w": float("nan")}, "its w is float"),
    "a step that is a list": (with_step([]), "its steps has list in it"),
    "a step of an unknown state": (
        with_step({"s": "ZZ"}),
        "its s is nothing that is ever written there",
    ),
    "a step without its result": (
        with_step("x"),
        "its steps have text in them that tells no result",
    ),
    "an unknown state": (
        with_operation(st="NOPE"),
        "its st is nothing that is ever written there",
    ),
    "a lease in the year 3170843": (
        with_operation(lu=10**17),
        "its lu is nothing that is ever written there",
    ),
    "an issue time in the year 31690708": (
        with_operation(iss=10**15),
        "its iss is nothing that is ever written there",
    ),
    "a history before all time": (
        {**GOOD, "hist": [{"typ": "Create", "st": "FAILED", "at": -(10**18)}]},
        "its at is nothing that is ever written there",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_row(name: str, tmp_path: Path) -> None:
    """
    Reading and writing name it; nothing is made of it, also where a new head would be; a listing
    has it beside the others.
    """
    row, problem = DAMAGED[name]
    text = json.dumps(row) if isinstance(row, dict) else row
    file = tmp_path / "ledger.sqlite3"
    store = SQLiteStore(file)
    for key in ("r1", "r2", "r3"):
        store.write(key, Write(Absent(("v",)), a_head(stk="s1")))
    with sqlite3.connect(file) as connection:
        connection.execute("update ledger set doc = ? where pk = 'r2'", (text,))
    before = rows(file)

    for write in (SOME, Write(Absent(("v",)), Change(set={("v",): 2}))):
        for ask in (lambda: store.read("r2"), lambda write=write: store.write("r2", write)):
            with pytest.raises(CorruptHead, match=f"^r2: {problem}$"):
                ask()

    assert before == rows(file)
    assert [("r1", ""), ("r2", problem), ("r3", "")] == [
        (item.key, item.problem) for item in store.page().listed
    ]


def rows(file: Path) -> list[Any]:
    with sqlite3.connect(file) as connection:
        return connection.execute("select * from ledger order by pk").fetchall()
