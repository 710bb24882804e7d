"""What an answer may carry, and to whom it may go."""

import pytest

from cfn_once import CustomResource, InvalidRequest, Provider
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


def test_an_account_that_is_not_served():
    """
    A provider that names its accounts refuses the stacks of others, and makes nothing.
    """
    provider = Provider(Keys, ledger="memory://", accounts=["999999999999"])
    cloudformation = FakeCloudFormation(provider)

    answer = cloudformation.create("Key")

    assert "this provider does not serve 123456789012" == answer.reason


def test_a_foreign_response_host():
    """
    A request whose answer would go elsewhere than to CloudFormation is not worked on.
    """
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"))
    event = cloudformation.event("Create", "Key")
    event["ResponseURL"] = "https://example.com/?X-Amz-Date=20270115T080000Z"

    with pytest.raises(InvalidRequest, match=r'response_hosts=\["example.com"\]'):
        cloudformation.send(event)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_hook_that_wants_to_end_the_process(kind):
    """
    SystemExit and KeyboardInterrupt in a hook are FAILED like any other error.
    """

    class Ends(Keys):
        def create(self):
            raise kind("enough")

    answer = FakeCloudFormation(Provider(Ends, ledger="memory://")).create("Key")

    assert ("FAILED", f"{kind.__name__}: enough") == (answer.status, answer.reason)


def test_a_function_with_too_little_time():
    """
    A function timeout under 30 s is refused before anything is made.
    """
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"), timeout=20)

    answer = cloudformation.create("Key")

    assert "set its Timeout to 120" in answer.reason
