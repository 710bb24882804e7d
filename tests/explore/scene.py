"""What is explored: a resource with its hooks, the far side it calls, and CloudFormation's script.

The resource is a main object, whose id is the physical id, with parts that go when it goes.
Nothing here is shared or changed in place: far side and script are values, part of the state that
is hashed.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any, NamedTuple

from explore.laws import BEGINNING, Post, Sent, Stack, State, Thing, World

SETTLE = 5_000  # ms in which a call of the dead lands, or never (A3)


class Call(NamedTuple):
    """What a hook asks of the far side."""

    kind: str
    request_id: str
    step: str
    tag: str
    token: str
    root: str


LONG = 1_100  # blanks that take a result out of the head
READ = Call("read", "", "", "", "", "")


class Place(NamedTuple):
    """One request of the script, and where CloudFormation goes from it.

    Attributes:
        good: The place after SUCCESS; None where it is the last.
        bad: The place after FAILED, or without an answer; its own name where it waits for SUCCESS.
        id: The id it carries: the one held, the one before it, the oldest, the one that the request
            before carried, or, in a rollback, the old one, whether the new one was heard of or not.
        begins: CloudFormation goes on only when it has begun, which makes a Create that
            never reached the ledger no part of the space (ledger.md, N9).
        hears: CloudFormation goes on only with an answer.
        timeout: Seconds that it waits for one.
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


class Script:
    """CloudFormation: it may go on at any moment, with the answer or without."""

    def __init__(self, first: str, places: dict[str, Place], *, dated: bool = True) -> None:
        self.places, self._first, self._dated = places, first, dated

    def begin(self) -> Stack:
        return self._to(Stack(now="", sent=()), self._first)

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
        if following == "q" and len(stack.held) < 2:
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
        match place.id if place.type != "Create" else "none":
            case "none":
                event_id = None
            case "before":
                event_id = held[1] if len(held) > 1 else held[0]
            case "oldest":
                event_id = held[-1]
            case "same":
                event_id = stack.sent[-1].physical_resource_id
            case _:
                event_id = held[0] if held else _told_or_invented(answer, name)
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
        )
        if name == "x":
            stack = stack._replace(retained=held)
        if name in ("x", "y", "d", "g"):
            held = ()
        if place.type == "Delete" and place.properties:
            kind = stack.properties
        again = tuple(one for one in stack.sent if one.place != name)
        return stack._replace(now=name, sent=(*again, sent), held=held, properties=kind)


def _hears(stack: Stack, physical_id: str) -> Stack:
    if physical_id in stack.held[:1]:
        return stack
    heard = tuple(sorted({*stack.heard, physical_id}))
    return stack._replace(held=(physical_id, *stack.held[:1]), heard=heard)


def _lets_go(stack: Stack, physical_id: str) -> Stack:
    return stack._replace(heard=tuple(one for one in stack.heard if one != physical_id))


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
        window: Seconds for which the far side remembers a token.
        forgets: The far side forgets tokens once their window is over.
        transient: A doubt is a network error; else an error of the step's own code.
        tags: Calls that are repeated at will stand before each step and at the end.
        reads: The hook reads the far side before its first step.
        undo: "piece": the object takes in a piece that is made before it, and that has an undo;
            "parts": the parts have one, and after a Create that stopped `delete` leaves them to it.
        swallows: The hook catches what its parts raise, and has a `finally` that sets another id.
        long: Parts return more than fits the head.
        named: An object's id is its kind, so that one made anew has the id of one that is gone.
        lag: Seconds for which no look-up finds what was made.
        waits: Seconds that the hook waits before each part, suspended.
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
        named: bool = False,
        lag: float = 0.0,
        waits: float = 0.0,
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
        self.world, self.stack = World(), script.begin()
        self.far: Any = None
        self._tags, self._reads, self._undo = tags, reads, undo
        self._swallows, self._long, self._named = swallows, long, named
        self.classes = [self._class(kit, "abcdefgh"[:steps])]

    def _class(self, kit: ModuleType, names: str) -> type:
        scene = self

        class Thing(kit.CustomResource[None, None]):
            replace_on = {"Kind"}

            def create(self) -> None:
                if scene._reads:
                    self._steps.read("read", lambda: scene.far("read", READ))
                root = f"name-{self.raw_properties['Kind']}" if scene._named else ""
                if scene._undo == "piece":
                    root = self.make("piece", "")
                for name in names:
                    self.tag(f"before {name}")
                    if scene._waits and name != "a":
                        self.wait(scene._waits)
                    if name == "a" and scene._swallows:
                        self.make_and_unwind(name, root)
                    elif name == "a":
                        self.physical_resource_id = self.make(name, root)
                    elif scene._swallows:
                        self.make_somehow(name)
                    else:
                        self.make(name, self.physical_resource_id)
                self.tag("at the end")

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

            def update(self) -> None:
                self.make("change", self.physical_resource_id)

            def delete(self) -> None:
                if scene._undo == "parts" and not self.recovered:
                    self.call("strip", self.physical_resource_id)
                self.call("remove", self.physical_resource_id)
                if scene._tags:
                    self.call("clear", self.raw_properties["Kind"])

            def make(self, name: str, root: str) -> str:
                how: dict[str, Any] = {}
                if "token" in scene.strategy:
                    how["window"] = timedelta(seconds=scene._window)
                if "find" in scene.strategy:
                    how["find"] = lambda step: self.ask("find", name, step, "")
                if not how:
                    how["once"] = True
                if name == "piece" or (name != "a" and scene._undo == "parts"):
                    how["undo"] = lambda made: scene.far(*self.asking("remove", made))
                return self.step(name, lambda step: self.ask("make", name, step, root), **how)

            def tag(self, name: str) -> None:
                where = self.raw_properties["Kind"]
                if scene._tags:
                    self.step(name, lambda step: self.ask("tag", name, step, where), repeat=True)

            def call(self, kind: str, root: str) -> None:
                asked = self.asking(kind, root)
                self.step(kind, lambda _: scene.far(*asked), repeat=True)

            def asking(self, kind: str, root: str) -> tuple[str, Call]:
                call = Call(kind, self.request.request_id, kind, "", "", root.strip())
                return f"{kind} {root.strip()}", call

            def ask(self, kind: str, name: str, step: Any, root: str) -> Any:
                request_id = self.request.request_id
                token = step.token if "token" in scene.strategy and kind == "make" else ""
                call = Call(kind, request_id, name, step.token, token, root.strip())
                made = scene.far(f"{kind} {name} of {request_id}", call)
                return made + " " * LONG if made and scene._long and name != "a" else made

        return Thing

    # CloudFormation

    def sent(self, stack: Stack, place: str) -> Sent | None:
        return next((one for one in stack.sent if one.place == place), None)

    def last(self, stack: Stack) -> Sent:
        return stack.sent[-1]

    def goes_on(self, state: State) -> Iterator[tuple[str, Stack]]:
        return self.script.goes_on(state)

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
        for old in held[1:]:
            clean_up = Sent("old", "Delete", "D98", order, old, properties, ())
            stack = stack._replace(sent=(*stack.sent, clean_up), held=held[:1])
            yield clean_up, stack
        event_id = held[0] if held else _told_or_invented(answer, "end")
        order = None if last.order is None else age + 51
        delete = Sent("end", "Delete", "D99", order, event_id, properties, ())
        yield delete, stack._replace(sent=(*stack.sent, delete), held=())

    # The far side

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
                goes = "id" if self._undo == "parts" else "root"
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
            case "read":
                return world, None
        return self._make(world, call, life, now)

    def _make(
        self, world: World, call: Call, life: int, now: int, lag: int = 0
    ) -> tuple[World, Any]:
        for token, result, _ in world.tokens:
            if token == call.token:
                return world, result
        if self._named and call.root in {thing.id for thing in world.live} and call.step == "a":
            return world, ("taken",)  # there is one of this name
        key = (call.request_id, call.step, life)
        made = {one[:3]: one[3] for one in world.made}
        number = made[key] = made.get(key, 0) + 1
        name = f"{call.request_id}.{call.step}" + (f".{life}" if life else "")
        name += f".{number}" if number > 1 else ""
        hidden = now + lag if lag else 0
        name = call.root if self._named and call.step == "a" else name
        live, root = world.live, call.root
        if self._undo == "piece" and call.step == "a":  # it takes its piece in
            live = tuple(t._replace(root=name) if t.id == root else t for t in live)
            root = name
        thing = Thing(name, root or name, call.tag, call.request_id, call.step, hidden)
        tokens = world.tokens
        if call.token:
            tokens = tuple(sorted((*tokens, (call.token, name, now)), key=repr))
        world = world._replace(
            live=tuple(sorted((*live, thing))),
            made=tuple(sorted((*k, n) for k, n in made.items())),
            tokens=tokens,
        )
        return world, name

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
        flying = called._replace(air=tuple(sorted((*called.air, (now + SETTLE, call, life)))))
        yield "late", "which times out and may yet be done", flying, doubt
        yield "flight", "and dies while the call is on its way", flying, None
        yield "later", "which says: not now", world, ("later",)
        if self._lag:
            done, _ = self._make(called, call, life, now, self._lag)
            yield "lag", "which times out, was done, and is not visible yet", done, doubt
        if call.token not in [token for token, _, _ in world.tokens]:
            tokens = world.tokens
            if call.token:  # providers replay errors, too
                tokens = tuple(sorted((*tokens, (call.token, ("denied",), now)), key=repr))
            yield "fail", "which is refused", world._replace(tokens=tokens), ("denied",)

    def land(self, world: World, now: int) -> Iterator[tuple[str, World]]:
        for number, (_, call, life) in enumerate(world.air):
            rest = world._replace(air=world.air[:number] + world.air[number + 1 :])
            landed, _ = self._act(rest, call, life, now)
            yield f"landed: the make {call.step} of {call.request_id} on its way is done", landed
        if self._forgets:
            kept = tuple(t for t in world.tokens if now <= t[2] + self._window * 1000)
            if kept != world.tokens:
                yield "forgot: the far side no longer knows tokens", world._replace(tokens=kept)

    def pass_time(self, world: World, now: int) -> World:
        air = tuple(one for one in world.air if one[0] >= now)
        live = tuple(
            t._replace(hidden=0) if t.hidden and t.hidden <= now else t for t in world.live
        )
        return world._replace(air=air, live=tuple(sorted(live)))

    def times(self, world: World) -> Sequence[int]:
        return ()


def _counted(world: World, call: Call, life: int) -> World:
    key = (call.request_id, call.step, life)
    sent = {one[:3]: one[3] for one in world.sent}
    sent[key] = sent.get(key, 0) + 1
    return world._replace(sent=tuple(sorted((*k, n) for k, n in sent.items())))
