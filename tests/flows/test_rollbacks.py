"""Updates that CloudFormation rolls back, by what they had touched when they ended."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from cfn_once import CustomResource, PermanentError, Provider, Secret
from cfn_once.ledger import MemoryStore
from cfn_once.testing import Crashed, FakeCloudFormation
from support.groups import GroupProperties

ONE = {"Product": "Linux/UNIX", "Target": 3}
TWO = {"Product": "Windows", "Target": 3}


@pytest.fixture
def cloudformation(on_two_ways):
    return on_two_ways


def served(*classes, **options):
    return Provider(*classes, ledger="memory://", **options)


def as_group(group_class, **members):
    """Return another version of the class."""
    return type("Group", (group_class,), members)


def change(stack, properties, held="sig-1", *, before=ONE, **by):
    """Deliver an Update of a group, and return its answer."""
    update = stack.event("Update", "Group", properties, physical_resource_id=held)
    sent = stack.event("Create", "Unsent", before)["ResourceProperties"]
    update["OldResourceProperties"] = sent
    return stack.send(update, **by)


# What touched nothing


@dataclass(frozen=True)
class Told:
    GroupId: str
    Arn: str


@dataclass(frozen=True)
class Stricter:
    Product: str
    Target: int
    Colour: str


class Refusing(CustomResource[Stricter, dict]):
    """A version that refuses the properties which the group was made of."""

    resource_type = "Custom::Group"

    def create(self):
        raise PermanentError("not in this version")

    update = delete = create


class Telling(CustomResource[GroupProperties, Told]):
    """A version that declares an attribute which the kept answer lacks."""

    resource_type = "Custom::Group"
    create = update = delete = Refusing.create


REFUSALS = {
    "a typing error": ({**ONE, "Target": "many"}, served),
    "an unknown name": ({**ONE, "Traget": 4}, served),
    "a replacement with a typing error": (
        {**TWO, "Target": "many"},
        served,
    ),
    "no update written": (
        {**ONE, "Target": 4},
        lambda kind: served(as_group(kind, update=CustomResource.update)),
    ),
    "a schema that is stricter since": (
        {**ONE, "Target": 4},
        lambda kind: served(Refusing),
    ),
    "attributes that are declared since": (
        {**ONE, "Target": "many"},
        lambda kind: served(Telling),
    ),
    "a type that is served no more": (
        {**ONE, "Target": 4},
        lambda kind: served(type("Other", (kind,), {})),
    ),
    "an account that is served no more": (
        {**ONE, "Target": 4},
        lambda kind: served(kind, accounts=["999999999999"]),
    ),
    "a module that is gone": ({**ONE, "Target": 4}, lambda kind: Provider.unable("gone")),
}


@pytest.mark.parametrize(("asked", "version"), REFUSALS.values(), ids=REFUSALS)
def test_an_update_that_is_refused_before_its_hook(
    cloudformation, group_class, groups, asked, version
):
    """
    The rollback of an Update that ran no hook is SUCCESS with the answer that is kept, by the very
    version that refused the Update: it runs none either, and validates nothing.
    """
    created = cloudformation.create("Group", ONE)
    by = version(group_class)
    before = list(groups.calls)

    refused = change(cloudformation, asked, provider=by)
    back = change(cloudformation, ONE, before=asked, provider=by)

    assert ("FAILED", "sig-1") == (refused.status, refused.physical_resource_id)
    assert ("SUCCESS", "sig-1", "") == (back.status, back.physical_resource_id, back.reason)
    assert created.data == back.data
    assert before == groups.calls


def test_an_update_by_a_function_with_too_little_time(cloudformation, provider, groups):
    """
    So is the rollback where the function's Timeout has become too short.
    """
    created = cloudformation.create("Group", ONE)
    hurried = FakeCloudFormation(
        provider, ledger=cloudformation.ledger, clock=cloudformation.clock, timeout=10
    )
    hurried.stack_id = cloudformation.stack_id
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 4})
    back = cloudformation.event("Update", "Group", ONE)
    back["OldResourceProperties"] = update["ResourceProperties"]

    refused, answer = hurried.send(update), hurried.send(back)

    assert "set its Timeout to 120" in refused.reason
    assert ("SUCCESS", created.data) == (answer.status, answer.data)
    assert [] == groups.updates


def test_an_update_of_secrets_that_the_ledger_may_not_hold(provider, group_class, groups):
    """
    A class that has become secret is refused over a ledger that keeps no secrets; what is answered
    to the rollback was kept before, and is marked now.
    """
    ledger = MemoryStore()
    ledger.keeps_secrets = False
    stack = FakeCloudFormation(provider, ledger=ledger)
    stack.create("Group", ONE)
    secret = served(as_group(group_class, no_echo=True))

    refused = change(stack, {**ONE, "Target": 4}, provider=secret)
    back = change(stack, ONE, before={**ONE, "Target": 4}, provider=secret)

    assert "keeps_secrets=true" in refused.reason
    assert ("SUCCESS", True, "sig-1") == (back.status, back.no_echo, back.data["GroupId"])
    assert [] == groups.updates


def test_a_step_that_failed_for_certain(cloudformation, group_class, groups):
    """
    An Update whose step failed for certain, and one that only waited, have touched nothing.
    """

    def update(self):
        self.wait(5)
        self.step("size", refuse, once=True)

    def refuse(step):
        raise PermanentError("out of quota")

    cloudformation.create("Group", ONE)
    by = served(as_group(group_class, update=update))

    failed = change(cloudformation, {**ONE, "Target": 4}, provider=by)
    back = change(cloudformation, ONE, before={**ONE, "Target": 4})

    assert "out of quota" in failed.reason
    assert ("SUCCESS", "") == (back.status, back.reason)
    assert [] == groups.updates


def test_the_rollback_comes_three_times(cloudformation, groups):
    """
    Copies of such a rollback, and a second rollback, get the same answer, and no hook runs.
    """
    created = cloudformation.create("Group", ONE)
    change(cloudformation, {**ONE, "Target": "many"})
    back = cloudformation.event("Update", "Group", ONE)
    back["OldResourceProperties"] = {**back["ResourceProperties"], "Target": "many"}

    answers = [cloudformation.send(back) for _ in range(2)]
    answers.append(change(cloudformation, ONE, before={**ONE, "Target": "many"}))

    assert 3 * [created.data] == [answer.data for answer in answers]
    assert [] == groups.updates


@pytest.mark.parametrize("how", ["it was refused", "it was to replace the object, and died"])
def test_a_rollback_that_dies(cloudformation, groups, how):
    """
    The rollback of an Update that has not touched the object dies before it has answered: the next
    one is answered as it would have been, for all that it could do was to keep the object.
    """
    bad = {**TWO, "Target": "many"} if how == "it was refused" else TWO
    cloudformation.create("Group", ONE)
    if how == "it was refused":
        change(cloudformation, bad)
    else:
        with pytest.raises(Crashed):
            change(cloudformation, bad, crash_after="group")
        cloudformation.wait(130)
    with pytest.raises(Crashed):  # behind its begin
        change(cloudformation, ONE, before=bad, crash_at=3)
    cloudformation.wait(130)

    back = change(cloudformation, ONE, before=bad)

    assert ("SUCCESS", "sig-1") == (back.status, back.physical_resource_id)
    assert [] == groups.updates


def test_an_attribute_that_is_declared_since(cloudformation, group_class, groups):
    """
    An Update that changes nothing runs `update` where the class declares an attribute that the kept
    answer lacks, and once it was told the next one runs none.
    """

    def update(self):
        self.step("size", lambda step: groups.update("sig-1", {"Target": 3}), repeat=True)
        return Told(GroupId="sig-1", Arn="arn:sig-1")

    class Declaring(CustomResource[GroupProperties, Told]):
        resource_type = "Custom::Group"

    Declaring.create, Declaring.update, Declaring.delete = update, update, group_class.delete
    cloudformation.create("Group", ONE)
    by = served(Declaring)

    answers = [change(cloudformation, ONE, provider=by) for _ in range(2)]

    assert 2 * ["arn:sig-1"] == [answer.data["Arn"] for answer in answers]
    assert [("sig-1", 3)] == groups.updates


# What touched something


ENDS = ["its hook fails", "it dies behind its call", "its step is in doubt"]


def touched(stack, groups, group_class, how):
    """Let an Update end after it may have changed the size to nine."""
    asked = {**ONE, "Target": 9}
    if how == "its hook fails":
        groups.fails.append(ValueError("no capacity"))
        change(stack, asked)
    elif how == "it dies behind its call":
        update = stack.event("Update", "Group", asked, physical_resource_id="sig-1")
        with pytest.raises(Crashed):
            stack.send(update, crash_after="size")
        stack.clock.advance(130)
    else:

        def update(self):
            self.step("size", lambda step: groups.update("sig-1", {"Target": 9}), once=True)

        groups.fail("update", after=True)
        change(stack, asked, provider=served(as_group(group_class, update=update)))


@pytest.mark.parametrize("how", ENDS)
def test_an_update_that_touched_something(cloudformation, group_class, groups, how):
    """
    The rollback of an Update that has, or may have, changed something runs `update`.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, how)

    back = change(cloudformation, ONE, before={**ONE, "Target": 9})

    assert back.succeeded
    assert 3 == groups.objects["sig-1"]["Target"]


def test_it_is_not_judged_by_the_last_update_alone(cloudformation, group_class, groups):
    """
    What an Update has touched stays touched until an `update` succeeds: a later one that is refused
    does not hide it, nor does one that replaces and fails.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, "its hook fails")
    change(cloudformation, {**ONE, "Target": "many"})
    groups.fails.append(ValueError("no capacity"))
    change(cloudformation, TWO)

    back = change(cloudformation, ONE, before=TWO)

    assert back.succeeded
    assert [("sig-1", 9), ("sig-1", 3)] == groups.updates
    assert ["sig-1"] == list(groups.objects)


def test_a_success_of_update_clears_it(cloudformation, group_class, groups):
    """
    Once `update` has succeeded, what is held is as its properties say: the next rollback of what
    touched nothing runs no hook.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, "its hook fails")
    change(cloudformation, ONE, before={**ONE, "Target": 9})
    change(cloudformation, {**ONE, "Target": "many"})

    back = change(cloudformation, ONE, before={**ONE, "Target": "many"})

    assert back.succeeded
    assert [("sig-1", 9), ("sig-1", 3)] == groups.updates


def test_nobody_can_roll_back_what_was_touched(cloudformation, group_class, groups):
    """
    Where no class can serve, the rollback of what was touched is FAILED, and says what to deploy.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, "its hook fails")

    back = change(
        cloudformation, ONE, before={**ONE, "Target": 9}, provider=Provider.unable("no module")
    )

    assert ("FAILED", "no module") == (back.status, back.reason)


# Replacements


def test_a_replacement_that_failed_by_another_version(cloudformation, group_class, groups):
    """
    What an Update did is what it has recorded: a version whose replace_on is empty cleans the
    replacement up all the same, and runs no `update`.
    """
    created = cloudformation.create("Group", ONE)
    groups.fails.append(ValueError("no capacity"))
    change(cloudformation, TWO)
    later = served(as_group(group_class, replace_on=set()))

    back = change(cloudformation, ONE, before=TWO, provider=later)

    assert ("SUCCESS", created.data) == (back.status, back.data)
    assert (["sig-2"], []) == (groups.deletes, groups.updates)


def test_an_update_in_place_by_another_version(cloudformation, group_class, groups):
    """
    An Update in place that failed is rolled back in place, though today's replace_on names what it
    changed: nothing is made.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, "its hook fails")
    later = served(as_group(group_class, replace_on={"Product", "Target"}))

    back = change(cloudformation, ONE, before={**ONE, "Target": 9}, provider=later)

    assert ("SUCCESS", "sig-1") == (back.status, back.physical_resource_id)
    assert [("sig-1", 9), ("sig-1", 3)] == groups.updates
    assert ["sig-1"] == groups.created


def test_back_to_a_replaced_object_that_was_touched(cloudformation, group_class, groups):
    """
    What a failed Update left changed, and was replaced then, gets `update` under its own id when
    CloudFormation goes back to it.
    """
    cloudformation.create("Group", ONE)
    touched(cloudformation, groups, group_class, "its hook fails")
    change(cloudformation, TWO)

    back = change(cloudformation, ONE, "sig-2", before=TWO)

    assert ("SUCCESS", "sig-1") == (back.status, back.physical_resource_id)
    assert [("sig-1", 9), ("sig-1", 3)] == groups.updates
    assert ["sig-1", "sig-2"] == groups.created


def test_not_back_to_what_was_replaced_before(cloudformation, groups):
    """
    Only what the last success replaced comes back: an older one, which was retained, stays alone.
    """
    cloudformation.create("Group", ONE)
    change(cloudformation, TWO)
    change(cloudformation, {**TWO, "Target": 4}, "sig-2", before=TWO)

    answer = change(cloudformation, ONE, "sig-2", before={**TWO, "Target": 4})

    assert ("SUCCESS", "sig-3") == (answer.status, answer.physical_resource_id)


def test_not_back_to_what_is_half_deleted(cloudformation, groups):
    """
    A clean-up that failed may have removed half of an object: an Update back to its properties
    makes a new one.
    """
    cloudformation.create("Group", ONE)
    change(cloudformation, TWO)
    groups.fail("delete", status=400)
    cleaned = cloudformation.send(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-1")
    )

    answer = change(cloudformation, ONE, "sig-2", before=TWO)

    assert "FAILED" == cleaned.status
    assert ("SUCCESS", "sig-3") == (answer.status, answer.physical_resource_id)


def test_a_clean_up_that_failed_is_tried_by_the_last_delete(cloudformation, groups):
    """
    CloudFormation gives a clean-up up after three Deletes: the resource's own Delete removes what
    they left as well.
    """
    cloudformation.create("Group", ONE)
    groups.fail("delete", times=3, status=400)
    cloudformation.update("Group", TWO)
    orphans = [orphan.physical_resource_id for orphan in cloudformation.orphans]

    answer = cloudformation.delete("Group")

    assert ["sig-1"] == orphans
    assert ("SUCCESS", "", {}) == (answer.status, answer.reason, groups.objects)


# A replacement that bears the id of what it replaces


@dataclass(frozen=True)
class TopicProperties:
    Name: str
    Region: str
    Password: Annotated[str, Secret] = ""
    Policy: str = ""


HERE = {"Name": "alerts", "Region": "eu-west-1"}
THERE = {"Name": "alerts", "Region": "us-east-1"}


@pytest.fixture
def topics():
    """The topics that live, by Region and name: the name alone is their id."""
    return {}


@pytest.fixture
def topic_class(topics):
    class Topic(CustomResource[TopicProperties, dict]):
        replace_on = {"Name", "Region"}

        def create(self):
            self.step("make", lambda step: topics.update({self.place(): 1}), repeat=True)
            self.physical_resource_id = self.properties.Name

        def place(self):
            return self.properties.Region, self.properties.Name

        def delete(self):
            place = self.place()
            self.step("drop", lambda step: topics.pop(place, None), repeat=True)

    return Topic


@pytest.fixture
def stack(topic_class):
    return FakeCloudFormation(served(topic_class))


@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_replacement_with_the_id_that_it_replaces(stack, topics, rolled_back):
    """
    CloudFormation would see no replacement: it is FAILED, which names the id and what to change.
    Both objects stay until the resource's own Delete removes both.
    """
    stack.create("Topic", HERE)
    update = stack.update_and_roll_back if rolled_back else stack.update

    answer = update("Topic", THERE)
    between = list(topics)
    last = stack.delete("Topic")

    assert ("FAILED", "alerts") == (answer.status, answer.physical_resource_id)
    assert "the id alerts of what it replaces" in answer.reason
    assert "take that out of replace_on" in answer.reason
    assert "Make the id differ with Region" in answer.reason
    assert [("eu-west-1", "alerts"), ("us-east-1", "alerts")] == between
    assert ("SUCCESS", "", {}) == (last.status, last.reason, topics)


@pytest.mark.parametrize("ends", ["its hook fails", "it runs out of time"])
def test_a_replacement_that_fails_with_the_id_that_it_replaces(stack, topic_class, topics, ends):
    """
    So it is where the replacement fails after it has taken that id: the last Delete removes both,
    and names the step that may have happened.
    """
    create = topic_class.create

    def half(self):
        create(self)
        if self.properties.Region == "us-east-1":
            self.step("policy", refuse, once=True)

    def refuse(step):
        if ends == "its hook fails":
            raise PermanentError("no such policy")
        stack.clock.advance(115)

    topic_class.create = half
    stack.create("Topic", HERE)

    answer = stack.update("Topic", THERE)
    last = stack.delete("Topic")

    assert ("FAILED", "alerts") == (answer.status, answer.physical_resource_id)
    assert ("SUCCESS", {}) == (last.status, topics)
    assert ("in doubt: policy#0" in last.reason) == (ends == "it runs out of time")


BEARS = "what was made under the id alerts with other properties"


@pytest.mark.parametrize("call", ["make", "policy"])
def test_a_replacement_that_dies_with_the_id_that_it_replaces(stack, topic_class, topics, call):
    """
    Where its process dies, nobody can tell whether what bears that id is one object or two: nothing
    is undone, and the rollback names it. The last Delete removes both, with the properties of each.
    """
    create, policies = topic_class.create, []

    def longer(self):
        create(self)
        self.step("policy", lambda step: "p-1", undo=policies.append, once=True)

    topic_class.create = longer
    stack.create("Topic", HERE)
    update = stack.event("Update", "Topic", THERE)
    with pytest.raises(Crashed):
        stack.send(update, crash_after=call)
    stack.clock.advance(130)
    back = stack.event("Update", "Topic", HERE)
    back["OldResourceProperties"] = update["ResourceProperties"]

    answer = stack.send(back)
    between = list(topics)
    last = stack.delete("Topic")

    assert BEARS in answer.reason
    assert [("eu-west-1", "alerts"), ("us-east-1", "alerts")] == between
    assert ("SUCCESS", {}, []) == (last.status, topics, policies)
    assert ("in doubt: policy#0" in last.reason) == (call == "policy")


def test_it_is_named_until_the_last_delete(stack, topics):
    """
    What a replacement made under the id that it was to replace is named by each answer in between:
    by the rollback, by further Updates, and by Deletes of other ids.
    """
    stack.create("Topic", HERE)
    stack.update_and_roll_back("Topic", THERE)
    _, back = stack.answers[-1]
    update = stack.event("Update", "Topic", {**HERE, "Policy": "strict"})
    again = stack.event("Update", "Topic", HERE)
    again["OldResourceProperties"] = update["ResourceProperties"]
    refused, again = stack.send(update), stack.send(again)
    other = stack.send(stack.event("Delete", "Topic", HERE, physical_resource_id="theirs"))

    last = stack.delete("Topic")

    assert "no update is written" in refused.reason
    assert ["SUCCESS"] * 3 == [answer.status for answer in (back, again, other)]
    assert all(BEARS in answer.reason for answer in (back, again, other))
    assert ("SUCCESS", "", {}) == (last.status, last.reason, topics)


def test_an_upsert_under_the_id_that_it_replaces(topics):
    """
    Where the API has one object under that id, a replacement that died may have changed it: its
    rollback runs `update`, once, and the last Delete removes it.
    """
    updates = []

    class Upsert(CustomResource[TopicProperties, dict]):
        resource_type, replace_on = "Custom::Topic", {"Region"}

        def create(self):
            self.step("put", self.put, repeat=True)
            self.physical_resource_id = self.properties.Name
            self.step("seal", lambda step: None, repeat=True)

        def put(self, step):
            topics[self.properties.Name] = self.properties.Region

        def update(self):
            updates.append(self.properties.Region)
            self.step("put", self.put, repeat=True)

        def delete(self):
            self.step("drop", lambda step: topics.pop(self.physical_resource_id, 0), repeat=True)

    stack = FakeCloudFormation(served(Upsert))
    stack.create("Topic", HERE)
    update = stack.event("Update", "Topic", THERE)
    with pytest.raises(Crashed):
        stack.send(update, crash_after="put")
    stack.clock.advance(130)
    back = stack.event("Update", "Topic", HERE)
    back["OldResourceProperties"] = update["ResourceProperties"]

    answers = [stack.send(back) for _ in range(2)]
    between = dict(topics)
    last = stack.delete("Topic")

    assert 2 * [("SUCCESS", "alerts")] == [
        (answer.status, answer.physical_resource_id) for answer in answers
    ]
    assert ({"alerts": "eu-west-1"}, ["eu-west-1"]) == (between, updates)
    assert ("SUCCESS", {}) == (last.status, topics)


def test_two_replacements_with_the_same_id(stack, topics):
    """
    Each of several such Updates is remembered, and cleaned up with its own properties.
    """
    stack.create("Topic", HERE)
    stack.update("Topic", THERE)
    stack.update("Topic", {**HERE, "Region": "ap-south-1"})

    last = stack.delete("Topic")

    assert ("SUCCESS", {}) == (last.status, topics)


def test_the_same_replacement_again(stack, topics):
    """
    The same template again is FAILED again, and leaves no more behind.
    """
    stack.create("Topic", HERE)
    for _ in range(3):
        assert "FAILED" == stack.update("Topic", THERE).status

    last = stack.delete("Topic")

    assert ("SUCCESS", {}) == (last.status, topics)


def test_a_true_replacement_after_it(stack, topics):
    """
    The template is mended and the id differs: what bore the old id goes with the last Delete.
    """
    stack.create("Topic", HERE)
    stack.update("Topic", THERE)

    answer = stack.update("Topic", {**THERE, "Name": "alarms"})
    last = stack.delete("Topic")

    assert ("SUCCESS", "alarms") == (answer.status, answer.physical_resource_id)
    assert ("SUCCESS", {}) == (last.status, topics)


UNKEPT = {
    "a secret": {"Password": "hunter22"},
    "a secret that JSON spells otherwise": {"Password": 'hunter"22\\ü'},
    "more than the ledger keeps": {"Policy": "x" * 5000},
}


@pytest.mark.parametrize("unresolved", ["report", "fail"])
@pytest.mark.parametrize("property_", UNKEPT.values(), ids=UNKEPT)
def test_properties_that_are_not_kept(stack, topic_class, topics, property_, unresolved):
    """
    Where its properties are secret, or long, the ledger does not keep them: the Delete cannot
    remove what was made under the same id, and names it.
    """
    topic_class.unresolved = unresolved
    stack.create("Topic", {**HERE, **property_})
    stack.update("Topic", {**THERE, **property_})
    kept = str(vars(stack.ledger))

    last = stack.delete("Topic")

    assert ("SUCCESS" if unresolved == "report" else "FAILED") == last.status
    assert "what was made under the id alerts with other properties" in last.reason
    assert "hunter" not in kept + last.reason
    assert [("us-east-1", "alerts")] == list(topics)
