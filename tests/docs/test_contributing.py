"""The page for contributors says where the rules are broken, and is right about it."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cfn_once"
PAGE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where it breaks its own rules")[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
LONGEST_MODULE = 400
MOST_PARAMETERS = 8
GIVEN_UP = {  # names that said nothing to a newcomer, or that another word has replaced
    *("olds", "debt", "debts", "owed", "frontier", "took_over", "running_id", "comes_again"),
    *("takes_off", "lands", "in_the_air", "go_on", "wait_for_the_dead", "owner_gone", "granted"),
    *("claimant", "way_back", "is_last", "cut_short", "went_back", "none_id", "never_id"),
    *("carries_marker", "spares", "unmet", "unvisited", "settle_time", "told", "tell", "tells"),
}


def exception(start):
    """Return the line of the list that begins so."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"- {start}")]
    return line


def product():
    """Return each module of the product, without the test kit: its name and its code."""
    for file in sorted(PACKAGE.rglob("*.py")):
        name = str(file.relative_to(PACKAGE))
        if not name.startswith("testing/"):
            yield name, file.read_text()


def test_the_long_modules_are_named():
    """
    Modules of more than 400 lines are those that the page names, and no others.
    """
    long = {name for name, text in product() if text.count("\n") > LONGEST_MODULE}

    assert long == set(re.findall(r"`([\w/]+\.py)`", exception("Modules of more than 400 lines")))


def test_the_threshold_of_coverage_is_named():
    """
    The page names the threshold that `make coverage` holds to.
    """
    threshold = SETTINGS["coverage"]["report"]["fail_under"]

    assert f"below {threshold} per cent" in exception("Coverage")


def test_the_warnings_that_pass_are_named():
    """
    Each warning that is no error is named, and each that is named is let pass.
    """
    passed = SETTINGS["pytest"]["ini_options"]["filterwarnings"][1:]
    named = re.findall(r"`([\w.]+)`", exception("Warnings"))

    assert len(passed) == len(named)
    assert all(any(name in warning for warning in passed) for name in named)


def test_neither_asserts_nor_casts_are_in_the_product():
    """
    The product states its types; it neither asserts them nor casts.
    """
    found = [
        name
        for name, text in product()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cast")
    ]

    assert [] == found
    assert "none. `cast` in the product: none" in exception("`assert` in the product")


def test_every_folder_of_tests_has_its_row():
    """
    The page says of each folder in tests what is in it.
    """
    page = (ROOT / "CONTRIBUTING.md").read_text()
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| `tests/"))
    parts = (ROOT / "tests").iterdir()
    folders = {part.name for part in parts if part.is_dir() and part.name.isalnum()}

    assert folders == set(re.findall(r"`tests/(\w+)`", rows))


def test_every_folder_has_its_layers():
    """
    Each folder of the package with more than one module has a contract that names all of them,
    so that no two modules can come to import each other.
    """
    contracts = SETTINGS["importlinter"]["contracts"]
    held = {
        container
        for contract in contracts
        if contract["type"] == "layers" and contract["exhaustive"]
        for container in contract["containers"]
    }
    folders = {
        ".".join(("cfn_once", *folder.relative_to(PACKAGE).parts))
        for folder in (PACKAGE, *PACKAGE.rglob("*"))
        if len([file for file in folder.glob("*.py") if file.name != "__init__.py"]) > 1
    }

    assert folders == held


def test_what_tests_patch_is_named():
    """
    No test replaces an attribute of a module or a class, or a private one of an object that is
    not its own; where one does, the page names its file.
    """
    found = set()
    for file in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            target = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            writes = isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
            if target.startswith(("patch.", "monkeypatch.")) and node.attr.endswith("attr"):
                found.add(file)
            elif target.startswith(("mock.", "unittest.")):
                found.add(file)
            elif writes and re.search(r"\._(?!_)", re.sub(r"^(self|cls)\._?", "", target)):
                found.add(file)

    named = re.findall(r"`(tests/[\w/]+\.py)`", exception("A test that patches"))
    assert {str(file.relative_to(ROOT)) for file in found} == set(named)


def parameters(function):
    """Return the names of a function's parameters, without what is bound and what is starred."""
    words = function.args
    names = [word.arg for word in (*words.posonlyargs, *words.args, *words.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def test_functions_of_many_parameters_are_named():
    """
    Functions of more than eight parameters, in the product and the kit, are those that the page
    names: a constructor by its class.
    """
    many = set()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        owners = {
            method: owner.name
            for owner in ast.walk(tree)
            if isinstance(owner, ast.ClassDef)
            for method in owner.body
        }
        many |= {
            owners.get(node, "") if node.name == "__init__" else node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and len(parameters(node)) > MOST_PARAMETERS
        }

    named = exception("Functions of more than eight parameters")
    assert many == set(re.findall(r"`(\w+)` takes", named))


def test_loop_variables_are_called_by_their_thing():
    """
    No loop and no comprehension, in the code or in the tests, goes through "one", "each" or "it".
    """
    found = [
        f"{file.relative_to(ROOT)}:{name.lineno}"
        for folder in ("src", "tests", "examples", "demo", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for loop in ast.walk(ast.parse(file.read_text()))
        if isinstance(loop, ast.For | ast.comprehension)
        for name in ast.walk(loop.target)
        if isinstance(name, ast.Name) and name.id in {"one", "each", "it"}
    ]

    assert [] == found


def test_names_that_were_given_up_stay_gone():
    """
    Nothing in the package is called by a word that was replaced.
    """
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            given = {
                ast.Name: "id",
                ast.arg: "arg",
                ast.FunctionDef: "name",
                ast.ClassDef: "name",
            }.get(type(node))
            if given and getattr(node, given).strip("_").lower() in GIVEN_UP:
                found.add(f"{file.relative_to(PACKAGE)}:{node.lineno}: {getattr(node, given)}")

    assert set() == found
