"""The stand-in of `external-api` in a process of its own, as `local` lets a function call it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser

import pytest

from cfn_once._described.settings import Settings
from cfn_once.cli import deploy
from cfn_once.cli.console import Stop
from cfn_once.cli.packing.target import Target
from cfn_once.cli.stand_in import StandIn

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:real-AbCdEf"
FACTORIES = """
import os
from cfn_once.testing import FakeApi

def listens():
    print("this is no part of what is read")
    os.system("echo nor is this")
    api = FakeApi()
    os.environ["API_URL"] = api.url
    return api

def elsewhere():
    return {}

def fails():
    raise ValueError("no database here")

def dies():
    os._exit(1)

def hangs():
    import time
    time.sleep(600)
"""
HANGS = """
import sys
from cfn_once.cli.stand_in import StandIn
with StandIn("apis:hangs") as api:
    print(api.process, flush=True)
    sys.stdin.read()
"""
STARTS = """
import sys
from cfn_once.cli.stand_in import StandIn
with StandIn("apis:listens") as api:
    print(api.url(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "apis.py").write_text(FACTORIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")  # of some other shell
    return tmp_path


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/things", timeout=5) as answer:
            return answer.read() == b"[]"
    except (urllib.error.URLError, OSError):
        return False


def test_a_stand_in_that_listens():
    """
    It answers while its block lasts; this process's own environment stays as it was.
    """
    with StandIn("apis:listens") as api:
        url, process = api.url(), api.process

        assert answers(url)
        assert process > 0
        assert "http://127.0.0.1:9" == os.environ["API_URL"]

    assert not answers(url)
    assert 0 == api.process


def test_a_stand_in_that_sets_no_url():
    """
    No process stays for it: whoever asks is told that there is nothing to call.
    """
    with StandIn("apis:elsewhere") as api:
        assert "" == api.url()
        assert 0 == api.process


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", r"external-api = 'apis:fails': .* \| ValueError: no database here"),
        ("nobody", "external-api = 'apis:nobody'"),
        ("dies", "its process has ended"),
    ],
)
def test_a_factory_that_fails(name, said):
    """
    It is named, with its error.
    """
    with pytest.raises(Stop, match=said), StandIn(f"apis:{name}") as api:
        api.url()


def test_somebody_who_is_killed(folder):
    """
    The stand-in ends with whoever has started it, even if that could say nothing any more.
    """
    with subprocess.Popen(
        [sys.executable, "-c", STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        url = starter.stdout.readline().strip()
        before = answers(url)
        starter.send_signal(signal.SIGKILL)
    over = time.monotonic() + 20
    while answers(url) and time.monotonic() < over:
        time.sleep(0.05)

    assert before
    assert not answers(url)


def test_a_factory_that_hangs_ends_with_who_has_started_it(folder):
    """
    It is interrupted, although it has not come up yet.
    """
    with subprocess.Popen(
        [sys.executable, "-c", HANGS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        process = int(starter.stdout.readline())
        there = os.path.exists(f"/proc/{process}")
        starter.send_signal(signal.SIGKILL)
    over = time.monotonic() + 20
    while os.path.exists(f"/proc/{process}") and time.monotonic() < over:
        time.sleep(0.05)

    assert there
    assert not os.path.exists(f"/proc/{process}")


def test_a_stand_in_that_is_kept():
    """
    It goes on after its block; its process leads a group, so that a line of a shell ends it.
    """
    with StandIn("apis:listens", is_kept=True) as api:
        url, process = api.url(), api.process
    after = answers(url)
    os.killpg(process, signal.SIGKILL)

    assert after


PARAMETERS = {"ApiUrl": "https://api.example.com", "SecretArn": SECRET, "Timeout": "300"}
ON_AWS, HERE = Target("3.13", "arm64"), Target("3.13", "arm64", is_here=True)


@pytest.mark.parametrize(
    ("target", "shell", "arguments", "told"),
    [
        (ON_AWS, "", (), PARAMETERS),
        (HERE, "", (), {"Timeout": "300"}),
        (ON_AWS, "this-machine", (), {"Timeout": "300"}),
        (HERE, "", ("-p", "ApiUrl=http://a"), {"Timeout": "300", "ApiUrl": "http://a"}),
    ],
)
def test_parameters_that_lead_to_the_real_api(target, shell, arguments, told, monkeypatch):
    """
    The settings name the real API and its key: on this machine they are left out, whatever the zip
    is made for, and only a call names an API.
    """
    monkeypatch.setenv("CFN_ONCE_TARGET", shell)
    parser = ArgumentParser()
    deploy.add_arguments(parser)
    plan = deploy.plan_of(parser.parse_args(arguments), Settings(parameters=PARAMETERS), target)

    assert told == {name: plan.parameters[name] for name in PARAMETERS if name in plan.parameters}
