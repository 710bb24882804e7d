"""A function that calls an API with a key, on `local`: where URL and key come from, and stay."""

import json
import sys

import pytest

from support.ministack import ROOT
from support.shell import call, write

pytestmark = pytest.mark.e2e

KEY = "a-key-that-nobody-else-sees"
CACHE = {"XDG_CACHE_HOME": str(ROOT / "build" / "cache")}
REAL = """parameters.ApiUrl = "https://api.invalid"
parameters.SecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:real-AbCdEf"
"""
# Takes none but its key; says of each object who made it, which no API should.
API = f"""
import json, os
from cfn_once.testing.server import LocalHandler, LocalServer

class Handler(LocalHandler):
    def do(self):
        objects, name = self.server.what, self.path.partition("?")[0].rpartition("/")[2]
        asked = json.loads(self.read() or b"{{}}")
        if self.headers["Authorization"] != "Bearer {KEY}":
            return self.reply(401, b"whose key is this?", "text/plain")
        if self.command == "POST":
            objects["obj-1"] = asked
            told = {{"id": "obj-1", "by": self.headers["Authorization"]}}
        elif self.command == "DELETE":
            told = objects.pop(name, {{}})
        else:
            told = list(objects)
        self.reply(200, json.dumps(told).encode(), "application/json")

    do_GET = do_POST = do_PUT = do_DELETE = do

class Api:
    def __init__(self):
        self.objects = {{}}
        os.environ["API_URL"] = LocalServer(Handler, self.objects).url

    def reset(self):
        self.objects.clear()
"""
# What is typed in the shell of `local`; and whatever AWS tells of it.
TYPED = f"""
import json, subprocess, boto3

def deploy(*arguments):
    command = ["cfn-once", "deploy", "--yes", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return [done.returncode, done.stdout + done.stderr]

use = ("--template", "stack.yaml", "--stack", "web")
told = {{"without": deploy(*use), "removed": deploy("--delete", "--stack", "web")}}
secrets = boto3.client("secretsmanager")
arn = secrets.create_secret(Name="things", SecretString="{KEY}")["ARN"]
told["configured"] = deploy("-p", f"SecretArn={{arn}}")
told["again"] = deploy()
told["made"], told["deleted"] = deploy(*use), deploy("--delete", "--stack", "web")
function = boto3.client("lambda").get_function_configuration(FunctionName="web-thing")
told["variables"] = function["Environment"]["Variables"]
cloudformation = boto3.client("cloudformation")
told["stack"] = str(cloudformation.describe_stacks(StackName="web-thing"))
told["events"] = str(cloudformation.describe_stack_events(StackName="web-thing"))
told["template"] = str(cloudformation.get_template(StackName="web-thing"))
logs = boto3.client("logs")
for group in logs.describe_log_groups()["logGroups"]:
    told[group["logGroupName"]] = str(logs.filter_log_events(logGroupName=group["logGroupName"]))
tables = boto3.client("dynamodb")
(table,) = tables.list_tables()["TableNames"]
told["ledger"] = str(tables.scan(TableName=table)["Items"])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The http starter, whose API wants a key, from a failure to its end."""
    folder = tmp_path_factory.mktemp("api")
    assert 0 == call(folder, "new", "web-thing", "--example", "http").code
    folder = folder / "web-thing"
    settings = (folder / "pyproject.toml").read_text()
    settings = settings.replace("test_provider:external_api", "api:Api")
    settings = settings.replace("# parameters.ApiUrl", f"{REAL}# ApiUrl")
    write(folder, {"pyproject.toml": settings, "api.py": API, "typed.py": TYPED})
    called = call(folder, "local", "--", sys.executable, "typed.py", **CACHE)

    assert 0 == called.code, called.err
    assert "the function calls the stand-in of external-api, http://127.0.0.1:" in called.err
    return {**json.loads(called.out), "said": called.err}


def test_a_key_that_is_given_to_the_provider(told):
    """
    Without it the API refuses, and the events say so; with the parameter SecretArn the function
    sends it, and keeps it through later deployments.
    """
    assert [1, 0] == [told["without"][0], told["removed"][0]]
    assert "401" in told["without"][1]
    assert [0, 0, 0, 0] == [told[name][0] for name in ("configured", "again", "made", "deleted")]
    assert "Id = obj-1" in told["made"][1]
    assert "web-thing: no changes" in told["again"][1]


def test_the_real_api_is_not_called_from_this_machine(told):
    """
    What the settings say of URL and secret is for AWS: here the stand-in takes their place.
    """
    assert told["variables"]["API_URL"].startswith("http://127.0.0.1:")
    assert "123456789012" not in told["variables"]["SECRET_ARN"]
    assert ":secret:things" in told["variables"]["SECRET_ARN"]


def test_where_a_key_is_seen(told):
    """
    Nowhere but in its secret: not in what is printed, a template, a parameter, an event, a log or
    the ledger; not even where an API answers with it.
    """
    assert "obj-1" in told["ledger"]
    assert "SUCCESS" in str([told[name] for name in told if "LogGroup" in name])
    assert [] == [name for name, text in told.items() if KEY in str(text)]
