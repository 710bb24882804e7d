"""The handler of examples/from_crhelper, under crhelper as it was, and as it was moved."""

from pathlib import Path

from cfn_once.testing import FakeApi, FakeCloudFormation, create_event
from moved.moving import IMPORT, OURS, REAL, execute, under_crhelper

INDEX = Path(__file__).parents[2] / "examples" / "from_crhelper" / "index.py"
ASKED = {"Address": "https://example.com"}


def test_the_example_under_both(monkeypatch):
    """
    It runs under crhelper with the one line put back, and makes a second monitor of a duplicate.
    """
    source = INDEX.read_text().replace(f"{OURS}  # was: {IMPORT}", IMPORT)
    before, after = (execute(source, line) for line in (REAL, OURS))
    create = create_event("Monitor", ASKED, resource_type="Custom::Monitor")

    with FakeApi(tokens=False) as api:
        monkeypatch.setenv("MONITOR_API", api.url)
        ids = [under_crhelper(before.handler, create)["PhysicalResourceId"] for _ in range(2)]
        cloudformation = FakeCloudFormation(after.helper.provider)
        cloudformation.create("Monitor", ASKED, resource_type="Custom::Monitor", times=2)

    assert ["obj-1", "obj-2"] == ids
    assert ["obj-1", "obj-2", "obj-3"] == api.created
