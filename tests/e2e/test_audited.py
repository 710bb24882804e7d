"""
One ledger with each class of `cfn-once audit`, made by functions and stacks on a local AWS.

MiniStack invokes a function once, and waits: a retry of Lambda is invoked by the test. It knows no
stack of another account: that one's request comes from the kit's CloudFormation.
"""

import json
import shlex
import sys
import time
from pathlib import Path

import pytest

from cfn_once.cli.console import Exit
from cfn_once.testing import DeployedLambda, FakeCloudFormation
from ledger.engines import make_table
from support.external_api import ApiWithAccidents
from support.lambda_zip import lambda_zip
from support.ministack import MiniStack
from support.shell import call
from support.stacks import Stack

pytestmark = pytest.mark.e2e
THINGS = Path(__file__).with_name("audited_things.py")
PATIENCE = 60
CLASSES = {
    "depot": "ORPHAN",
    "moved": "DIFFERS",
    "resized": "NOT-REMOVED",
    "killed": "IN-DOUBT",
    "waits": "UNANSWERED",
    "kept": "RETAINED",
    "theirs": "UNKNOWN-STACK",
}


class World:
    """A local AWS with a ledger, functions, and stacks whose stories end in a finding each."""

    def __init__(self, aws, api, folder):
        self.aws, self.api, self._folder = aws, api, folder
        self.cloudformation = aws.client("cloudformation")
        self.lambdas, self._sqs = aws.client("lambda"), aws.client("sqs")
        self.inbox = self._sqs.create_queue(QueueName="audited")["QueueUrl"]
        self.table = make_table(aws.client("dynamodb"), "audited")
        self._zip = lambda_zip({THINGS.name: THINGS})
        self.function = self.deploy("things", hosts=aws.host)

    def deploy(self, name, *, hosts, **environment):
        """Make a function that copies its events into the inbox; return its ARN."""
        variables = {
            "CFN_ONCE_LEDGER": f"dynamodb://{self.table}",
            "CFN_ONCE_RESPONSE_HOSTS": hosts,
            "INBOX": self.inbox,
            **environment,
        }
        return self.lambdas.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info.minor}",
            Role="arn:aws:iam::000000000000:role/things",
            Handler=f"{THINGS.stem}.handler",
            Timeout=30,
            Code={"ZipFile": self._zip},
            Environment={"Variables": variables},
        )["FunctionArn"]

    def serve_by(self, handler):
        """Have other code behind the function."""
        self.lambdas.update_function_configuration(
            FunctionName="things", Handler=f"{THINGS.stem}.{handler}"
        )

    def template(self, function="", policies=None, **properties):
        """A stack's template with one thing."""
        token = function or self.function
        return {
            "Resources": {
                "Thing": {
                    "Type": "Custom::Thing",
                    "Properties": {"ServiceToken": token, "Api": self.api.url, **properties},
                    **(policies or {}),
                }
            }
        }

    def stack(self, name):
        return Stack(self.cloudformation, name)

    def start(self, name, template):
        """Begin to create a stack, and return the event that its function was handed."""
        self.cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(template), OnFailure="DO_NOTHING"
        )
        over = time.monotonic() + PATIENCE
        while time.monotonic() < over:
            answer = self._sqs.receive_message(
                QueueUrl=self.inbox, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", ()):
                event = json.loads(message["Body"])
                if f":stack/{name}/" in event["StackId"]:
                    return event
        raise TimeoutError(name)

    def ask(self, *arguments):
        """Call the command."""
        url = f"dynamodb://{self.table}?endpoint={self.aws.url}"
        settings = {"CFN_ONCE_LEDGER": url, "CFN_ONCE_RESPONSE_HOSTS": self.aws.host}
        return call(self._folder, *arguments, **self.aws.environment, **settings)

    def audit(self):
        """Return the findings by the names of their stacks."""
        told = json.loads(self.ask("audit", "--json").out)
        return {finding["stack_id"].split("/")[1]: finding for finding in told["findings"]}

    def follow(self, finding, *given):
        """Run the command that a finding says comes next, with its blanks filled in."""
        command = finding["next"].rpartition("cfn-once ")[2].partition(" --")[0]
        while (called := self.ask(*shlex.split(command), *given)).code == Exit.UNKNOWN:
            assert "Look again then" in called.err  # for seconds, a call of its may be under way
            time.sleep(0.5)
        return called


def an_orphan(place):
    """Somebody deploys a function without a ledger over ours, and deletes a stack."""
    stack = place.stack("depot")
    stack.create(place.template())
    place.serve_by("by_hand")
    stack.delete()
    place.serve_by("handler")


def two_ids(place, name="moved"):
    """An Update is answered by that function, which says that it has made another thing."""
    stack = place.stack(name)
    stack.create(place.template())
    place.serve_by("by_hand")
    stack.update(place.template(Size="large"))
    place.serve_by("handler")


def a_replaced_one(place):
    """An Update replaces a thing, and the API refuses to remove the old one."""
    stack = place.stack("resized")
    stack.create(place.template())
    place.api.fail("delete", status=409)
    stack.update(place.template(Size="large"))


def a_killed_call(place):
    """A function dies in a call that nobody can look up; Lambda invokes it again."""
    event = place.start("killed", place.template(Dies="in the call"))
    place.lambdas.invoke(FunctionName="things", Payload=json.dumps(event))


def a_dead_function(place):
    """A function has died ten minutes ago, in each of its invocations."""
    late = place.deploy("things-long-ago", hosts=place.aws.host, LONG_AGO="yes")
    place.start("waits", place.template(late, Dies="at once"))


def a_retained_one(place):
    """A stack is deleted, and its DeletionPolicy keeps the thing."""
    stack = place.stack("kept")
    stack.create(place.template(policies={"DeletionPolicy": "Retain"}))
    stack.delete()


def one_of_another_account(place):
    """The function serves a stack of another account, too."""
    deployed = DeployedLambda("things-of-theirs", place.lambdas, resource_type="Custom::Thing")
    with FakeCloudFormation(deployed, stack_name="theirs") as theirs:
        place.deploy("things-of-theirs", hosts=theirs.response_host)
        theirs.create("Thing", {"Api": place.api.url})


STORIES = (
    an_orphan,
    two_ids,
    a_replaced_one,
    a_killed_call,
    a_dead_function,
    a_retained_one,
    one_of_another_account,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with MiniStack() as aws, ApiWithAccidents() as api:
        place = World(aws, api, tmp_path_factory.mktemp("audited"))
        for story in STORIES:
            story(place)
        place.told, place.findings = place.ask("audit"), place.audit()
        yield place


BY_HAND = ("--reason", "as the test says", "--yes")


def test_each_class_is_named(place):
    """
    Each story is found under its class and no other, with what to do wherever somebody has to act.
    """
    lines = place.told.out.splitlines()

    assert CLASSES == {name: finding["kind"] for name, finding in place.findings.items()}
    assert ["kept"] == [name for name, finding in place.findings.items() if not finding["next"]]
    assert 6 == len([line for line in lines if line.startswith("  next: ")])
    assert lines[-1] == (
        "7 items, 7 stacks, 1 ORPHAN, 1 DIFFERS, 1 NOT-REMOVED, 1 IN-DOUBT, 1 UNANSWERED,"
        " 1 RETAINED, 1 UNKNOWN-STACK; 6 in need of somebody"
    )
    assert 1 == place.told.code


def test_what_each_finding_says_to_do_ends_it(place):
    """
    Each command is run as it is printed, with its blanks filled in, and its class is gone. In the
    end nobody has to act, and besides the retained thing none is left.
    """
    shown = place.ask("ledger", "show", "moved", "Thing")
    remove_by_hand(place, "depot", "moved", "theirs")
    (made,) = things_of(place, "killed")
    blanks = {
        "depot": BY_HAND,
        "moved": BY_HAND,
        "theirs": BY_HAND,
        "killed": ("--made", json.dumps(made), *BY_HAND),
        "waits": ("--from-queue", place.inbox, "--yes"),
    }
    told = {name: place.follow(place.findings[name], *given) for name, given in blanks.items()}
    place.stack("resized").delete()
    found = {name: finding["kind"] for name, finding in place.audit().items()}

    assert "cfn-once ledger show moved Thing." in place.findings["moved"]["next"]
    assert "holds: group-" in shown.out
    assert dict.fromkeys(told, 0) == {name: called.code for name, called in told.items()}, told
    # MiniStack lists no resource whose Create has failed, and sends no Delete of it.
    assert {"kept": "RETAINED", "killed": "ORPHAN"} == found
    assert "cfn-once respond waits" in place.findings["waits"]["next"]
    assert "CREATE_FAILED" == status_of(place, "waits")

    remove_by_hand(place, "killed")
    forgotten = place.follow(place.audit()["killed"], *BY_HAND)
    last = place.ask("audit")

    assert 0 == forgotten.code, forgotten
    assert last.out.endswith(", 1 RETAINED; 0 in need of somebody\n"), last.out
    assert 0 == last.code
    assert ["kept"] == [asked["stack"] for asked in place.api.objects.values()]


def test_the_stacks_id_is_taken_where_the_ledgers_is_forgotten(place):
    """
    After DIFFERS, and what it says to do, the next Update and the Delete go by the stack's id.
    """
    two_ids(place, "again")
    stack, differs = place.stack("again"), place.audit()["again"]
    remove_by_hand(place, "again")
    before = stack.resources["Thing"]
    told = place.follow(differs, *BY_HAND)
    forgotten = place.audit()
    stack.update(place.template(Size="huge"))
    (made,) = things_of(place, "again")
    after, updated = stack.resources["Thing"], place.audit()
    stack.delete()

    assert ("DIFFERS", "by-hand-1", made) == (differs["kind"], before, after)
    assert 0 == told.code, told
    assert "again" not in {**forgotten, **updated}
    assert [] == things_of(place, "again")


def things_of(place, *stacks):
    return [thing for thing, asked in place.api.objects.items() if asked["stack"] in stacks]


def remove_by_hand(place, *stacks):
    for thing in things_of(place, *stacks):
        place.api.delete(thing)


def status_of(place, name):
    (stack,) = place.cloudformation.describe_stacks(StackName=name)["Stacks"]
    return stack["StackStatus"]
