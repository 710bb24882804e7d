"""CloudFormation, as the explorer plays it: the requests of a script, and how it goes on."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from explore.laws import Post, Sent, Stack, State

THING, OTHER = "Custom::Thing", "Custom::Other"  # two types that the provider serves
STRAY = "stray"  # an id that nobody knows
THEIRS = "theirs"  # what another handler made, in the place of ours


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
            stack = hears_of(stack, id_of(answer))
        elif answer is not None and good and following is not None:
            stack = lets_go(stack, id_of(answer))
        if stack.now in self._kept:
            kept = (stack.now, told_or_invented(answer, stack.now))
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
        event_id = self._event_id(stack, place, name, answer)
        stack = _displaced(stack) if place.id == THEIRS and place.type != "Create" else stack
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
            retained = (*stack.held[:1], *(old for old in stack.held[1:] if old not in gone))
            stack = stack._replace(retained=retained)
        if place.retains:
            retained = (*stack.retained, *stack.held[1:])
            stack = stack._replace(retained=retained, held=stack.held[:1])
        if name in ("x", "y", "d", "g"):
            stack = stack._replace(held=())
        if (place.type == "Delete" and place.properties) or place.forged:
            kind = stack.properties
        again = tuple(request for request in stack.sent if request.place != name)
        return stack._replace(now=name, sent=(*again, sent), properties=kind)

    def _event_id(self, stack: Stack, place: Place, name: str, answer: Post | None) -> str | None:
        """Return the id that a request carries."""
        kind, _, of = place.id.partition(":")
        held = stack.held
        match kind if place.type != "Create" else "none":
            case "none":
                return None
            case "told":
                return dict(stack.told)[of]
            case "theirs":
                return THEIRS
            case "stray":
                return STRAY
            case "before":
                return held[1] if len(held) > 1 else held[0]
            case "oldest":
                return held[-1]
            case "same":
                return stack.sent[-1].physical_resource_id
            case _:
                known = dict(stack.told).get(of) or told_or_invented(answer, name)
                return held[0] if held else known


def _displaced(stack: Stack) -> Stack:
    """Return what CloudFormation holds when another handler's object took the place of ours."""
    heard = tuple(told for told in stack.heard if told not in stack.held)
    return stack._replace(heard=heard, displaced=stack.held, held=(THEIRS,))


def hears_of(stack: Stack, physical_id: str) -> Stack:
    if physical_id in stack.held[:1]:
        return stack
    heard = tuple(sorted({*stack.heard, physical_id}))
    return stack._replace(held=(physical_id, *stack.held[:1]), heard=heard)


def lets_go(stack: Stack, physical_id: str) -> Stack:
    return stack._replace(heard=tuple(told for told in stack.heard if told != physical_id))


def told_or_invented(answer: Post | None, place: str) -> str:
    return invented(place) if answer is None else id_of(answer)


def invented(place: str) -> str:
    """Return an id as CloudFormation makes one up for a Create that nobody answered."""
    return f"stack-Thing-{place.upper():0<12}"


def id_of(answer: Post) -> str:
    return answer.body.partition('"PhysicalResourceId":"')[2].partition('"')[0]


def as_properties(kind: str) -> tuple[tuple[str, str], ...]:
    """Spell a kind such as `P`, or `P2` with a size that can be changed in place."""
    return (("Kind", kind[:1]), ("Size", kind[1:] or "1"))


def spell(sent: Sent) -> str:
    """Spell a request for people."""
    of = f" of {sent.physical_resource_id}" if sent.physical_resource_id else ""
    return f"{sent.type} {sent.request_id}{of}"
