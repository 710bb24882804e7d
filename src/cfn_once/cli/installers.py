"""Programs that install: run to their end, or ended whole with what they have begun to write."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from .scratch import scratch_folder

LINES = 12  # of what one has said: its end tells why it failed
NOTHING: Mapping[str, str] = MappingProxyType({})


class Ended(NamedTuple):
    """How a program has ended.

    Attributes:
        failed: Its exit code was another one than 0.
        said: What it has printed.
    """

    failed: bool
    said: str

    @property
    def last(self) -> str:
        """The last lines of what it has printed, for people."""
        return last_of(self.said)


def run(command: Sequence[str], environment: Mapping[str, str] = NOTHING) -> Ended:
    """Run a program; Ctrl-C ends it with all that it started, and removes its temporary files.

    Args:
        command: The program and its arguments.
        environment: Variables besides those of this process.
    """
    process: subprocess.Popen[str] | None = None
    with scratch_folder("cfn-once-install-") as scratch:
        try:
            with _later():
                process = _started(command, {**os.environ, "TMPDIR": scratch, **environment})
            said, _ = process.communicate()
        except BaseException:
            if process is not None:
                _end(process)
            raise
    return Ended(process.returncode != 0, said)


def _started(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - an installer of the user's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,  # a terminal's Ctrl-C reaches this process alone
    )


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()  # until all that it started has ended


@contextmanager
def _later() -> Iterator[None]:
    """Let Ctrl-C come after the block: a program that is being started cannot be ended yet."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def last_of(said: str) -> str:
    """Return the last lines of what a program has printed."""
    return "".join(f"  {line}\n" for line in said.strip().splitlines()[-LINES:])
