"""An event that waits, hosts that behave as told in the place of AWS, and what must not be told."""

import os

import pytest

from continuation.ways import SECRETS, event
from support.requests_of_cloudformation import nothing_logged_of


@pytest.fixture
def waiting():
    """A Create whose hook waits."""
    return event()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """What Lambda sets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(caplog):
    """
    No logger, botocore's included, says anything of what is sent.
    """
    with nothing_logged_of(SECRETS, caplog):
        yield
