"""Deletes by what their id is: ours, CloudFormation's, another library's, somebody's."""

import pytest

from cfn_once import Provider, Request, entry
from cfn_once.ledger import open_store
from cfn_once.testing import Crashed, FakeCloudFormation, sns_event, sqs_event
from support.groups import Groups, group_of

ONE = {"Product": "Linux/UNIX", "Target": 3}
TWO = {"Product": "Windows", "Target": 3}
INVENTED = "stack-Group-1A2B3C4D5E6F"
WAYS = {"in memory": None, "in SQLite, by a topic": sns_event, "in SQLite, by a queue": sqs_event}


@pytest.fixture
def groups():
    return Groups("sig")


@pytest.fixture
def cautious(group_class):
    """The same class, whose Deletes fail rather than leave what they name."""
    return type("Group", (group_class,), {"unresolved": "fail"})


@pytest.fixture
def noted(group_class, groups):
    """The same class, whose Create makes a note before it may fail: its undo removes that."""

    class Group(group_class):
        def create(self):
            self.step("note", lambda step: groups.make(step.token), once=True, undo=groups.delete)
            groups.check()
            return super().create()

    return Group


@pytest.fixture
def on_other_ways(request, provider, tmp_path):
    """A stack for each place of a ledger, and each way that requests come."""
    envelope = WAYS[request.param]
    if envelope is None:
        return FakeCloudFormation(provider)
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    ledger = open_store(url, in_lambda=False, allow_local=True)
    return FakeCloudFormation(provider, ledger=ledger, envelope=envelope)


every_way = pytest.mark.parametrize("on_other_ways", WAYS, indirect=True)


@pytest.fixture
def cloudformation(provider):
    return FakeCloudFormation(provider)


def deleted(stack, physical_id, properties=ONE, **options):
    """Deliver a Delete of an id, and return its answer."""
    by = {"provider": options.pop("provider")} if "provider" in options else {}
    event = stack.event("Delete", "Group", properties, physical_resource_id=physical_id, **options)
    return stack.send(event, **by)


def failed_create(stack, groups, *, of=ONE):
    """Let a Create fail before it makes anything, and return the placeholder that it answers."""
    groups.fail("create", status=400)
    answer = stack.deliver(stack.event("Create", "Group", of))
    assert answer.physical_resource_id.startswith("cfn-once.none.")
    return answer.physical_resource_id


def made(stack, *, of=ONE):
    """Let a Create succeed, and keep what the stack holds."""
    return stack.create("Group", of).physical_resource_id


def left_behind(stack, *, of=ONE):
    """Let a Create die behind its call: it answers nobody, and what it made is left.

    Returns its RequestId.
    """
    create = stack.event("Create", "Group", of)
    with pytest.raises(Crashed):
        stack.send(create, crash_after="group")
    stack.clock.advance(130)
    return create["RequestId"]


# No item


def placeholder_of(stack, groups, logical_id="Group"):
    """Return a placeholder of a resource, as another ledger would have answered it."""
    other = FakeCloudFormation(Provider(group_of(groups), ledger="memory://"))
    other.stack_id = stack.stack_id
    groups.fail("create", status=400)
    return other.deliver(other.event("Create", logical_id, ONE)).physical_resource_id


NOTHING = {
    "our own placeholder": "placeholder",
    "an invented id": INVENTED,
    "an invented id of thirteen characters": INVENTED + "7",
    "the CDK's, of a Create that failed": (
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
    ),
    "the CDK's, of a Create without an id": (
        "AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID"
    ),
    "another library's": "FAILED",
}


@every_way
@pytest.mark.parametrize("physical_id", NOTHING.values(), ids=NOTHING)
def test_an_id_of_nothing_in_an_empty_ledger(on_other_ways, groups, physical_id):
    """
    An id that stands for a Create that nobody knows runs no hook, and the answer says that none is
    known; a Create that comes later is late.
    """
    stack = on_other_ways
    create = stack.event("Create", "Group", ONE)
    if physical_id == "placeholder":
        physical_id = placeholder_of(stack, groups)

    answer = deleted(stack, physical_id)
    late = stack.send(create)

    assert "left: no Create of Group is in the ledger" == answer.reason
    assert answer.succeeded
    assert [] == groups.deletes
    assert ("FAILED", []) == (late.status, groups.created)


def test_an_id_of_nothing_is_refused_by_a_cautious_class(cloudformation, cautious, groups):
    """
    With unresolved = "fail" the Delete of a Create that nobody knows is FAILED in the same words.
    """
    answer = deleted(cloudformation, INVENTED, provider=Provider(cautious, ledger="memory://"))

    assert ("FAILED", INVENTED) == (answer.status, answer.physical_resource_id)
    assert "left: no Create of Group is in the ledger" == answer.reason


SOMEBODYS = [
    "prod-database",
    "stack-Other-1A2B3C4D5E6F",
    "another-Group-1A2B3C4D5E6F",
    "stack-Group-1a2b3c4d5e6f",
    "stack-Group-1A2B3C4D5E6",
    "stack-Group-1A2B3C4D5E6F78",
    "cfn-once.none.aaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaa.1",
    "awscdk::customresourceproviderframework::create_failed",
    "failed",
]


@every_way
@pytest.mark.parametrize("physical_id", SOMEBODYS)
def test_an_id_of_somebodys_object(on_other_ways, groups, physical_id):
    """
    Any other id is of an object that was made before there was a ledger: `delete` runs under it.
    """
    groups.objects[physical_id] = {}

    answer = deleted(on_other_ways, physical_id)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert [physical_id] == groups.deletes


LONG_STACK, LONG_NAME = "a-stack-whose-name-is-long-indeed", "TheCertificateOfTheThing"
CUT = {
    "both names whole": f"{LONG_STACK}-{LONG_NAME}",
    "the logical id is cut": f"{LONG_STACK}-{LONG_NAME[:8]}",
    "the stack's name is cut": f"{LONG_STACK[:20]}-{LONG_NAME}",
    "both are cut": f"{LONG_STACK[:19]}-{LONG_NAME[:10]}",
}


@pytest.mark.parametrize("names", CUT.values(), ids=CUT)
def test_an_invented_id_that_is_cut(group_class, groups, names):
    """
    Where the names are long, CloudFormation cuts them in the ids that it makes up: those are
    invented all the same.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"), stack_name=LONG_STACK)
    event = stack.event("Delete", LONG_NAME, ONE, physical_resource_id=f"{names}-1A2B3C4D5E6F")

    answer = stack.send(event)

    assert f"left: no Create of {LONG_NAME} is in the ledger" == answer.reason
    assert [] == groups.deletes


def test_an_id_that_only_looks_cut(group_class, groups):
    """
    Short names are never cut: an id that begins like them is somebody's.
    """
    stack = FakeCloudFormation(Provider(group_class, ledger="memory://"), stack_name="stack")

    deleted(stack, "sta-Gro-1A2B3C4D5E6F")

    assert ["sta-Gro-1A2B3C4D5E6F"] == groups.deletes


# Nothing is held


@every_way
@pytest.mark.parametrize("ends", ["FAILED", "died"])
def test_an_invented_id_where_nothing_is_held(on_other_ways, groups, ends):
    """
    An invented id cleans up what Creates have left that failed or died, and says nothing.
    """
    stack = on_other_ways
    if ends == "FAILED":
        groups.fails.append(ValueError("no capacity"))
        stack.deliver(stack.event("Create", "Group", ONE))
    else:
        left_behind(stack)

    answer = deleted(stack, INVENTED)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert (["sig-1"], {}) == (groups.deletes, groups.objects)


def test_a_placeholder_where_nothing_is_held(cloudformation, groups):
    """
    The placeholder of a Create that made nothing is SUCCESS without a word, as often as it comes.
    """
    placeholder = failed_create(cloudformation, groups)

    answers = [deleted(cloudformation, placeholder) for _ in range(3)]

    assert 3 * [("SUCCESS", "")] == [(answer.status, answer.reason) for answer in answers]
    assert [] == groups.deletes


def test_a_removed_id(cloudformation, groups):
    """
    The Delete of what is gone already is SUCCESS, and runs no hook.
    """
    made(cloudformation)
    cloudformation.delete("Group")

    answer = deleted(cloudformation, "sig-1")

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert ["sig-1"] == groups.deletes


def test_the_item_of_what_is_gone(cloudformation):
    """
    The item of a resource that is gone is erased after two weeks, however often its Delete comes.
    """
    made(cloudformation)
    cloudformation.delete("Group")
    again = cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-1")
    cloudformation.send(again)

    head = cloudformation.ledger.read("r" + Request.from_event(again).correlation_id)

    assert 14 == (head.ttl - int(cloudformation.clock.now())) // 86400


def test_somebodys_id_where_nothing_is_held(cloudformation, groups):
    """
    After its own object is gone, an id that the ledger never knew is somebody's: `delete` runs.
    """
    made(cloudformation)
    cloudformation.delete("Group")

    answer = deleted(cloudformation, "prod-database")

    assert answer.succeeded
    assert ["sig-1", "prod-database"] == groups.deletes


# Something is held, and CloudFormation has not carried its id back


@every_way
def test_the_placeholder_of_an_earlier_create(on_other_ways, noted, groups):
    """
    A Create failed and was kept, and another one was good: the first one's placeholder cleans up
    what the first one left, and what is held stays and is named.
    """
    stack, by = on_other_ways, Provider(noted, ledger="memory://")
    groups.fails.append(ValueError("no capacity"))
    failed = stack.send(stack.event("Create", "Group", ONE), provider=by)
    stack.send(stack.event("Create", "Group", ONE), provider=by)

    answer = deleted(stack, failed.physical_resource_id, provider=by)

    assert failed.physical_resource_id.startswith("cfn-once.none.")
    assert answer.succeeded
    assert "left: sig-3 is held, and no request has named it yet" == answer.reason
    assert ["sig-2", "sig-3"] == list(groups.objects)


def test_a_cautious_class_and_an_earlier_placeholder(cloudformation, cautious, groups):
    """
    With unresolved = "fail" that Delete is FAILED as long as no request has carried the held id.
    """
    by = Provider(cautious, ledger="memory://")
    placeholder = failed_create(cloudformation, groups)
    made(cloudformation)

    before = deleted(cloudformation, placeholder, provider=by)
    cloudformation.update("Group", {**ONE, "Target": 4})
    after = deleted(cloudformation, placeholder, provider=by)

    assert ("FAILED", "SUCCESS") == (before.status, after.status)
    assert "sig-1 is held" in before.reason
    assert ["sig-1"] == list(groups.objects)


@every_way
def test_an_invented_id_of_what_is_held(on_other_ways, groups):
    """
    A Create was good and nobody heard of it: the invented id can stand for nothing else, and what
    is held is removed.
    """
    stack = on_other_ways
    stack.deliver(stack.event("Create", "Group", ONE))

    answer = deleted(stack, INVENTED)

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert {} == groups.objects


KEPT = {
    "of other properties": lambda stack, groups: (made(stack), TWO),
    "after a Create that died": lambda stack, groups: (left_behind(stack), made(stack), ONE)[1:],
    "after a Create that failed": lambda stack, groups: (
        failed_create(stack, groups), made(stack), ONE,
    )[1:],
    "after a Create that nobody heard of": lambda stack, groups: (
        stack.deliver(stack.event("Create", "Group", ONE)), made(stack), ONE,
    )[1:],
}  # fmt: skip


@pytest.mark.parametrize("unresolved", ["report", "fail"])
@pytest.mark.parametrize("story", KEPT.values(), ids=KEPT)
def test_an_invented_id_that_may_be_of_another_create(
    cloudformation, group_class, groups, story, unresolved
):
    """
    Where an invented id may stand for another Create than the one that made what is held, that is
    kept and named, and all that failed Creates have left is cleaned up.
    """
    group_class.unresolved = unresolved
    held, properties = story(cloudformation, groups)

    answer = deleted(cloudformation, INVENTED, properties)

    assert ("SUCCESS" if unresolved == "report" else "FAILED") == answer.status
    assert f"left: {held} is held, and no request has named it yet" in answer.reason
    assert held in groups.objects


def test_the_same_invented_id_twice(cloudformation, groups):
    """
    A Delete whose answer was lost comes again under another RequestId: what was kept for the first
    is kept for the second.
    """
    left_behind(cloudformation)
    held = made(cloudformation)

    answers = [deleted(cloudformation, INVENTED) for _ in range(3)]

    assert 3 * ["SUCCESS"] == [answer.status for answer in answers]
    assert [held] == list(groups.objects)


@pytest.mark.parametrize("physical_id", [NOTHING["another library's"], "prod-database"])
def test_another_librarys_placeholder(cloudformation, groups, physical_id):
    """
    Another library's placeholder stands for no Create of ours: what is held is kept and named, as
    for somebody's id, although the properties are equal.
    """
    held = made(cloudformation)

    answer = deleted(cloudformation, physical_id)

    assert answer.succeeded
    assert answer.reason == (
        f"left: {physical_id} is not known here: look whether it is still there;"
        f" {held} is held, and no request has named it yet"
    )
    assert [] == groups.deletes


def test_an_invented_id_of_a_create_that_nobody_heard_of(cloudformation, groups):
    """
    Of two Creates that were good, an invented id removes the one whose properties it carries, if it
    is not the one that is held.
    """
    cloudformation.deliver(cloudformation.event("Create", "Group", TWO))
    held = made(cloudformation)

    answer = deleted(cloudformation, INVENTED, TWO)

    assert answer.succeeded
    assert f"left: {held} is held, and no request has named it yet" == answer.reason
    assert ["sig-1"] == groups.deletes


def test_what_no_request_has_named(cloudformation, groups):
    """
    The Delete of what is held names the object of an earlier Create of which nobody heard.
    """
    cloudformation.deliver(cloudformation.event("Create", "Group", TWO))
    made(cloudformation)

    answer = cloudformation.delete("Group")

    assert answer.succeeded
    assert "left: sig-1 was made, and no request has named it" == answer.reason
    assert ["sig-2"] == groups.deletes


def test_a_removed_id_where_another_is_held(cloudformation, groups):
    """
    The Delete of what is gone is SUCCESS again, and names what is held until a request carries it.
    """
    made(cloudformation)
    cloudformation.delete("Group")
    held = made(cloudformation)

    before = deleted(cloudformation, "sig-1")
    cloudformation.update("Group", {**ONE, "Target": 4})
    after = deleted(cloudformation, "sig-1")

    assert f"left: {held} is held, and no request has named it yet" == before.reason
    assert ("SUCCESS", "") == (after.status, after.reason)
    assert ["sig-1"] == groups.deletes


def test_the_clean_up_of_what_was_replaced(cloudformation, groups):
    """
    The Delete of a replaced id removes that one alone, and names the new one: no request has
    carried it back yet.
    """
    made(cloudformation)
    cloudformation.send(cloudformation.event("Update", "Group", TWO))

    answer = deleted(cloudformation, "sig-1")

    assert "sig-2 is held in its place" == answer.reason
    assert (["sig-1"], ["sig-2"]) == (groups.deletes, list(groups.objects))


def test_a_replaced_object_that_was_retained(cloudformation, groups):
    """
    UpdateReplacePolicy: Retain sends no Delete of what was replaced: it stays, and the last Delete
    names it.
    """
    made(cloudformation)
    update = cloudformation.event("Update", "Group", TWO)
    held = cloudformation.send(update).physical_resource_id

    answer = deleted(cloudformation, held, TWO)

    assert answer.succeeded
    assert "left: sig-1 was replaced, and no Delete of it has come" == answer.reason
    assert ["sig-1"] == list(groups.objects)


# Something is held, and CloudFormation knows it


def test_an_invented_id_where_cloudformation_knows_what_is_held(cloudformation, groups):
    """
    An invented id can then stand for nothing that is held: it is kept.
    """
    made(cloudformation)
    cloudformation.update("Group", {**ONE, "Target": 4})

    answer = deleted(cloudformation, INVENTED, {**ONE, "Target": 4})

    assert answer.succeeded
    assert f"left: {INVENTED} stands for no Create that is known here" == answer.reason
    assert [] == groups.deletes


def test_its_own_placeholder_where_cloudformation_knows_what_is_held(cloudformation, groups):
    """
    An Update has carried the id of what a Create made: that Create's placeholder stands for nothing
    any more, and what is held stays.
    """
    create = cloudformation.event("Create", "Group", ONE)
    held = cloudformation.send(create).physical_resource_id
    update = cloudformation.event("Update", "Group", ONE, physical_resource_id=held)
    cloudformation.send(update)

    answer = deleted(cloudformation, Request.from_event(create).placeholder_id("never"))

    assert answer.succeeded
    assert [held] == list(groups.objects)


def test_a_delete_that_failed_has_named_what_is_held(cloudformation, groups):
    """
    A Delete that carries the held id acknowledges it, though it fails: an invented id that comes
    then does not remove it.
    """
    held = made(cloudformation)
    groups.fail("delete", status=400)
    deleted(cloudformation, held)

    answer = deleted(cloudformation, INVENTED)

    assert f"left: {INVENTED} stands for no Create that is known here" == answer.reason
    assert [held] == list(groups.objects)


def test_what_an_update_has_changed(cloudformation, groups):
    """
    An Update that was rolled back has carried the id: an invented id removes nothing.
    """
    made(cloudformation)
    cloudformation.update_and_roll_back("Group", {**ONE, "Target": 4})

    answer = deleted(cloudformation, INVENTED)

    assert answer.succeeded
    assert ["sig-1"] == list(groups.objects)


# Where no class can serve


@pytest.fixture
def unable(monkeypatch, tmp_path):
    """Providers that can run no hook: of another type, of a module that is not there."""
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")
    monkeypatch.setenv("CFN_ONCE_PROVIDER", "no_such_module:provider")
    entry._imported.cache_clear()
    other = type("Other", (group_of(Groups("other")),), {})
    return {
        "a type that is not served": Provider(other, ledger="memory://"),
        "no module": entry.provider(),
        "the guardian": Provider.unable("the function failed"),
    }


UNABLE = ["a type that is not served", "no module", "the guardian"]


@pytest.mark.parametrize("who", UNABLE)
@pytest.mark.parametrize("physical_id", [INVENTED, "FAILED"])
def test_nothing_is_deleted_by_nobody(cloudformation, unable, groups, who, physical_id):
    """
    The Delete of a Create that nobody knows needs no class: it is SUCCESS, and named.
    """
    answer = deleted(cloudformation, physical_id, provider=unable[who])

    assert answer.succeeded
    assert "left: no Create of Group is in the ledger" == answer.reason


@pytest.mark.parametrize("unresolved", ["report", "fail"])
@pytest.mark.parametrize("who", UNABLE)
def test_what_is_left_is_named_by_nobody(
    cloudformation, group_class, unable, groups, who, unresolved
):
    """
    Where no class can run, what the last one said of `unresolved` holds: the Delete of a
    placeholder names what is held, and is FAILED if that one would have been.
    """
    group_class.unresolved = unresolved
    placeholder = failed_create(cloudformation, groups)
    made(cloudformation)

    answer = deleted(cloudformation, placeholder, provider=unable[who])

    assert ("SUCCESS" if unresolved == "report" else "FAILED") == answer.status
    assert "left: sig-1 is held, and no request has named it yet" == answer.reason


def test_what_the_last_class_says_counts(cloudformation, group_class, unable, groups):
    """
    A class that says "report" again takes back what an earlier version said.
    """
    group_class.unresolved = "fail"
    placeholder = failed_create(cloudformation, groups)
    group_class.unresolved = "report"
    made(cloudformation)

    answer = deleted(cloudformation, placeholder, provider=unable["no module"])

    assert answer.succeeded
    assert "sig-1 is held" in answer.reason


@pytest.mark.parametrize("who", UNABLE)
def test_somebodys_object_is_deleted_by_nobody(cloudformation, unable, groups, who):
    """
    Where no hook can run, the Delete of an object that the ledger does not know is FAILED, and
    says to look for it.
    """
    answer = deleted(cloudformation, "prod-database", provider=unable[who])

    assert ("FAILED", "prod-database") == (answer.status, answer.physical_resource_id)
    assert answer.reason.startswith("prod-database is not known here: ")
    assert answer.reason.endswith(". Look for it by hand")


@pytest.mark.parametrize("who", UNABLE)
def test_what_is_held_is_deleted_by_nobody(cloudformation, unable, groups, who):
    """
    The Delete of what is held is FAILED with why no hook can run, and a later one removes it.
    """
    held = made(cloudformation)

    failed = deleted(cloudformation, held, provider=unable[who])
    answer = deleted(cloudformation, held)

    assert ("FAILED", held) == (failed.status, failed.physical_resource_id)
    assert "not known here" not in failed.reason
    assert ("SUCCESS", [held]) == (answer.status, groups.deletes)


@pytest.mark.parametrize("who", UNABLE)
@pytest.mark.parametrize("physical_id", [INVENTED, "placeholder"])
def test_what_a_create_left_is_cleaned_up_by_nobody(
    cloudformation, noted, unable, groups, who, physical_id
):
    """
    What a failed Create left is no reason for a SUCCESS where no hook can run: it is FAILED, and a
    later Delete cleans it up.
    """
    by = Provider(noted, ledger="memory://")
    groups.fails.append(ValueError("no capacity"))
    answer = cloudformation.send(cloudformation.event("Create", "Group", ONE), provider=by)
    if physical_id == "placeholder":
        physical_id = answer.physical_resource_id

    failed = deleted(cloudformation, physical_id, provider=unable[who])
    left = list(groups.objects)
    answer = deleted(cloudformation, physical_id, provider=by)

    assert ("FAILED", ["sig-1"]) == (failed.status, left)
    assert ("SUCCESS", {}) == (answer.status, groups.objects)


@pytest.mark.parametrize("who", UNABLE)
def test_a_placeholder_is_deleted_by_nobody(cloudformation, unable, groups, who):
    """
    The placeholder of a Create that left nothing needs no class, whatever is held by then.
    """
    placeholder = failed_create(cloudformation, groups)
    held = made(cloudformation)

    answer = deleted(cloudformation, placeholder, provider=unable[who])

    assert answer.succeeded
    assert f"left: {held} is held, and no request has named it yet" == answer.reason
    assert [held] == list(groups.objects)


REFUSED = {
    "the function has too little time": {"timeout": 10},
    "the account is not served": {"accounts": ["999999999999"]},
    "the type is not served": {"resource_type": "Custom::Gruop"},
}


@pytest.mark.parametrize("how", REFUSED.values(), ids=REFUSED)
def test_a_create_that_we_refuse_ourselves(group_class, groups, how):
    """
    A Create that is refused before its hook made nothing: its Delete is SUCCESS, refused or not.
    """
    accounts, timeout = how.get("accounts", ()), how.get("timeout", 120)
    provider = Provider(group_class, ledger="memory://", accounts=accounts)
    stack = FakeCloudFormation(provider, timeout=timeout)
    kind = how.get("resource_type", "Custom::Group")

    create = stack.create("Group", ONE, resource_type=kind)

    ((_, first), (_, second)) = stack.answers
    assert ("FAILED", "SUCCESS", "") == (first.status, second.status, second.reason)
    assert first.physical_resource_id == create.physical_resource_id
    assert [] == groups.calls


@pytest.mark.parametrize("how", ["time", "account"])
def test_a_delete_that_we_refuse_ourselves(cloudformation, group_class, groups, how):
    """
    Where an earlier Create has left something, the Delete of the refused one names it, and the
    Delete of the earlier one is FAILED, and says what to restore.
    """
    first = left_behind(cloudformation)
    accounts = ["999999999999"] if how == "account" else ()
    stack = FakeCloudFormation(
        Provider(group_class, ledger="memory://", accounts=accounts),
        ledger=cloudformation.ledger,
        clock=cloudformation.clock,
        timeout=10 if how == "time" else 120,
    )
    create = stack.send(cloudformation.event("Create", "Group", ONE))

    named, refused = (
        stack.send(cloudformation.event("Delete", "Group", ONE, physical_resource_id=held))
        for held in (create.physical_resource_id, INVENTED)
    )
    left, answer = list(groups.objects), deleted(cloudformation, INVENTED)

    assert ("SUCCESS", "FAILED", ["sig-1"]) == (named.status, refused.status, left)
    assert f"left: what {first} may have made is not cleaned up yet" == named.reason
    assert ("set its Timeout" if how == "time" else "does not serve") in refused.reason
    assert ("SUCCESS", {}) == (answer.status, groups.objects)


# Several Creates, and nothing is held


@every_way
def test_a_placeholder_cleans_up_after_its_own_create(on_other_ways, noted, groups):
    """
    The placeholder of a Create cleans up what that one left, and names what an earlier one did,
    which stays for its own Delete.
    """
    stack, by = on_other_ways, Provider(noted, ledger="memory://")
    groups.fails.append(ValueError("no capacity"))
    create = stack.event("Create", "Group", ONE)
    first = stack.send(create, provider=by)
    refused = stack.send(stack.event("Create", "Group", {**ONE, "Target": "many"}), provider=by)

    one = deleted(stack, refused.physical_resource_id, provider=by)
    between = list(groups.objects)
    two = deleted(stack, first.physical_resource_id, provider=by)

    assert ("SUCCESS", ["sig-1"]) == (one.status, between)
    assert f"left: what {create['RequestId']} may have made is not cleaned up yet" == one.reason
    assert ("SUCCESS", "", {}) == (two.status, two.reason, groups.objects)


def test_two_placeholders_of_a_cautious_class(cloudformation, cautious, groups):
    """
    With unresolved = "fail" neither of two Deletes waits for ever for what the other one has
    removed: a Delete is FAILED while something is left, and what it removed stays removed.
    """
    by = Provider(cautious, ledger="memory://")
    creates = [cloudformation.event("Create", "Group", of) for of in (ONE, TWO)]
    for create in creates:
        cloudformation.send(create, provider=by)
    cloudformation.send(
        cloudformation.event("Create", "Group", {**ONE, "Target": "many"}), provider=by
    )
    first, second = (Request.from_event(create).placeholder_id("never") for create in creates)

    answers = [deleted(cloudformation, held, provider=by) for held in (first, second, first)]

    assert ["FAILED", "SUCCESS", "SUCCESS"] == [answer.status for answer in answers]
    assert "left: sig-2 was made, and no request has named it" == answers[0].reason
    assert ["sig-1", "sig-2"] == groups.deletes


@every_way
def test_the_placeholder_of_a_create_that_never_came(on_other_ways, groups):
    """
    Where another Create is known and nothing is held, the placeholder of one that the ledger does
    not know is named, as often as it comes.
    """
    stack = on_other_ways
    stack.send(stack.event("Create", "Group", {**ONE, "Target": "many"}))
    never = Request.from_event(stack.event("Create", "Group", ONE)).placeholder_id("never")

    answers = [deleted(stack, never) for _ in range(2)]

    assert 2 * [("SUCCESS", f"left: {never} stands for no Create that is known here")] == [
        (answer.status, answer.reason) for answer in answers
    ]
