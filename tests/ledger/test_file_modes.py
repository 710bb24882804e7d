"""Who may read a ledger in a file: its owner."""

import os
import stat
from pathlib import Path

from cfn_once.ledger import Write
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent
from ledger.told import a_head


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_a_file_that_is_made(tmp_path: Path) -> None:
    """
    Whatever the process's umask lets others do: neither it nor what SQLite puts beside it.
    """
    before = os.umask(0)
    try:
        store = SQLiteStore(tmp_path / "ledger.sqlite3")
        store.write("r1", Write(Absent(("v",)), a_head()))
        found = modes(tmp_path)
    finally:
        os.umask(before)

    names = {"ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"}

    assert dict.fromkeys(names, 0o600) == found


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """
    What its owner lets others do stays as it is.
    """
    file = tmp_path / "ledger.sqlite3"
    file.touch(mode=0o640)
    file.chmod(0o640)
    store = SQLiteStore(file)
    store.write("r1", Write(Absent(("v",)), a_head()))

    assert {0o640} == set(modes(tmp_path).values())
