"""A cold start pays for what it imports: nothing that can wait, and no third party."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cfn_once

SOURCE = Path(cfn_once.__file__).parents[1]
THIRD_PARTIES = {"boto3", "botocore", "requests", "urllib3", "msgspec", "pytest", "pydantic"}
WHERE_USED = {  # of the standard library; each costs a millisecond or more
    *("asyncio", "concurrent", "datetime", "decimal", "difflib", "email", "hashlib", "http"),
    *("random", "socket", "sqlite3", "ssl", "tempfile", "unittest", "uuid"),
}
PROGRAM = """
import json, sys
sys.path.insert(0, {source!r})
before = set(sys.modules)
{line}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})))
"""


def loaded(line, *options):
    """Return the top-level modules that a line loads into a fresh interpreter."""
    program = PROGRAM.format(source=str(SOURCE), line=line)
    ran = subprocess.run(
        [sys.executable, "-I", *options, "-c", program],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(ran.stdout))


DECLARED = """
from dataclasses import dataclass
from cfn_once import CustomResource, Provider, Secret

@dataclass
class Properties:
    Name: str
    Size: int = 1

class Resource(CustomResource[Properties, dict]):
    def create(self):
        return self.http.get("https://example.com").json()

    delete = None

provider = Provider(Resource, ledger="memory://")
"""


MOVED = """
from cfn_once.crhelper import CfnResource

helper = CfnResource(json_logging=False, ledger="memory://")

@helper.create
@helper.update
def create(event, context):
    return "id"
"""


@pytest.mark.parametrize(
    "line",
    ["from cfn_once import CustomResource, Provider", DECLARED, MOVED],
    ids=["the package", "a provider", "a handler written for crhelper"],
)
def test_what_a_cold_start_loads(line):
    """
    Neither the import nor the definition of a provider loads what only an event needs.
    """
    names = loaded(line)

    assert "cfn_once" in names
    assert set() == names & (THIRD_PARTIES | WHERE_USED)


def test_it_needs_nothing_that_is_not_there():
    """
    It can be imported where no third party is installed.
    """
    assert "cfn_once" in loaded("import cfn_once", "-S")


def test_the_test_can_see():
    """
    What a line loads is seen, whoever loads it.
    """
    assert {"requests", "urllib3", "ssl"} <= loaded("import requests")
