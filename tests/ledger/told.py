"""A store and its reference: every write goes to both, and both must return the same."""

import json
from typing import Any

from cfn_once.ledger import Change, Head, MemoryStore, Store, Write, Written
from cfn_once.ledger.document import Doc
from cfn_once.ledger.head import VERSION


def an_operation(**attributes: Any) -> Doc:
    """Return an operation as stores keep it: these attributes, and those that each one has."""
    return {"rid": "r1", "st": "SUCCEEDED", "own": "o1", "steps": {}, **attributes}


def a_head(**attributes: Any) -> Change:
    """Return a change that makes a head: these attributes, and those that each head has."""
    values = {"v": VERSION, "op": an_operation(), **attributes}
    return Change(set={(name,): value for name, value in values.items()})


def text(head: Head | None) -> str:
    """Return a head's bytes, were it written down; no engine keeps the order of a map."""
    return json.dumps(None if head is None else head.to_doc(), sort_keys=True)


class Told:
    """A store, and one in memory that gets the same writes: both must make of them the same."""

    def __init__(self, store: Store, key: str) -> None:
        self.store, self.key, self._reference = store, key, MemoryStore()

    def write(self, write: Write) -> Written:
        wanted = self._reference.write(self.key, write)

        written = self.store.write(self.key, write)

        assert (wanted.applied, text(wanted.head)) == (written.applied, text(written.head))
        return written

    def doc(self) -> Doc:
        """Return what is kept, in JSON's own kinds."""
        head = self.store.read(self.key)
        assert head is not None
        assert text(self._reference.read(self.key)) == text(head)
        return dict(json.loads(text(head)))
