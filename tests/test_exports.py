"""The names that users may import: one flat list, and nothing left out of it."""

import ast
import inspect
import re
from pathlib import Path

import cfn_once
from cfn_once import _errors, testing


def test_the_list_is_sorted_and_every_name_is_there():
    """
    A name that is listed can be imported, and is found where an alphabet puts it.
    """
    assert sorted(cfn_once.__all__) == cfn_once.__all__
    assert len(set(cfn_once.__all__)) == len(cfn_once.__all__)
    assert [] == [name for name in cfn_once.__all__ if not hasattr(cfn_once, name)]


def test_type_checkers_see_the_same_list():
    """
    What is imported for type checkers is what can be imported, from the same modules.
    """
    tree = ast.parse(Path(cfn_once.__file__).read_text())
    imported = {
        name.name: (name.asname, node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for name in node.names
    }

    assert imported == {name: (name, cfn_once._MODULES[name]) for name in cfn_once.__all__}


def test_every_error_can_be_caught_by_name():
    """
    The tree that the errors' page draws is public, in its whole.
    """
    errors = {
        name
        for name, value in vars(_errors).items()
        if inspect.isclass(value) and issubclass(value, BaseException)
    }

    drawn = set(re.findall(r"^ *[*x] (\w+)", _errors.__doc__, re.MULTILINE))

    assert errors <= set(cfn_once.__all__)
    assert errors == drawn


def test_what_a_hook_must_not_swallow():
    """
    Interrupts pass through `except Exception`, and nothing else of ours does.
    """
    interrupts = {
        name
        for name in cfn_once.__all__
        if inspect.isclass(error := getattr(cfn_once, name))
        and issubclass(error, BaseException)
        and not issubclass(error, Exception)
    }

    assert {"Interrupt", "ReplayEnd", "Superseded", "Suspended"} == interrupts


def test_a_name_is_of_one_class():
    """
    No two classes of the package have the same name, in whichever folders they are.
    """
    found = [
        node.name
        for file in Path(cfn_once.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
    ]

    assert [] == sorted({name for name in found if found.count(name) > 1})


def test_no_test_takes_a_public_name_for_a_class_of_its_own():
    """
    A class in the tests never has the name of one that users import: a reader would take it for
    that one.
    """
    public = {*cfn_once.__all__, *testing.__all__}
    found = [
        f"{file.name}: {node.name}"
        for file in Path(__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and node.name in public
    ]

    assert [] == found
