"""Our Lambda does what Lambda does; the stories beside this one stand on it."""

import os

import pytest

from support.runtime_api import Ending


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_event_is_tried_three_times_under_one_id(start, api):
    """
    An attempt that fails is followed by another, in the same process while that lives, with the
    same request id; each attempt has the whole of the time.
    """
    function = start("echo", api, timeout=30)
    sandbox = function.sandbox()

    failed = function.deliver({"do": "raise"}, sandbox)
    (first,), (second,) = (function.deliver({"do": "return"}, sandbox) for _ in range(2))

    assert [Ending.ERROR] * 3 == [attempt.ending for attempt in failed]
    assert ["ValueError"] * 3 == [attempt.document["errorType"] for attempt in failed]
    assert 1 == len({attempt.request_id for attempt in failed})
    assert [False, True, True] == [attempt.init is None for attempt in failed]
    assert first.request_id == first.document["request"]
    assert second.request_id != first.request_id
    assert second.document["process"] == first.document["process"]
    assert 20 < first.document["left"] <= 30


@pytest.mark.parametrize(("do", "ending"), [("exit", Ending.DIED), ("sleep", Ending.TIMEOUT)])
def test_a_process_that_ends_is_followed_by_another(start, api, do, ending):
    """
    Whether it ends by itself or at its deadline: the next event finds a new process, and the same
    scratch disk.
    """
    sandbox = start("echo", api, timeout=1).sandbox()
    before = sandbox.invoke({"do": "return"}).document["process"]

    ended = sandbox.invoke({"do": do})
    after = sandbox.invoke({"do": "return"})

    assert ending == ended.ending
    assert not is_alive(before)
    assert before != after.document["process"]
    assert after.init > 0


def test_a_handler_that_cannot_be_loaded(start, api):
    """
    The reason reaches whoever invoked it.
    """
    attempts = start("missing", api).deliver({})

    assert [Ending.INIT_ERROR] * 3 == [attempt.ending for attempt in attempts]
    assert "Handler 'missing' missing on module" in attempts[0].document["errorMessage"]


def test_nothing_outlives_a_function(start, api):
    """
    Closing ends every process, one at work too, and the delivery that it worked on.
    """
    function = start("echo", api)
    idle, busy = function.sandbox(), function.sandbox()
    processes = [sandbox.invoke({"do": "return"}).document["process"] for sandbox in (idle, busy)]
    delivery = function.enqueue({"do": "sleep"}, busy)

    function.close()

    assert [False, False] == [is_alive(process) for process in processes]
    assert [Ending.DIED] == [attempt.ending for attempt in delivery.result()]
