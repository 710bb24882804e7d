"""A ledger in one SQLite file: for one machine."""

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

from .._errors import LedgerUnavailable
from .document import reading_item
from .head import Head
from .store import MOST_LISTED, Page, Write, Written, head_in, page_of, rewrite

_TABLE = (
    "create table if not exists ledger"
    " (pk text not null, sk text not null, doc text not null, primary key (pk, sk)) without rowid"
)


class SQLiteStore:
    """One row a resource; each write is one transaction, begun before the row is read.

    Args:
        path: The file; its folder must exist. Made here, it is its owner's alone.
        synchronous: FULL keeps every commit through a power failure; NORMAL is some ten times
            faster and may lose the last ones then, never in a crash of the process.
        patience: Seconds to wait while another process writes.
        makes: Make the file and its table where they are missing.
    """

    keeps_secrets = False

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: str = "FULL",
        patience: float = 5.0,
        makes: bool = True,
    ) -> None:
        self._path, self._synchronous, self._patience = str(path), synchronous, patience
        self._makes = makes
        self._local = threading.local()

    def read(self, key: str) -> Head | None:
        try:
            text = _head_text(self._connection(), key)
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        with reading_item(key):
            return None if text is None else head_in(text)

    def write(self, key: str, write: Write) -> Written:
        try:
            with self._connection() as connection, reading_item(key):
                connection.execute("begin immediate")
                text, written = rewrite(_head_text(connection, key), write)
                if text is not None:
                    _replace(connection, key, "H", text)
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        return written

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        del expires  # a file does not expire; its owner removes it
        try:
            _replace(self._connection(), key, name, data)
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def unspill(self, key: str, name: str) -> str | None:
        try:
            return _select(self._connection(), key, name)
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        most = most or MOST_LISTED
        query = (
            "select pk, cast(doc as blob) from ledger"
            " where sk = 'H' and pk > ? and substr(pk, 1, ?) = ? order by pk limit ?"
        )
        try:
            rows = self._connection().execute(query, (after, len(prefix), prefix, most + 1))
            return page_of([(str(key), text) for key, text in rows], most)
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:  # one a thread: SQLite's own rule
            if self._makes:
                _make_file(self._path)
            connection = sqlite3.connect(
                self._path,
                timeout=self._patience,
                isolation_level=None,
                check_same_thread=False,  # another thread may collect and close it
                factory=_Connection,
            )
            if not self._makes:  # nor is a file changed that is somebody else's
                self._local.connection = connection
                return connection
            # "Locked" comes at once here, without patience: another process makes the same change.
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("pragma journal_mode = wal")
            connection.execute(f"pragma synchronous = {self._synchronous}")
            connection.execute(_TABLE)
            self._local.connection = connection
        return connection

    def _trouble(self, error: sqlite3.Error) -> LedgerUnavailable:
        return LedgerUnavailable(f"the ledger file {self._path}: {error}; {_hint(error)}")


_NOT_OURS = ("not a database", "malformed", "no such column", "no such table")


class _Connection(sqlite3.Connection):
    """Closes itself when its thread, or its store, is gone."""

    def __del__(self) -> None:
        self.close()


def _make_file(path: str) -> None:
    """Make a file that nobody else may read; the files that SQLite puts beside it are like it."""
    with contextlib.suppress(OSError):  # it is there, or SQLite says why it cannot be
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _head_text(connection: sqlite3.Connection, key: str) -> bytes | None:
    """Return a head's text: as bytes, for what is damaged may be no text."""
    query = "select cast(doc as blob) from ledger where pk = ? and sk = 'H'"
    row: tuple[bytes] | None = connection.execute(query, (key,)).fetchone()
    return None if row is None else row[0]


def _select(connection: sqlite3.Connection, key: str, name: str) -> str | None:
    query = "select doc from ledger where pk = ? and sk = ?"
    row = connection.execute(query, (key, name)).fetchone()
    return None if row is None else str(row[0])


def _replace(connection: sqlite3.Connection, key: str, name: str, text: str) -> None:
    connection.execute("replace into ledger values (?, ?, ?)", (key, name, text))


def _hint(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return "another process holds it: let it end, or give each its own file"
    if any(words in text for words in _NOT_OURS):
        return "it is no ledger of ours: name another file"
    return "may we write the file and its folder, and is there room?"
