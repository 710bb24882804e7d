"""
What the tables say of AWS operations, held against every service that botocore knows.

A new botocore brings operations that these tests name: decide each by its text, in
`aws_operations.py` or in the lists below.
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

import cfn_once
from cfn_once._cloudformation.identity import Token
from cfn_once._steps import aws_operations as tables
from cfn_once._steps.aws import token_for, token_member
from cfn_once._steps.aws_codec import to_record
from cfn_once._steps.aws_operations import is_gone, repetition_of, window_of
from cfn_once._steps.call import Repetition
from support.kept import kept

TOKEN = Token(bytes(range(100, 132)))
SECRET = "hunter" + "22"

# Named like a token, and none: a paging or optimistic lock's token ends otherwise.
LIKE_A_TOKEN = re.compile(
    r"(Client|client|AmznClient|ClientRequest|clientRequest|Idempotency|idempotency|UniqueRequest"
    r"|Creation|creation|Request)Token|(Caller)Reference|CreatorRequestId|uniqueId|bootstrapId"
)
NO_TOKENS = {
    "cloudcontrol.CancelResourceRequest": "names the request to cancel",
    "cloudformation.RecordHandlerProgress": "is for CloudFormation's own tool",
    "codepipeline.AcknowledgeThirdPartyJob": "proves who asks",
    "codepipeline.PutThirdPartyJobFailureResult": "proves who asks",
    "codepipeline.PutThirdPartyJobSuccessResult": "proves who asks",
    "codestar-notifications.Subscribe": "is a paging token, by its text",
    "glue.BatchPutDataQualityStatisticAnnotation": "promises nothing",
    "s3.WriteGetObjectResponse": "names the request that is answered",
    "workspaces.RejectAccountLinkInvitation": "names the invitation, by its text",
}
ONLY_CORRELATES = "greengrass"  # its AmznClientToken: "used to correlate requests and responses"

# Errors with status 404 that say something else, or too much else.
NOT_GONE = {"LimitExceededException", "ResourceUnavailableException"} | {
    "UnauthorizedResourceAccessException"
}


@dataclass(frozen=True)
class Known:
    """What the sweep keeps of one operation."""

    service: str
    operation: str
    repetition: Repetition
    trait: str | None
    member: str | None
    sent: str | None
    limits: Mapping[str, Any]
    refused: bool
    token_like: list[str]
    errors: list[tuple[str, int | None]]
    leaks: bool
    hides: bool

    @property
    def name(self) -> str:
        return f"{self.service}.{self.operation}"


def sample(shape: Any, depth: int = 0, *, secret: bool = False) -> Any:
    """Return a value of a shape whose every sensitive part bears the secret."""
    secret = secret or bool(shape.metadata.get("sensitive"))
    if shape.type_name == "structure" and depth < 8:
        return {
            name: sample(member, depth + 1, secret=secret) for name, member in shape.members.items()
        }
    if shape.type_name == "list" and depth < 8:
        return [sample(shape.member, depth + 1, secret=secret)]
    if shape.type_name == "map" and depth < 8:
        hidden = secret or bool(shape.key.metadata.get("sensitive"))
        key = SECRET if hidden else "key"
        return {key: sample(shape.value, depth + 1, secret=secret)}
    return SECRET if secret else "plain"


def known(service: str, operation: OperationModel) -> Known:
    member = token_member(service, operation)
    inputs, output = operation.input_shape, operation.output_shape
    repetition = repetition_of(service, operation.name, {}, takes_token=member is not None)
    sent, limits, refused = None, {}, False
    if member is not None:
        sent, limits = token_for(inputs.members[member], TOKEN), inputs.members[member].metadata
        problems = ParamValidator().validate({member: sent}, inputs).generate_report()
        refused = f"parameter {member}," in problems
    text, hidden = "", False
    if repetition is not Repetition.READ and output is not None:
        value = sample(output)
        hidden = SECRET in json.dumps(value)
        text = json.dumps(to_record(value, output)) if hidden else ""
    return Known(
        service=service,
        operation=operation.name,
        repetition=repetition,
        trait=next(iter(operation.idempotent_members), None),
        member=member,
        sent=sent,
        limits=limits,
        refused=refused,
        token_like=[
            name
            for name, shape in (inputs.members if inputs is not None else {}).items()
            if shape.type_name == "string" and LIKE_A_TOKEN.fullmatch(name)
        ],
        errors=[
            (
                shape.error_code or shape.name,
                (shape.metadata.get("error") or {}).get("httpStatusCode"),
            )
            for shape in operation.error_shapes
        ],
        leaks=SECRET in text,
        hides=hidden,
    )


class Descriptions(JSONFileLoader):
    """botocore's files as plain dicts, which takes half the time of its ordered ones."""

    def load_file(self, file_path: str) -> Any:
        for ending, opener in ((".json", open), (".json.gz", gzip.open)):
            if Path(file_path + ending).is_file():
                with opener(file_path + ending, "rb") as file:
                    return json.load(file)
        return None


def sweep() -> Iterator[Known]:
    loader = Loader(file_loader=Descriptions())
    for service in loader.list_available_services("service-2"):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in model.operation_names:
            yield known(service, model.operation_model(name))


@pytest.fixture(scope="module")
def operations() -> list[Known]:
    """Every operation of the newest version of every service, swept once a botocore and tables."""
    package = Path(cfn_once.__file__).parent
    sources = [Path(__file__), *package.glob("_steps/*.py"), *package.glob("_cloudformation/*.py")]
    return kept("operations", botocore.__version__, sources, lambda: list(sweep()))


def names(operations, repetition):
    return {operation.name for operation in operations if operation.repetition is repetition}


def test_every_operation_is_of_one_kind(operations):
    """
    Every operation of AWS is a read, takes a token, may be repeated, or is called once.
    """
    repetitions = Counter(operation.repetition for operation in operations)
    print(f"{len(operations)} operations: {dict(repetitions)}")

    assert len(operations) >= 20_000
    assert set(Repetition) == set(repetitions)
    assert repetitions[Repetition.TOKEN] >= 1_700


def test_every_token_fits(operations):
    """
    Each member that takes a token gets a form that its length, its pattern and botocore allow.
    """
    forms = Counter(len(operation.sent) for operation in operations if operation.sent)
    wrong = [
        operation.name
        for operation in operations
        if operation.sent and not allows(operation.limits, operation.sent)
    ]

    assert [] == wrong
    assert not any(operation.refused for operation in operations)
    assert {36, 32, 64} == set(forms)
    assert {"acm.PutAccountConfiguration", "acm.RequestCertificate", "cloudhsm.CreateHsm"} == {
        operation.name for operation in operations if operation.sent and len(operation.sent) == 32
    }
    assert ["config.StartResourceEvaluation"] == [
        operation.name for operation in operations if operation.sent and len(operation.sent) == 64
    ]


def allows(limits, text):
    try:
        matches = re.fullmatch(limits.get("pattern", ".*"), text) is not None
    except re.error:  # no Python pattern: nothing is known
        matches = True
    return limits.get("min", 0) <= len(text) <= limits.get("max", len(text)) and matches


def test_every_trait_is_heard(operations):
    """
    An operation that bears the trait takes a token, unless it only reads.
    """
    deaf = {
        operation.name
        for operation in operations
        if operation.trait and operation.repetition is not Repetition.TOKEN
    }

    assert len([operation for operation in operations if operation.trait]) >= 1_530
    assert {
        "bedrock-agentcore.GetAgentCard",
        "emr-containers.GetManagedEndpointSessionCredentials",
        "fsx.DescribeFileSystemAliases",
        "wickr.BatchLookupUserUname",
    } == deaf


def test_every_token_without_the_trait_is_decided(operations):
    """
    What is named like a token and bears no trait is in the table, or known to be none.
    """
    undecided = [
        f"{operation.name}: {name}"
        for operation in operations
        for name in operation.token_like
        if operation.repetition is not Repetition.READ
        and operation.trait is None
        and name != tables.TOKEN_MEMBERS.get(operation.name)
        and operation.name not in NO_TOKENS
        and operation.service != ONLY_CORRELATES
    ]

    assert [] == undecided


def test_reads_take_no_token(operations):
    """
    Nothing is ever put into a read.
    """
    assert [] == [
        operation.name
        for operation in operations
        if operation.repetition is Repetition.READ and operation.member
    ]
    assert "efs.DescribeFileSystems" in names(operations, Repetition.READ)


def test_no_table_speaks_of_what_there_is_not(operations):
    """
    Every entry of a table names an operation, changes what the rule says, and stands in one table.
    """
    there = {operation.name: operation for operation in operations}
    services = {operation.service for operation in operations}
    listed = [
        *tables.NOT_READS,
        *tables.MORE_READS,
        *tables.NOT_REPEATED,
        *tables.MORE_REPEATED,
        *tables.SETTERS,
        *tables.REPEATED_WHERE,
        *tables.TOKEN_MEMBERS,
    ]

    assert [] == sorted(name for name in listed if name not in there)
    assert [] == [name for name, number in Counter(listed).items() if number > 1]
    assert [] == [n for n in tables.WINDOWS if n not in there and n not in services]
    for name, adoption in tables.ADOPTED.items():
        service = there[name].service
        assert adoption.code in dict(there[name].errors), name
        assert f"{service}.{adoption.look_up}" in names(operations, Repetition.READ), name
    for name in tables.NOT_READS:
        assert tables._READS.match(there[name].operation), name
    for name in tables.MORE_READS:
        assert not tables._READS.match(there[name].operation), name
    for name in tables.NOT_REPEATED:
        assert tables._REPEATED.match(there[name].operation), name
        assert there[name].repetition is not Repetition.AT_WILL, name
    for name in [*tables.MORE_REPEATED, *tables.SETTERS]:
        assert not tables._REPEATED.match(there[name].operation), name
        assert there[name].repetition is Repetition.AT_WILL, name
    for name, member in tables.TOKEN_MEMBERS.items():
        assert (there[name].trait, there[name].member) == (None, member), name


# Verbs that no read has. A read under one of them has been looked at, and is in MORE_READS.
ACTS = re.compile(
    r"(Accept|Add|Allocate|Apply|Associate|Attach|Authorize|Cancel|Checkout|Checkpoint|Complete"
    r"|Confirm|Copy|Create|Delete|Deregister|Detach|Disable|Disassociate|Enable|Execute|Export"
    r"|Import|Initiate|Invoke|Issue|Listen|Modify|Poll|Post|Publish|Purchase|Put|Reboot|Receive"
    r"|Register|Reject|Release|Remove|Request|Reset|Restore|Revoke|Run|Send|Set|Signal|SignUp|Start"
    r"|Stop|Submit|Tag|Terminate|Transact(Write)|Untag|Update|Upload)(?=[A-Z0-9]|$)"
)


def test_reads_change_nothing(operations):
    """
    No operation is passed through that its name says to act: whole words count, not beginnings.
    """
    reads = names(operations, Repetition.READ)
    acting = [
        operation
        for operation in operations
        if operation.repetition is Repetition.READ and ACTS.match(operation.operation)
    ]

    assert [] == acting
    assert not reads & {
        "acm-pca.IssueCertificate",
        "cloudformation.SignalResource",
        "cognito-idp.SignUp",
        "cognito-identity.GetId",
        "license-manager.CheckInLicense",
        "license-manager.CheckoutLicense",
        "lambda.CheckpointDurableExecution",
        "sqs.ReceiveMessage",
        "stepfunctions.GetActivityTask",
        "stepfunctions.TestState",
        "dynamodb.TransactWriteItems",
        "swf.PollForActivityTask",
    }
    assert reads > {
        "dynamodb.BatchGetItem",
        "dynamodb.Query",
        "dynamodb.Scan",
        "dynamodb.TransactGetItems",
        "ecr.GetAuthorizationToken",
        "kms.Decrypt",
        "kms.GenerateDataKey",
        "s3.HeadObject",
        "secretsmanager.GetSecretValue",
        "sts.AssumeRole",
        "sts.GetCallerIdentity",
        "verifiedpermissions.IsAuthorized",
    }


# Puts that are named like those that add, and set the one thing of their name.
SETS_BY_NAME = {
    "codeguru-reviewer.PutRecommendationFeedback",
    "cognito-sync.SetCognitoEvents",
    "config.PutEvaluations",
    "config.PutExternalEvaluation",
    "ecr-public.PutRegistryCatalogData",
    "ecr-public.PutRepositoryCatalogData",
    "pinpoint-sms-voice-v2.PutMessageFeedback",
}


def test_what_adds_something_each_time_is_not_repeated(operations):
    """
    A second call of what is repeated adds no record, message, event, version or commit.
    """
    repeated = names(operations, Repetition.AT_WILL)
    adding = re.compile(
        r"(Put|Set)\w*(Event|Events|Record|Records|RecordBatch|MetricData|Segments|Feedback|Result"
        r"|Session|Image|Batch|Message|Metadata|Interactions|Data|Evaluations?|Step)$"
    )
    suspects = {name for name in repeated if adding.match(name.partition(".")[2])}

    assert SETS_BY_NAME == suspects
    assert not repeated & {
        "dynamodb.UpdateItem",
        "ec2.AttachVolume",
        "events.PutEvents",
        "firehose.PutRecordBatch",
        "kinesis.PutRecords",
        "cloudwatch.PutMetricData",
        "logs.PutLogEvents",
        "sns.Publish",
        "sqs.SendMessage",
        "lambda.UpdateFunctionCode",
        "ssm.PutParameter",
    }
    assert repeated > {
        "dynamodb.PutItem",
        "ec2.CreateTags",
        "ec2.TerminateInstances",
        "events.PutRule",
        "iam.AttachRolePolicy",
        "iam.PutRolePolicy",
        "s3.DeleteObject",
        "s3.PutBucketPolicy",
        "s3.PutObject",
        "sqs.SetQueueAttributes",
        "sqs.TagQueue",
    }


@pytest.mark.parametrize(
    ("service", "operation", "asked", "expected"),
    [
        ("ssm", "PutParameter", {"Overwrite": True}, Repetition.AT_WILL),
        ("ssm", "PutParameter", {"Overwrite": False}, Repetition.ONCE),
        ("ssm", "PutParameter", {}, Repetition.ONCE),
        ("dynamodb", "PutItem", {"Item": {}}, Repetition.AT_WILL),
        (
            "dynamodb",
            "PutItem",
            {"ConditionExpression": "attribute_not_exists(pk)"},
            Repetition.ONCE,
        ),
        ("dynamodb", "DeleteItem", {"Expected": {}}, Repetition.ONCE),
        ("s3", "PutObject", {"IfNoneMatch": "*"}, Repetition.ONCE),
        (
            "route53",
            "ChangeResourceRecordSets",
            {"ChangeBatch": {"Changes": [{"Action": "UPSERT"}]}},
            Repetition.AT_WILL,
        ),
        (
            "route53",
            "ChangeResourceRecordSets",
            {"ChangeBatch": {"Changes": [{"Action": "UPSERT"}, {"Action": "CREATE"}]}},
            Repetition.ONCE,
        ),
        ("route53", "ChangeResourceRecordSets", {"ChangeBatch": "wrong"}, Repetition.ONCE),
        ("acm", "UpdateCertificateOptions", {"Options": {"Export": "ENABLED"}}, Repetition.AT_WILL),
        (
            "acm",
            "UpdateCertificateOptions",
            {"Options": {"Export": "ENABLED", "ValidationMethod": "DNS"}},
            Repetition.ONCE,
        ),
        ("acm", "UpdateCertificateOptions", {}, Repetition.ONCE),
    ],
)
def test_calls_that_their_members_decide(service, operation, asked, expected):
    """
    Where a call says that it overwrites, it is repeated; where it sets a condition, it is not.
    """
    assert expected == repetition_of(service, operation, asked)


@pytest.mark.parametrize("name", tables.SETTERS)
def test_what_a_setter_says_of_itself(name):
    """
    A setter is repeated because its service's model says what it sets; a newer text is read anew.
    """
    service, _, operation = name.partition(".")
    loader = Loader()
    model = loader.load_service_model(service, "service-2")
    called = ServiceModel(model, service).operation_model(operation)
    texts = [called.documentation, *(m.documentation for m in called.input_shape.members.values())]

    assert tables.SETTERS[name] in " ".join(re.sub(r"\s+", " ", plain(text)) for text in texts)


def plain(text):
    return re.sub("<[^>]+>", "", text)


def test_windows():
    """
    A window is the operation's, else its service's, else ten minutes.
    """
    assert 60 == window_of("mediaconvert", "CreateJob")
    assert 300 == window_of("codebuild", "StartBuild")
    assert 24 * 3600 == window_of("ec2", "RunInstances")
    assert 600 == window_of("ec2", "CreateVolume")


def test_nothing_sensitive_is_kept(operations):
    """
    No record of any operation holds what its model marks sensitive, however deep it lies.
    """
    assert [] == [operation.name for operation in operations if operation.leaks]
    assert len([operation for operation in operations if operation.hides]) >= 850


def test_what_is_gone(operations):
    """
    Every error of a removal that comes with 404 or 410 says that the thing is gone, or is listed.
    """
    missed = {
        code
        for operation in operations
        for code, status in operation.errors
        if operation.operation.startswith("Delete")
        and status in (404, 410)
        and not is_gone(operation.service, operation.operation, code)
    }

    assert NOT_GONE == missed


@pytest.mark.parametrize(
    ("code", "operation", "expected"),
    [
        ("NoSuchEntity", "DeleteRole", True),
        ("NoSuchBucket", "DeleteBucket", True),
        ("ResourceNotFoundException", "DeleteSecret", True),
        ("InvalidGroup.NotFound", "DeleteSecurityGroup", True),
        ("InvalidInstanceID.NotFound", "TerminateInstances", True),
        ("NatGatewayNotFound", "DeleteNatGateway", True),
        ("DBInstanceNotFoundFault", "DeleteDBInstance", True),
        ("QueueDoesNotExist", "DeleteQueue", True),
        ("AWS.SimpleQueueService.NonExistentQueue", "DeleteQueue", True),
        ("WAFNonexistentItemException", "DeleteWebACL", True),
        ("ServerSideEncryptionConfigurationNotFoundError", "DeleteBucketEncryption", True),
        ("GoneException", "DeleteConnection", True),
        ("404", "DeleteObject", True),
        ("NoSuchBucket", "PutBucketVersioning", True),
        ("KMSNotFoundException", "StopDurableExecution", False),
        ("ServiceLinkedRoleNotFoundFault", "DeleteCluster", False),
        ("SubnetNotFound", "CreateMountTarget", False),
        ("ResourceNotFoundException", "CreateService", False),
        ("ResourceNotFoundException", "RunTask", False),
        ("AccessDenied", "DeleteRole", False),
        ("DeleteConflict", "DeleteRole", False),
        ("ValidationError", "DeleteStack", False),
        ("NotFoundButNotReally", "DeleteThing", False),
    ],
)
def test_codes_of_what_is_gone(code, operation, expected):
    """
    Not found counts as gone for what changes or removes a thing, not for what needs another one.
    """
    assert expected == is_gone("any", operation, code)


def test_a_service_that_tells_it_in_words():
    """
    Auto Scaling says in words alone that a group is not there.
    """
    text = "AutoScalingGroup name not found - AutoScalingGroup 'web' not found"

    assert is_gone("autoscaling", "DeleteAutoScalingGroup", "ValidationError", text)
    assert not is_gone("autoscaling", "DeleteAutoScalingGroup", "ValidationError", "2 errors")
