"""A part of a store: every key begins with its name, which a role can be limited to."""

import re
from typing import Any

from .document import CorruptHead
from .head import Head
from .store import COUNT, Absent, AllOf, Change, Page, Path, Store, Write, Written, holds

_FORMER = "formerly"  # begins where a listing goes on among what is to move here
_NOTHING_HERE = AllOf([Absent(("v",)), Absent((COUNT,))])


class Namespace:
    """The part of a store whose keys begin with a name and a slash.

    Args:
        store: Where it lies.
        name: Its name; all keys that bear none, where that is empty.
        formerly: Where to look for what is not here: another name, empty for the keys that bear
            none. An item found there is copied here before it is written to, and stays as it is
            there. None for nowhere.
    """

    def __init__(self, store: Store, name: str, *, formerly: str | None = None) -> None:
        self._store, self._name, self._formerly = store, name, formerly
        self.keeps_secrets = store.keeps_secrets

    def read(self, key: str) -> Head | None:
        """Return the head of here, or the one that is to move here."""
        head = self._store.read(_in(self._name, key))
        if head is None and self._formerly is not None:
            head = self._store.read(_in(self._formerly, key))
        return head

    def write(self, key: str, write: Write) -> Written:
        """Make a change here, of what has moved here before."""
        here = _in(self._name, key)
        if self._formerly is None:
            return self._store.write(here, write)
        if holds(write.guard, {}):  # it would begin again what is there
            self._move(key)
        written = self._store.write(here, write)
        is_missing = not written.applied and written.head is None
        return self._store.write(here, write) if is_missing and self._move(key) else written

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        """Keep a long result here."""
        self._store.spill(_in(self._name, key), name, data, expires)

    def unspill(self, key: str, name: str) -> str | None:
        """Return a long result of here, or one that was kept before the move."""
        data = self._store.unspill(_in(self._name, key), name)
        if data is None and self._formerly is not None:
            data = self._store.unspill(_in(self._formerly, key), name)
        return data

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        """Return a part of all heads of here, then of those that are to move here."""
        place, _, at = after.partition(":")
        is_former = place == _FORMER
        name = (self._formerly or "") if is_former else self._name
        page = self._store.page(at, prefix=_in(name, prefix), most=most)
        found = [item._replace(key=item.key[len(_in(name, "")) :]) for item in page.listed]
        kept = [item for item in found if self._is_listed(item.key, name, is_former=is_former)]
        if page.following:
            return Page(kept, f"{place}:{page.following}")
        goes_on = self._formerly is not None and not is_former
        return Page(kept, f"{_FORMER}:" if goes_on else "")

    def _is_listed(self, key: str, name: str, *, is_former: bool) -> bool:
        """Tell whether a key is of the namespace, and no other page has it."""
        if not name and "/" in key:
            return False
        return not (is_former and self._is_here(key))

    def _is_here(self, key: str) -> bool:
        """Tell whether an item has moved here, whatever it is."""
        try:
            return self._store.read(_in(self._name, key)) is not None
        except CorruptHead:
            return True

    def _move(self, key: str) -> bool:
        """Copy what lies there, unless something is here; tell whether something is here now.

        Two that move at once copy the same, and the second one's write is refused.
        """
        here = _in(self._name, key)
        if self._store.read(here) is not None:
            return True
        there = None if self._formerly is None else self._store.read(_in(self._formerly, key))
        if there is None:
            return False
        doc = there.to_doc()
        # The revision goes on: generations are made of it, and tokens of those.
        kept: dict[Path, Any] = {(name,): doc[name] for name in doc if name != COUNT}
        change = Change(set=kept, counts=there.revision)
        self._store.write(here, Write(name="move", guard=_NOTHING_HERE, change=change))
        return True


def is_name(text: str) -> bool:
    """Tell whether a text may name a namespace: what functions and stacks may be called, too."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) is not None


def _in(name: str, key: str) -> str:
    return f"{name}/{key}" if name else key
