"""What the pages show of the command is what the command prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfn_once.cli.command import VERBS
from support import audited, duplicated, operated
from support.response_host import ResponseHost

ROOT = Path(__file__).resolve().parents[2]


def nothing(_path, _folder, _host):
    """Make no ledger: the page begins without one."""


PAGES = {"cli.md": operated.few, "operate.md": operated.night, "tutorial.md": nothing}
PAGE = (ROOT / "docs" / "cli.md").read_text()
SESSION = re.compile(r"^```text\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\(exit code (\d+)\)\n\Z")


# `audit` alone finds an AWS: what the hooks of a page call is none.
COMMAND = """#!/bin/sh
if [ "$1" = audit ]; then
  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
fi
exec {python} -m cfn_once "$@"
"""


@pytest.fixture(params=PAGES)
def page(request):
    return request.param


@pytest.fixture
def shell(tmp_path, page, ministack):
    """Runs a command as in a shell whose folder is kept; cfn-once is this Python's.

    There is a ledger, as the page tells of one, with events that nobody has answered.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    command = tools / "cfn-once"
    command.write_text(COMMAND.format(python=sys.executable, url=ministack.url))
    command.chmod(0o755)
    (tmp_path / "events.json").write_text(duplicated.three_kinds().document())
    if page == "cli.md":  # a stack can be made once
        audited.ledger(ministack, tmp_path / "audited.sqlite3", "depot", "depot-old")
    folder = tmp_path / "work"
    folder.mkdir()
    with ResponseHost() as host:
        PAGES[page](tmp_path / "ledger.sqlite3", folder, host)
        environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "CFN_ONCE_LEDGER": f"sqlite://{tmp_path / 'ledger.sqlite3'}",
            "XDG_CACHE_HOME": str(ROOT / "build" / "cache"),  # MiniStack is installed there, once
            "CFN_ONCE_RESPONSE_HOSTS": host.url.removeprefix("http://"),
        }
        yield runs_in(folder, environment)


def runs_in(folder, environment):
    """Return what runs one command after another, beginning in a folder."""

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


def test_the_sessions(shell, page):
    """
    Every command of a page prints what is shown below it, and ends as it says.
    """
    for session in SESSION.findall((ROOT / "docs" / page).read_text()):
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
