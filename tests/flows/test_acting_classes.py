"""Classes that serve every type, whose `update` may replace, and whose hooks act outside steps."""

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider
from cfn_once.testing import Crashed, FakeCloudFormation

INVENTED = "stack-Thing-1A2B3C4D5E6F"


class Named(CustomResource[dict, dict]):
    def create(self):
        return {"By": "its own class"}

    delete = None


class Every(CustomResource[dict, dict]):
    resource_type = "*"

    def create(self):
        return {"By": self.request.resource_type}

    delete = None


def test_a_class_that_serves_every_type():
    """
    It serves what no other class does, and sees which type that is.
    """
    cloudformation = FakeCloudFormation(Provider(Named, Every, ledger="memory://"))

    answers = [
        cloudformation.create(f"Thing{number}", resource_type=kind)
        for number, kind in enumerate(["Custom::Named", "Custom::Whatever"])
    ]

    assert ["its own class", "Custom::Whatever"] == [answer.data["By"] for answer in answers]


def test_two_classes_that_serve_every_type():
    """
    One of them would never be asked.
    """
    with pytest.raises(ConfigurationError, match=r"two classes serve \*"):
        Provider(Every, type("Other", (Every,), {"resource_type": "*"}))


class Mixed(Named):
    resource_type = "Custom::Mixed"

    def create(self):
        event = self.request.event
        event["ResourceProperties"]["Size"] = "changed"
        return {"Token": event["ServiceToken"], "Url": event["ResponseURL"]}

    def update(self):
        event = self.request.event
        return {
            "Size": event["ResourceProperties"]["Size"],
            "Before": event["OldResourceProperties"]["Size"],
            "Id": event["PhysicalResourceId"],
            "Function": self.context.function_name,
        }


def test_the_event_that_a_hook_sees():
    """
    All that CloudFormation sent, as text, in a copy of each reader's own; but not where the
    response goes.
    """
    cloudformation = FakeCloudFormation(Provider(Mixed, ledger="memory://"))

    created = cloudformation.create("Thing", {"Size": 1})
    updated = cloudformation.update("Thing", {"Size": 2})

    create, update = (event for event, _ in cloudformation.answers)
    assert create["ServiceToken"] == created.data["Token"]
    assert "https://cfn-once.invalid/" == created.data["Url"]
    assert ("2", "1", update["PhysicalResourceId"]) == tuple(
        updated.data[name] for name in ("Size", "Before", "Id")
    )
    assert updated.data["Function"]


class Telling(Named):
    resource_type = "Custom::Telling"

    def create(self):
        self.mask("hunter22")
        self.reason = "made, and hunter22 is its password"

    def delete(self):
        self.reason = "nothing was there"


def test_a_reason_beside_success():
    """
    It is sent masked, and a duplicate gets the same bytes; a Delete may say one as well.
    """
    cloudformation = FakeCloudFormation(Provider(Telling, ledger="memory://"))
    create = cloudformation.event("Create", "Thing", {})

    first = cloudformation.deliver(create)
    again = cloudformation.deliver(cloudformation.asked_again(create))
    deleted = cloudformation.deliver(
        cloudformation.event("Delete", "Thing", {}, physical_resource_id=first.physical_resource_id)
    )

    assert ("SUCCESS", "made, and ***** is its password") == (first.status, first.reason)
    assert first == again
    assert ("SUCCESS", "nothing was there") == (deleted.status, deleted.reason)


class World:
    """Things that have a number, and their sizes."""

    def __init__(self):
        self.things, self.made = {}, 0
        self.fails = False

    def make(self, size):
        self.made += 1
        name = f"thing-{self.made}"
        self.things[name] = size
        return name

    def refuse(self):
        if self.fails:
            raise ValueError("no part of it can be had")


def moving(world):
    class Moving(CustomResource[dict, dict]):
        update_may_replace = True

        def create(self):
            size = self.raw_properties["Size"]
            self.physical_resource_id = self.step("thing", lambda _: world.make(size), once=True)
            world.refuse()

        update = create

        def delete(self):
            world.things.pop(self.physical_resource_id, None)

    return Provider(Moving, ledger="memory://")


def test_an_update_that_replaces():
    """
    Another id is a replacement: CloudFormation deletes the old object, and it alone.
    """
    world = World()
    cloudformation = FakeCloudFormation(moving(world))
    cloudformation.create("Thing", {"Size": 1})

    updated = cloudformation.update("Thing", {"Size": 2}, times=3)

    assert ("SUCCESS", "thing-2") == (updated.status, updated.physical_resource_id)
    assert {"thing-2": "2"} == world.things


def test_the_rollback_of_an_update_that_replaces():
    """
    The old object is still there: it is answered again, and the new one deleted.
    """
    world = World()
    cloudformation = FakeCloudFormation(moving(world))
    cloudformation.create("Thing", {"Size": 1})

    cloudformation.update_and_roll_back("Thing", {"Size": 2})

    assert "thing-1" == cloudformation.ref("Thing")
    assert {"thing-1": "1"} == world.things
    assert 2 == world.made


def test_an_update_that_replaces_and_fails():
    """
    What it made is removed by the rollback, and the old object stays as it is.
    """
    world = World()
    cloudformation = FakeCloudFormation(moving(world))
    cloudformation.create("Thing", {"Size": 1})
    world.fails = True

    updated = cloudformation.update("Thing", {"Size": 2})

    assert ("FAILED", "thing-1") == (updated.status, updated.physical_resource_id)
    assert {"thing-1": "1"} == world.things


def acting(world, *, always):
    class Acting(CustomResource[dict, dict]):
        always_delete = always

        def create(self):
            world.things["named"] = "by the template"
            world.refuse()

        def delete(self):
            world.things.pop("named", None)

    return Provider(Acting, ledger="memory://")


@pytest.mark.parametrize(("always", "left"), [(True, []), (False, ["named"])])
def test_a_create_that_acts_outside_its_steps_and_fails(always, left):
    """
    `always_delete` has its Delete run; without it, no step tells that there is something to remove.
    """
    world = World()
    world.fails = True
    cloudformation = FakeCloudFormation(acting(world, always=always))

    answer = cloudformation.create("Thing")

    assert "FAILED" == answer.status
    assert answer.reason.startswith("no part of it can be had (test_acting_classes.py:")
    assert always == answer.physical_resource_id.startswith("stack-Thing-")
    assert left == list(world.things)


@pytest.mark.parametrize("begun", [True, False])
def test_a_create_that_nobody_answered(begun):
    """
    Its Delete runs the hook where the Create was begun, and not for an id that stands for nothing.
    """
    world, deleted = World(), []

    class Acting(CustomResource[dict, dict]):
        always_delete = True

        def create(self):
            self.step("thing", lambda _: world.make("1"), once=True)

        def delete(self):
            deleted.append(self.physical_resource_id)

    cloudformation = FakeCloudFormation(Provider(Acting, ledger="memory://"))
    create = cloudformation.event("Create", "Thing", {})
    if begun:
        with pytest.raises(Crashed):
            cloudformation.send(create, crash_after="thing")
    delete = cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)

    answer = cloudformation.deliver(delete)

    assert "SUCCESS" == answer.status
    assert begun == bool(deleted)
    assert INVENTED not in deleted
