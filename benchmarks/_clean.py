"""A clean virtual environment: Lambda's runtime client, boto3 and our wheel, and nothing else.

A developer's environment flatters: what its packages load before us is not counted as ours.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path

from . import ROOT
from ._peers import RUNTIME, run

HOME = ROOT / ".venv-bench"
PYTHON = HOME / "bin" / "python"


@cache
def install() -> Path:
    """Make the environment unless it is there and has this very source; returns its interpreter."""
    stamp, wanted = HOME / "installed.txt", _digest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {HOME.name}", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(HOME))
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
        run(*pip, "--constraint", "constraints.txt", *RUNTIME, str(ROOT))
        stamp.write_text(wanted)
    return PYTHON


def _digest() -> str:
    pins = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    source = sorted((ROOT / "src").rglob("*.py"))
    parts = [*(path.read_bytes() for path in [*pins, *source]), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
