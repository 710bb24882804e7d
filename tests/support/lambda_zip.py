"""
A provider as Lambda wants it: one zip with its modules, cfn_once, and what that needs.

What is zipped is the cfn_once that the caller imports: a checkout's, or that of the built wheel.
"""

import hashlib
import io
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import requires
from pathlib import Path

import cfn_once

from .ministack import ROOT, install, locked, run

CACHE = ROOT / "build" / "lambda"
# Every Lambda runtime for Python brings it, and MiniStack's workers have it, too.
IN_THE_RUNTIME = {"boto3"}


Content = Path | str
"""A file, or the text of one."""


def lambda_zip(files: Mapping[str, Content], requirements: Iterable[str] = ()) -> bytes:
    """Return the zip of a provider.

    Args:
        files: What each of its own files is called in the zip, and where it is from.
        requirements: What it needs besides cfn_once, in pip's words.
    """
    packages, ours = _packages([*_needed(), *requirements]), Path(cfn_once.__file__).parent
    foreign = {
        str(path.relative_to(packages)): path for path in packages.rglob("*") if path.is_file()
    }
    own = {str(path.relative_to(ours.parent)): path for path in ours.rglob("*.py")}
    return plain_zip({**foreign, **own, **files})


def plain_zip(files: Mapping[str, Content]) -> bytes:
    """Return the zip of a function that needs nothing but what the runtime has."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in sorted(files.items()):
            data = content.read_bytes() if isinstance(content, Path) else content
            archive.writestr(name, data)
    return packed.getvalue()


def _needed() -> list[str]:
    """Return what cfn_once says that it needs, less what the runtime has."""
    asked = [require for require in requires("cfn-once") or [] if "extra ==" not in require]
    return [call for call in asked if re.split(r"[^\w-]", call)[0] not in IN_THE_RUNTIME]


def _packages(requirements: list[str]) -> Path:
    """Return a folder with packages, installed when it is first asked for."""
    constraints = ROOT / "constraints.txt"
    key = "\n".join([*sorted(requirements), constraints.read_text(), sys.version])
    folder = CACHE / hashlib.sha256(key.encode()).hexdigest()[:16]
    python = install() / "bin/python"
    with locked(CACHE):
        if not folder.exists():
            half_made = folder.with_suffix(".part")
            shutil.rmtree(half_made, ignore_errors=True)
            pip = (python, "-m", "pip", "install", "--quiet", "--no-compile")
            run(*pip, "--constraint", constraints, "--target", half_made, *requirements)
            half_made.rename(folder)
    return folder
