"""Secrets, planted wherever a provider meets them, and looked for wherever it says anything."""

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest

from cfn_once.testing import create_event, delete_event
from ledger.engines import make_table
from support.host import Host, Status
from support.ministack import MiniStack

PLANTED = {
    "Text": 'PlantedText1"<PlantedText2>&\\/é',
    "Lines": "-----BEGIN-----\nPlantedLine1+/=\nPlantedLine2==\n-----END-----",
    "Number": "8.7654321E7",
    "Price": "1.6180339887E6",
    "Key": b64encode(b"PlantedKey-raw").decode(),
    "Users": [{"Name": "open", "Token": "PlantedToken"}],
    "Codes": ["PlantedCode1", "PlantedCode2"],
    "Named": {"open": "PlantedNamed"},
    "Maybe": "PlantedMaybe",
}
# What must be found nowhere: parts that no writer changes, and what the declared types make of it.
NEVER = {
    *("PlantedText1", "PlantedText2", "PlantedLine1", "PlantedLine2", "PlantedKey", "PlantedToken"),
    *("PlantedCode1", "PlantedCode2", "PlantedNamed", "PlantedMaybe", PLANTED["Key"]),
    *("8.7654321E7", "87654321", "1618033", "PlantedRead", "PlantedResult"),
    *("PlantedSignature", "PlantedSessionToken", "PlantedSecretAccessKey"),
    b64encode(b"PlantedText1").decode()[:14],
}
ANSWER = "PlantedAnswer"  # of a NoEcho answer, which lies in a ledger that keeps secrets
FAILS = ["", "api", "doubt", "step", "code", "aws", "later", "waiting"]


def api(request):
    """Take answers and invocations, and refuse the rest in the words in which it was asked."""
    if request.method == "PUT" or "/invocations" in request.target:
        return Status(202 if request.method == "POST" else 200)
    if "/read" in request.target or "/make" in request.target:
        return Status(200, body=b'{"id": "thing-1"}')
    sent = request.body.decode("utf-8", "replace")
    said = {"error": f"cannot take {sent}", "again": b64encode(request.body).decode()}
    return Status(422, body=json.dumps(said).encode())


def tell(process, event):
    """Hand an event over, and wait for its end."""
    process.stdin.write(json.dumps(event) + "\n")
    process.stdin.flush()
    said = []
    while not said or said[-1] != "handled\n":
        said.append(process.stdout.readline())
        assert said[-1], "the process has ended"
    return "".join(said)


@pytest.fixture
def function(ministack: MiniStack, tmp_path: Path):
    """A process with the function, its table, and the host of all that it calls."""
    table = make_table(ministack.client("dynamodb"), f"planted-{os.getpid()}")
    with Host(api) as host, (tmp_path / "stderr").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("planted.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "AWS_LAMBDA_FUNCTION_NAME": "planted",
                "AWS_LAMBDA_LOG_FORMAT": "Text",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
                "AWS_SECRET_ACCESS_KEY": "PlantedSecretAccessKey-0123456789",
                "AWS_SESSION_TOKEN": "PlantedSessionToken-0123456789/+=",
                "READ": "PlantedRead-from-a-store",
                "RESULT": "PlantedResult-of-a-step",
                "ANSWER": ANSWER,
                "API": host.url,
                "CFN_ONCE_RESPONSE_HOSTS": host.name,
                "CFN_ONCE_CONTINUATION": f"lambda://self?endpoint={host.url}",
                "CFN_ONCE_LEDGER": (
                    f"dynamodb://{table}?region=us-east-1&endpoint={ministack.url}"
                    "&keeps_secrets=true"
                ),
            },
        )
        try:
            yield process, host, errors, lambda: ministack.client("dynamodb").scan(TableName=table)
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


def url_at(host):
    signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return f"{host.url}/key?X-Amz-Date={signed}&X-Amz-Signature=PlantedSignature0123456789"


def test_no_stream_tells_a_planted_secret(function):
    """
    With every logger at DEBUG, every span printed, and every way to fail: neither standard output
    nor standard error, neither a Reason nor the ledger tells a part of a secret.
    """
    process, host, errors, scan = function
    said = ""
    for fails in FAILS:
        create = create_event(
            f"Thing{fails}",
            {**PLANTED, "Fails": fails},
            resource_type="Custom::Thing",
            response_url=url_at(host),
        )
        said += tell(process, create) + tell(process, create)
        told = [json.loads(put.body) for put in host.received if put.method == "PUT"]
        ours = [answer for answer in told if answer["LogicalResourceId"] == f"Thing{fails}"]
        held = ours[-1]["PhysicalResourceId"] if ours else "planted-Thing-1A2B3C4D5E6F7"
        said += tell(
            process,
            delete_event(
                f"Thing{fails}",
                {**PLANTED, "Fails": fails},
                resource_type="Custom::Thing",
                physical_resource_id=held,
                response_url=url_at(host),
            ),
        )
    errors.seek(0)
    answers = [json.loads(put.body) for put in host.received if put.method == "PUT"]
    streams = {
        "standard output": said,
        "standard error": errors.read(),
        "reasons": json.dumps([answer.get("Reason") for answer in answers]),
        "the ledger": json.dumps(scan(), default=str),
    }

    found = [(where, part) for where, text in streams.items() for part in NEVER if part in text]
    assert [] == found
    assert ANSWER not in streams["standard output"] + streams["standard error"]
    # All of it was there to be told.
    assert {"SUCCESS", "FAILED"} == {answer["Status"] for answer in answers}
    assert "X-Amz-Security-Token" in streams["standard error"]
    assert "422" in streams["reasons"]
    assert all(PLANTED["Codes"][0] in request.body.decode() for request in asked(host, "/make"))
    assert asked(host, "/invocations")


def asked(host, part):
    return [request for request in host.received if part in request.target]
