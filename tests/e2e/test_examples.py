"""The examples on a local AWS, deployed as their pages say; the role may do what a page allows.

Not `image`: MiniStack's images have no CreationDate.
"""

import re

import pytest

from support.ministack import ROOT
from support.stacks import Stack

from .conftest import TEMPLATES

PLACE = "        # What your hooks call besides goes here"


@pytest.fixture
def deploy_example(aws, deploy, tmp_path):
    """Deploy an example's provider, with the policy of its page in the provider's template."""

    def deploy_example(name: str, **words: str) -> Stack:
        page = (ROOT / "examples" / name / "README.md").read_text()
        (policy,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        for word, meaning in words.items():
            policy = policy.replace(word, meaning)
        lines = (TEMPLATES / "provider.yaml").read_text().splitlines(keepends=True)
        (place,) = (number for number, line in enumerate(lines) if line.startswith(PLACE))
        template = tmp_path / "provider.yaml"
        template.write_text("".join([*lines[: place + 1], policy, *lines[place + 1 :]]))
        return deploy(ROOT / "examples" / name / "provider.py", f"{name}-provider", template)

    return deploy_example


def test_a_bucket(aws, stack, deploy_example):
    """It goes with its stack, although it is full."""
    deploy_example("bucket")
    s3, template = aws.client("s3"), ROOT / "examples" / "bucket" / "template.yaml"
    status = stack.create(template, BucketName="shop-example-logs")
    s3.put_object(Bucket="shop-example-logs", Key="a", Body=b"1")
    s3.put_object(Bucket="shop-example-logs", Key="a", Body=b"2")
    versions = s3.list_object_versions(Bucket="shop-example-logs")["Versions"]
    deleted = stack.delete()

    assert ("CREATE_COMPLETE", "DELETE_COMPLETE") == (status, deleted), stack.reasons
    assert 2 == len(versions)
    assert "shop-example-logs" not in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_a_certificate(aws, stack, deploy_example):
    """It is issued when the stack is there, and its records are in the zone."""
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="examples")
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    deploy_example("certificate", YOUR_ZONE=zone_id)
    status = stack.create(
        ROOT / "examples" / "certificate" / "template.yaml",
        DomainName="www.example.com",
        HostedZoneId=zone_id,
    )
    found = aws.client("acm").describe_certificate(CertificateArn=stack.outputs["CertificateArn"])
    records = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    deleted = stack.delete()

    assert ("CREATE_COMPLETE", "DELETE_COMPLETE") == (status, deleted), stack.reasons
    assert "ISSUED" == found["Certificate"]["Status"]
    assert ["www.example.com", "*.www.example.com"] == found["Certificate"][
        "SubjectAlternativeNames"
    ]
    assert any(record["Type"] == "CNAME" for record in records)


def test_a_secret(aws, stack, deploy_example):
    """The stack tells its name; who may read it has the value."""
    deploy_example("secret")
    ssm, template = aws.client("ssm"), ROOT / "examples" / "secret" / "template.yaml"
    status = stack.create(template)
    first = ssm.get_parameter(Name=stack.outputs["Name"], WithDecryption=True)["Parameter"]
    updated = stack.update(template, Rotation="2")
    second = ssm.get_parameter(Name=stack.outputs["Name"], WithDecryption=True)["Parameter"]
    deleted = stack.delete()

    told = (status, updated, deleted)
    assert ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") == told, stack.reasons
    assert 40 == len(first["Value"])
    assert first["Value"] != second["Value"]
    assert [] == ssm.describe_parameters()["Parameters"]
