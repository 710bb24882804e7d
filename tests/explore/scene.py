"""What is explored: a resource with its hooks, the API it calls, and CloudFormation's script.

The resource is a main object, whose id is the physical id, with parts that go when it goes.
Nothing here is shared or changed in place: API and script are values, part of the state that
is hashed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from cfn_once._cloudformation.identity import Token, operation_digest
from explore.laws import BEGINNING, RESOURCE, Post, Sent, Stack, State, Thing, World, kind_of

SETTLE = 5_000  # ms in which a call of the dead lands, or never (A3)
THING, OTHER = "Custom::Thing", "Custom::Other"  # two types that the provider serves
STRAY = "stray"  # an id that nobody knows
THEIRS = "theirs"  # what another handler made, in the place of ours


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


class Place(NamedTuple):
    """One request of the script, and where CloudFormation goes from it.

    Attributes:
        good: The place after SUCCESS; None where it is the last.
        bad: The place after FAILED, or without an answer; its own name where it waits for SUCCESS.
        id: The id it carries: the one held, the one before it, the oldest, the one that the request
            before carried, or, in a rollback, the old one, whether the new one was heard of or not;
            "stray", which nobody knows; "told:PLACE", and "held:PLACE" where nothing is held: the
            one under which that place's request was kept as failed; "theirs": another handler's, in
            the place of ours.
        begins: CloudFormation goes on only when it has begun, which makes a Create that
            never reached the ledger no part of the space (ledger.md, N9).
        hears: CloudFormation goes on only with an answer.
        timeout: Seconds that it waits for one.
        forged: Somebody else sends it, at any time: nobody waits for its answer.
        retains: CloudFormation lets go, without a Delete, of what was replaced before.
        resource_type: The type in the template.
        loses: The ledger is lost before it; the one before it has to be heard, and has no copies.
    """

    request_id: str
    type: str
    order: int | None
    good: str | None
    bad: str | None
    id: str = "held"
    properties: str = ""
    old: str = ""
    begins: bool = False
    hears: bool = False
    timeout: int = 3600
    forged: bool = False
    retains: bool = False
    loses: bool = False
    resource_type: str = THING


class Script:
    """CloudFormation: it may go on at any moment, with the answer or without, and never back.

    Args:
        first: The place where it begins.
        places: All of them.
        dated: Requests bear the time at which they were issued.
        holds: The id of what another handler has made before, of the properties P.
    """

    def __init__(
        self, first: str, places: dict[str, Place], *, dated: bool = True, holds: str = ""
    ) -> None:
        self.places, self._first, self._dated, self.holds = places, first, dated, holds
        asked = (place.id.partition(":") for place in places.values())
        self._kept = {of for _, _, of in asked if of}

    def begin(self) -> Stack:
        held = (self.holds,) if self.holds else ()
        stack = Stack(now="", sent=(), held=held, heard=held, properties="P")
        for name, place in self.places.items():
            if place.forged:
                stack = self._to(stack, name)
        return self._to(stack._replace(properties="P" if held else ""), self._first)

    @property
    def older(self) -> Sequence[str]:
        """The ids of what other handlers make."""
        taken = THEIRS in [place.id for place in self.places.values()]
        return [*filter(None, [self.holds]), *([THEIRS] if taken else [])]

    def goes_on(self, state: State) -> Iterator[tuple[str, Stack]]:
        stack = state.stack
        if not stack.now:
            return
        place = self.places[stack.now]
        answer = next((post for post in state.posts if post.place == stack.now), None)
        good = answer is not None and answer.is_good
        following = place.good if good else place.bad
        if following == stack.now or (place.hears and answer is None):
            return
        if place.begins and f'"{place.request_id}"' not in str(state.head):
            return
        if answer is not None and good and place.type != "Delete":
            stack = _hears(stack, _id_of(answer))
        elif answer is not None and good and following is not None:
            stack = _lets_go(stack, _id_of(answer))
        if stack.now in self._kept:
            kept = (stack.now, _told_or_invented(answer, stack.now))
            stack = stack._replace(told=(*stack.told, kept))
        if following in ("q", "o") and len(stack.held) < 2:
            following = "d"  # it never heard of the replacement
        if following is None:
            yield "CloudFormation is done", stack._replace(now="")
            return
        if self.places[following].id == "swapped":  # the rollback carries the old id, heard or not
            stack = stack._replace(held=stack.held[::-1])
        went = self._to(stack, following, answer)
        yield f"CloudFormation sends {spell(went.sent[-1])}", went

    def _to(self, stack: Stack, name: str, answer: Post | None = None) -> Stack:
        place = self.places[name]
        held = stack.held
        kind, _, of = place.id.partition(":")
        match kind if place.type != "Create" else "none":
            case "none":
                event_id = None
            case "told":
                event_id = dict(stack.told)[of]
            case "theirs":
                event_id = THEIRS
                heard = tuple(told for told in stack.heard if told not in held)
                stack, held = stack._replace(heard=heard, displaced=held), (THEIRS,)
            case "stray":
                event_id = STRAY
            case "before":
                event_id = held[1] if len(held) > 1 else held[0]
            case "oldest":
                event_id = held[-1]
            case "same":
                event_id = stack.sent[-1].physical_resource_id
            case _:
                known = dict(stack.told).get(of) or _told_or_invented(answer, name)
                event_id = held[0] if held else known
        kind = place.properties or stack.properties
        sent = Sent(
            name,
            place.type,
            place.request_id,
            place.order if self._dated else None,
            event_id,
            as_properties(kind),
            as_properties(place.old) if place.old else (),
            place.timeout,
            place.resource_type,
        )
        if name == "x":
            gone = {request.physical_resource_id for request in stack.sent}
            retained = (*held[:1], *(old for old in held[1:] if old not in gone))
            stack = stack._replace(retained=retained)
        if place.retains:
            stack, held = stack._replace(retained=(*stack.retained, *held[1:])), held[:1]
        if name in ("x", "y", "d", "g"):
            held = ()
        if (place.type == "Delete" and place.properties) or place.forged:
            kind = stack.properties
        again = tuple(request for request in stack.sent if request.place != name)
        return stack._replace(now=name, sent=(*again, sent), held=held, properties=kind)


def _hears(stack: Stack, physical_id: str) -> Stack:
    if physical_id in stack.held[:1]:
        return stack
    heard = tuple(sorted({*stack.heard, physical_id}))
    return stack._replace(held=(physical_id, *stack.held[:1]), heard=heard)


def _lets_go(stack: Stack, physical_id: str) -> Stack:
    return stack._replace(heard=tuple(told for told in stack.heard if told != physical_id))


def _told_or_invented(answer: Post | None, place: str) -> str:
    return invented(place) if answer is None else _id_of(answer)


def invented(place: str) -> str:
    """Return an id as CloudFormation makes one up for a Create that nobody answered."""
    return f"stack-Thing-{place.upper():0<12}"


def _id_of(answer: Post) -> str:
    return answer.body.partition('"PhysicalResourceId":"')[2].partition('"')[0]


def as_properties(kind: str) -> tuple[tuple[str, str], ...]:
    """Spell a kind such as `P`, or `P2` with a size that can be changed in place."""
    return (("Kind", kind[:1]), ("Size", kind[1:] or "1"))


def spell(sent: Sent) -> str:
    """Spell a request for people."""
    of = f" of {sent.physical_resource_id}" if sent.physical_resource_id else ""
    return f"{sent.type} {sent.request_id}{of}"


class Scene:
    """A space: what the hooks do, and what CloudFormation sends.

    Args:
        kit: The package under test, or a copy of it with a seeded bug.
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

    def __init__(
        self,
        kit: ModuleType,
        script: Script,
        *,
        strategy: str = "token",
        steps: int = 2,
        window: float = 600.0,
        forgets: bool = False,
        transient: bool = True,
        tags: bool = False,
        reads: bool = False,
        undo: str = "",
        swallows: bool = False,
        long: bool = False,
        named: bool | str = False,
        lag: float = 0.0,
        waits: float = 0.0,
        updates: bool = True,
        outside: bool = False,
        may_replace: bool = False,
        secret: str = "",
        odd: str = "",
        lazy: str = "",
        unusable: str = "",
        throttles: bool = False,
        told: int = 0,
        refuses: bool = False,
        drawn: bool = False,
        versions: Sequence[Code] = (),
    ) -> None:
        self.script, self.places = script, list(script.places)
        self.names = {
            name: spell(Sent(name, place.type, place.request_id, None, None, (), ()))
            for name, place in script.places.items()
        }
        doubles = [n for n in self.names.values() if list(self.names.values()).count(n) > 1]
        for name, words in self.names.items():
            if words in doubles:
                self.names[name] = f"{words} at {script.places[name].order}"
        self.strategy, self.once = strategy, strategy == "once"
        self._window, self._forgets, self._transient = window, forgets, transient
        self._lag, self._waits = int(lag * 1000), waits
        older = [Thing(name, name, "", "", "a", shape="P") for name in script.older]
        self.world, self.stack = World(live=tuple(sorted(older))), script.begin()
        self.far: Any = None
        self._tags, self._reads, self._undo = tags, reads, undo
        self._leaves_parts = undo.startswith("parts")
        self._swallows, self._long, self._named = swallows, long, named
        self._secret, self._odd, self._throttles = secret, odd, throttles
        self.unusable, self.outside, self.may_replace = unusable, outside, may_replace
        self._lazy = lazy
        self.told = {"Text": "x" * told} if told else None
        self.failures: dict[str, tuple[type[BaseException], str]] = {
            "throttled": (Throttled, "slow down"),
            "cut": (Cut, "enough"),
        }
        self._refuses, self._drawn = refuses, drawn
        if refuses:
            self.failures["denied"] = (Refused, "refused")
        self._call = import_module(f"{kit.__name__}._steps.call")
        self._errors = import_module(f"{kit.__name__}._errors")
        alone = [Code("abcdefgh"[:steps], updates)]
        types = sorted({place.resource_type for place in script.places.values()})
        self.classes = [
            [self._class(kit, version, resource_type) for resource_type in types]
            for version in versions or alone
        ]

    def _class(self, kit: ModuleType, version: Code, served_as: str) -> type:
        scene, names = self, version.steps

        class Thing(kit.CustomResource[Properties, dict if scene.told else None]):
            resource_type = served_as
            replace_on = frozenset() if scene.may_replace else version.replace_on
            no_echo = version.no_echo
            always_delete, update_may_replace = scene.outside, scene.may_replace

            def create(self) -> Any:
                if scene._drawn:
                    return self.put_under_a_drawn_name()
                if scene._reads:
                    self._steps.read("read", lambda: scene.far("read", READ))
                root = scene.name_of(self.raw_properties["Kind"])
                if scene._undo == "piece":
                    root = self.make("piece", "")
                for name in names:
                    self.tag(f"before {name}")
                    if scene._waits and name != "a":
                        self.wait(scene._waits)
                    if name == "a" and scene._swallows:
                        self.make_and_unwind(name, root)
                    elif name == "a":
                        self.physical_resource_id = self.make(name, root).partition("@")[0]
                    elif scene._swallows:
                        self.make_somehow(name)
                    else:
                        self.make(name, self.physical_resource_id)
                self.tag("at the end")
                return scene.told

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
                if scene._leaves_parts and not self.recovered:
                    self.call("strip", self.physical_resource_id)
                root = self.physical_resource_id
                if scene._named == "twins" and root == "name":
                    root = scene.name_of(self.raw_properties["Kind"])
                self.call("remove", root)
                if scene._tags or scene.outside:
                    self.call("clear", self.raw_properties["Kind"])

            def make(self, name: str, root: str) -> str:
                how: dict[str, Any] = {}
                if "token" in scene.strategy:
                    how["window"] = timedelta(seconds=scene._window)
                if "find" in scene.strategy:
                    how["find"] = lambda step: self.ask("find", name, step, "")
                if not how:
                    how["once"] = True
                if scene._refuses:
                    how["refused"] = (Refused,)
                if name in scene._secret:
                    how["secret"] = True
                if name == "piece" or (name != "a" and scene._leaves_parts):
                    how["undo"] = self.undo
                if name in scene.unusable:
                    return self.step(name, lambda: "nothing", **how)
                if scene._throttles:
                    return scene.step_over_http(self, name, root, how)
                if name in scene._odd:  # a set is no JSON
                    return self.step(name, lambda step: {self.ask("make", name, step, root)}, **how)
                if name in scene._lazy:
                    return self.step(
                        name, lambda step: iter(self.ask("make", name, step, root)), **how
                    )
                return self.step(name, lambda step: self.ask("make", name, step, root), **how)

            def undo(self, made: str) -> None:
                asked, days = self.asking("remove", made), timedelta(days=9)
                if scene._undo == "parts, by steps":
                    self.step("remove", lambda _: scene.far(*asked), window=days)
                else:
                    scene.far(*asked)

            def tag(self, name: str) -> None:
                where = self.raw_properties["Kind"]
                if scene.outside:
                    self.act("tag", where)
                if scene._tags:
                    self.step(name, lambda step: self.ask("tag", name, step, where), repeat=True)

            def call(self, kind: str, root: str) -> None:
                asked = self.asking(kind, root)
                self.step(kind, lambda _: scene.far(*asked), repeat=True)

            def act(self, kind: str, root: str, asked: str = "") -> None:
                """Act outside a step, which nothing but the way of reads allows here."""
                label, call = self.asking(kind, root, asked)
                self._steps.read(label, lambda: scene.far(label, call))

            def asking(self, kind: str, root: str, asked: str = "") -> tuple[str, Call]:
                call = Call(kind, self.request.request_id, kind, "", "", root.strip(), asked)
                return f"{kind} {root.strip()}", call

            def ask(self, kind: str, name: str, step: Any, root: str) -> Any:
                request_id = self.request.request_id
                token = step.token if "token" in scene.strategy and kind == "make" else ""
                properties = tuple(sorted(self.raw_properties.items()))
                asked = kind_of(properties) if kind in ("make", "put") else ""
                life = self._steps.journal.operation.generation
                call = Call(kind, request_id, name, step.token, token, root.strip(), asked, life)
                made = scene.far(f"{kind} {name} of {request_id}", call)
                return made + " " * LONG if made and scene._long and name != "a" else made

        def update(self: Any) -> Any:
            if scene.may_replace and "Kind" in self.changed:
                return self.create()
            if scene.outside:
                asked = kind_of(tuple(sorted(self.raw_properties.items())))
                self.act("reshape", self.physical_resource_id, asked)
            self.make("change", self.physical_resource_id)
            return scene.told

        if version.updates:
            Thing.update = update
        return Thing

    def name_of(self, kind: str) -> str:
        """Return under which name the external API makes an object; empty where it chooses one."""
        if self._named == "upsert":
            return "name"
        if self._named == "twins":  # of one name in two places, P's and another
            return "name" if kind == "P" else f"name@{kind}"
        return f"name-{kind}" if self._named else ""

    def step_over_http(self, resource: Any, name: str, root: str, how: dict[str, Any]) -> Any:
        """Make a step as `self.http` does: the status of an answer says what it means."""
        call, errors = self._call, self._errors

        def verdict(error: Exception) -> Any:
            if isinstance(error, Throttled):
                return call.Verdict.THROTTLED
            denied = isinstance(error, errors.PermanentError)
            return call.Verdict.DEFINITIVE if denied else call.Verdict.IN_DOUBT

        window, find = how.get("window"), how.get("find")
        seconds = None if window is None else window.total_seconds()
        once = how.get("once", False)
        repetition, _ = call.declared_repetition(repeat=False, once=once, window=seconds)
        return resource._steps.run(
            call.Call(
                name=name,
                run=lambda step: resource.ask("make", name, step, root),
                repetition=repetition,
                window=seconds,
                find=find,
                verdict=verdict,
            )
        )

    # CloudFormation

    def sent(self, stack: Stack, place: str) -> Sent | None:
        return next((request for request in stack.sent if request.place == place), None)

    def last(self, stack: Stack) -> Sent:
        return stack.sent[-1]

    def goes_on(self, state: State) -> Iterator[tuple[str, Stack]]:
        return self.script.goes_on(state)

    def loses(self, stack: Stack) -> bool:
        return bool(stack.now) and self.script.places[stack.now].loses

    def listens(self, stack: Stack, place: str) -> bool:
        ways = self.script.places[place]
        return stack.now == place and (ways.good, ways.bad) != (None, None)

    def deletes(self, state: State) -> Iterator[tuple[Sent, Stack]]:
        """Yield the Deletes with which it all ends, after the answer to the last request."""
        stack, last = state.stack, state.stack.sent[-1]
        answer = next((post for post in state.posts if post.place == last.place), None)
        if last.place == "d" and answer is not None and answer.is_good:
            return
        if answer is not None and answer.is_good and last.type != "Delete":
            stack = _hears(stack, _id_of(answer))
        held = stack.held
        if not held and last.type == "Delete":
            held = (str(last.physical_resource_id),)
        age = (state.now - BEGINNING) // 1000
        order = None if last.order is None else age + 50
        properties = as_properties(stack.properties)
        makers = (request for request in reversed(stack.sent) if request.type != "Delete")
        kind = next(makers, last).resource_type
        for old in held[1:]:
            clean_up = Sent("old", "Delete", "D98", order, old, properties, (), 3600, kind)
            stack = stack._replace(sent=(*stack.sent, clean_up), held=held[:1])
            yield clean_up, stack
        event_id = held[0] if held else _told_or_invented(answer, "end")
        order = None if last.order is None else age + 51
        delete = Sent("end", "Delete", "D99", order, event_id, properties, (), 3600, kind)
        yield delete, stack._replace(sent=(*stack.sent, delete), held=())

    # The external API

    def call(self, world: World, call: Call, life: int, now: int) -> tuple[World, Any]:
        if self.once and call.kind == "make":
            world = _counted(world, call, life)
        return self._act(world, call, life, now)

    def _act(self, world: World, call: Call, life: int, now: int) -> tuple[World, Any]:
        match call.kind:
            case "find":
                found = (
                    t.id
                    for t in world.live
                    if t.tag == call.tag and (not t.hidden or now >= t.hidden)
                )
                return world, next(found, None)
            case "remove":
                goes = "id" if self._leaves_parts else "root"
                live = tuple(t for t in world.live if call.root not in (t.id, getattr(t, goes)))
                return world._replace(live=live), None
            case "strip":
                live = tuple(t for t in world.live if t.root != call.root or t.id == t.root)
                return world._replace(live=live), None
            case "clear":
                tags = tuple(n for n in world.tags if n.partition(":")[0] != call.root)
                return world._replace(tags=tags), None
            case "tag":
                tags = tuple(sorted({*world.tags, f"{call.root}:{call.step}"}))
                return world._replace(tags=tags), None
            case "reshape":
                live = (
                    t._replace(shape=call.asked) if t.id == call.root else t for t in world.live
                )
                return world._replace(live=tuple(live)), None
            case "read":
                return world, None
            case "put" if call.root in {thing.id for thing in world.live}:
                return world, call.root
        return self._make(world, call, life, now)

    def _make(
        self, world: World, call: Call, life: int, now: int, lag: int = 0
    ) -> tuple[World, Any]:
        for token, result, _ in world.tokens:
            if token == call.token:
                return world, result
        names = {thing.id for thing in world.live} if self._named else set()
        is_there = call.step == "a" and call.root in names
        if is_there and self._named != "upsert":
            return world, ("taken",)  # there is one of this name
        key = (call.request_id, call.step, life)
        made = {effect[:3]: effect[3] for effect in world.made}
        number = made[key] = made.get(key, 0) + 1
        name = f"{call.request_id}.{call.step}" + (f".{life}" if life else "")
        name += f".{number}" if number > 1 else ""
        hidden = now + lag if lag else 0
        name = call.root if (self._named and call.step == "a") or call.kind == "put" else name
        live, root = world.live, call.root
        if self._undo == "piece" and call.step == "a":  # it takes its piece in
            live = tuple(t._replace(root=name) if t.id == root else t for t in live)
            root = name
        if call.step == "change" or is_there:
            live = tuple(t._replace(shape=call.asked) if t.id == root else t for t in live)
        shape = call.asked if name == root or not root else ""
        thing = Thing(name, root or name, call.tag, call.request_id, call.step, hidden, shape)
        if is_there:  # it is looked up by the token that changed it last
            live = tuple(t._replace(tag=call.tag) if t.id == name else t for t in live)
        world = world._replace(
            live=tuple(sorted(live if is_there else (*live, thing))),
            made=tuple(sorted((*k, n) for k, n in made.items())),
            tokens=self._with_token(world, call, name, now),
        )
        return world, name

    def _with_token(self, world: World, call: Call, result: Any, now: int) -> tuple[Any, ...]:
        if not call.token:
            return world.tokens
        since = now if self._forgets else 0
        return tuple(sorted((*world.tokens, (call.token, result, since)), key=repr))

    def faults(
        self, world: World, call: Call, life: int, now: int
    ) -> Iterator[tuple[str, str, World, Any]]:
        doubt = ("timeout",) if self._transient else ("broken",)
        if call.kind in ("find", "read"):
            yield "nolook", "which fails", world, doubt
            yield "later", "which says: not now", world, ("later",)
            return
        if call.kind != "make":
            done, _ = self._act(world, call, life, now)
            yield "slip", "which times out but was done", done, doubt
            yield "slip", "which times out and was not done", world, doubt
            yield "slip", "which is refused", world, ("denied",)
            return
        called = _counted(world, call, life) if self.once else world
        done, _ = self._act(called, call, life, now)
        yield "doubt", "which times out but was done", done, doubt
        yield "doubt", "which times out and was not done", called, doubt
        yield "cut", "which is cut short but was done", done, ("cut",)
        flying = called._replace(air=tuple(sorted((*called.air, (now + SETTLE, call, life)))))
        yield "late", "which times out and may yet be done", flying, doubt
        if self._throttles:
            yield "throttle", "which is throttled", world, ("throttled",)
        yield "flight", "and dies while the call is on its way", flying, None
        yield "later", "which says: not now", world, ("later",)
        if self._lag:
            done, _ = self._make(called, call, life, now, self._lag)
            yield "lag", "which times out, was done, and is not visible yet", done, doubt
        if call.token not in [token for token, _, _ in world.tokens]:
            # Providers replay errors, too.
            tokens = self._with_token(world, call, ("denied",), now)
            yield "fail", "which is refused", world._replace(tokens=tokens), ("denied",)

    def land(self, world: World, now: int) -> Iterator[tuple[str, World]]:
        for number, (_, call, life) in enumerate(world.air):
            rest = world._replace(air=world.air[:number] + world.air[number + 1 :])
            landed, _ = self._act(rest, call, life, now)
            yield f"landed: the make {call.step} of {call.request_id} on its way is done", landed
        if self._forgets:
            kept = tuple(t for t in world.tokens if now <= t[2] + self._window * 1000)
            if kept != world.tokens:
                yield "forgot: the external API no longer knows tokens", world._replace(tokens=kept)

    def pass_time(self, world: World, now: int) -> World:
        air = tuple(call for call in world.air if call[0] >= now)
        live = tuple(
            t._replace(hidden=0) if t.hidden and t.hidden <= now else t for t in world.live
        )
        return world._replace(air=air, live=tuple(sorted(live)))

    def times(self, world: World) -> Sequence[int]:
        return ()

    # An operator, who sees what there is

    unsettled = object()

    def settled(self, world: World, step: Any) -> Any:
        """Return the result of a step in doubt, as JSON; None where it was not made.

        What may still be done, and what he cannot name, he leaves alone.
        """
        operation = step.operation
        if any(call.request_id == operation.request_id for _, call, _ in world.air):
            return self.unsettled
        if not step.key:
            known = {(key.partition("#")[0]) for key in operation.steps}
            made = {name for rid, name, *_ in world.made if rid == operation.request_id}
            return None if made <= known else self.unsettled
        record = operation.steps[step.key]
        digest = operation_digest(RESOURCE, operation.request_id)
        tag = Token.of(digest, step.key, record.generation).uuid
        found = [thing.id for thing in world.live if thing.tag == tag]
        return f'"{found[0]}"' if found else None

    def never_called(self, world: World, step: Any) -> World:
        """Return the external API where a call counts as refused: an operator knows it."""
        asked = (step.operation.request_id, step.key.partition("#")[0])
        return world._replace(sent=tuple(call for call in world.sent if call[:2] != asked))


def _counted(world: World, call: Call, life: int) -> World:
    key = (call.request_id, call.step, life)
    sent = {request[:3]: request[3] for request in world.sent}
    sent[key] = sent.get(key, 0) + 1
    return world._replace(sent=tuple(sorted((*k, n) for k, n in sent.items())))
