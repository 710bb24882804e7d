"""The JSON Schema of properties and attributes: what editors and linters know of a template."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypedDict

import msgspec
import pydantic
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta

from cfn_once import CustomResource, Secret


@dataclass
class User:
    Name: str
    Token: Annotated[str, Secret]


@dataclass
class Admin(User):
    """Met as what may be absent."""


@dataclass
class Reader(User):
    """Met in a list in a map."""


@dataclass
class Writer(User):
    """Met in a list that may also be text."""


@dataclass
class Database:
    """Each class with a secret is met in another way, so that each way is walked."""

    Size: Annotated[int, Meta(ge=1, description="Gigabytes.")]
    Engine: Literal["postgres", "mysql"]
    Password: Annotated[str, Secret]
    Key: Annotated[str, Secret] | None = None
    Head: Admin | None = None
    Users: list[User] = field(default_factory=list)
    Named: dict[str, list[Reader]] = field(default_factory=dict)
    Codes: list[Annotated[str, Secret]] = field(default_factory=list)
    Owner: str | list[Writer] = ""


class Struct(msgspec.Struct):
    Password: Annotated[str, Secret]
    Users: list[User] = []


class Model(pydantic.BaseModel):
    Password: Annotated[str, Secret]
    Pin: pydantic.SecretStr = pydantic.SecretStr("")


class Keyed(TypedDict):
    Password: Annotated[str, Secret]


@dataclass
class Attributes:
    Endpoint: str
    Port: int


class Db(CustomResource[Database, Attributes]):
    """A database."""


class Lenient(CustomResource[Database, Attributes]):
    allow_unknown = True


class Untyped(CustomResource[dict, None]):
    pass


GOOD = {"Size": 5, "Engine": "mysql", "Password": "x", "Users": [{"Name": "a", "Token": "b"}]}


def errors(schema, instance):
    Draft202012Validator.check_schema(schema)
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(instance)]


def test_it_accepts_what_fits():
    """
    It is a JSON Schema that a validator takes, and it takes what the class takes.
    """
    assert [] == errors(Db.property_schema(), GOOD)
    assert [] == errors(Db.attribute_schema(), {"Endpoint": "x", "Port": 1})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"Size": 0}, "$.Size"),
        ({"Engine": "oracle"}, "$.Engine"),
        ({"Unknown": 1}, "$"),
        ({"Users": [{"Name": "a"}]}, "$.Users[0]"),
        ({"Users": [{"Name": "a", "Token": "b", "Unknown": 1}]}, "$.Users[0]"),
    ],
)
def test_it_refuses_what_does_not(change, path):
    """
    Constraints, choices, missing and unknown names are in it, at any depth.
    """
    assert [path] == errors(Db.property_schema(), GOOD | change)


def test_unknown_names_are_open_where_the_class_says_so():
    """
    With allow_unknown a schema refuses no name.
    """
    assert [] == errors(Lenient.property_schema(), GOOD | {"Unknown": 1})
    assert [] == errors(Untyped.property_schema(), {"Unknown": 1})


def write_only(schema):
    """Return the names of properties that are write-only, and of those whose members are."""
    named = {"": schema, **schema.get("$defs", {})}
    return {
        f"{owner}.{name}{'[]' if 'writeOnly' in pair.get('items', {}) else ''}"
        for owner, inner in named.items()
        for name, pair in inner.get("properties", {}).items()
        if "writeOnly" in pair or "writeOnly" in pair.get("items", {})
    }


def test_secrets_are_write_only():
    """
    Whoever shows a template's values knows by the schema which to hide, at any depth.
    """
    assert {
        "Database.Password",
        "Database.Key",
        "Database.Codes[]",
        "User.Token",
        "Admin.Token",
        "Reader.Token",
        "Writer.Token",
    } == write_only(Db.property_schema())


@pytest.mark.parametrize(
    ("declared", "secret"),
    [
        (Struct, {"Struct.Password", "User.Token"}),
        (Model, {".Password", ".Pin"}),
        (Keyed, {"Keyed.Password"}),
    ],
)
def test_every_kind_of_record_has_a_schema(declared, secret):
    """
    A msgspec.Struct, a pydantic model and a TypedDict as well as a dataclass.
    """

    class Resource(CustomResource[declared, dict]):
        pass

    schema = Resource.property_schema()

    assert secret == write_only(schema)
    assert [] == errors(schema, {"Password": "x"})
    assert ["$"] == errors(schema, {"Password": "x", "Unknown": 1})
    assert ["$"] == errors(schema, {})


def test_descriptions_are_in_it():
    """
    What a declaration says of itself reaches whoever writes a template.
    """
    schema = Db.property_schema()

    assert "Gigabytes." == schema["$defs"]["Database"]["properties"]["Size"]["description"]
