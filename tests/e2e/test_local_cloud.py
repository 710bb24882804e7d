"""The local AWS of these tests and of the demo: it never outlives whoever started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.ministack import ROOT, MiniStack

pytestmark = pytest.mark.e2e

STARTER = """
import os, sys
from support.ministack import MiniStack
with MiniStack() as aws:
    print(aws.host, flush=True)
    sys.stdin.read()
"""


def is_listening(host):
    name, port = host.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((name, int(port))) == 0


def test_it_ends_with_its_block():
    """
    What was started is gone at the end of the block, with its scratch disk.
    """
    with MiniStack() as aws:
        host, folder = aws.host, Path(aws.folder)
        before = is_listening(host), folder.exists()

    assert ((True, True), (False, False)) == (before, (is_listening(host), folder.exists()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_whoever_started_it(number, tmp_path):
    """
    Neither Ctrl-C nor SIGKILL leaves a server behind.
    """
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=ROOT / "tests",
        env={**os.environ, "TMPDIR": str(tmp_path)},  # what SIGKILL leaves there is cleared away
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with starter:
        host = starter.stdout.readline().strip()
        before = is_listening(host)
        starter.send_signal(number)
    over = time.monotonic() + 20
    while is_listening(host) and time.monotonic() < over:
        time.sleep(0.05)

    assert (True, False) == (before, is_listening(host))


def test_a_start_that_is_interrupted():
    """
    Ctrl-C while it starts ends what has been started so far.
    """
    started = []

    class Interrupted(MiniStack):
        def _is_up(self):
            started.append((self._process, self.folder))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Interrupted():
        pass
    ((process, folder),) = started

    assert process.returncode is not None
    assert not Path(folder).exists()
