"""Whatever a typed value is: what CloudFormation makes of it is read back as it was."""

import base64
import dataclasses
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cfn_once._properties import Shape


class Colour(Enum):
    RED = "red"
    TRUE = "true"
    SEVEN = 7


def as_sent(value):
    """Return a value as CloudFormation sends it: every scalar as text, no value left out."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {as_sent(name): as_sent(pair) for name, pair in value.items() if pair is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_sent(part) for part in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


SCALARS = {
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    str: st.text() | st.sampled_from(["007", "true", "null", "1e3", "", " 1"]),
    bytes: st.binary(),
    date: st.dates(),
    datetime: st.datetimes(),
    time: st.times(),
    UUID: st.uuids(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    Colour: st.sampled_from(Colour),
    Literal["a", 1, "true"]: st.sampled_from(["a", 1, "true"]),
    int | bool: st.integers() | st.booleans(),
    str | list[int]: st.text() | st.lists(st.integers()),
}


def of(hint):
    return SCALARS[hint].map(lambda value: (hint, value))


@st.composite
def lists(draw, inner):
    hint, value = draw(inner)
    more = draw(st.lists(SCALARS[hint], max_size=3)) if hint in SCALARS else []
    kind = draw(st.sampled_from([list, tuple])) if hint in SCALARS else list
    return (list[hint] if kind is list else tuple[hint, ...]), kind([value, *more])


@st.composite
def maps(draw, inner):
    hint, value = draw(inner)
    return dict[str, hint], {draw(st.text()): value}


@st.composite
def records(draw, inner):
    names = draw(st.lists(st.sampled_from("ABCDE"), min_size=1, unique=True))
    members = [draw(inner) for _ in names]
    optional = [draw(st.booleans()) for _ in names]
    fields = [
        (name, hint | None, dataclasses.field(default=None)) if free else (name, hint)
        for name, (hint, _), free in zip(names, members, optional, strict=True)
    ]
    declared = dataclasses.make_dataclass("Record", fields, kw_only=True)
    absent = [free and draw(st.booleans()) for free in optional]
    values = {
        name: None if gone else value
        for name, (_, value), gone in zip(names, members, absent, strict=True)
    }
    return declared, declared(**values)


TYPED = st.recursive(
    st.sampled_from(list(SCALARS)).flatmap(of),
    lambda inner: lists(inner) | maps(inner) | records(inner),
    max_leaves=6,
)


@given(TYPED)
def test_what_is_sent_is_read_back(typed):
    """
    For any declared type, however nested, and any value of it.
    """
    hint, value = typed
    declared = dataclasses.make_dataclass("Declared", [("P", hint)])

    made = Shape(declared).convert({"P": as_sent(value)}, "X")

    assert value == made.P
    assert type(value) is type(made.P)


@given(TYPED)
def test_it_is_no_change(typed):
    """
    The same properties are no change, and what a Delete reads is what a Create read.
    """
    hint, value = typed
    shape = Shape(dataclasses.make_dataclass("Declared", [("P", hint)]))
    sent = {"P": as_sent(value)}

    assert frozenset() == shape.changed(sent, sent)
    assert shape.convert(sent, "X") == shape.convert_softly(sent)
