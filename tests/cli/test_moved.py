"""The command on a handler that was written for crhelper, and serves every type."""

import json

import pytest

from support.shell import call, write

HANDLER = """
from cfn_once.crhelper import CfnResource

helper = CfnResource()

@helper.create
@helper.update
def make(event, context):
    helper.Data["Name"] = event["ResourceProperties"]["Name"]
    return "the-thing"
"""
SETTINGS = (
    '[tool.cfn-once]\nprovider = "index:helper"\nexternal-api = "none"\nallow-in-doubt = true\n'
)
OF_ITS_TYPE = '[tool.cfn-once.properties."Custom::Thing"]\nName = "a"\n'
GENERAL = "AWS::CloudFormation::CustomResource"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, {"index.py": HANDLER, "pyproject.toml": SETTINGS + OF_ITS_TYPE})
    return tmp_path


def test_a_moved_handler_is_invoked(folder):
    """
    The settings name the helper; it is asked for any type, or for the one that is named.
    """
    general = json.loads(call(folder, "invoke", "create", "-p", "Name=a", "--json").out)
    named = call(folder, "invoke", "create", "--type", "Custom::Any", "-p", "Name=b")

    assert [{"Name": "a"}] == [answer["Data"] for answer in general["responses"]]
    assert (0, True) == (named.code, '{"Name": "b"}' in named.out)


def test_a_moved_handler_is_tested(folder):
    """
    The contract runs with each type that the settings give properties for.
    """
    called = call(folder, "test")

    assert 0 == called.code, called.out
    assert "contract: passed" in called.out


def test_a_moved_handler_in_a_template(folder):
    """
    A snippet has a type that CloudFormation takes, and lint takes whatever the template names.
    """
    whole = call(folder, "snippet").out
    named = call(folder, "snippet", "--type", "Custom::Thing").out
    write(folder, {"whole.yaml": whole, "named.yaml": named})

    assert f"    Type: {GENERAL}\n" in whole
    assert "    Type: Custom::Thing\n" in named
    assert 0 == call(folder, "lint", "whole.yaml", "named.yaml").code
    assert call(folder, "docs").out.startswith("# Every other type\n")
