"""What befalls one delivery: drawn beforehand, so that a seed tells all that was to happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment in a delivery: a request or an answer of it passes by.

    Attributes:
        place: "ledger", "api" or "answer".
        phase: "before" it is passed on, "on its way", or "after" it has been acted on.
        number: Which one of the delivery's requests to that place, from 1.
    """

    place: str
    phase: str
    number: int

    def __str__(self) -> str:
        return f"{self.phase} its request {self.number} to the {self.place}"


@dataclass(frozen=True, kw_only=True)
class Mischief:
    """What befalls a delivery, where it comes so far.

    Attributes:
        kill: SIGKILL at this moment.
        kill_after: SIGKILL after so many seconds of the machine.
        freeze: SIGSTOP at the n-th moment after it has had its effect, or when it tells its answer;
            SIGCONT after its lease, when another delivery is at work in its place.
        nap: SIGSTOP after so many seconds of the machine, and SIGCONT after so many more, well
            before its deadline.
        down: The way to a place refuses connections for so many seconds from the start.
        faults: By place and number of the request: "refuse", "delay" or "cut".
    """

    kill: Moment | None = None
    kill_after: float | None = None
    freeze: int | None = None
    nap: tuple[float, float] | None = None
    down: tuple[str, float] | None = None
    faults: Mapping[tuple[str, int], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often what befalls a delivery, and what befalls a request."""

    kill: float = 0.22
    freeze: float = 0.025
    nap: float = 0.03
    fault: float = 0.22
    down: float = 0.04
    # Of requests: the event comes again in a row, at the same time, after the resource is gone
    in_a_row: float = 0.12
    twin: float = 0.15
    late: float = 0.15
    # every delivery of it is killed, so that the guardian has to answer
    doomed: float = 0.06
    # of the latter: one more copy comes at last, and is at work when the guardian is
    straggler: float = 0.5


PHASES = ("before", "on its way", "after")
FAULTS = ("refuse", "delay", "cut")


def draw(random: Random, rates: Rates, *, may_freeze: bool, doomed: bool) -> Mischief:
    """Draw what befalls one delivery."""
    faults: dict[tuple[str, int], str] = {}
    if random.random() < rates.fault:
        place = random.choice(("ledger", "ledger", "api", "api", "answer"))
        faults[place, random.choice((1, 1, 2, 3))] = random.choice(FAULTS)
    down = None
    if random.random() < rates.down:
        down = (random.choice(("ledger", "api")), random.uniform(0.1, 0.5))
    fate = random.random()
    if doomed:
        places = ("ledger", "api")
        kill = Moment(random.choice(places), random.choice(PHASES), 1)
        # Where the moment never comes, for it calls nobody there, it dies soon after.
        return Mischief(kill=kill, kill_after=random.uniform(0.3, 0.8), faults=faults)
    if fate < rates.kill:
        if random.random() < 0.15:
            return Mischief(kill_after=random.uniform(0.0, 0.4), faults=faults, down=down)
        place = random.choice(("ledger", "ledger", "api", "api", "answer"))
        number = 1 if place == "answer" else random.choice((1, 1, 2, 2, 3))
        kill = Moment(place, random.choice(PHASES), number)
        return Mischief(kill=kill, faults=faults, down=down)
    if fate < rates.kill + rates.freeze and may_freeze:
        return Mischief(freeze=random.randrange(4), faults=faults, down=down)
    if fate < rates.kill + rates.freeze + rates.nap:
        nap = (random.uniform(0.0, 0.3), random.uniform(0.1, 2.0))
        return Mischief(nap=nap, faults=faults, down=down)
    return Mischief(faults=faults, down=down)
