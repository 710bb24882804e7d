"""The rules on other cfn-lints: each in a virtual environment of its own, made with pip."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("msgspec", "boto3", "requests", "pydantic")
# The oldest that pyproject.toml allows, one between, and whatever is the newest today.
VERSIONS = ("==1.43.0", "==1.50.0", "")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version or "newest")
def test_versions(version, tmp_path):
    """
    Every cfn-lint from 1.43 on finds the same, at the same lines.
    """
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", f"cfn-lint{version}", *NEEDED]
    subprocess.run(install, check=True, capture_output=True)

    done = subprocess.run(
        [python, ROOT / "tests" / "lint" / "findings.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "" == done.stdout + done.stderr
    assert 0 == done.returncode


def test_the_oldest_is_the_one_that_is_asked_for():
    """
    pyproject.toml asks for the oldest cfn-lint that is tested.
    """
    oldest = VERSIONS[0].removeprefix("==").removesuffix(".0")

    assert f'lint = ["cfn-lint>={oldest}"]' in (ROOT / "pyproject.toml").read_text()
