"""`cfn-once deploy` and `cfn-once local` as typed, on a local AWS that enforces IAM."""

import json
import os
import platform
import re
import shlex
import signal
import socket
import sys
import time

import pytest

from cfn_once.cli.starters import STARTERS
from support.ministack import ROOT
from support.shell import call, start, write

pytestmark = pytest.mark.e2e

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
CACHE = {"XDG_CACHE_HOME": str(ROOT / "build" / "cache")}
READS_ZONES = """
from cfn_once import CustomResource, Provider

class Zones(CustomResource[dict, dict]):
    def create(self):
        zones = self.client("ec2").describe_availability_zones()["AvailabilityZones"]
        return {"Zones": len(zones)}
    delete = None

provider = Provider(Zones)
"""
MAY_READ_ZONES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeAvailabilityZones", "Resource": "*"}],
}


def environment(aws, key="test", secret="test"):
    return {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def stack_of(resource_type, **properties):
    token = {"Fn::ImportValue": {"Fn::Sub": "${ProviderStackName}-ServiceToken"}}
    thing = {"ServiceToken": token, "ServiceTimeout": "30", **properties}
    return json.dumps(
        {
            "Parameters": {"ProviderStackName": {"Type": "String"}},
            "Resources": {"Thing": {"Type": resource_type, "Properties": thing}},
            "Outputs": {"Id": {"Value": {"Ref": "Thing"}}},
        },
        indent=1,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A provider, as `new` makes it, for functions of this machine."""
    parent = tmp_path_factory.mktemp("deploy")
    assert 0 == call(parent, "new", "my-name").code
    folder = parent / "my-name"
    settings = (folder / "pyproject.toml").read_text()
    settings = settings.replace('"3.13"', f'"{HERE}"').replace('"arm64"', f'"{ARCHITECTURE}"')
    (folder / "pyproject.toml").write_text(settings)
    return folder


@pytest.fixture(scope="module")
def deploy(aws, folder):
    """Call `deploy` in the provider's folder, on the local AWS."""

    def deploy(*arguments, folder=folder):
        return call(folder, "deploy", "--yes", *arguments, **environment(aws))

    return deploy


@pytest.fixture(scope="module")
def provider(deploy, aws):
    """The provider is deployed, once."""
    made = deploy("-p", f"ResponseHosts={aws.host}")

    assert 0 == made.code, made.err
    return made


def test_a_stack_from_its_creation_to_its_end(provider, deploy, folder, aws):
    """
    Ledger, bucket and provider are made; new code is an update of both functions, and no change
    is success; a stack that uses it is made, changed and deleted.
    """
    stacks = re.findall(r"^(\S+): a new stack", provider.out, re.MULTILINE)
    again = deploy("--json")
    code = (folder / "provider.py").read_text()
    (folder / "provider.py").write_text(f"{code}\n# new\n")
    newer = deploy()
    made = deploy("--template", "stack.yaml", "--stack", "web", "--json")
    template = (folder / "stack.yaml").read_text().replace("Prefix: web", "Prefix: shop")
    (folder / "changed.yaml").write_text(template)
    changed = deploy("--template", "changed.yaml", "--stack", "web", "--json")
    deleted = deploy("--delete", "--stack", "web")

    assert ["cfn-once-ledger", "cfn-once-artifacts", "my-name"] == [
        name for name in stacks if name != "ledger"
    ]
    assert (0, False) == (again.code, json.loads(again.out)["changed"])
    assert "my-name: no changes" in again.err
    assert {"Function", "Guardian"} <= set(re.findall(r"  ~ (\w+)", newer.out))
    assert json.loads(made.out)["outputs"]["Name"].startswith("web-")
    assert json.loads(changed.out)["outputs"]["Name"].startswith("shop-")
    assert 0 == deleted.code
    assert "DELETE_COMPLETE              web" in deleted.out


def test_a_creation_that_fails(provider, deploy, folder):
    """
    The reason of the provider is among the events; what can be done then is told, and works.
    """
    template = (folder / "stack.yaml").read_text()
    write(folder, {"wrong.yaml": template.replace("Prefix: web", "Prefx: web")})
    to = ("--template", "wrong.yaml", "--stack", "wrong")
    failed, refused = deploy(*to), deploy(*to)
    (advice,) = re.findall(r"cfn-once (deploy --delete --stack wrong)", refused.err)
    deleted = deploy(*advice.split()[1:])
    repaired = deploy("--template", "stack.yaml", "--stack", "wrong")
    deploy("--delete", "--stack", "wrong")

    assert (1, 1, 0, 0) == (failed.code, refused.code, deleted.code, repaired.code), refused.err
    assert "did you mean Prefix?" in failed.out
    assert "wrong ended in ROLLBACK_COMPLETE: its creation failed" in failed.err
    assert "wrong is ROLLBACK_COMPLETE" in refused.err


def test_a_policy_of_ones_own(deploy, aws, tmp_path):
    """
    What a hook calls is not allowed until a policy file says so; nobody edits a template for it.
    """
    use = stack_of("Custom::Zones")
    write(tmp_path, {"provider.py": READS_ZONES, "stack.json": use})
    (tmp_path / "policy.json").write_text(json.dumps(MAY_READ_ZONES))
    settings = f'[tool.cfn-once]\nstack = "zones"\npython = "{HERE}"\n'
    (tmp_path / "pyproject.toml").write_text(f'{settings}architecture = "{ARCHITECTURE}"\n')
    to = ("--template", "stack.json", "--stack", "of-zones", "-p", "ProviderStackName=zones")
    deploy("-p", f"ResponseHosts={aws.host}", folder=tmp_path)
    without = deploy(*to, folder=tmp_path)
    deploy("--delete", "--stack", "of-zones", folder=tmp_path)
    allowed = deploy("--policy", "policy.json", folder=tmp_path)
    with_policy = deploy(*to, folder=tmp_path)

    assert 1 == without.code
    assert "ec2:DescribeAvailabilityZones" in without.out
    assert 0 == allowed.code
    assert "Role" in re.findall(r"  ~ (\w+)", allowed.out)
    assert 0 == with_policy.code, with_policy.out


def test_a_template_that_is_too_large_for_a_call(provider, deploy, folder):
    """
    It goes through the bucket; nothing else is different.
    """
    template = (folder / "stack.yaml").read_text()
    notes = "\n".join(f"# {'long ' * 20}{number}" for number in range(600))
    write(folder, {"large.yaml": f"{template}\n{notes}\n"})
    made = deploy("--template", "large.yaml", "--stack", "large")
    deploy("--delete", "--stack", "large")

    assert 51_200 < len((folder / "large.yaml").read_bytes())
    assert 0 == made.code, made.err
    assert "large: CREATE_COMPLETE" in made.out


def test_somebody_who_may_not(provider, folder, aws):
    """
    The action that is not allowed is named, with what it is about; nothing was changed.
    """
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    may = {"Effect": "Allow", "Action": ["cloudformation:Describe*", "sts:*"], "Resource": "*"}
    iam.put_user_policy(
        UserName="reader",
        PolicyName="reads",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}),
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    as_reader = environment(aws, key["AccessKeyId"], key["SecretAccessKey"])
    told = call(
        folder, "deploy", "--yes", "--template", "stack.yaml", "--stack", "mine", **as_reader
    )

    assert 3 == told.code, told.err
    assert "may not cloudformation:CreateChangeSet on" in told.err
    assert "stack/mine" in told.err or "the stack mine" in told.err


def test_nobody(provider, folder, aws):
    """
    Without credentials, and where nobody can agree, a line says what to do.
    """
    lacks = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    nowhere = {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    no_one = call(folder, "deploy", "--yes", **{**environment(aws), **lacks, **nowhere})
    not_agreed = call(
        folder, "deploy", "--template", "stack.yaml", "--stack", "other", **environment(aws)
    )
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]

    assert (3, 2) == (no_one.code, not_agreed.code)
    assert "there are no AWS credentials" in no_one.err
    assert "nobody is here to agree to the change of other: --yes" in not_agreed.err
    assert "other" not in {stack["StackName"] for stack in stacks}


def is_listening(host):
    name, port = host.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((name, int(port))) == 0


def test_local(folder):
    """
    A command meets the provider on an AWS of its own, which is gone afterwards; its exit code is
    the verb's.
    """
    use = "cfn-once deploy --template stack.yaml --stack web --yes >&2; echo $AWS_ENDPOINT_URL"
    again = "cfn-once deploy --yes > again.log"  # for this machine too, whatever the settings say
    called = call(folder, "local", "--", "sh", "-c", f"{use}; {again}; exit 7", **CACHE)
    host = called.out.strip().removeprefix("http://")

    assert 7 == called.code, called.err
    assert "the provider is the stack my-name" in called.err
    assert "my-name: no changes" in called.err
    assert "on this machine" in (folder / "again.log").read_text()
    assert "web: CREATE_COMPLETE" in called.err or "CREATE_COMPLETE              web" in called.err
    assert host.startswith("127.0.0.1:")
    assert not is_listening(host)


@pytest.mark.parametrize("example", STARTERS)
def test_a_starter_as_it_is(example, tmp_path):
    """
    What `new` writes is deployed without an edit, and its template makes a resource.
    """
    assert 0 == call(tmp_path, "new", "thing", "--example", example).code
    use = ("cfn-once", "deploy", "--template", "stack.yaml", "--stack", "web", "--yes")
    called = call(tmp_path / "thing", "local", "--", *use, **CACHE)

    assert 0 == called.code, called.err + called.out
    assert "web: CREATE_COMPLETE" in called.out


def test_local_that_is_kept(folder):
    """
    With --keep the server goes on. The line that it prints points a shell to it, whose functions
    are for this machine too; another line ends it.
    """
    called = call(folder, "local", "--keep", "--", "true", **CACHE)
    exports = shlex.split(re.search(r"To use it: export (.*)", called.err)[1])
    shell = dict(pair.split("=", 1) for pair in exports)
    again = call(folder, "deploy", "--yes", **shell)
    os.killpg(int(re.search(r"kill -- -(\d+) ends it", called.err)[1]), signal.SIGKILL)

    assert 0 == again.code, again.err
    assert "on this machine" in again.out
    assert "my-name: no changes" in again.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_local_that_is_interrupted(number, folder, tmp_path):
    """
    Ctrl-C while the provider is deployed ends the server, and leaves no file.
    """
    local = start(folder, "local", "--", "sleep", "60", **CACHE, TMPDIR=str(tmp_path))
    with local:
        for line in local.stderr:
            if found := re.search(r"MiniStack is at http://(\S+)", line):
                break
        local.send_signal(number)
        said = local.stderr.read()
    over = time.monotonic() + 20
    while is_listening(found[1]) and time.monotonic() < over:
        time.sleep(0.05)

    assert {signal.SIGINT: 130, signal.SIGTERM: 143}[number] == local.returncode, said
    assert not is_listening(found[1])
    assert [] == list(tmp_path.iterdir())
    assert number == signal.SIGTERM or "stopped" in said
