"""
One contract for every store: what a guard allows, what a change makes, and what comes back.

Every write also goes to a store in memory, and the results are compared byte by byte.
"""

import gc
import json
import re
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cfn_once import LedgerUnavailable
from cfn_once.ledger import Change, Guard, Listed, MemoryStore, Store, Write, Written
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.head import VERSION
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, AllOf, AnyOf, Below, Equals, Lacks, changed, page_of
from ledger.engines import IN_LAMBDA, SaysNothing
from ledger.told import Told, a_head, an_operation, text
from support.ministack import MiniStack

NEW = Absent(("v",))
SOME = Equals(("v",), VERSION)

STEPS = {"a#0": {"s": "F", "r": "{}"}, "~x/http.POST.api.example.com#0": {"s": "S"}}
LEFT = [an_operation(rid="r0", st="RUNNING", own="o0"), an_operation(own="o1")]
FIRST = a_head(
    stk="s1",
    lid="",
    op=an_operation(iss=100, dlv=1, unrec=True, tail=False, steps=STEPS),
    ack=False,
    pend=LEFT,
    recent=["r0", "r1"],
    ttl=100,
)
OPERATION = an_operation(iss=100, dlv=1, unrec=True, steps=STEPS)  # as it is read

GUARDS: list[tuple[Guard, bool]] = [
    (Absent(("rt",)), True),
    (Absent(("v",)), False),
    (Absent(("ack",)), False),
    (Absent(("lid",)), False),
    (Absent(("op", "tail")), False),
    (Absent(("op", "out")), True),
    (Absent(("op", "steps", "a#0")), False),
    (Absent(("op", "steps", "b#0")), True),
    (Absent(("op", "steps", "a#0", "x")), True),
    (Absent(("held", "id")), True),
    (Absent(("stk", "x")), True),
    (Absent(("pend", 1)), False),
    (Absent(("pend", 2)), True),
    (Absent(("stk", 0)), True),
    (Equals(("stk",), "s1"), True),
    (Equals(("stk",), "s"), False),
    (Equals(("lid",), ""), True),
    (Equals(("rt",), ""), False),
    (Equals(("ttl",), 100), True),
    (Equals(("ack",), value=False), True),
    (Equals(("ack",), value=True), False),
    (Equals(("op", "rid"), "r1"), True),
    (Equals(("op", "rid"), "r2"), False),
    (Equals(("op", "out"), ""), False),
    (Equals(("op", "unrec"), value=True), True),
    (Equals(("op", "tail"), value=False), True),
    (Equals(("op", "steps", "a#0", "s"), "F"), True),
    (Equals(("op", "steps", "~x/http.POST.api.example.com#0", "s"), "S"), True),
    (Equals(("pend", 0, "own"), "o0"), True),
    (Equals(("pend", 1, "own"), "o0"), False),
    (Equals(("pend", 2, "own"), "o0"), False),
    (Below(("ttl",), 101), True),
    (Below(("op", "iss"), 101), True),
    (Below(("op", "iss"), 100), False),
    (Below(("op", "iss"), -1), False),
    (Below(("w",), 2), True),
    (Below(("op", "due"), 1), False),
    (Below(("held", "iss"), 1), False),
    (Lacks(("recent",), "r2"), True),
    (Lacks(("recent",), "r1"), False),
    (Lacks(("recent",), "r"), True),
    (Lacks(("gone",), "r1"), True),
    (AllOf([Equals(("stk",), "s1"), Below(("op", "iss"), 101)]), True),
    (AllOf([Equals(("stk",), "s1"), Below(("op", "iss"), 100)]), False),
    (AnyOf([Equals(("stk",), "s2"), Below(("op", "iss"), 101)]), True),
    (AnyOf([Equals(("stk",), "s2"), Below(("op", "iss"), 100)]), False),
    (AnyOf([AllOf([Absent(("v",)), Absent(("ack",))]), AllOf([Lacks(("recent",), "r9")])]), True),
    (AllOf([AnyOf([Absent(("v",)), Absent(("ack",))]), Lacks(("recent",), "r9")]), False),
]

OTHER_KINDS: list[Guard] = [
    Equals(("ack",), 0),
    Equals(("op", "unrec"), 1),
    Equals(("op", "dlv"), value=True),
    Equals(("op", "iss"), "100"),
    Equals(("rt",), value=False),
    Below(("stk",), 1),
    Below(("op", "unrec"), 2),
]

CHANGES: dict[str, tuple[Change, dict[str, Any]]] = {
    "nothing": (Change(), {"w": 2}),
    "set": (
        Change(set={("stk",): "s2", ("ack",): True, ("ttl",): 1_800_000_000_123}),
        {"stk": "s2", "ack": True, "ttl": 1_800_000_000_123},
    ),
    "set what was absent": (
        Change(set={("rt",): "Custom::Thing", ("held",): {"id": "p", "out": ""}}),
        {"rt": "Custom::Thing", "held": {"id": "p", "out": ""}},
    ),
    "set any text": (
        Change(set={("rt",): 'Größe "€" \\ \n 🙂 #n0 :v0 {}', ("lid",): "#n0"}),
        {"rt": 'Größe "€" \\ \n 🙂 #n0 :v0 {}', "lid": "#n0"},
    ),
    "set a whole map": (
        Change(set={("op",): an_operation(rid="r2", own="o2", inv="i2")}),
        {"op": an_operation(rid="r2", own="o2", inv="i2")},
    ),
    "set a whole list": (
        Change(
            set={
                ("pend",): [an_operation(own="o2", steps={"k#0": {"s": "F", "g": 2}})],
                ("recent",): [],
            }
        ),
        {"pend": [an_operation(own="o2", steps={"k#0": {"s": "F", "g": 2}})], "recent": None},
    ),
    "set what is no list but reads as one": (
        Change(set={("gone",): ("p1", "p2")}),
        {"gone": ["p1", "p2"]},
    ),
    "set in a map": (
        Change(
            set={
                ("op", "due"): 0,
                ("op", "steps", "b.c#0"): {"s": "F", "r": "{}", "g": 1},
                ("op", "steps", "a#0", "s"): "S",
            }
        ),
        {
            "op": {
                **OPERATION,
                "due": 0,
                "steps": {
                    **STEPS,
                    "a#0": {"s": "S", "r": "{}"},
                    "b.c#0": {"s": "F", "r": "{}", "g": 1},
                },
            }
        },
    ),
    "set in a list": (
        Change(set={("pend", 0, "steps", "a#0"): {"s": "F"}, ("pend", 0, "st"): "PARKED"}),
        {"pend": [{**LEFT[0], "st": "PARKED", "steps": {"a#0": {"s": "F"}}}, LEFT[1]]},
    ),
    "default what is there": (Change(default={"stk": "other"}), {"stk": "s1"}),
    "default what is absent": (
        Change(default={"held": {"id": "p"}, "ttl": 7}),
        {"held": {"id": "p"}, "ttl": 100},
    ),
    "append": (
        Change(append={"recent": "r2", "gone": "p1"}),
        {"recent": ["r0", "r1", "r2"], "gone": ["p1"]},
    ),
    "append a map": (
        Change(append={"hist": {"typ": "Create", "at": 7}}),
        {"hist": [{"typ": "Create", "at": 7}]},
    ),
    "remove": (
        Change(remove=[("stk",), ("ttl",), ("recent",), ("rt",)]),
        {"stk": None, "ttl": None, "recent": None},
    ),
    "remove in a map": (
        Change(remove=[("op", "steps", "a#0", "r"), ("op", "iss"), ("op", "out")]),
        {
            "op": {
                **an_operation(dlv=1, unrec=True),
                "steps": {**STEPS, "a#0": {"s": "F"}},
            }
        },
    ),
    "remove in a list": (Change(remove=[("pend", 0)]), {"pend": [LEFT[1]]}),
    "all at once": (
        Change(
            set={("stk",): "s2"},
            default={"rt": "t"},
            append={"recent": "r2"},
            remove=[("ack",), ("pend",)],
        ),
        {"stk": "s2", "rt": "t", "recent": ["r0", "r1", "r2"], "pend": None},
    ),
}


def every(store: Store, prefix: str, most: int | None) -> list[Listed]:
    """Return every head of a prefix, page by page; a page is no longer than asked for."""
    page = store.page(prefix=prefix, most=most)
    found = list(page.listed)
    while page.following:
        page = store.page(page.following, prefix=prefix, most=most)
        assert most is None or len(page.listed) <= most
        found += page.listed
    return found


class StoreContract:
    """What the state machine relies on."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def told(self, store: Store, key: str) -> Told:
        return Told(store, key)

    def test_there_is_no_head_before_the_first_write(self, store: Store, key: str) -> None:
        """A resource that nobody wrote of has no head."""
        assert store.read(key) is None

    def test_a_write_refused_where_there_is_no_head(self, told: Told) -> None:
        """A guard that needs something refuses, and there is no head to show."""
        for guard in (
            Equals(("op", "st"), "SUCCEEDED"),
            Equals(("ack",), value=False),
            Below(("op", "iss"), 10),
            AllOf([Absent(("v",)), Below(("w",), 1)]),
            AnyOf([Equals(("stk",), "s1"), Below(("ttl",), 10)]),
        ):
            written = told.write(Write(guard, FIRST))

            assert written == Written(applied=False, head=None)

    @pytest.mark.parametrize(
        "guard", [NEW, Lacks(("recent",), "r1"), AnyOf([Below(("w",), 1), NEW])]
    )
    def test_the_first_write_makes_the_head(self, told: Told, guard: Guard) -> None:
        """A guard that asks for nothing to be there allows the first write, and only that."""
        first = told.write(Write(guard, FIRST))
        second = told.write(Write(NEW, FIRST))

        assert (True, False) == (first.applied, second.applied)
        assert text(first.head) == text(second.head)
        assert 1 == told.doc()["w"]

    @pytest.mark.parametrize(("guard", "allows"), GUARDS, ids=str)
    def test_a_guard(self, told: Told, guard: Guard, allows: bool) -> None:
        """A write is made where its guard holds; else the head that refused it comes back."""
        before = told.write(Write(NEW, FIRST))

        written = told.write(Write(guard, Change(set={("rt",): "Custom::Other"})))

        assert allows == written.applied
        assert ("Custom::Other" if allows else None) == told.doc().get("rt")
        assert allows or text(before.head) == text(written.head)

    @pytest.mark.parametrize("guard", OTHER_KINDS, ids=str)
    def test_a_guard_over_a_value_of_another_kind(self, told: Told, guard: Guard) -> None:
        """True is not 1, and text is no number: such a guard refuses, and nothing breaks."""
        told.write(Write(NEW, FIRST))

        written = told.write(Write(guard, Change(set={("rt",): "Custom::Other"})))

        assert not written.applied

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change(self, told: Told, name: str) -> None:
        """A write makes its whole change, and adds one to the revision."""
        before = told.write(Write(NEW, FIRST)).head
        change, wanted = CHANGES[name]

        told.write(Write(Equals(("stk",), "s1"), change))

        made = {**json.loads(text(before)), "w": 2, **wanted}
        assert {part: value for part, value in made.items() if value is not None} == told.doc()

    def test_a_refused_write_changes_nothing(self, told: Told) -> None:
        """Not even the revision."""
        before = told.write(Write(NEW, FIRST))

        told.write(Write(Equals(("stk",), "s2"), CHANGES["all at once"][0]))

        assert text(before.head) == text(told.store.read(told.key))

    def test_a_change_of_what_is_not_there(self, store: Store, key: str) -> None:
        """A value cannot be set below what is not there: an error, and the head stays."""
        before = store.write(key, Write(NEW, FIRST))

        for path in (("held", "id"), ("pend", 5, "id"), ("op", "steps", "b#0", "s")):
            with pytest.raises((LookupError, LedgerUnavailable)):
                store.write(key, Write(SOME, Change(set={path: "x", ("stk",): "s2"})))

        assert text(before.head) == text(store.read(key))

    def test_two_resources(self, store: Store, key: str) -> None:
        """A write to one key is not seen under another."""
        other = key + "2"
        store.write(key, Write(NEW, FIRST))

        written = store.write(other, Write(NEW, a_head(stk="s7")))

        heads = [store.read(resource) for resource in (key, other)]
        assert written.applied
        assert ["s1", "s7"] == [head.stack_id for head in heads if head is not None]

    def test_what_is_handed_over_is_a_copy(self, store: Store, key: str) -> None:
        """Nobody changes what is kept by changing what they gave or got."""
        given: dict[str, Any] = {"a#0": OrderedDict(s="F")}
        first = store.write(key, Write(NEW, a_head(op=an_operation(steps=given)))).head
        before = text(store.read(key))

        given["a#0"]["s"] = "S"
        for head in (first, store.read(key)):
            assert head is not None
            steps: Any = head.operation.steps
            with pytest.raises(AttributeError):
                steps.clear()

        assert before == text(store.read(key))

    def test_a_long_result(self, store: Store, key: str) -> None:
        """A long result lies beside the head, written again without harm, and is no part of it."""
        head = store.write(key, Write(NEW, FIRST)).head
        data = json.dumps({"long": "€" * 30_000})

        missing = store.unspill(key, "S#o#a#0#0")
        for _ in range(2):
            store.spill(key, "S#o#a#0#0", data, 1_900_000_000)

        assert missing is None
        assert data == store.unspill(key, "S#o#a#0#0")
        assert store.unspill(key + "2", "S#o#a#0#0") is None
        assert text(head) == text(store.read(key))

    @pytest.mark.parametrize("most", [None, 2, 1])
    def test_a_listing(self, store: Store, key: str, most: int | None) -> None:
        """Page by page, each head of a prefix comes once; long results and other keys do not."""
        for name in ("a", "b", "c"):
            store.write(f"{key}/{name}", Write(NEW, a_head(lid=name)))
            store.spill(f"{key}/{name}", "S#o#a#0#0", "long", 1_900_000_000)
        store.write(f"{key}2", Write(NEW, FIRST))

        found = every(store, f"{key}/", most)

        assert [f"{key}/{name}" for name in "abc"] == sorted(item.key for item in found)
        assert {item.key: text(item.head) for item in found} == {
            f"{key}/{name}": text(store.read(f"{key}/{name}")) for name in "abc"
        }

    def test_a_head_of_many_steps(self, told: Told) -> None:
        """Three hundred results in one head, each a write of its own place."""
        told.write(Write(NEW, FIRST))
        for name in ("thing", "other"):
            steps = {
                ("op", "steps", f"{name}#{number}"): {"s": "F", "r": "x" * 500, "g": number}
                for number in range(150)
            }
            told.write(Write(SOME, Change(set=steps)))

        assert 302 == len(told.doc()["op"]["steps"])


def test_a_listing_of_what_cannot_be_read() -> None:
    """What another version has written, or nobody of us, is listed with the reason."""
    text_for_op = f'{{"v":{VERSION},"w":1,"op":"text"}}'.encode()
    rows = [("r1", b'{"v":1,"stk":"arn","lid":"Thing"}'), ("r2", text_for_op), ("r3", b"{}")]

    page = page_of(rows, 2)

    assert "r2" == page.following
    assert [
        ("r1", None, f"its schema version is 1, this provider knows {VERSION}", "arn", "Thing"),
        ("r2", None, "its op is str", "", ""),
    ] == [tuple(item) for item in page.listed]


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestSQLite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SQLiteStore(tmp_path / "ledger.sqlite3", synchronous="NORMAL")

    def test_another_store_over_the_same_file(self, store: Store, tmp_path: Path, key: str) -> None:
        """What one process has written, another finds; FULL and NORMAL keep the same."""
        store.write(key, Write(NEW, FIRST))

        other = SQLiteStore(tmp_path / "ledger.sqlite3")

        assert text(store.read(key)) == text(other.read(key))
        assert not other.write(key, Write(NEW, FIRST)).applied

    @pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
    def test_a_second_thread(self, store: Store, key: str) -> None:
        """A store may be used from any thread; what a thread leaves is closed, in silence."""
        store.write(key, Write(NEW, FIRST))
        seen: list[Written] = []

        thread = threading.Thread(target=lambda: seen.append(store.write(key, Write(NEW, FIRST))))
        thread.start()
        thread.join()
        gc.collect()

        assert [False] == [written.applied for written in seen]
        assert text(store.read(key)) == text(seen[0].head)


class TestDynamoDBOnMiniStack(StoreContract):
    @pytest.fixture
    def store(self, dynamodb: Any, table: str) -> Store:
        return DynamoDBStore(table, client=dynamodb)


class TestDynamoDBOnMiniStackWithoutBoto3(StoreContract):
    @pytest.fixture
    def store(self, ministack: MiniStack, table: str) -> Store:
        return DynamoDBStore(table, endpoint=ministack.url, environ=IN_LAMBDA)


class TestDynamoDBThatDoesNotSayWhatRefused(StoreContract):
    """As dynalite: the head that refused a write is then read."""

    # Nothing is refused in these.
    test_a_change = test_a_head_of_many_steps = test_a_long_result = None

    @pytest.fixture
    def store(self, dynamodb: Any, table: str) -> Store:
        return DynamoDBStore(table, client=SaysNothing(dynamodb))


class TestDynamoDBOnMoto(StoreContract):
    """Another opinion on the expressions; moto is no lock, so one thread it is."""

    test_a_guard_over_a_value_of_another_kind = None  # moto compares as Python does: True is 1
    test_a_head_of_many_steps = None  # moto takes seconds

    @pytest.fixture
    def store(self, moto: Any) -> Store:
        return DynamoDBStore("ledger", client=moto)

    def test_a_second_thread(self, store: Store, key: str) -> None:
        """No test of a lock can be run on moto by mistake."""
        with ThreadPoolExecutor(1) as pool, pytest.raises(AssertionError, match="moto is no lock"):
            pool.submit(store.read, key).result()


@pytest.mark.parametrize(
    "parts",
    [
        {"set": {("stk",): "a"}, "remove": [("stk",)]},
        {"set": {("op",): {}, ("op", "st"): "RUNNING"}},
        {"set": {("op", "steps"): {}, ("op", "steps", "a#0"): {}}},
        {"set": {("op", "steps", "a#0", "s"): "D"}, "remove": [("op", "steps", "a#0")]},
        {"set": {("held",): {}}, "default": {"held": {}}},
        {"default": {"held": {}}, "remove": [("held",)]},
        {"append": {"recent": "a"}, "set": {("recent",): []}},
        {"remove": [("ack",), ("ack",)]},
        {"set": {("w",): 1}},
        {"remove": [("w",)]},
    ],
    ids=str,
)
def test_a_change_that_touches_a_place_twice(parts: dict[str, Any]) -> None:
    """What DynamoDB refuses, the stores in this process refuse: their tests would not tell."""
    with pytest.raises(ValueError, match="twice"):
        MemoryStore().write("r1", Write(Absent(("v",)), Change(**parts)))


@pytest.mark.parametrize("text_at", [("lid",), ("op", "rid")])
@pytest.mark.parametrize("below", [("id",), ("a", "id")])
def test_a_change_below_text(text_at: tuple[str, ...], below: tuple[str, ...]) -> None:
    """Text holds nothing: that is refused as a change below nothing is, and the place is named."""
    with pytest.raises(LookupError, match=re.escape(str(text_at))):
        changed(Change(set={(*text_at, *below): "x"}), changed(FIRST, {}))
