"""The fuzzing itself: a short run of it, and that it sees what it looks for."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import urls
from fuzz.mutations import mutated
from fuzz.planted import LEAKS

FUZZ = Path(__file__).with_name("fuzz.py")


def fuzz(*arguments):
    command = [sys.executable, str(FUZZ), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_short_run():
    """
    `make fuzz` is the long one: nothing is found, on each route.
    """
    done = fuzz("--events", "1600", "--urls", "4000", "--seed", "7")

    assert 0 == done.returncode, done.stdout + done.stderr
    for route in ("provider", "queue", "entry", "guardian"):
        assert f"{route} " in done.stdout
    assert "unexpected 0, too large 0, accepted 0, sent elsewhere 0, secrets 0" in done.stdout


@pytest.mark.parametrize("in_lambda", [False, True])
def test_what_is_planted_is_found(in_lambda):
    """
    A leak of each kind, in a process that is Lambda's and in one that is not, is seen.
    """
    code = (
        f"import sys; sys.path[:1] = [{str(FUZZ.parents[1])!r}]\n"
        f"from fuzz import planted; planted.main({in_lambda})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert {leak: [kind] for leak, kind in LEAKS.items()} == json.loads(done.stdout), done.stderr


def test_the_same_seed_is_the_same_batch():
    """
    What is drawn follows from the seed alone.
    """
    drawn = [
        [urls.mutated(urls.asked(chance).url, chance) for _ in range(50)]
        for chance in (random.Random("1:urls:3"), random.Random("1:urls:3"))
    ]

    assert drawn[0] == drawn[1]


def test_mutations_leave_the_original():
    """
    An event that is mutated stays what it was for the next one.
    """
    event, chance = {"a": {"b": ["c"]}, "Password": "x"}, random.Random(3)
    for _ in range(300):
        mutated(event, chance, frozenset({"Password"}))

    assert {"a": {"b": ["c"]}, "Password": "x"} == event


GOOD = urls.asked(random.Random(1))


def test_the_oracle_takes_what_cloudformation_writes():
    """
    Every sound URL is CloudFormation's own, in each partition and form.
    """
    chance = random.Random(2)

    assert all(urls.is_own(urls.asked(chance)) for _ in range(500))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://", "http://"),
        ("https://", "https://user@"),
        ("https://", "https://evil.example/"),
        ("https://", "https://evil.example#"),
        (urls.BUCKET, f"evil.{urls.BUCKET}"),
        (urls.BUCKET, "evil-bucket-"),
        (".s3", ".evil"),
        (urls.BUCKET, f"{urls.BUCKET}x"),
        ("Group", "Other"),
    ],
)
def test_the_oracle_refuses(old, new):
    """
    It is no echo of the check: these would go elsewhere, by urllib3's own reading.
    """
    assert not urls.is_own(GOOD._replace(url=GOOD.url.replace(old, new, 1)))
