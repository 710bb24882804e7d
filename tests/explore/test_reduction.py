"""What the search leaves out, it looks at here: nothing is seen there that is not seen without."""

import re
from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from explore.mutants import MUTANTS, copy_of_the_package
from explore.spaces import DELETE, SPACES, on
from explore.test_explore import SEEN_LATE, SMALL

NAMED = (
    "look-ups fail, or are made too early: token+find",
    "hooks say: not now: token",
    "stuck before its first step: token",
    "a stuck Delete, a second one, and made again under its name: token+find",
    "the external API forgets tokens after their window: token",
    "a Delete over a Create that waits: token+find",
    "answers that are not delivered, or look so: token+find",
    "results that do not fit the head: token+find",
    "the ledger is out of reach of one delivery: token+find",
    "a call in doubt lands when its execution has ended: token",
)
COMPARED = [
    *SMALL,
    *(space for space in SPACES if space.name in NAMED),
    *(
        replace(space, name=name)
        for name, space in {
            "a guardian, and a death": on(DELETE, "crash", guardians=["c"]),
            "copies in one sandbox, two deaths": on(DELETE, "crash:2", copies="c:2", boxes=True),
            "a death and a late call while time passes slowly, clocks that differ": on(
                DELETE, "crash flight", pace="slow", skews=[-0.25, 0.25]
            ),
        }.items()
    ),
]


@pytest.fixture(scope="module", params=COMPARED, ids=lambda space: space.name)
def searched(request):
    """A space, and its explorer that has left nothing out, with the verdict."""
    explorer = request.param.explorer(full=True)
    return request.param, explorer, explorer.search()


def test_fewer_states_show_the_same(searched):
    """
    With the states that are left out and without them: the same verdict, the same is reached, and
    the schedules come to the same ends.
    """
    space, _, full = searched

    reduced = space.explorer().search()

    assert (full.law, full.complete) == (reduced.law, reduced.complete) == ("", True)
    assert full.marks == reduced.marks
    assert full.ends == reduced.ends
    assert full.states > reduced.states


def test_who_knows_the_same_does_the_same(searched):
    """
    Deliveries that differ in nothing but what they have forgotten ask for the same, now and after
    everything that they are told.
    """
    _, explorer, _ = searched
    numbers, knows, asks = {}, {None: None}, {}
    nodes = list(explorer.nodes())

    for node in nodes:
        before, told = (node.base, node.memory) if node.memory else (node.parent, node.told)
        known = (knows[before], told, node.delivery, node.sent, node.start)
        knows[node] = numbers.setdefault(known, len(numbers))
        asked = (node.action, node.over, node.seen, node.granted, node.is_cut_off, node.has_lost)
        assert asked == asks.setdefault(knows[node], asked)

    assert len(asks) < len(nodes) or len(nodes) < 200  # in so few, nobody waits


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.name not in SEEN_LATE],
    ids=lambda mutant: mutant.name,
)
def test_a_seeded_bug_breaks_the_same_law(mutant):
    """
    Where a law is broken, it is the one that is broken first with nothing left out; which of
    several objects shows it first is left to the order of the search.
    """
    number = 1000 + MUTANTS.index(mutant)
    kit = copy_of_the_package(number, mutant.seeded, mutant.old, mutant.new)

    full, reduced = (mutant.space.explorer(kit, full=full).search() for full in (True, False))

    assert without_names(full.law) == without_names(reduced.law)


def without_names(law):
    """Return what is said of a broken law, but for which object of which operation shows it."""
    return re.sub(r"\b[A-Z]\d\.\w+", "an object", law)


def test_no_script_goes_back():
    """
    CloudFormation never again listens to a place that it has gone on from.
    """
    for space in SPACES:
        ways = {name: {place.good, place.bad} - {name} for name, place in space.script.items()}
        TopologicalSorter(ways).prepare()


def test_no_compared_space_was_renamed_away():
    """
    A space that is named above is compared.
    """
    assert set(NAMED) <= {space.name for space in SPACES}
