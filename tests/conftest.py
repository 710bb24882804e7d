"""Fixtures for all tests."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings

from support.host import Host
from support.ministack import MiniStack

# Other folders make their items with it as well.
pytest.register_assert_rewrite("ledger.told")

# A busy machine is no reason to fail: how long an example takes tells nothing of what it shows.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# Each takes its while; one that came last would leave the other processes with nothing to do.
LONG = (
    "tests/kit/safe/",
    "tests/explore/",
    "tests/hooks/test_operations.py",
    "tests/machine/",
    "tests/e2e/",
    "examples/",
    "tests/ledger/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that take long come first, and leave all else in its order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session", autouse=True)
def descriptions_of_aws() -> Iterator[None]:
    """Read each of botocore's files once a process: every new session would read them again.

    Each gets its own copy, for moto changes what it reads: it knows another code for an error.
    """
    read = JSONFileLoader().load_file
    kept = cache(lambda path: pickle.dumps(read(path)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: pickle.loads(kept(path)))
        yield


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """A local AWS for the whole session: take names that no other test takes."""
    with MiniStack() as aws:
        yield aws


@pytest.fixture
def start() -> Iterator[Callable[..., Host]]:
    """Start hosts that behave as they are told; every one is closed when the test is over."""
    with ExitStack() as hosts:
        yield lambda *behaviours, **options: hosts.enter_context(Host(*behaviours, **options))
