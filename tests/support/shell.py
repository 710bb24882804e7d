"""The command `cfn-once` in a process of its own, as a shell calls it."""

import os
import subprocess
import sys
from typing import NamedTuple

# Who runs tests in the background of a shell has them ignore Ctrl-C, and so would all they start.
_INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from cfn_once.cli.command import main
sys.exit(main(sys.argv[1:]))
"""


class Called(NamedTuple):
    code: int
    out: str
    err: str


def call(folder, *arguments, stdin="", **environment):
    """Call the command in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "cfn_once", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Called(done.returncode, done.stdout, done.stderr)


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
