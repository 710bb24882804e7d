"""Custom::SqlUser: a user of a PostgreSQL server, with a database of the same name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import psycopg
from msgspec import Meta
from psycopg import sql

from cfn_once import CustomResource, PermanentError, Provider, Step

Connection = psycopg.Connection[Any]

MARKED = """
    select true from pg_roles
    where rolname = %s and shobj_description(oid, 'pg_authid') = %s
"""
OWNED = """
    select true from pg_database join pg_roles on datdba = pg_roles.oid
    where datname = %s and rolname = %s
"""


class Unreachable(OSError):
    """There was no connection to the server, so it was asked for nothing."""


# The server says no, and has done nothing. A lost connection is none of these: it may come after
# the effect.
REFUSED = (Unreachable, psycopg.ProgrammingError)


@dataclass(frozen=True)
class SqlUserProperties:
    ServerSecret: str  # ARN: host, port, username, password and dbname of an administrator
    PasswordSecret: str  # ARN: the user's password, as plain text
    User: Annotated[str, Meta(pattern="^[a-z_][a-z0-9_]{0,62}$")]


@dataclass(frozen=True)
class SqlUserAttributes:
    User: str
    Database: str
    Host: str
    Port: int


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    dbname: str


class SqlUser(CustomResource[SqlUserProperties, SqlUserAttributes]):
    """
    A user, and a database that it owns.

    Others may have made a user or a database of this name. So the user bears a mark, which is part
    of the physical id: only what bears it is changed or removed.
    """

    replace_on = {"User"}

    def create(self) -> SqlUserAttributes:
        attributes = self.attributes()
        mark = self.step("user", self.make_user, find=self.find_user, refused=REFUSED)
        self.physical_resource_id = f"{self.properties.User}/{mark}"
        self.step("database", self.make_database, find=self.find_database, refused=REFUSED)
        return attributes

    def make_user(self, step: Step) -> str:
        user = sql.Identifier(self.properties.User)
        with self.connect() as server, server.transaction():  # it has a mark as soon as it is there
            server.execute(sql.SQL("create role {} login").format(user))
            server.execute(sql.SQL("comment on role {} is {}").format(user, step.token))
            self.set_password(server)
        return step.token

    def find_user(self, step: Step) -> str | None:
        with self.connect() as server:
            return step.token if has(server, MARKED, self.properties.User, step.token) else None

    def make_database(self, step: Step) -> str:
        """Make the database: its mark is its owner, which bears ours."""
        name = sql.Identifier(self.properties.User)
        with self.connect() as server:
            server.execute(sql.SQL("create database {} owner {}").format(name, name))
        return self.properties.User

    def find_database(self, step: Step) -> str | None:
        name = self.properties.User
        with self.connect() as server:
            return name if has(server, OWNED, name, name) else None

    def update(self) -> SqlUserAttributes:
        self.step("password", self.change_password, repeat=True)
        return self.attributes()

    def change_password(self, step: Step) -> None:
        with self.connect() as server:
            if not self.is_ours(server):
                user, host = self.properties.User, self.server.host
                raise PermanentError(f"the user {user} of {host} is gone, or not of this resource")
            self.set_password(server)

    def delete(self) -> None:
        self.step("remove", self.remove, repeat=True)

    def remove(self, step: Step) -> None:
        name = self.properties.User
        with self.connect() as server:
            if not self.is_ours(server):
                return  # gone already, or somebody else's
            if has(server, OWNED, name, name):
                drop = sql.SQL("drop database if exists {} with (force)")
                server.execute(drop.format(sql.Identifier(name)))
            server.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))

    def is_ours(self, server: Connection) -> bool:
        user, _, mark = self.physical_resource_id.partition("/")
        return user == self.properties.User and has(server, MARKED, user, mark)

    def set_password(self, server: Connection) -> None:
        """Set the password by what the server keeps of it: itself, it would stand in a log."""
        user, password = self.properties.User, self.secret(self.properties.PasswordSecret)
        self.mask(password)
        kept = server.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
        change = sql.SQL("alter role {} password {}")
        server.execute(change.format(sql.Identifier(user), kept.decode()))

    def attributes(self) -> SqlUserAttributes:
        server, user = self.server, self.properties.User
        return SqlUserAttributes(User=user, Database=user, Host=server.host, Port=server.port)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        where = f"{self.server.host}:{self.server.port}"
        try:
            server = psycopg.connect(**vars(self.server), autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise Unreachable(f"{where}: {error}") from error
        try:
            yield server
        except psycopg.OperationalError as error:  # what is an OSError is looked up again
            raise ConnectionError(f"{where}: {error}") from error
        finally:
            server.close()

    @cached_property
    def server(self) -> Server:
        told = json.loads(self.secret(self.properties.ServerSecret))
        self.mask(told["password"])
        database, port = told.get("dbname", "postgres"), int(told["port"])
        return Server(told["host"], port, told["username"], told["password"], database)

    def secret(self, arn: str) -> str:
        return str(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def has(server: Connection, query: str, *values: str) -> bool:
    return bool(server.execute(query.encode(), values).fetchall())


provider = Provider(SqlUser)
