"""The stories of functions that die, with real processes; the whole table is `deaths.py`'s."""

import time

import pytest

from deaths.deaths import world_of
from deaths.scene import OURS, Scene
from deaths.ways import Way

SHORT = 4.0  # seconds of Timeout where a run takes all of it


@pytest.fixture(scope="module")
def world(ministack, tmp_path_factory):
    return world_of(ministack, f"deaths-{time.time_ns()}", tmp_path_factory.mktemp("deaths"))


@pytest.fixture
def play(world):
    def play(**way):
        with Scene(Way(name="test", **way), OURS, world) as scene:
            return scene.play()

    return play


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ({"settings": "import left_out_of_the_zip_file\n"}, "No module named"),
        ({"settings": "def load(:\n"}, "SyntaxError"),
        ({"unset": "CFN_ONCE_PROVIDER"}, "CFN_ONCE_PROVIDER must say"),
        ({"unset": "CFN_ONCE_LEDGER"}, "CFN_ONCE_LEDGER"),
    ],
    ids=["import error", "syntax error", "no provider named", "no ledger named"],
)
def test_a_function_that_cannot_start(play, way, reason):
    """
    It is answered FAILED in its first try, with the reason; the Delete after it is SUCCESS.
    """
    death = play(**way)

    assert ("FAILED", "try 1", 0) == (death.status, death.by, death.made)
    assert reason in death.reason
    assert death.is_right


def test_a_hook_that_is_out_of_memory_in_python(play):
    """
    What Python can raise is answered at once, under the id of what was made.
    """
    death = play(hook="MemoryError")

    assert ("FAILED", "try 1", "group-1") == (death.status, death.by, death.physical_resource_id)
    assert death.is_right


@pytest.mark.parametrize("hook", ["sleep", "receive", "swallow"])
def test_a_hook_that_is_stuck(world, hook):
    """
    It is answered for before Lambda ends the function, which delivers the event but once here.
    """
    with Scene(Way(name="test", hook=hook, timeout=3.0), OURS, world) as scene:
        _, answers = scene.deliver_once()

    (answer,) = answers
    assert ("FAILED", "group-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert "create was still at work after" in answer["Reason"]


def test_a_segmentation_fault_in_a_step(play):
    """
    Nobody is left waiting, and the Delete finds what the process had made before it died.
    """
    death = play(hook="crash", where="in a step", timeout=SHORT)

    assert "try: died" == death.endings[0]
    assert ("FAILED", 1) == (death.status, death.made)
    assert death.is_right


def test_no_way_to_s3(play):
    """
    The function cannot tell what it has made, in none of its tries: its guardian tells the same.
    """
    death = play(s3=False, timeout=SHORT)

    assert ["try: error"] * 3 + ["guardian: response"] == death.endings
    assert ("SUCCESS", "group-1", 1) == (death.status, death.physical_resource_id, death.made)
    assert death.is_right
