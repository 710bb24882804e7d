"""From CloudFormation's text to declared types, and what is said of what does not fit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import msgspec
import pydantic
import pytest
from msgspec import Meta
from typing_extensions import TypeAliasType  # typing's own from Python 3.12 on

from cfn_once import ConfigurationError, CustomResource, InvalidProperties, Secret
from cfn_once._properties import Misfit, Shape


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Plan(StrEnum):
    FREE = "free"


class Rate(Enum):
    HALF = 0.5
    ON = True


@dataclass(frozen=True)
class Capacity:
    Target: int
    Maximum: int = 10


class Struct(msgspec.Struct, frozen=True):
    Size: int


class Model(pydantic.BaseModel):
    Size: int


class Keyed(TypedDict):
    Size: int
    Note: NotRequired[str]


Size = NewType("Size", int)
Positive = Annotated[int, Meta(ge=1)]
MaybeSize = Optional[int]  # noqa: UP045 - the older spelling makes another type
MaybeCapacity = Optional[Capacity]  # noqa: UP045 - as above
Name = Annotated[str, Meta(pattern="^[a-z]+$", max_length=5)]


def declaring(hint):
    """Return a class that declares one property, P."""
    return dataclass(type("One", (), {"__annotations__": {"P": hint}}))


def converted(hint, raw):
    return Shape(declaring(hint)).convert({"P": raw}, "X").P


def problems(declared, raw, **options):
    with pytest.raises(InvalidProperties) as raised:
        Shape(declared, **options).convert(raw, "X")

    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None, "a context would be printed with the error"
    assert str(raised.value).startswith("X: ")
    return str(raised.value).removeprefix("X: ").split(". ")


@pytest.mark.parametrize(
    ("hint", "raw", "value"),
    [
        (int, "3", 3),
        (int, "-3", -3),
        (int, "3.0", 3),
        (int, "1e3", 1000),
        (int, "123456789012345678901234567890", 123456789012345678901234567890),
        (int, 3, 3),
        (float, "3", 3.0),
        (float, "1.5e-7", 1.5e-7),
        (bool, "true", True),
        (bool, "False", False),
        (bool, True, True),
        (str, "007", "007"),
        (str, "true", "true"),
        (str, "null", "null"),
        (str, "", ""),
        (str, True, "true"),
        (str, 7, "7"),
        (Any, {"a": ["1"]}, {"a": ["1"]}),
        (object, "1", "1"),
        (Colour, "red", Colour.RED),
        (Level, "2", Level.HIGH),
        (Plan, "free", Plan.FREE),
        (Rate, "0.5", Rate.HALF),
        (Rate, "true", Rate.ON),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (Literal["auto", 1], "1", 1),
        (date, "2024-02-29", date(2024, 2, 29)),
        (datetime, "2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (timedelta, "PT90S", timedelta(seconds=90)),
        (timedelta, "90", timedelta(seconds=90)),
        (Decimal, "1.10", Decimal("1.10")),
        (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678123456781234567812345678")),
        (bytes, "YWJj", b"abc"),
        (Size, "5", 5),
        (TypeAliasType("Alias", list[int]), ["5"], [5]),
        (Positive, "1", 1),
        (Name, "abc", "abc"),
        (list[int], ["1", "2"], [1, 2]),
        (list, ["1", {"a": "b"}], ["1", {"a": "b"}]),
        (Sequence[bool], ["true"], [True]),
        (tuple[int, ...], ["1", "2"], (1, 2)),
        (tuple[int, str, bool], ["1", "1", "true"], (1, "1", True)),
        (set[int], ["1", "1"], {1}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (Annotated[list[Positive], Meta(max_length=2)], ["1", "2"], [1, 2]),
        (dict[str, int], {"a": "1"}, {"a": 1}),
        (dict[int, Colour], {"1": "blue"}, {1: Colour.BLUE}),
        (Mapping[str, list[bool]], {"a": ["true"]}, {"a": [True]}),
        (dict, {"a": "1"}, {"a": "1"}),
        (Annotated[dict[str, int], Meta(min_length=1)], {"a": "1"}, {"a": 1}),
        (Capacity, {"Target": "3"}, Capacity(3, 10)),
        (Struct, {"Size": "3"}, Struct(3)),
        (Model, {"Size": "3"}, Model(Size=3)),
        (Keyed, {"Size": "3"}, {"Size": 3}),
        (Keyed, {"Size": "3", "Note": "4"}, {"Size": 3, "Note": "4"}),
        (list[Capacity], [{"Target": "1"}, {"Target": "2"}], [Capacity(1), Capacity(2)]),
        (dict[str, Capacity], {"a": {"Target": "1"}}, {"a": Capacity(1)}),
        (MaybeSize, "3", 3),
        (int | None, None, None),
        (Positive | None, "3", 3),
        (MaybeCapacity, {"Target": "3"}, Capacity(3)),
        (int | str, "3", "3"),
        (str | int, "true", "true"),
        (int | bool, "true", True),
        (int | float, "3", 3),
        (int | float, "3.5", 3.5),
        (Literal["auto"] | int, "auto", "auto"),
        (Literal["auto"] | int, "3", 3),
        (Positive | Name, "abc", "abc"),
        (list[int] | int, "3", 3),
        (list[int] | int, ["3"], [3]),
        (str | list[str], ["a"], ["a"]),
        (Capacity | bool, "true", True),
        (Capacity | list[Capacity], [{"Target": "1"}], [Capacity(1)]),
    ],
    ids=str,
)
def test_what_is_declared_arrives(hint, raw, value):
    """
    Text becomes the declared type at any depth, and declared text stays as it is.
    """
    found = converted(hint, raw)

    assert (type(value), value) == (type(found), found)


@pytest.mark.parametrize(
    ("hint", "raw", "problem"),
    [
        (int, "three", "P: expected an integer, got text"),
        (int, "007", "P: expected an integer, got text"),
        (int, "3.5", "P: expected an integer, got text"),
        (int, "", "P: expected an integer, got empty text"),
        (int, ["3"], "P: expected an integer, got a list"),
        (int, None, "P: expected an integer, got null"),
        (float, "nan", "P: expected a number, got text"),
        (float, "-Infinity", "P: expected a number, got text"),
        (bool, "yes", "P: expected true or false, got text"),
        (bool, {}, "P: expected true or false, got a map"),
        (str, {"a": "b"}, "P: expected text, got a map"),
        (Colour, "green", "P: expected one of red, blue, got text"),
        (Level, "3", "P: expected one of 1, 2, got text"),
        (Literal["a", 1], "b", "P: expected one of a, 1, got text"),
        (date, "tomorrow", "P: expected date, got text"),
        (bytes, "%", "P: expected base64 text, got text"),
        (Positive, "0", "P: expected an integer (at least 1), got one that is not"),
        (Positive, "x", "P: expected an integer (at least 1), got text"),
        (
            Name,
            "hunter2",
            "P: expected text (matching ^[a-z]+$, length at most 5), got one that is not",
        ),
        (list[int], "1", "P: expected a list, got text"),
        (list[Positive], ["1", "0"], "P[1]: expected an integer (at least 1), got one that is not"),
        (
            Annotated[list[int], Meta(min_length=1, max_length=2)],
            [],
            "P: expected a list (length at least 1, length at most 2), got 0",
        ),
        (tuple[int, int], ["1"], "P: expected a list of 2, got a list of 1"),
        (dict[str, int], ["1"], "P: expected a map, got a list"),
        (dict[str, int], {"a": "x"}, "P.a: expected an integer, got text"),
        (dict[int, int], {"a": "1"}, "P (the name a): expected an integer, got text"),
        (Annotated[dict[str, int], Meta(max_length=0)], {"a": "1"}, "P: expected a map (length"),
        (Capacity, "3", "P: expected a map, got text"),
        (Capacity, {}, "P.Target: missing"),
        (Capacity, {"Target": "x"}, "P.Target: expected an integer, got text"),
        (Capacity, {"Target": "1", "Maximun": "2"}, "P.Maximun: unknown; did you mean Maximum?"),
        (Keyed, {}, "P.Size: missing"),
        (Struct, {"Size": "x"}, "P.Size: expected an integer, got text"),
        (Model, {"Size": "x"}, "P.Size: Input should be a valid integer, unable to parse string"),
        (Model, {"Size": "1", "Other": "x"}, "P.Other: unknown"),
        (MaybeCapacity, {"Target": "x"}, "P.Target: expected an integer, got text"),
        (int | None, "x", "P: expected an integer, got text"),
        (int | bool, "x", "P: expected an integer or true or false, got text"),
        (str | list[int], ["x"], "P[0]: expected an integer, got text"),
        (Capacity | list[Capacity], [{}], "P[0].Target: missing"),
        (Capacity | bool, {"Target": "x"}, "P.Target: expected an integer, got text"),
    ],
    ids=str,
)
def test_what_does_not_fit(hint, raw, problem):
    """
    It is named by its path, with what was expected and the kind of what came.
    """
    [told] = problems(declaring(hint), {"P": raw})

    assert told.startswith(problem)


@dataclass
class Deep:
    Groups: list[dict[str, Capacity]]
    Colours: list[Colour]
    Password: Annotated[str, Meta(pattern="^[0-9]+$"), Secret]
    Mode: Literal["a", "b"] = "a"


def test_every_wrong_property_is_named_in_one_answer():
    """
    However deep they lie and whatever else is wrong, so that a template is mended once.
    """
    raw = {
        "Groups": [{"x": {"Target": "a"}, "y": {"Target": "b", "Max": "2"}}, {"z": {}}, "4"],
        "Colours": ["red", "green", "yellow"],
        "Password": "letters",
        "Mod": "b",
        "Groupes": "5",
    }

    assert [
        "Groups[0].x.Target: expected an integer, got text",
        "Groups[0].y.Target: expected an integer, got text",
        "Groups[0].y.Max: unknown; did you mean Maximum?",
        "Groups[1].z.Target: missing",
        "Groups[2]: expected a map, got text",
        "Colours[1]: expected one of red, blue, got text",
        "Colours[2]: expected one of red, blue, got text",
        "Password: expected text (matching ^[0-9]+$), got one that is not",
        "Groupes: unknown; did you mean Groups?",
        "Mod: unknown; did you mean Mode?",
    ] == problems(Deep, raw)


class DeepModel(pydantic.BaseModel):
    Groups: list[dict[str, Model]]
    Colours: list[Colour]
    Password: str = pydantic.Field(pattern="^[0-9]+$")
    Mode: Literal["a", "b"] = "a"
    CheckedClass: str = ""
    Which: int | Model = 0
    Tagged: Annotated[
        Annotated["Cat", pydantic.Tag("cat")] | Annotated["Dog", pydantic.Tag("dog")] | None,
        pydantic.Field(discriminator="kind"),
    ] = None

    @pydantic.field_validator("CheckedClass")
    @classmethod
    def _check(cls, value: str) -> str:
        if value:
            raise ValueError(f"must not be {value}")
        return value


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


DeepModel.model_rebuild()


def test_pydantic_quotes_no_value():
    """
    Its messages are told where they speak of the declaration alone; else only their kind is, for
    they may quote a value.
    """
    raw = {
        "Groups": [{"x": {"Size": "hunter2"}, "y": {"Size": "1", "Sise": "hunter2"}}],
        "Colours": ["hunter2"],
        "Password": "hunter2",
        "Mod": "b",
        "CheckedClass": "hunter2",
        "Which": {"Size": "hunter2"},
        "Tagged": {"kind": "hunter2"},
    }

    told = problems(DeepModel, raw)

    assert not [answer for answer in told if "hunter2" in answer]
    assert "Groups[0].y.Sise: unknown" in told
    assert "Mod: unknown; did you mean Mode?" in told
    assert "Password: String should match pattern '^[0-9]+$', got text" in told
    assert "Colours[0]: Input should be 'red' or 'blue', got text" in told
    assert "CheckedClass: refused (value error), got text" in told
    assert "Tagged: refused (union tag invalid), got a map" in told
    assert [
        answer
        for answer in told
        if answer.startswith("Groups[0].x.Size: Input should be a valid int")
    ]
    assert [answer for answer in told if answer.startswith("Which.Model.Size: ")]


@dataclass
class Plain:
    Size: int
    Name: str = "x"


class PlainStruct(msgspec.Struct, kw_only=True):
    Name: str = "x"
    Size: int


class PlainModel(pydantic.BaseModel):
    Size: int
    Name: str = "x"


class PlainKeyed(TypedDict):
    Size: int
    Name: NotRequired[str]


KINDS = pytest.mark.parametrize("declared", [Plain, PlainStruct, PlainModel, PlainKeyed])


def read(properties, name):
    return properties[name] if isinstance(properties, dict) else getattr(properties, name)


@KINDS
class TestEveryKindOfRecord:
    def test_is_made_of_text(self, declared):
        """
        A dataclass, a msgspec.Struct, a pydantic model and a TypedDict read the same text alike.
        """
        made = Shape(declared).convert({"Size": "3", "Name": "007"}, "X")

        assert (3, "007") == (read(made, "Size"), read(made, "Name"))

    def test_names_what_is_wrong(self, declared):
        """
        A name that is missing and one that is unknown are told in one answer.
        """
        assert {"Size: missing", "Sizes: unknown; did you mean Size?"} == set(
            problems(declared, {"Sizes": "3"})
        )

    def test_lets_unknown_names_through_where_it_says_so(self, declared):
        """
        With allow_unknown, what is not declared is no error.
        """
        made = Shape(declared, allow_unknown=True).convert({"Size": "3", "Sizes": "4"}, "X")

        assert 3 == read(made, "Size")

    def test_tells_what_changed(self, declared):
        """
        Typed values are compared: text that means the same is no change, nor is a default spelt
        out; where a value does not fit, the text is compared.
        """
        changed = Shape(declared).changed
        default = {} if declared is PlainKeyed else {"Name": "x"}

        assert frozenset() == changed({"Size": "3"}, {"Size": "3.0", **default})
        assert {"Size"} == changed({"Size": "3"}, {"Size": "4"})
        assert {"Name"} == changed({"Size": "3", "Name": "y"}, {"Size": "3"})
        assert {"Size"} == changed({"Size": "3"}, {"Size": "three"})
        assert {"Size"} == changed({"Size": "3"}, {})
        assert frozenset() == changed({"Size": "three"}, {"Size": "three"})

    def test_is_soft_for_a_delete(self, declared):
        """
        What fits is there, unknown names are nothing, and what does not fit is absent.
        """
        soft = Shape(declared).convert_softly

        assert 3 == read(soft({"Size": "3", "Unknown": "x"}), "Size")
        assert "y" == read(soft({"Size": "three", "Name": "y"}), "Name")
        with pytest.raises((AttributeError, KeyError), match="Size"):
            read(soft({"Size": "three"}), "Size")

    def test_answers_attributes(self, declared):
        """
        What a hook returns is an instance, or a map with the declared names and no others; names
        that have a default need not be there.
        """
        made = Shape(declared).convert({"Size": "3"}, "X")
        name = {} if declared is PlainKeyed else {"Name": "x"}

        answer = Shape(declared, is_read=False).answer

        assert {"Size": 3, **name} == answer(made)
        assert {"Size": 3, **name} == answer({"Size": 3})
        for returned, words in (
            ({"Sise": 3}, "Size: missing. Sise: unknown; did you mean Size?"),
            ({"Size": "3"}, "Size: expected an integer, got text"),
            (None, "nothing was returned, not even Size"),
        ):
            with pytest.raises(Misfit, match=re.escape(words)):
                answer(returned)


def test_a_map_that_declares_nothing():
    """
    Its values stay as CloudFormation sends them, and every name is one.
    """
    raw = {"Size": "3", "Deep": {"Flag": "true"}}
    shape = Shape(dict)

    assert raw == shape.convert(raw, "X") == shape.convert_softly(raw)
    assert {"Deep"} == shape.changed(raw, {"Size": "3"})
    assert not shape.names


def test_a_change_of_what_is_declared_no_more():
    """
    Names that no class declares are no change, unless the class lets them through.
    """
    new, old = {"Size": "3"}, {"Size": "3", "Gone": "x"}

    assert frozenset() == Shape(Plain).changed(new, old)
    assert {"Gone"} == Shape(Plain, allow_unknown=True).changed(new, old)
    assert {"Gone"} == Shape(dict).changed(new, old)


def test_an_absent_property_of_a_delete_says_why():
    """
    A hook that needs it fails with the reason, instead of deleting by a wrong value.
    """
    soft = Shape(Plain).convert_softly({"Size": "three"})

    with pytest.raises(AttributeError) as raised:
        _ = soft.Size

    assert str(raised.value) == (
        "Plain.Size is absent: what CloudFormation sent with this Delete does not fit its declared"
        " type"
    )


def test_a_name_that_a_delete_need_not_have():
    """
    What a TypedDict need not hold is no key, also where something else does not fit.
    """
    assert {} == Shape(PlainKeyed).convert_softly({"Size": "three"})


def test_unknown_names_are_nothing_to_a_delete():
    """
    What a later version of the class declares no more does not hide what it does declare.
    """
    raw = {"Groups": [{"x": {"Target": "1", "Gone": "2"}}], "Colours": [], "Password": "1"}

    soft = Shape(Deep).convert_softly({**raw, "Gone": "3"})

    assert isinstance(soft, Deep)
    assert [{"x": Capacity(1)}] == soft.Groups


class Renamed(msgspec.Struct, rename="pascal"):
    group_name: str
    max_size: int = 1


class Aliased(pydantic.BaseModel):
    group_name: str = pydantic.Field(alias="GroupName")
    max_size: int = pydantic.Field(1, alias="MaxSize")


@pytest.mark.parametrize("declared", [Renamed, Aliased])
def test_classes_that_rename(declared):
    """
    The names of the template are those that the class is read and written by, everywhere.
    """
    shape = Shape(declared)
    made = shape.convert({"GroupName": "a", "MaxSize": "2"}, "X")

    assert ("a", 2) == (made.group_name, made.max_size)
    assert {"GroupName", "MaxSize"} == shape.names
    assert {"MaxSize"} == shape.changed({"GroupName": "a", "MaxSize": "2"}, {"GroupName": "a"})
    assert {"GroupName": "a", "MaxSize": 2} == shape.answer(made)
    assert 2 == shape.convert_softly({"MaxSize": "2"}).max_size
    assert {"GroupName: missing", "group_name: unknown; did you mean GroupName?"} >= set(
        problems(declared, {"GroupName": "a", "group_name": "a"})
    )


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    Size: int


def test_a_model_that_allows_more_is_heard():
    """
    A model's own setting lets names through.
    """
    assert {"Size": 1, "More": "2"} == (
        Shape(Open).convert({"Size": "1", "More": "2"}, "X").model_dump()
    )


@dataclass
class CheckedClass:
    Low: int
    High: int
    words: ClassVar[str] = "not a property"
    note: str = field(default="not one either", init=False)

    def __post_init__(self):
        if self.Low > self.High:
            raise InvalidProperties("Low: expected at most High")
        if self.Low < 0:
            raise ValueError(f"Low is {self.Low}")


class CheckedModel(pydantic.BaseModel):
    Low: int
    High: int

    @pydantic.model_validator(mode="after")
    def _check(self):
        if self.Low > self.High:
            raise InvalidProperties("Low: expected at most High")
        if self.Low < 0:
            raise ValueError(f"Low is {self.Low}")
        return self


@pytest.mark.parametrize("declared", [CheckedClass, CheckedModel])
def test_checks_of_a_class(declared):
    """
    What a class raises as InvalidProperties is told in its own words; of any other error only the
    kind is, for its text may quote a value.
    """

    @dataclass
    class Outer:
        Range: declared

    [said] = problems(declared, {"Low": "2", "High": "1"})
    [inside] = problems(Outer, {"Range": {"Low": "2", "High": "1"}})
    [unsaid] = problems(declared, {"Low": "-7", "High": "1"})

    assert "Low: expected at most High" == said
    assert "Range: Low: expected at most High" == inside
    assert "7" not in unsaid
    assert declared.__name__ in unsaid
    assert "alue" in unsaid, "ValueError, or pydantic's value error"


def test_only_fields_are_properties():
    """
    Class variables, and fields that no caller may set, are none.
    """
    assert {"Low", "High"} == Shape(CheckedClass).names


T = TypeVar("T")


@dataclass
class Generically(Generic[T]):
    Name: T


class GenericMap(TypedDict, Generic[T]):
    Name: T


GenericAlias = TypeAliasType("GenericAlias", Annotated[T, Secret], type_params=(T,))


class SeveralNames(pydantic.BaseModel):
    size: int = pydantic.Field(1, validation_alias=pydantic.AliasChoices("Size", "Sz"))


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (
            Capacity | Plain,
            "One.P: cfn-once cannot tell which member of a union of several records",
        ),
        (Capacity | dict[str, int], "cannot tell which member"),
        (list[Capacity | Struct], "cannot tell which member"),
        (Literal[True], "Literal[True] cannot say no: declare a bool"),
        (Annotated[int | None, Meta(ge=1)], "limits of a union belong to one member"),
        (complex, "nothing reads complex out of CloudFormation's text"),
        (Path := type("Path", (), {}), "nothing reads Path out of CloudFormation's text"),
        (dict[str, list[Path]], "nothing reads Path"),
        (pydantic.SecretStr, "nothing reads SecretStr"),
        (TypeVar("T"), "does not resolve the types of generic classes, here ~T"),
        (Generically[int], "does not resolve the types of generic classes"),
        (GenericMap[int], "does not resolve the types of generic classes"),
        (GenericAlias[str], "does not resolve the types of generic classes"),
        (SeveralNames, "SeveralNames.size: cfn-once needs one name for a property"),
    ],
    ids=str,
)
def test_declarations_that_cannot_work(hint, words):
    """
    They are refused when the class is defined, at any depth, and not by somebody's stack.
    """

    @dataclass
    class Outer:
        Inner: list[declaring(hint)]

    for declared in (declaring(hint), Outer):
        with pytest.raises(ConfigurationError) as raised:

            class R(CustomResource[declared, dict]):
                pass

        assert words in str(raised.value)


def test_a_limit_that_a_type_cannot_have():
    """
    It is the author's mistake and said to be one, not the template's.
    """
    with pytest.raises(ConfigurationError, match="P, declared as text"):
        converted(Annotated[str, Meta(ge=1)], "x")


@dataclass
class Node:
    Children: "list[Node]" = field(default_factory=list)
    Left: "Node | None" = None


def test_a_class_that_holds_itself():
    """
    Declarations may be recursive.
    """
    made = Shape(Node).convert({"Children": [{"Left": {}}]}, "X")

    assert Node([Node([], Node())]) == made
    assert "$defs" in Shape(Node).json_schema()


def test_a_mistake_far_below():
    """
    However deep it lies, each value above it is read once: twice at each level would take for ever.
    """
    raw = {"Right": {}}
    for _ in range(60):
        raw = {"Left": raw}

    assert ["Left." * 60 + "Right: unknown"] == problems(Node, raw)


def test_defaults_are_fresh():
    """
    Two requests never share a list that a class makes anew.
    """
    shape = Shape(Node)

    assert shape.convert({}, "X").Children is not shape.convert({}, "X").Children


@pytest.mark.parametrize(
    "value", ["text", 5, ["list"], object()], ids=lambda value: type(value).__name__
)
def test_attributes_of_another_type(value):
    """
    A hook that returns what it did not declare is told so.
    """
    with pytest.raises(Misfit, match=r"was returned; return Plain\(...\), or a map"):
        Shape(Plain, is_read=False).answer(value)


def test_attributes_are_spelt_for_json():
    """
    Tuples become lists and enums their values; records and maps are answered as Fn::GetAtt reads
    them, by the path of each value, and what is None is left out.
    """

    @dataclass
    class Attributes:
        Colour: Colour
        Nested: Capacity
        Models: tuple[Model, ...]
        Map: dict[str, Struct]
        Note: str | None = None

    made = Attributes(Colour.RED, Capacity(1), (Model(Size=2),), {"a": Struct(3)})

    assert {
        "Colour": "red",
        "Nested.Target": 1,
        "Nested.Maximum": 10,
        "Models": [{"Size": 2}],
        "Map.a.Size": 3,
    } == Shape(Attributes, is_read=False).answer(made)


@dataclass
class Address:
    Host: str
    Port: int = 443


class Fixed(TypedDict):
    Id: str
    Address: Address
    Ports: list[int]
    Pair: tuple[str, int]
    Ratio: float
    Mode: Literal["a", "b"]
    Colour: Colour
    Either: int | Address
    Any: object
    On: bool


FIXED = {
    "Id": "1",
    "Address": {"Host": "h"},
    "Ports": [1, 2],
    "Pair": ["a", 1],
    "Ratio": 1,
    "Mode": "a",
    "Colour": Colour.RED,
    "Either": Address("h"),
    "Any": None,
    "On": True,
}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Id": 1}, "Id: expected text, got a number"),
        ({"Id": None}, "Id: expected text, got null"),
        ({"Address": {"Hots": "h"}}, "Address.Host: missing. Address.Hots: unknown; did you mean"),
        ({"Address": "h"}, "Address: expected a map, got text"),
        ({"Ports": [1, "2"]}, "Ports[1]: expected an integer, got text"),
        ({"Ports": 1}, "Ports: expected a list, got a number"),
        ({"Pair": ["a"]}, "Pair: expected a list of 2, got a list of 1"),
        ({"Ratio": "1"}, "Ratio: expected a number, got text"),
        ({"Mode": "c"}, "Mode: expected one of a, b, got text"),
        ({"Colour": "pink"}, "Colour: expected one of"),
        ({"Either": "x"}, "Either: expected an integer or a map, got text"),
        ({"Either": {"Host": 1}}, "Either.Host: expected text, got a number"),
        ({"On": 1}, "On: expected true or false, got a number"),
        ({"Ports": [True]}, "Ports[0]: expected an integer, got a boolean"),
        ({"Extra": 1}, "Extra: unknown"),
    ],
)
def test_attributes_that_do_not_fit(changes, problem):
    """
    Nothing is converted, for the hook is its author's own; each difference is named by its path,
    and no value, for it may be secret.
    """
    answer = Shape(Fixed, is_read=False).answer

    assert "h" == answer(FIXED)["Address.Host"]
    with pytest.raises(Misfit, match=re.escape(problem)):
        answer({**FIXED, **changes})


def test_two_attributes_of_one_path():
    """
    A name with a dot and a record may mean the same Fn::GetAtt: neither wins silently.
    """
    with pytest.raises(Misfit, match=r"two attributes have the name a\.b"):
        Shape(dict, is_read=False).answer({"a.b": 1, "a": {"b": 2}})


def test_what_an_answer_lacks():
    """
    An answer is flat: it lacks an attribute when a value that must be there is nowhere below it.
    """
    shape = Shape(Fixed, is_read=False)
    whole = shape.answer(FIXED)

    assert not shape.lacks(whole)
    for name in ("Id", "Address.Host", "Ports"):
        assert shape.lacks({path: value for path, value in whole.items() if path != name})


@pytest.mark.parametrize("hint", [date, set[str], Decimal, bytes, list[date], "Missing"])
def test_attributes_that_are_never_json(hint):
    """
    What no answer could hold is refused when the class is defined, not after its object was made.
    """
    with pytest.raises(ConfigurationError, match=r"is not JSON|cannot be read"):
        Shape(declaring(hint), is_read=False)


@dataclass
class Postponed:
    """As `from __future__ import annotations` has it."""

    Capacity: "Capacity | None" = None
    Capacities: "list[Capacity]" = field(default_factory=list)


@dataclass
class BuiltIn:
    str: "str" = "x"


def test_types_that_are_named_in_texts():
    """
    A text is looked up in the module before the class: only there a default hides a type.
    """
    made = Shape(Postponed).convert({"Capacity": {"Target": "1"}}, "X")

    assert Capacity(1) == made.Capacity
    with pytest.raises(ConfigurationError, match=r"BuiltIn\.str has the name of its type"):
        Shape(BuiltIn)
