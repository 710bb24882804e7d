"""What is explored: a resource with its hooks, the API it calls, and CloudFormation's script.

Nothing here is shared or changed in place: API and script are values, part of the state that
is hashed.
"""

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from cfn_once._cloudformation.identity import Token, operation_digest
from explore.hooks import Call, Code, Cut, Habits, Refused, Throttled, class_of
from explore.laws import BEGINNING, RESOURCE, Sent, Stack, State, Thing, World
from explore.script import Script, as_properties, hears_of, id_of, spell, told_or_invented

SETTLE = 5_000  # ms in which a call of the dead lands, or never (A3)


class Scene:
    """A space: what the hooks do, and what CloudFormation sends.

    Args:
        kit: The package under test, or a copy of it with a seeded bug.
    """

    def __init__(self, kit: ModuleType, script: Script, habits: Habits) -> None:
        self.script, self.places, self.habits = script, list(script.places), habits
        self.names = _names_of(script)
        self.once, self.unusable = habits.once, habits.unusable
        self.may_replace, self.told = habits.may_replace, habits.attributes
        self._lag = int(habits.lag * 1000)
        older = [Thing(name, name, "", "", "a", shape="P") for name in script.older]
        self.world, self.stack = World(live=tuple(sorted(older))), script.begin()
        self.far: Any = None
        self.failures: dict[str, tuple[type[BaseException], str]] = {
            "throttled": (Throttled, "slow down"),
            "cut": (Cut, "enough"),
        }
        if habits.refuses:
            self.failures["denied"] = (Refused, "refused")
        alone = [Code("abcdefgh"[: habits.steps], habits.updates)]
        types = sorted({place.resource_type for place in script.places.values()})
        self.classes = [
            [class_of(kit, habits, version, resource_type, self._ask) for resource_type in types]
            for version in habits.versions or alone
        ]

    def _ask(self, label: str, call: Call) -> Any:
        return self.far(label, call)

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
            stack = hears_of(stack, id_of(answer))
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
        event_id = held[0] if held else told_or_invented(answer, "end")
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
                goes = "id" if self.habits.leaves_parts else "root"
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
        names = {thing.id for thing in world.live} if self.habits.named else set()
        is_there = call.step == "a" and call.root in names
        if is_there and self.habits.named != "upsert":
            return world, ("taken",)  # there is one of this name
        name, made = self._made(world, call, life)
        live, root = world.live, call.root
        if self.habits.undo == "piece" and call.step == "a":  # it takes its piece in
            live = tuple(t._replace(root=name) if t.id == root else t for t in live)
            root = name
        if call.step == "change" or is_there:
            live = tuple(t._replace(shape=call.asked) if t.id == root else t for t in live)
        if is_there:  # it is looked up by the token that changed it last
            live = tuple(t._replace(tag=call.tag) if t.id == name else t for t in live)
        else:
            hidden = now + lag if lag else 0
            shape = call.asked if name == root or not root else ""
            thing = Thing(name, root or name, call.tag, call.request_id, call.step, hidden, shape)
            live = (*live, thing)
        tokens = self._with_token(world, call, name, now)
        return world._replace(live=tuple(sorted(live)), made=made, tokens=tokens), name

    def _made(self, world: World, call: Call, life: int) -> tuple[str, tuple[Any, ...]]:
        """Return the id of what a call makes, and how often each was made."""
        key = (call.request_id, call.step, life)
        made = {effect[:3]: effect[3] for effect in world.made}
        number = made[key] = made.get(key, 0) + 1
        if (self.habits.named and call.step == "a") or call.kind == "put":
            name = call.root
        else:
            name = f"{call.request_id}.{call.step}" + (f".{life}" if life else "")
            name += f".{number}" if number > 1 else ""
        return name, tuple(sorted((*effect, times) for effect, times in made.items()))

    def _with_token(self, world: World, call: Call, result: Any, now: int) -> tuple[Any, ...]:
        if not call.token:
            return world.tokens
        since = now if self.habits.forgets else 0
        return tuple(sorted((*world.tokens, (call.token, result, since)), key=repr))

    def faults(
        self, world: World, call: Call, life: int, now: int
    ) -> Iterator[tuple[str, str, World, Any]]:
        doubt = ("timeout",) if self.habits.transient else ("broken",)
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
        if self.habits.throttles:
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
        if self.habits.forgets:
            kept = tuple(t for t in world.tokens if now <= t[2] + self.habits.window * 1000)
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


def _names_of(script: Script) -> dict[str, str]:
    """Return what each request is called, for people: by its place in time, where two are alike."""
    names = {
        name: spell(Sent(name, place.type, place.request_id, None, None, (), ()))
        for name, place in script.places.items()
    }
    doubles = [words for words in names.values() if list(names.values()).count(words) > 1]
    return {
        name: f"{words} at {script.places[name].order}" if words in doubles else words
        for name, words in names.items()
    }


def _counted(world: World, call: Call, life: int) -> World:
    key = (call.request_id, call.step, life)
    sent = {request[:3]: request[3] for request in world.sent}
    sent[key] = sent.get(key, 0) + 1
    return world._replace(sent=tuple(sorted((*k, n) for k, n in sent.items())))
