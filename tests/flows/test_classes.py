"""What a class may say of itself, and what is refused when it is defined."""

import asyncio
import functools
from dataclasses import dataclass
from types import new_class
from typing import Any, Generic, TypeVar

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider
from cfn_once.testing import FakeCloudFormation

A = TypeVar("A")


@dataclass(frozen=True)
class Named:
    Name: str


class Base(CustomResource[Named, A], Generic[A]):
    """A base class of somebody's own, which leaves the attributes open."""

    def create(self) -> Any:
        return {"Name": self.properties.Name, "Id": self.correlation_id}

    def delete(self) -> None:
        pass


def test_a_base_class_of_ones_own():
    """
    A generic base leaves a type open, and who derives from it names it.
    """

    class Derived(Base[dict]):
        pass

    answer = FakeCloudFormation(Provider(Derived, ledger="memory://")).create("One", {"Name": "a"})

    assert "a" == answer.data["Name"]
    assert 26 == len(answer.data["Id"])


def test_attributes_that_are_none():
    """
    A class without attributes answers none.
    """

    class Bare(CustomResource[Named, None]):
        def create(self):
            assert 100 < self.time_left <= 120

        def delete(self):
            pass

    answer = FakeCloudFormation(Provider(Bare, ledger="memory://")).create("One", {"Name": "a"})

    assert (True, {}) == (answer.succeeded, answer.data)


@pytest.mark.parametrize("value", ["", None, 7])
def test_an_id_that_is_none(value):
    """
    A physical id is text, and not empty: CloudFormation would hide the reason behind it.
    """

    class Empty(CustomResource[Named, dict]):
        def create(self):
            self.physical_resource_id = value

        def delete(self):
            pass

    answer = FakeCloudFormation(Provider(Empty, ledger="memory://")).create("One", {"Name": "a"})

    assert "physical_resource_id must be text, and not empty" in answer.reason


P = TypeVar("P")


class Open(CustomResource[P, A], Generic[P, A]):
    def create(self):
        return {"A": "1"}

    delete = None


class Half(Open[P, dict]):
    """Leaves the properties open."""


class Whole(Half[P]):
    """A base over a base."""

    resource_type = "Custom::Handed-down"


class Listed(Open[dict[str, P], dict]):
    """Leaves a part of a type open."""


class Named_(Half[Named]):
    resource_type = "Custom::Own"


class Mixed:
    resource_type = "Custom::Mixed-in"


@pytest.mark.parametrize(
    ("bases", "serves"),
    [
        ((Half[dict],), "Custom::Thing"),
        ((Whole[dict],), "Custom::Handed-down"),
        ((Listed[str],), "Custom::Thing"),
        ((Named_,), "Custom::Thing"),
        ((Mixed, Half[dict]), "Custom::Mixed-in"),
    ],
    ids=str,
)
def test_what_a_derived_class_serves(bases, serves):
    """
    Its own name, unless it, a generic base or a mixin names a type; one that a base serves itself
    stays with that base.
    """
    derived = new_class("Thing", bases)
    provider = Provider(derived, ledger="memory://")
    created = FakeCloudFormation(provider).create("One", {"Name": "a"}, resource_type=serves)

    assert (serves,) == provider.resource_types
    assert {"A": "1"} == created.data


def test_nothing_to_remove():
    """
    `delete = None` makes a Delete SUCCESS, runs no hook, and still undoes what steps have made.
    """
    undone = []

    class LookedUp(CustomResource[Named, dict]):
        def create(self):
            self.step("make", lambda step: "made", undo=undone.append)
            if self.properties.Name == "bad":
                raise ValueError("no such image")
            return {"Id": "ami-1"}

        delete = None

    stack = FakeCloudFormation(Provider(LookedUp, ledger="memory://"))

    assert stack.create("Good", {"Name": "a"}).succeeded
    assert stack.delete("Good").succeeded
    assert [] == undone
    assert not stack.create("Bad", {"Name": "bad"}).succeeded
    assert ["made"] == undone


def test_a_constructor_of_ones_own():
    """
    It takes what cfn-once hands over and passes it on; one that forgets to is told so.
    """

    class Good(CustomResource[Named, dict]):
        def __init__(self, given):
            super().__init__(given)
            self.seen = [self.properties.Name]

        def create(self):
            return {"Seen": self.seen}

        delete = None

    class Forgetful(Good):
        def __init__(self, given):
            self.seen = []

    good, bad = (
        FakeCloudFormation(Provider(kind, ledger="memory://")) for kind in (Good, Forgetful)
    )

    assert {"Seen": ["a"]} == good.create("One", {"Name": "a"}).data
    assert "does not call super().__init__(given)" in bad.create("One", {"Name": "a"}).reason


def logged(hook):
    """Wrap a hook as a careless decorator does."""

    @functools.wraps(hook)
    def wrapper(self):
        return hook(self)

    return wrapper


async def removed(self):
    raise AssertionError("nobody runs it")


def test_hooks_of_another_kind_behind_a_decorator():
    """
    What a decorator hides shows when the hook runs: the Delete is FAILED, and deletes nothing; one
    that runs what it wraps is a hook like any other.
    """

    class Async(CustomResource[Named, dict]):
        def create(self):
            return {}

        delete = logged(removed)

    class Sync(Async):
        @functools.wraps(removed)
        def delete(self):
            asyncio.run(asyncio.sleep(0))

    hidden = FakeCloudFormation(Provider(Async, ledger="memory://"))
    hidden.create("One", {"Name": "a"})
    run = FakeCloudFormation(Provider(Sync, ledger="memory://"))
    run.create("One", {"Name": "a"})

    failed = hidden.delete("One")

    assert not failed.succeeded
    assert "removed returned a coroutine, and nothing runs it" in failed.reason
    assert run.delete("One").succeeded


@pytest.mark.parametrize("hook", ["create", "update", "delete", "replaces", "on_timeout"])
@pytest.mark.parametrize(
    "hidden",
    [removed, functools.partialmethod(removed), staticmethod(removed), "mixed in", "since"],
    ids=["plain", "partial", "static", "mixed in", "since"],
)
def test_hooks_that_would_do_nothing(hook, hidden):
    """
    Each hook is looked at, wherever it comes from; `replaces` that is a coroutine would be true.
    """

    def define():
        bases = (Half[dict],) if hidden != "mixed in" else (Mixin, Half[dict])
        made = new_class("Thing", bases, exec_body=lambda body: body.update(members))
        if hidden == "since":
            setattr(made, hook, removed)
        return Provider(made, ledger="memory://")

    Mixin = type("Mixin", (), {hook: removed})
    members = {} if isinstance(hidden, str) else {hook: hidden}

    with pytest.raises(ConfigurationError, match=rf"Thing\.{hook} is a coroutine function"):
        define()


def test_an_undo_that_nothing_runs():
    """
    An undo that returns a coroutine has undone nothing: the Delete is FAILED until it does.
    """

    class Thing(CustomResource[Named, dict]):
        def create(self):
            self.step("make", lambda step: "made", undo=lambda made: removed(self))
            raise ValueError("boom")

        delete = None

    stack = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    stack.create("One", {"Name": "a"})

    assert ["FAILED", "FAILED"] == [answer.status for _, answer in stack.answers][:2]
    assert "step undo make: its function returned a coroutine" in stack.answers[-1][1].reason
