"""A stack through its change set: what is shown, agreed to, refused, and left when it stopped."""

from datetime import UTC, datetime
from itertools import count

import pytest

from cfn_once.cli.cloud.artifacts import artifacts
from cfn_once.cli.cloud.aws import Aws, Refusal
from cfn_once.cli.cloud.stacks import StackPlan, Stacks
from cfn_once.cli.cloud.templates import parameters_in, template, with_policies
from cfn_once.cli.console import Console, Exit, Stop
from cfn_once.testing.clock import VirtualClock
from support.host import Host, Status
from support.shell import write

ABSENT = "Stack with id web does not exist"
WEB = StackPlan("web", "Resources: {}\nParameters:\n  Size: {}\n", {"Name": "a"})
CHANGE = {"Action": "Modify", "LogicalResourceId": "Thing", "ResourceType": "AWS::SNS::Topic"}


class FakeAws:
    """One stack in CloudFormation, as far as the command asks for it.

    Attributes:
        statuses: What the stack is at, each time that somebody looks; the last one stays.
        change_set: What becomes of a change set, with its reason.
        asked: The operations that changed something.
    """

    def __init__(self, *statuses, change_set=("CREATE_COMPLETE", "")):
        self.statuses, self.change_set = list(statuses), change_set
        self.asked, self.events = [], count(1)

    def ask(self, service, operation, *, on, **members):
        assert (service, on) == ("cloudformation", "the stack web")
        if not operation.startswith("describe"):
            self.asked.append((operation, members))
            return {}
        return getattr(self, operation)()

    def describe_stacks(self):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise Refusal(ABSENT, "ValidationError")
        names = ("Name", "Size", "Gone")
        return {
            "Stacks": [
                {
                    "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/web/2",
                    "StackStatus": status,
                    "Parameters": [{"ParameterKey": name} for name in names],
                }
            ]
        }

    def describe_change_set(self):
        status, reason = self.change_set
        replaced = {**CHANGE, "Replacement": "True"}
        return {
            "Status": status,
            "StatusReason": reason,
            "Changes": [{"ResourceChange": replaced}],
        }

    def describe_stack_events(self):
        number = next(self.events)
        event = {
            "EventId": str(number),
            "Timestamp": datetime(2026, 11, 27, 7, 43, number % 60, tzinfo=UTC),
            "ResourceStatus": "UPDATE_IN_PROGRESS",
            "LogicalResourceId": "Thing",
        }
        return {"StackEvents": [event]}

    @property
    def operations(self):
        return [operation for operation, _ in self.asked]


def stacks(aws, *, agree=True, clock=None):
    return Stacks(aws, Console(), clock or VirtualClock(), agree=lambda _: agree)


def test_an_update(capsys):
    """
    Changes are shown with what they replace, then each event; parameters keep their values.
    """
    aws = FakeAws("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")

    assert stacks(aws).change(WEB)

    (create, members), (execute, _) = aws.asked
    lines = capsys.readouterr().out.splitlines()
    assert ("create_change_set", "execute_change_set") == (create, execute)
    assert "UPDATE" == members["ChangeSetType"]
    assert [
        {"ParameterKey": "Name", "ParameterValue": "a"},
        {"ParameterKey": "Size", "UsePreviousValue": True},
    ] == members["Parameters"]  # a parameter that the template has no more is dropped
    assert "  ~ Thing                    AWS::SNS::Topic, replaced" in lines
    assert "      a new one is made, and then the old one is deleted" in lines
    assert "  07:43:02Z  UPDATE_IN_PROGRESS           Thing" in lines


@pytest.mark.parametrize("status", ["", "CREATE_COMPLETE"])
def test_a_change_that_changes_nothing(status, capsys):
    """
    It is success, and its change set does not stay, nor a stack that was made for it.
    """
    reason = "The submitted information didn't contain changes. Submit different information"
    aws = FakeAws(status, "REVIEW_IN_PROGRESS" if not status else status)
    aws.change_set = ("FAILED", reason)

    assert not stacks(aws).change(WEB)

    assert {"": "delete_stack", "CREATE_COMPLETE": "delete_change_set"}[status] in aws.operations
    assert "web: no changes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ROLLBACK_COMPLETE", "it can only be deleted.*cfn-once deploy --delete --stack web"),
        ("ROLLBACK_FAILED", "cfn-once deploy --delete --stack web"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name web"),
        ("DELETE_FAILED", "what could not be deleted"),
        ("UPDATE_IN_PROGRESS", "web is UPDATE_IN_PROGRESS: wait for its end"),
        ("DELETE_IN_PROGRESS", "wait for its end"),
    ],
)
def test_a_stack_that_cannot_be_changed(status, advice):
    """
    Nothing is asked for, and whoever called learns what to do.
    """
    aws = FakeAws(status)
    with pytest.raises(Stop, match=advice) as stop:
        stacks(aws).change(WEB)

    assert Exit.FOUND == stop.value.code
    assert [] == aws.asked


@pytest.mark.parametrize(
    ("ended", "advice"),
    [
        ("ROLLBACK_COMPLETE", "its creation failed"),
        ("UPDATE_ROLLBACK_COMPLETE", "it is as it was before"),
    ],
)
def test_a_change_that_fails(ended, advice):
    """
    The end of the stack is the end of the verb, with what to do next.
    """
    with pytest.raises(Stop, match=f"web ended in {ended}: {advice}"):
        stacks(FakeAws("CREATE_COMPLETE", ended)).change(WEB)


def test_a_change_that_is_refused():
    """
    CloudFormation's reason is told, and the change set is taken away.
    """
    aws = FakeAws("CREATE_COMPLETE", change_set=("FAILED", "Export x is imported by y"))
    with pytest.raises(Stop, match="refuses the change: Export x is imported by y"):
        stacks(aws).change(WEB)

    assert ["create_change_set", "delete_change_set"] == aws.operations


@pytest.mark.parametrize("file", ["stack.yaml", ""])
def test_a_template_that_is_broken(file):
    """
    CloudFormation's words about a template of the user's stand behind the name of its file.
    """
    words = "CreateChangeSet on the stack web: Template format error: not well-formed (line 3)"
    aws = Refusing("create_change_set", Refusal(words, "ValidationError"), "CREATE_COMPLETE")
    with pytest.raises(Refusal) as refused:
        stacks(aws).change(WEB._replace(file=file))

    assert (f"{file}: {words}" if file else words) == str(refused.value)


class Interrupted(VirtualClock):
    """Ctrl-C, while somebody waits."""

    def sleep(self, seconds, *, polling=False):
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_new", [True, False])
def test_control_c_before_anything_is_changed(is_new):
    """
    A change set that is not agreed to yet is taken away, with the stack that was made for it.
    """
    statuses = ["", "REVIEW_IN_PROGRESS"] if is_new else ["CREATE_COMPLETE"]
    aws = FakeAws(*statuses, change_set=("CREATE_PENDING", ""))
    with pytest.raises(KeyboardInterrupt):
        stacks(aws, clock=Interrupted()).change(WEB)

    taken = "delete_stack" if is_new else "delete_change_set"
    assert ["create_change_set", taken] == aws.operations


def test_a_stack_that_somebody_reviews():
    """
    A stack that was made for somebody else's change set stays; our change set does not.
    """
    aws = FakeAws("REVIEW_IN_PROGRESS")
    with pytest.raises(Stop, match="was not changed"):
        stacks(aws, agree=False).change(WEB)

    assert ["create_change_set", "delete_change_set"] == aws.operations
    assert "CREATE" == aws.asked[0][1]["ChangeSetType"]


def test_nobody_agrees():
    """
    Without a yes nothing is changed, and nothing is left.
    """
    aws = FakeAws("CREATE_COMPLETE")
    with pytest.raises(Stop, match="was not changed"):
        stacks(aws, agree=False).change(WEB)

    assert ["create_change_set", "delete_change_set"] == aws.operations


def test_control_c_while_it_changes():
    """
    What CloudFormation has begun goes on there, and that is said.
    """
    aws = FakeAws("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    with pytest.raises(Stop, match="CloudFormation goes on with web") as stop:
        stacks(aws, clock=Interrupted()).change(WEB)

    assert Exit.INTERRUPTED == stop.value.code
    assert ["create_change_set", "execute_change_set"] == aws.operations


class Refusing(FakeAws):
    """Answers one operation with an error, or with Ctrl-C, whether or not it begins."""

    def __init__(self, operation, error, *statuses):
        super().__init__(*statuses)
        self.operation, self.error = operation, error

    def ask(self, service, operation, *, on, **members):
        if operation == self.operation:
            raise self.error
        return super().ask(service, operation, on=on, **members)


DENIED_HERE = Stop("these credentials may not do it")


@pytest.mark.parametrize("error", [DENIED_HERE, KeyboardInterrupt()])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_change_that_does_not_begin(is_new, error):
    """
    What was agreed to and cannot be begun leaves no change set, nor a stack that was made for it.
    """
    statuses = ["", "REVIEW_IN_PROGRESS"] if is_new else ["CREATE_COMPLETE"]
    aws = Refusing("execute_change_set", error, *statuses)
    with pytest.raises(type(error)):
        stacks(aws).change(WEB)

    taken = "delete_stack" if is_new else "delete_change_set"
    assert ["create_change_set", taken] == aws.operations


ENDS = {"execute_change_set": "UPDATE_IN_PROGRESS", "describe_stack_events": "CREATE_IN_PROGRESS"}


@pytest.mark.parametrize(
    ("error", "code"), [(DENIED_HERE, Exit.UNKNOWN), (KeyboardInterrupt(), Exit.INTERRUPTED)]
)
@pytest.mark.parametrize("operation", ENDS)
def test_a_change_that_nobody_can_follow(operation, error, code):
    """
    It may begin although its answer is lost, or its events may not be read: that it goes on is
    said, and what it works on is not taken away.
    """
    before = "" if operation == "describe_stack_events" else "CREATE_COMPLETE"
    aws = Refusing(operation, error, before, ENDS[operation])
    with pytest.raises(Stop, match=r"CloudFormation goes on with web\. Call again") as stop:
        stacks(aws).change(WEB)

    assert code == stop.value.code
    assert not {"delete_stack", "delete_change_set"} & set(aws.operations)


def test_a_delete_that_is_interrupted():
    """
    Ctrl-C while it is asked for: it goes on, and that is said.
    """
    aws = Refusing("delete_stack", KeyboardInterrupt(), "CREATE_COMPLETE", "DELETE_IN_PROGRESS")
    with pytest.raises(Stop, match="CloudFormation goes on with web") as stop:
        stacks(aws).delete("web")

    assert Exit.INTERRUPTED == stop.value.code


def answering(status, body=b"", **headers):
    return Host(Status(status, headers=headers, body=body))


@pytest.fixture
def environment(monkeypatch):
    """An AWS that listens here: each service at the place that the test gives it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return monkeypatch.setenv


def test_a_bucket_of_somebody_else(environment):
    """
    S3 says of a foreign bucket only that it is forbidden; the message names the account.
    """
    with answering(403) as s3:
        environment("AWS_ENDPOINT_URL_S3", s3.url)
        aws = Aws()
        aws.account = "123456789012"
        with pytest.raises(Stop, match="theirs is not of this account, 123456789012") as stop:
            artifacts(aws, stacks(aws), "theirs")

    (asked,) = s3.received
    assert "123456789012" == asked.headers["x-amz-expected-bucket-owner"]
    assert Exit.UNKNOWN == stop.value.code


def test_an_object_that_may_not_be_read(environment):
    """
    The permission is named as a policy names it, which is not the name of the operation.
    """
    with answering(403) as s3:
        environment("AWS_ENDPOINT_URL_S3", s3.url)
        with pytest.raises(Stop, match="may not s3:GetObject on s3://ours/key"):
            Aws().ask("s3", "head_object", on="s3://ours/key", Bucket="ours", Key="key")


DENIED = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform:"
    " cloudformation:DescribeStacks on resource: arn:aws:cloudformation:eu-west-1:123456789012"
    ":stack/web/* because no identity-based policy allows it"
)
ANSWERS = {
    ("AccessDenied", DENIED): r"may not cloudformation:DescribeStacks on arn:aws:\S+:stack/web/\*",
    ("AccessDenied", "Access Denied"): "may not cloudformation:DescribeStacks on the stack web:",
    ("ExpiredToken", "The security token is expired"): r"not valid \(ExpiredToken\): set AWS_PROF",
    ("ValidationError", "1 error"): "cloudformation:DescribeStacks on the stack web: 1 error",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_aws_refuses(answer, environment):
    """
    Which action on what is not allowed, or what is wrong with the credentials.
    """
    code, said = answer
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{said}</Message></Error>"
    with answering(403, f"{body}</ErrorResponse>".encode()) as cloudformation:
        environment("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation.url)
        with pytest.raises(Stop, match=ANSWERS[answer]) as stop:
            Aws().ask("cloudformation", "describe_stacks", on="the stack web", StackName="web")

    assert "AKIAIOSFODNN7EXAMPLE" not in str(stop.value)
    assert (Exit.FOUND if code == "ValidationError" else Exit.UNKNOWN) == stop.value.code


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Parameters:\n  A:\n    Type: String\n\n  # B:\n  'C' : {Type: String}\nResources:\n",
            "AC",
        ),
        ("\ufeffParameters: # ours\n    A:\n      Type: String\nResources:\n", "A"),
        ("Resources:\n  R:\n    Parameters:\n      A: 1\n", ""),
        ('Resources:\n  R: {}\n"Parameters":\n  A:\n    Default: |\n      Z: 1\n', "A"),
        ('{"Parameters": {"A": {}, "B": {}}, "Resources": {}}', "AB"),
        ('{"Resources": {}}', ""),
        ("Parameters: {A: {Type: String}}\nResources:\n", None),
        ("Parameters:\n  A: {\n    Type: String\n  }\nResources:\n", None),
        (" Parameters:\n  A:\n   Type: String\n Resources:\n", None),
        ("{Parameters: {A: {Type: String}}}", None),
        ("{", None),
        ("{}[]", None),
    ],
)
def test_the_parameters_of_a_template(text, names):
    """
    They are found in a plain template; of another one nothing is said, so that none is refused.
    """
    assert (None if names is None else list(names)) == parameters_in(text)


def test_policies_of_ones_own(tmp_path):
    """
    Each file is a policy of the provider's role, in JSON or in YAML with CloudFormation's tags.
    """
    from cfnlint.decode import decode

    write(
        tmp_path,
        {
            "read-zones.json": '{"Version": "2012-10-17",\n\t"Statement": []}',
            "acm.yaml": "---\nVersion: '2012-10-17'\nStatement:\n  - Effect: Allow\n"
            "    Action: acm:*\n    Resource: !Sub arn:${AWS::Partition}:acm:*\n",
        },
    )
    paths = [str(tmp_path / name) for name in ("read-zones.json", "acm.yaml")]
    made = tmp_path / "made.yaml"
    made.write_text(with_policies(template("provider"), paths))
    role = decode(str(made))[0]["Resources"]["Role"]["Properties"]
    policies = {
        policy["PolicyName"]: policy["PolicyDocument"]
        for policy in role["Policies"]
        if "PolicyName" in policy
    }

    assert {"Version": "2012-10-17", "Statement": []} == policies["hooks-read-zones"]
    (statement,) = policies["hooks-acm"]["Statement"]
    assert {"Fn::Sub": "arn:${AWS::Partition}:acm:*"} == statement["Resource"]


@pytest.mark.parametrize("text", ["{", '{"Effect": "Allow"}', "Effect: Allow\n"])
def test_a_file_that_is_no_policy(text, tmp_path):
    """
    It is refused before anything is asked of AWS.
    """
    write(tmp_path, {"policy": text})
    with pytest.raises(Stop, match=r"no JSON|has no Statement") as stop:
        with_policies(template("provider"), [str(tmp_path / "policy")])

    assert Exit.WRONG_CALL == stop.value.code
