"""
The ways back, end to end: a function of a local AWS that sends its event to itself, and gets it.

Its role may do what docs/continuations.md prints, and no more. Scheduler looks every ten seconds
there for what is due, and knows every schedule by the default group where it enforces IAM.
"""

import json
import re
import sys
import time

import pytest

from support.lambda_zip import lambda_zip
from support.ministack import REGION, ROOT
from support.requests_of_cloudformation import recorded

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs" / "continuations.md").read_text()
ACCOUNT = "000000000000"
PATIENCE = 40  # seconds; Scheduler takes up to twelve of them
HOPS = """
import json, os, time, boto3
from cfn_once._lambda.continuation_services import open_continuation

continuation = open_continuation(os.environ["CFN_ONCE_CONTINUATION"])

def handler(event, context):
    if "Records" in event:
        event = json.loads(event["Records"][0]["body"])
    told = {"event": event, "time": time.time(), "function": context.invoked_function_arn}
    if event["Hops"]:
        try:
            send({**event, "Hops": event["Hops"] - 1}, context.invoked_function_arn)
        except Exception as error:
            told["error"] = f"{type(error).__name__}: {error}"
    inbox = boto3.client("sqs")
    inbox.send_message(QueueUrl=os.environ["INBOX"], MessageBody=json.dumps(told))

def send(event, function):
    for _ in range(event["Copies"]):
        # Scheduler is told of a time that is near: its clock is ours of half a minute ago.
        now = time.time() - event["Ago"]
        continuation.send(event, event["CfnOnceDue"], now=now, function=function)
"""
ROLE = f"arn:aws:iam::{ACCOUNT}:role/hops-wakes"
KINDS = {
    "scheduler": ("EventBridge Scheduler", f"scheduler://default?role={ROLE}"),
    "sqs": ("SQS", f"sqs://sqs.{REGION}.amazonaws.com/{ACCOUNT}/hops-sqs"),
    "lambda": ("The function itself", "lambda://self"),
}
ACTION = {
    "scheduler": "scheduler:CreateSchedule",
    "sqs": "sqs:SendMessage",
    "lambda": "lambda:InvokeFunction",
}


def printed(kind, function):
    """The statements that the page prints for the function's role."""
    section = PAGE.partition(f"\n## {KINDS[kind][0]}\n")[2].partition("\n## ")[0]
    names = {
        "REGION": REGION,
        "ACCOUNT": ACCOUNT,
        "GROUP": "default",
        "SCHEDULER_ROLE": "hops-wakes",
        "FUNCTION_ARN": function,
        "QUEUE": "hops-sqs",
    }
    for name, value in names.items():
        section = re.sub(rf"\b{name}\b", value, section)
    return json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0])


class Function:
    """A deployed function that sends its event to itself, and tells of each that it gets."""

    def __init__(self, aws, kind):
        self.kind, self._sqs, self._lambda = kind, aws.client("sqs"), aws.client("lambda")
        self._iam, self.name = aws.client("iam"), f"hops-{kind}"
        self.inbox = self._sqs.create_queue(QueueName=f"{self.name}-inbox")["QueueUrl"]
        trust = {"Service": "lambda.amazonaws.com"}
        role = self._iam.create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps({"Statement": [{"Principal": trust}]}),
        )["Role"]["Arn"]
        inbox = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}-inbox"
        self._allow("inbox", [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": inbox}])
        self.arn = self._lambda.create_function(
            FunctionName=self.name,
            Runtime=f"python3.{sys.version_info.minor}",
            Role=role,
            Handler="hops.handler",
            Timeout=30,
            Code={"ZipFile": lambda_zip({"hops.py": HOPS})},
            Environment={
                "Variables": {"CFN_ONCE_CONTINUATION": KINDS[kind][1], "INBOX": self.inbox}
            },
        )["FunctionArn"]

    def allow(self):
        """Let its role do what the page prints."""
        self._allow("page", printed(self.kind, self.arn))

    def forbid(self):
        self._iam.delete_role_policy(RoleName=self.name, PolicyName="page")

    def send(self, **options):
        """Send it a Create with a wait, and return that."""
        event = {"Hops": 1, "Copies": 1, "Ago": 0, "CfnOnceDue": time.time() + 4, **options}
        event = {**recorded("create"), "RequestId": str(time.time()), **event}
        payload = json.dumps(event)
        self._lambda.invoke(FunctionName=self.arn, InvocationType="Event", Payload=payload)
        return event

    def told(self, wanted):
        """What it told of so many runs, the first one first."""
        told, over = [], time.monotonic() + PATIENCE
        while len(told) < wanted and time.monotonic() < over:
            answer = self._sqs.receive_message(
                QueueUrl=self.inbox, MaxNumberOfMessages=10, WaitTimeSeconds=2
            )
            for message in answer.get("Messages", []):
                receipt = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=receipt)
                told.append(json.loads(message["Body"]))
        return sorted(told, key=lambda line: line["time"])

    def _allow(self, name, statements):
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=policy)


@pytest.fixture(scope="module")
def functions(aws):
    """One function for each way, none of which may do anything yet."""
    aws.client("sqs").create_queue(QueueName="hops-sqs", Attributes={"VisibilityTimeout": "60"})
    made = {kind: Function(aws, kind) for kind in KINDS}
    made["sqs"].allow()
    aws.client("lambda").create_event_source_mapping(
        FunctionName="hops-sqs",
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:hops-sqs",
        BatchSize=1,
    )
    return made


@pytest.fixture
def function(functions, kind):
    """The function of a kind, with the page's permissions."""
    functions[kind].allow()
    return functions[kind]


def schedules(aws, function):
    """The schedules that are to invoke a function."""
    there = aws.client("scheduler").list_schedules(NamePrefix="cfn-once-")["Schedules"]
    return [schedule for schedule in there if schedule["Target"]["Arn"] == function.arn]


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_comes_back(aws, function, kind):
    """
    What the page allows is enough for the whole event to come back to the very function, once it
    is due where something waits with it, and once for copies that wait for the same moment.
    """
    scheduled = kind == "scheduler"

    sent = function.send(Copies=2 if scheduled else 1, Ago=30 if scheduled else 0)
    told = function.told(1)
    waiting = schedules(aws, function)
    first, second = told + function.told(2 - len(told))

    assert sent == first["event"]
    assert {**sent, "Hops": 0} == second["event"]
    assert {function.arn} == {first["function"], second["function"]}
    assert "error" not in first
    assert kind == "lambda" or sent["CfnOnceDue"] <= second["time"]
    assert ((1 if scheduled else 0), 0) == (len(waiting), len(schedules(aws, function)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_page_allows_is_needed(function, kind):
    """
    Without it nothing comes back, and what is missing is told by its name.
    """
    function.forbid()

    function.send()
    (told,) = function.told(1)

    assert told["error"].startswith("ContinuationRefused: ")
    assert f"let the function's role call {ACTION[kind]}" in told["error"]
    assert "X-Amz-Signature" not in told["error"]


@pytest.mark.parametrize("kind", ["lambda"])
def test_a_loop_is_ended(aws, function):
    """
    Lambda ends a function that goes on invoking itself, and the way out of that is told; with
    RecursiveLoop: Allow it goes on.
    """
    functions = aws.client("lambda")

    function.send(Hops=20)
    ended = function.told(16)
    functions.put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
    function.send(Hops=20)
    allowed = function.told(21)

    assert 16 == len(ended)
    assert "set RecursiveLoop: Allow on the function" in ended[-1]["error"]
    assert 21 == len(allowed)
    assert [] == [invocation["error"] for invocation in allowed if "error" in invocation]
