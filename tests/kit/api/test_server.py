"""How the kit's servers use threads: the test's hooks call them thousands of times."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from cfn_once.testing import FakeApi

PATIENCE = 20.0  # seconds: a loaded machine's


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


def test_no_thread_outlives_its_server(api, seen):
    """
    Closed, it leaves no thread behind that waits for a connection.
    """
    post(api)

    api.close()

    for thread in seen:
        thread.join(PATIENCE)
        assert not thread.is_alive()
