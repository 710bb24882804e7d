"""What an answer may carry, and to whom it may go."""

import json

import pytest

from cfn_once import CustomResource, Provider, Request
from cfn_once._cloudformation.response import Success, encode
from cfn_once.ledger import MemoryStore
from cfn_once.testing import FakeCloudFormation


class Keys(CustomResource[dict, dict]):
    no_echo = True

    def create(self):
        return {"Key": "hunter22"}

    def delete(self):
        pass


def test_secret_attributes_are_marked():
    """
    Attributes of a class that says no_echo are masked by CloudFormation.
    """
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"))

    answer = cloudformation.create("Key")

    assert (True, {"Key": "hunter22"}) == (answer.no_echo, answer.data)


class Open(Keys):
    resource_type = "Custom::Keys"
    no_echo = False


SECRET, OPEN = Provider(Keys, ledger="memory://"), Provider(Open, ledger="memory://")
ASKS = ["an Update that changes nothing", "the Create, again"]


def asked(cloudformation, asks):
    """Return a request whose response is the recorded one of the stack's first Create."""
    if asks == "the Create, again":
        return cloudformation.asked_again(cloudformation.answers[0][0])
    return cloudformation.event("Update", "Key", {"Size": 1, "ServiceTimeout": 600})


LATER = {  # what made the answer, what gives it again: whether it is marked then
    "a class that has become secret": (OPEN, SECRET),
    "a class that is secret no more": (SECRET, OPEN),
}


@pytest.mark.parametrize(("before", "after"), LATER.values(), ids=LATER)
@pytest.mark.parametrize("asks", ASKS)
def test_secret_attributes_stay_marked(before, after, asks):
    """
    A kept answer is marked where it was, or where today's class says so; id and attributes are
    what they were.
    """
    cloudformation = FakeCloudFormation(before)
    cloudformation.create("Key", {"Size": 1})
    _, first = cloudformation.answers[0]

    again = cloudformation.send(asked(cloudformation, asks), provider=after)

    assert again.no_echo
    assert (first.physical_resource_id, first.data) == (again.physical_resource_id, again.data)


LIMIT = 4096


def of_size(size, kind):
    """Return a provider whose answer to a Create is a body of this many bytes."""

    class Long(kind):
        resource_type = "Custom::Keys"

        def create(self):
            return {"Key": "k" * self.length}

    Long.length = 1
    empty = len(FakeCloudFormation(Provider(Long, ledger="memory://")).create("Key").body)
    Long.length += size - empty
    return Provider(Long, ledger="memory://")


@pytest.mark.parametrize("asks", ASKS)
def test_the_longest_answer_becomes_secret(asks):
    """
    An answer leaves room for NoEcho: the longest one still fits when a later version of the class
    turns that on. A class that says so from the beginning has all of the room.
    """
    mark = len(',"NoEcho":true')
    before, whole = of_size(LIMIT - mark, Open), of_size(LIMIT, Keys)
    too_long = of_size(LIMIT - mark + 1, Open)
    cloudformation = FakeCloudFormation(before)
    cloudformation.create("Key", {"Size": 1})
    _, first = cloudformation.answers[0]

    again = cloudformation.send(asked(cloudformation, asks), provider=SECRET)

    assert (LIMIT - mark, LIMIT) == (len(first.body), len(again.body))
    assert (True, first.data) == (again.no_echo, again.data)
    assert LIMIT == len(FakeCloudFormation(whole).create("Key").body)
    assert "FAILED" == FakeCloudFormation(too_long).create("Key").status


def test_a_reason_that_has_no_room():
    """
    A SUCCESS whose attributes leave no room for its Reason is told without: it stands in the log.
    """
    request = Request.from_event(FakeCloudFormation(OPEN).event("Create", "Key"))

    def told(free):
        answer = Success("k", {"Key": "k" * (most - free)}, reason=90 * "in doubt ")
        return json.loads(encode(request, answer)[1])

    most = LIMIT - len(',"NoEcho":true') - len(encode(request, Success("k", {"Key": ""}))[1])
    answers = [told(free) for free in (1000, 100, 10)]

    assert ["SUCCESS"] * 3 == [answer["Status"] for answer in answers]
    assert 90 * "in doubt " == answers[0]["Reason"]
    assert "(shortened)" in answers[1]["Reason"]
    assert "Reason" not in answers[2]


def test_secret_attributes_need_a_ledger_that_keeps_them():
    """
    Where the ledger is not declared to keep secrets, such a class makes nothing and says why.
    """
    ledger = MemoryStore()
    ledger.keeps_secrets = False
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"), ledger=ledger)

    answer = cloudformation.create("Key")

    assert "FAILED" == answer.status
    assert "keeps_secrets=true" in answer.reason
    assert "hunter22" not in str(vars(ledger))


def test_a_function_with_too_little_time():
    """
    A function timeout under 30 s is refused before anything is made.
    """
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"), timeout=20)

    answer = cloudformation.create("Key")

    assert "set its Timeout to 120" in answer.reason
