"""What cfn-lint cannot know of the templates: what the ledger and the answers depend on."""

import inspect
import re
from fnmatch import fnmatchcase
from itertools import chain
from typing import NamedTuple
from urllib.parse import parse_qsl

import pytest
from cfnlint.decode import decode

from cfn_once._hooks.effects import Effects
from cfn_once._lambda.continuation_services import Scheduler
from cfn_once.ledger import open_store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.namespace import Namespace
from support.ministack import ROOT


def template(name):
    read, problems = decode(str(ROOT / "templates" / f"{name}.yaml"))

    assert not problems
    return read


@pytest.fixture(scope="module")
def table():
    return template("ledger")["Resources"]["Table"]


@pytest.fixture(scope="module")
def provider():
    return template("provider")


@pytest.fixture(scope="module")
def resources(provider):
    return provider["Resources"]


class Table:
    """An empty table that keeps what it is asked for."""

    def get_item(self, **asked):
        self.key = asked["Key"]
        return {}


def statements(role):
    """The statements of a role's inline policies, by the policies' names, optional ones too."""
    found = {}
    for policy in role["Properties"]["Policies"]:
        shown = policy["Fn::If"][1] if "Fn::If" in policy else policy
        found[shown["PolicyName"]] = shown["PolicyDocument"]["Statement"]
    return found


def actions(statement):
    asked = statement["Action"]
    return {asked} if isinstance(asked, str) else set(asked)


def test_the_ledger_outlives_its_stack(table):
    """
    Neither a deleted stack, nor a replaced table, nor a slip of the hand takes the ledger away.
    """
    properties = table["Properties"]

    assert ("Retain", "Retain") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])
    assert properties["DeletionProtectionEnabled"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert "TableName" not in properties


def test_the_table_is_the_one_that_the_store_expects(table):
    """
    The store's keys are the table's, both text, and what it lets expire has the table's TTL name.
    """
    asked = Table()
    DynamoDBStore("ledger", client=asked).read("resource")
    properties = table["Properties"]
    keys = {key["KeyType"]: key["AttributeName"] for key in properties["KeySchema"]}
    kinds = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in properties["AttributeDefinitions"]
    }

    assert {"pk": {"S": "resource"}, "sk": {"S": "H"}} == asked.key
    assert ({"HASH": "pk", "RANGE": "sk"}, {"pk": "S", "sk": "S"}) == (keys, kinds)
    assert {"AttributeName": "ttl", "Enabled": True} == properties["TimeToLiveSpecification"]
    assert "PAY_PER_REQUEST" == properties["BillingMode"]


def test_a_key_of_ones_own_is_told_to_the_provider(table):
    """
    Under a customer-managed key the ledger's URL says that it keeps secrets; else it does not. A
    namespace can follow either.
    """
    has_key, with_key, without = template("ledger")["Outputs"]["LedgerUrl"]["Value"]["Fn::If"]
    encryption = table["Properties"]["SSESpecification"]["Fn::If"]

    assert ("HasKey", {"Fn::Sub": "dynamodb://${Table}?keeps_secrets=true"}) == (has_key, with_key)
    assert {"Fn::Sub": "dynamodb://${Table}?keeps_secrets=false"} == without
    assert {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KeyArn"}} == (
        encryption[1]
    )
    assert {"Ref": "AWS::NoValue"} == encryption[2]


@pytest.mark.parametrize("role", ["Role", "GuardianRole"])
def test_a_role_may_do_what_the_code_does_and_no_more(resources, role):
    """
    The ledger's actions are exactly those that the store calls on the way of an event, on its table
    alone: a scan is for operators.
    """
    source = inspect.getsource(DynamoDBStore).replace(inspect.getsource(DynamoDBStore.page), "")
    called = re.findall(r"self\._ask\(\s*\"(\w+)\"", source)
    needed = {f"dynamodb:{operation}" for operation in called}
    (ledger,) = statements(resources[role])["ledger"]

    assert needed - {"dynamodb:Scan"} == actions(ledger)
    assert {"Fn::ImportValue": {"Fn::Sub": "${LedgerStackName}-TableArn"}} == ledger["Resource"]


NO_VALUE = {"Ref": "AWS::NoValue"}
TOKEN_OF_THE_PROVIDER = "${ProviderStackName}-ServiceToken"
STACK = {
    "AWS::StackName": "shop-provider",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
}
EXPORTS = {"cfn-once-ledger-LedgerUrl": "dynamodb://ledger?keeps_secrets=true"}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:"


class Deployed:
    """The provider's template as a stack with some parameters would have it."""

    def __init__(self, provider, **parameters):
        self._provider, self._known = (
            provider,
            {
                **{name: pair.get("Default") for name, pair in provider["Parameters"].items()},
                **STACK,
                **parameters,
            },
        )

    def value(self, asked, **names):
        """Return what CloudFormation makes of a value."""
        if not isinstance(asked, dict):
            return asked
        ((function, given),) = asked.items()
        match function, given:
            case "Ref", _:
                return self._known[given]
            case "Fn::If", [condition, then, otherwise]:
                return self.value(then if self.holds(condition) else otherwise)
            case "Fn::ImportValue", _:
                return EXPORTS[self.value(given)]
            case "Fn::Sub", [text, variables]:
                values = {name: self.value(variable) for name, variable in variables.items()}
                return self.value({"Fn::Sub": text}, **values)
            case "Fn::Sub", text:
                return re.sub(
                    r"\$\{(.+?)\}", lambda found: {**self._known, **names}[found[1]], text
                )

    def holds(self, condition):
        """Tell whether a condition of the template holds: each asks for what is not empty."""
        ((equals,),) = [self._provider["Conditions"][condition]["Fn::Not"]]
        return self.value(equals["Fn::Equals"][0]) != equals["Fn::Equals"][1]

    def variables(self, function):
        """Return the environment of a function."""
        named = self._provider["Resources"][function]["Properties"]["Environment"]["Variables"]
        return {name: self.value(named[name]) for name in named if name in GIVEN}

    def name(self):
        return self.value(self._provider["Resources"]["Function"]["Properties"]["FunctionName"])

    def leading_keys(self, role):
        """Return the pattern of the keys that a role may touch in the ledger."""
        (ledger,) = statements(self._provider["Resources"][role])["ledger"]
        return self.value(ledger["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])


GIVEN = ("CFN_ONCE_LEDGER", "CFN_ONCE_GUARDS")
NAMED = [
    ({}, "shop-provider", "shop-provider"),
    ({"FunctionName": "shop"}, "shop", "shop"),
    ({"FunctionName": "shop", "Namespace": "the.shop"}, "shop", "the.shop"),
    ({"Namespace": "the.shop"}, "shop-provider", "the.shop"),
]


@pytest.mark.parametrize(("parameters", "function", "namespace"), NAMED)
def test_a_provider_has_a_namespace_of_its_own(provider, parameters, function, namespace):
    """
    The function's name unless another one is given, in the URL of function and guardian alike.
    """
    deployed = Deployed(provider, **parameters)
    url = f"dynamodb://ledger?keeps_secrets=true&namespace={namespace}"

    assert function == deployed.name()
    assert [url, url] == [deployed.variables(name)[GIVEN[0]] for name in ("Function", "Guardian")]


@pytest.mark.parametrize("role", ["Role", "GuardianRole"])
@pytest.mark.parametrize(("parameters", "function", "namespace"), NAMED)
def test_a_role_may_touch_its_namespace_alone(
    provider, monkeypatch, role, parameters, function, namespace
):
    """
    Whatever the code asks the table for is under the leading key that the role has; what it would
    ask for in another namespace, or in none, is not.
    """
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")  # as Lambda does
    deployed, table = Deployed(provider, **parameters), Table()
    pattern = deployed.leading_keys(role)
    url = deployed.variables("Function")["CFN_ONCE_LEDGER"]
    options = dict(parse_qsl(url.partition("?")[2]))
    store = open_store(url, in_lambda=True, allow_local=False)

    keys = []
    for name in (options["namespace"], "", f"{namespace}2", "x", "r"):
        Namespace(DynamoDBStore("ledger", client=table), name).read("rcorrelation")
        keys.append(table.key["pk"]["S"])

    assert isinstance(store, Namespace)
    assert [True, False, False, False, False] == [fnmatchcase(key, pattern) for key in keys]
    assert not set(pattern.removesuffix("/*")) & set("*?")


def test_the_guardian_guards_its_own_function(provider):
    """
    The guardian is told of its function, and of the dead-letter queue that may lie between them.
    """
    guards = Deployed(provider).variables("Guardian")["CFN_ONCE_GUARDS"].split(",")
    transports, problems = decode(str(ROOT / "docs/templates/transports.yaml"))
    named = transports["Resources"]["Failed"]["Properties"]["QueueName"]["Fn::Sub"][0]
    queue = "arn:aws:sqs:eu-west-1:123456789012:shop-provider-failed"

    assert [f"{FUNCTION}shop-provider", queue] == guards
    assert not problems
    assert "${Function}-failed" == named


KMS = {"kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"}
EC2 = {
    f"ec2:{action}"
    for action in (
        "CreateNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "DeleteNetworkInterface",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
}


class Asks(NamedTuple):
    """Why a role has a policy: its actions, and who asks for them, in the words that say so."""

    actions: set[str]
    who: str
    words: tuple[str, ...]


STORE, SCHEDULER = "the store", "the scheduler"
ITEMS = {f"dynamodb:{name}" for name in ("GetItem", "PutItem", "UpdateItem")}
LOG = Asks({"logs:CreateLogStream", "logs:PutLogEvents"}, "Function", ("'LogGroup'",))
CALLS = {
    ("Role", "ledger"): Asks(ITEMS, STORE, ('"GetItem"', '"PutItem"', '"UpdateItem"')),
    ("Role", "log"): LOG,
    ("Role", "continuation"): Asks(
        {"scheduler:CreateSchedule", "iam:PassRole"}, SCHEDULER, ('"create_schedule"', '"RoleArn"')
    ),
    ("Role", "continuation-key"): Asks(KMS, SCHEDULER, ('"KmsKeyArn"',)),
    ("Role", "vpc"): Asks(EC2, "Function", ("'SubnetIds'",)),
    ("Role", "guardian"): Asks(
        {"lambda:InvokeFunction"}, "EventInvokeConfig", ("'Fn::GetAtt': ['Guardian', 'Arn']",)
    ),
    ("Role", "ledger-key"): Asks({"kms:Decrypt"}, "Table", ("'KMSMasterKeyId'",)),
    ("Role", "secret"): Asks({"secretsmanager:GetSecretValue"}, "a hook", ("def client(",)),
    ("GuardianRole", "ledger"): Asks(ITEMS, STORE, ('"GetItem"',)),
    ("GuardianRole", "log"): LOG,
    ("GuardianRole", "ledger-key"): Asks({"kms:Decrypt"}, "Table", ("'KMSMasterKeyId'",)),
    ("GuardianRole", "unhandled"): Asks(
        {"sqs:SendMessage"}, "GuardianInvokeConfig", ("'Fn::GetAtt': ['Unhandled', 'Arn']",)
    ),
    ("SchedulerPolicy", "bring-back"): Asks(
        {"lambda:InvokeFunction", "sqs:SendMessage", "kms:Decrypt"},
        SCHEDULER,
        ('"Arn": function', '"DeadLetterConfig"', '"KmsKeyArn"'),
    ),
}


def who_asks(who, resources, table):
    """The text of whoever asks: code of ours, or what a template has a service do."""
    code = {STORE: DynamoDBStore, SCHEDULER: Scheduler, "a hook": Effects}
    if who in code:
        return inspect.getsource(code[who])
    return str(table if who == "Table" else resources[who])


def test_every_permission_has_a_call(resources, table):
    """
    Whatever a role may do is asked for by code of ours, or by a service that the template tells to;
    and no role has a policy besides.
    """
    found = {
        (role, name): set().union(*map(actions, shown))
        for role in ("Role", "GuardianRole")
        for name, shown in statements(resources[role]).items()
    }
    bring_back = resources["SchedulerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    shown = [
        statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in bring_back
    ]
    found["SchedulerPolicy", "bring-back"] = set().union(*map(actions, shown))

    assert {key: asks.actions for key, asks in CALLS.items()} == found
    assert [] == [
        (key, word)
        for key, asks in CALLS.items()
        for word in asks.words
        if word not in who_asks(asks.who, resources, table)
    ]


@pytest.mark.parametrize("role", ["Role", "GuardianRole"])
def test_a_role_is_least_and_whole(resources, role):
    """
    Everything a role may do names what it is about, and stands in the role itself: a policy of its
    own may be gone when the last Delete comes. What hooks call is added by ARN, where asked for.
    """
    found = statements(resources[role])
    of_whom = [
        statement["Resource"]
        for statement in chain.from_iterable(
            allowed for name, allowed in found.items() if name != "vpc"
        )
    ]  # a function in a VPC may ask EC2 for nothing less than everything
    of_their_own = [resource for resource in resources.values() if "Policy" in resource["Type"]]
    managed = resources[role]["Properties"].get("ManagedPolicyArns")
    asked_for = {"Fn::If": ["HasManagedPolicies", {"Ref": "ManagedPolicyArns"}, NO_VALUE]}

    assert "*" not in of_whom
    assert (asked_for if role == "Role" else None) == managed
    assert [[{"Ref": "SchedulerRole"}]] == [
        policy["Properties"]["Roles"] for policy in of_their_own
    ]


def test_hooks_that_wait_come_back(resources):
    """
    The function may make what the continuation makes, in its own group, under a role that may
    invoke it and do nothing else.
    """
    called = re.search(r'"(create_\w+)"', inspect.getsource(Scheduler))[1]
    make, hand_on = statements(resources["Role"])["continuation"]
    bring_back = resources["SchedulerPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    url = resources["Function"]["Properties"]["Environment"]["Variables"]["CFN_ONCE_CONTINUATION"]

    assert {"create_schedule": "scheduler:CreateSchedule"}[called] == make["Action"]
    assert make["Resource"]["Fn::Sub"].endswith(":schedule/${Waits}/cfn-once-*")
    assert ({"Fn::GetAtt": ["SchedulerRole", "Arn"]}, "iam:PassRole") == (
        hand_on["Resource"],
        hand_on["Action"],
    )
    assert "lambda:InvokeFunction" == bring_back["Action"]
    assert url["Fn::If"][2]["Fn::Sub"].startswith("scheduler://${Waits}?role=${SchedulerRole.Arn}")


def test_a_key_is_used_through_its_service_alone(resources):
    """
    A role may use a customer's key where DynamoDB or Scheduler asks on its behalf, and nobody may
    hand the role that brings events back to another service.
    """
    policies = statements(resources["Role"])
    policies["guardian's"] = statements(resources["GuardianRole"])["ledger-key"]
    _, hand_on = policies["continuation"]
    through = {
        name: policies[name][0]["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Sub"]
        for name in ("ledger-key", "continuation-key", "guardian's")
    }
    service = "{}.${{AWS::Region}}.${{AWS::URLSuffix}}".format

    assert {
        "ledger-key": service("dynamodb"),
        "continuation-key": service("scheduler"),
        "guardian's": service("dynamodb"),
    } == through
    assert {"iam:PassedToService": "scheduler.amazonaws.com"} == hand_on["Condition"][
        "StringEquals"
    ]


def test_what_is_ones_own_is_used(resources):
    """
    A key for the log, one for events that wait, and a VPC: each is used where it is given.
    """
    function = resources["Function"]["Properties"]
    url = function["Environment"]["Variables"]["CFN_ONCE_CONTINUATION"]["Fn::If"]
    vpc = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    key = resources["LogGroup"]["Properties"]["KmsKeyId"]

    assert ["HasLogKey", {"Ref": "LogKeyArn"}, NO_VALUE] == key["Fn::If"]
    assert "HasContinuationKey" == url[0]
    assert url[1]["Fn::Sub"] == url[2]["Fn::Sub"] + "&key=${ContinuationKeyArn}"
    assert ["IsInVpc", vpc, NO_VALUE] == function["VpcConfig"]["Fn::If"]


def test_scheduler_acts_for_its_group_alone(resources):
    """
    The role that brings events back cannot be assumed for schedules of another group or account.
    """
    (trust,) = resources["SchedulerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    condition = trust["Condition"]

    assert {"aws:SourceAccount": {"Ref": "AWS::AccountId"}} == condition["StringEquals"]
    assert condition["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(":schedule-group/${Waits}")


def test_what_is_lost_is_kept_or_told(resources):
    """
    An event that Scheduler gives up goes to the queue of the unhandled; each place where a service
    may lose one has an alarm, on the metric and the thing that it is lost from.
    """
    url = resources["Function"]["Properties"]["Environment"]["Variables"]["CFN_ONCE_CONTINUATION"]
    alarms = {
        (
            alarm["Properties"]["Namespace"],
            alarm["Properties"]["MetricName"],
            alarm["Properties"]["Dimensions"][0]["Value"].get("Ref"),
        ): alarm["Properties"]
        for alarm in resources.values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
    }
    lost = {
        ("AWS/Scheduler", "InvocationDroppedCount", "Waits"),
        ("AWS/Lambda", "DestinationDeliveryFailures", "Function"),
        ("AWS/Lambda", "DestinationDeliveryFailures", "Guardian"),
    }

    for form in url["Fn::If"][1:]:
        assert "&dead_letters=${Unhandled.Arn}" in form["Fn::Sub"]
    assert lost <= set(alarms)
    assert {0} == {alarms[key]["Threshold"] for key in lost}
    assert ["HasAlarmTopic"] * 3 == [alarms[key]["AlarmActions"]["Fn::If"][0] for key in lost]


def test_a_queues_visibility_timeout_covers_its_function(provider):
    """
    Lambda refuses a mapping of a queue whose messages come again while its function may still work:
    each queue outlasts the function that works it off, across the two templates.
    """
    transports, _ = decode(str(ROOT / "docs/templates/transports.yaml"))
    provided, defaults = provider["Resources"], transports["Parameters"]
    functions = {"Ref": "Guardian"}, {"Fn::ImportValue": {"Fn::Sub": TOKEN_OF_THE_PROVIDER}}
    longest = [
        provided["Guardian"]["Properties"]["Timeout"],
        provider["Parameters"]["Timeout"]["Default"],
    ]
    checked = []
    for mapping in transports["Resources"].values():
        if mapping["Type"] != "AWS::Lambda::EventSourceMapping":
            continue
        source = mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]
        waits = transports["Resources"][source]["Properties"]["VisibilityTimeout"]
        waits = defaults[waits["Ref"]]["Default"] if isinstance(waits, dict) else waits
        number = functions.index(mapping["Properties"]["FunctionName"])
        checked.append((source, waits > longest[number]))

    assert [("Queue", True), ("Failed", True)] == checked


ARNS = {
    "kms": "arn:aws:kms:eu-west-1:123456789012:key/1234",
    "sns": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "secretsmanager": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spot-AbCdEf",
    "iam": "arn:aws:iam::aws:policy/ReadOnlyAccess",
}
TEMPLATES = [*ROOT.glob("templates/*.yaml"), ROOT / "docs/templates/transports.yaml"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_parameters_that_are_arns_have_a_form(path):
    """
    A name, an alias or another service's ARN is refused before anything is made.
    """
    parameters = decode(str(path))[0].get("Parameters", {})
    for name, parameter in parameters.items():
        if not name.endswith(("Arn", "Arns")):
            continue
        fits = re.compile(parameter["AllowedPattern"]).fullmatch
        taken = [service for service, arn in ARNS.items() if fits(arn)]

        assert fits("")
        assert 1 == len(taken), name
        assert [] == [text for text in ("spot", "alias/aws/sns", "arn:aws:s3:::b") if fits(text)]


def of_type(resources, resource_type):
    return [resource for resource in resources.values() if resource["Type"] == resource_type]


def test_a_topic_sends_for_itself_alone():
    """
    No other topic, and nobody else, may invoke the function or send to the queue.
    """
    resources = decode(str(ROOT / "docs/templates/transports.yaml"))[0]["Resources"]
    topic = {"Ref": "Topic"}
    (invoke,) = of_type(resources, "AWS::Lambda::Permission")
    (queue,) = of_type(resources, "AWS::SQS::QueuePolicy")
    (send,) = queue["Properties"]["PolicyDocument"]["Statement"]

    assert ("sns.amazonaws.com", topic) == (
        invoke["Properties"]["Principal"],
        invoke["Properties"]["SourceArn"],
    )
    assert {"Service": "sns.amazonaws.com"} == send["Principal"]
    assert [{"aws:SourceArn": topic}] == list(send["Condition"].values())


URLS = ["http://127.0.0.1:8080", "https://api.example.com/v1/"]
WITH_KEYS = ["https://me:key@api.example.com", "https://api.example.com?key=1", "key"]


def test_what_a_function_is_told_of_its_api(provider):
    """
    The URL is one that holds no key, since parameters and variables are no secrets; the secret is
    told by its ARN. Each variable is there only where its parameter is given.
    """
    fits = re.compile(provider["Parameters"]["ApiUrl"]["AllowedPattern"]).fullmatch
    told = provider["Resources"]["Function"]["Properties"]["Environment"]["Variables"]

    assert ["", *URLS] == [text for text in ("", *URLS, *WITH_KEYS) if fits(text)]
    assert ["HasApiUrl", {"Ref": "ApiUrl"}, NO_VALUE] == told["API_URL"]["Fn::If"]
    assert ["HasSecret", {"Ref": "SecretArn"}, NO_VALUE] == told["SECRET_ARN"]["Fn::If"]
    assert "SECRET_ARN" not in str(provider["Resources"]["Guardian"])


def test_a_topic_is_encrypted():
    """
    What CloudFormation publishes holds a URL that is a secret: under SNS's key, or one's own.
    """
    topic = decode(str(ROOT / "docs/templates/transports.yaml"))[0]["Resources"]["Topic"]
    key = topic["Properties"]["KmsMasterKeyId"]

    assert ["HasTopicKey", {"Ref": "TopicKeyArn"}, "alias/aws/sns"] == key["Fn::If"]


def test_the_variant_for_sam(provider):
    """
    It is the provider's template, but for where its code comes from.
    """
    variant = template("provider-sam")
    packed = ("CodeBucket", "CodeKey")
    wanted = {name: what for name, what in provider["Parameters"].items() if name not in packed}
    for name in ("Function", "Guardian"):
        function = variant["Resources"][name]
        function["Properties"]["Code"] = provider["Resources"][name]["Properties"]["Code"]

        assert "." == function["Properties"].pop("CodeUri")
        assert "AWS::Serverless::Function" == function["Type"]
        function["Type"] = "AWS::Lambda::Function"

    assert "AWS::Serverless-2016-10-31" == variant["Transform"]
    assert wanted == variant["Parameters"]
    for section in ("Conditions", "Resources", "Outputs"):
        assert provider[section] == variant[section]


def test_the_bucket_of_artifacts():
    """
    Nobody else reads it, not even in passing; nothing in it is ever lost to a rollback, and it is
    called what it likes.
    """
    resources = template("artifacts")["Resources"]
    bucket, properties = resources["Bucket"], resources["Bucket"]["Properties"]
    (deny,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (encrypted,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KeyArn"}}

    assert ("Retain", "Retain") == (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"])
    assert {True} == set(properties["PublicAccessBlockConfiguration"].values())
    assert {"Status": "Enabled"} == properties["VersioningConfiguration"]
    assert ["HasKey", by, {"SSEAlgorithm": "AES256"}] == (
        encrypted["ServerSideEncryptionByDefault"]["Fn::If"]
    )
    assert ("Deny", "*", "s3:*") == (deny["Effect"], deny["Principal"], deny["Action"])
    assert {"Bool": {"aws:SecureTransport": "false"}} == deny["Condition"]
    assert "BucketName" not in properties
    assert "ExpirationInDays" not in str(properties["LifecycleConfiguration"])


def test_the_guardian_has_time_and_a_way_out(resources):
    """
    It is asked while CloudFormation still waits, can wait until the dead function is over for
    certain, and is in no VPC.
    """
    guardian = resources["Guardian"]["Properties"]
    config = resources["EventInvokeConfig"]["Properties"]

    assert "VpcConfig" not in guardian
    assert 900 == guardian["Timeout"]
    assert config["MaximumEventAgeInSeconds"] + 120 <= 3600


def test_what_is_optional_is_off_unless_asked_for(provider):
    """
    On AWS, answers go nowhere but to CloudFormation, and a role reads neither keys nor secrets.
    """
    defaults = {name: pair.get("Default") for name, pair in provider["Parameters"].items()}
    variables = provider["Resources"]["Function"]["Properties"]["Environment"]["Variables"]

    assert ["", "", ""] == [
        defaults[name] for name in ("ResponseHosts", "LedgerKeyArn", "SecretArn")
    ]
    assert ["HasResponseHosts", {"Ref": "ResponseHosts"}, {"Ref": "AWS::NoValue"}] == variables[
        "CFN_ONCE_RESPONSE_HOSTS"
    ]["Fn::If"]


def test_the_time_for_an_event(provider):
    """
    120 seconds unless said otherwise, and never the less than 30 that cfn-once refuses.
    """
    timeout = provider["Parameters"]["Timeout"]

    assert {"Ref": "Timeout"} == provider["Resources"]["Function"]["Properties"]["Timeout"]
    assert (120, 30) == (timeout["Default"], timeout["MinValue"])


def test_an_event_comes_three_times_and_is_not_lost_then(resources):
    """
    Lambda tries again twice; what failed for good is the guardian's, whom Lambda tries three times
    as well, and then it lies in an encrypted queue for two weeks.
    """
    queue = resources["Unhandled"]
    ways = {}
    for name in ("EventInvokeConfig", "GuardianInvokeConfig"):
        retries = resources[name]["Properties"]
        destination = retries["DestinationConfig"]["OnFailure"]["Destination"]
        ways[retries["FunctionName"]["Ref"]] = destination["Fn::GetAtt"]

        assert (2, "$LATEST") == (retries["MaximumRetryAttempts"], retries["Qualifier"])

    assert {"Function": ["Guardian", "Arn"], "Guardian": ["Unhandled", "Arn"]} == ways
    assert 14 * 24 * 3600 == queue["Properties"]["MessageRetentionPeriod"]
    assert queue["Properties"]["SqsManagedSseEnabled"]


def test_a_log_is_kept_for_a_time_and_not_for_ever(resources):
    """
    The log group is the stack's own, made before the function writes to it, and forgets.
    """
    function = resources["Function"]["Properties"]

    assert {"LogGroup": {"Ref": "LogGroup"}} == function["LoggingConfig"]
    assert 90 == resources["LogGroup"]["Properties"]["RetentionInDays"]


@pytest.mark.parametrize("name", ["ledger", "provider"])
def test_what_another_stack_refers_to(name):
    """
    Exports carry their stack's name, so that an account can hold two of each.
    """
    exports = [
        value["Export"]["Name"]["Fn::Sub"]
        for value in template(name)["Outputs"].values()
        if "Export" in value
    ]

    assert exports
    assert all(export.startswith("${AWS::StackName}-") for export in exports)


def test_a_resource_finds_its_provider():
    """
    The name that a resource imports is the one that its provider exports, and there is time for
    three tries and Lambda's pauses of one and two minutes.
    """
    (thing,) = template("resource")["Resources"].values()
    export = template("provider")["Outputs"]["ServiceToken"]["Export"]["Name"]["Fn::Sub"]
    imported = thing["Properties"]["ServiceToken"]["Fn::ImportValue"]["Fn::Sub"]

    assert export.replace("${AWS::StackName}", "${ProviderStackName}") == imported
    assert 3 * 120 + 60 + 120 < int(thing["Properties"]["ServiceTimeout"])
