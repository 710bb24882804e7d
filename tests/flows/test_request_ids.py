"""A RequestId that comes again, and the times that an event names."""

import logging

import pytest

from cfn_once import Provider
from cfn_once.ledger import MemoryStore
from cfn_once.testing import FakeCloudFormation, sns_event
from support.taken import Taken

ONE = {"Product": "Linux/UNIX", "Target": 3}
TWO = {"Product": "Windows", "Target": 3}
FORGED = "its RequestId was used before for something else: forged or corrupted"


@pytest.fixture(params=["as it is", "by a topic"])
def cloudformation(request, provider):
    envelope = {} if request.param == "as it is" else {"envelope": sns_event}
    return FakeCloudFormation(provider, **envelope)


def under(stack, event, earlier):
    """Return an event under the RequestId of an earlier one, signed now."""
    return stack.asked_again({**event, "RequestId": earlier["RequestId"]})


# Other content


def test_other_properties_signed_later(cloudformation, groups):
    """
    A RequestId that asks for something else, and was signed later, is a request of its own.
    """
    cloudformation.create("Group", ONE)
    first = cloudformation.event("Update", "Group", {**ONE, "Target": 4})
    cloudformation.send(first)
    other = cloudformation.event("Update", "Group", {**ONE, "Target": 5})

    answer = cloudformation.send(under(cloudformation, other, first))

    assert ("SUCCESS", 5) == (answer.status, answer.data["Target"])
    assert [("sig-1", 4), ("sig-1", 5)] == groups.updates


def test_a_delete_under_the_creates_request_id(cloudformation, groups):
    """
    A Delete under the RequestId of the Create removes what that one made.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.send(create)
    delete = cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-1")

    answer = cloudformation.send(under(cloudformation, delete, create))

    assert answer.succeeded
    assert (["sig-1"], {}) == (groups.deletes, groups.objects)


def test_a_create_that_is_mended(cloudformation, groups):
    """
    A Create that failed half way, and comes again with other properties under its RequestId, makes
    what is asked for now; what the first one left is cleaned up, not taken over.
    """
    groups.fails.append(ValueError("no such product"))
    create = cloudformation.event("Create", "Group", TWO)
    failed = cloudformation.send(create)
    mended = cloudformation.event("Create", "Group", ONE)

    answer = cloudformation.send(under(cloudformation, mended, create))

    assert ("FAILED", "sig-1") == (failed.status, failed.physical_resource_id)
    assert ("SUCCESS", "sig-2") == (answer.status, answer.physical_resource_id)


def test_a_create_over_its_own_success(cloudformation, groups):
    """
    What a Create made is no retained object when the same RequestId creates something else: it goes
    with the Delete of what is held.
    """
    create = cloudformation.event("Create", "Group", TWO)
    cloudformation.send(create)
    other = cloudformation.event("Create", "Group", ONE)
    answer = cloudformation.send(under(cloudformation, other, create))

    last = cloudformation.send(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id="sig-2")
    )

    assert ("SUCCESS", "sig-2") == (answer.status, answer.physical_resource_id)
    assert ("SUCCESS", {}) == (last.status, groups.objects)


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_other_content_of_the_same_second(cloudformation, groups, caplog, kind):
    """
    One that was not signed later is forged or corrupted: it is neither worked on nor answered, and
    is never told what the true one was.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.send(create)
    calls, told = list(groups.calls), len(cloudformation.answers)
    forged = {**create, "RequestType": kind, "ResourceProperties": TWO}
    if kind != "Create":
        forged["PhysicalResourceId"] = "sig-1"

    cloudformation.send(forged)

    assert (calls, told) == (groups.calls, len(cloudformation.answers))
    assert FORGED in caplog.text


def test_a_known_request_id_of_long_ago(cloudformation, groups):
    """
    So it is with the RequestId of an earlier request: signed later it is worked on, else ignored.
    """
    cloudformation.create("Group", ONE)
    create, _ = cloudformation.answers[0]
    cloudformation.update("Group", {**ONE, "Target": 4})
    told = len(cloudformation.answers)
    cloudformation.send({**create, "RequestType": "Update", "PhysicalResourceId": "sig-1"})
    between = len(cloudformation.answers)
    update = cloudformation.event("Update", "Group", {**ONE, "Target": 6})

    answer = cloudformation.send(under(cloudformation, update, create))

    assert told == between
    assert ("SUCCESS", 6) == (answer.status, answer.data["Target"])
    assert [("sig-1", 4), ("sig-1", 6)] == groups.updates


# The same content


def test_asked_again_at_once_after_a_failure(cloudformation, groups):
    """
    After an orderly FAILED nobody is at work: the same request that is asked again begins at once.
    """
    groups.fails.append(ValueError("no capacity"))
    create = cloudformation.event("Create", "Group", ONE)
    failed = cloudformation.send(create)
    before = cloudformation.clock.now()

    answer = cloudformation.send(cloudformation.asked_again(create))

    assert ("FAILED", "SUCCESS") == (failed.status, answer.status)
    assert cloudformation.clock.now() - before <= 2


@pytest.mark.parametrize("physical_id", ["", "x", "stack-Group-1A2B3C4D5E6F", "sig-1"])
def test_a_create_that_carries_an_id(cloudformation, groups, physical_id):
    """
    An emulator's Create carries an id: it means nothing. The answer has the hook's, a copy without
    the id is a copy, and the Delete removes what was made.
    """
    create = cloudformation.event("Create", "Group", ONE)
    carrying = {**create, "PhysicalResourceId": physical_id}

    answers = [cloudformation.send(event) for event in (carrying, create, carrying)]
    held = answers[0].physical_resource_id
    deleted = cloudformation.send(
        cloudformation.event("Delete", "Group", ONE, physical_resource_id=held)
    )

    assert 3 * [("SUCCESS", "sig-1")] == [
        (answer.status, answer.physical_resource_id) for answer in answers
    ]
    assert ["sig-1"] == groups.created == groups.deletes
    assert deleted.succeeded


@pytest.mark.parametrize("name", ["ServiceToken", "ServiceTimeout"])
def test_what_is_no_content(cloudformation, groups, name):
    """
    ServiceToken and ServiceTimeout are CloudFormation's own: copies that differ in them alone are
    copies.
    """
    create = cloudformation.event("Create", "Group", ONE)
    properties = {**create["ResourceProperties"], name: "900"}

    first = cloudformation.send(create)
    second = cloudformation.send({**create, "ResourceProperties": properties})

    assert first.body == second.body
    assert ["sig-1"] == groups.created


# Without a date, and dated ahead


class Emulator:
    """Sends events whose ResponseURLs bear no date, or one that it chooses."""

    def __init__(self, group_class):
        self.stack = FakeCloudFormation(Provider(group_class, ledger="memory://"))
        self.taken, self.clock = Taken(), self.stack.clock
        provider = Provider(group_class, ledger=MemoryStore())
        self.provider = provider.using(delivery=self.taken, clock=self.clock)

    def event(self, kind, properties, date="", **options):
        event = self.stack.event(kind, "Group", properties, **options)
        if kind == "Update":
            event["OldResourceProperties"] = {"Product": ONE["Product"]}
        event["ResponseURL"] = f"https://nowhere.example.com/{date and f'?X-Amz-Date={date}'}"
        return event

    def send(self, event):
        """Deliver an event, and return what is answered to it; None where nothing is."""
        before = len(self.taken.answers)
        self.provider(event)
        return next(iter(self.taken.answers[before:]), None)


@pytest.fixture
def emulator(group_class):
    return Emulator(group_class)


def test_a_life_without_dates(emulator, groups):
    """
    Requests without a date are taken in the order in which they come, and their copies as copies.
    """
    create = emulator.event("Create", ONE)
    update = emulator.event("Update", {**ONE, "Target": 4}, physical_resource_id="sig-1")
    delete = emulator.event("Delete", ONE, physical_resource_id="sig-1")
    answers = [emulator.send(event) for event in (create, create, update, update, delete, delete)]
    late = emulator.send(create)

    assert 6 * ["SUCCESS"] == [answer["Status"] for answer in answers]
    assert (["sig-1"], [("sig-1", 4)], ["sig-1"]) == (
        groups.created,
        groups.updates,
        groups.deletes,
    )
    assert None is late


@pytest.mark.parametrize("date", ["", "20270115T090000Z"])
def test_other_content_without_a_date(emulator, groups, date):
    """
    What was begun without a date stays without one: a copy with other properties is refused,
    whatever it is dated.
    """
    create = emulator.event("Create", ONE)
    emulator.send(create)
    emulator.clock.advance(60)
    forged = emulator.event("Create", TWO, date)
    forged["RequestId"] = create["RequestId"]

    assert None is emulator.send(forged)
    assert ["sig-1"] == groups.created


AHEAD = ["20370115T080000Z", "99991231T235959Z"]


@pytest.mark.parametrize("date", AHEAD)
def test_a_date_ahead_of_our_clock(emulator, groups, caplog, date):
    """
    An event that is dated well ahead of our clock is taken for one without a date, and logged: the
    true requests that come later are worked on.
    """
    with caplog.at_level(logging.ERROR):
        emulator.send(emulator.event("Create", ONE, date))
    emulator.clock.advance(60)
    update = emulator.event("Update", {**ONE, "Target": 4}, physical_resource_id="sig-1")
    update["ResponseURL"] = emulator.stack.asked_again(update)["ResponseURL"]
    answer = emulator.send(update)

    assert "s ahead of our clock: which one is wrong?" in caplog.text
    assert "SUCCESS" == answer["Status"]
    assert [("sig-1", 4)] == groups.updates


def test_clocks_that_differ_a_little(cloudformation, groups, caplog):
    """
    A minute ahead is no news: clocks differ, and the date is taken as it is.
    """
    create = cloudformation.event("Create", "Group", ONE)
    cloudformation.clock.advance(-50)

    answer = cloudformation.send(create)

    assert answer.succeeded
    assert "ahead of our clock" not in caplog.text


# Due times


class Way:
    """Brings events back, after a quarter of an hour at most."""

    shortest, longest = 60.0, 900.0

    def __init__(self):
        self.sent = []

    def send(self, event, due, *, now, function):
        self.sent.append(event)


@pytest.mark.parametrize("date", ["", "the clock's"])
@pytest.mark.parametrize("timeout", [600, 3600])
def test_a_due_time_beyond_the_request(group_class, date, timeout):
    """
    An event that says it is due in ten years goes round no longer than CloudFormation waits.
    """
    emulator, way = Emulator(group_class), Way()
    provider = emulator.provider.using(continuation=way)
    event = emulator.event("Create", {**ONE, "ServiceTimeout": timeout})
    if date:
        event["ResponseURL"] = emulator.stack.asked_again(event)["ResponseURL"]
    began = emulator.clock.now()
    event["CfnOnceDue"] = began + 10 * 365 * 86400

    provider(event)
    rounds = 1
    while way.sent and rounds < 20:
        emulator.clock.advance(900)
        provider(way.sent.pop())
        rounds += 1

    assert 1 + -(-timeout // 900) >= rounds
    assert [] == way.sent


@pytest.mark.parametrize("due", [10**400, -(10**400), 1e308, float("nan"), True, "soon"], ids=str)
def test_a_due_time_that_is_no_time(emulator, due):
    """
    JSON can spell numbers that are no time: the event is as due as one without, and is answered.
    """
    answer = emulator.send({**emulator.event("Create", ONE), "CfnOnceDue": due})

    assert answer is not None
    assert "SUCCESS" == answer["Status"]
