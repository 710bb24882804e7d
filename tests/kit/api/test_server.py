"""How the kit's servers use threads: the test's hooks call them thousands of times."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from cfn_once.testing import FakeApi

PATIENCE = 20.0  # seconds: a loaded machine's
NO_STACK = 1 << 46  # bytes: no machine has a thread's stack of that size


@pytest.fixture
def seen():
    """The threads that have served a call, in order."""
    return []


@pytest.fixture
def api(seen):
    with FakeApi() as api:
        api.listeners.append(lambda call: seen.append(threading.current_thread()))
        yield api


def post(api, number=0):
    return requests.post(f"{api.url}/groups", json={"Number": number}, timeout=PATIENCE).status_code


def test_one_call_after_another_takes_no_new_thread(api, seen):
    """
    A thread that has answered serves the next call. Now and then a call comes before it is idle.
    """
    assert {201} == {post(api) for _ in range(50)}

    assert 50 == len(seen)
    assert len(set(seen)) <= 5


def test_calls_at_the_same_time_do_not_wait_for_each_other(api):
    """
    However few threads are idle: calls that each wait for all of the others are all answered.
    """
    post(api)
    together = threading.Barrier(4, timeout=PATIENCE)
    api.listeners.append(lambda call: together.wait())

    with ThreadPoolExecutor(4) as clients:
        statuses = list(clients.map(lambda number: post(api, number), range(4)))

    assert [201] * 4 == statuses


def test_a_machine_that_has_no_thread_left(api):
    """
    A call that no thread can be begun for is hung up on; later ones are answered at once again.
    """
    post(api)
    at_work, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def hang(call):
        if call.properties == {"Number": 1}:
            at_work.release()
            go_on.acquire(timeout=2 * PATIENCE)

    api.listeners.append(hang)
    with ThreadPoolExecutor(1) as client:
        first = client.submit(post, api, 1)
        assert at_work.acquire(timeout=PATIENCE)
        before = threading.stack_size(NO_STACK)
        try:
            with pytest.raises(requests.ConnectionError):
                post(api)
        finally:
            threading.stack_size(before)
        go_on.release()
        assert 201 == first.result()
        second = client.submit(post, api, 1)
        assert at_work.acquire(timeout=PATIENCE)
        statuses = [post(api) for _ in range(3)]
        go_on.release()

    assert [201] * 4 == [*statuses, second.result()]


def test_no_thread_outlives_its_server(api, seen):
    """
    Closed, it leaves no thread behind that waits for a connection.
    """
    post(api)

    api.close()

    for thread in seen:
        thread.join(PATIENCE)
        assert not thread.is_alive()
