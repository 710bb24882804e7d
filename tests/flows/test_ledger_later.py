"""A ledger that is out of reach for some deliveries of a request, and there for others."""

import pytest

from cfn_once import DeliveryError, LedgerUnavailable
from cfn_once._errors import LedgerTrouble
from cfn_once.ledger import MemoryStore
from cfn_once.testing import Crashed, FakeCloudFormation, sqs_event

ONE = {"Product": "Linux/UNIX", "Target": 3}
GRACE = 301  # seconds of age after which a request is answered without the ledger


class Line(MemoryStore):
    """A ledger, and what is wrong on the way to it."""

    trouble = None

    def _pass(self):
        if self.trouble is not None:
            raise LedgerUnavailable(f"the ledger is {self.trouble}", trouble=self.trouble)

    def read(self, key):
        self._pass()
        return super().read(key)

    def write(self, key, write):
        self._pass()
        return super().write(key, write)


@pytest.fixture
def line():
    return Line()


@pytest.fixture(params=["as it is", "by a queue"])
def cloudformation(request, provider, line):
    envelope = {} if request.param == "as it is" else {"envelope": sqs_event}
    return FakeCloudFormation(provider, ledger=line, **envelope)


def never(stack, line, create, trouble=LedgerTrouble.PASSING):
    """Let a Create be answered without the ledger, and return its placeholder."""
    line.trouble = trouble
    stack.clock.advance(GRACE)
    answer = stack.send(create)
    assert "FAILED" == answer.status
    assert answer.physical_resource_id.startswith("cfn-once.never.")
    return answer.physical_resource_id


def deletes(stack, physical_id):
    return stack.event("Delete", "Group", ONE, physical_resource_id=physical_id)


def test_a_delivery_that_cannot_reach_what_another_has_begun(cloudformation, line, groups):
    """
    The first delivery made the object and died, and the second one cannot reach the ledger: what it
    answers disowns nothing. Its Delete removes the object once the ledger is back.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    placeholder = never(cloudformation, line, create)
    line.trouble = None

    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert (["sig-1"], {}) == (groups.deletes, groups.objects)


def test_a_delivery_that_cannot_reach_what_another_has_answered(cloudformation, line, groups):
    """
    So it is where the first delivery had recorded SUCCESS, and its answer was lost: the placeholder
    is that Create's own.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(DeliveryError):
        cloudformation.send(create, lost_answers=1)
    placeholder = never(cloudformation, line, create)
    line.trouble = None

    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert ("SUCCESS", "") == (answer.status, answer.reason)
    assert {} == groups.objects


def test_a_create_after_it(cloudformation, line, groups):
    """
    Another Create was good meanwhile: the placeholder cleans up after its own Create alone.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    placeholder = never(cloudformation, line, create)
    line.trouble = None
    held = cloudformation.create("Group", ONE).physical_resource_id

    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert answer.succeeded
    assert [held] == list(groups.objects)
    assert [f"left: {held} is held, and no request has named it yet"] == [answer.reason]


def test_a_create_that_was_never_begun(cloudformation, line, groups):
    """
    Where no delivery had reached the ledger nothing is in it, and the Delete says so.
    """
    placeholder = never(cloudformation, line, cloudformation.event("Create", "Group", ONE))
    line.trouble = None

    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert ("SUCCESS", "left: no Create of Group is in the ledger") == (
        answer.status,
        answer.reason,
    )
    assert [] == groups.calls


def test_the_ledger_is_still_out_of_reach(cloudformation, line, groups):
    """
    While the ledger is out of reach its Delete is no SUCCESS: Lambda comes again, and after five
    minutes it is FAILED. Once the ledger is back it removes what was made.
    """
    create = cloudformation.event("Create", "Group", ONE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    placeholder = never(cloudformation, line, create)
    delete = deletes(cloudformation, placeholder)

    with pytest.raises(LedgerUnavailable):
        cloudformation.send(delete)
    cloudformation.clock.advance(GRACE)
    failed = cloudformation.send(delete)
    line.trouble = None
    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert ("FAILED", placeholder) == (failed.status, failed.physical_resource_id)
    assert ("SUCCESS", {}) == (answer.status, groups.objects)


def test_there_is_no_such_table(cloudformation, line, groups):
    """
    Where there is no ledger nothing was ever begun in it: its Delete is SUCCESS at once, and names
    why nobody looked.
    """
    create = cloudformation.event("Create", "Group", ONE)
    placeholder = never(cloudformation, line, create, LedgerTrouble.MISSING)

    answer = cloudformation.send(deletes(cloudformation, placeholder))

    assert ("SUCCESS", "the ledger was not asked: the ledger is missing") == (
        answer.status,
        answer.reason,
    )


def test_nobody_may_touch_the_table(cloudformation, line, groups):
    """
    Where access is denied a grant may be on its way: its Delete waits five minutes for it, and is
    SUCCESS then, with the reason.
    """
    create = cloudformation.event("Create", "Group", ONE)
    placeholder = never(cloudformation, line, create, LedgerTrouble.DENIED)
    delete = deletes(cloudformation, placeholder)

    with pytest.raises(LedgerUnavailable):
        cloudformation.send(delete)
    cloudformation.clock.advance(GRACE)
    answer = cloudformation.send(delete)

    assert ("SUCCESS", "the ledger was not asked: the ledger is denied") == (
        answer.status,
        answer.reason,
    )


@pytest.mark.parametrize("trouble", LedgerTrouble)
@pytest.mark.parametrize("physical_id", ["sig-1", "stack-Group-1A2B3C4D5E6F", "placeholder"])
def test_every_other_id(cloudformation, line, groups, trouble, physical_id):
    """
    Any other id is of a Create that had reached a ledger: its Delete is never SUCCESS without one.
    """
    groups.fail("create", status=400)
    placeholder = cloudformation.deliver(cloudformation.event("Create", "Group", ONE))
    if physical_id == "placeholder":
        physical_id = placeholder.physical_resource_id
    delete = deletes(cloudformation, physical_id)
    line.trouble = trouble
    cloudformation.clock.advance(GRACE)

    answer = cloudformation.send(delete)

    assert ("FAILED", physical_id) == (answer.status, answer.physical_resource_id)
