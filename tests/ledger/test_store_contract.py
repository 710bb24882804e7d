"""
One contract for every store: what a guard allows, what a change makes, and what comes back.

Every write is also made in memory, and what comes of it is compared there, byte by byte.
"""

import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cfn_once import LedgerUnavailable
from cfn_once.ledger import Change, Guard, MemoryStore, Store, Written
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, AllOf, AnyOf, Below, Equals, Lacks, Write
from ledger.engines import SaysNothing
from ledger.told import Told, a_head, text

NEW = Absent(("v",))
SOME = Equals(("v",), 1)

FIRST = a_head(
    ok=True,
    took=False,
    hi=100,
    steps={"a#0": {"s": "D", "g": 0}, "~x/http.POST.api.example.com#0": {"s": "S"}},
    recent=["r0", "r1"],
    debts=[{"rid": "r0", "own": "o0", "gone": False, "steps": {}}, {"own": "o1"}],
    base="",
)

GUARDS: list[tuple[Guard, bool]] = [
    (Absent(("phys",)), True),
    (Absent(("v",)), False),
    (Absent(("ok",)), False),
    (Absent(("took",)), False),
    (Absent(("base",)), False),
    (Absent(("steps", "a#0")), False),
    (Absent(("steps", "b#0")), True),
    (Absent(("steps", "a#0", "r")), True),
    (Absent(("phys", "x")), True),
    (Absent(("rid", "x")), True),
    (Absent(("debts", 1)), False),
    (Absent(("debts", 2)), True),
    (Absent(("rid", 0)), True),
    (Equals(("rid",), "r1"), True),
    (Equals(("rid",), "r"), False),
    (Equals(("base",), ""), True),
    (Equals(("phys",), ""), False),
    (Equals(("hi",), 100), True),
    (Equals(("ok",), value=True), True),
    (Equals(("ok",), value=False), False),
    (Equals(("took",), value=False), True),
    (Equals(("steps", "a#0", "s"), "D"), True),
    (Equals(("steps", "~x/http.POST.api.example.com#0", "s"), "S"), True),
    (Equals(("debts", 0, "own"), "o0"), True),
    (Equals(("debts", 1, "own"), "o0"), False),
    (Equals(("debts", 2, "own"), "o0"), False),
    (Equals(("debts", 0, "gone"), value=False), True),
    (Below(("hi",), 101), True),
    (Below(("hi",), 100), False),
    (Below(("hi",), -1), False),
    (Below(("w",), 2), True),
    (Below(("phys",), 1), False),
    (Lacks(("recent",), "r2"), True),
    (Lacks(("recent",), "r1"), False),
    (Lacks(("recent",), "r"), True),
    (Lacks(("removed",), "r1"), True),
    (AllOf([Equals(("rid",), "r1"), Below(("hi",), 101)]), True),
    (AllOf([Equals(("rid",), "r1"), Below(("hi",), 100)]), False),
    (AnyOf([Equals(("rid",), "r2"), Below(("hi",), 101)]), True),
    (AnyOf([Equals(("rid",), "r2"), Below(("hi",), 100)]), False),
    (AnyOf([AllOf([Absent(("v",)), Absent(("ok",))]), AllOf([Lacks(("recent",), "r9")])]), True),
    (AllOf([AnyOf([Absent(("v",)), Absent(("ok",))]), Lacks(("recent",), "r9")]), False),
]

OTHER_KINDS: list[Guard] = [
    Equals(("ok",), 1),
    Equals(("took",), 0),
    Equals(("v",), value=True),
    Equals(("hi",), "100"),
    Equals(("phys",), value=False),
    Below(("rid",), 1),
    Below(("ok",), 2),
]

CHANGES: dict[str, tuple[Change, dict[str, Any]]] = {
    "nothing": (Change(), {"w": 2}),
    "set": (
        Change(set={("rid",): "r2", ("ok",): False, ("hi",): 1_800_000_000_123}),
        {"hi": 1_800_000_000_123, "ok": False, "rid": "r2"},
    ),
    "set what was absent": (Change(set={("phys",): "p", ("ttl",): 0}), {"phys": "p", "ttl": 0}),
    "set any text": (
        Change(set={("out",): 'Größe "€" \\ \n 🙂 #n0 :v0 {}', ("phys",): ""}),
        {"out": 'Größe "€" \\ \n 🙂 #n0 :v0 {}', "phys": ""},
    ),
    "set a whole map": (Change(set={("steps",): {}}), {"steps": {}}),
    "set a whole list": (
        Change(
            set={("debts",): [{"own": "o2", "steps": {"k#0": {"s": "D", "g": 2}}}], ("recent",): []}
        ),
        {"debts": [{"own": "o2", "steps": {"k#0": {"s": "D", "g": 2}}}], "recent": []},
    ),
    "set what is no list but reads as one": (
        Change(set={("removed",): ("p1", "p2")}),
        {"removed": ["p1", "p2"]},
    ),
    "set in a map": (
        Change(set={("steps", "b.c#0"): {"s": "F", "r": "{}", "g": 1}, ("steps", "a#0", "s"): "S"}),
        {
            "steps": {
                "a#0": {"s": "S", "g": 0},
                "~x/http.POST.api.example.com#0": {"s": "S"},
                "b.c#0": {"s": "F", "r": "{}", "g": 1},
            }
        },
    ),
    "set in a list": (
        Change(set={("debts", 0, "steps", "a#0"): {"s": "D"}, ("debts", 0, "gone"): True}),
        {
            "debts": [
                {"rid": "r0", "own": "o0", "gone": True, "steps": {"a#0": {"s": "D"}}},
                {"own": "o1"},
            ]
        },
    ),
    "default what is there": (Change(default={"rid": "other"}), {"rid": "r1"}),
    "default what is absent": (Change(default={"phys": "p", "hi": 7}), {"phys": "p", "hi": 100}),
    "add": (
        Change(add={"hi": 5, "f": 1, "v": -1, "rnd": 2}),
        {"hi": 105, "f": 2, "v": 0, "rnd": 2},
    ),
    "append": (
        Change(append={"recent": "r2", "removed": "p1"}),
        {"recent": ["r0", "r1", "r2"], "removed": ["p1"]},
    ),
    "append a map": (
        Change(append={"hist": {"rid": "r1", "ok": True}}),
        {"hist": [{"rid": "r1", "ok": True}]},
    ),
    "remove": (
        Change(remove=[("base",), ("hi",), ("recent",), ("phys",)]),
        {"base": None, "hi": 0, "recent": []},
    ),
    "remove in a map": (
        Change(remove=[("steps", "a#0", "g")]),
        {"steps": {"a#0": {"s": "D"}, "~x/http.POST.api.example.com#0": {"s": "S"}}},
    ),
    "remove in a list": (Change(remove=[("debts", 0)]), {"debts": [{"own": "o1"}]}),
    "all at once": (
        Change(
            set={("rid",): "r2"},
            default={"phys": "p"},
            add={"f": 1},
            append={"recent": "r2"},
            remove=[("ok",), ("debts",)],
        ),
        {
            "rid": "r2",
            "phys": "p",
            "f": 2,
            "recent": ["r0", "r1", "r2"],
            "ok": None,
            "debts": [],
        },
    ),
}


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
            Equals(("st",), "DONE"),
            Equals(("ok",), value=False),
            Below(("hi",), 10),
            AllOf([Absent(("v",)), Below(("f",), 1)]),
            AnyOf([Equals(("rid",), "r1"), Below(("hi",), 10)]),
        ):
            written = told.write(Write(guard, FIRST))

            assert written == Written(applied=False, head=None)

    @pytest.mark.parametrize(
        "guard", [NEW, Lacks(("recent",), "r1"), AnyOf([Below(("f",), 1), NEW])]
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

        written = told.write(Write(guard, Change(set={("typ",): "Update"})))

        assert allows == written.applied
        assert ("Update" if allows else "") == told.doc()["typ"]
        assert allows or text(before.head) == text(written.head)

    @pytest.mark.parametrize("guard", OTHER_KINDS, ids=str)
    def test_a_guard_over_a_value_of_another_kind(self, told: Told, guard: Guard) -> None:
        """True is not 1, and text is no number: such a guard refuses, and nothing breaks."""
        told.write(Write(NEW, FIRST))

        written = told.write(Write(guard, Change(set={("typ",): "Update"})))

        assert not written.applied

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change(self, told: Told, name: str) -> None:
        """A write makes its whole change, and adds one to the count of writes."""
        before = told.write(Write(NEW, FIRST)).head
        change, wanted = CHANGES[name]

        told.write(Write(Equals(("rid",), "r1"), change))

        made = {**json.loads(text(before)), "w": 2, **wanted}
        assert {part: value for part, value in made.items() if value is not None} == told.doc()

    def test_a_refused_write_changes_nothing(self, told: Told) -> None:
        """Not even the count of writes."""
        before = told.write(Write(NEW, FIRST))

        told.write(Write(Equals(("rid",), "r2"), CHANGES["all at once"][0]))

        assert text(before.head) == text(told.store.read(told.key))

    def test_a_change_of_what_is_not_there(self, store: Store, key: str) -> None:
        """A value cannot be set below what is not there: an error, and the head stays."""
        before = store.write(key, Write(NEW, FIRST))

        for path in (("phys", "x"), ("debts", 5, "gone"), ("steps", "b#0", "s")):
            with pytest.raises((LookupError, LedgerUnavailable)):
                store.write(key, Write(SOME, Change(set={path: True, ("rid",): "r2"})))

        assert text(before.head) == text(store.read(key))

    def test_two_resources(self, store: Store, key: str) -> None:
        """A write to one key is not seen under another."""
        other = key + "2"
        store.write(key, Write(NEW, FIRST))

        written = store.write(other, Write(NEW, a_head(rid="r7")))

        heads = [store.read(one) for one in (key, other)]
        assert written.applied
        assert ["r1", "r7"] == [head.request_id for head in heads if head is not None]

    def test_what_is_handed_over_is_a_copy(self, store: Store, key: str) -> None:
        """Nobody changes what is kept by changing what he gave or was given."""
        given: dict[str, Any] = {"a#0": {"s": "D"}}
        first = store.write(key, Write(NEW, a_head(steps=given))).head
        before = text(store.read(key))

        given["a#0"]["s"] = "F"
        assert first is not None
        dict(first.steps)["a#0"]["s"] = "S"
        read = store.read(key)
        assert read is not None
        dict(read.steps)["a#0"]["s"] = "S"

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

    def test_a_head_of_many_steps(self, told: Told) -> None:
        """Three hundred results in one head, each a write of its own place."""
        told.write(Write(NEW, FIRST))
        steps = {("steps", f"thing#{n}"): {"s": "D", "r": "x" * 500, "g": n} for n in range(150)}
        more = {("steps", f"other#{n}"): {"s": "D", "r": "x" * 500, "g": n} for n in range(150)}

        told.write(Write(Equals(("rid",), "r1"), Change(set=steps)))
        told.write(Write(Equals(("rid",), "r1"), Change(set=more)))

        assert 302 == len(told.doc()["steps"])


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

        assert [False] == [one.applied for one in seen]
        assert text(store.read(key)) == text(seen[0].head)


class TestDynamoDBOnMiniStack(StoreContract):
    @pytest.fixture
    def store(self, dynamodb: Any, table: str) -> Store:
        return DynamoDBStore(table, client=dynamodb)


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
        {"set": {("rid",): "a"}, "remove": [("rid",)]},
        {"set": {("steps",): {}, ("steps", "a#0"): {}}},
        {"set": {("steps", "a#0", "s"): "D"}, "remove": [("steps", "a#0")]},
        {"set": {("hi",): 1}, "add": {"hi": 1}},
        {"default": {"phys": "a"}, "remove": [("phys",)]},
        {"append": {"recent": "a"}, "set": {("recent",): []}},
        {"remove": [("ok",), ("ok",)]},
        {"add": {"w": 1}},
    ],
    ids=str,
)
def test_a_change_that_touches_a_place_twice(parts: dict[str, Any]) -> None:
    """What DynamoDB refuses, the stores in this process refuse: their tests would not tell."""
    with pytest.raises(ValueError, match="twice"):
        MemoryStore().write("r1", Write(Absent(("v",)), Change(**parts)))
