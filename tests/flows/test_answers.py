"""What an answer may carry, and to whom it may go."""

from cfn_once import CustomResource, Provider
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


def test_a_function_with_too_little_time():
    """
    A function timeout under 30 s is refused before anything is made.
    """
    cloudformation = FakeCloudFormation(Provider(Keys, ledger="memory://"), timeout=20)

    answer = cloudformation.create("Key")

    assert "set its Timeout to 120" in answer.reason
