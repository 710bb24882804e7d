"""Which files and distributions go into a zip, and what is refused before anything is fetched."""

import os
import signal
import subprocess
import time
import zipfile

import pytest

from cfn_once.cli.console import Stop
from cfn_once.cli.packing import archive, sources, wheels
from cfn_once.cli.packing.target import Target
from support.shell import call, start, write


def names(folder, **options):
    return set(sources.of_project(str(folder), "provider:provider", options.get("include", ())))


def test_the_files_of_a_project(tmp_path):
    """
    Modules and packages with their data are packed; tests, hidden files and other folders are not.
    """
    for path in ("helper/data", "helper/tests", "notes", "tests", ".venv", "helper/__pycache__"):
        (tmp_path / path).mkdir(parents=True, exist_ok=True)
    write(
        tmp_path,
        dict.fromkeys(
            [
                *("provider.py", "other.py", "test_provider.py", "conftest.py", "__init__.py"),
                *("helper/__init__.py", "helper/data/a.json", "helper/tests/test_a.py"),
                *("helper/.secret", "helper/__pycache__/a.pyc", "tests/__init__.py"),
                *("notes/a.md", ".env", "stack.yaml", ".venv/a.py"),
            ],
            "",
        ),
    )
    packed = {"provider.py", "other.py", "helper/__init__.py", "helper/data/a.json"}

    assert packed == names(tmp_path)
    assert packed | {"notes/a.md"} == names(tmp_path, include=["notes/*.md"])


def test_a_project_without_its_provider(tmp_path):
    """
    A zip without the provider's module would answer nobody; a pattern that finds nothing is wrong.
    """
    with pytest.raises(Stop, match=r"there is no provider\.py here"):
        names(tmp_path)
    (tmp_path / "provider.py").write_text("")
    with pytest.raises(Stop, match=r"there is no data/\*\.json here"):
        names(tmp_path, include=["data/*.json"])


def distribution(folder, name, *needs):
    """Write an installed distribution."""
    home = folder / f"{name}-1.0.dist-info"
    home.mkdir(parents=True)
    lines = [f"Requires-Dist: {need}" for need in needs]
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines]
    (home / "METADATA").write_text("\n".join(metadata) + "\n")
    (home / "RECORD").write_text(f"{name}.py,,\n{home.name}/METADATA,,\n{home.name}/RECORD,,\n")
    (folder / f"{name}.py").write_text("")


@pytest.mark.parametrize(
    ("roots", "kept"),
    [
        (["powertools>=3"], {"powertools.py", "jmespath_like.py"}),
        (["powertools", "urllib3==2"], {"powertools.py", "jmespath_like.py", "urllib3.py"}),
    ],
)
def test_what_the_runtime_brings_is_left_out(tmp_path, roots, kept):
    """
    The SDK, and what only it needs, is left out; what something else needs stays, and so does what
    the project names itself.
    """
    distribution(tmp_path, "powertools", "boto3", "jmespath_like", "urllib3")
    distribution(tmp_path, "boto3", "botocore", "transfer")
    distribution(tmp_path, "botocore", "urllib3")
    distribution(tmp_path, "transfer")
    distribution(tmp_path, "jmespath_like")
    distribution(tmp_path, "urllib3")
    left_out = set(wheels.leave_out(str(tmp_path), roots))

    assert kept == {path.name for path in tmp_path.glob("*.py")}
    assert {"boto3 1.0", "botocore 1.0", "transfer 1.0"} <= left_out
    assert set(os.listdir(tmp_path)) >= kept


def test_what_is_installed():
    """
    cfn-once is never fetched, for the one that runs here is packed; boto3 only where asked for.
    """
    project = ["cfn-once[lint]>=0.1", "Boto3", "attrs"]
    without, with_boto3 = (wheels.needed(project, with_boto3=flag) for flag in (False, True))
    named = {wheels.name_of(text) for text in without}

    assert {"attrs", "msgspec", "requests"} == named
    assert "boto3" in {wheels.name_of(text) for text in with_boto3}
    assert "Boto3" in with_boto3
    assert not [text for text in with_boto3 if text.startswith("cfn-once")]


def test_what_a_wheel_may_need():
    """
    The oldest Amazon Linux has an older glibc than the later ones.
    """
    old, new = (list(Target(python, "arm64").platforms()) for python in ("3.11", "3.13"))

    assert ["manylinux_2_17_aarch64", "manylinux2014_aarch64"] == old
    assert "manylinux_2_28_aarch64" == new[0]
    assert set(old) < set(new)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--python", "3.10"), "python: 3.10 is none of 3.11, 3.12, 3.13, 3.14"),
        (("--arch", "arm"), "architecture: arm is none of arm64, x86_64"),
        (("--installer", "uv"), "there is no uv here"),
    ],
)
def test_a_wrong_call(arguments, said, tmp_path):
    """
    What Lambda does not have, or this machine, is told in a line.
    """
    (tmp_path / "provider.py").write_text("")
    called = call(tmp_path, "package", *arguments, PATH="/nowhere")

    assert called.code in (2, 3)
    assert said in called.err


def test_control_c_while_it_is_written(tmp_path):
    """
    The zip that was there stays, and nothing lies beside it.
    """
    folder, path = tmp_path / "folder", tmp_path / "a.zip"
    folder.mkdir()
    (folder / "big.txt").write_text("a")
    archive.write(str(folder), str(path))
    before = path.read_bytes()
    (folder / "more.txt").symlink_to("/proc/self/mem")  # reading it fails half-way

    with pytest.raises(Stop, match="cannot be written"):
        archive.write(str(folder), str(path))

    assert before == path.read_bytes()
    assert ["big.txt"] == zipfile.ZipFile(path).namelist()
    assert {"folder", "a.zip"} == set(os.listdir(tmp_path))


UV = """#!/bin/sh
mktemp > /dev/null
sleep 60 &
echo $$ $! > {folder}/pids
wait
"""


def is_alive(process):
    """Tell whether a process runs; one that has ended may wait for who reads its exit code."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, check=False)
    return told.stdout.strip()[:1] not in (b"", b"Z")


def test_control_c_while_wheels_are_fetched(tmp_path):
    """
    The installer is ended with what it has started, and neither a zip nor a scratch file is left.
    """
    tools, folder, scratch = (tmp_path / name for name in ("tools", "folder", "scratch"))
    for place in (tools, folder, scratch):
        place.mkdir()
    (folder / "provider.py").write_text("")
    (tools / "uv").write_text(UV.format(folder=tools))
    (tools / "uv").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    packing = start(folder, "package", "--installer", "uv", PATH=path, TMPDIR=str(scratch))
    with packing:
        over = time.monotonic() + 60
        while not (tools / "pids").exists() or not (tools / "pids").read_text():
            assert time.monotonic() < over
            time.sleep(0.02)
        packing.send_signal(signal.SIGINT)
        said = packing.stderr.read()

    assert 130 == packing.returncode
    assert "stopped; nothing was left behind" in said
    assert [] == [pid for pid in (tools / "pids").read_text().split() if is_alive(pid)]
    assert [] == list(scratch.iterdir())
    assert ["provider.py"] == os.listdir(folder)
