"""The picture of the state machine is made of the code, and is what the code makes today."""

import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


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
    from cfn_once.ledger import transitions as _writes

    made = runpy.run_path(str(DOCS / "state_machine.py"))["page"]()
    names = {"begin", "begin_over", "take_over", "record", "note", "park", "leave", "finish"}

    assert names <= set(dir(_writes))
    assert all(f"| {name} |" in made for name in names | {"supersede", "round"})
