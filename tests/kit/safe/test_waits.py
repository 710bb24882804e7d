"""Waits that outlast an invocation: told of without a continuation, played through with one."""

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeApi, FakeCloudFormation, assert_safe
from support.host import Host

WAYS = [
    "scheduler://waits?role=arn:aws:iam::123456789012:role/waits",
    "sqs://sqs.us-east-1.amazonaws.com/123456789012/waits",
    "lambda://self",
]
api = FakeApi(tokens=False)


class Cluster(CustomResource[dict, dict]):
    """It is ready after a while, and its Delete waits for what drains."""

    def create(self):
        self.physical_resource_id = self.step("cluster", self.make, find=self.find)
        self.wait_until(self.look, every=240, timeout=1200)
        self.step(
            "tag", lambda step: api.update(self.physical_resource_id, {"tag": 1}), repeat=True
        )

    def make(self, step):
        return api.create({"token": step.token, "ready": api.clock.now() + 400})

    def find(self, step):
        return api.find(token=step.token)

    def look(self):
        return api.get(self.physical_resource_id)["ready"] <= api.clock.now()

    def delete(self):
        self.wait(300)
        self.step("drop", lambda step: api.delete(self.physical_resource_id), repeat=True)


@pytest.fixture
def aws(monkeypatch):
    """Whatever is asked of AWS comes here."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Host() as host:
        monkeypatch.setenv("AWS_ENDPOINT_URL", host.url)
        yield host


@pytest.mark.parametrize(("url", "limit"), [(WAYS[0], 5000), (WAYS[1], 150), (WAYS[2], 150)])
def test_every_fault_of_every_invocation(aws, url, limit):
    """
    The event comes back in virtual time, each invocation of the first delivery meets each fault,
    and nothing is asked over the network.
    """
    provider = Provider(Cluster, ledger="memory://", continuation=url)

    checked = assert_safe(provider, {"ServiceTimeout": "3600"}, api, limit=limit)

    assert checked.complete == (checked.runs < limit)
    assert checked.runs > 300 or limit == 150  # the same hooks without their waits take under 200
    assert [] == aws.received


@pytest.mark.parametrize("url", WAYS)
def test_one_stack(aws, url):
    """
    FakeCloudFormation does the same, once; SQS hops every quarter of an hour, a function that
    invokes itself in each invocation.
    """
    api.reset()
    stack = FakeCloudFormation(Provider(Cluster, ledger="memory://", continuation=url))
    api.clock = stack.clock

    answer = stack.create("Cluster")
    stack.delete("Cluster")

    assert answer.succeeded
    assert stack.story.count("it comes back from its wait") >= 3
    assert [] == [*api.objects, *aws.received]


class Patient(Cluster):
    def create(self):
        self.wait(600)

    def delete(self):
        pass


def test_without_a_continuation():
    """
    Both say what the deployed function would answer, with the setting to make.
    """
    provider = Provider(Patient, ledger="memory://")

    answer = FakeCloudFormation(provider).create("Cluster")
    with pytest.raises(AssertionError) as told:
        assert_safe(provider, {})

    assert "FAILED" == answer.status
    assert "set CFN_ONCE_CONTINUATION" in answer.reason
    assert "set CFN_ONCE_CONTINUATION" in str(told.value)


class Careless(Cluster):
    """It makes something behind its wait that nobody can find again."""

    def create(self):
        self.wait(600)
        self.step("make", lambda step: api.create({}), window=None, find=lambda step: None)

    def delete(self):
        self.step("drop", lambda step: api.delete(self.physical_resource_id), repeat=True)


def test_a_mistake_behind_a_wait():
    """
    A mistake that only shows in the invocation after the wait is found, and its story says so.
    """
    provider = Provider(Careless, ledger="memory://", continuation=WAYS[0])

    with pytest.raises(AssertionError) as told:
        assert_safe(provider, {}, api)

    assert "it comes back from its wait" in str(told.value)
