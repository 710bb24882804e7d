"""`cfn-once new`: what it makes passes everything as it is; and it makes all of it, or nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfn_once.cli.new import put
from cfn_once.cli.starters import STARTERS, files_of
from support.shell import call, contents

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "mypy"  # what mypy keeps from day to day of boto3's stubs and of moto
PAGES = [ROOT / "docs" / page for page in ("cli.md", "tutorial.md")]
MADE_AND_TESTED = re.compile(
    r"^\$ cfn-once new \S+ --example (\w+)\n(?:(?!\$ cfn-once new ).*\n)*?\$ cfn-once test\n",
    re.MULTILINE,
)
# The sessions of these pages are run, by tests/docs/test_sessions.py.
TESTED_BY_PAGES = {name for page in PAGES for name in MADE_AND_TESTED.findall(page.read_text())}


@pytest.mark.parametrize("example", STARTERS)
def test_what_is_made(example, tmp_path):
    """
    A new provider passes lint and mypy --strict, and its folder has nothing else in it.
    """
    made = call(tmp_path, "new", "my-thing", "--example", example)
    folder = tmp_path / "my-thing"
    linted = call(folder, "lint")
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", CACHE, "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, 0) == (made.code, linted.code), linted.out
    assert "" == linted.out
    assert "Success" in typed.stdout, typed.stdout
    assert set(contents(folder)) == set(files_of(example, name="a", type_name="A"))


@pytest.mark.parametrize("example", sorted(set(STARTERS) - TESTED_BY_PAGES))
def test_what_is_made_is_safe(example, tmp_path):
    """
    A new provider passes its own tests, the contract and every fault.
    """
    call(tmp_path, "new", "my-thing", "--example", example)
    tested = call(tmp_path / "my-thing", "test")

    assert 0 == tested.code, tested.out
    assert "contract: passed\nown tests: passed\n" in tested.out


def test_a_type_that_is_no_name_of_a_class(tmp_path):
    """
    A type may hold what no class is called; the class names its type then.
    """
    made = call(tmp_path, "new", "x", "--type", "Custom::1st-thing@home")
    invoked = call(tmp_path / "x", "invoke", "create", "--json")

    assert (0, 0) == (made.code, invoked.code)
    text = (tmp_path / "x" / "provider.py").read_text()
    assert 'resource_type = "Custom::1st-thing@home"' in text
    assert "class Resource1stThingHome(" in text


def test_an_empty_folder_is_taken(tmp_path):
    """
    The folder itself may be empty already; what lies beside it stays.
    """
    (tmp_path / "beside.txt").write_text("kept")
    (tmp_path / "empty").mkdir()
    called = call(tmp_path / "empty", "new", ".", "--type", "Thing")

    assert 0 == called.code
    assert "class Thing(" in (tmp_path / "empty" / "provider.py").read_text()
    assert {"beside.txt": "kept"} == contents(tmp_path)


class Interrupted(dict):
    """Files of which the third one is interrupted."""

    def __init__(self, files, *, when_moved):
        super().__init__(files)
        self.when_moved = when_moved

    def items(self):
        yield from list(super().items())[: None if self.when_moved else 2]
        if not self.when_moved:
            raise KeyboardInterrupt

    def __iter__(self):
        yield from list(super().__iter__())[:2]
        raise KeyboardInterrupt


@pytest.mark.parametrize("when_moved", [False, True])
def test_control_c_on_the_way(when_moved, tmp_path):
    """
    An interrupted `new` leaves nothing: neither while it writes, nor while it moves.
    """
    files = Interrupted(files_of("minimal", name="a", type_name="A"), when_moved=when_moved)
    with pytest.raises(KeyboardInterrupt):
        put(str(tmp_path / "made"), files)

    left = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert [] == left


def test_a_folder_that_a_shell_would_read_otherwise(tmp_path):
    """
    What it says to do next can be pasted, whatever the folder is called.
    """
    called = call(tmp_path, "new", "my $HOME; thing")
    step = called.err.removeprefix("cfn-once: now: ").partition(" && ")[0]
    gone = subprocess.run(
        ["bash", "-c", f"{step} && ls"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert "provider.py" in gone.stdout, gone.stderr


def test_a_place_where_nothing_can_be_made(tmp_path):
    """
    A parent that is a file is told in a line.
    """
    (tmp_path / "file").write_text("")
    called = call(tmp_path, "new", "file/thing")

    assert 3 == called.code
    assert "cfn-once: file/thing cannot be made: " in called.err


@pytest.mark.parametrize("kind", ["None", "True", "Provider", "ValueError"])
@pytest.mark.parametrize("example", STARTERS)
def test_a_type_whose_class_would_hide_another(example, kind):
    """
    A keyword, a builtin, and what the modules import: the class is called otherwise.
    """
    files = files_of(example, name="x", type_name=kind)
    classes = {
        name for text in files.values() for name in re.findall(r"^class (\w+)", text, re.MULTILINE)
    }

    assert kind not in classes
    for name in ("provider.py", "test_provider.py"):
        compile(files[name], name, "exec")
    assert f"Custom::{kind}" in files["provider.py"]
