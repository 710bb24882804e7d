"""Custom::GeneratedSecret, as CloudFormation, Lambda and Parameter Store meet it."""

import json
import logging
import sqlite3

import boto3
import pytest

from cfn_once.ledger import open_store
from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe

from .provider import provider
from .stand_in import ParameterStore

DATABASE = {"Path": "/shop/database", "ServiceTimeout": "600"}
THEIRS = ["/shop/database"]


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")  # which the stand-in sets
    store = ParameterStore()
    yield store
    store.close()


@pytest.fixture
def cloudformation(store):
    """A stack that is deleted at last, and must leave what others have."""
    cloudformation = FakeCloudFormation(provider)
    yield cloudformation
    cloudformation.delete_stack()
    assert THEIRS == list(store.objects)


def value_of(answer):
    ssm = boto3.client("ssm")
    found = ssm.get_parameter(Name=answer.physical_resource_id, WithDecryption=True)
    return found["Parameter"]["Value"]


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
@pytest.mark.parametrize(
    "changed", [{"ReturnValue": True}, {"Rotation": "2"}], ids=["in-place", "replaced"]
)
def test_every_single_fault(store, changed):
    """One secret is made for each that is asked for, and none is left, whatever befalls them."""
    checked = assert_safe(provider, DATABASE, store, changed={**DATABASE, **changed})

    assert checked.complete


def test_a_create_that_comes_three_times(cloudformation, store):
    """There is one secret, under a name that nobody else has; the answer says where, not what."""
    answer = cloudformation.create("Secret", {**DATABASE, "Length": 20}, times=3)

    assert {"Name": answer.physical_resource_id} == answer.data
    assert answer.physical_resource_id.startswith("/shop/database/")
    assert 20 == len(value_of(answer))
    assert 2 == len(store.objects)
    assert not answer.no_echo


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_create_whose_process_died(cloudformation, store, fault):
    """The value of the dead process is found by its name, or there was none."""
    answer = cloudformation.create("Secret", DATABASE, **{fault: "parameter"})

    assert answer.succeeded
    assert [*THEIRS, answer.physical_resource_id] == list(store.objects)


def test_a_create_that_died_and_is_cancelled(store):
    """A Delete finds the secret of a Create that never told of it."""
    cloudformation = FakeCloudFormation(provider)
    create = cloudformation.event("Create", "Secret", DATABASE)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="parameter")
    invented = "stack-Secret-1A2B3C4D5E6F"

    delete = cloudformation.event("Delete", "Secret", DATABASE, physical_resource_id=invented)

    assert cloudformation.deliver(delete).succeeded
    assert THEIRS == list(store.objects)


def test_a_rotation(cloudformation, store):
    """It is another secret under another name, so that nothing is overwritten."""
    old = cloudformation.create("Secret", DATABASE)
    before = value_of(old)

    new = cloudformation.update("Secret", {**DATABASE, "Rotation": "2027"}, times=2)

    assert old.physical_resource_id != new.physical_resource_id
    assert before != value_of(new)
    assert [*THEIRS, new.physical_resource_id] == list(store.objects)


def test_a_rotation_that_is_rolled_back(cloudformation):
    """The old secret holds again, with the value that everybody has."""
    old = cloudformation.create("Secret", DATABASE)
    before = value_of(old)

    back = cloudformation.update_and_roll_back("Secret", {**DATABASE, "Rotation": "2027"})

    assert old.physical_resource_id == back.physical_resource_id
    assert before == value_of(back)


def test_a_value_that_the_template_asks_for(cloudformation):
    """CloudFormation is told it as NoEcho: each duplicate the same, and after an Update, too."""
    answer = cloudformation.create("Secret", {**DATABASE, "ReturnValue": True}, times=2)
    silent = cloudformation.update("Secret", DATABASE)

    assert value_of(answer) == answer.data["Value"]
    assert answer.no_echo
    assert ["Name"] == list(silent.data)
    assert not silent.no_echo


def test_what_is_kept(store, tmp_path, caplog):
    """The ledger has the secret's name. Its value is in no log line, no answer and nowhere in the
    ledger, not even when things go wrong."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="botocore")  # at DEBUG it prints what it sends
    file = tmp_path / "ledger.sqlite3"
    ledger = open_store(f"sqlite:///{file}", in_lambda=False, allow_local=True)
    cloudformation = FakeCloudFormation(provider, ledger=ledger)

    answer = cloudformation.create("Secret", DATABASE, crash_after="parameter")
    refused = cloudformation.create("Other", {"Path": "/aws/database"})  # AWS's own paths
    secret = value_of(answer)
    with sqlite3.connect(file) as connection:
        kept = str(connection.execute("select * from ledger").fetchall())
    cloudformation.delete_stack()

    logged = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records)])
    told = json.dumps([answer.body.decode() for _, answer in cloudformation.answers])
    assert "AccessDeniedException" in refused.reason
    assert answer.physical_resource_id in kept
    assert [] == [place for place in (kept, logged, told) if secret in place]


def test_a_value_for_a_ledger_that_keeps_no_secrets(store, tmp_path):
    """A value in an answer would lie in the ledger: nothing is made, and the answer says what to
    change."""
    ledger = open_store(f"sqlite:///{tmp_path}/l.sqlite3", in_lambda=False, allow_local=True)
    cloudformation = FakeCloudFormation(provider, ledger=ledger)

    answer = cloudformation.create("Secret", {**DATABASE, "ReturnValue": True})

    assert "say keeps_secrets=true in its URL" in answer.reason
    assert THEIRS == list(store.objects)


def test_a_path_that_is_none(cloudformation):
    """It is refused before anything is called."""
    answer = cloudformation.create("Secret", {"Path": "shop"})

    assert "Path: expected text (matching" in answer.reason
