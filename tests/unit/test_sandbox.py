"""The sandbox's id: the proof that an earlier process in it is dead."""

import subprocess
import sys

import pytest

from cfn_once._lambda import sandbox as _sandbox


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(_sandbox, "_held", [])
    yield tmp_path
    for _, file in _sandbox._held:
        file.close()


def another_process(folder):
    """Return the id that a process sees which lives in the same sandbox, and ends."""
    code = "from cfn_once._lambda.sandbox import sandbox_id; print(sandbox_id())"
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "provider", "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_same_for_a_whole_life(sandbox):
    """
    A process sees one id for its whole life.
    """
    assert _sandbox.sandbox_id() is not None
    assert _sandbox.sandbox_id() == _sandbox.sandbox_id()


def test_who_comes_after_a_dead_process_gets_its_id(sandbox):
    """
    The lock of a dead process is free: who holds it now knows that the owner of its id is over.
    """
    before = another_process(sandbox)

    assert before == _sandbox.sandbox_id()


def test_who_comes_beside_a_living_one_gets_another(sandbox):
    """
    While a process lives, no other one gets its id.
    """
    mine = _sandbox.sandbox_id()

    assert mine != another_process(sandbox)


def test_none_where_it_proves_nothing(sandbox, monkeypatch):
    """
    Off Lambda, and where one process works on several events at once, there is no id.
    """
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
    managed = _sandbox.sandbox_id()
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")

    assert (None, None) == (managed, _sandbox.sandbox_id())


def test_a_disk_that_cannot_be_written(sandbox, monkeypatch):
    """
    Without a scratch disk there is no id, and the lease is waited for.
    """
    monkeypatch.setattr("tempfile.tempdir", str(sandbox / "missing"))

    assert None is _sandbox.sandbox_id()
