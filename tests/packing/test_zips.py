"""The zip of a function: real wheels by pip and uv, run in a process of Lambda's runtime."""

import json
import os
import platform
import struct
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.ministack import ROOT
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost
from support.runtime_api import Function
from support.shell import call

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
OTHER = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine. Source: elf(5), EM_X86_64 and EM_AARCH64
LARGEST = 2_000_000  # bytes of the minimal example's zip
UNCHECKED = b"\1\0\0\0"  # a .pyc whose source nobody looks at. Source: PEP 552
WHERE = """
import cfn_once
from cfn_once import CustomResource, Provider

class Where(CustomResource[dict, dict]):
    def create(self):
        import requests
        return {"Package": cfn_once.__file__, "Requests": requests.__file__}
    delete = None

provider = Provider(Where, allow_local_ledger=True)
"""


def package(folder, *arguments, **environment):
    """Make a zip, and return what is told of it and the zip."""
    called = call(folder, "package", "--json", *arguments, **environment)

    assert 0 == called.code, called.err
    told = json.loads(called.out)
    return told, zipfile.ZipFile(folder / told["file"])


@pytest.fixture(scope="module")
def minimal(tmp_path_factory):
    """The minimal example, packed for what runs on this machine."""
    folder = tmp_path_factory.mktemp("minimal")
    (folder / "provider.py").write_text((ROOT / "examples/minimal/provider.py").read_text())
    return folder, package(folder, "--python", HERE, "--arch", ARCHITECTURE)


def test_the_same_bytes_each_time(minimal):
    """
    A second zip, by another installer and at another time, has the bytes of the first.
    """
    folder, (first, _) = minimal
    os.utime(folder / "provider.py", (1, 1))
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    to = ("--python", HERE, "--arch", ARCHITECTURE)
    by_uv, _ = package(folder, *to, "-o", "uv.zip", "--installer", "uv", PATH=tools)

    assert first["sha256"] == by_uv["sha256"]
    assert (folder / first["file"]).read_bytes() == (folder / "uv.zip").read_bytes()


def test_what_is_in_a_zip(minimal):
    """
    The provider, cfn-once, what both need, and nothing else: no boto3, no tools, no machine.
    """
    _, (told, archive) = minimal
    names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    compiled = [archive.read(name) for name in names if name.endswith(".pyc")]

    assert told["size"] <= LARGEST
    assert told["has_bytecode"]
    assert {"provider.py", "cfn_once", "msgspec", "requests", "certifi"} <= tops
    assert not tops & {"boto3", "botocore", "urllib3", "bin", "six.py", "dateutil"}
    assert "cfn_once/entry.py" in names
    assert any(name.startswith("cfn_once/__pycache__/entry.") for name in names)
    assert [] == [name for name in names if name.endswith(("RECORD", "direct_url.json"))]
    assert [] == [name for name in names if name.startswith(("cfn_once/cli", "cfn_once/testing"))]
    assert {UNCHECKED} == {code[4:8] for code in compiled}
    assert {(1980, 1, 1, 0, 0, 0)} == {info.date_time for info in archive.infolist()}


def machines(archive):
    """The processors that the shared objects of a zip are for."""
    found = set()
    for name in archive.namelist():
        if name.endswith(".so"):
            (machine,) = struct.unpack_from("<H", archive.read(name), 18)
            found.add(MACHINES[machine])
    return found


def test_another_processor_and_another_python(minimal):
    """
    The wheels are those of the target; without its Python nothing is compiled, and that is said.
    """
    folder, (_, here) = minimal
    called = call(
        folder, "package", "--json", "--python", "3.14", "--arch", OTHER, PATH="/usr/bin:/bin"
    )
    told = json.loads(called.out)
    archive = zipfile.ZipFile(folder / told["file"])

    assert {ARCHITECTURE} == machines(here)
    assert {OTHER} == machines(archive)
    assert any(".cpython-314-" in name for name in archive.namelist())
    assert not told["has_bytecode"]
    assert "there is no python3.14 here, so nothing is compiled" in called.err
    assert [] == [name for name in archive.namelist() if name.endswith(".pyc")]


def test_a_zip_in_lambdas_runtime(tmp_path):
    """
    Unpacked where Lambda unpacks it, it answers with its own cfn-once; nothing is compiled anew.
    """
    folder = tmp_path / "where"
    folder.mkdir()
    (folder / "provider.py").write_text(WHERE)
    _, archive = package(folder, "--python", HERE, "--arch", ARCHITECTURE)
    task = tmp_path / "task"
    archive.extractall(task)
    with ExitStack() as ends:
        bucket = ends.enter_context(ResponseHost())
        create = Requests(bucket, "Custom::Where").create()
        function = Function(
            "provider.provider",
            task_root=task,
            scratch=tmp_path / "sandboxes",
            environment={
                "CFN_ONCE_LEDGER": f"sqlite:///{tmp_path}/ledger.sqlite3",
                "CFN_ONCE_RESPONSE_HOSTS": bucket.name,
            },
        )
        (attempt,) = ends.enter_context(function).deliver(create)
        (answer,) = bucket.answers_to(create)

    assert attempt.succeeded, attempt.log
    assert "SUCCESS" == answer["Status"], answer["Reason"]
    assert str(task / "cfn_once/__init__.py") == answer["Data"]["Package"]
    assert str(task / "requests/__init__.py") == answer["Data"]["Requests"]
    assert {name for name in archive.namelist() if name.endswith(".pyc")} == {
        str(path.relative_to(task)) for path in task.rglob("*.pyc")
    }


def test_a_wheel_that_does_not_exist(tmp_path):
    """
    A package without a wheel for the target is named, with the target; no zip is left.
    """
    (tmp_path / "provider.py").write_text("")
    project = '[project]\nname = "a"\ndependencies = ["docopt==0.6.2"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    called = call(tmp_path, "package", "--python", "3.13", "--arch", "arm64")

    assert 1 == called.code
    assert "there is no wheel of docopt==0.6.2 for Python 3.13 on arm64: choose" in called.err
    assert not (tmp_path / "dist").exists()
