"""What this package claims, measured: each figure beside a peer's, taken in the same run."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = Path(__file__).parent / "functions"

# The same Lambda, the same outside world and the same local AWS that the tests run on.
sys.path.insert(0, str(ROOT / "tests"))
