"""The picture of the state machine is made of the code, and is what the code makes today."""

import runpy
from pathlib import Path

from cfn_once.ledger import transitions

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMES = {"begin", "begin_over", "resume", "record", "park", "finish", "record_cleanup"}


def test_the_picture_is_the_codes_own():
    """
    docs/state-machine.md holds what docs/state_machine.py prints.
    """
    made = runpy.run_path(str(DOCS / "state_machine.py"))["page"]()

    assert made == (DOCS / "state-machine.md").read_text()


def test_every_write_is_in_it():
    """
    No write of the ledger is left out of the picture.
    """
    made = runpy.run_path(str(DOCS / "state_machine.py"))["page"]()

    assert set(dir(transitions)) >= NAMES
    assert all(f"| {name} |" in made for name in NAMES)
