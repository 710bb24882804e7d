"""What a zip is made for: a Python version and a processor of Lambda, or this machine."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
OLDEST_GLIBC = 17  # of 2.x: manylinux2014, which every runtime has
# Lambda's python3.11 runs on Amazon Linux 2 with glibc 2.26, later ones on 2023 with 2.34. pip and
# uv both know wheels for 2.17 and 2.28. Source: Lambda Developer Guide, "Lambda runtimes".
GLIBC = {"3.11": 17}
GLIBC_LATER = 28
PATIENCE = 10  # seconds, for an interpreter to say its version
_ASK = """
import sys
print(sys.implementation.name, "%d.%d" % sys.version_info[:2], sys.executable, sep="\\n")
"""


class Target(NamedTuple):
    """A runtime of Lambda.

    Attributes:
        python: Its version, such as 3.13.
        architecture: Its processor, in Lambda's words: `arm64` or `x86_64`.
        is_here: Take the wheels of this machine instead, for an emulator that runs on it.
    """

    python: str
    architecture: str
    is_here: bool = False

    @property
    def glibc(self) -> int:
        """The newest glibc, of 2.x, that a wheel may need."""
        return GLIBC.get(self.python, GLIBC_LATER)

    @property
    def machine(self) -> str:
        """The processor in the words of wheels."""
        return MACHINES[self.architecture]

    def platforms(self) -> Iterator[str]:
        """Yield the platform tags that pip may take, the newest first."""
        for minor in range(self.glibc, OLDEST_GLIBC - 1, -1):
            yield f"manylinux_2_{minor}_{self.machine}"
        yield f"manylinux2014_{self.machine}"

    def __str__(self) -> str:
        where = "this machine" if self.is_here else self.architecture
        return f"Python {self.python} on {where}"


def here() -> Target:
    """Return what runs on this machine."""
    machine = platform.machine().lower()
    architecture = "arm64" if machine in ("arm64", "aarch64") else "x86_64"
    return Target(HERE, architecture, is_here=True)


def interpreter_of(python: str) -> str | None:
    """Return a CPython of that version on this machine; None where there is none at hand."""
    if python == HERE and sys.implementation.name == "cpython":
        return sys.executable
    found = shutil.which(f"python{python}")
    if found is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a Python of the user's own PATH
            [found, "-S", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "PYENV_VERSION": python},  # its shims run what is selected, no more
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    kind, version, executable = [*said.stdout.splitlines(), "", "", ""][:3]
    return executable if (kind, version) == ("cpython", python) else None
