"""Fixtures for all tests."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader, Loader
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

    Each gets its own copy of a service, for moto changes what it reads: it knows another code for
    an error. The rest, such as all endpoints, is only looked at. Which services there are is in
    the names of 400 folders.
    """
    read = cache(JSONFileLoader().load_file)
    kept = cache(lambda path: pickle.dumps(read(path)))

    def load(_: JSONFileLoader, path: str) -> Any:
        return pickle.loads(kept(path)) if path.endswith("service-2") else read(path)

    services: dict[tuple[str, ...], list[str]] = {}
    look = Loader.list_available_services

    def list_services(loader: Loader, type_name: str) -> list[str]:
        at = (type_name, *loader.search_paths)
        if at not in services:
            services[at] = look(loader, type_name)
        return services[at]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load)
        patch.setattr(Loader, "list_available_services", list_services)
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
