"""What Json makes of CloudFormation's text."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn_once import Json, Secret
from cfn_once._properties import Shape
from cfn_once._properties.forms import by_form


@dataclass(frozen=True)
class Plugin:
    Name: str
    Config: dict[str, Json]
    Rules: Json = None
    Keys: Annotated[Json, Secret] = None


class Model(pydantic.BaseModel):
    Config: Json


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("true", True),
        ("false", False),
        ("8", 8),
        ("-12", -12),
        ("0", 0),
        ("0.5", 0.5),
        ("1.10", 1.1),
        ("8.7E7", 87_000_000),
        ("1e-3", 0.001),
        ("007", "007"),
        ("+1", "+1"),
        ("1.", "1."),
        (".5", ".5"),
        ("True", "True"),
        ("null", "null"),
        ("", ""),
        (" 8", " 8"),
        ("1e999", "1e999"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        ("9" * 101, "9" * 101),
        ("٣", "٣"),
        ("NaN", "NaN"),
        (8, 8),
    ],
)
def test_a_scalar_by_its_form(sent, expected):
    """
    What JSON writes as a number or a boolean is one; what only looks like one stays text.
    """
    found = by_form(sent)

    assert expected == found
    assert type(expected) is type(found)


PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text("abc ", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
)


def as_sent(value):
    """Spell each scalar as CloudFormation does."""
    if isinstance(value, dict):
        return {name: as_sent(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_sent(member) for member in value]
    return value if isinstance(value, str) else json.dumps(value)


@given(PLAIN)
def test_what_a_template_says_comes_back(value):
    """
    A template's JSON, sent as text, is the same JSON again, at any depth.
    """
    assert value == by_form(as_sent(value))


def test_json_among_declared_names():
    """
    Text stays where `str` is declared; in Json, at any depth, forms decide.
    """
    sent = {"Name": "8", "Config": {"a": "8", "b": ["true", {"c": "x"}]}, "Rules": "0.5"}

    read = Shape(Plugin).convert(sent, "it")

    assert Plugin("8", {"a": 8, "b": [True, {"c": "x"}]}, 0.5) == read


@pytest.mark.parametrize("declared", [Json, dict[str, Json]])
def test_a_map_without_names(declared):
    """
    Properties that declare no names are converted where they are Json.
    """
    assert {"Size": 8} == Shape(declared).convert({"Size": "8"}, "it")
    assert {"Size": 8} == Shape(declared).convert_softly({"Size": "8"})
    assert {"Size": "8"} == Shape(dict).convert({"Size": "8"}, "it")


def test_json_in_a_model_of_pydantic():
    """
    pydantic reads its own models, and asks the mark.
    """
    assert {"a": 8} == Shape(Model).convert({"Config": {"a": "8"}}, "it").Config


def test_a_secret_in_json():
    """
    A secret is known as it was sent and as it is read: 8.7E7 is printed as 87000000.
    """
    found = Shape(Plugin).secrets({"Name": "x", "Config": {}, "Keys": {"a": ["8.7E7", "hunter22"]}})

    assert {"8.7E7", "87000000", "hunter22"} <= found


def test_equal_by_form():
    """
    An Update compares what is read: another spelling of the same number is no change.
    """
    new, old = ({"Name": "x", "Config": {"a": size}} for size in ("87000000", "8.7E7"))

    assert frozenset() == Shape(Plugin).changed(new, old)


def test_the_schema_of_json():
    """
    In a schema Json is anything.
    """
    schema: Any = Shape(Plugin).json_schema()["$defs"]["Plugin"]["properties"]

    assert {} == schema["Config"].get("additionalProperties", {})
    assert schema["Keys"]["writeOnly"]
