"""The files of a new project, from one of the starters."""

import builtins
import keyword
import re
from collections.abc import Mapping

from . import aws, handler, http, minimal
from .starter import Starter

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
      @property@: @value@@note@

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
dev = ["cfn-once[lint,testing]", "mypy"@dev@]

[tool.cfn-once]
provider = "provider:@object@"
python = "3.13"
architecture = "arm64"
stack = "@name@"
# What makes a stand-in for the API that the hooks call; "none" where they call nothing.
external-api = "@api@"
@more@
# What `cfn-once test` creates a resource with, changes it to, or replaces it by.
[tool.cfn-once.properties."@Type@"]
@property@ = "@value@"
@settings@
[tool.cfn-once.@effect@."@Type@"]
@property@ = "@other@"

[tool.mypy]
strict = true
files = ["provider.py", "test_provider.py"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["test_provider.py"]
filterwarnings = ["error"]
"""

CFNLINTRC = """templates: [stack.yaml]
append_rules: [cfn_once.lint]
configure_rules:
  E9701: {providers: ["provider:@object@"]}
"""

GITIGNORE = """.venv/
dist/
__pycache__/
.mypy_cache/
.pytest_cache/
.cfn-once.sqlite3*
"""

STARTERS: Mapping[str, Starter] = {
    "minimal": minimal.STARTER,
    "http": http.STARTER,
    "boto3": aws.STARTER,
    "crhelper": handler.STARTER,
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
    class_name = bare if bare.isidentifier() and bare not in _taken(starter) else f"Resource{bare}"
    resource_type = f"Custom::{type_name}"
    values = {
        "settings": starter.settings,  # before Type, which it holds
        "dev": "".join(f', "{requirement}"' for requirement in starter.dev),
        "more": starter.more,
        "Type": resource_type,
        "Class": class_name,
        "Logical": bare,
        "name": name,
        "named": "" if class_name == type_name else f'\n    resource_type = "{resource_type}"',
        "effect": "changed" if starter.changes_in_place else "replaced",
        "note": "" if starter.changes_in_place else " # a change replaces",
        "object": starter.object,
        "property": starter.property,
        "value": starter.value,
        "other": starter.other,
        "attribute": starter.attribute,
        "api": starter.external_api,
    }
    texts = {
        "provider.py": starter.provider,
        "test_provider.py": starter.test,
        "stack.yaml": STACK,
        "pyproject.toml": PYPROJECT,
        ".cfnlintrc": CFNLINTRC,
        ".gitignore": GITIGNORE,
        **starter.files,
    }
    return {path: _filled(text, values) for path, text in texts.items()}


def _taken(starter: Starter) -> set[str]:
    """Return what no class can be called, or would hide what the starter's modules use."""
    imports = re.findall(
        r"^(?:from \S+ )?import (.+)", starter.provider + starter.test, re.MULTILINE
    )
    used = {name for names in imports for name in re.findall(r"\w+", names)}
    return {*keyword.kwlist, *dir(builtins), *used}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
