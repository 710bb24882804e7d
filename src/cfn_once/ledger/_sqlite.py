"""A ledger in one SQLite file: for one machine."""

import json
import sqlite3
import threading
from pathlib import Path

from .._errors import LedgerUnavailable
from ._head import Head
from ._store import Change, Guard, Written, apply, holds

_TABLE = (
    "create table if not exists ledger"
    " (pk text not null, sk text not null, doc text not null, primary key (pk, sk)) without rowid"
)


class SQLiteStore:
    """One row a resource; each write is one transaction, begun before the row is read.

    Args:
        path: The file; its folder must exist.
        synchronous: FULL keeps every commit through a power failure; NORMAL is some ten times
            faster and may lose the last ones then, never in a crash of the process.
    """

    keeps_secrets = False

    def __init__(self, path: str | Path, *, synchronous: str = "FULL") -> None:
        self._path, self._synchronous = str(path), synchronous
        self._local = threading.local()

    def read(self, key: str) -> Head | None:
        text = self._text(key, "H")
        return None if text is None else Head.from_doc(json.loads(text))

    def write(self, key: str, guard: Guard, change: Change) -> Written:
        try:
            with self._connection() as connection:
                connection.execute("begin immediate")
                text = self._text(key, "H")
                doc = None if text is None else json.loads(text)
                if not holds(guard, doc):
                    return Written(applied=False, head=doc and Head.from_doc(doc))
                doc = apply(change, doc)
                self._replace(key, "H", json.dumps(doc))
                return Written(applied=True, head=Head.from_doc(doc))
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        del expires  # a file does not expire; its owner removes it
        try:
            with self._connection():
                self._replace(key, name, data)
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def unspill(self, key: str, name: str) -> str | None:
        return self._text(key, name)

    def _replace(self, key: str, name: str, text: str) -> None:
        self._connection().execute("replace into ledger values (?, ?, ?)", (key, name, text))

    def _text(self, key: str, name: str) -> str | None:
        query = "select doc from ledger where pk = ? and sk = ?"
        try:
            row = self._connection().execute(query, (key, name)).fetchone()
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        return None if row is None else str(row[0])

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:  # one a thread: SQLite's own rule
            connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            connection.execute("pragma journal_mode = wal")
            connection.execute(f"pragma synchronous = {self._synchronous}")
            connection.execute(_TABLE)
            self._local.connection = connection
        return connection

    def _trouble(self, error: sqlite3.Error) -> LedgerUnavailable:
        return LedgerUnavailable(f"the ledger file {self._path}: {error}; may we write there?")
