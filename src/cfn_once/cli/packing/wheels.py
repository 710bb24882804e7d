"""The distributions that a provider needs, as wheels of the target, in a folder."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distributions, requires
from importlib.util import find_spec

from .. import installers
from ..console import Exit, Stop
from .target import Target, interpreter_of

OURS = "cfn-once"
SDK = ("boto3", "botocore")
# Every Lambda runtime for Python brings the SDK, and with it what botocore cannot do without.
# Source: Lambda Developer Guide, "Runtime-included SDK versions".
OF_THE_RUNTIME = (*SDK, "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
INSTALLERS = ("pip", "uv")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
# What pip and uv say where no wheel fits, each with the requirement.
_LACKING = (
    re.compile(r"No matching distribution found for ([^\s(]+)"),
    re.compile(r"Because all versions of (\S+) have no (?:usable )?wheels"),
    re.compile(r"Because (?:only )?(\S+) (?:has no (?:usable )?wheels|was not found)"),
)


def name_of(requirement: str) -> str:
    """Return the name in a requirement, as registries compare names."""
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


def needed(of_project: Iterable[str], *, with_boto3: bool) -> list[str]:
    """Return what is to be installed: what cfn-once needs, and what the project does.

    cfn-once itself is not among them: the one that runs here is packed.
    """
    ours = [text for text in requires(OURS) or [] if "extra ==" not in text]
    left_out = {OURS} if with_boto3 else {OURS, *SDK}
    return [text for text in [*ours, *of_project] if name_of(text) not in left_out]


def pins() -> list[str]:
    """Return the versions that are installed here: what was tested is what is packed."""
    found = {
        name_of(dist.name): dist.version
        for dist in distributions()
        if dist.read_text("direct_url.json") is None and "+" not in dist.version
    }
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != OURS]


def install(requirements: Sequence[str], folder: str, target: Target, *, installer: str) -> None:
    """Install into a folder.

    Args:
        requirements: In pip's words.
        folder: It is empty.
        target: What the wheels are for.
        installer: One of `INSTALLERS`; chosen here where it is empty.

    Raises:
        Stop: There is no installer, or it fails: a wheel that does not exist for the target.
    """
    constraints = f"{folder}.constraints"
    with open(constraints, "w", encoding="utf-8") as file:
        file.write("\n".join(pins()))
    command = _uv(target) if _chosen(installer) == "uv" else _pip(target)
    done = installers.run(
        [*command, "--quiet", "--target", folder, "--constraint", constraints, *requirements],
        {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    os.unlink(constraints)
    if done.failed:
        raise _failed(done, target)


def _chosen(installer: str) -> str:
    has = {"pip": find_spec("pip") is not None, "uv": shutil.which("uv") is not None}
    chosen = installer or next((name for name in INSTALLERS if has[name]), "")
    if not chosen:
        raise Stop("there is neither pip in this Python nor uv: install one of them")
    if not has[chosen]:
        raise Stop(f"there is no {chosen} here: install it, or leave out --installer")
    return chosen


def _pip(target: Target) -> list[str]:
    command = [sys.executable, "-m", "pip"]
    at_hand = interpreter_of(target.python)
    if at_hand not in (None, sys.executable):
        command += ["--python", str(at_hand)]  # so that markers are those of the target
    command += ["install", "--no-compile", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check"]
    if target.is_here:
        return command
    platforms = [part for tag in target.platforms() for part in ("--platform", tag)]
    return [*command, "--implementation", "cp", "--python-version", target.python, *platforms]


def _uv(target: Target) -> list[str]:
    command = ["uv", "pip", "install", "--no-compile-bytecode", "--only-binary", ":all:"]
    if target.is_here:
        return [*command, "--python", sys.executable]
    platform = f"{target.machine}-manylinux_2_{target.glibc}"
    return [*command, "--python-platform", platform, "--python-version", target.python]


def _failed(done: installers.Ended, target: Target) -> Stop:
    for pattern in _LACKING:
        if match := pattern.search(done.said):
            return Stop(
                f"there is no wheel of {match[1]} for {target}: choose another version of it,"
                " another --python or --arch, or build one",
                Exit.FOUND,
                detail=done.last,
            )
    return Stop("the packages cannot be installed, see above", Exit.FOUND, detail=done.last)


def leave_out(folder: str, roots: Iterable[str]) -> Iterator[str]:
    """Remove what the runtime brings, and what nothing else needs; yield each with its version.

    Args:
        folder: Where they were installed.
        roots: The requirements that were asked for: one that is named there stays.
    """
    found = {name_of(dist.name): dist for dist in distributions(path=[folder])}
    for name in sorted(set(found) - _needed(found, {name_of(root) for root in roots})):
        version = found[name].version
        _remove(found[name])
        yield f"{name} {version}"


def _needed(found: Mapping[str, Distribution], named: set[str]) -> set[str]:
    """Return what is named, and what it needs that the runtime does not bring."""
    needed: set[str] = set()
    waiting = sorted(named)
    while waiting:
        name = waiting.pop()
        if name in found and name not in needed and (name in named or name not in OF_THE_RUNTIME):
            needed.add(name)
            waiting += [name_of(text) for text in found[name].requires or []]
    return needed


def _remove(distribution: Distribution) -> None:
    for path in distribution.files or []:
        place = str(path.locate())
        if os.path.isfile(place):
            os.unlink(place)
