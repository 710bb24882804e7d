"""The monitoring API, as the kit's `FakeApi` plays it: no tokens, ids of its own."""

import os

from cfn_once.testing import FakeApi


def monitors() -> FakeApi:
    """Return the API, which the hooks call from now on."""
    api = FakeApi(tokens=False, prefix="monitor")
    os.environ["MONITOR_API"] = api.url
    return api
