"""The table of decisions, row by row, and against the branches that it took the place of."""

import json
from dataclasses import replace
from itertools import product

import pytest

from cfn_once import Request, RequestType
from cfn_once._hooks.decision import Cleanup, Create, Delete, Keep, Refuse, Update, decide
from cfn_once.ledger import Head, HeldObject, Operation

KEPT = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "x", "Data": {"Arn": "a"}})
UNABLE = "nobody serves it"


def ask(kind, held=None, now="Q", before="P"):
    """Return a request: its properties, and those before an Update, by a letter."""
    return Request(
        type=RequestType(kind),
        request_id="request",
        stack_id="arn:aws:cloudformation:us-east-1:123456789012:stack/s/g",
        logical_resource_id="Thing",
        resource_type="Custom::Thing",
        response_url="https://nowhere.example.com/",
        physical_resource_id=held,
        properties={"Kind": now},
        old_properties={"Kind": before} if kind == "Update" else {},
        issued_at=1_800_000_000,
    )


def made_of(letter):
    return None if letter is None else ask("Create", now=letter).properties_fingerprint


def an_object(name, letter="P"):
    return HeldObject(id=name, properties=made_of(letter), response=KEPT)


def head(held="held", letter="P", replaced=(), removed=(), **parts):
    return Head(
        operation=Operation(request_id="request"),
        held=None if held is None else an_object(held, letter),
        replaced=tuple(an_object(name, kind) for name, kind in replaced),
        removed=tuple(removed),
        recent=parts.pop("recent", ("before", "mine")),
        **parts,
    )


def test_a_create():
    """
    A Create makes the resource, whatever was held before.
    """
    assert Create() == decide(head(None), ask("Create"))


UPDATES = {
    # held of, asked for, before, changed, replaces: what is done
    "nothing differs from what is held": ("P", "P", "P", False, False, Keep),
    "nothing that is declared differs": ("P", "Q", "P", False, False, Keep),
    "a change in place": ("P", "Q", "P", True, False, Update),
    "a change of replace_on": ("P", "Q", "P", True, True, Create),
    "a failed replacement is rolled back": ("P", "P", "Q", True, True, Keep),
    "a failed change in place is rolled back": ("P", "P", "Q", True, False, Update),
    "what is held is of neither": ("R", "Q", "P", False, False, Update),
    "what is held was never ours": (None, "Q", "P", False, False, Update),
}


@pytest.mark.parametrize("row", UPDATES.values(), ids=UPDATES.keys())
def test_an_update(row):
    """
    An Update is answered from the ledger where nothing is to be done, else it changes or replaces.
    """
    held, asked, before, changed, replaces, wanted = row

    decision = decide(
        head(letter=held),
        ask("Update", "held", asked, before),
        changed=changed,
        replaces=lambda: replaces,
    )

    assert wanted is type(decision)
    if isinstance(decision, Keep):
        assert ("held", {"Arn": "a"}) == decision.answer[:2]


def test_an_update_back_to_what_was_replaced():
    """
    The properties of a replaced object bring it back: nothing is made.
    """
    decision = decide(
        head(letter="Q", replaced=[("old", "P")]), ask("Update", "held", "P", "Q"), changed=True
    )

    assert "old" == decision.answer.physical_resource_id


DELETES = {
    # id, held, acknowledged: what is done
    ("held", True, False): Delete("held"),
    ("held", True, True): Delete("held"),
    ("replaced", False, False): Delete("replaced", keeps_current=True),
    ("replaced", True, False): Delete("replaced", keeps_current=True),
    ("replaced", True, True): Delete("replaced", keeps_current=True),
    ("removed", False, False): Cleanup(),
    ("removed", True, False): "nothing",
    ("removed", True, True): "nothing",
    ("other", False, False): Cleanup(),
    ("other", True, False): Delete("held"),
    ("other", True, True): "misplaced",
}


@pytest.mark.parametrize(("row", "wanted"), DELETES.items(), ids=map(str, DELETES))
def test_a_delete(row, wanted):
    """
    A Delete removes what its id names; what CloudFormation has never carried back, it may call
    what it likes.
    """
    name, is_held, acknowledged = row
    known = head(
        "held" if is_held else None,
        replaced=[("replaced", "R")],
        removed=["removed"],
        acknowledged=acknowledged,
    )

    decision = decide(known, ask("Delete", name))

    if wanted in ("nothing", "misplaced"):
        assert ("misplaced" == wanted) == decision.misplaced
        assert name == decision.answer.physical_resource_id
    else:
        assert wanted == decision


def test_a_type_that_is_not_served():
    """
    Nothing is made of it, and nothing removed: only where the ledger knows nothing, a Delete is
    over.
    """
    assert Refuse(UNABLE) == decide(head(None), ask("Create"), unable=UNABLE)
    assert Refuse(UNABLE) == decide(head(), ask("Update", "held"), unable=UNABLE)
    assert Refuse(UNABLE) == decide(head(), ask("Delete", "held"), unable=UNABLE)
    assert Cleanup() == decide(head(None), ask("Delete", "held"), unable=UNABLE)
    assert Cleanup() == decide(head(recent=("mine",)), ask("Delete", "held"), unable=UNABLE)


# The first version's methods, as one function each: what it did with these facts.


def branches_of_an_update(known, request, changed, replaces):
    held = known.held
    former = next(
        (o for o in known.replaced if o.properties == request.properties_fingerprint), None
    )
    if former is not None:
        return ("kept", former.id)
    as_asked = held is not None and held.properties == request.properties_fingerprint
    as_before = held is not None and held.properties == request.old_properties_fingerprint
    if held is not None and held.id == request.physical_resource_id:
        unchanged = not changed and (as_asked or as_before)
        never_left = as_asked and changed and replaces
        if unchanged or never_left:
            return ("kept", held.id)
    return ("create",) if replaces else ("update",)


def branches_of_a_delete(known, request, served, is_new):
    held, event_id = known.held_id, request.physical_resource_id
    clean_up_of_old = event_id != held and event_id in known.replaced_ids
    spares = clean_up_of_old
    if held is not None and event_id != held and not clean_up_of_old:
        if known.acknowledged or event_id in known.removed:
            return ("success", True)
    if not served:
        if is_new or (held is None and not known.pending_cleanup):
            return ("success", spares)
        return ("failed",)
    target = event_id if clean_up_of_old else held
    return ("delete", target, spares) if target is not None else ("success", spares)


def as_branches(decision):
    match decision:
        case Keep(answer, _):
            return answer.physical_resource_id
        case Create():
            return ("create",)
        case Update():
            return ("update",)
        case Cleanup():
            return ("success", False)
        case Delete(target, keeps_current):
            return ("delete", target, keeps_current)
        case Refuse():
            return ("failed",)


def test_every_update_as_the_first_version_did():
    """
    The table says of each combination of facts what the branches before it did.
    """
    letters = ("P", "Q", "R", None)
    told = 0
    for held, letter, event_id, asked, before, changed, replaces, old in product(
        (None, "held"), letters, ("held", "other"), "PQ", "PQ", (False, True), (False, True),
        (None, "P", "Q", "R"),
    ):  # fmt: skip
        known = head(held, letter, replaced=[("old", old)] if old else ())
        request = ask("Update", event_id, asked, before)

        wanted = branches_of_an_update(known, request, changed, replaces)
        decision = decide(known, request, changed=changed, replaces=lambda r=replaces: r)

        assert (wanted[1] if wanted[0] == "kept" else wanted) == as_branches(decision)
        told += 1
    assert 1024 == told


def test_every_delete_as_the_first_version_did():
    """
    So it does of each Delete, served or not.
    """
    left = Operation(request_id="left", state="FAILED")
    for held, event_id, acknowledged, replaced, pending, served, is_new in product(
        (None, "held"), ("held", "replaced", "removed", "other"), (False, True),
        ((), ("replaced",)), ((), (left,)), (False, True), (False, True),
    ):  # fmt: skip
        known = replace(
            head(held, replaced=[(name, "R") for name in replaced], removed=["removed"]),
            acknowledged=acknowledged and held is not None,
            pending_cleanup=pending,
            recent=("mine",) if is_new else ("before", "mine"),
        )
        request = ask("Delete", event_id)

        wanted = branches_of_a_delete(known, request, served, is_new)
        decision = decide(known, request, unable="" if served else UNABLE)

        told = as_branches(decision)
        if isinstance(decision, Keep):
            assert event_id == told
            told = ("success", True)
        assert wanted == told
