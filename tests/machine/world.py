"""An external API, a resource that lives on it, and a ledger in several stores at once."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cfn_once import CustomResource, PermanentError
from cfn_once.ledger import Store

HOURS = timedelta(hours=24)
Shape = tuple[str, str]


class Stores:
    """A ledger that is several: what one does, the others must do as well."""

    keeps_secrets = True

    def __init__(self, *stores: Store) -> None:
        self._stores, self._lost = stores, 0
        self.writes = 0

    def lose(self) -> None:
        """Know nothing any more, as a table that was deleted and made anew."""
        self._lost += 1

    def _all(self, ask: Callable[[Any], Any]) -> Any:
        first, *others = (ask(store) for store in self._stores)
        assert all(first == other for other in others)
        return first

    def read(self, key):
        return self._all(lambda store: store.read(f"{self._lost}{key}"))

    def write(self, key, write):
        written = self._all(lambda store: store.write(f"{self._lost}{key}", write))
        self.writes += written.applied
        return written

    def spill(self, key, name, data, expires):
        self._all(lambda store: store.spill(f"{self._lost}{key}", name, data, expires))

    def unspill(self, key, name):
        return self._all(lambda store: store.unspill(f"{self._lost}{key}", name))


@dataclass(frozen=True)
class Thing:
    """An object of the external API, or a part of one.

    Attributes:
        root: The object that it belongs to; itself for an object.
        name: The logical id of its resource.
        request_id: Of the request that made it; empty where another handler did.
        shape: The properties that an object was last made of, or changed to.
    """

    id: str
    root: str
    name: str
    request_id: str
    shape: Shape


@dataclass
class World:
    """An external API.

    Attributes:
        live: What there is, by id.
        tags: The token under which each thing was made.
        tokens: What each token came to.
        made: How often each token made something.
        calls: How often it was asked to make or change something.
        changed: The request that changed each object last.
        stuck: Objects that cannot be removed for now.
        refusals: So many of the next calls that make or change something it refuses.
        odd: So many of the next results are nothing that JSON can hold.
        odd_for: The requests that got one.
    """

    live: dict[str, Thing] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    changed: dict[str, str] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    refusals: list[Exception] = field(default_factory=list)
    odd: int = 0
    odd_for: set[str] = field(default_factory=set)
    number: int = 0

    def make(self, token: str, request: Any, root: str, *, honours: bool) -> Any:
        """Make an object, or a part of one, unless there was one under the token."""
        self._take_a_call()
        if not (honours and token in self.tokens):
            self.number += 1
            made = f"g-{self.number}"
            thing = Thing(
                made,
                root or made,
                request.logical_resource_id,
                request.request_id,
                shape_of(request.properties),
            )
            self.live[made], self.tags[made], self.tokens[token] = thing, token, made
            self.made[token] += 1
        if self.odd:
            self.odd -= 1
            self.odd_for.add(request.request_id)
            return {self.tokens[token]}
        return {"id": self.tokens[token]}

    def make_older(self, name: str, shape: Shape) -> str:
        """Make an object with its part, as another handler does; return its id."""
        self.number += 1
        root, part = f"old-{self.number}", f"old-{self.number}-part"
        for made in (root, part):
            self.live[made] = Thing(made, root, name, "", shape)
        return root

    def change(self, root: str, request: Any) -> None:
        """Change an object, with its parts."""
        self._take_a_call()
        self.changed[root] = request.request_id
        for thing in self.parts(root):
            self.live[thing.id] = Thing(
                thing.id, root, thing.name, thing.request_id, shape_of(request.properties)
            )

    def remove(self, root: str) -> None:
        """Remove an object, with its parts."""
        if root in self.stuck:
            raise PermanentError(f"{root} is in use")
        for thing in self.parts(root):
            del self.live[thing.id]

    def drop(self, part: str) -> None:
        """Remove a part alone."""
        self.live.pop(part, None)

    def find(self, token: str) -> dict | None:
        return next(({"id": made} for made in self.live if self.tags.get(made) == token), None)

    def roots(self) -> set[str]:
        """Return the objects of which anything lives."""
        return {thing.root for thing in self.live.values()}

    def parts(self, root: str) -> list[Thing]:
        """Return an object, where it lives, and its parts."""
        return [thing for thing in self.live.values() if thing.root == root]

    def _take_a_call(self) -> None:
        self.calls += 1
        if self.refusals:
            raise self.refusals.pop()


def shape_of(properties: Mapping[str, Any]) -> Shape:
    """Return what an object is made of."""
    return str(properties.get("Name")), str(properties.get("Size"))


@dataclass(frozen=True)
class Properties:
    """What the template may say: a size that is no number is refused."""

    Name: str
    Size: int = 0


def resource(world: World, strategy: str, secret: str) -> type[CustomResource[Properties, dict]]:
    """A resource of one object with one part, made by steps of a strategy.

    Args:
        strategy: token, find, token+find or once.
        secret: The step whose result is not kept; empty for none.
    """
    how: dict[str, Any] = {"once": True} if strategy == "once" else {}
    if "token" in strategy:
        how["window"] = HOURS
    if "find" in strategy:
        how["find"] = lambda step: world.find(step.token)

    class Thing(CustomResource[Properties, dict]):
        replace_on = {"Name"}

        def create(self):
            made = self.make("group", "")
            self.physical_resource_id = made["id"]
            part = self.make("part", made["id"], undo=lambda part: world.drop(part["id"]))
            self.step("tag", lambda step: None, repeat=True)
            return {"Id": made["id"], "Part": part["id"], "Padding": "x" * self.properties.Size}

        def make(self, name, root, **more):
            def make(step):
                return world.make(step.token, self.request, root, honours="token" in strategy)

            return self.step(name, make, secret=name == secret, **how, **more)

        def update(self):
            root = self.physical_resource_id
            self.step("change", lambda step: world.change(root, self.request), repeat=True)
            return {"Id": root}

        def delete(self):
            root = self.physical_resource_id
            self.step("remove", lambda step: world.remove(root), repeat=True)

    return Thing
