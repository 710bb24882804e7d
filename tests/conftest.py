"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from support.ministack import MiniStack


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """A local AWS for the whole session: take names that no other test takes."""
    with MiniStack() as aws:
        yield aws
