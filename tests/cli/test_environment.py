"""The command where the shell around it is not as it should be."""

import os
import subprocess
import sys

import pytest

from support.shell import call

URL = "dynamodb://ledger"
UNUSABLE = {
    "no such profile": {"AWS_PROFILE": "nope"},
    "half a key": {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": ""},
    "an endpoint that is none": {"AWS_ENDPOINT_URL": "nonsense"},
    "a broken file of settings": {"AWS_CONFIG_FILE": "broken"},
}
ALONE = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "none"}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("verb", ["ledger list", "deploy --delete --stack web --yes"])
def test_settings_that_boto3_cannot_use(verb, case, tmp_path):
    """
    It could not tell: 3, and a line that says what to correct.
    """
    (tmp_path / "broken").write_text("[profile\n")
    around = {**ALONE, "AWS_REGION": "eu-west-1", **UNUSABLE[case]}

    told = call(tmp_path, *verb.split(), CFN_ONCE_LEDGER=URL, **around)

    assert 3 == told.code
    assert "Traceback" not in told.err
    assert "AWS" in told.err


REGIONS = """
from cfn_once.cli.clients import client_of
from cfn_once.cli.cloud.aws import Aws
from cfn_once.cli.stacks import StackReader
from cfn_once.ledger import open_store
print(client_of("logs").meta.region_name, client_of("sqs", "eu-north-1").meta.region_name)
print(StackReader().region, Aws().endpoint("sts"), Aws("eu-north-1").endpoint("sts"))
print(open_store("dynamodb://ledger", in_lambda=False, allow_local=True).endpoint)
"""


def test_the_region_of_the_environment():
    """
    AWS_REGION is what the messages say; boto3 alone does not read it outside Lambda.
    """
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    regions = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}

    done = subprocess.run(
        [sys.executable, "-c", REGIONS],
        env={**os.environ, **ALONE, **keys, **regions},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [
        *("eu-west-1", "eu-north-1"),
        *("eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
        "https://sts.eu-north-1.amazonaws.com",
        "https://dynamodb.eu-west-1.amazonaws.com",
    ] == done.stdout.split()
