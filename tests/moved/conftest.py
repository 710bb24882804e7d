"""What the moved handlers call, and logging as it was before crhelper."""

import logging

import pytest

from moved.moving import Observed, Rules
from moved.things import things


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """crhelper sets the root logger's level, and boto's, where it is made and at each event."""
    names = ("", "boto", "boto3", "botocore", "urllib3")
    levels = {name: logging.getLogger(name).level for name in names}
    formatters = {handler: handler.formatter for handler in logging.root.handlers}
    yield
    for handler, formatter in formatters.items():
        handler.setFormatter(formatter)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """A function's environment, in which nothing is made yet."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # 500 images, which nobody looks at
    monkeypatch.setenv("CFN_ONCE_LEDGER", "memory://")
    monkeypatch.setenv("CFN_ONCE_CONTINUATION", "lambda://self")
    things.reset()
    Observed.rules, Observed.told = Rules(), []
    yield things
    assert {} == Observed.rules.ticking
