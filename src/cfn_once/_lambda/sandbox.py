"""This Lambda sandbox's id, and with it the proof that an earlier process in it is dead.

The process holds a lock on a file in the sandbox's scratch disk for its whole life; the kernel lets
go of it when the process ends, however it ends. Who gets the lock again gets the id in the file.
"""

import os
from typing import IO

from .environment import is_in_lambda, is_managed

MOST = 64


class Sandbox:
    """The sandbox that this process lives in.

    Args:
        folder: Its scratch disk; the folder for temporary files unless given.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._held: tuple[str, IO[str]] | None = None

    def id(self) -> str | None:
        """Return its id; None off Lambda, and where one process works on several events."""
        if not is_in_lambda() or is_managed():
            return None
        self._held = self._held or _hold_one(self._folder)
        return self._held and self._held[0]


sandbox_id = Sandbox().id


def _hold_one(folder: str | None) -> tuple[str, IO[str]] | None:
    import tempfile  # not before the first event: it loads a dozen modules

    for number in range(MOST):
        path = os.path.join(folder or tempfile.gettempdir(), f"cfn-once-sandbox-{number}")
        try:
            file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - held until the process ends
        except OSError:
            return None
        if _lock(file):
            return _id_in(file), file
        file.close()
    return None


def _lock(file: IO[str]) -> bool:
    """Lock a file for the rest of this process's life, unless a living process has it."""
    import fcntl  # Lambda is Linux; a test on another system never comes here

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _id_in(file: IO[str]) -> str:
    """Return the id in a file; who finds none writes one."""
    file.seek(0)
    name = file.read()
    if not name:
        name = os.urandom(16).hex()
        file.write(name)
        file.flush()
    return name
