"""`cfn-once new`: the folder of a provider, whole or not at all."""

import argparse
import os
import re
import shlex
from collections.abc import Mapping

from .console import Console, Exit, Stop
from .scratch import scratch_folder
from .starters import STARTERS, files_of

DESCRIPTION = (
    "Make a folder with a provider, its test, a template that uses it, and the settings of\n"
    "pytest, mypy, cfn-lint and cfn-once. What it makes passes them all as it is."
)
EXAMPLE = "cfn-once new my-thing --type Custom::Thing"
TYPE = re.compile(r"(?:Custom::)?([A-Za-z0-9_@-]{1,60})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument("folder", metavar="DIR", help="a folder that is empty, or not yet there")
    parser.add_argument("--type", metavar="Custom::Thing", help="its type; after the folder")
    parser.add_argument("--example", choices=sorted(STARTERS), default="minimal")


def run(given: argparse.Namespace, console: Console) -> int:
    """Make the folder."""
    folder = os.path.abspath(given.folder)
    name = re.sub(r"[^a-z0-9]+", "-", os.path.basename(folder).lower()).strip("-") or "provider"
    wanted = given.type or "".join(part.capitalize() for part in name.split("-"))
    match = TYPE.fullmatch(wanted)
    if match is None:
        raise Stop(
            f"{wanted} is no type: write Custom:: and 1 to 60 of A-Z, a-z, 0-9, _, @ and -",
            Exit.WRONG_CALL,
        )
    if os.path.isfile(folder) or (os.path.isdir(folder) and os.listdir(folder)):
        raise Stop(f"{given.folder} is not empty: name another folder", Exit.WRONG_CALL)
    files = files_of(given.example, name=name, type_name=match[1])
    try:
        put(folder, files)
    except OSError as error:
        raise Stop(f"{given.folder} cannot be made: {error.strerror}") from None
    for path in files:
        console.line(f"{given.folder}/{path}")
    console.result({"folder": folder, "files": list(files)})
    console.say(f"now: cd {shlex.quote(given.folder)} && cfn-once test && cfn-once lint")
    return Exit.CLEAN


def put(folder: str, files: Mapping[str, str]) -> None:
    """Write all files, or none: beside the folder first, then moved in."""
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    with scratch_folder(".cfn-once-new-", parent) as beside:
        _put(folder, files, beside)


def _put(folder: str, files: Mapping[str, str], beside: str) -> None:
    moved: list[str] = []
    try:
        for path, text in files.items():
            with open(os.path.join(beside, path), "w", encoding="utf-8") as file:
                file.write(text)
        os.makedirs(folder, exist_ok=True)
        for path in files:
            moved.append(os.path.join(folder, path))
            os.rename(os.path.join(beside, path), moved[-1])
    except BaseException:
        for path in moved:
            if os.path.exists(path):
                os.unlink(path)
        raise
