"""Whom a provider serves, and what becomes of the requests of others."""

from functools import partial

import pytest

from cfn_once import CustomResource, InvalidRequest, Provider, guardian
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once.ledger import MemoryStore
from cfn_once.testing import (
    VirtualClock,
    create_event,
    delete_event,
    on_failure_event,
    update_event,
)
from support.taken import Taken

OWN, OTHER, THIRD = "eu-west-1", "us-west-2", "ap-south-1"


class Told(Taken):
    """A delivery that checks where answers go as the real one does."""

    def check(self, request):
        return self.real.check(request)


class Deployed:
    """A provider in Lambda in Ireland, with the ledger of every version of it."""

    def __init__(self, **options):
        self.ran, self.ledger, self.clock = [], MemoryStore(), VirtualClock()
        self.told = Told()
        self.deploy(**options)

    def deploy(self, **options):
        ran = self.ran

        class Thing(CustomResource[dict, dict]):
            def create(self):
                ran.append(f"create {self.physical_resource_id}")
                return {"Token": "known to its stack"}

            def update(self):
                ran.append("update")
                return {"Token": "known to its stack"}

            def delete(self):
                ran.append(f"delete {self.physical_resource_id}")

        made = Provider(Thing, ledger=self.ledger, clock=self.clock, **options)
        self.told.real = made._delivery
        self.provider = made.using(delivery=self.told)

    def send(self, make, region=OTHER, **parts):
        """Send a request of a stack in a Region, and return its answer."""
        self.clock.advance(1)
        stack_id = f"arn:aws:cloudformation:{region}:123456789012:stack/shop/1"
        kind = {"resource_type": "Custom::Thing", "stack_id": stack_id, "now": self.clock.now()}
        self.provider(make("Thing", **kind, **parts))
        return self.told.answers[-1]


@pytest.fixture
def deployed(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    monkeypatch.setenv("AWS_REGION", OWN)
    return Deployed()


def test_a_stack_in_another_region(deployed):
    """
    A topic in the stack's Region, and the function in another: FAILED before a hook runs, with the
    line to add. The Delete of what was not made is SUCCESS, so that the rollback is not stuck.
    """
    created = deployed.send(create_event)
    deleted = deployed.send(delete_event, physical_resource_id=created["PhysicalResourceId"])

    assert ("FAILED", "SUCCESS") == (created["Status"], deleted["Status"])
    assert created["Reason"] == (
        f"this provider serves stacks in {OWN}, and this one is in {OTHER}. If that is meant:"
        f' Provider(..., regions=["{OTHER}"])'
    )
    assert created["PhysicalResourceId"].startswith("cfn-once.none.")
    assert [] == deployed.ran


def test_copies_of_a_request_from_another_region(deployed):
    """
    Each copy is told the same bytes; once the Region is listed, a late copy has no effect.
    """
    stack_id = f"arn:aws:cloudformation:{OTHER}:123456789012:stack/shop/1"
    now = deployed.clock.now()
    create = create_event("Thing", resource_type="Custom::Thing", stack_id=stack_id, now=now)
    deployed.provider(create)
    deployed.provider(create)
    first, second = deployed.told.bodies
    placeholder = deployed.told.answers[0]["PhysicalResourceId"]
    deployed.send(delete_event, physical_resource_id=placeholder)

    deployed.deploy(regions=[OTHER])
    deployed.provider(create)

    assert first == second
    assert 3 == len(deployed.told.bodies)  # a copy of what newer requests have followed is silent
    assert [] == deployed.ran


def test_a_region_that_is_listed(deployed):
    """
    `regions=` adds to the function's own Region, which stays served.
    """
    deployed.deploy(regions=[OTHER])

    assert ["SUCCESS", "SUCCESS", "FAILED"] == [
        deployed.send(create_event, region)["Status"] for region in (OWN, OTHER, THIRD)
    ]
    assert 2 == len(deployed.ran)


def test_a_region_that_is_listed_no_more(deployed):
    """
    What was made there is not given up: its Delete is FAILED, and says what to restore. An Update
    is refused as well, and its rollback, which changes nothing, is SUCCESS.
    """
    deployed.deploy(regions=[OTHER])
    made = deployed.send(create_event, properties={"Size": 1})["PhysicalResourceId"]
    deployed.deploy()

    wanted = {"properties": {"Size": 2}, "old_properties": {"Size": 1}}
    back = {"properties": {"Size": 1}, "old_properties": {"Size": 2}}
    updated = deployed.send(update_event, physical_resource_id=made, **wanted)
    rolled_back = deployed.send(update_event, physical_resource_id=made, **back)
    deleted = deployed.send(delete_event, physical_resource_id=made, properties={"Size": 1})

    assert ["FAILED", "SUCCESS", "FAILED"] == [
        answer["Status"] for answer in (updated, rolled_back, deleted)
    ]
    assert {"Token": "known to its stack"} == rolled_back["Data"]
    assert f'regions=["{OTHER}"]' in deleted["Reason"]
    assert [f"create {made}"] == deployed.ran


def test_a_delete_of_what_a_served_region_left(deployed):
    """
    A placeholder proves nothing: where the ledger knows that its Create had left something, the
    Delete is FAILED until the Region is served again.
    """

    class Half(CustomResource[dict, dict]):
        resource_type = "Custom::Thing"

        def create(self):
            self.step("part", lambda step: "p-1", once=True)
            raise ValueError("and then it failed")

        def delete(self):
            pass

    half = Provider(Half, ledger=deployed.ledger, clock=deployed.clock)
    deployed.provider = half.using(delivery=deployed.told)
    deployed.told.real = HttpsDelivery(own_region=OTHER)
    placeholder = deployed.send(create_event)["PhysicalResourceId"]
    deployed.deploy()

    refused = deployed.send(delete_event, physical_resource_id=placeholder)
    deployed.deploy(regions=[OTHER])
    served = deployed.send(delete_event, physical_resource_id=placeholder)

    assert ("FAILED", "SUCCESS") == (refused["Status"], served["Status"])
    assert refused["Reason"].endswith(f'Provider(..., regions=["{OTHER}"])')
    assert "part#0" in served["Reason"]


def test_an_answer_in_the_place_of_another_region(deployed):
    """
    A known request, sent again with a ResponseURL in another Region's bucket: nobody is told what
    is recorded of it.
    """
    request = {"request_id": "1f2e3d4c", "now": deployed.clock.now()}
    stack_id = f"arn:aws:cloudformation:{OWN}:123456789012:stack/shop/1"
    event = create_event("Thing", resource_type="Custom::Thing", stack_id=stack_id, **request)
    deployed.provider(event)
    bucket = "cloudformation-custom-resource-response"
    theirs = event["ResponseURL"].replace(
        f"{bucket}-euwest1.s3.eu-west-1", f"{bucket}-uswest2.s3.us-west-2"
    )

    with pytest.raises(InvalidRequest, match="is not CloudFormation's in eu-west-1"):
        deployed.provider({**event, "ResponseURL": theirs})

    assert 1 == len(deployed.told.bodies)
    assert theirs != event["ResponseURL"]


def test_an_account_that_is_not_served(deployed):
    """
    `accounts=` refuses before a hook runs, and says what to add; the Delete of what was not made is
    SUCCESS, and that of what was made is FAILED, for the ledger is asked.
    """
    made = deployed.send(create_event, OWN)["PhysicalResourceId"]
    deployed.deploy(accounts=["210987654321"])

    refused = deployed.send(delete_event, OWN, physical_resource_id=made)
    deployed.ledger = MemoryStore()
    deployed.deploy(accounts=["210987654321"])
    created = deployed.send(create_event, OWN)
    deleted = deployed.send(delete_event, OWN, physical_resource_id=created["PhysicalResourceId"])

    assert ["FAILED", "FAILED", "SUCCESS"] == [
        answer["Status"] for answer in (refused, created, deleted)
    ]
    assert 'accounts=[..., "123456789012"]' in refused["Reason"]
    assert 'accounts=[..., "123456789012"]' in created["Reason"]
    assert [f"create {made}"] == deployed.ran


def test_a_stack_that_is_none(deployed):
    """
    A request whose StackId names no account is refused for that, by an emulator's host too.
    """
    deployed.deploy(accounts=["210987654321"], response_hosts=["localhost"])
    event = create_event("Thing", resource_type="Custom::Thing", now=deployed.clock.now())

    deployed.provider({**event, "StackId": "none", "ResponseURL": "http://localhost/key"})

    [answer] = deployed.told.answers
    assert "StackId must be the ARN of a stack" in answer["Reason"]


def test_managed_instances(deployed, monkeypatch):
    """
    Lambda Managed Instances end no invocation at its Timeout: a provider there is FAILED before a
    hook runs, and says why. The Delete of what was not made is SUCCESS.
    """
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")

    created = deployed.send(create_event, OWN)
    deleted = deployed.send(delete_event, OWN, physical_resource_id=created["PhysicalResourceId"])
    deployed.deploy(ends_process=True)
    served = deployed.send(create_event, OWN)

    assert ["FAILED", "SUCCESS", "SUCCESS"] == [
        answer["Status"] for answer in (created, deleted, served)
    ]
    assert "end no invocation at its Timeout" in created["Reason"]
    assert "Provider(..., ends_process=True)" in created["Reason"]
    assert [f"create {served['PhysicalResourceId']}"] == deployed.ran


def test_whatever_way_an_event_comes(deployed, monkeypatch):
    """
    What the guardian is handed, and what comes back from a wait too early, go through the same
    check: nobody is told anything, and nothing is sent on.
    """

    class Way:
        shortest, longest, sent = 60.0, 900.0, 0

        def send(self, event, due, *, now, function):
            self.sent += 1

    way, now = Way(), deployed.clock.now()
    deployed.deploy(continuation=way)
    stack_id = f"arn:aws:cloudformation:{OWN}:123456789012:stack/shop/1"
    event = create_event("Thing", resource_type="Custom::Thing", stack_id=stack_id, now=now)
    early = {**event, "CfnOnceDue": now + 1000}
    evil = {"ResponseURL": event["ResponseURL"].replace("-euwest1", "-evil")}
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")

    for handle in (deployed.provider, partial(guardian.handler, clock=deployed.clock)):
        wrap = dict if handle is deployed.provider else on_failure_event
        with pytest.raises(InvalidRequest, match="which is not CloudFormation's in eu-west-1"):
            handle(wrap({**early, **evil}))
    before = way.sent
    deployed.provider(early)

    assert (0, 1) == (before, way.sent)
    assert [] == deployed.told.bodies
