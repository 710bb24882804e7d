"""A function that was crhelper's yesterday and is ours today, with live resources, under one ARN.

What it answers as crhelper's goes over TLS to a host that hands it on, for crhelper knows no other
way, and the local AWS has none.
"""

import json
import ssl
import urllib.error
import urllib.request
from itertools import count
from pathlib import Path

import pytest
import trustme

from support.host import Host, Status
from support.lambda_zip import lambda_zip
from support.ministack import ROOT, MiniStack
from support.stacks import Stack

from .conftest import RUNTIME, TEMPLATES

pytestmark = pytest.mark.e2e

HANDLER = Path(__file__).with_name("crhelper_handler.py")
THEIRS, OURS = "from crhelper import", "from cfn_once.crhelper import"
# What stands around the untouched module while it is crhelper's.
AROUND = """
import crhelper_handler

def handler(event, context):
    path = event["ResponseURL"].partition("://")[2].partition("/")[2]
    url = f"https://HOST/{path}"
    crhelper_handler.handler({**event, "ResponseURL": url}, context)
"""
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
        "Policies": [
            {
                "PolicyName": "all",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["elasticfilesystem:*", "logs:*"],
                            "Resource": "*",
                        }
                    ],
                },
            }
        ],
    },
}
YESTERDAY = {
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": "code", "S3Key": "yesterday.zip"},
                "Handler": "around.handler",
                "Runtime": RUNTIME,
                "Timeout": 60,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        "Role": ROLE,
    },
    "Outputs": {"ServiceToken": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}}},
}


class Way:
    """A host with TLS, and the local AWS that trusts it and that it hands answers on to."""

    def __init__(self, folder):
        authority, self.answers = trustme.CA(), []
        certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self.host = Host(self.hand_on, tls=tls)
        self.aws = MiniStack({"AUTH": "true", "SSL_CERT_FILE": str(certificate)})

    def hand_on(self, request):
        self.answers.append(json.loads(request.body))
        asked = urllib.request.Request(self.aws.url + request.target, request.body, method="PUT")
        try:
            urllib.request.urlopen(asked).read()
        except urllib.error.URLError:
            return Status(503)
        return Status(200)


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    made = Way(tmp_path_factory.mktemp("way"))
    with made.aws, made.host:
        yield made


def resources(token, *names, **properties):
    made = {
        name: {
            "Type": "Custom::FileSystem",
            "Properties": {"ServiceToken": token, "ServiceTimeout": "60", **properties},
        }
        for name in names
    }
    outputs = {f"{name}Id": {"Value": {"Fn::GetAtt": [name, "FileSystemId"]}} for name in names}
    return {"Resources": made, "Outputs": outputs}


def put(aws, key, files, requirements=()):
    code = lambda_zip(files, requirements)
    aws.client("s3").put_object(Bucket="code", Key=key, Body=code)


@pytest.fixture(scope="module")
def yesterday(way):
    """The function as crhelper's, and the ledger that it will have."""
    aws = way.aws
    aws.client("s3").create_bucket(Bucket="code")
    around = AROUND.replace("HOST", way.host.url.partition("://")[2])
    put(aws, "yesterday.zip", {"crhelper_handler.py": HANDLER, "around.py": around}, ["crhelper"])
    function = Stack(aws.client("cloudformation"), "mover")

    assert "CREATE_COMPLETE" == function.create(YESTERDAY), function.reasons
    return function


def move(aws, function):
    """Deploy the same module with another import line, and what cfn-once needs around it."""
    ledger = Stack(aws.client("cloudformation"), "ledger")
    assert "CREATE_COMPLETE" == ledger.create(TEMPLATES / "ledger.yaml"), ledger.reasons
    source = HANDLER.read_text()
    assert 1 == source.count(THEIRS)
    put(aws, "today.zip", {"crhelper_handler.py": source.replace(THEIRS, OURS)})
    status = function.update(
        ROOT / "docs" / "templates" / "moved.yaml",
        LedgerStackName=ledger.name,
        CodeBucket="code",
        CodeKey="today.zip",
        Handler="crhelper_handler.handler",
        Runtime=RUNTIME,
        ResponseHosts=aws.host,
    )
    assert "UPDATE_COMPLETE" == status, function.reasons


def test_a_function_that_is_moved_while_its_resources_live(way, yesterday):
    """
    What crhelper's function made is updated, replaced and deleted by the moved one, and what that
    makes is its own: one object each, none left, and one ARN.
    """
    aws, lines, numbers = way.aws, [], count(1)
    efs = aws.client("efs")
    token = yesterday.outputs["ServiceToken"]
    stack = Stack(aws.client("cloudformation"), "site")

    def look():
        return {
            fs["FileSystemId"]: fs["ThroughputMode"]
            for fs in efs.describe_file_systems()["FileSystems"]
        }

    def tell(what, status):
        lines.append(f"{next(numbers)}. {what}: {status}; file systems: {sorted(look().values())}")
        return status

    first = resources(token, "Kept", "Moved", "Gone", ThroughputMode="bursting")
    assert "CREATE_COMPLETE" == tell("crhelper's function makes three", stack.create(first)), (
        stack.reasons
    )
    made, answered = stack.outputs, len(way.answers)
    assert 3 == len(look()) == answered

    move(aws, yesterday)
    assert token == tell("moved: the same ARN", yesterday.outputs["ServiceToken"])

    second = resources(token, "Kept", "Moved", "New", ThroughputMode="elastic")
    second["Resources"]["Moved"]["Properties"]["Generation"] = "2"
    status = tell("one is updated, one replaced, one new, one gone", stack.update(second))
    now = stack.outputs

    assert "UPDATE_COMPLETE" == status, stack.reasons
    assert made["KeptId"] == now["KeptId"]
    assert made["MovedId"] != now["MovedId"]
    assert {now[f"{name}Id"]: "elastic" for name in ("Kept", "Moved", "New")} == look()

    broken = resources(token, "Kept", "Moved", "New", ThroughputMode="provisioned")
    broken["Resources"]["Moved"]["Properties"]["Generation"] = "2"
    status = tell("an update that fails is rolled back", stack.update(broken))
    assert "UPDATE_ROLLBACK_COMPLETE" == status
    assert "provisioned throughput needs Mibps" in " ".join(stack.reasons)
    assert {now[f"{name}Id"]: "elastic" for name in ("Kept", "Moved", "New")} == look()

    assert "DELETE_COMPLETE" == tell("the stack is deleted", stack.delete())
    assert {} == look()
    assert answered == len(way.answers)  # all since has been answered by ours
    print("\n".join(lines))
