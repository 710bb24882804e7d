"""What is printed is true: every example of README and docs runs, every name in them is there."""

import ast
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.decode import decode
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

import cfn_once
from cfn_once import entry, testing
from cfn_once._described.description import to_document, types_of
from cfn_once.cli.starters import files_of
from lint import findings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")]
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in sorted(PAGES)}
LINTED = [*ROOT.glob("templates/*.yaml"), *ROOT.glob("examples/*/template.yaml")]
SNIPPETS = sorted(DOCS.glob("templates/*.yaml"))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_A_FILE = re.compile(r"^<!-- (\S+\.yaml) -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
OUR_PATH = re.compile(
    r"(?<![\w/.$}-])(?:benchmarks|demo|docs|examples|src|templates|tests)/[\w./*-]*[\w*]"
)
MAKE = re.compile(r"\bmake ((?:[a-z-]+ ?)+)")


def code(text):
    """All that a page prints as code: its blocks, and its spans outside of them."""
    return [block for _, block in FENCE.findall(text)] + SPAN.findall(FENCE.sub("", text))


class Blocks:
    """Runs a page's blocks in order: a block whose first line names a file becomes that file.

    A test file is run by pytest, in a process of its own, as its reader runs it.
    """

    def __init__(self) -> None:
        self.run = PythonEvaluator()

    def __call__(self, example):
        named = re.match(r"# (\w+)\.py\n", example.parsed)
        if named is None:
            self.run(example)
            return
        name = named[1]
        Path(f"{name}.py").write_text(example.parsed)
        if name.startswith("test_"):
            run_pytest(f"{name}.py")
            return
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        example.namespace.update(vars(importlib.import_module(name)))


def run_pytest(path):
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    """A module's, in a folder of its own, with an API that pages call their external API."""
    page = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", page)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    before, environment = set(sys.modules), dict(os.environ)
    with testing.FakeApi(tokens=False) as api:
        page.api = api
        yield vars(page)
    os.environ.clear()
    os.environ.update(environment)
    entry._imported.cache_clear()
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if "```python" in text])
def test_examples(page, namespace):
    """
    Every Python block of a page runs, in the page's order.
    """
    parsers = [CodeBlockParser("python", Blocks()), SkipParser()]
    document = Sybil(parsers=parsers).parse(ROOT / page)
    document.namespace = namespace

    examples = list(document.examples())
    for example in examples:
        example.evaluate()

    assert TEXTS[page].count("```python") <= len(examples)
    assert [] == unlike(namespace.get("provider"), page)


def unlike(provider, page):
    """Return what of a page's YAML does not fit the classes that the page has written."""
    if not isinstance(provider, cfn_once.Provider):
        return []
    Path("served.json").write_text(json.dumps(to_document(types_of(provider))))
    found = [
        finding
        for _, block in OF_A_FILE.findall(TEXTS[page])
        if "Resources:" in block
        for finding in findings.found(block, providers=["served.json"])
    ]
    ours = [finding for finding in found if finding.rule.id[1:3] == "97"]
    return [f"{finding.rule.id} {finding.message}" for finding in ours]


@pytest.mark.parametrize("page", TEXTS)
def test_blocks_are_of_a_kind_that_is_tested(page):
    """
    A block says what it is; what is data can be read.
    """
    kinds = FENCE.findall(TEXTS[page])

    assert set() == {kind for kind, _ in kinds} - {
        "python",
        "yaml",
        "sh",
        "text",
        "json",
        "toml",
        "mermaid",
    }
    assert [] == [text for kind, text in kinds if kind == "json" and json.loads(text) is None]
    assert [] == [text for kind, text in kinds if kind == "toml" and not tomllib.loads(text)]
    assert [] == [text for kind, text in kinds if kind == "sh" and not is_shell(text)]


def is_shell(text):
    return 0 == subprocess.run(["bash", "-n"], input=text.encode(), check=False).returncode


@pytest.mark.parametrize("page", TEXTS)
def test_commands_and_files(page):
    """
    Every make target that a page names is one of the Makefile's, every file of ours is there.
    """
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    printed = code(TEXTS[page])
    asked = {name for block in printed for names in MAKE.findall(block) for name in names.split()}
    paths = {path for block in printed for path in OUR_PATH.findall(block)}

    assert set() == asked - targets
    assert set() == {path for path in paths if not list(ROOT.glob(path))}


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if "```yaml" in text])
def test_templates_in_pages_are_files(page):
    """
    A page's YAML is that of the file named above it, line by line, and that file is linted.
    """
    blocks = OF_A_FILE.findall(TEXTS[page])

    assert TEXTS[page].count("```yaml") == len(blocks)
    assert [] == [
        path
        for path, block in blocks
        if ROOT / path not in {*LINTED, *SNIPPETS}
        or f"\n{block}" not in f"\n{(ROOT / path).read_text()}"
    ]


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.name)
def test_templates_are_right(path):
    """
    cfn-lint finds nothing in a template.
    """
    assert [] == [str(finding) for finding in lint(path.read_text(), config=ManualArgs())]


def test_the_tutorials_provider():
    """
    The provider that the tutorial prints is the one that its first command writes.
    """
    written = files_of("boto3", name="certificate", type_name="Certificate")["provider.py"]

    assert f"```python\n# provider.py\n{written}```\n" in TEXTS["docs/tutorial.md"]


@pytest.mark.parametrize("name", ["artifacts", "ledger", "provider", "resource"])
def test_parameters_and_outputs(name):
    """
    The page of the templates tells of every parameter and output, and of none besides.
    """
    section = TEXTS["docs/templates.md"].partition(f"\n## `templates/{name}.yaml`")[2]
    section = section.partition("\n## ")[0]
    rows = set(re.findall(r"^\| `([A-Z]\w+)` \|", section, re.MULTILINE))
    template, problems = decode(str(ROOT / "templates" / f"{name}.yaml"))

    assert not problems
    assert {*template.get("Parameters", {}), *template.get("Outputs", {})} == rows


def told(*pages):
    """What pages of docs, all unless named, print as code."""
    chosen = pages or [page for page in TEXTS if page.startswith("docs/")]
    return "\n".join(block for page in chosen for block in code(TEXTS[page]))


def lacking(names, text):
    return [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)]


def test_every_public_name_is_told_of():
    """
    What can be imported is explained: errors on their own page, the test kit on its own.
    """
    errors = {name for name in cfn_once.__all__ if is_error(getattr(cfn_once, name))}

    assert [] == lacking(errors, told("docs/errors.md"))
    assert [] == lacking(testing.__all__, told("docs/testing.md"))
    assert [] == lacking(cfn_once.__all__, told())


def is_error(value):
    return inspect.isclass(value) and issubclass(value, BaseException)


def test_what_a_hook_sees_is_told_of():
    """
    So is every name of a resource's class, and every argument of a step and of a provider.
    """
    of_class = {name for name in vars(cfn_once.CustomResource) if not name.startswith("_")}
    calls = (
        cfn_once.CustomResource.step,
        cfn_once.Provider,
        testing.FakeCloudFormation,
        testing.FakeCloudFormation.create,
        testing.FakeCloudFormation.send,
    )
    of_calls = {
        name
        for call in calls
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    }

    assert [] == lacking((of_class | of_calls) - {"self"}, told())


def test_every_module_has_its_line():
    """
    The page of the architecture names every module of the package that has code in it.
    """
    package = ROOT / "src" / "cfn_once"
    modules = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if len(ast.parse(file.read_text()).body) > 1
    }
    rows = set(re.findall(r"^\| `([\w/]+\.py)`", TEXTS["docs/architecture.md"], re.MULTILINE))

    assert modules == rows
