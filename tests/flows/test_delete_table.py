"""The table of Deletes (docs/errors.md names what each leaves), cell by cell, through the provider.

A row tells what came before, which id the Delete bears, what it removes, and what it names.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from cfn_once import Provider, Request
from cfn_once.testing import Crashed, FakeCloudFormation
from support.groups import Groups, group_of

ONE = {"Product": "Linux/UNIX", "Target": 3}
TWO = {"Product": "Windows", "Target": 3}
THREE = {"Product": "Windows", "Target": 4}
WRONG = {**ONE, "Target": "many"}
INVENTED, CDK = "stack-Group-1A2B3C4D5E6F", "FAILED"


class Life:
    """One resource of a stack, as its requests come to the provider.

    Attributes:
        ids: What Deletes may bear, by a word.
        requests: The RequestIds of what has been sent, by the same words.
        objects: What each of them has made.
        kind: The class.
    """

    def __init__(self) -> None:
        self.groups = Groups("sig")
        kind = group_of(self.groups)
        make, groups = kind.create, self.groups

        class Group(kind):
            def create(self):
                self.step("note", note, once=True, undo=groups.delete)
                groups.check()
                return make(self)

        def note(step):
            note_id = groups.make(step.token)
            if groups.fails and isinstance(groups.fails[0], TimeoutError):
                raise groups.fails.pop()
            return note_id

        self.kind = Group
        self.stack = FakeCloudFormation(Provider(Group, ledger="memory://"))
        self.ids = {"invented": INVENTED, "CDK": CDK, "foreign": "theirs", "unknown name": "other"}
        self.requests: dict[str, str] = {}
        self.objects: dict[str, list[str]] = {}
        never = self.stack.event("Create", "Group", ONE)
        self.ids["unknown"] = Request.from_event(never).placeholder_id("none")

    def _create(self, name, of, **how):
        event = self.stack.event("Create", "Group", of)
        request = Request.from_event(event)
        self.requests[name] = request.request_id
        self.ids[f"placeholder of {name}"] = request.placeholder_id("never")
        before = set(self.groups.objects)
        try:
            answer = self.stack.send(event, **how)
        finally:
            self.objects[name] = sorted(set(self.groups.objects) - before)
        return answer

    def made(self, name="it", of=ONE):
        """Let a Create succeed: it makes a note and a group."""
        answer = self._create(name, of)
        assert answer.succeeded, answer.reason
        self.ids[name] = answer.physical_resource_id
        return self

    def failed(self, name, of=ONE):
        """Let a Create fail behind its note."""
        self.groups.fails.append(ValueError("no capacity"))
        assert "FAILED" == self._create(name, of).status
        return self

    def doubted(self, name, of=ONE):
        """Let a Create fail whose note may have been made."""
        self.groups.fails.append(TimeoutError("no answer"))
        assert "FAILED" == self._create(name, of).status
        return self

    def died(self, name, of=ONE):
        """Let a Create die behind its note."""
        with pytest.raises(Crashed):
            self._create(name, of, crash_after="note")
        self.stack.clock.advance(130)
        return self

    def refused(self, name="refused"):
        """Let a Create be refused before its hook."""
        assert "FAILED" == self._create(name, WRONG).status
        return self

    def _update(self, of, before, held):
        event = self.stack.event("Update", "Group", of, physical_resource_id=self.ids[held])
        event["OldResourceProperties"] = self.stack.event("Create", "X", before)[
            "ResourceProperties"
        ]
        return event

    def replacement_died(self, name, of, before, held="it"):
        """Let an Update that replaces the group die behind its note."""
        event = self._update(of, before, held)
        self.requests[name] = event["RequestId"]
        with pytest.raises(Crashed):
            self.stack.send(event, crash_after="note")
        self.stack.clock.advance(130)
        return self

    def updated(self, of, before, held="it", name=""):
        """Let an Update succeed; one that changes the product replaces the group."""
        event = self._update(of, before, held)
        there = set(self.groups.objects)
        answer = self.stack.send(event)
        assert answer.succeeded, answer.reason
        self.ids[name or held] = answer.physical_resource_id
        self.objects[name or held] = sorted(set(self.groups.objects) - there)
        return self

    def deleted(self, held, of=ONE, *, fails=False):
        """Let a Delete come before the one that is judged."""
        if fails:
            self.groups.fail("delete", status=400)
        answer = self.delete(held, of)
        assert ("FAILED" if fails else "SUCCESS") == answer.status, answer.reason
        return self

    def delete(self, held, of=ONE):
        """Deliver a Delete, and return its answer."""
        return self.stack.send(
            self.stack.event("Delete", "Group", of, physical_resource_id=self.ids[held])
        )


class Row(NamedTuple):
    """One cell, or a rule below the table.

    Attributes:
        before: What came before.
        held: Which id the Delete bears.
        removes: The ids under which `delete` runs, in order, by the words of `Life`.
        names: What the answer names, in order: `{it}` stands for an id.
        of: The properties in the Delete.
        undoes: Whose notes are removed.
    """

    before: Callable[[Life], Life]
    held: str
    removes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    of: dict = ONE
    undoes: tuple[str, ...] = ()


NO_CREATE = "no Create of Group is in the ledger"
HELD = "{it} is held, and no request has named it yet"
IN_ITS_PLACE = "{it} is held in its place"  # as after every replacement: no reason to fail
UNKNOWN = "{unknown} stands for no Create that is known here"
FORGOTTEN = "{lost} was made, and no request has named it"
WAITING = "what {{{it}}} may have made is not cleaned up yet"
OLD = "{old} was replaced, and no Delete of it has come"


def unheard(life):
    return life.made()


def known(life):
    return life.made().updated({**ONE, "Target": 4}, ONE)


def replaced(life):
    return life.made("old").updated(TWO, ONE, "old", name="it")


def replaced_and_known(life):
    return replaced(life).updated(THREE, TWO)


def forgotten(life):
    return life.made("lost", TWO).made()


TABLE = {
    # No item
    "placeholder / no item": Row(lambda life: life, "unknown", (), (NO_CREATE,)),
    "invented / no item": Row(lambda life: life, "invented", (), (NO_CREATE,)),
    "another library's / no item": Row(lambda life: life, "CDK", (), (NO_CREATE,)),
    "foreign / no item": Row(lambda life: life, "foreign", ("foreign",)),
    # Nothing held
    "placeholder / nothing held": Row(
        lambda life: life.failed("c"), "placeholder of c", undoes=("c",)
    ),
    "placeholder / nothing held, it left nothing": Row(
        lambda life: life.refused("c"), "placeholder of c"
    ),
    "placeholder / nothing held, another Create left something": Row(
        lambda life: life.failed("c").refused("d"),
        "placeholder of d",
        (),
        ("what {c} may have made is not cleaned up yet",),
    ),
    "placeholder / nothing held, its Create is not known": Row(
        lambda life: life.refused("c"), "unknown", (), (UNKNOWN,)
    ),
    "placeholder / nothing held, its Create is in doubt": Row(
        lambda life: life.doubted("c"), "placeholder of c", (), ("note#0 of {c} at",)
    ),
    "invented / nothing held": Row(
        lambda life: life.failed("c").refused("d"), "invented", undoes=("c",)
    ),
    "invented / nothing held, a Create died": Row(
        lambda life: life.died("c"), "invented", (), ("note#0 of {c} at",)
    ),
    "another library's / nothing held": Row(lambda life: life.failed("c"), "CDK", undoes=("c",)),
    "replaced / nothing held": Row(lambda life: replaced(life).deleted("it", TWO), "old", ("old",)),
    "removed / nothing held": Row(lambda life: life.made().deleted("it"), "it"),
    "removed / nothing held, something was replaced": Row(
        lambda life: replaced(life).deleted("it", TWO), "it", (), (OLD,), TWO
    ),
    "foreign / nothing held": Row(lambda life: life.refused("c"), "foreign", ("foreign",)),
    "foreign / nothing held, the Delete of another one failed": Row(
        lambda life: life.deleted("foreign", fails=True),
        "unknown name",
        ("unknown name",),
        ("{foreign} was replaced, and its Delete failed",),
    ),
    "foreign / nothing held, a Create failed": Row(
        lambda life: life.failed("c"), "foreign", ("foreign",), undoes=("c",)
    ),
    # Held, not acknowledged
    "its own placeholder / not acknowledged": Row(unheard, "placeholder of it", ("it",)),
    "another placeholder / not acknowledged": Row(
        lambda life: life.refused("c").made(), "placeholder of c", (), (HELD,)
    ),
    "another placeholder / not acknowledged, in doubt": Row(
        lambda life: life.doubted("c").made(),
        "placeholder of c",
        (),
        ("note#0 of {c} at", HELD),
    ),
    "an unknown placeholder / not acknowledged": Row(unheard, "unknown", (), (UNKNOWN, HELD)),
    "invented / not acknowledged": Row(unheard, "invented", ("it",)),
    "invented / not acknowledged, other properties": Row(unheard, "invented", (), (HELD,), TWO),
    "invented / not acknowledged, another Create is open": Row(
        lambda life: life.refused("c").made(), "invented", (), (HELD,)
    ),
    "invented / not acknowledged, an Update made it": Row(replaced, "invented", (), (HELD,), TWO),
    "invented / not acknowledged, a rollback went back to it": Row(
        lambda life: replaced(life).updated(ONE, TWO, "it", name="it"),
        "invented",
        (),
        (HELD,),
    ),
    "another library's / not acknowledged": Row(
        unheard, "CDK", (), ("{CDK} is not known here: look whether it is still there", HELD)
    ),
    "held / not acknowledged": Row(unheard, "it", ("it",)),
    "held / not acknowledged, something was replaced": Row(replaced, "it", ("it",), (OLD,), TWO),
    "held / not acknowledged, a clean-up had failed": Row(
        lambda life: replaced(life).deleted("old", fails=True), "it", ("it", "old"), (), TWO
    ),
    "replaced / not acknowledged": Row(replaced, "old", ("old",), (IN_ITS_PLACE,)),
    "removed / not acknowledged": Row(
        lambda life: life.made("gone").deleted("gone").made(), "gone", (), (HELD,)
    ),
    "foreign / not acknowledged": Row(
        unheard,
        "foreign",
        (),
        ("{foreign} is not known here: look whether it is still there", HELD),
    ),
    # Held, acknowledged
    "its own placeholder / acknowledged": Row(known, "placeholder of it"),
    "another placeholder / acknowledged": Row(
        lambda life: known(life.refused("c")), "placeholder of c"
    ),
    "another placeholder / acknowledged, in doubt": Row(
        lambda life: known(life.doubted("c")),
        "placeholder of c",
        (),
        ("note#0 of {c} at",),
    ),
    "an unknown placeholder / acknowledged": Row(known, "unknown", (), (UNKNOWN,)),
    "invented / acknowledged": Row(
        known, "invented", (), ("{invented} stands for no Create that is known here",)
    ),
    "another library's / acknowledged": Row(
        known, "CDK", (), ("{CDK} is not known here: look whether it is still there",)
    ),
    "held / acknowledged": Row(known, "it", ("it",)),
    "held / acknowledged, something was replaced": Row(
        replaced_and_known, "it", ("it",), (OLD,), THREE
    ),
    "replaced / acknowledged": Row(replaced_and_known, "old", ("old",)),
    "removed / acknowledged": Row(lambda life: known(life.made("gone").deleted("gone")), "gone"),
    "foreign / acknowledged": Row(
        known, "foreign", (), ("{foreign} is not known here: look whether it is still there",)
    ),
    # A Create over what no request has named
    "forgotten: its own placeholder": Row(
        forgotten, "placeholder of lost", ("lost",), (HELD,), TWO
    ),
    "forgotten: the placeholder of what is held": Row(
        forgotten, "placeholder of it", ("it",), (FORGOTTEN,)
    ),
    "forgotten: an unknown placeholder": Row(forgotten, "unknown", (), (UNKNOWN, HELD, FORGOTTEN)),
    "forgotten: invented, of its properties": Row(forgotten, "invented", ("lost",), (HELD,), TWO),
    "forgotten: invented, of both properties": Row(
        lambda life: life.made("lost", ONE).made(), "invented", (), (HELD, FORGOTTEN)
    ),
    "forgotten: invented, of none's properties": Row(
        forgotten, "invented", (), (HELD, FORGOTTEN), THREE
    ),
    "forgotten: held": Row(forgotten, "it", ("it",), (FORGOTTEN,)),
    "forgotten: foreign": Row(
        forgotten,
        "foreign",
        (),
        ("{foreign} is not known here: look whether it is still there", HELD, FORGOTTEN),
    ),
    "forgotten: replaced": Row(
        lambda life: forgotten(life).updated(TWO, ONE, "it", name="new"),
        "it",
        ("it",),
        ("{new} is held in its place", FORGOTTEN),
    ),
    "forgotten: nothing held": Row(
        lambda life: life.made("lost").refused("c"), "placeholder of c", (), (FORGOTTEN,)
    ),
    "forgotten: its own placeholder, nothing held": Row(
        lambda life: life.made("lost").refused("c"), "placeholder of lost", ("lost",)
    ),
    "forgotten: foreign, nothing held": Row(
        lambda life: life.made("lost").refused("c"), "foreign", ("foreign",), (FORGOTTEN,)
    ),
    # What only the Delete of what is held cleans up, which no request has named yet
    "waiting: replaced, after a replacement in doubt": Row(
        lambda life: (
            life.made("old")
            .replacement_died("u", TWO, ONE, "old")
            .updated(TWO, ONE, "old", name="new")
        ),
        "old",
        ("old",),
        ("{new} is held in its place", WAITING.format(it="u")),
    ),
    "waiting: replaced and acknowledged, after a replacement in doubt": Row(
        lambda life: (
            life.made("old")
            .replacement_died("u", TWO, ONE, "old")
            .updated(TWO, ONE, "old", name="new")
            .updated({**TWO, "Target": 4}, TWO, "new")
        ),
        "old",
        ("old",),
    ),
    "waiting: a placeholder, after another Create in doubt": Row(
        lambda life: life.doubted("c").doubted("d").made(),
        "placeholder of c",
        (),
        ("note#0 of {c} at", HELD, WAITING.format(it="d")),
    ),
    # Clean-ups that failed
    "a failed clean-up: only the Delete of what is held tries it again": Row(
        lambda life: replaced(life).deleted("old", fails=True),
        "placeholder of old",
        (),
        (HELD,),
    ),
    "a failed clean-up: tried again by its own Delete": Row(
        lambda life: replaced(life).deleted("old", fails=True), "old", ("old",), (IN_ITS_PLACE,)
    ),
    "a failed clean-up: once a Create has begun it is only named": Row(
        lambda life: replaced(life).deleted("old", fails=True).made("new"),
        "new",
        ("new",),
        (OLD, "{it} was made, and no request has named it"),
    ),
}


@pytest.mark.parametrize("unresolved", ["report", "fail"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_delete(row, unresolved):
    """
    A Delete removes what its id names and what it must mean, and names what it leaves: SUCCESS, or
    FAILED where the class says so and something is named besides what is held in its place, and
    what waits for the Delete of that. Sent again, it removes nothing more that lives.
    """
    life = row.before(Life())
    life.kind.unresolved = unresolved
    life.groups.objects |= {"theirs": {}, "other": {}}
    before, calls = set(life.groups.objects), len(life.groups.deletes)

    answer = life.delete(row.held, row.of)
    removed = [held for held in life.groups.deletes[calls:] if held in life.ids.values()]
    gone = before - set(life.groups.objects)

    names = [name.format(**{**life.requests, **life.ids}) for name in row.names]
    assert tuple(life.ids[name] for name in row.removes) == tuple(removed)
    assert bool(names) == bool(answer.reason)
    assert all(name in answer.reason for name in names)
    spared = ("held in its place", "not cleaned up yet") if "in its place" in answer.reason else ()
    is_bad = any(not name.endswith(spared) for name in names)
    assert ("FAILED" if is_bad and unresolved == "fail" else "SUCCESS") == answer.status
    assert gone >= {note for name in row.undoes for note in life.objects[name]}

    left = set(life.groups.objects)
    life.delete(row.held, row.of)
    assert left == set(life.groups.objects)
