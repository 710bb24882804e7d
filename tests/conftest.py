"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.ministack import MiniStack

# A busy machine is no reason to fail: how long an example takes tells nothing of what it shows.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """A local AWS for the whole session: take names that no other test takes."""
    with MiniStack() as aws:
        yield aws
