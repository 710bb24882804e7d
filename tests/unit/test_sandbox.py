"""The sandbox's id: the proof that an earlier process in it is dead."""

import subprocess
import sys

import pytest

from cfn_once._lambda.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    return Sandbox(str(tmp_path))


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
    assert sandbox.id() is not None
    assert sandbox.id() == sandbox.id()


def test_who_comes_after_a_dead_process_gets_its_id(sandbox, tmp_path):
    """
    The lock of a dead process is free: who holds it now knows that the owner of its id is over.
    """
    before = another_process(tmp_path)

    assert before == sandbox.id()


def test_who_comes_beside_a_living_one_gets_another(sandbox, tmp_path):
    """
    While a process lives, no other one gets its id.
    """
    mine = sandbox.id()

    assert mine != another_process(tmp_path)


def test_none_where_it_proves_nothing(sandbox, monkeypatch):
    """
    Off Lambda, and where one process works on several events at once, there is no id.
    """
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
    managed = sandbox.id()
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")

    assert (None, None) == (managed, sandbox.id())


def test_a_disk_that_cannot_be_written(sandbox, tmp_path):
    """
    Without a scratch disk there is no id, and the lease is waited for.
    """
    assert Sandbox(str(tmp_path / "missing")).id() is None
