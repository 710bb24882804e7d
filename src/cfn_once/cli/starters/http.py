"""A thing of an HTTP API that takes no idempotency keys."""

from .starter import Starter

PROVIDER = '''"""@Type@: a thing of an HTTP API that takes no idempotency keys."""

import os
from dataclasses import dataclass
from typing import Any

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True)
class @Class@Properties:
    Name: str
    Size: int = 1


@dataclass(frozen=True)
class @Class@Attributes:
    Id: str


class @Class@(CustomResource[@Class@Properties, @Class@Attributes]):
    """A thing of the API."""
@named@
    replace_on = {"Name"}

    def create(self) -> @Class@Attributes:
        self.sign_in()
        # If the process dies during the step, `look_up` finds what it has made.
        self.physical_resource_id = self.step("thing", self.make, find=self.look_up)
        return @Class@Attributes(Id=self.physical_resource_id)

    def update(self) -> @Class@Attributes:
        self.sign_in()
        self.http.put(self.url, json={"size": self.properties.Size})
        return @Class@Attributes(Id=self.physical_resource_id)

    def delete(self) -> None:
        self.sign_in()
        self.http.delete(self.url)

    def make(self, step: Step) -> Any:
        wanted = {"name": self.properties.Name, "size": self.properties.Size, "tag": step.token}
        return self.http.post(things(), json=wanted).json()["id"]

    def look_up(self, step: Step) -> Any:
        found = self.http.get(things(), params={"tag": step.token}).json()
        return next((thing["id"] for thing in found), None)

    def sign_in(self) -> None:
        """Give the API its key, where the parameter SecretArn names a secret that holds it."""
        if arn := os.environ.get("SECRET_ARN"):
            key = self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
            self.mask(key)  # in no log line, response or record
            self.http.headers["Authorization"] = f"Bearer {key}"

    @property
    def url(self) -> str:
        return f"{things()}/{self.physical_resource_id}"


def things() -> str:
    # The parameter ApiUrl sets it; `cfn-once test` and `local` name the stand-in.
    return os.environ.get("API_URL", "https://api.example.com") + "/things"


provider = Provider(@Class@)
'''

TEST = '''"""@Type@, as CloudFormation meets it. `cfn-once test` runs more."""

import os

from cfn_once.testing import FakeApi, FakeCloudFormation
from provider import provider


def external_api() -> FakeApi:
    """Return a stand-in for the API, and let the hooks call it: pyproject.toml names this."""
    api = FakeApi(tokens=False)
    os.environ["API_URL"] = api.url
    os.environ.pop("SECRET_ARN", None)  # it asks for no key
    return api


def test_a_process_that_dies() -> None:
    """A process that dies after the POST makes nothing twice."""
    api = external_api()
    cloudformation = FakeCloudFormation(provider)

    answer = cloudformation.create("@Class@", {"Name": "web"}, crash_after="thing")

    assert answer.status == "SUCCESS"
    assert list(api.objects) == [answer.physical_resource_id]
    api.close()


def test_a_property_that_is_misspelled() -> None:
    """The response names what is wrong, and what was probably meant."""
    answer = FakeCloudFormation(provider).create("@Class@", {"Nmae": "web"})

    assert answer.status == "FAILED"
    assert "did you mean Name?" in answer.reason
'''

PARAMETERS = """# What the function reads as API_URL and SECRET_ARN, once it is on AWS:
# parameters.ApiUrl = "https://api.example.com"
# parameters.SecretArn = "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf"
"""

CHANGED = """
[tool.cfn-once.changed."@Type@"]
Name = "web"
Size = "2"
"""

STARTER = Starter(
    provider=PROVIDER,
    test=TEST,
    property="Name",
    value="web",
    other="mail",
    attribute="Id",
    external_api="test_provider:external_api",
    settings=CHANGED,
    more=PARAMETERS,
)
