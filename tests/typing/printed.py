"""
Check the printed code as a user's editor does, with mypy --strict and with pyright.

    python tests/typing/printed.py

The providers and tests of README and of the tutorial, and the examples, as they are printed; then
tests/typing: `api.py` must pass, and each line of `refused.py` must not.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "typing"
BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ("README.md", "docs/tutorial.md")
TYPED_TESTS = ("from_crhelper", "gateway", "minimal", "sql_user")
EXAMPLES = [
    *sorted(ROOT.glob("examples/*/provider.py")),
    ROOT / "examples/from_crhelper/index.py",
    ROOT / "examples/sql_user/postgresql.py",
    *(ROOT / f"examples/{name}/test_provider.py" for name in TYPED_TESTS),
]
OURS = ("tests/typing/api.py", "tests/typing/refused.py")
PYRIGHT = {
    "typeCheckingMode": "standard",
    "enableTypeIgnoreComments": False,  # those are mypy's
    "reportUnnecessaryTypeIgnoreComment": "error",
}


def printed(place: Path) -> list[list[str]]:
    """Write each page's files into a folder of its own, and return what to check together."""
    shutil.rmtree(place, ignore_errors=True)
    together = []
    for page in PAGES:
        folder = place / Path(page).stem.lower()
        folder.mkdir(parents=True)
        blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
        for name, code in blocks:
            (folder / name).write_text(code, encoding="utf-8")
        together.append([str(folder / name) for name, _ in blocks])
    return [*together, [*map(str, EXAMPLES)]]


def mypy(files: list[str]) -> int:
    """Check files as one program: those of a page import one another."""
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(PLACE / "cache")]
    here = Path(files[0]).parent if PLACE in Path(files[0]).parents else ROOT
    return subprocess.run([*command, *files], check=False, cwd=here).returncode


def pyright(files: list[str]) -> int:
    """Check all files."""
    config = PLACE / "pyrightconfig.json"
    relative = [os.path.relpath(file, PLACE) for file in files]
    config.write_text(json.dumps({**PYRIGHT, "include": relative}), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", str(config)]
    return subprocess.run(
        [*command, "--pythonpath", sys.executable], check=False, cwd=PLACE
    ).returncode


def main() -> int:
    """Return how many checks have failed."""
    groups = printed(PLACE)
    wrong = [mypy(files) for files in groups]
    every = [file for files in groups for file in files]
    wrong.append(pyright([*every, *(str(ROOT / name) for name in OURS)]))
    return sum(map(bool, wrong))


if __name__ == "__main__":
    sys.exit(main())
