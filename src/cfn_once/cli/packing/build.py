"""One zip, from the folder of a provider."""

import os
from typing import NamedTuple

from ..scratch import scratch_folder
from . import archive, sources, wheels
from .target import Target


class ZipPlan(NamedTuple):
    """What a zip is made of.

    Attributes:
        folder: The provider's.
        provider: Module and name of the `Provider`.
        target: What it runs on.
        include: Patterns of files besides the modules.
        with_boto3: Pack boto3 as well.
        installer: `pip` or `uv`; chosen where it is empty.
    """

    folder: str
    provider: str
    target: Target
    include: tuple[str, ...] = ()
    with_boto3: bool = False
    installer: str = ""


class Zip(NamedTuple):
    """A zip that was made.

    Attributes:
        file: Where it is.
        size: In bytes.
        sha256: Of its bytes, in hexadecimal.
        files: How many are in it.
        unpacked: Bytes of them.
        has_bytecode: They are compiled.
        has_boto3: It is among them.
        left_out: What Lambda's runtime brings besides, each with the version that was left out.
    """

    file: str
    size: int
    sha256: str
    files: int
    unpacked: int
    has_bytecode: bool
    has_boto3: bool
    left_out: tuple[str, ...]


def build(wanted: ZipPlan, path: str) -> Zip:
    """Make the zip, whole or not at all.

    Raises:
        Stop: There is no provider, a wheel that it needs does not exist, or Lambda would refuse it.
    """
    own = sources.of_project(wanted.folder, wanted.provider, wanted.include)
    project = sources.requirements_of(wanted.folder)
    asked = wheels.needed(project, with_boto3=wanted.with_boto3)
    with scratch_folder("cfn-once-package-") as scratch:
        folder = os.path.join(scratch, "zip")
        os.mkdir(folder)
        wheels.install(asked, folder, wanted.target, installer=wanted.installer)
        left_out = () if wanted.with_boto3 else tuple(wheels.leave_out(folder, asked))
        archive.put(folder, {**sources.of_cfn_once(), **own})
        name, text = sources.metadata_of_cfn_once()
        archive.put_text(folder, name, text)
        has_bytecode = archive.add_bytecode(folder, wanted.target.python)
        figures = archive.write(folder, path)
    return Zip(
        file=path,
        size=figures.size,
        sha256=figures.sha256,
        files=figures.files,
        unpacked=figures.unpacked,
        has_bytecode=has_bytecode,
        has_boto3=wanted.with_boto3,
        left_out=left_out,
    )
