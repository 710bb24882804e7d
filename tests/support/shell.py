"""The command `cfn-once` in a process of its own, as a shell calls it."""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

WARM = Path(__file__).with_name("warm.py")
# What takes the most time to load, and is the same for every call.
CALLS_AWS = ("argparse", "boto3", "botocore.session", "msgspec", "requests")
LINTS = ("argparse", "cfnlint.runner", "msgspec")

# Who runs tests in the background of a shell, or under nohup, has them ignore Ctrl-C and the end
# of the terminal, and so would all they start.
_INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from cfn_once.cli.command import main
sys.exit(main(sys.argv[1:]))
"""


class Called(NamedTuple):
    code: int
    out: str
    err: str


class _Warm:
    """A process that has loaded some modules, and forks for each call of the command."""

    def __init__(self, modules):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = subprocess.Popen(
                [sys.executable, WARM, str(theirs.fileno()), *modules],
                # Coverage is measured from a call's beginning, of which the fork is none.
                env={name: of for name, of in os.environ.items() if "COVERAGE" not in name},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            self._calls = ours.makefile("rw")
        atexit.register(self._end)

    def _end(self):
        self._calls.close()
        self._process.wait()

    def call(self, asked, stdin):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write(folder, {"call": json.dumps(asked), "in": stdin})
            print(place, file=self._calls, flush=True)
            code = int(self._calls.readline())
            return Called(code, (folder / "out").read_text(), (folder / "err").read_text())


_warm = cache(_Warm)


def call(folder, *arguments, stdin="", **environment):
    """Call the command in a folder, in a process of its own: others' modules are loaded before."""
    assert not [name for name in environment if name.startswith(("PYTHON", "LC_"))], "too late"
    asked = {
        "folder": str(folder),
        "arguments": [str(argument) for argument in arguments],
        "environment": {**os.environ, **environment},
    }
    return _warm(LINTS if "lint" in arguments[:1] else CALLS_AWS).call(asked, stdin)


def start(folder, *arguments, **environment):
    """Start the command in a folder, to be interrupted; its standard error can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def write(folder, files):
    """Write files, by their paths."""
    for path, text in files.items():
        (folder / path).write_text(text)


def contents(folder):
    """Return what is in a folder, without what Python leaves there."""
    return {
        path.name: path.read_text()
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".pyc"
    }
