"""Values of many fields: what `dataclasses` would have written for them."""

import copy
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from cfn_once._frozen import Frozen


class Order(Frozen):
    """What some waiter brings."""

    dish: str
    table: int = 7
    extras: list[str] = field(default_factory=list)
    tip: int = field(default=0, repr=False)


FISH = Order(dish="fish")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "dish"),
        ({"table": 1}, "dish"),
        ({"dish": "fish", "dessert": "ice"}, "dessert"),
        ({"desert": "ice"}, "desert, dish"),
    ],
)
def test_its_fields_are_given_by_name_and_checked(values, named):
    """
    A field that is missing or unknown is named, and no other one; none is made up.
    """
    with pytest.raises(TypeError, match=rf"unknown: {named}$"):
        Order(**values)


def test_it_is_what_its_fields_are():
    """
    Equal fields are equal values, also after a copy; a value of another class is never equal.
    """

    class Bill(Order):
        pass

    ways = (copy.copy, copy.deepcopy, lambda order: pickle.loads(pickle.dumps(order)), replace)

    assert all(FISH == way(FISH) for way in ways)
    assert FISH != replace(FISH, table=8)
    assert FISH != Bill(dish="fish")
    assert hash(Order(dish="x", extras=())) == hash(Order(dish="x", extras=()))
    assert ["dish", "table", "extras", "tip"] == [kept.name for kept in fields(FISH)]


def test_nothing_of_it_changes_and_nothing_is_shared():
    """
    A field can be neither set nor deleted, and what a factory makes belongs to one value.
    """
    with pytest.raises(FrozenInstanceError):
        FISH.dish = "meat"
    with pytest.raises(FrozenInstanceError):
        del FISH.table

    assert FISH.extras is not Order(dish="fish").extras


def test_it_prints_what_may_be_printed():
    """
    A field without repr is not in the text.
    """
    assert "Order(dish='fish', table=7, extras=[])" == repr(FISH)
