"""A name that no other resource has; its hooks call nothing."""

from .starter import Starter

PROVIDER = '''"""@Type@: a name that no other resource has."""

from dataclasses import dataclass

from cfn_once import CustomResource, Provider


@dataclass(frozen=True)
class @Class@Properties:
    Prefix: str = "thing"


@dataclass(frozen=True)
class @Class@Attributes:
    Name: str


class @Class@(CustomResource[@Class@Properties, @Class@Attributes]):
    """A name that no other resource has."""
@named@
    replace_on = {"Prefix"}

    def create(self) -> @Class@Attributes:
        # The correlation id is the same in every duplicate of the request.
        name = f"{self.properties.Prefix}-{self.correlation_id[:8].lower()}"
        self.physical_resource_id = name
        return @Class@Attributes(Name=name)

    delete = None  # nothing was made outside CloudFormation


provider = Provider(@Class@)
'''

TEST = '''"""@Type@, as CloudFormation meets it. `cfn-once test` runs more."""

from cfn_once.testing import FakeCloudFormation
from provider import provider


def test_a_create_that_comes_twice() -> None:
    """Every duplicate of a request gets the same response."""
    cloudformation = FakeCloudFormation(provider)

    answer = cloudformation.create("@Class@", {"Prefix": "web"}, times=2)

    assert answer.status == "SUCCESS"
    assert answer.data["Name"] == answer.physical_resource_id
    assert len({answer.body for _, answer in cloudformation.answers}) == 1


def test_a_property_that_is_misspelled() -> None:
    """The response names what is wrong, and what was probably meant."""
    answer = FakeCloudFormation(provider).create("@Class@", {"Prefx": "web"})

    assert answer.status == "FAILED"
    assert "did you mean Prefix?" in answer.reason
'''

STARTER = Starter(
    provider=PROVIDER, test=TEST, property="Prefix", value="web", other="mail", attribute="Name"
)
