"""What a page names is there: pages, errors, public names, arguments, environment variables."""

import ast
import importlib
import inspect
import os
import re
from pathlib import Path

import pytest

import cfn_once
from cfn_once import _errors, testing

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TEXTS = {
    str(page.relative_to(ROOT)): page.read_text()
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")]
}
SOURCES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "templates").glob("*.yaml")]
FUNCTIONS = {
    node.name
    for source in SOURCES
    if source.suffix == ".py"
    for node in ast.walk(ast.parse(source.read_text()))
    if isinstance(node, ast.FunctionDef | ast.ClassDef)
}
FENCE = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")  # an image is one, too
ANCHOR = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text):
    """The names that GitHub gives to headings."""
    titles = ANCHOR.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page):
    """Each link of a page to a place of the project: its file, and the anchor in it."""
    for link in LINK.findall(FENCE.sub("", TEXTS[page])):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield ((ROOT / page).parent / path).resolve() if path else ROOT / page, anchor


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_leads_somewhere(page):
    """
    Each link and each picture of a page is a file of ours, with that heading.
    """
    broken = [
        f"{os.path.relpath(target, ROOT)}#{anchor}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target.read_text()))
    ]

    assert [] == broken, f"correct these links of {page}: no such file, or no such heading in it"


def test_the_index_names_every_page():
    """
    The index of the documentation links every page of docs, and the page of every example.
    """
    pages = {*DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")}
    named = {target for target, _ in links("docs/README.md")}

    assert set() == pages - named - {DOCS / "README.md"}


@pytest.mark.parametrize("page", TEXTS)
def test_every_call_that_a_page_names_is_there(page):
    """
    `name()` or `self.name()` in a page is a function of ours, or the page's own code has it.
    """
    text = FENCE.sub("", TEXTS[page])
    asked = {call.rpartition(".")[2] for call in re.findall(r"`((?:self\.)?\w+)\(\)`", text)}
    shown = "".join(block[0] for block in FENCE.finditer(TEXTS[page]))

    assert set() == {name for name in asked - FUNCTIONS if name not in shown}


def test_every_error_has_an_anchor():
    """
    Each error that a user can see has its own heading on the page of errors.
    """
    errors = {
        name
        for name in _errors.__dict__
        if inspect.isclass(error := getattr(_errors, name))
        and issubclass(error, BaseException)
        and name not in {"CfnOnceError", "HookError", "Interrupt"}  # each is a section
    }

    assert set() == {name.lower() for name in errors} - anchors(TEXTS["docs/errors.md"])


def test_the_index_of_errors_leads_to_each_entry():
    """
    Somebody who comes with a message finds a row at the top that leads to each entry of the page.
    """
    index, _, entries = TEXTS["docs/errors.md"].partition("\n## What a hook may raise")
    linked = set(re.findall(r"\]\(#([\w-]+)\)", index))

    assert 20 < len(linked)
    assert set() == anchors("\n".join(re.findall(r"^### .+$", entries, re.MULTILINE))) - linked


def test_the_glossary_explains_each_term_in_two_sentences():
    """
    Each term of the glossary has two sentences and a link.
    """
    terms = re.split(r"^## ", TEXTS["docs/glossary.md"], flags=re.MULTILINE)[1:]

    assert 20 <= len(terms)
    for term in terms:
        title, _, text = term.partition("\n")
        assert 2 == len(re.findall(r"[.](?:\s|$)", re.sub(r"`[^`]*`", "", text))), title
        assert LINK.search(text), title


def test_pages_that_the_code_names_are_there():
    """
    A page that a message or a comment names exists, with the heading that it names.
    """
    named = {
        name
        for source in SOURCES
        for name in re.findall(r"\bdocs/[\w/.-]+\.md(?:#[\w-]+)?", source.read_text())
    }

    assert named
    for name in named:
        page, _, anchor = name.partition("#")
        assert page in TEXTS, name
        assert not anchor or anchor in anchors(TEXTS[page]), name


def spans(page):
    """What a page names in the middle of its sentences."""
    return SPAN.findall(FENCE.sub("", TEXTS[page]))


def resolves(dotted):
    """Say whether a dotted name can be imported, or is an attribute of what can be."""
    module, *rest = dotted.split(".")
    found = importlib.import_module(module)
    for name in rest:
        module = f"{module}.{name}"
        if hasattr(found, name):
            found = getattr(found, name)
            continue
        try:
            found = importlib.import_module(module)
        except ImportError:
            return False
    return True


# What `self` has in a hook: what the class and its base read and write of an instance.
OF_A_HOOK = set(dir(cfn_once.CustomResource)).union(
    *(
        re.findall(r"\bself\.([a-z]\w*)", inspect.getsource(inspect.getmodule(base)))
        for base in cfn_once.CustomResource.__mro__
        if base.__module__.startswith("cfn_once.")
    )
)

# Names that begin like ours and are none: a logger, a prefix, a mark of pytest, a folder.
NOT_NAMES = {"cfn_once.resource", "cfn_once.delivery", "cfn_once.continuation"}


@pytest.mark.parametrize("page", sorted(TEXTS.keys() - {"CHANGELOG.md"}))
def test_dotted_names_exist(page):
    """
    A dotted name of the package that a page prints can be imported.
    """
    printed = {name for span in spans(page) for name in re.findall(r"\bcfn_once(?:\.\w+)+", span)}

    assert [] == sorted(name for name in printed - NOT_NAMES if not resolves(name))


@pytest.mark.parametrize("page", TEXTS)
def test_environment_variables_exist(page):
    """
    A variable that begins with CFN_ONCE_ is read somewhere.
    """
    read = "\n".join(source.read_text() for source in SOURCES)
    printed = set(re.findall(r"\bCFN_ONCE_[A-Z_]*[A-Z]\b", TEXTS[page]))

    assert [] == sorted(name for name in printed if name not in read)


def called(node):
    """Return what of ours a call in a page calls, or None."""
    match node.func:
        case ast.Name(name) if name in cfn_once.__all__:
            return getattr(cfn_once, name)
        case ast.Name(name) if name in testing.__all__:
            return getattr(testing, name)
        case ast.Attribute(ast.Name("self"), name):
            return getattr(cfn_once.CustomResource, name, None)
    return None


def unknown_arguments(span):
    """Return the arguments of calls in a span that what is called does not take."""
    try:
        tree = ast.parse(span)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not callable(function := called(node)):
            continue
        try:
            takes = inspect.signature(function).parameters.values()
        except ValueError:  # an exception, or a TypedDict
            continue
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes):
            names = {parameter.name for parameter in takes}
            yield from (word.arg for word in node.keywords if word.arg not in names)


@pytest.mark.parametrize("page", TEXTS)
def test_arguments_exist(page):
    """
    A call of ours that a page prints has only arguments that there are.
    """
    assert [] == [name for span in spans(page) for name in unknown_arguments(span)]


@pytest.mark.parametrize("page", TEXTS)
def test_what_a_hook_is_said_to_have_exists(page):
    """
    What a page reads of `self` is there, on CustomResource or in the page's own code.
    """
    written = set(re.findall(r"\b(?:def |self\.)(\w+)", "\n".join(FENCE.findall(TEXTS[page]))))
    no_such = {"resource"}  # pages say so
    rows = "\n".join(line for line in TEXTS[page].splitlines() if line.startswith("|"))
    read = {
        name
        for span in spans(page)
        if f"`{span}`" not in rows
        for name in re.findall(r"\bself\.(\w+)", span)
    }

    assert [] == sorted(read - OF_A_HOOK - written - no_such)


def documented(names, module):
    """Yield each public class and function with its public methods, and its name."""
    for name in names:
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        yield name, value
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("module", [cfn_once, testing], ids=["cfn_once", "testing"])
def test_every_public_name_has_a_docstring(module):
    """
    Each public class, function and method says what it is.
    """
    lacking = [name for name, value in documented(module.__all__, module) if not value.__doc__]

    assert [] == lacking
