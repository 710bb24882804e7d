"""The resource that is explored: its class, what its hooks do, and what they ask of the API.

It is a main object, whose id is the physical id, with parts that go when it goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import ModuleType, new_class
from typing import Any, NamedTuple

from explore.laws import kind_of


class Call(NamedTuple):
    """What a hook asks of the external API."""

    kind: str
    request_id: str
    step: str
    tag: str
    token: str
    root: str
    asked: str = ""
    life: int = 0


LONG = 1_100  # blanks that take a result out of the head
READ = Call("read", "", "", "", "", "")


class Cut(BaseException):
    """Ends the function of a step from outside, as a cancelled task does."""


class Throttled(OSError):
    """The external API asks not to be called for longer than anybody has time."""

    retry_after = 60.0


class Refused(Exception):
    """The external API has done nothing, and says so in its own way."""


@dataclass(frozen=True)
class Properties:
    """What the template may say: a size that is no number is refused."""

    Kind: str
    Size: int


class Code(NamedTuple):
    """One version of the class.

    Attributes:
        steps: What a Create makes, in this order: the object, `a`, and its parts.
        updates: It has an `update`.
        replace_on: What takes a new object.
        no_echo: Its attributes are secret.
    """

    steps: str
    updates: bool = True
    replace_on: frozenset[str] = frozenset({"Kind"})
    no_echo: bool = False


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What the hooks do, and how the external API behaves.

    Attributes:
        strategy: token, find, token+find or once.
        steps: How many things a Create makes: the object and its parts.
        window: Seconds for which the external API remembers a token.
        forgets: The external API forgets tokens once their window is over.
        transient: A doubt is a network error; else an error of the step's own code.
        tags: Calls that are repeated at will stand before each step and at the end.
        reads: The hook reads the external API before its first step.
        undo: "piece": the object takes in a piece that is made before it, and that has an undo;
            "parts": the parts have one, and after a Create that stopped `delete` leaves them to it;
            "parts, by steps": so, and each removes its part in a step of its own.
        swallows: The hook catches what its parts raise, and has a `finally` that sets another id.
        long: Parts return more than fits the head.
        named: An object's id is its kind, so that one made anew has the id of one that is gone;
            "twins": all have one id, in a place of their kind; "upsert": in one place, where what
            is there is changed.
        lag: Seconds for which no look-up finds what was made.
        waits: Seconds that the hook waits before each part, suspended.
        updates: The class has an `update`.
        outside: The hooks act outside steps as well, and the class says `always_delete`.
        may_replace: `update` itself makes the new object, and the class says so.
        secret, odd: Steps whose result must not be kept, or cannot be.
        lazy: Steps whose function makes, and returns what stands for work that nothing does.
        unusable: Steps that are given a function which cannot be called with a step.
        throttles: The external API may refuse calls for now: a step is judged as over HTTP.
        told: How many characters its attributes have.
        refuses: The external API refuses with an error of its own, which each step names.
        drawn: The object has a name that each delivery would choose otherwise, and is put there at
            will.
        versions: Versions of the class, where there are several.
    """

    strategy: str = "token"
    steps: int = 2
    window: float = 600.0
    forgets: bool = False
    transient: bool = True
    tags: bool = False
    reads: bool = False
    undo: str = ""
    swallows: bool = False
    long: bool = False
    named: bool | str = False
    lag: float = 0.0
    waits: float = 0.0
    updates: bool = True
    outside: bool = False
    may_replace: bool = False
    secret: str = ""
    odd: str = ""
    lazy: str = ""
    unusable: str = ""
    throttles: bool = False
    told: int = 0
    refuses: bool = False
    drawn: bool = False
    versions: Sequence[Code] = ()

    @property
    def once(self) -> bool:
        return self.strategy == "once"

    @property
    def leaves_parts(self) -> bool:
        """Tell whether `delete` leaves the parts of a Create that stopped to their undo."""
        return self.undo.startswith("parts")

    @property
    def attributes(self) -> dict[str, str] | None:
        return {"Text": "x" * self.told} if self.told else None

    def name_of(self, kind: str) -> str:
        """Return under which name the external API makes an object; empty where it chooses one."""
        if self.named == "upsert":
            return "name"
        if self.named == "twins":  # of one name in two places, P's and another
            return "name" if kind == "P" else f"name@{kind}"
        return f"name-{kind}" if self.named else ""


class Hooks:
    """The hooks of a class; the package under test is added to it, or a copy with a seeded bug.

    Attributes:
        parts: What a Create makes, in this order.
        external_api: Where every call goes: to the explorer.
        calls, errors: The modules of the package under test.
    """

    habits: Habits
    parts: str
    external_api: Callable[..., Any]
    calls: ModuleType
    errors: ModuleType

    def create(self) -> Any:
        if self.habits.drawn:
            return self.put_under_a_drawn_name()
        if self.habits.reads:
            self._steps.read("read", lambda: self.external_api("read", READ))
        root = self.habits.name_of(self.raw_properties["Kind"])
        if self.habits.undo == "piece":
            root = self.make("piece", "")
        for name in self.parts:
            self.tag(f"before {name}")
            if self.habits.waits and name != "a":
                self.wait(self.habits.waits)
            if name == "a" and self.habits.swallows:
                self.make_and_unwind(name, root)
            elif name == "a":
                self.physical_resource_id = self.make(name, root).partition("@")[0]
            elif self.habits.swallows:
                self.make_somehow(name)
            else:
                self.make(name, self.physical_resource_id)
        self.tag("at the end")
        return self.habits.attributes

    def put_under_a_drawn_name(self) -> None:
        name = self.value("name", lambda: f"drawn-{self._steps.journal.lease._owner[-2:]}")
        self.physical_resource_id = name
        self.step("a", lambda step: self.ask("put", "a", step, name), repeat=True)

    def make_and_unwind(self, name: str, root: str) -> None:
        try:
            main = self.physical_resource_id = self.make(name, root)
        finally:
            self.physical_resource_id = "another"
        self.physical_resource_id = main

    def make_somehow(self, name: str) -> None:
        main = self.physical_resource_id
        try:
            self.make(name, main)
        except Exception:
            pass
        finally:
            self.physical_resource_id = "another"
        self.physical_resource_id = main

    def delete(self) -> None:
        if self.habits.leaves_parts and not self.recovered:
            self.call("strip", self.physical_resource_id)
        root = self.physical_resource_id
        if self.habits.named == "twins" and root == "name":
            root = self.habits.name_of(self.raw_properties["Kind"])
        self.call("remove", root)
        if self.habits.tags or self.habits.outside:
            self.call("clear", self.raw_properties["Kind"])

    def make(self, name: str, root: str) -> str:
        how = self.how_to_make(name)
        if name in self.habits.unusable:
            return self.step(name, lambda: "nothing", **how)
        if self.habits.throttles:
            return self.step_over_http(name, root, how)
        if name in self.habits.odd:  # a set is no JSON
            return self.step(name, lambda step: {self.ask("make", name, step, root)}, **how)
        if name in self.habits.lazy:
            return self.step(name, lambda step: iter(self.ask("make", name, step, root)), **how)
        return self.step(name, lambda step: self.ask("make", name, step, root), **how)

    def how_to_make(self, name: str) -> dict[str, Any]:
        """Return what a step says of its call."""
        how: dict[str, Any] = {}
        if "token" in self.habits.strategy:
            how["window"] = timedelta(seconds=self.habits.window)
        if "find" in self.habits.strategy:
            how["find"] = lambda step: self.ask("find", name, step, "")
        if not how:
            how["once"] = True
        if self.habits.refuses:
            how["refused"] = (Refused,)
        if name in self.habits.secret:
            how["secret"] = True
        if name == "piece" or (name != "a" and self.habits.leaves_parts):
            how["undo"] = self.undo
        return how

    def undo(self, made: str) -> None:
        asked, days = self.asking("remove", made), timedelta(days=9)
        if self.habits.undo == "parts, by steps":
            self.step("remove", lambda _: self.external_api(*asked), window=days)
        else:
            self.external_api(*asked)

    def tag(self, name: str) -> None:
        where = self.raw_properties["Kind"]
        if self.habits.outside:
            self.act("tag", where)
        if self.habits.tags:
            self.step(name, lambda step: self.ask("tag", name, step, where), repeat=True)

    def call(self, kind: str, root: str) -> None:
        asked = self.asking(kind, root)
        self.step(kind, lambda _: self.external_api(*asked), repeat=True)

    def act(self, kind: str, root: str, asked: str = "") -> None:
        """Act outside a step, which nothing but the way of reads allows here."""
        label, call = self.asking(kind, root, asked)
        self._steps.read(label, lambda: self.external_api(label, call))

    def asking(self, kind: str, root: str, asked: str = "") -> tuple[str, Call]:
        call = Call(kind, self.request.request_id, kind, "", "", root.strip(), asked)
        return f"{kind} {root.strip()}", call

    def ask(self, kind: str, name: str, step: Any, root: str) -> Any:
        request_id = self.request.request_id
        token = step.token if "token" in self.habits.strategy and kind == "make" else ""
        properties = tuple(sorted(self.raw_properties.items()))
        asked = kind_of(properties) if kind in ("make", "put") else ""
        life = self._steps.journal.operation.generation
        call = Call(kind, request_id, name, step.token, token, root.strip(), asked, life)
        made = self.external_api(f"{kind} {name} of {request_id}", call)
        return made + " " * LONG if made and self.habits.long and name != "a" else made

    def step_over_http(self, name: str, root: str, how: dict[str, Any]) -> Any:
        """Make a step as `self.http` does: the status of an answer says what it means."""
        call, errors = self.calls, self.errors

        def verdict(error: Exception) -> Any:
            if isinstance(error, Throttled):
                return call.Verdict.THROTTLED
            denied = isinstance(error, errors.PermanentError)
            return call.Verdict.DEFINITIVE if denied else call.Verdict.IN_DOUBT

        window, find = how.get("window"), how.get("find")
        seconds = None if window is None else window.total_seconds()
        once = how.get("once", False)
        repetition, _ = call.declared_repetition(repeat=False, once=once, window=seconds)
        return self._steps.run(
            call.Call(
                name=name,
                run=lambda step: self.ask("make", name, step, root),
                repetition=repetition,
                window=seconds,
                find=find,
                verdict=verdict,
            )
        )


def update(self: Any) -> Any:
    if self.habits.may_replace and "Kind" in self.changed:
        return self.create()
    if self.habits.outside:
        asked = kind_of(tuple(sorted(self.raw_properties.items())))
        self.act("reshape", self.physical_resource_id, asked)
    self.make("change", self.physical_resource_id)
    return self.habits.attributes


def class_of(
    kit: ModuleType,
    habits: Habits,
    version: Code,
    resource_type: str,
    external_api: Callable[..., Any],
) -> type:
    """Return a version of the class, on the package or on a copy of it."""
    attributes = dict if habits.told else None
    own = {
        "habits": habits,
        "parts": version.steps,
        "external_api": staticmethod(external_api),
        "calls": import_module(f"{kit.__name__}._steps.call"),
        "errors": import_module(f"{kit.__name__}._errors"),
        "resource_type": resource_type,
        "replace_on": frozenset() if habits.may_replace else version.replace_on,
        "no_echo": version.no_echo,
        "always_delete": habits.outside,
        "update_may_replace": habits.may_replace,
    }
    bases = (Hooks, kit.CustomResource[Properties, attributes])
    thing = new_class("Thing", bases, {}, lambda body: body.update(own))
    if version.updates:
        thing.update = update
    return thing
