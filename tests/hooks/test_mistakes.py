"""What newcomers write, and what each is told: the tables of docs/errors.md are run here.

A row has the message, and each mistake that brings it; here stands the code for it. None is
answered SUCCESS, and what is refused before it began leaves nothing in doubt.
"""

import functools
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType, new_class
from typing import Any, Generic, Protocol, TypeVar

import pytest

from cfn_once import ConfigurationError, CustomResource, Provider
from cfn_once.testing import FakeCloudFormation

CODE = re.compile("`([^`]+)`")
ROWS = re.findall(
    r"^\| (?!message|---)(.+?) \| (.+?) \|$",
    (Path(__file__).parents[2] / "docs/errors.md")
    .read_text()
    .partition("## Mistakes")[2]
    .partition("\n## ")[0],
    re.MULTILINE,
)
SAID = {
    written: said.replace(r"\_", "_")
    for said, all_of_it in ROWS
    for written in CODE.findall(all_of_it)
}

P = TypeVar("P")


@dataclass(frozen=True)
class Properties:
    Name: str
    Size: int = 1


@dataclass(frozen=True)
class Attributes:
    Id: str
    Port: int = 80


def create(self):
    return {}


async def coroutine(*_):
    ran.append("a coroutine")


def generator(*_):
    ran.append("a generator")
    yield


ran: list[str] = []
live: list[str] = []


def defined(properties=Properties, attributes=dict, name="Thing", **members):
    """Define a class with these members, and hand it to a Provider."""
    whole = {"create": create, "delete": None, **members}
    given = {name: member for name, member in whole.items() if member is not ...}
    bases = (CustomResource[properties, attributes],)
    made = new_class(name, bases, exec_body=lambda body: body.update(given, __module__=__name__))
    return Provider(made, ledger="memory://")


class Base(CustomResource[P, dict], Generic[P]):
    create = create
    delete = None


class Plain(CustomResource[Properties, dict]):
    create = create
    delete = None


class Hooks(Protocol):
    def create(self) -> Mapping[str, object]: ...
    def delete(self) -> None: ...


class Promised(Hooks, CustomResource[Properties, dict]):
    create = create

    def destroy(self):
        ran.append("destroy")


class Abstract(ABC, CustomResource[Properties, dict]):
    create = create
    delete = None

    @abstractmethod
    def region(self): ...


def called_like_its_type():
    module = ModuleType("somewhere")
    sys.modules["somewhere"] = module
    exec(
        "from dataclasses import dataclass\n"
        "class Rules: pass\n"
        "@dataclass\nclass Wanted:\n    Rules: Rules = None\n",
        vars(module),
    )
    return defined(properties=module.Wanted)


def of_missing_type():
    @dataclass
    class Wanted:
        Rules: "Missing"  # noqa: F821 - the mistake

    return defined(properties=Wanted)


@dataclass
class Dated:
    Made: datetime


def derived(base):
    return Provider(type("Other", (base,), {}), ledger="memory://")


DEFINED: dict[str, Callable[[], object]] = {
    "async def delete(self)": lambda: defined(delete=coroutine),
    "def delete(self): yield": lambda: defined(delete=generator),
    "def create(self, event, context)": lambda: defined(create=lambda self, event, context: {}),
    "update = None": lambda: defined(update=None),
    "no create": lambda: defined(create=..., craete=create),
    "no delete": lambda: defined(delete=...),
    "no delete but a protocol's": lambda: Provider(Promised, ledger="memory://"),
    "an abstract method": lambda: Provider(Abstract, ledger="memory://"),
    'resource_type = "MyCompany::S3::Thing"': lambda: defined(resource_type="MyCompany::S3::Thing"),
    "class Größe(CustomResource[...])": lambda: defined(name="Größe"),
    'replace_on = "Name"': lambda: defined(replace_on="Name"),
    'replace_on = {"Nmae"}': lambda: defined(replace_on={"Nmae"}),
    "NoEcho = True": lambda: defined(NoEcho=True),
    'honours_idempotency_key = {"https://api.example.com": 3600}': lambda: defined(
        honours_idempotency_key={"https://api.example.com": 3600}
    ),
    'unresolved = "ignore"': lambda: defined(unresolved="ignore"),
    'no_echo = "false"': lambda: defined(no_echo="false"),
    "def __init__(self, api, client)": lambda: defined(__init__=lambda self, api, client: None),
    "CustomResource[Properties]": lambda: CustomResource[Properties],
    "class Thing(CustomResource)": lambda: type("Thing", (CustomResource,), {}),
    "CustomResource[Properties, int]": lambda: defined(attributes=int),
    'CustomResource["Missing", dict]': lambda: defined(properties="Missing"),
    "class Other(Base), where Base is generic": lambda: derived(Base),
    "Rules: Rules = None": called_like_its_type,
    'Rules: "Missing"': of_missing_type,
    "Made: datetime, as an attribute": lambda: defined(attributes=Dated),
    "Provider()": lambda: Provider(ledger="memory://"),
    'Provider(Plain, accounts="123456789012")': lambda: Provider(
        Plain, ledger="memory://", accounts="123456789012"
    ),
    'Provider(Plain, response_hosts="localhost:4566")': lambda: Provider(
        Plain, ledger="memory://", response_hosts="localhost:4566"
    ),
    "Provider([Plain])": lambda: Provider([Plain], ledger="memory://"),
    "Provider(Plain())": lambda: Provider(Plain(), ledger="memory://"),
    "Provider(Base), where Base is generic": lambda: Provider(Base, ledger="memory://"),
    "Provider(Plain, Plain)": lambda: Provider(Plain, Plain, ledger="memory://"),
}


def step(fn=lambda step: ran.append("a step"), **how):
    return lambda self: self.step("make", fn, **how)


class Awaited:
    async def __call__(self, step):
        ran.append("an object")


def inner(self):
    self.step("outer", lambda step: self.step("inner", lambda step: ran.append("inner")))


HOOKS: dict[str, Callable[[Any], object]] = {
    'self.step("make", coroutine)': step(coroutine),
    'self.step("make", partial(coroutine))': step(functools.partial(coroutine)),
    'self.step("make", object_with_async_call)': step(Awaited(), once=True),
    'self.step("make", coroutine, repeat=True)': step(coroutine, repeat=True),
    'self.step("make", lambda step: [coroutine()], repeat=True)': step(
        lambda step: [coroutine()], repeat=True
    ),
    'self.step("make", lambda step: {"a": [coroutine()]}, repeat=True)': step(
        lambda step: {"a": [coroutine()]}, repeat=True
    ),
    'self.step("make", lambda step: map(make, names), repeat=True)': step(
        lambda step: map(ran.append, ["a name"]), repeat=True
    ),
    'self.step("make", lambda step: make, repeat=True)': step(lambda step: create, repeat=True),
    'self.step("make", lambda: 1)': step(lambda: ran.append("a step")),
    'self.step("make", lambda a, b: 1)': step(lambda a, b: ran.append("a step")),
    'self.step("make", self.make())': lambda self: self.step("make", {"made": 1}),
    'self.step("make", self.coroutine())': lambda self: self.step("make", coroutine()),
    'self.step("make", None)': step(None),
    'self.step(self.make, "make")': lambda self: self.step(create, "make"),
    'self.step("make", make, find=coroutine)': step(find=coroutine),
    'self.step("make", make, find=lambda: None)': step(find=lambda: None),
    'self.step("make", make, undo=coroutine)': step(undo=coroutine),
    'self.step("make", make, undo=lambda: None)': step(undo=lambda: None),
    'self.step("make", make, undo="delete")': step(undo="delete"),
    'self.step("make", make, window=3600)': step(window=3600),
    'self.step("make", make, repeat=True, once=True)': step(repeat=True, once=True),
    "a step inside a step": inner,
    "self.wait_until(coroutine)": lambda self: self.wait_until(coroutine),
    "self.wait_until(lambda step: True)": lambda self: self.wait_until(lambda step: True),
    'self.wait("5 minutes")': lambda self: self.wait("5 minutes"),
    'self.client("sqz")': lambda self: self.client("sqz"),
    'self.client("ssm", repeat="PutParameter")': lambda self: self.client(
        "ssm", region_name="eu-west-1", repeat="PutParameter"
    ),
    'self.wrap("sqs")': lambda self: self.wrap("sqs"),
    'self.resource("s3")': lambda self: self.resource("s3"),
    'self.step("make", make, refused=(OSError,))': lambda self: self.step(
        "make", lambda step: ran.append("a step"), refused=(OSError,)
    ),
    'self.value("name", "x")': lambda self: self.value("name", "x"),
    "self.properties.Nmae": lambda self: self.properties.Nmae,
    'self.raw_properties["Nmae"]': lambda self: self.raw_properties["Nmae"],
    "a decorated async create": lambda self: coroutine(),
    "return map(self.make, names)": lambda self: map(ran.append, ["a name"]),
    "return self.make": lambda self: create,
}

DOUBTED: dict[str, Callable[[Any], object]] = {
    'self.step("make", lambda step: coroutine())': lambda step: coroutine(),
    'self.step("make", lambda step: generator())': lambda step: generator(),
    'self.step("make", lambda step: filter(make, names))': lambda step: filter(None, ["a name"]),
}

SPARED: dict[str, dict[str, Callable[[Any], object]]] = {
    "replaces: return filter(...)": {"replaces": lambda self: filter(None, self.changed)},
    "replaces: return coroutine()": {"replaces": lambda self: coroutine()},
    'replaces: return self.changed & {"Name"}': {"replaces": lambda self: self.changed & {"Name"}},
    "replaces: no return": {"replaces": lambda self: None},
    "delete: return [coroutine()]": {"delete": lambda self: [coroutine()]},
    'delete: return {"a": (coroutine(),)}': {"delete": lambda self: {"a": (coroutine(),)}},
    "delete: return NotImplemented": {"delete": lambda self: NotImplemented},
}

RETURNED: dict[str, object] = {
    "nothing, where Id is declared": None,
    '{"ID": "1"}': {"ID": "1"},
    '{"Id": 1}': {"Id": 1},
    'Properties(Name="x")': Properties(Name="x"),
    '["1"]': ["1"],
}


def is_said(written, told):
    """Tell whether something is told as the docs say; three dots stand for anything."""
    parts = map(re.escape, SAID[written].replace("\\|", "|").split("..."))
    return re.search(".*".join(parts), told, re.DOTALL)


def test_the_docs_know_each_of_them():
    """
    The tables in the docs and the code here name the same mistakes.
    """
    assert {*DEFINED, *HOOKS, *DOUBTED, *SPARED, *RETURNED} == set(SAID)


@pytest.mark.parametrize("written", DEFINED)
def test_refused_when_it_is_defined(written):
    """
    What could never work is refused before anything is deployed, with what to write instead.
    """
    with pytest.raises(ConfigurationError) as raised:
        DEFINED[written]()

    assert is_said(written, str(raised.value)), str(raised.value)


@pytest.mark.parametrize("written", HOOKS)
def test_failed_before_anything_has_run(written):
    """
    The Create is FAILED with what to write; nothing was done, and its Delete has nothing to name.
    """
    ran.clear()
    stack = FakeCloudFormation(defined(create=HOOKS[written]))

    answer = stack.create("Thing", {"Name": "a"})

    assert not answer.succeeded
    assert is_said(written, answer.reason), answer.reason
    assert [] == ran
    assert (True, "") == (stack.answers[-1][1].succeeded, stack.answers[-1][1].reason)


@pytest.mark.parametrize("how", [{}, {"find": lambda step: live[0]}], ids=["once", "find"])
@pytest.mark.parametrize("written", DOUBTED)
def test_what_a_step_did_before_it_returned_what_stands_for_work(written, how):
    """
    It is in doubt: the Delete finds what was made, and removes it; without `find=`, it names it.
    """

    def make(step):
        live.append("thing-1")
        return DOUBTED[written](step)

    live.clear()
    provider = defined(
        create=step(make, **how), delete=lambda self: live.remove(self.partial["make"])
    )
    stack = FakeCloudFormation(provider)

    answer = stack.create("Thing", {"Name": "a"})
    deleted = stack.answers[-1][1]

    assert not answer.succeeded
    assert is_said(written, answer.reason), answer.reason
    assert how or "in doubt: make#0" in deleted.reason
    assert deleted.succeeded
    assert (not live) is ("find" in how)


@pytest.mark.parametrize("written", SPARED)
def test_failed_and_nothing_is_replaced_or_removed(written):
    """
    What is no answer is not taken for one: the Update, or the Delete, is FAILED.
    """
    made = []
    hooks = {"create": lambda self: made.append("made"), "delete": lambda self: made.append("gone")}
    members = {**hooks, "update": lambda self: None, **SPARED[written]}
    stack = FakeCloudFormation(defined(properties=Properties, attributes=dict, **members))
    stack.create("Thing", {"Name": "a"})

    updates = "replaces" in SPARED[written]
    answer = stack.update("Thing", {"Name": "b"}) if updates else stack.delete("Thing")

    assert not answer.succeeded
    assert is_said(written, answer.reason), answer.reason
    assert ["made"] == made


@pytest.mark.parametrize("written", RETURNED)
def test_failed_after_the_hook_has_acted(written):
    """
    Attributes that are not what is declared are FAILED after all was made: the id is kept, and the
    Delete removes it, though no step tells of it.
    """
    gone = []
    provider = defined(
        attributes=Attributes,
        create=lambda self: RETURNED[written],
        delete=lambda self: gone.append(self.physical_resource_id),
    )
    stack = FakeCloudFormation(provider)

    answer = stack.create("Thing", {"Name": "a"})

    assert not answer.succeeded
    assert is_said(written, answer.reason), answer.reason
    assert [answer.physical_resource_id] == gone
    assert not answer.physical_resource_id.startswith("cfn-once.")
