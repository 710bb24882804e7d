"""Custom::SqlUser, as CloudFormation, Lambda and a real PostgreSQL meet it."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import boto3
import psycopg
import pytest
from moto import mock_aws

from cfn_once import Provider, Step
from cfn_once.testing import Crashed, FakeCloudFormation, Faults, assert_safe

from .postgresql import ADMINISTRATOR, PostgreSQL, binaries
from .provider import SqlUser, SqlUserAttributes, provider

PASSWORDS = ("a-password-of-web", "another-password-of-web")
OTHERS = "select 'role ' || rolname from pg_roles where oid >= 16384"
DATABASES = "select 'database ' || datname from pg_database where oid >= 16384"
THEIRS = ["database shop", "role shop"]


@dataclass
class Users:
    """The server, as `assert_safe` looks at it: roles and databases that a test has made."""

    server: PostgreSQL

    @property
    def objects(self) -> list[str]:
        return [str(row[0]) for row in self.server.run(f"{OTHERS} union all {DATABASES}")]

    def reset(self) -> None:
        for name in sorted({*self.objects} - {*THEIRS}):  # databases before their owners
            self.server.run(f"drop {name}")
        if not {*THEIRS} <= {*self.objects}:
            self.server.run("create role shop")
            self.server.run("create database shop owner shop")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    # Not in CI, which installs it: there, nothing may go untested.
    if binaries() is None and "CI" not in os.environ:
        pytest.skip("there is no PostgreSQL here: apt-get install postgresql")
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="module")
def secrets(server: PostgreSQL) -> Iterator[list[str]]:
    """ARNs: the server's, and two passwords of the user."""
    told = {
        "host": "127.0.0.1",
        "port": server.port,
        "username": ADMINISTRATOR,
        "password": server.password,
        "dbname": "postgres",
    }
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        client = boto3.client("secretsmanager")
        yield [
            client.create_secret(Name=f"secret-{number}", SecretString=text)["ARN"]
            for number, text in enumerate([json.dumps(told), *PASSWORDS])
        ]


@pytest.fixture
def properties(secrets: list[str]) -> dict[str, str]:
    return {"ServerSecret": secrets[0], "PasswordSecret": secrets[1], "User": "web"}


@pytest.fixture
def users(server: PostgreSQL) -> Users:
    users = Users(server)
    users.reset()
    return users


@pytest.fixture
def cloudformation(users: Users) -> Iterator[FakeCloudFormation]:
    """A stack that is deleted at last, and must leave what was there before, and nothing else."""
    cloudformation = FakeCloudFormation(provider)
    before = sorted(users.objects)
    yield cloudformation
    cloudformation.delete_stack()
    assert before == sorted(users.objects)


def signs_in(server: PostgreSQL, password: str, user: str = "web") -> bool:
    try:
        server.connect(user, password, user).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault(users: Users, properties: Mapping[str, str]) -> None:
    """One user and one database are made, and none is left, whatever befalls their life."""
    checked = assert_safe(provider, {**properties, "ServiceTimeout": "900"}, users)

    assert checked.complete


def test_a_create_that_comes_three_times(
    cloudformation: FakeCloudFormation, server: PostgreSQL, properties: dict[str, str]
) -> None:
    """The user is made once, and may do what it likes in its database."""
    answer = cloudformation.create("User", properties, times=3)

    told = {"User": "web", "Database": "web", "Host": "127.0.0.1", "Port": server.port}
    assert told == answer.data
    assert signs_in(server, PASSWORDS[0])
    assert 3 == len(cloudformation.answers)


@pytest.mark.parametrize(
    "crash",
    [
        Faults(crash_before="user"),
        Faults(crash_after="user"),
        Faults(crash_before="database"),
        Faults(crash_after="database"),
    ],
    ids=str,
)
def test_a_create_whose_process_died(
    cloudformation: FakeCloudFormation,
    server: PostgreSQL,
    properties: dict[str, str],
    crash: Faults,
) -> None:
    """Lambda's next delivery finds what was made by its mark, and makes what was not."""
    answer = cloudformation.create("User", properties, **crash)

    assert answer.succeeded
    assert signs_in(server, PASSWORDS[0])


def test_a_connection_that_is_lost(users: Users, properties: dict[str, str]) -> None:
    """It may be lost after the effect: what was made is looked up."""

    class CutOff(SqlUser):
        resource_type = "Custom::CutOff"

        def make_user(self, step: Step) -> str:
            super().make_user(step)
            with self.connect() as server:
                server.execute("select pg_terminate_backend(pg_backend_pid())")
            raise AssertionError("there is no connection")

    answer = FakeCloudFormation(Provider(CutOff, ledger="memory://")).create("User", properties)

    assert answer.succeeded
    assert signs_in(users.server, PASSWORDS[0])


@pytest.mark.parametrize("theirs", ["role web", "database web"])
def test_a_name_that_somebody_else_has(
    users: Users, properties: dict[str, str], theirs: str
) -> None:
    """The Create fails, and its Delete leaves theirs alone, wherever the process dies."""
    for point in range(100):
        users.reset()
        users.server.run(f"create {theirs}")
        cloudformation = FakeCloudFormation(provider)
        create = cloudformation.event("Create", "User", properties)
        try:
            cloudformation.send(create, crash_at=point)
        except Crashed:
            cloudformation.deliver(create)
            cloudformation.clock.advance(125)
            is_last = False
        else:
            is_last = True  # it has fewer actions than that
        answer = cloudformation.answer_to(create)
        assert answer is not None
        delete = cloudformation.event(
            "Delete", "User", properties, physical_resource_id=answer.physical_resource_id
        )
        deleted = cloudformation.deliver(delete)

        assert "FAILED" == answer.status
        assert "already exists" in answer.reason
        assert "in doubt" not in answer.reason
        assert deleted is not None
        assert deleted.succeeded
        assert sorted([*THEIRS, theirs]) == sorted(users.objects)
        if is_last:
            return
    pytest.fail("it never came to its end")


def test_the_first_draft(users: Users, properties: dict[str, str]) -> None:
    """Why there is a mark: what goes by the name alone drops somebody else's database."""

    class Draft(SqlUser):
        resource_type = "Custom::Draft"

        def create(self) -> SqlUserAttributes:
            self.physical_resource_id = self.properties.User
            self.step("user", self.make_user, repeat=True)
            self.step("database", self.make_database, repeat=True)
            return self.attributes()

        def remove(self, step: Step) -> None:
            with self.connect() as server:
                server.execute("drop database if exists web")
                server.execute("drop role if exists web")

    users.server.run("create database web owner shop")

    answer = FakeCloudFormation(Provider(Draft, ledger="memory://")).create("User", properties)

    assert 'database "web" already exists' in answer.reason
    assert THEIRS == sorted(users.objects)  # theirs is gone


def test_another_password(
    cloudformation: FakeCloudFormation,
    server: PostgreSQL,
    properties: dict[str, str],
    secrets: list[str],
) -> None:
    """An Update sets it, and its rollback sets the old one again."""
    changed = {**properties, "PasswordSecret": secrets[2]}
    cloudformation.create("User", properties)

    cloudformation.update_and_roll_back("User", changed)
    rolled_back = signs_in(server, PASSWORDS[0])
    answer = cloudformation.update("User", changed, times=2, crash_after="password")

    assert rolled_back
    assert answer.succeeded
    assert [False, True] == [signs_in(server, password) for password in PASSWORDS]


def test_another_name(
    cloudformation: FakeCloudFormation, users: Users, properties: dict[str, str]
) -> None:
    """Another name is another user; where that is rolled back, the first one has lost nothing."""
    cloudformation.create("User", properties)
    users.server.connect("web", PASSWORDS[0], "web").execute("create table t ()").connection.close()

    cloudformation.update_and_roll_back("User", {**properties, "User": "mail"})
    table = users.server.connect(ADMINISTRATOR, users.server.password, "web")
    with table:
        assert [("t",)] == table.execute(
            "select relname from pg_class where relname = 't'"
        ).fetchall()
    cloudformation.update("User", {**properties, "User": "mail"}, times=2)

    assert sorted([*THEIRS, "database mail", "role mail"]) == sorted(users.objects)


def test_a_user_that_somebody_else_has_made_anew(
    users: Users, cloudformation: FakeCloudFormation, properties: dict[str, str]
) -> None:
    """A user without our mark is not ours: no Update changes it, and no Delete drops it."""
    cloudformation.create("User", properties)
    users.server.run("drop database web")
    users.server.run("drop role web")
    users.server.run("create role web")

    updated = cloudformation.send(
        cloudformation.event("Update", "User", {**properties, "PasswordSecret": "other"})
    )
    deleted = cloudformation.delete("User")

    assert updated is not None
    assert "is gone, or not of this resource" in updated.reason
    assert deleted.succeeded
    assert sorted([*THEIRS, "role web"]) == sorted(users.objects)
    users.server.run("drop role web")


def test_a_server_that_cannot_be_reached(
    cloudformation: FakeCloudFormation, properties: dict[str, str]
) -> None:
    """It was asked for nothing, so nothing is in doubt."""
    told = {"host": "127.0.0.1", "port": 1, "username": "nobody", "password": "a-password"}
    secret = boto3.client("secretsmanager").create_secret(
        Name="nowhere", SecretString=json.dumps(told)
    )

    answer = cloudformation.create("User", {**properties, "ServerSecret": secret["ARN"]})

    assert "FAILED" == answer.status
    assert "127.0.0.1:1: connection failed" in answer.reason
    assert "in doubt" not in answer.reason


def test_the_passwords(
    users: Users, properties: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """They are in no answer and no log line, on this side and on the server's."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="botocore")  # at DEBUG it prints what a service answers
    users.server.run("alter system set log_statement = 'all'")
    users.server.run("select pg_reload_conf()")
    cloudformation = FakeCloudFormation(provider)
    cloudformation.create("User", properties)
    cloudformation.create("Twin", properties)  # refused
    cloudformation.delete_stack()

    told = json.dumps([answer.body.decode() for _, answer in cloudformation.answers])
    said = users.server.log()
    assert "already exists" in told
    assert "alter role" in said
    for password in (users.server.password, *PASSWORDS):
        assert [] == [text for text in (told, caplog.text, said) if password in text]
