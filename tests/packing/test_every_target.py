"""Every Python and processor that `package` knows: by pip, by uv, twice; and run where that is."""

import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from cfn_once.cli.ministack import locked
from cfn_once.cli.packing.target import MACHINES, PYTHONS, interpreter_of
from support.ministack import ROOT
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost
from support.runtime_api import Function
from support.shell import call

TOOLS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # uv is one of them
LARGEST = 2_000_000  # bytes of the minimal example's zip
E_MACHINE = {62: "x86_64", 183: "arm64"}  # Source: elf(5), EM_X86_64 and EM_AARCH64
OF_THE_RUNTIME = ("awslambdaric", "boto3")
ABOUT = """
import sys
import cfn_once, msgspec, requests
from cfn_once import CustomResource, Provider

class About(CustomResource[dict, dict]):
    def create(self):
        version = "%d.%d" % sys.version_info[:2]
        return {"Python": version, "Places": [m.__file__ for m in (cfn_once, msgspec, requests)]}
    delete = None

provider = Provider(About, allow_local_ledger=True)
"""


def package(folder, name, *arguments):
    called = call(folder, "package", "--json", "-o", name, *arguments, PATH=TOOLS)

    assert 0 == called.code, called.err
    return json.loads(called.out)


def made_for(archive):
    """The Pythons and processors that the shared objects of a zip are for."""
    found = set()
    for name in archive.namelist():
        if tag := re.search(r"\.cpython-3(\d+)-.*\.so$", name):
            (machine,) = struct.unpack_from("<H", archive.read(name), 18)
            found.add((f"3.{tag[1]}", E_MACHINE[machine]))
    return found


@pytest.mark.parametrize("architecture", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_same_bytes_for_each_target(python, architecture, tmp_path):
    """
    Whichever installer fetches the wheels, and however often: one content has the same bytes, they
    are few, and its shared objects are the target's.
    """
    source = (ROOT / "examples/minimal/provider.py").read_text()
    (tmp_path / "provider.py").write_text(source)
    to = ("--python", python, "--arch", architecture)
    told = [
        package(tmp_path, f"{installer}-{number}.zip", *to, "--installer", installer)
        for installer in ("pip", "uv")
        for number in (1, 2)
    ]
    (first, *others) = [(tmp_path / zip_["file"]).read_bytes() for zip_ in told]

    assert [first] * 3 == others
    assert len(first) <= LARGEST
    assert {(python, architecture)} == made_for(zipfile.ZipFile(tmp_path / "pip-1.zip"))


def runtime(python):
    """Return a Python of a version with what Lambda's runtime has; made once, below build."""
    interpreter = interpreter_of(python)
    if interpreter is None:
        pytest.skip(f"there is no python{python} here")
    home = ROOT / "build" / "runtimes" / python
    inside, stamp = home / "bin" / "python", home / "installed.txt"
    with locked(home):
        if not stamp.exists():
            pins = ("--constraint", str(ROOT / "constraints.txt"), *OF_THE_RUNTIME)
            for command in (
                (interpreter, "-m", "venv", "--clear", home),
                (inside, "-m", "pip", "install", "--quiet", *pins),
            ):
                subprocess.run([*map(str, command)], check=True, capture_output=True)
            stamp.write_text("installed")
    return inside


@pytest.mark.parametrize("python", PYTHONS)
def test_a_zip_on_its_own_python(python, tmp_path):
    """
    Unpacked where Lambda unpacks it, it answers in a process of Lambda's runtime for its Python,
    with its own packages and its own bytecode.
    """
    inside, folder, task = runtime(python), tmp_path / "about", tmp_path / "task"
    folder.mkdir()
    (folder / "provider.py").write_text(ABOUT)
    here = "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
    told = package(folder, "a.zip", "--python", python, "--arch", here)
    zipfile.ZipFile(folder / "a.zip").extractall(task)
    compiled = set(task.rglob("*.pyc"))
    with ExitStack() as ends:
        bucket = ends.enter_context(ResponseHost())
        create = Requests(bucket, "Custom::About").create()
        around = {
            "CFN_ONCE_LEDGER": f"sqlite:///{tmp_path}/ledger.sqlite3",
            "CFN_ONCE_RESPONSE_HOSTS": bucket.name,
        }
        function = Function(
            "provider.provider",
            task_root=task,
            scratch=tmp_path / "sandboxes",
            environment=around,
            python=inside,
        )
        (attempt,) = ends.enter_context(function).deliver(create)
        (answer,) = bucket.answers_to(create)

    assert attempt.succeeded, attempt.log
    assert told["has_bytecode"]
    assert ("SUCCESS", python) == (answer["Status"], answer["Data"]["Python"]), answer["Reason"]
    assert {str(task)} == {str(Path(place).parents[1]) for place in answer["Data"]["Places"]}
    assert compiled == set(task.rglob("*.pyc"))
