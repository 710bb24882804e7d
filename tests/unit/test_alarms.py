"""Alarms of the real clock: one sleeping thread for all of them."""

import os
import threading
import time

import pytest

from cfn_once._clock import SYSTEM_CLOCK

SOON, LATE = 0.02, 60.0
PATIENCE = 10.0  # seconds, on a machine that is shared


def sleepers():
    return [thread for thread in threading.enumerate() if thread.name == "cfn-once"]


def test_a_later_alarm_that_is_due_sooner():
    """
    It rings in its time, although the thread sleeps until the other one; both in threads of their
    own, so that neither waits for the other.
    """
    rung, held = threading.Event(), threading.Event()
    off = [SYSTEM_CLOCK.alarm(LATE, rung.set)]

    off.append(SYSTEM_CLOCK.alarm(SOON, lambda: held.wait(PATIENCE)))
    off.append(SYSTEM_CLOCK.alarm(SOON, rung.set))

    assert rung.wait(PATIENCE)
    held.set()
    for call_off in off:
        call_off()


def test_an_alarm_that_is_called_off():
    """It never rings, and a thousand of them need one thread."""
    rung: list[str] = []
    before = len(sleepers())

    for _ in range(1000):
        SYSTEM_CLOCK.alarm(SOON, lambda: rung.append("late"))()
    time.sleep(3 * SOON)

    assert [] == rung
    assert len(sleepers()) <= max(before, 1)


def test_an_alarm_that_rings_while_it_is_called_off():
    """Whoever calls it off waits for its end: nothing may go on in a frozen sandbox."""
    began, over = threading.Event(), []

    def ring():
        began.set()
        time.sleep(SOON)
        over.append("over")

    call_off = SYSTEM_CLOCK.alarm(0, ring)
    assert began.wait(PATIENCE)
    call_off()

    assert ["over"] == over


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads: our point
def test_a_fork():
    """The thread stays behind: the child has one of its own, and calls off none of its parent's."""
    theirs = SYSTEM_CLOCK.alarm(LATE, lambda: None)
    child = os.fork()
    if child == 0:
        rung = threading.Event()
        theirs()
        SYSTEM_CLOCK.alarm(SOON, rung.set)
        os._exit(0 if rung.wait(PATIENCE) else 1)
    _, status = os.waitpid(child, 0)
    theirs()

    assert 0 == os.waitstatus_to_exitcode(status)
