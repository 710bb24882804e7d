"""MiniStack's environment, and what an installer leaves when it is stopped."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cfn_once.cli import installers
from cfn_once.cli.scratch import scratch_folder
from support.shell import call, start


def processes_of(folder):
    """The processes that run a program of a folder."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                found += [process] if os.fsencode(folder) in file.read() else []
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_control_c_while_ministack_is_installed(tmp_path):
    """
    What was installed so far is removed, no installer goes on, and no scratch file lies about.
    """
    folder, cache, scratch = (tmp_path / name for name in ("provider", "cache", "scratch"))
    folder.mkdir()
    scratch.mkdir()
    around = {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(scratch)}
    assert 0 == call(folder, "new", ".", "--type", "Thing").code
    with start(folder, "local", "--", "true", **around) as local:
        over = time.monotonic() + 60
        while not list(cache.glob("cfn-once/*/bin/python")):
            assert time.monotonic() < over
            time.sleep(0.02)
        local.send_signal(signal.SIGINT)
        said = local.stderr.read()

    assert 130 == local.returncode
    assert "stopped; nothing was left behind" in said
    assert [] == list(cache.glob("cfn-once/*/*"))
    assert [] == processes_of(str(cache))
    assert [] == list(scratch.iterdir())


def test_an_installer_that_fails():
    """
    Whoever called it learns the end of what it has said, on either stream.
    """
    ended = installers.run(["sh", "-c", "seq 20; echo no wheel >&2; exit 3"])

    assert ended.failed
    assert ended.last.endswith("  20\n  no wheel\n")
    assert 12 == len(ended.last.splitlines())


class Once:
    """Ctrl-C, the first time that a function is called."""

    def __init__(self, name):
        self._name, self._came = name, False

    def __call__(self, frame, kind, _):
        if frame.f_code.co_name == self._name and not self._came:
            self._came = True
            raise KeyboardInterrupt


def test_control_c_while_a_folder_is_removed(tmp_path):
    """
    It is removed all the same, and Ctrl-C goes its way.
    """
    with pytest.raises(KeyboardInterrupt), scratch_folder("a-", str(tmp_path)) as folder:
        (Path(folder) / "a.txt").write_text("")
        before = sys.getprofile()
        sys.setprofile(Once("rmtree"))
    sys.setprofile(before)

    assert [] == list(tmp_path.iterdir())


def interrupts(frame, kind, _):
    """Send Ctrl-C once a program runs, and before whoever starts it holds its process."""
    if (frame.f_code.co_name, kind) == ("_execute_child", "return"):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_control_c_while_an_installer_is_started(tmp_path):
    """
    It is ended all the same: no terminal's Ctrl-C reaches it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler), sys.getprofile()
    sys.setprofile(interrupts)
    with pytest.raises(KeyboardInterrupt):
        installers.run(["sh", "-c", f"sleep 60; true {tmp_path}"])
    sys.setprofile(before[1])
    signal.signal(signal.SIGINT, before[0])

    assert [] == processes_of(str(tmp_path))
