"""The names that users may import: one flat list, and nothing left out of it."""

import inspect
import re

import cfn_once
from cfn_once import _errors


def test_the_list_is_sorted_and_every_name_is_there():
    """
    A name that is listed can be imported, and is found where an alphabet puts it.
    """
    assert sorted(cfn_once.__all__) == cfn_once.__all__
    assert len(set(cfn_once.__all__)) == len(cfn_once.__all__)
    assert [] == [name for name in cfn_once.__all__ if not hasattr(cfn_once, name)]


def test_the_list_is_whole():
    """
    Whatever the package's own file brings in is listed: there is no other reason to bring it in.
    """
    brought = {
        name
        for name, value in vars(cfn_once).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }

    assert set(cfn_once.__all__) == brought


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
        if inspect.isclass(one := getattr(cfn_once, name))
        and issubclass(one, BaseException)
        and not issubclass(one, Exception)
    }

    assert {"Interrupt", "ReplayEnd", "Superseded", "Suspended"} == interrupts
