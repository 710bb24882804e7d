"""What `cfn-once new` writes: the text of each file."""

import re
from collections.abc import Mapping

MINIMAL = '''"""@Type@: a name that no other resource has."""

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

MINIMAL_TEST = '''"""@Type@, as CloudFormation meets it. `cfn-once test` runs more."""

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

HTTP = '''"""@Type@: a thing of an HTTP API that takes no idempotency keys."""

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
        # If the process dies during the step, `look_up` finds what it has made.
        self.physical_resource_id = self.step("thing", self.make, find=self.look_up)
        return @Class@Attributes(Id=self.physical_resource_id)

    def update(self) -> @Class@Attributes:
        self.http.put(self.url, json={"size": self.properties.Size})
        return @Class@Attributes(Id=self.physical_resource_id)

    def delete(self) -> None:
        self.http.delete(self.url)

    def make(self, step: Step) -> Any:
        wanted = {"name": self.properties.Name, "size": self.properties.Size, "tag": step.token}
        return self.http.post(things(), json=wanted).json()["id"]

    def look_up(self, step: Step) -> Any:
        found = self.http.get(things(), params={"tag": step.token}).json()
        return next((thing["id"] for thing in found), None)

    @property
    def url(self) -> str:
        return f"{things()}/{self.physical_resource_id}"


def things() -> str:
    return os.environ.get("THINGS_API", "https://api.example.com") + "/things"


provider = Provider(@Class@)
'''

HTTP_TEST = '''"""@Type@, as CloudFormation meets it. `cfn-once test` runs more."""

import os

from cfn_once.testing import FakeApi, FakeCloudFormation
from provider import provider


def external_api() -> FakeApi:
    """Return a stand-in for the API, and let the hooks call it: pyproject.toml names this."""
    api = FakeApi(tokens=False)
    os.environ["THINGS_API"] = api.url
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

STACK = """AWSTemplateFormatVersion: "2010-09-09"
Description: How a stack uses @Type@.

Parameters:
  ProviderStackName:
    Description: The stack of the provider
    Type: String
    Default: @name@

Resources:
  @Logical@:
    Type: @Type@
    Properties:
      ServiceToken: !ImportValue
        Fn::Sub: ${ProviderStackName}-ServiceToken
      # Three tries of 120 seconds, and Lambda's pauses between them.
      ServiceTimeout: "600"
      @property@: web # a change replaces

Outputs:
  @attribute@:
    Description: What the provider answered
    Value: !GetAtt @Logical@.@attribute@
"""

PYPROJECT = """[project]
name = "@name@"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["cfn-once"]

[dependency-groups]
dev = ["cfn-once[lint,testing]", "mypy"]

[tool.cfn-once]
provider = "provider:provider"
python = "3.13"
architecture = "arm64"
stack = "@name@"
# What makes a stand-in for the API that the hooks call; "none" where they call nothing.
external-api = "@api@"

# What `cfn-once test` creates a resource with, changes it to, and replaces it by.
[tool.cfn-once.properties."@Type@"]
@property@ = "web"
@changed@
[tool.cfn-once.replaced."@Type@"]
@property@ = "mail"

[tool.mypy]
strict = true
files = ["provider.py", "test_provider.py"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["test_provider.py"]
filterwarnings = ["error"]
"""

CHANGED = """
[tool.cfn-once.changed."@Type@"]
Name = "web"
Size = "2"
"""

CFNLINTRC = """templates: [stack.yaml]
append_rules: [cfn_once.lint]
configure_rules:
  E9701: {providers: ["provider:provider"]}
"""

GITIGNORE = """.venv/
dist/
__pycache__/
.mypy_cache/
.pytest_cache/
.cfn-once.sqlite3*
"""

STARTERS: Mapping[str, Mapping[str, str]] = {
    "minimal": {
        "provider": MINIMAL,
        "test": MINIMAL_TEST,
        "property": "Prefix",
        "attribute": "Name",
        "api": "none",
        "changed": "",
    },
    "http": {
        "provider": HTTP,
        "test": HTTP_TEST,
        "property": "Name",
        "attribute": "Id",
        "api": "test_provider:external_api",
        "changed": CHANGED,
    },
}


def files_of(example: str, *, name: str, type_name: str) -> dict[str, str]:
    """Return the files of a provider, by their paths.

    Args:
        example: One of the starters.
        name: The project's name.
        type_name: What follows `Custom::`.
    """
    starter = STARTERS[example]
    words = re.findall(r"[A-Za-z0-9]+", type_name)
    bare = "".join(word[:1].upper() + word[1:] for word in words) or "Resource"
    class_name = bare if bare.isidentifier() else f"Resource{bare}"
    resource_type = f"Custom::{type_name}"
    values = {
        "changed": starter["changed"],  # before Type, which it holds
        "Type": resource_type,
        "Class": class_name,
        "Logical": bare,
        "name": name,
        "named": "" if class_name == type_name else f'\n    resource_type = "{resource_type}"',
        **{key: starter[key] for key in ("property", "attribute", "api")},
    }
    texts = {
        "provider.py": starter["provider"],
        "test_provider.py": starter["test"],
        "stack.yaml": STACK,
        "pyproject.toml": PYPROJECT,
        ".cfnlintrc": CFNLINTRC,
        ".gitignore": GITIGNORE,
    }
    return {path: _filled(text, values) for path, text in texts.items()}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
