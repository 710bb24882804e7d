"""What is no sound request: answered FAILED where somebody trustworthy can be told, else raised."""

from dataclasses import dataclass

import pytest

from cfn_once import (
    ConfigurationError,
    CustomResource,
    InvalidRequest,
    Provider,
    Request,
)
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once.ledger import MemoryStore
from cfn_once.testing import VirtualClock
from support.requests_of_cloudformation import recorded
from support.taken import Taken

ISSUED = 1_719_828_000  # when the recorded events were


class Told(Taken):
    """A delivery that checks hosts as the real one does."""

    def check(self, request):
        return HttpsDelivery().check(request)


class Ledger(MemoryStore):
    """One that knows whether anybody has come to it."""

    touched = False

    def read(self, key):
        self.touched = True
        return super().read(key)

    def write(self, key, write):
        self.touched = True
        return super().write(key, write)


@dataclass(frozen=True)
class Wanted:
    Target: int


class Sent:
    """A provider of Custom::Group and Custom::Other, whose hooks must not run."""

    def __init__(self, **options):
        self.ran = ran = []

        class Group(CustomResource[Wanted, dict]):
            def create(self):
                ran.append("create")

            def update(self):
                ran.append("update")

            def delete(self):
                ran.append("delete")

        class Other(Group):
            pass

        self.told, self.ledger = Told(), Ledger()
        provider = Provider(Group, Other, **{"ledger": self.ledger, **options})
        self.provider = provider.using(delivery=self.told, clock=VirtualClock(ISSUED + 1))

    def send(self, event):
        self.provider(event)
        [answer] = self.told.answers
        return answer


def event(request_type="Create", **changes):
    sent = recorded(request_type.lower())
    sent |= {"ResourceType": "Custom::Group", "ResourceProperties": {"Target": "1"}}
    sent |= changes
    return {name: value for name, value in sent.items() if value is not ...}


@pytest.mark.parametrize(
    ("request_type", "changes", "reason"),
    [
        ("Create", {"RequestType": "Describe"}, "RequestType must be one of"),
        ("Delete", {"RequestType": ...}, "RequestType must be one of"),
        ("Create", {"ResourceType": ...}, "ResourceType is missing"),
        ("Update", {"ResourceType": {"a": "map"}}, "ResourceType must be text, not a map"),
        ("Update", {"ResourceProperties": "x"}, "ResourceProperties must be a map, not text"),
        ("Update", {"PhysicalResourceId": ...}, "PhysicalResourceId is missing"),
        ("Delete", {"PhysicalResourceId": 5}, "PhysicalResourceId must be text, not a number"),
        ("Create", {"ResourceType": "Custom::Unheard"}, "this provider serves Custom::Group, "),
        ("Update", {"ResourceType": "Custom::Unheard"}, "Custom::Other, not Custom::Unheard"),
        ("Create", {"ResourceProperties": {"Target": "one"}}, "Target: expected an integer"),
        ("Create", {"ResourceProperties": {"Trget": "1"}}, "Target: missing"),
        ("Update", {"ResourceProperties": {}}, "Target: missing"),
    ],
)
def test_answered_failed(request_type, changes, reason):
    """
    A request that can be answered is: with what is wrong, under the id that CloudFormation holds
    or one that says that nothing was made, and nothing is done.
    """
    sent = Sent()
    asked = event(request_type, **changes)

    answer = sent.send(asked)

    held = asked.get("PhysicalResourceId")
    made_none = Request.addressee_of(asked).placeholder_id("none")
    assert "FAILED" == answer["Status"]
    assert reason in answer["Reason"]
    assert (held if isinstance(held, str) else made_none) == answer["PhysicalResourceId"]
    assert [asked[name] for name in ("RequestId", "StackId", "LogicalResourceId")] == [
        answer[name] for name in ("RequestId", "StackId", "LogicalResourceId")
    ]
    assert [] == sent.ran


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (None, "was the function invoked by hand"),
        ({"source": "aws.events"}, "if not CloudFormation"),
        (event(ResponseURL=...), "ResponseURL is missing"),
        (event(ResponseURL=""), "ResponseURL must be text, not empty text"),
        (event(ResponseURL=["https://"]), "ResponseURL must be text, not a list"),
        (event(StackId="no ARN"), "which is not CloudFormation's in any Region known here"),
        (event(RequestId=...), "RequestId is missing"),
        (event(StackId=None), "StackId must be text, not null"),
        (event(LogicalResourceId="\udc00"), "LogicalResourceId must be text, not half a"),
        (event(ResponseURL="http://example.com/"), 'response_hosts=["example.com"]'),
        (event(ResponseURL="http://example.com/", RequestType="X"), "response_hosts="),
        (event(ResponseURL=recorded("create")["ResponseURL"].replace("https", "http")), "https"),
        ({"Records": [{"Sns": {"Message": "hello"}}]}, "a message that is not JSON"),
    ],
)
def test_raised(sent, words):
    """
    Where nobody trustworthy can be told it is raised, so that it shows in Lambda's own metrics;
    the ledger is not touched, and a later copy that is whole is a first one.
    """
    deployed = Sent()

    with pytest.raises(InvalidRequest) as raised:
        deployed.provider(sent)

    assert words in str(raised.value)
    assert [] == deployed.told.bodies
    assert [] == deployed.ran
    assert not deployed.ledger.touched


def test_properties_that_fit_are_no_news(caplog):
    """
    The same event without a fault runs its hook: what the other tests show is due to the fault.
    """
    sent = Sent()

    answer = sent.send(event())

    assert "SUCCESS" == answer["Status"]
    assert ["create"] == sent.ran


def test_a_type_that_nobody_knows_is_deleted():
    """
    A Delete of a type that was never served is done where its id stands for nothing; somebody made
    what bears another one, and has to look for it.
    """
    sent, foreign = Sent(), Sent()
    invented = f"stack-Group-{'1A2B3C4D5E6F'}"
    of_nothing = event("Delete", ResourceType="Custom::Unheard")
    of_nothing["PhysicalResourceId"] = of_nothing["StackId"].split("/")[1] + invented[5:]

    answer = sent.send(of_nothing)
    refused = foreign.send(event("Delete", ResourceType="Custom::Unheard"))

    assert "SUCCESS" == answer["Status"]
    assert "no Create of Group is in the ledger" in answer["Reason"]
    assert "FAILED" == refused["Status"]
    assert "is not known here" in refused["Reason"]
    assert of_nothing["PhysicalResourceId"] == answer["PhysicalResourceId"]
    assert [] == sent.ran + foreign.ran


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "no ledger: set CFN_ONCE_LEDGER to dynamodb://TABLE"),
        ("memory://", "each sandbox would have its own"),
        ("sqlite:////tmp/ledger", "each sandbox would have its own"),
        ("postgres://user:word@host/db", "give dynamodb://TABLE"),
        ("dynamodb://", "names no table"),
        ("my-table", "give dynamodb://TABLE"),
    ],
)
def test_a_wrong_ledger_in_lambda(url, reason, monkeypatch):
    """
    A function that failed when it was imported would answer nobody: each event is answered FAILED
    with what to set, under an id whose Delete is SUCCESS even while the ledger is wrong.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    monkeypatch.delenv("CFN_ONCE_LEDGER", raising=False)
    first, second = Sent(ledger=url), Sent(ledger=url)

    created = first.send(event())
    deleted = second.send(event("Delete", PhysicalResourceId=created["PhysicalResourceId"]))

    assert ("FAILED", "SUCCESS") == (created["Status"], deleted["Status"])
    assert reason in created["Reason"]
    assert "word" not in created["Reason"]
    assert [] == first.ran + second.ran


def test_a_wrong_ledger_elsewhere(monkeypatch):
    """
    Off Lambda it is raised where the provider is made.
    """
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)

    with pytest.raises(ConfigurationError, match="give dynamodb://TABLE"):
        Sent(ledger="mysql://")


def test_a_batch_of_which_nothing_came_to_anything():
    """
    It is raised: a mapping without ReportBatchItemFailures would take it for done, and delete it.
    """
    record = {"messageId": "m0", "body": "not JSON", "eventSource": "aws:sqs"}

    with pytest.raises(InvalidRequest, match="not a custom resource request"):
        Sent().provider({"Records": [record]})
