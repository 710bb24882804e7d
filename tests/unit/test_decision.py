"""The two tables of decisions, row by row."""

import json
from dataclasses import replace

import pytest

from cfn_once import Request, RequestType
from cfn_once._hooks.decision import Create, Delete, Hooks, Keep, Refuse, Update, decide
from cfn_once.ledger import Head, HeldObject, Operation

KEPT = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "x", "Data": {"Arn": "a"}})
UNABLE = "nobody serves it"
INVENTED = "s-Thing-1A2B3C4D5E6F"


def ask(kind, held=None, now="Q", before="P", request_id="request"):
    """Return a request: its properties, and those before an Update, by a letter."""
    return Request(
        type=RequestType(kind),
        request_id=request_id,
        stack_id="arn:aws:cloudformation:us-east-1:123456789012:stack/s/g",
        logical_resource_id="Thing",
        resource_type="Custom::Thing",
        response_url="https://nowhere.example.com/",
        physical_resource_id=held,
        properties={"Kind": now},
        old_properties={"Kind": before} if kind == "Update" else {},
        issued_at=1_800_000_000,
    )


OWN, OTHER = ask("Create", request_id="own"), ask("Create", request_id="other")
NEVER = ask("Create", request_id="never came")
KNOWN = tuple(request.operation_name[:8] for request in (OWN, OTHER))
LEFT = Operation(request_id="other", type="Create", state="FAILED")
TWIN = replace(LEFT, type="Update", event_physical_id="made", given="{}", begun=5999)


def made_of(letter):
    return None if letter is None else ask("Create", now=letter).properties_fingerprint


def an_object(name, letter="P", **parts):
    return HeldObject(id=name, properties=made_of(letter), **{"response": KEPT, **parts})


def head(held=None, *, acknowledged=False, replaced=(), forgotten=(), **parts):
    return Head(
        operation=Operation(request_id="request"),
        resource_type="Custom::Thing",
        held=held,
        acknowledged=acknowledged,
        replaced=tuple(replaced),
        forgotten=tuple(forgotten),
        recent=parts.pop("recent", KNOWN),
        **parts,
    )


def hooks(*, changed=False, replaces=False, updates=True, lacks=False, unable=""):
    return Hooks(
        unable=unable,
        changed=lambda: changed,
        replaces=lambda: replaces,
        updates=lambda: updates,
        lacks=lambda _: lacks,
    )


def test_a_create():
    """
    A Create makes the resource, whatever was held before.
    """
    assert Create() == decide(head(), ask("Create"), hooks())


HELD = an_object("held")
UPDATES = {
    # what is held, asked for, before, the class: what is done
    "nothing differs from what is held": (HELD, "P", "P", hooks(), Keep),
    "nothing that is declared differs": (HELD, "Q", "P", hooks(), Keep),
    "a declared attribute is new": (HELD, "Q", "P", hooks(lacks=True), Update),
    "the same, and no update is written": (HELD, "Q", "P", hooks(lacks=True, updates=False), Keep),
    "a change in place": (HELD, "Q", "P", hooks(changed=True), Update),
    "a change of replace_on": (HELD, "Q", "P", hooks(changed=True, replaces=True), Create),
    "a rollback, nothing touched": (HELD, "P", "Q", hooks(changed=True), Keep),
    "the same, and it is not served": (HELD, "P", "Q", hooks(unable=UNABLE), Keep),
    "a replacement that failed": (HELD, "P", "Q", hooks(changed=True, replaces=True), Keep),
    "a rollback of what was touched": (
        an_object("held", touched="S"), "P", "Q", hooks(changed=True), Update,
    ),
    "touched, and update is written no more": (
        an_object("held", touched="S"), "P", "Q", hooks(changed=True, updates=False), Update,
    ),
    "replaced under its id, and no update is written": (
        an_object("held", touched="R"), "P", "Q", hooks(changed=True, updates=False), Keep,
    ),
    "replaced under its id": (
        an_object("held", touched="R", touched_by=made_of("Q")),
        "P", "Q", hooks(changed=True, replaces=True), Update,
    ),
    "a rollback of what may have been touched": (
        an_object("held", touched="M"), "P", "Q", hooks(changed=True), Update,
    ),
    "the same, by a replacement": (
        an_object("held", touched="M", touched_by=made_of("Q")),
        "P", "Q", hooks(changed=True, replaces=True), Keep,
    ),
    "the same, and another one may have touched it": (
        an_object("held", touched="M", touched_by=made_of("R")),
        "P", "Q", hooks(changed=True, replaces=True), Update,
    ),
    "nothing differs, and it was touched": (
        an_object("held", touched="S"), "P", "P", hooks(), Update,
    ),
    "what is held is of neither": (an_object("held", "R"), "Q", "P", hooks(), Update),
    "adopted, nothing declared differs": (
        an_object("held", response=None), "Q", "P", hooks(), Update,
    ),
    "the same, and no update is written at all": (
        an_object("held", response=None), "Q", "P", hooks(updates=False), Keep,
    ),
    "not served": (HELD, "Q", "P", hooks(unable=UNABLE), Refuse),
}  # fmt: skip


@pytest.mark.parametrize("row", UPDATES.values(), ids=UPDATES.keys())
def test_an_update(row):
    """
    An Update is answered from the ledger where nothing is to be done, else it changes or replaces.
    """
    held, asked, before, class_, wanted = row

    decision = decide(head(held), ask("Update", "held", asked, before), class_)

    assert wanted is type(decision)
    if isinstance(decision, Keep):
        assert "held" == decision.answer.physical_resource_id


def test_what_the_class_is_not_asked():
    """
    A rollback to what is held asks the class nothing: its properties may no longer fit.
    """

    def never():
        raise AssertionError("the class was asked")

    asks = Hooks(changed=never, replaces=never, updates=never)

    decision = decide(head(HELD), ask("Update", "held", "P", "Q"), asks)

    assert {"Arn": "a"} == decision.answer.attributes


@pytest.mark.parametrize(
    ("former", "wanted"),
    [
        (an_object("old", returns=True), Keep),
        (an_object("old", returns=True, touched="S"), Update),
        (an_object("old"), Create),
        (an_object("old", None, deleting=True), Create),
    ],
    ids=["as it was", "touched", "replaced before the last success", "its Delete has begun"],
)
def test_an_update_back_to_what_was_replaced(former, wanted):
    """
    The properties of an object bring it back where the last success replaced it: nothing is made.
    """
    decision = decide(
        head(an_object("held", "Q"), replaced=[former]),
        ask("Update", "held", "P", "Q"),
        hooks(changed=True, replaces=True),
    )

    assert wanted is type(decision)
    if wanted is Keep:
        assert "old" == decision.answer.physical_resource_id
    if wanted is Update:
        assert "old" == decision.target


MADE = an_object("made", operation=OWN.operation_name, made_by="C")
LOST = an_object("lost", "R", operation=OTHER.operation_name, made_by="C")
UPDATED = an_object("made", operation=OWN.operation_name, made_by="U")
HALF = an_object("half", None, deleting=True)
DELETES = {
    # the id, what the ledger says: the objects that go, whether what is held stays
    "held": ("made", head(MADE), ("made",), False),
    "held, and a clean-up had failed": (
        "made", head(MADE, replaced=[HALF]), ("made", "half"), False,
    ),
    "replaced": ("old", head(MADE, replaced=[an_object("old")]), ("old",), True),
    "replaced, nothing held": ("old", head(replaced=[an_object("old")]), ("old",), True),
    "removed": ("gone", head(MADE, removed=("gone",)), (), True),
    "its own placeholder": (OWN.placeholder_id("none"), head(MADE), ("made",), False),
    "without the ledger": (OWN.placeholder_id("never"), head(MADE), ("made",), False),
    "another placeholder": (OTHER.placeholder_id("none"), head(MADE), (), True),
    "a forgotten one's placeholder": (
        OTHER.placeholder_id("none"), head(MADE, forgotten=[LOST]), ("lost",), True,
    ),
    "a placeholder, acknowledged": (
        OWN.placeholder_id("none"), head(UPDATED, acknowledged=True), (), True,
    ),
    "a placeholder, nothing held": (OWN.placeholder_id("none"), head(), (), True),
    "invented": (INVENTED, head(MADE, unconfirmed=(OWN.operation_name,)), ("made",), False),
    "invented, another Create is open": (
        INVENTED, head(MADE, unconfirmed=(OTHER.operation_name, OWN.operation_name)), (), True,
    ),
    "invented, an Update made it": (INVENTED, head(UPDATED), (), True),
    "invented, of a forgotten one": (
        INVENTED,
        head(
            an_object("made", "Q", operation="x", made_by="C"),
            forgotten=[an_object("lost", operation="y")],
        ),
        ("lost",),
        True,
    ),
    "invented, acknowledged": (INVENTED, head(MADE, acknowledged=True), (), True),
    "invented, nothing held": (INVENTED, head(), (), False),
    "another library's placeholder": ("FAILED", head(), (), False),
    "foreign, nothing held": ("theirs", head(), ("theirs",), False),
    "foreign": ("theirs", head(MADE), (), True),
    "foreign, acknowledged": ("theirs", head(MADE, acknowledged=True), (), True),
}  # fmt: skip


@pytest.mark.parametrize("row", DELETES.values(), ids=DELETES.keys())
def test_a_delete(row):
    """
    A Delete removes what its id names, and what it must mean; what it cannot place stays.
    """
    name, known, targets, keeps_current = row

    decision = decide(known, ask("Delete", name, now="P"), hooks())

    assert (targets, keeps_current) == (decision.targets, decision.keeps_current)


NAMED = {
    "foreign": ("theirs", head(MADE), ["theirs", "made"]),
    "foreign, acknowledged": ("theirs", head(MADE, acknowledged=True), ["theirs"]),
    "invented, acknowledged": (INVENTED, head(MADE, acknowledged=True), [INVENTED]),
    "removed, and something unheard is held": ("gone", head(MADE, removed=("gone",)), ["made"]),
    "replaced, and something unheard is held": (
        "old", head(MADE, replaced=[an_object("old")]), ["made"],
    ),
    "held, and one that was never removed": (
        "made", head(MADE, acknowledged=True, replaced=[an_object("old")]), ["old"],
    ),
    "held, and one that was forgotten": ("made", head(MADE, forgotten=[LOST]), ["lost"]),
    "a placeholder of nothing": (
        OWN.placeholder_id("none"), head(recent=("mine",)), ["no Create of Thing"],
    ),
    "a placeholder of a Create that never came": (
        NEVER.placeholder_id("none"), head(), [NEVER.placeholder_id("none")],
    ),
    "the same, and something is held": (
        NEVER.placeholder_id("none"),
        head(UPDATED, acknowledged=True),
        [NEVER.placeholder_id("none")],
    ),
    "a placeholder, and what others left": (
        OWN.placeholder_id("none"),
        head(replaced=[an_object("old")], forgotten=[LOST], pending_cleanup=(LEFT,)),
        ["old", "lost", "what other may have made"],
    ),
    "the same of what they left": (
        OTHER.placeholder_id("none"),
        head(forgotten=[LOST], pending_cleanup=(LEFT,)),
        [],
    ),
    "removed, and what others left": (
        "gone",
        head(removed=("gone",), replaced=[an_object("old")], pending_cleanup=(LEFT,)),
        ["old", "what other may have made"],
    ),
    "replaced, and what others left": (
        "old",
        head(MADE, acknowledged=True, replaced=[an_object("old")], forgotten=[LOST]),
        ["lost"],
    ),
    "foreign, and what others left": ("theirs", head(forgotten=[LOST]), ["lost"]),
    "held, alone": ("made", head(MADE, acknowledged=True), []),
    "foreign, and a replacement has the id of what is held": (
        "theirs",
        head(MADE, acknowledged=True, pending_cleanup=(TWIN,)),
        ["theirs", "what was made under the id made with other properties of other at 1970-"],
    ),
    "invented, and a replacement has the id of what is held": (
        INVENTED,
        head(MADE, acknowledged=True, pending_cleanup=(TWIN,)),
        [INVENTED, "what was made under the id made with other properties of other at 1970-"],
    ),
    "held, and a replacement has its id": (
        "made", head(MADE, acknowledged=True, pending_cleanup=(TWIN,)), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", NAMED.values(), ids=NAMED.keys())
def test_what_a_delete_leaves_is_named(row):
    """
    What CloudFormation may forget after a Delete stands in its answer, and nothing else does.
    """
    name, known, wanted = row

    left = decide(known, ask("Delete", name, now="P"), hooks()).left

    assert len(wanted) == len(left)
    assert all(text.startswith(start) for text, start in zip(left, wanted, strict=True))


def test_a_type_that_is_not_served():
    """
    Nothing is made of it, and nothing removed: a Delete is over only where there is nothing to do.
    """
    unable = hooks(unable=UNABLE)

    assert Refuse(UNABLE) == decide(head(), ask("Create"), unable)
    assert Refuse(UNABLE) == decide(head(MADE), ask("Delete", "made"), unable)
    assert "theirs is not known here" in decide(head(), ask("Delete", "theirs"), unable).reason
    assert isinstance(decide(head(), ask("Delete", INVENTED), unable), Delete)
    assert isinstance(decide(head(), ask("Delete", OWN.placeholder_id("none")), unable), Delete)


def test_the_delete_of_what_is_left_of_a_type_that_is_not_served():
    """
    What a Create has left keeps its Delete from being over.
    """
    left = Operation(request_id="own", state="FAILED", type="Create")
    known = head(pending_cleanup=(left,))

    decision = decide(known, ask("Delete", OWN.placeholder_id("none")), hooks(unable=UNABLE))

    assert UNABLE in decision.reason
