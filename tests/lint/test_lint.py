"""The rules for custom resources, as cfn-lint runs them over templates, good and bad."""

import json
import re
from pathlib import Path

import pytest

from cfn_once._described.description import to_document, types_of
from cfn_once._described.outline import attribute_names
from lint import findings, serving

SCHEMA = to_document(types_of(serving.provider))
RULES = {path.name.split("-")[0] for path in findings.TEMPLATES if path.name.endswith("-bad.yaml")}
RESOURCES = 'Resources:\n  Group:\n    Type: Custom::Loose\n    Properties: {ServiceToken: "x"}\n'
BAD = (findings.HERE / "templates" / "E9730-bad.yaml").read_text()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test has a folder of its own, with a schema of the provider."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "served.json").write_text(json.dumps(SCHEMA))
    return tmp_path


def found(text, **options):
    return findings.places(findings.found(text, **{"providers": ["served.json"], **options}))


def messages(text, rule, **options):
    matches = findings.found(text, **{"providers": ["served.json"], **options})
    return [match.message for match in matches if match.rule.id == rule]


@pytest.mark.parametrize("path", findings.TEMPLATES, ids=lambda path: path.stem)
def test_templates(path):
    """
    Each mistake is found at its line, once; and nothing is found in what is right.
    """
    text = path.read_text()
    matches = findings.found(text, providers=["served.json"], **findings.options_for(path))
    told = [(match.linenumber, match.columnnumber, match.message) for match in matches]

    assert findings.expected(text) == findings.places(matches)
    assert len(told) == len(set(told))


def test_there_are_mistakes_for_each_rule():
    """
    Every rule has a template of mistakes, but for the one about the providers themselves.
    """
    from cfn_once import lint

    assert {getattr(lint, name).id for name in lint.__all__} == RULES | {"E9700"}


def test_by_class_as_by_file(monkeypatch):
    """
    The provider itself and the file of its schema say the same.
    """
    monkeypatch.chdir(findings.HERE)
    by_class = findings.places(findings.found(BAD))

    assert findings.expected(BAD) == by_class


def test_no_value_is_told():
    """
    What is said of a value that does not fit names its kind: it may be a secret.
    """
    text = (findings.HERE / "templates" / "E9712-good.yaml").read_text()
    text = text.replace('Target: "3"', "Target: hunter2").replace("Ratio: 1", "Token: [hunter2]")
    said = [match.message for match in findings.found(text, providers=["served.json"])]

    assert 2 == len(said)
    assert [] == [message for message in said if "hunter2" in message]


def test_what_is_expected():
    """
    A message says where, what is expected there, what was found, and by which way it came.
    """
    text = "".join(
        (findings.HERE / "templates" / f"{name}-bad.yaml").read_text() + "\0"
        for name in ("E9712", "E9734", "E9701")
    ).split("\0")

    assert "Target: expected an integer (at least 0, at most 100), found text" in messages(
        text[0], "E9712"
    )
    assert (
        "Target: expected an integer (at least 0, at most 100); it comes from parameter Count,"
        " Default" in messages(text[1], "E9734")
    )
    assert "Tags[0].Vlaue: unknown; did you mean Value?" in messages(text[2], "E9701")


@pytest.mark.parametrize("ignored", ["E9730", "E973", "E97"])
def test_a_rule_that_is_ignored(ignored):
    """
    `-i` takes a rule out, or all of them by how their ids begin.
    """
    assert set() == found(BAD, ignore_checks=[ignored])


def test_notes_are_for_those_who_ask():
    """
    I9794 is a note: cfn-lint shows none unless told to.
    """
    text = (findings.HERE / "templates" / "I9794-bad.yaml").read_text()

    assert set() == found(text)


def test_every_type_is_to_be_served():
    """
    A type that no provider serves is another provider's, unless W9792 is told that none is.
    """
    text = (findings.HERE / "templates" / "W9792-good.yaml").read_text()
    told = messages(text, "W9792", configured={"W9792": {"every_type": True}})

    assert ["no provider serves Custom::EmptyBucket"] == told


PROBLEMS = {
    "no-such.json": "no-such.json: there is no such file",
    "text.json": "text.json: it is no JSON",
    "list.json": "list.json: this is no schema of cfn-once: write it with",
    "later.json": "later.json: this schema has version 9, and this cfn-once reads 1: write it with",
    "damaged.json": "damaged.json: this schema is damaged: write it with",
    "no_such_module:provider": "providers=no_such_module:provider: there is no no_such_module.py",
    "lint_broken:provider": "provider cannot be imported: .*ZeroDivisionError",
    "lint_lacks:provider": "provider cannot be imported: .*No module named 'not_in_here'",
    "lint_empty:provider": "there is no cfn_once.Provider of that name in lint_empty",
    "lint_empty": "providers must say where the provider is: module:name",
}


@pytest.mark.parametrize("source", PROBLEMS)
def test_a_provider_that_cannot_be_read(source, folder):
    """
    One line says why nothing was compared, and nothing else is found.
    """
    (folder / "text.json").write_text("text")
    (folder / "list.json").write_text("[]")
    (folder / "later.json").write_text('{"version": 9, "types": {}}')
    (folder / "damaged.json").write_text('{"version": 1, "types": {"Custom::A": {}}}')
    (folder / "lint_broken.py").write_text("1 / 0")
    (folder / "lint_lacks.py").write_text("import not_in_here")
    (folder / "lint_empty.py").write_text("provider = None")
    matches = findings.found(RESOURCES, providers=[source])

    assert ["E9700"] == [match.rule.id for match in matches]
    assert re.search(PROBLEMS[source], matches[0].message)


def test_a_setting_is_not_told(folder, monkeypatch):
    """
    A secret setting that the error of an import quotes is masked.
    """
    monkeypatch.setenv("API_TOKEN", "hunter2-and-more")
    (folder / "lint_quotes.py").write_text('import os\nraise ValueError(os.environ["API_TOKEN"])')
    (message,) = messages(RESOURCES, "E9700", providers=["lint_quotes:provider"])

    assert "ValueError" in message
    assert "hunter2" not in message


def test_a_provider_that_prints_leaves_the_report_alone(folder, capfd):
    """
    What a module prints when it is imported goes to standard error, and it finds a ledger.
    """
    (folder / "lint_prints.py").write_text(
        "from cfn_once import CustomResource, Provider\nprint('hello')\n"
        "class Loose(CustomResource[dict, dict]):\n"
        "    def create(self): pass\n    delete = None\n"
        "provider = Provider(Loose)\n"
    )

    assert {(4, "E9731")} == found(RESOURCES, providers=["lint_prints:provider"])
    assert ("", "hello\n") == capfd.readouterr()
    assert not list(folder.glob("*.sqlite3"))


def test_two_providers_of_one_type(folder):
    """
    Where two serve one type, nobody knows which one a template means.
    """
    (folder / "other.json").write_text(json.dumps(SCHEMA))
    told = messages(RESOURCES, "E9700", providers=["*.json"])

    assert "Custom::Loose is served by other.json and by served.json: name one of them" in told


def test_a_file_that_is_written_again(folder):
    """
    A language server lives for days: a file that has changed is read again.
    """
    assert set() != found(BAD)

    schema = {"version": 1, "types": {"Custom::Group": SCHEMA["types"]["Custom::Loose"]}}
    (folder / "served.json").write_text(json.dumps(schema))

    assert set() == found(BAD)


def test_the_settings_name_the_provider(folder):
    """
    Where .cfnlintrc names no provider, pyproject.toml does; where neither does, that is told.
    """
    (nothing,) = messages(RESOURCES, "E9700", providers=[])
    (folder / "pyproject.toml").write_text('[tool.cfn-once]\nprovider = "gone:provider"\n')
    (gone,) = messages(RESOURCES, "E9700", providers=[])
    (folder / "pyproject.toml").write_text('[tool.cfn-once]\nprovidre = "gone:provider"\n')
    (misspelled,) = messages(RESOURCES, "E9700", providers=[])

    assert "no provider is named" in nothing
    assert "there is no gone.py here" in gone
    assert "providre: unknown; did you mean provider?" in misspelled


def test_names_of_attributes():
    """
    A record inside is answered flat; what lies in a map that declares no names may be anything.
    """
    names, beginnings = attribute_names(SCHEMA["types"]["Custom::Group"]["attributes"])

    assert {"GroupId", "Capacity", "Endpoint.Host", "Endpoint.Port"} == names
    assert ("Labels.",) == beginnings
    assert (frozenset(), ("",)) == attribute_names({"type": "object"})


def test_all_templates_are_here():
    """
    The folder of templates was found.
    """
    assert len(findings.TEMPLATES) > 20
    assert Path(findings.HERE, "templates", "sam.yaml") in findings.TEMPLATES
