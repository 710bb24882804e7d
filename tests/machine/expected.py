"""What there should be on the external API, beside what CloudFormation holds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from machine.world import Thing, World, shape_of


class Kept(NamedTuple):
    """A Create that failed, and that nobody has deleted.

    Attributes:
        id: What it was answered, or what CloudFormation made up for it.
        came: It has reached the ledger.
    """

    name: str
    id: str
    properties: Mapping[str, Any]
    request_id: str
    came: bool


@dataclass
class Expected:
    """What may be there, what must be, and of what nobody can tell.

    Attributes:
        is_vague: Every failure leaves a doubt: steps are made once, or their results are secret.
        retained: Objects that CloudFormation let go of without a Delete: they live.
        let_go: The requests of those.
        kept: Creates that have failed.
        orphans: Objects that CloudFormation has given up deleting, and whose they are: they live.
        dropped: Objects that may live, and may be gone.
        displaced: Objects in whose place another handler has put its own, as the ledger knows: the
            last Delete names them.
        taken: By an object that another handler has put there, and the ledger has not heard of,
            the one that the ledger takes to be there.
        unknown: Objects of which the ledger has not heard.
        touched: Objects on which an Update may have acted that did not succeed.
        half_done: Updates of which nobody can tell what they have made.
        told: What Deletes of a resource have named.
        unheard: Resources of which the answer to a Delete was lost: the log alone names the rest.
        unclear: Resources with more than one object that an id may stand for.
    """

    world: World
    is_vague: bool
    retained: set[str] = field(default_factory=set)
    kept: list[Kept] = field(default_factory=list)
    let_go: set[str] = field(default_factory=set)
    orphans: dict[str, str] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    displaced: set[str] = field(default_factory=set)
    taken: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    half_done: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    unheard: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)

    def without_ledger(self, held: set[str]) -> "Expected":
        """Return what is expected once nothing is known but what CloudFormation holds.

        What only the ledger knew of, somebody removes by hand.
        """
        for thing in list(self.world.live.values()):
            if thing.root not in held | self.retained:
                del self.world.live[thing.id]
        unknown = held | self.retained
        return Expected(
            self.world, self.is_vague, retained=self.retained, kept=self.kept, unknown=unknown
        )

    def names(self, physical_resource_id: str) -> None:
        """Note that an Update of an object has reached the ledger."""
        self.unknown.discard(physical_resource_id)
        if physical_resource_id in self.taken:
            self.displaced.add(self.taken.pop(physical_resource_id))

    def adopts(self, made: str, in_place_of: str = "", *, lives: bool = False) -> None:
        """Note that another handler has made an object, in the place of one that may live on."""
        known = in_place_of
        if in_place_of in self.unknown:
            known = self.taken.pop(in_place_of, "")
            if lives:
                self.dropped.add(in_place_of)
        self.unknown.add(made)
        if in_place_of:
            self.taken[made] = known

    def keeps(self, kept: Kept) -> None:
        """Note that the Delete of a Create that failed comes later.

        It never does where the Create never came, and its made-up id may stand for another object.
        """
        self.unclear.add(kept.name)
        things = [self.world.live[root] for root in self.retained]
        alike = [thing.shape for thing in things if thing.name == kept.name]
        alike += [shape_of(other.properties) for other in self.kept if other.name == kept.name]
        if kept.came or shape_of(kept.properties) not in alike:
            self.kept.append(kept)

    def forget_kept(self, request_id: str) -> None:
        """Note that a Create that failed is tried again, under its RequestId."""
        self.kept[:] = [kept for kept in self.kept if kept.request_id != request_id]

    def has_kept(self, name: str) -> bool:
        """Tell whether there is a Create of a resource that failed, and was not deleted."""
        return any(kept.name == name for kept in self.kept)

    def forget_what_nobody_can_tell(self, name: str, properties: Mapping[str, Any]) -> None:
        """Expect no Delete of a Create that never came where another one has its properties."""
        alike = shape_of(properties)
        self.kept[:] = [
            kept
            for kept in self.kept
            if kept.came or kept.name != name or shape_of(kept.properties) != alike
        ]

    def lets_go(self, name: str, but: str = "") -> None:
        """Expect nothing of what there is of a resource, except of an object."""
        roots = {thing.root for thing in self.world.live.values() if thing.name == name}
        self.dropped |= roots - {but} - self.retained
        self.orphans = {orphan: of for orphan, of in self.orphans.items() if of != name}

    def deleted(self, name: str, physical_resource_id: str) -> None:
        """Judge what is left after the last Delete of a resource."""
        if physical_resource_id in self.taken:  # the Delete of what it displaced never comes
            self.lets_go(name, but=physical_resource_id)
        self.orphans = {orphan: of for orphan, of in self.orphans.items() if of != name}
        kept = {kept.request_id for kept in self.kept}
        spared = self.retained | self.dropped
        things = [thing for thing in self.world.live.values() if thing.name == name]
        due = [t for t in things if t.root not in spared and t.request_id not in kept]
        self._look_by_hand(name, due)

    def deleted_kept(self, kept: Kept) -> None:
        """Judge what is left after the Delete of a Create that had failed."""
        things = list(self.world.live.values())
        self._look_by_hand(kept.name, [t for t in things if t.request_id == kept.request_id])

    def _look_by_hand(self, name: str, due: Sequence[Thing]) -> None:
        """See that what is left is named, and may be; then somebody removes it."""
        told = self.told[name]
        for thing in due:
            assert self._may_be_left(thing), f"{thing} is left: {told}"
            words = (thing.root, f" of {thing.request_id} at ", f"what {thing.request_id} may have")
            is_named = any(word in told for word in words)
            assert is_named or name in self.unheard, f"{thing} is not named: {told}"
            del self.world.live[thing.id]

    def _may_be_left(self, thing: Thing) -> bool:
        """Tell whether nobody can tell whose it is, or how it is removed."""
        doubt = self.is_vague or thing.request_id in self.world.odd_for
        others = thing.root in {*self.taken, *self.displaced}
        return doubt or others or thing.name in self.unclear

    def lives(self) -> None:
        """Judge that what was let go of, or given up, lives."""
        assert self.retained | set(self.orphans) <= self.world.roots()

    def nothing_lives_but(self, held: set[str]) -> None:
        """Judge that nothing lives that should not."""
        doubtful = {kept.request_id for kept in self.kept} | self.half_done | self.world.odd_for
        things = self.world.live.values()
        left = {thing.root for thing in things if thing.request_id in doubtful}
        others = {*self.orphans, *self.taken.values()} | self.displaced | self.dropped
        assert set() == self.world.roots() - held - self.retained - others - left
