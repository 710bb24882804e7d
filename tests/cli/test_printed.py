"""What `schema --editor`, `snippet` and `docs` print, by every kind of declaration."""

import json
from types import SimpleNamespace

import jsonschema
import pytest

from cfn_once._described.description import to_document, types_of
from cfn_once.cli.docs import reference
from cfn_once.cli.schema import for_editors
from cfn_once.cli.snippet import plain, snippet
from lint import findings, serving

TYPES = types_of(serving.provider)
GOOD = {
    "ServiceToken": {"Fn::ImportValue": "x"},
    "Name": "abc",
    "Product": "Windows",
    "Target": "3",
}
REF = {"Ref": "A"}


def is_valid(properties, resource_type="Custom::Group"):
    template = {"Resources": {"A": {"Type": resource_type, "Properties": properties}}}
    validator = jsonschema.Draft202012Validator(for_editors(TYPES))
    return validator.is_valid(json.loads(json.dumps(template)))


def test_the_schema_for_editors_is_one():
    """
    It is a JSON Schema.
    """
    jsonschema.Draft202012Validator.check_schema(for_editors(TYPES))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Target": 3},
        {"Target": REF, "Name": {"Fn::Sub": "${A}"}, "Product": REF},
        {"Tags": [{"Key": "a"}, {"Fn::If": ["X", {"Key": "b"}, REF]}]},
        {"Tags": {"Fn::If": ["X", [], REF]}},
        {"Spot": "true", "Note": 12, "Labels": {"a": 1, "b": REF}, "Ratio": "1.5", "Either": [1]},
    ],
)
def test_an_editor_takes(more):
    """
    Text for each scalar, and a function everywhere, as CloudFormation takes them.
    """
    assert is_valid({**GOOD, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"Targte": 3},
        {"Product": "Mac"},
        {"Target": 101},
        {"Tags": [{"Ky": "a"}]},
        {"Labels": "a"},
        {"Name": {"Ref": "A", "Fn::Sub": "a"}},
    ],
)
def test_an_editor_underlines(wrong):
    """
    What does not fit is found, at any depth.
    """
    assert not is_valid({**GOOD, **wrong})


def test_an_editor_leaves_other_types_alone():
    """
    Types of AWS and of other providers are none of this schema's business.
    """
    assert is_valid({"Anything": 1}, "AWS::S3::Bucket")
    assert is_valid({"Anything": 1}, "Custom::Unrelated")
    assert not is_valid({"Name": "a"}, "Custom::Group")


def test_a_snippet_is_linted():
    """
    A snippet is a template; cfn-lint finds only what nobody can guess: a pattern.
    """
    lines = [line for name in TYPES for line in snippet(name, TYPES[name], "x-ServiceToken")]
    text = "\n".join(["Resources:", *lines, ""])
    schema = SimpleNamespace(path="served.json")
    with open(schema.path, "w", encoding="utf-8") as file:
        json.dump(to_document(TYPES), file)
    matches = findings.found(text, providers=[schema.path])

    assert ["Name: expected text (matching ^[a-z][a-z0-9-]{2,30}$)"] == [
        match.message for match in matches
    ]
    assert "      # Tags: [] # a list, each a map (length at most 2)" not in lines
    assert "      # Kind: small # one of large, small; a change replaces" in lines
    assert '      # Token: "" # text; secret' in lines


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_snippet_hides_a_secret():
    """
    A secret that is required is given by a dynamic reference.
    """
    resource = plain("Custom::Named", TYPES["Custom::Named"], "x")

    assert resource["Properties"]["Password"].startswith("{{resolve:secretsmanager:")


def test_the_reference():
    """
    Each property has a row with what it takes, its default and what a change does.
    """
    page = list(reference("Custom::Group", TYPES["Custom::Group"]))

    assert "# Custom::Group" == page[0]
    assert "A group of instances." in page
    assert "| `Target` | an integer (at least 0, at most 100) | required | in place |" in page
    assert '| `Kind` | one of large, small | `"small"` | replaces |' in page
    assert '| `Token` | text, secret | `""` | in place |' in page
    assert "| `Labels` | a map | optional | in place |" in page
    assert "| `Endpoint.Port` |  |" in page
    assert "What begins with `Labels.` may be there." in page
    assert "The class declares none: any are taken." in list(
        reference("Custom::Loose", TYPES["Custom::Loose"])
    )
