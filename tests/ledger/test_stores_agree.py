"""Random writes come to the same on every store."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfn_once.ledger import Change, Guard, MemoryStore, Store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, AllOf, AnyOf, Below, Equals, Lacks, Write
from ledger.told import a_head, text

# Attributes of each kind; what is kept at one keeps its kind, as in a head.
TEXTS, NUMBERS, LISTS, FLAGS = (
    ("typ", "phys", "base"),
    ("hi", "rnd"),
    ("recent", "removed"),
    ("ok",),
)
STEPS = ("a#0", "iam.CreateRole#0", "~gbqqinc2ikn5/http.POST.api.example.com#1")
FIRST = a_head(steps={}, debts=[{"own": "o0", "steps": {}}, {"own": "o1"}])

few_texts = st.sampled_from(["", "r1", "r2", "Größe €", "#n0", ":v0", "🙂\n\x00"])
numbers = st.sampled_from([-1, 0, 1, 2, 1_800_000_000_123, 10**17])
records = st.fixed_dictionaries({"s": st.sampled_from("SDF"), "g": numbers, "r": few_texts})
values = {
    **dict.fromkeys(TEXTS, few_texts),
    **dict.fromkeys(NUMBERS, numbers),
    **dict.fromkeys(LISTS, st.lists(few_texts, max_size=3)),
    **dict.fromkeys(FLAGS, st.booleans()),
}
names = st.sampled_from([*values])
nested = st.one_of(
    st.tuples(st.just("steps"), st.sampled_from(STEPS)),
    st.tuples(st.just("debts"), st.just(0), st.just("steps"), st.sampled_from(STEPS)),
    st.tuples(st.just("debts"), st.sampled_from([0, 1, 2]), st.sampled_from(["own", "gone"])),
)
paths = st.one_of(names.map(lambda name: (name,)), nested)
simple_guards = st.one_of(
    paths.map(Absent),
    names.filter(lambda name: name not in LISTS).flatmap(
        lambda name: values[name].map(lambda value: Equals((name,), value))
    ),
    st.builds(Equals, st.just(("debts", 0, "own")), few_texts),
    st.builds(Below, st.sampled_from(NUMBERS).map(lambda name: (name,)), numbers),
    st.builds(Lacks, st.sampled_from(LISTS).map(lambda name: (name,)), few_texts),
)
guards: st.SearchStrategy[Guard] = st.recursive(
    simple_guards,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(AllOf),
        st.lists(inner, min_size=1, max_size=3).map(AnyOf),
    ),
    max_leaves=5,
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Draw a change that touches each attribute in one way, as every change must."""
    parts: dict[str, Any] = {"set": {}, "default": {}, "add": {}, "append": {}, "remove": []}
    for name in draw(st.lists(names, unique=True, max_size=5)):
        ways = ["set", "default", "remove"]
        ways += ["add"] if name in NUMBERS else []
        ways += ["append"] if name in LISTS else []
        match draw(st.sampled_from(ways)):
            case "set":
                parts["set"][(name,)] = draw(values[name])
            case "remove":
                parts["remove"].append((name,))
            case "add":
                parts["add"][name] = draw(numbers)
            case "append":
                parts["append"][name] = draw(few_texts)
            case "default":
                parts["default"][name] = draw(values[name])
    for path in draw(st.lists(nested, unique=True, max_size=3)):
        if path[:2] != ("debts", 2):  # nothing is there
            value = draw(records if path[-1] in STEPS else few_texts)
            parts["set"][path] = value
    return Change(**parts)


writes = st.lists(st.tuples(guards, changes()), min_size=1, max_size=8)
keys = (f"random-{number}" for number in itertools.count())


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=writes)
def test_random_writes(stores: list[Store], story: list[tuple[Guard, Change]]) -> None:
    """
    Whatever is written under whatever guards, memory, SQLite and DynamoDB let the same writes
    through, hold the same heads, and show the same head to who was refused.
    """
    key = next(keys)

    memory, sqlite, dynamodb = (tell(store, key, story) for store in stores)

    assert memory == sqlite
    assert memory == dynamodb


@pytest.fixture
def stores(dynamodb: Any, table: str, tmp_path: Path) -> list[Store]:
    """One of each kind for all stories; each story is about a resource of its own."""
    return [
        MemoryStore(),
        SQLiteStore(tmp_path / "ledger.sqlite3", synchronous="NORMAL"),
        DynamoDBStore(table, client=dynamodb),
    ]


def tell(store: Store, key: str, story: list[tuple[Guard, Change]]) -> list[tuple[bool, str]]:
    store.write(key, Write(Absent(("v",)), FIRST))
    written = [store.write(key, Write(guard, change)) for guard, change in story]
    # What a head shows as its default may be absent or there: a guard can tell.
    written += [store.write(key, Write(Absent((name,)), Change())) for name in values]
    return [(one.applied, text(one.head)) for one in written]
