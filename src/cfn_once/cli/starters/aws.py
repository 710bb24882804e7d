"""A thing of AWS that CloudFormation makes in the stack's own Region alone: a certificate."""

from .starter import Starter

PROVIDER = '''"""@Type@: an ACM certificate in another Region than its stack's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cfn_once import CustomResource, Provider


@dataclass(frozen=True)
class @Class@Properties:
    DomainName: str
    Region: str = "us-east-1"
    Tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class @Class@Attributes:
    Arn: str


class @Class@(CustomResource[@Class@Properties, @Class@Attributes]):
    """A certificate, for CloudFront in us-east-1."""
@named@
    replace_on = {"DomainName", "Region"}

    def create(self) -> @Class@Attributes:
        # ACM takes a token: cfn-once sends the same one with every duplicate.
        asked: dict[str, Any] = {
            "DomainName": self.properties.DomainName,
            "ValidationMethod": "DNS",
        }
        if self.properties.Tags:
            asked["Tags"] = spelled(self.properties.Tags)
        self.physical_resource_id = self.acm().request_certificate(**asked)["CertificateArn"]
        return @Class@Attributes(Arn=self.physical_resource_id)

    def update(self) -> @Class@Attributes:
        arn, new, old = self.physical_resource_id, self.properties.Tags, self.old_properties.Tags
        gone = {name: value for name, value in old.items() if name not in new}
        if gone:
            self.acm().remove_tags_from_certificate(CertificateArn=arn, Tags=spelled(gone))
        if new:
            self.acm().add_tags_to_certificate(CertificateArn=arn, Tags=spelled(new))
        return @Class@Attributes(Arn=arn)

    def delete(self) -> None:
        self.acm().delete_certificate(CertificateArn=self.physical_resource_id)

    def acm(self) -> Any:
        return self.client("acm", region_name=self.properties.Region)


def spelled(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


provider = Provider(@Class@)
'''

TEST = '''"""@Type@, as CloudFormation and ACM meet it. `cfn-once test` runs more."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from moto import mock_aws
from moto.backends import get_backend

from cfn_once.testing import FakeCloudFormation
from provider import provider

KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)


class Acm:
    """ACM, by moto: whatever boto3 calls in this process goes there."""

    def __init__(self) -> None:
        self._moto = mock_aws()
        self._moto.start()
        # moto would make a key for each certificate, which takes longer than everything else.
        self._keys = patch.object(rsa, "generate_private_key", return_value=KEY)
        self._keys.start()
        self._backend = get_backend("acm")["123456789012"]["us-east-1"]
        self.reset()

    @property
    def objects(self) -> dict[str, Any]:
        return dict(self._backend._certificates)

    def reset(self) -> None:
        self._backend.reset()

    def close(self) -> None:
        self._keys.stop()
        self._moto.stop()


@pytest.fixture
def acm() -> Iterator[Acm]:
    acm = Acm()
    yield acm
    acm.close()


def test_a_process_that_dies(acm: Acm) -> None:
    """A process that dies after the request makes no second certificate."""
    cloudformation = FakeCloudFormation(provider)
    wanted = {"DomainName": "www.example.com", "ServiceTimeout": "600"}

    answer = cloudformation.create("@Class@", wanted, crash_after="acm.RequestCertificate")

    assert answer.status == "SUCCESS"
    assert list(acm.objects) == [answer.data["Arn"]]


def test_a_property_that_is_misspelled() -> None:
    """The response names what is wrong, and what was probably meant."""
    answer = FakeCloudFormation(provider).create("@Class@", {"Domain": "www.example.com"})

    assert answer.status == "FAILED"
    assert "did you mean DomainName?" in answer.reason
'''

# A token of ACM's is good for an hour: a ServiceTimeout keeps every delivery within it.
SETTINGS = """ServiceTimeout = "600"

[tool.cfn-once.changed."@Type@"]
DomainName = "www.example.com"
Tags = {owner = "shop"}
ServiceTimeout = "600"
"""

POLICY = """# What the hooks may do: `cfn-once deploy` puts it into the provider's role.
Version: "2012-10-17"
Statement:
  - Effect: Allow
    Action:
      - acm:RequestCertificate
      - acm:AddTagsToCertificate
      - acm:RemoveTagsFromCertificate
      - acm:DeleteCertificate
    Resource: "*" # a certificate that is yet to be made has no ARN
"""

STARTER = Starter(
    provider=PROVIDER,
    test=TEST,
    property="DomainName",
    value="www.example.com",
    other="shop.example.com",
    attribute="Arn",
    external_api="test_provider:Acm",
    settings=SETTINGS,
    more='policies = ["policy.yaml"]\n',
    dev=("moto",),
    files={"policy.yaml": POLICY},
)
