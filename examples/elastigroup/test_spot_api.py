"""The stand-in for Spot's API: what others' tests and the demo count on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from .spot_api import TOKEN, SpotApi

GROUP = {"name": "web", "capacity": {"minimum": 0, "target": 1, "maximum": 2}}


@pytest.fixture
def spot():
    with SpotApi() as spot:
        yield spot


@pytest.fixture
def ask(spot):
    """Ask as somebody with the access token does."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"

        def ask(method, path, body=None, **headers):
            return session.request(method, spot.url + path, json=body, headers=headers)

        yield ask


def test_the_life_of_a_group(spot, ask):
    """Shapes and effects are those of Spot's API, and each request is counted."""
    made = ask("POST", "/aws/ec2/group", {"group": GROUP}).json()["response"]
    group_id = made["items"][0]["id"]
    path = f"/aws/ec2/group/{group_id}"
    changed = ask("PUT", path, {"group": {"capacity": {"target": 2}, "name": "shop"}})
    listed = ask("GET", "/aws/ec2/group").json()["response"]
    rolled = ask("PUT", f"{path}/roll", {"batchSizePercentage": 20}).json()["response"]
    removed = ask("DELETE", path).json()["response"]

    assert {"code": 200, "message": "OK"} == made["status"]
    assert (1, "spotinst:aws:ec2:group") == (made["count"], made["kind"])
    assert group_id.startswith("sig-")
    assert changed.json()["response"]["items"] == listed["items"]
    assert [{"minimum": 0, "target": 2, "maximum": 2}] == [
        pair["capacity"] for pair in listed["items"]
    ]
    assert rolled["items"][0]["id"].startswith("sbgd-")
    assert [] == removed["items"]
    assert [404, 404, 404, 404] == [
        ask(method, path, {}).status_code for method in ("GET", "PUT", "DELETE")
    ] + [ask("PUT", f"{path}/roll", {}).status_code]
    assert {
        "calls": {
            "POST /aws/ec2/group": 1,
            "GET /aws/ec2/group": 1,
            "GET /aws/ec2/group/{id}": 1,
            "PUT /aws/ec2/group/{id}": 2,
            "PUT /aws/ec2/group/{id}/roll": 2,
            "DELETE /aws/ec2/group/{id}": 2,
        },
        "calls_by_name": {
            "web": {"POST /aws/ec2/group": 1, "PUT /aws/ec2/group/{id}": 1},
            "shop": {"PUT /aws/ec2/group/{id}/roll": 1, "DELETE /aws/ec2/group/{id}": 1},
        },
        "calls_by_key": {},
        "groups_created": 1,
        "created_by_name": {"web": 1},
        "groups_left": 0,
        "left": [],
    } == ask("GET", "/_mock/report").json()


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", {"group": {**GROUP, "capacity": {"minimum": 3, "target": 3, "maximum": 2}}}, 400),
        ("POST", {"group": {**GROUP, "name": ""}}, 400),
        ("POST", {"group": []}, 400),
        ("POST", {}, 400),
        ("POST", [], 400),
        ("PUT", {"group": GROUP}, 404),
        ("PATCH", {"group": GROUP}, 501),
    ],
)
def test_what_is_refused(spot, ask, method, body, status):
    """Nothing is made of a request that Spot would not take."""
    answer = ask(method, "/aws/ec2/group", body)

    assert status == answer.status_code
    assert {} == spot.groups


def test_an_access_token_that_is_wrong(spot, ask):
    """Whoever does not say the token gets nothing, and is counted."""
    answer = ask("POST", "/aws/ec2/group", {"group": GROUP}, Authorization="Bearer another")

    assert 401 == answer.status_code
    assert {} == spot.groups
    assert 1 == spot.calls["POST /aws/ec2/group"]


def test_faults(spot, ask):
    """They strike before or after the request is acted on, as often as they were told to."""
    fault = {"method": "POST", "path": "/aws/ec2/group", "status": 500}
    for when, times in (("before", 1), ("after", 2)):
        ask("POST", "/_mock/faults", {**fault, "when": when, "times": times, "delay": 0.01})
    spot.fault(method="POST", path="/aws/ec2/group", drop=True)
    wrong = ask("POST", "/_mock/faults", {**fault, "when": "sometimes"})

    answers = []
    for _ in range(5):
        try:
            answer = ask("POST", "/aws/ec2/group", {"group": GROUP}).status_code
        except requests.ConnectionError:
            answer = None
        answers.append((answer, len(spot.created)))

    assert [(500, 0), (500, 1), (500, 2), (None, 3), (200, 4)] == answers
    assert 400 == wrong.status_code


def test_an_idempotency_key(spot, ask):
    """It is honoured only when told to, and only inside the window."""

    def post():
        key = {"Idempotency-Key": "k1"}
        return ask("POST", "/aws/ec2/group", {"group": GROUP}, **key).json()["response"]["items"]

    ignored = post(), post()
    ask("POST", "/_mock/honour", {"idempotency_key": True, "window": 3600})
    honoured = post(), post()
    ask("POST", "/_mock/honour", {"idempotency_key": True, "window": -1})
    too_late = post()

    assert ignored[0] != ignored[1]
    assert honoured[0] == honoured[1]
    assert too_late not in (*ignored, *honoured)
    assert 4 == len(spot.created)
    assert {"k1": 5} == spot.report()["calls_by_key"]


def test_a_reset(spot, ask):
    """Everything is forgotten, and an id is never given twice."""
    first = ask("POST", "/aws/ec2/group", {"group": GROUP}).json()["response"]["items"]
    spot.fault(method="POST", path="/aws/ec2/group", status=500)
    ask("POST", "/_mock/reset", {})
    empty = ask("GET", "/_mock/report").json()

    second = ask("POST", "/aws/ec2/group", {"group": GROUP}).json()["response"]["items"]

    assert (0, 0, {}) == (empty["groups_created"], empty["groups_left"], empty["calls"])
    assert first != second


def test_as_a_process():
    """It says where it is, and ends in order when told to."""
    program = Path(__file__).parent / "spot_api.py"
    with subprocess.Popen(
        [sys.executable, str(program), "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        report = requests.get(f"{url}/_mock/report", timeout=10)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)

    assert 200 == report.status_code
    assert url.startswith("http://127.0.0.1:")
    assert 0 == process.returncode
