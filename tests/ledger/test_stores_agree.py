"""Random writes make the same heads on every store."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfn_once.ledger import Change, Guard, MemoryStore, Store, Write
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, AllOf, AnyOf, Below, Equals, Lacks
from ledger.told import a_head, an_operation, text

# Attributes of each kind; what is kept at one keeps its kind, as in a head.
TEXTS, NUMBERS, LISTS, FLAGS = ("stk", "lid", "rt"), ("ttl",), ("recent", "gone"), ("ack",)
OPERATIONS = [("op",), ("pend", 0), ("pend", 1)]
STEPS = ("a#0", "iam.CreateRole#0", "~gbqqinc2ikn5/http.POST.api.example.com#1")
FIRST = a_head(pend=[an_operation(own="o0"), an_operation(own="o1")])

few_texts = st.sampled_from(["", "r1", "r2", "Größe €", "#n0", ":v0", "🙂\n\x00"])
numbers = st.sampled_from([-1, 0, 1, 2, 1_800_000_123, 10**11])
records = st.fixed_dictionaries({"s": st.sampled_from("SDF"), "g": numbers, "r": few_texts})
values: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXTS, few_texts),
    **dict.fromkeys(NUMBERS, numbers),
    **dict.fromkeys(LISTS, st.lists(few_texts, max_size=3)),
    **dict.fromkeys(FLAGS, st.booleans()),
}
# Of an operation; each has an owner, and all else may be absent.
inner_values = {"own": few_texts, "out": few_texts, "iss": numbers, "tail": st.booleans()}
names = st.sampled_from([*values])
operations = st.sampled_from(OPERATIONS)
inner = st.builds(lambda at, name: (*at, name), operations, st.sampled_from([*inner_values]))
steps = st.builds(lambda at, key: (*at, "steps", key), operations, st.sampled_from(STEPS))
paths = st.one_of(
    names.map(lambda name: (name,)),
    inner,
    steps,
    st.just(("pend", 2)),  # nothing is there
    st.just(("pend", 2, "own")),
)
simple_guards = st.one_of(
    paths.map(Absent),
    names.filter(lambda name: name not in LISTS).flatmap(
        lambda name: values[name].map(lambda value: Equals((name,), value))
    ),
    inner.flatmap(lambda path: st.builds(Equals, st.just(path), inner_values[path[-1]])),
    st.builds(Equals, st.just(("pend", 2, "own")), few_texts),
    st.builds(Below, st.sampled_from(NUMBERS).map(lambda name: (name,)), numbers),
    st.builds(Below, operations.map(lambda at: (*at, "iss")), numbers),
    st.builds(Lacks, st.sampled_from(LISTS).map(lambda name: (name,)), few_texts),
)
guards: st.SearchStrategy[Guard] = st.recursive(
    simple_guards,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(AllOf),
        st.lists(parts, min_size=1, max_size=3).map(AnyOf),
    ),
    max_leaves=5,
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Draw a change that touches each attribute in one way, as every change must."""
    parts: dict[str, Any] = {"set": {}, "default": {}, "append": {}, "remove": []}
    for name in draw(st.lists(names, unique=True, max_size=5)):
        ways = ["set", "default", "remove"]
        ways += ["append"] if name in LISTS else []
        match draw(st.sampled_from(ways)):
            case "set":
                parts["set"][(name,)] = draw(values[name])
            case "remove":
                parts["remove"].append((name,))
            case "append":
                parts["append"][name] = draw(few_texts)
            case "default":
                parts["default"][name] = draw(values[name])
    whole = draw(st.one_of(st.none(), few_texts))
    if whole is not None:  # a request begins
        parts["set"]["op",] = an_operation(own=whole, iss=draw(numbers))
    for path in draw(st.lists(st.one_of(inner, steps), unique=True, max_size=4)):
        if path[0] == "op" and whole is not None:
            continue  # no part of what is set as a whole
        if path[-1] != "own" and draw(st.booleans()):
            parts["remove"].append(path)
        else:
            parts["set"][path] = draw(records if path[-1] in STEPS else inner_values[path[-1]])
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
    Whatever the writes and their guards: memory, SQLite and DynamoDB apply the same writes, keep
    the same heads, and return the same head to a write that they refuse.
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
    places = [
        *((name,) for name in values),
        *((*at, name) for at in OPERATIONS for name in inner_values),
    ]
    written += [store.write(key, Write(Absent(place), Change())) for place in places]
    return [(result.applied, text(result.head)) for result in written]
