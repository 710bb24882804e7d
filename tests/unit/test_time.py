"""How much time an invocation has, and that nothing waits beyond it."""

from types import SimpleNamespace

import pytest

from cfn_once._clock import NO_LAMBDA, SYSTEM_CLOCK, Deadline
from cfn_once.testing import VirtualClock


def context(milliseconds):
    return SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (context(31_000), 31.0),
        (context(0), 0.0),
        (None, NO_LAMBDA),
        (SimpleNamespace(function_name="x"), NO_LAMBDA),
    ],
    ids=["31 s", "0 is a value, not an absence", "no context", "a context of something else"],
)
def test_what_lambda_leaves_us(given, seconds):
    """
    Lambda's context says it; a local run has the longest time that Lambda gives.
    """
    deadline = Deadline(SYSTEM_CLOCK, given)

    assert pytest.approx(seconds, abs=0.5) == deadline.remaining()
    assert pytest.approx(seconds, abs=0.5) == deadline.total


def test_a_deadline_passes():
    """
    What is left shrinks to nothing and not below; the total stays.
    """
    clock = VirtualClock()
    deadline = Deadline(clock, context(10_000))

    clock.advance(4)
    left, fits, too_much = deadline.remaining(), deadline.allows(6), deadline.allows(6, reserve=1)
    clock.advance(10)

    assert (6.0, True, False) == (left, fits, too_much)
    assert (0.0, 10.0) == (deadline.remaining(), deadline.total)


def test_a_pause_that_fits_is_made_with_jitter():
    """
    Between half and all of it, so that twins do not come back at the same moment.
    """
    clock = VirtualClock()
    deadline = Deadline(clock, context(10_000))

    assert deadline.pause(4, reserve=1)
    assert 10 - 3 == deadline.remaining(), "a jitter of 0.5 is three quarters of the pause"


def test_a_pause_that_does_not_fit_is_not_made():
    """
    It says so at once, and the time that is left can be used for something else.
    """
    clock = VirtualClock()
    deadline = Deadline(clock, context(10_000))

    assert not deadline.pause(9.5, reserve=1)
    assert 10 == deadline.remaining()


def test_chance_is_fresh():
    """
    Nonces and jitter come from the system, at the time of asking: never from a seed of import
    time, which every sandbox restored from one snapshot would share.
    """
    nonces = {SYSTEM_CLOCK.nonce() for _ in range(100)}
    jitters = {SYSTEM_CLOCK.jitter() for _ in range(100)}

    assert 100 == len(nonces)
    assert {32} == {len(nonce) for nonce in nonces}
    assert 90 < len(jitters)
    assert all(0 <= jitter < 1 for jitter in jitters)
