"""A zip whose bytes depend on nothing but what is in it."""

import hashlib
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..console import Exit, Stop
from .target import interpreter_of

OLDEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no time before
FILE = 0o100644 << 16  # a regular file that everybody may read
UNIX = 3
ROOT = "/var/task"  # where Lambda unpacks it: what tracebacks name
LARGEST = 250 * 2**20  # bytes, unpacked. Source: Lambda Developer Guide, "Lambda quotas"
# Scripts begin with the path of a Python here; these files name the machine, or how it was done.
_OF_THE_MACHINE = re.compile(
    r"bin/|\.lock$|.*\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_\w+\.json)$"
    r"|.*/?__pycache__/.*\.opt-\d\.pyc$"
)
# A hash of the source that is never checked: Lambda's files have no times of their own.
_COMPILE = f"""
import os, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in sys.stdin.read().split("\\n"):
    try:
        py_compile.compile(name, dfile="{ROOT}/" + name, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, SyntaxError):
        pass  # a file for another Python: its import says so
"""


def add_bytecode(folder: str, python: str) -> bool:
    """Compile all modules in a folder with the target's own version; False where it is not here."""
    interpreter = interpreter_of(python)
    if interpreter is None:
        return False
    names = "\n".join(name for name in _names(folder) if name.endswith(".py"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(  # noqa: S603 - a Python of the user's own PATH
        [interpreter, "-S", "-c", _COMPILE],
        input=names,
        text=True,
        cwd=folder,
        check=True,
        env={**kept, "PYTHONHASHSEED": "0"},  # sets are written in the order of hashes
    )
    return True


class Figures(NamedTuple):
    """What is printed of a zip.

    Attributes:
        size: In bytes.
        sha256: Of its bytes, in hexadecimal.
        files: How many are in it.
        unpacked: Bytes of them.
    """

    size: int
    sha256: str
    files: int
    unpacked: int


def write(folder: str, path: str) -> Figures:
    """Zip a folder, whole or not at all, and return its figures.

    Raises:
        Stop: It cannot be written, or Lambda would refuse it.
    """
    names = list(_names(folder))
    unpacked = sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    if unpacked > LARGEST:
        raise Stop(
            f"{unpacked / 1e6:,.0f} MB unpacked are more than Lambda takes, 262 MB: depend on less",
            Exit.FOUND,
        )
    try:
        digest = _written(folder, path, names)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None
    return Figures(os.path.getsize(path), digest, len(names), unpacked)


def put(folder: str, contents: Mapping[str, str]) -> None:
    """Copy files into a folder, by their names there; what is there already gives way."""
    for name, path in contents.items():
        place = os.path.join(folder, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(path, "rb") as source, open(place, "wb") as copy:
            copy.write(source.read())


def put_text(folder: str, name: str, text: str) -> None:
    """Write a file of text into a folder."""
    place = os.path.join(folder, name)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)


def _written(folder: str, path: str, names: list[str]) -> str:
    """Write the zip beside its place, move it there, and return its hash."""
    parent = os.path.dirname(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".cfn-once-", suffix=".zip", dir=parent)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for name in names:
                with open(os.path.join(folder, name), "rb") as source:
                    archive.writestr(_info(name), source.read(), compresslevel=9)
        with open(beside, "rb") as made:
            digest = hashlib.file_digest(made, "sha256").hexdigest()
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return digest


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, OLDEST)
    info.external_attr, info.create_system = FILE, UNIX
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _names(folder: str) -> Iterator[str]:
    """Yield the names of what is zipped, in one order."""
    found = (
        os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
        for place, _, files in os.walk(folder)
        for name in files
    )
    yield from sorted(name for name in found if not _OF_THE_MACHINE.match(name))
