"""An external API, and a stack whose one resource runs a test's hooks."""

import os
from types import new_class

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeCloudFormation
from hooks.fake_aws import FakeAws
from hooks.planned_host import PlannedHost


@pytest.fixture
def api():
    with PlannedHost() as host:
        yield host


@pytest.fixture
def stack():
    """Make a stack of one kind of thing, from hooks that are plain functions."""

    def make(create=None, update=None, delete=None, **names):
        hooks = {"create": create, "update": update, "delete": delete or (lambda self: None)}
        given = {name: hook for name, hook in hooks.items() if hook is not None}
        bases = (CustomResource[dict, dict],)
        thing = new_class("Thing", bases, exec_body=lambda body: body.update(**given, **names))
        return FakeCloudFormation(Provider(thing, ledger="memory://"))

    return make


@pytest.fixture
def aws(monkeypatch):
    """An AWS at the other end of one wire, and what `self.client` must be told to find it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    with FakeAws() as host:
        yield host
