"""What a second call may do: by what a hook says of it, and by the hook that makes it."""

import math

import pytest

from cfn_once._steps.call import Repetition, declared_repetition, repetition_in_hook

AT_WILL, TOKEN, ONCE = Repetition.AT_WILL, Repetition.TOKEN, Repetition.ONCE
HOUR = 3600.0


@pytest.mark.parametrize(
    ("repeat", "once", "window", "expected"),
    [
        (False, False, None, (ONCE, None)),
        (False, False, HOUR, (TOKEN, HOUR)),
        (False, False, 0.0, (TOKEN, 0.0)),
        (False, True, None, (ONCE, None)),
        (False, True, HOUR, (ONCE, None)),
        (True, False, None, (AT_WILL, None)),
        (True, False, HOUR, (AT_WILL, None)),
    ],
)
def test_what_a_hook_says_of_a_call(repeat, once, window, expected):
    """
    A call is made once, unless it is idempotent or its token is remembered; `once` beats a token.
    """
    assert expected == declared_repetition(repeat=repeat, once=once, window=window)


@pytest.mark.parametrize(
    ("removes", "deleting", "expected"),
    [
        (False, False, (AT_WILL, None)),
        (False, True, (AT_WILL, None)),
        (True, False, (TOKEN, math.inf)),
        (True, True, (AT_WILL, None)),
    ],
)
def test_a_removal_outside_a_delete_hook_is_recorded(removes, deleting, expected):
    """
    What a hook removes before it makes something is removed once: under its token for ever.
    """
    decided = repetition_in_hook(AT_WILL, None, removes=removes, deleting=deleting)

    assert expected == decided


@pytest.mark.parametrize("given", [(Repetition.READ, None), (TOKEN, HOUR), (ONCE, None)])
@pytest.mark.parametrize("removes", [False, True])
@pytest.mark.parametrize("deleting", [False, True])
def test_what_is_not_repeated_at_will_is_the_same_in_every_hook(given, removes, deleting):
    """
    A removal under its own token keeps its window, and one that is made once is made once.
    """
    assert given == repetition_in_hook(*given, removes=removes, deleting=deleting)
