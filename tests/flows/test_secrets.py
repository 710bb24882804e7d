"""What a hook has read and hides, and what it answers in secret."""

import traceback
from dataclasses import dataclass
from types import new_class
from typing import Annotated

import pytest

from cfn_once import (
    CustomResource,
    LedgerUnavailable,
    PermanentError,
    Provider,
    Secret,
    TemporaryError,
)
from cfn_once.ledger import MemoryStore
from cfn_once.testing import FakeCloudFormation

READ = "hunter22-from-a-store"


def stack(create, ledger=None, delete=lambda self: None, **names):
    hooks = {"create": create, "delete": delete, **names}
    thing = new_class(
        "Thing", (CustomResource[dict, dict],), exec_body=lambda body: body.update(hooks)
    )
    return FakeCloudFormation(Provider(thing, ledger="memory://"), ledger=ledger)


def test_what_a_hook_has_read(caplog):
    """
    From now on it is hidden in the Reason, in log lines, and in the ledger, also of a step's error.
    """
    ledger = MemoryStore()

    def refuse(step):
        raise PermanentError(f"denied for root:{READ}@db")

    def create(self):
        self.mask(READ)
        self.log.warning("as %s", {"password": READ})
        self.step("grant", refuse)

    answer = stack(create, ledger).create("Thing")

    assert "denied for root:*****@db" == answer.reason
    assert "as {'password': '*****'}" in caplog.text
    assert READ not in caplog.text
    assert READ not in str(vars(ledger))


def test_the_next_delivery():
    """
    A hook that runs again comes by it again; what is raised to Lambda meanwhile is masked as well.
    """
    raised = []

    def create(self):
        self.mask(READ)
        if not raised:
            raise TemporaryError(f"busy with {READ}")
        raise ValueError(f"denied {READ}")

    cloudformation = stack(create)
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(TemporaryError) as told:
        cloudformation.send(event)
    raised.append(told)
    answer = cloudformation.deliver(event)

    assert "busy with *****" == str(told.value)
    assert "denied ***** (test_secrets.py:64)" == answer.reason


def test_a_result_that_holds_it():
    """
    It is not kept: a run after a crash, which needs it, fails and says why.
    """
    ledger, seen = MemoryStore(), []

    def create(self):
        self.mask(READ)
        seen.append(self.step("read", lambda step: f"password={READ}"))
        self.step("next", lambda step: "made", repeat=True)

    cloudformation = stack(create, ledger)
    answer = cloudformation.create("Thing", crash_before="next")

    assert [f"password={READ}"] == seen
    assert answer.reason.startswith("step read#0")
    assert READ not in str(vars(ledger))


def test_what_is_no_text():
    """
    Only text is hidden: bytes would look hidden and be printed in another spelling.
    """
    answer = stack(lambda self: self.mask(b"secret")).create("Thing")

    assert "self.mask(...) hides text, not bytes" == answer.reason


@dataclass(frozen=True)
class Guarded:
    Password: Annotated[str, Secret] = ""


def test_a_secret_with_a_question_mark():
    """
    What follows a question mark is cut from a doubt: a secret before it and after it is masked
    first.
    """

    class Thing(CustomResource[Guarded, None]):
        def create(self):
            self.step("mail", self.send, once=True)

        def send(self, step):
            raise ConnectionError(f"refused {self.properties.Password} at http://h/?key=k")

        def delete(self):
            pass

    cloudformation = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    answer = cloudformation.create("Thing", {"Password": "half one?two half"})

    assert "refused ***** at http://h/?..." in answer.reason


def test_the_chain_of_what_lambda_is_told():
    """
    Lambda prints what an error came of, too: an error that lets it come again has no such chain.
    """

    class Unreachable(MemoryStore):
        def spill(self, key, name, data, expires):
            raise LedgerUnavailable("out of reach")

    def create(self):
        self.mask(READ)
        try:
            raise ValueError(READ)
        except ValueError:
            self.step("long", lambda step: "x" * 5000)

    cloudformation = stack(create, Unreachable())
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(LedgerUnavailable) as told:
        cloudformation.send(event)

    assert READ not in "".join(traceback.format_exception(told.value))


class Unkept(MemoryStore):
    """A ledger that is not declared to keep secrets."""

    keeps_secrets = False


def secret_from_the_start(self):
    self.no_echo = True
    made = self.step("make", lambda step: MADE.append(step.token) or "made")
    return {"Password": made}


MADE = []


@pytest.mark.parametrize("ledger", [MemoryStore(), Unkept()], ids=["keeps secrets", "keeps none"])
def test_one_secret_answer(ledger):
    """
    A hook may say of its own answer that it is secret; where the ledger keeps no secrets, that is
    refused before anything is made.
    """
    MADE.clear()
    cloudformation = stack(secret_from_the_start, ledger)
    event = cloudformation.event("Create", "Thing")
    answer, again = cloudformation.deliver(event), cloudformation.deliver(event)

    assert ledger.keeps_secrets == answer.succeeded == bool(answer.no_echo) == bool(MADE)
    assert answer.body == again.body
    if not ledger.keeps_secrets:
        assert answer.reason.startswith("Thing returns secrets and its ledger is not")
        assert "keeps_secrets=true" in answer.reason


def test_one_secret_answer_stays_so():
    """
    An Update that changes nothing, or is rolled back, is told the kept answer: still a secret.
    """
    cloudformation = stack(secret_from_the_start)
    cloudformation.create("Thing")

    assert cloudformation.update("Thing").no_echo


def test_an_answer_less_secret_than_its_class():
    """
    What the class says of all its answers holds for each: a copy of the request is told so.
    """

    def create(self):
        self.no_echo = False

    answer = stack(create, no_echo=True).create("Thing")

    assert answer.reason.startswith("Thing says no_echo = True for all its responses")


def test_a_delete_has_no_answer_to_hide():
    """
    A Delete answers no attributes: a line that all hooks share is no reason to fail it.
    """

    def delete(self):
        self.no_echo = True

    cloudformation = stack(lambda self: None, Unkept(), delete=delete)
    cloudformation.create("Thing")

    assert cloudformation.delete("Thing").succeeded
