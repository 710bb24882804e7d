"""What the page of the command shows is what the command prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfn_once.cli.command import VERBS
from support import duplicated, operated

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()
SESSION = re.compile(r"^```text\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\(exit code (\d+)\)\n\Z")


@pytest.fixture
def shell(tmp_path):
    """Runs a command as in a shell whose folder is kept; cfn-once is this Python's."""
    tools = tmp_path / "tools"
    tools.mkdir()
    command = tools / "cfn-once"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cfn_once "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "CFN_ONCE_LEDGER": f"sqlite://{tmp_path / 'ledger.sqlite3'}",
        "XDG_CACHE_HOME": str(ROOT / "build" / "cache"),  # MiniStack is installed there, once
    }
    shop = operated.stack(tmp_path / "ledger.sqlite3")
    shop.create("Orders")
    operated.doubts(shop, "Customers")
    operated.dies(shop, "Invoices")
    (tmp_path / "events.json").write_text(duplicated.three_kinds().document())
    folder = tmp_path / "work"
    folder.mkdir()

    def run(line):
        nonlocal folder
        if line.startswith("cd "):
            folder = folder / line.removeprefix("cd ")
            return 0, ""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def commands(session):
    """Return each command with what is shown below it, and its exit code."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        code = EXIT.search(shown)
        yield line, EXIT.sub("", shown), int(code[1]) if code else 0


def pattern(shown):
    """Return a pattern for what is shown: `...` alone is any lines, at an end the rest of one."""
    lines = [
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r" ?\n"
        for line in shown.splitlines()
    ]
    return "".join(lines)


def test_the_sessions(shell):
    """
    Every command of the page prints what is shown below it, and ends as it says.
    """
    for session in SESSION.findall(PAGE):
        for line, shown, code in commands(session):
            ended, printed = shell(line)

            assert code == ended, f"{line}: {printed}"
            assert re.fullmatch(pattern(shown), printed), f"{line}:\n{printed}\ninstead of\n{shown}"


def test_every_verb_has_a_session():
    """
    Each verb has its section, and is called in it.
    """
    sections = {part.partition("`")[0]: part for part in PAGE.split("\n## `")[1:]}

    assert set(VERBS) == set(sections)
    assert [] == [name for name, part in sections.items() if f"$ cfn-once {name}" not in part]
