"""
A local AWS with the project's own templates deployed on it, as a user deploys them.

It enforces IAM: what the role in templates/provider.yaml does not allow, a function cannot do.
"""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from ledger.engines import make_table
from support.dynamodb_local import DynamoDBLocal, missing
from support.lambda_zip import lambda_zip
from support.ministack import ROOT, MiniStack
from support.stacks import Stack

TEMPLATES = ROOT / "templates"
RUNTIME = f"python3.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def aws() -> Iterator[MiniStack]:
    with MiniStack({"AUTH": "true"}) as started:
        yield started


@pytest.fixture(scope="module")
def engine() -> Iterator[DynamoDBLocal]:
    """Amazon's own DynamoDB, with a table `ledger`."""
    if why := missing():
        pytest.skip(why)
    with DynamoDBLocal() as engine:
        make_table(engine.client(), "ledger")
        yield engine


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"r{request.node.nodeid}"


@pytest.fixture(scope="session")
def ledger(aws):
    stack = Stack(aws.client("cloudformation"), "ledger")

    assert "CREATE_COMPLETE" == stack.create(TEMPLATES / "ledger.yaml"), stack.reasons
    return stack


@pytest.fixture(scope="session")
def deploy(aws, ledger) -> Callable[..., Stack]:
    """Deploy a module's provider as the stack of a name."""
    aws.client("s3").create_bucket(Bucket="code")

    def deploy(source: Path, name: str, template: Path = TEMPLATES / "provider.yaml") -> Stack:
        code = lambda_zip({source.name: source})
        aws.client("s3").put_object(Bucket="code", Key=f"{name}.zip", Body=code)
        stack = Stack(aws.client("cloudformation"), name)
        status = stack.create(
            template,
            LedgerStackName=ledger.name,
            CodeBucket="code",
            CodeKey=f"{name}.zip",
            Provider=f"{source.stem}:provider",
            Runtime=RUNTIME,
            ResponseHosts=aws.host,
        )

        assert "CREATE_COMPLETE" == status, stack.reasons
        return stack

    return deploy


@pytest.fixture(scope="session")
def deploy_for_efs(aws, deploy) -> Callable[[str], Stack]:
    """Deploy a provider of this folder, and allow it what its hooks call."""

    def deploy_for_efs(module: str) -> Stack:
        stack = deploy(Path(__file__).with_name(f"{module}.py"), module.replace("_", "-"))
        allowed = {"Effect": "Allow", "Action": "elasticfilesystem:*", "Resource": "*"}
        # What a user writes where templates/provider.yaml says that it goes.
        aws.client("iam").put_role_policy(
            RoleName=stack.resources["Role"],
            PolicyName="hooks",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
        )
        return stack

    return deploy_for_efs


@pytest.fixture(scope="session")
def file_systems(deploy_for_efs) -> Stack:
    return deploy_for_efs("file_systems")


@pytest.fixture(scope="session")
def access_points(deploy_for_efs) -> Stack:
    return deploy_for_efs("access_points")


_numbers = count(1)


@pytest.fixture
def stack(aws) -> Iterator[Stack]:
    """A stack of the test's own; what it leaves behind fails the test."""
    made = Stack(aws.client("cloudformation"), f"story-{next(_numbers)}")
    yield made
    made.delete()
    efs = aws.client("efs")
    left = efs.describe_file_systems()["FileSystems"] + efs.describe_access_points()["AccessPoints"]

    assert [] == left
