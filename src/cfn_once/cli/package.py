"""`cfn-once package`: the zip of a provider's function, the same bytes each time."""

import argparse
import os
import re
from collections.abc import Collection

from .._described.settings import Settings
from .console import Console, Exit, Stop
from .packing.build import Zip, ZipPlan, build
from .packing.target import HERE, MACHINES, PYTHONS, Target, here
from .packing.wheels import INSTALLERS
from .project import add_provider, settings

DESCRIPTION = (
    "Make the zip of the provider's function: your modules, cfn-once, and the wheels of what both\n"
    "need for Lambda's Python and processor, in the versions that are installed here. The same\n"
    "content gives the same bytes. boto3 is left out: Lambda's runtime brings it."
)
EXAMPLE = "cfn-once package --python 3.13 --arch arm64"
FOLDER = "dist"
TARGET = "CFN_ONCE_TARGET"  # set by `cfn-once local` for the command that it runs
OF_THIS_MACHINE = "this-machine"
ARCHITECTURE = "x86_64"  # as templates/provider.yaml has it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_provider(parser)
    add_target(parser)
    add_packing(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help=f"the zip; else {FOLDER}/NAME.zip")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Let a call say what the zip is for."""
    parser.add_argument(
        "--python",
        metavar="3.13",
        help="the Python of Lambda; else `python` of [tool.cfn-once], else this one's version",
    )
    parser.add_argument(
        "--arch",
        metavar="arm64|x86_64",
        help=f"its processor; else `architecture` of [tool.cfn-once], else {ARCHITECTURE}",
    )


def add_packing(parser: argparse.ArgumentParser) -> None:
    """Let a call say how wheels get into the zip."""
    parser.add_argument("--with-boto3", action="store_true", help="pack boto3, too")
    parser.add_argument(
        "--installer", choices=INSTALLERS, default="", help="what fetches wheels; else pip, else uv"
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Make it, and tell of it."""
    configured = settings()
    target = target_of(given, configured)
    path = given.output or os.path.join(FOLDER, f"{name_of(configured)}.zip")
    made = build(wanted_of(given, configured, target), path)
    console.line(made.file)
    for line in figures(made, target):
        console.line(f"  {line}")
    console.result({**made._asdict(), "python": target.python, "architecture": target.architecture})
    say_what_is_missing(made, target, console)
    return Exit.CLEAN


def wanted_of(given: argparse.Namespace, configured: Settings, target: Target) -> ZipPlan:
    """Return what is to be packed."""
    return ZipPlan(
        folder=os.getcwd(),
        provider=given.provider or configured.provider,
        target=target,
        include=tuple(configured.include),
        with_boto3=given.with_boto3,
        installer=given.installer,
    )


def is_for_this_machine() -> bool:
    """Tell whether `cfn-once local` runs this command."""
    return os.environ.get(TARGET) == OF_THIS_MACHINE


def target_of(given: argparse.Namespace, configured: Settings) -> Target:
    """Return what the zip is for: of the call, of `cfn-once local`, of the settings.

    Raises:
        Stop: Lambda has no such runtime.
    """
    if is_for_this_machine() and not (given.python or given.arch):
        return here()
    python = given.python or configured.python or (HERE if HERE in PYTHONS else PYTHONS[-1])
    architecture = given.arch or configured.architecture or ARCHITECTURE
    _check("python", python, PYTHONS)
    _check("architecture", architecture, MACHINES)
    return Target(python, architecture)


def _check(setting: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise Stop(f"{setting}: {value} is none of {', '.join(known)}", Exit.WRONG_CALL)


def name_of(configured: Settings) -> str:
    """Return what the provider is called: its stack's name, else its folder's."""
    return configured.stack or re.sub(r"[^A-Za-z0-9]+", "-", os.path.basename(os.getcwd())).strip(
        "-"
    )


def figures(made: Zip, target: Target) -> list[str]:
    """Return the lines that tell of a zip."""
    return [
        f"{made.size / 1e6:.2f} MB, {made.files} files, {target}",
        f"sha256 {made.sha256}",
    ]


def say_what_is_missing(made: Zip, target: Target, console: Console) -> None:
    """Say what is not in a zip, and why."""
    if not made.has_boto3:
        others = "".join(f", {name}" for name in made.left_out)
        console.say(f"left out, for Lambda's runtime brings it: boto3{others}")
    if not made.has_bytecode:
        console.say(
            f"there is no python{target.python} here, so nothing is compiled: a cold start compiles"
            " what it imports"
        )
