"""Fixtures of the examples' tests."""

from collections.abc import Iterator

import pytest

from support.ministack import REGION, MiniStack


@pytest.fixture(scope="session")
def local_aws() -> Iterator[MiniStack]:
    """MiniStack, for the whole session."""
    with MiniStack() as aws:
        yield aws


@pytest.fixture
def ministack(local_aws: MiniStack, monkeypatch: pytest.MonkeyPatch) -> MiniStack:
    """MiniStack, as the AWS that hooks call."""
    settings = {
        "AWS_ENDPOINT_URL": local_aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return local_aws
