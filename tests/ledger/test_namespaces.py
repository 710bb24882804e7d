"""Namespaces: providers that share a table, and none sees what is another's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfn_once import CustomResource, Provider, Request
from cfn_once.ledger import MemoryStore, Store, Write, Written, open_store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.head import Head
from cfn_once.ledger.namespace import Namespace
from cfn_once.ledger.store import Absent, Change, Equals
from cfn_once.testing import FakeCloudFormation
from ledger.engines import make_table
from ledger.told import a_head, text
from support.ministack import MiniStack

LONG = "x" * 20_000  # longer than the head takes
Open = Callable[[str], Store]


class Recorded:
    """A client that notes the keys of all that is asked of the table."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            key = arguments.get("Key") or arguments["Item"]  # a scan has neither
            self.asked.append((name, key["pk"]["S"]))
            return called(**arguments)

        return call


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    def create(self) -> dict[str, str]:
        self.step("long", lambda _: LONG)
        self.step("longer", lambda _: LONG)
        return {"Token": "known to its stack"}

    def update(self) -> dict[str, str]:
        self.step("long", lambda _: LONG)
        return {"Token": "known to its stack"}

    def delete(self) -> None:
        self.step("gone", lambda _: None, repeat=True)


def live(store: Store) -> None:
    """Let a resource live from its Create to its Delete, with a copy of each request."""
    cloudformation = FakeCloudFormation(Provider(Thing), ledger=store, faults={"times": 2})
    cloudformation.create("Thing", {"Size": "1"})
    cloudformation.update("Thing", {"Size": "2"})
    cloudformation.delete("Thing")

    assert ["SUCCESS"] == list({answer.status for _, answer in cloudformation.answers})


@pytest.fixture(params=["sqlite", "ministack"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the parts of one store, by what stands after the question mark of its URL."""
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path}/ledger.sqlite3"
        return lambda query: open_store(f"{url}?{query}", in_lambda=False, allow_local=False)
    aws: MiniStack = request.getfixturevalue("ministack")
    name = make_table(request.getfixturevalue("dynamodb"), f"parts-{tmp_path.name[-40:]}")
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        request.getfixturevalue("monkeypatch").setenv(variable, "test")
    url = f"dynamodb://{name}?region=us-east-1&endpoint={aws.url}"
    return lambda query: open_store(f"{url}&{query}", in_lambda=False, allow_local=False)


@pytest.mark.parametrize("name", ["shop", "Shop_1.prod-eu", "x" * 64])
def test_everything_that_is_touched_is_under_the_leading_key(dynamodb: Any, name: str) -> None:
    """
    Heads and long results alike: each key begins with the namespace and a slash, whatever is asked;
    and nothing is scanned or queried.
    """
    table = make_table(dynamodb, f"leading-{name[:8]}")
    client = Recorded(dynamodb)

    live(Namespace(DynamoDBStore(table, client=client), name))
    items = dynamodb.scan(TableName=table)["Items"]

    assert {"get_item", "put_item", "update_item"} >= {method for method, _ in client.asked}
    assert [] == [key for _, key in client.asked if not key.startswith(f"{name}/r")]
    assert {True} == {item["pk"]["S"].startswith(f"{name}/r") for item in items}
    assert 1 < len(items)  # long results lie beside the head


def test_two_namespaces_know_nothing_of_each_other(opened: Open) -> None:
    """
    The same key in another namespace, and the one without a namespace, are other items.
    """
    stores = [opened(query) for query in ("namespace=a", "namespace=b", "")]
    for store, number in zip(stores, "123", strict=True):
        store.write("r1", Write(Absent(("v",)), a_head(stk=number)))
        store.spill("r1", "S#1", number, 1_900_000_000)

    heads = [store.read("r1") for store in stores]

    assert ["1", "2", "3"] == [head and head.stack_id for head in heads]
    assert ["1", "2", "3"] == [store.unspill("r1", "S#1") for store in stores]


@pytest.mark.parametrize(
    ("before", "after"), [("", "b&formerly="), ("namespace=a", "b&formerly=a")]
)
def test_what_moves(opened: Open, before: str, after: str) -> None:
    """
    What lies in the former namespace is read where there is nothing here; whatever is written goes
    here, on top of it, and what lies there stays as it is.
    """
    old, new = opened(before), opened(f"namespace={after}")
    old.write("r1", Write(Absent(("v",)), a_head(stk="s1", lid="Thing")))
    old.write("r1", Write(Equals(("stk",), "s1"), Change(set={("rt",): "Custom::Thing"})))
    old.spill("r1", "S#1", LONG, 1_900_000_000)
    left = old.read("r1")

    found = new.read("r1")
    written = new.write(
        "r1", Write(Equals(("rt",), "Custom::Thing"), Change(append={"recent": "x"}))
    )

    assert text(left) == text(found)
    assert written.applied
    assert text(written.head) == text(new.read("r1"))
    assert left is not None
    assert written.head is not None
    assert (left.revision + 1, "Thing") == (written.head.revision, written.head.logical_resource_id)
    assert text(left) == text(old.read("r1"))
    assert LONG == new.unspill("r1", "S#1")


def test_a_first_write_does_not_begin_anew_what_moves(opened: Open) -> None:
    """
    A blind write that is allowed where there is nothing is refused by what lies there, and tells of
    it; only where nothing lies there either is it a first one.
    """
    old, new = opened("namespace=a"), opened("namespace=b&formerly=a")
    old.write("r1", Write(Absent(("v",)), a_head(stk="s1")))

    moved = new.write("r1", Write(Absent(("v",)), a_head(stk="anew")))
    first = new.write("r2", Write(Absent(("v",)), a_head(stk="anew")))

    assert (False, "s1") == (moved.applied, moved.head and moved.head.stack_id)
    assert (True, "anew") == (first.applied, first.head and first.head.stack_id)
    assert old.read("r2") is None


def test_a_resource_moves_with_its_provider(opened: Open) -> None:
    """
    A stack that was made before the move is changed and deleted after it: the copy of an old event
    has no effect, nothing is made again, and what the first provider keeps is not touched.
    """
    made: list[str] = []

    class Counted(Thing):
        resource_type = "Custom::Thing"

        def create(self) -> dict[str, str]:
            made.append(self.physical_resource_id)
            return super().create()

    old, new = opened("namespace=a"), opened("namespace=b&formerly=a")
    first = FakeCloudFormation(Provider(Counted), ledger=old)
    first.create("Thing", {"Size": "1"})
    create = first.answers[0][0]
    key = _key_of(create)
    before = old.read(key)
    moved = FakeCloudFormation(Provider(Counted), ledger=new, clock=first.clock)
    moved.stack_id, moved.resources["Thing"] = first.stack_id, first.resources["Thing"]

    copy = moved.send(create)
    updated = moved.update("Thing", {"Size": "2"})
    deleted = moved.delete("Thing")

    assert ["SUCCESS", "SUCCESS", "SUCCESS"] == [
        answer.status for answer in (copy, updated, deleted)
    ]
    assert {"Token": "known to its stack"} == copy.data
    assert 1 == len(made)
    assert text(before) == text(old.read(key))


class Overtaking(MemoryStore):
    """A store in which another process moves an item just before we do."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], Written]] = []

    def write(self, key: str, write: Write) -> Written:
        if write.name == "move" and self.meanwhile:
            self.meanwhile.pop()()
        return super().write(key, write)


def test_two_that_move_at_once() -> None:
    """
    Who comes second finds what the first one has moved and written, and undoes nothing of it.
    """
    store = Overtaking()
    new, other = (Namespace(store, "b", formerly="a") for _ in range(2))
    Namespace(store, "a").write("r1", Write(Absent(("v",)), a_head(stk="s1", rt="none")))
    change = Change(set={("rt",): "theirs"})
    store.meanwhile.append(lambda: other.write("r1", Write(Equals(("rt",), "none"), change)))

    written = new.write("r1", Write(Equals(("rt",), "none"), Change(set={("rt",): "ours"})))

    assert (False, "theirs") == (written.applied, _type_of(written.head))
    assert "theirs" == _type_of(new.read("r1"))


def _type_of(head: Head | None) -> str:
    assert head is not None
    return head.resource_type


def _key_of(event: Any) -> str:
    return "r" + Request.from_event(event).correlation_id


def test_a_listing_of_a_namespace() -> None:
    """
    It has the items of its namespace, and those that are to move there, each once.
    """
    whole = MemoryStore()
    for key in ("new/r1", "new/r2", "old/r2", "old/r3", "r3", "r4", "other/r5"):
        whole.write(key, Write(Absent(("v",)), a_head(lid=key)))

    def listed(store: Store) -> list[tuple[str, str]]:
        page = store.page(most=1)
        found = [(item.key, item.head.logical_resource_id) for item in page.listed if item.head]
        while page.following:
            page = store.page(page.following, most=1)
            found += [(i.key, i.head.logical_resource_id) for i in page.listed if i.head]
        return found

    assert [("r1", "new/r1"), ("r2", "new/r2")] == listed(Namespace(whole, "new"))
    assert [("r1", "new/r1"), ("r2", "new/r2"), ("r3", "old/r3")] == listed(
        Namespace(whole, "new", formerly="old")
    )
    assert ["new/r1", "new/r2", "r3", "r4"] == [
        lid for _, lid in listed(Namespace(whole, "new", formerly=""))
    ]
