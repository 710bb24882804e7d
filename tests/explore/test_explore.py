"""A part of the exploration: the small spaces, and the seeded bugs that are seen soon."""

import pytest

from explore.mutants import MUTANTS, copy_of_the_package, marks
from explore.spaces import CREATE, DELETE, SPACES, on

pytestmark = pytest.mark.no_cover  # millions of lines, and none that no story reaches
SMALL = [
    space
    for space in SPACES
    if space.name
    in (
        "two copies of a Create, two steps, they die and lose answers: token+find",
        "a Delete over a Create that dies, doubts, is in flight: token",
        "a Delete over two copies of a Create: find",
        "asked again after a failure: a new round: token",
        "retained and added again: once",
        "a replacement is rolled back under the old id: token+find",
        "replaced, cleaned up and replaced back under one name: find",
        "calls that are repeated at will, and no step: token",
        "a piece with an undo, made before the object: token",
        "requests without a date: token+find",
        "two failed Creates are kept; a third one, then their Deletes: find",
        "another handler takes the place of ours, and its Delete comes to us: token",
        "an older object is replaced, and that is rolled back: token+find",
        "an Update is refused before its hook, and rolled back: once",
        "a replacement under the id that it replaces: token",
        "the clean-up after a rollback fails for good: find",
        "somebody else's copy of a Create asks for something else: token",
        "a step whose result cannot be kept: find",
        "a part whose function cannot be called: once",
    )
]
SEEN_LATE = {  # after some thousand states: left to `make explore`
    "no settling: what is on its way is not waited for",
    "leaving, an execution forgets the doubt it took over",
    "a doubt that nobody could resolve is forgotten",
    "a doubt is forgotten when the lease is given back",
    "somebody else's copy of a request is begun over it",
}


@pytest.mark.parametrize("space", SMALL, ids=lambda space: space.name)
def test_every_order_up_to_the_bound(space):
    """
    Whatever order, death or lost answer: each law holds in each state, and what the space is named
    for is reached.
    """
    verdict = space.explorer().search()

    assert "" == verdict.law
    assert verdict.complete
    assert set() == set(space.reaches) - verdict.marks


def test_no_small_space_was_renamed_away():
    """
    A space that is named above is explored.
    """
    assert 19 == len(SMALL)


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.name not in SEEN_LATE],
    ids=lambda mutant: mutant.name,
)
def test_a_seeded_bug_is_caught(mutant):
    """
    One wrong line of the shipped source breaks a law, and the law that is expected.
    """
    verdict = mutant.explorer().search()

    assert mutant.is_seen_by(verdict.law)


def test_a_broken_law_is_told_as_a_story_that_can_be_replayed():
    """
    The schedule of a violation, followed once more, ends in the same law, and is the shortest.
    """
    mutant = next(mutant for mutant in MUTANTS if "told before it is recorded" in mutant.name)
    verdict = mutant.explorer().search()

    story = list(mutant.explorer().story(verdict.schedule))

    assert [
        "Create C1: begin",
        "Create C1: make a of C1",
        "Create C1: record",
        "Create C1: make b of C1",
        "Create C1: answers SUCCESS",
        "BROKEN: I6 an answer was told before it was recorded",
    ] == story


def test_a_seeded_bug_that_matches_nowhere_is_an_error():
    """
    A mark or a substitution that the source has outgrown fails loudly: it is no bug not caught.
    """
    with pytest.raises(LookupError, match="0 times, not once"):
        copy_of_the_package(999, "held-by", "no such line", "")
    with pytest.raises(LookupError, match="in 0 places, not in one"):
        copy_of_the_package(999, "no-such-mark", "", "pass")


def test_every_mark_has_a_seeded_bug():
    """
    A mark in the source that no bug is seeded at shows nothing.
    """
    assert {name for _, names in marks() for name in names} == {m.seeded for m in MUTANTS}


def test_the_same_space_twice():
    """
    Nothing depends on chance or on the process: the same space has the same states.
    """
    space = on(DELETE, "crash")

    first, second = (space.explorer().search() for _ in range(2))

    assert (first.states, first.moves) == (second.states, second.moves)


def test_a_space_that_is_cut_short_is_not_complete():
    """
    Where time or states run out, nothing is claimed.
    """
    space = on(CREATE, "crash", copies="c:2", steps=2)

    verdict = space.explorer().search(most=50)

    assert not verdict.complete
    assert "" == verdict.law
