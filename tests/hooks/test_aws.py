"""What `self.client` promises, against an AWS that fails, loses and repeats."""

import io
import logging
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cfn_once import SecretNotKept
from cfn_once._steps.aws import verdict
from cfn_once._steps.aws_codec import from_record, to_record
from cfn_once._steps.call import Verdict
from cfn_once.testing import Crashed
from hooks.fake_aws import refusal, xml
from hooks.planned_host import answer, lost, refused

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
IN_DOUBT = [lost(), refused(), answer(500), answer(500, acts=True), answer(503)]
SECRET = "hunter" + "22"
LABEL = "secretsmanager.CreateSecret"


def sends(aws, **options):
    """A hook that sends one message: nothing tells a second one from a copy of the first."""

    def create(self):
        queue = self.client("sqs", **aws.options, **options)
        return {"Id": queue.send_message(QueueUrl=aws.url, MessageBody="hello")["MessageId"]}

    return create


def makes_secrets(aws, number=1, **options):
    """A hook that makes secrets: the operation takes a token."""

    def create(self):
        secrets = self.client("secretsmanager", **aws.options, **options)
        for n in range(number):
            secrets.create_secret(Name=f"db-{n}")
        self.client("ssm", **aws.options).delete_parameter(Name="done")

    return create


def crashed(cloudformation, **when):
    """Deliver a Create that dies, and the same again; return the answer."""
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, **when)
    return cloudformation.deliver(event)


@pytest.mark.parametrize("plan", IN_DOUBT, ids=repr)
def test_a_call_without_a_token_whose_answer_is_lost(aws, stack, plan):
    """
    Nothing repeats it: neither a step nor botocore by itself. The external API sees one call.
    """
    aws.then(plan)
    cloudformation = stack(sends(aws))
    event = cloudformation.event("Create", "Thing")
    first = cloudformation.deliver(event)

    assert ["SendMessage"] == aws.operations()
    assert "in doubt: step sqs.SendMessage#0" in first.reason
    assert first.body == cloudformation.deliver(event).body


def test_a_call_without_a_token_that_died(aws, stack):
    """
    After a crash it is not made again.
    """
    answered = crashed(stack(sends(aws)), crash_after="sqs.SendMessage")

    assert ["SendMessage"] == aws.operations()
    assert "in doubt" in answered.reason


@pytest.mark.parametrize(
    "plan", [refusal("RequestThrottled"), refusal("ThrottlingException", 503), answer(429)]
)
def test_a_call_that_was_turned_away(aws, stack, plan):
    """
    A throttled call was not acted on: the step makes it again, with or without a token.
    """
    aws.answers["SendMessage"] = {"MessageId": "1"}
    aws.then(plan, plan)

    assert {"Id": "1"} == stack(sends(aws)).create("Thing").data
    assert ["SendMessage"] * 3 == aws.operations()


def test_once_where_a_token_would_allow_more(aws, stack):
    """
    An operation that the hook names in once= is never sent twice.
    """
    aws.then(lost())
    answered = stack(makes_secrets(aws, once={"CreateSecret"})).create("Thing")

    assert ["CreateSecret"] == aws.operations()
    assert "in doubt" in answered.reason


def test_repeat_where_the_list_knows_nothing(aws, stack):
    """
    An operation that the hook names in repeat= is made again at will.
    """
    aws.answers["SendMessage"] = {"MessageId": "1"}
    aws.then(lost())

    assert stack(sends(aws, repeat={"SendMessage"})).create("Thing").succeeded
    assert ["SendMessage"] * 2 == aws.operations()


@pytest.mark.parametrize("plan", IN_DOUBT, ids=repr)
def test_a_call_with_a_token_whose_answer_is_lost(aws, stack, plan):
    """
    It is made again under its token, until it is known what came of it.
    """
    aws.then(plan)

    assert stack(makes_secrets(aws)).create("Thing").succeeded
    assert 1 == aws.effects()
    assert 1 == len({UUID(token) for token in aws.tokens()})


def test_a_call_with_a_token_that_died(aws, stack):
    """
    The next delivery makes it again under the same token; another step has another one.
    """
    answered = crashed(
        stack(makes_secrets(aws, number=2)), crash_after="secretsmanager.CreateSecret"
    )
    first, again, second = aws.tokens()

    assert answered.succeeded
    assert first == again != second


@pytest.mark.parametrize("given", [{}, {"CreationToken": "a name that the hook chose"}])
def test_a_token_that_is_answered_with_an_error(aws, stack, given):
    """
    EFS refuses a token that it knows: under our own, an earlier call of the step made the thing.
    """
    told = {"ErrorCode": "FileSystemAlreadyExists", "FileSystemId": "fs-1", "Message": "there"}
    refused = answer(409, told, x_amzn_errortype="FileSystemAlreadyExists")
    aws.then(lost(), refused)

    def create(self):
        made = self.client("efs", **aws.options).create_file_system(**given)
        return {"Id": made["FileSystemId"], "State": made["LifeCycleState"]}

    def describe(seen):
        token = aws.received[0].json["CreationToken"]
        there = {"FileSystemId": "fs-1", "LifeCycleState": "creating", "CreationToken": token}
        return {"FileSystems": [there]}

    aws.answers["GET /2015-02-01/file-systems?FileSystemId=fs-1"] = describe
    answered = stack(create).create("Thing")

    if given:
        assert "FileSystemAlreadyExists" in answered.reason
    else:
        assert {"Id": "fs-1", "State": "creating"} == answered.data
    assert 2 == len([request for request in aws.received if request.method == "POST"])


def test_a_zone_that_is_refused_a_second_time(aws, stack):
    """
    Route 53 names no zone when it knows a reference: the one that bears ours is looked up.
    """
    zone = "<Name>a.example.</Name><CallerReference>{}</CallerReference>"
    ours, names = "/2013-04-01/hostedzone", "<NameServer>ns-1.example</NameServer>"
    refused = "<Error><Code>HostedZoneAlreadyExists</Code><Message>there</Message></Error>"
    aws.then(lost(), xml(f"<ErrorResponse>{refused}</ErrorResponse>", 409))

    def token():
        return aws.received[0].body.decode().partition("CallerReference>")[2].partition("<")[0]

    def listed(_):
        zones = [("/hostedzone/Z0", "another"), ("/hostedzone/Z1", token())]
        text = "".join(
            f"<HostedZone><Id>{id_}</Id>{zone.format(by)}</HostedZone>" for id_, by in zones
        )
        return xml(f"<Answer><HostedZones>{text}</HostedZones></Answer>")

    def whole(_):
        there = f"<HostedZone><Id>/hostedzone/Z1</Id>{zone.format(token())}</HostedZone>"
        servers = f"<DelegationSet><NameServers>{names}</NameServers></DelegationSet>"
        return xml(f"<Answer>{there}{servers}</Answer>")

    aws.answers[f"GET {ours}sbyname?dnsname=a.example"] = listed
    aws.answers[f"GET {ours}/Z1"] = whole

    def create(self):
        made = self.client("route53", **aws.options).create_hosted_zone(Name="a.example")
        return {"Id": made["HostedZone"]["Id"], "Servers": made["DelegationSet"]["NameServers"]}

    answered = stack(create).create("Thing")

    assert {"Id": "/hostedzone/Z1", "Servers": ["ns-1.example"]} == answered.data
    assert 2 == len([request for request in aws.received if request.method == "POST"])


def test_a_token_by_our_table(aws, stack):
    """
    An operation without the trait gets a token where the table names its member.
    """
    aws.token_member = "clientToken"

    def create(self):
        ecs = self.client("ecs", **aws.options)
        ecs.create_service(serviceName="web", taskDefinition="web")
        ecs.create_service(serviceName="web", taskDefinition="web", clientToken="my own")

    assert stack(create).create("Thing").succeeded

    ours, theirs = aws.tokens()

    assert UUID(ours)
    assert "my own" == theirs


def test_a_filter_that_is_named_like_a_token(aws, stack):
    """
    Nothing is put into a read: there, CreationToken is a filter.
    """
    aws.answers["GET /2015-02-01/file-systems"] = {"FileSystems": []}

    def create(self):
        self.client("efs", **aws.options).describe_file_systems()

    assert stack(create).create("Thing").succeeded
    assert ["/2015-02-01/file-systems"] == [request.target for request in aws.received]


def test_options_are_those_of_boto3(aws, stack):
    """
    What boto3.client takes is passed on, to the client that repeats nothing as well.
    """
    seen = []

    def create(self):
        options = {**aws.options, "aws_access_key_id": "mine"}
        options.pop("region_name", None)
        config = Config(user_agent_extra="team/storage", read_timeout=None)
        queue = self.client(
            "sqs", "ap-south-1", **options, aws_secret_access_key="s", config=config
        )
        queue.list_queues()
        queue.send_message(QueueUrl=aws.url, MessageBody="hello")
        seen.append(queue.meta)

    aws.answers["SendMessage"] = {"MessageId": "1"}

    assert stack(create).create("Thing").succeeded
    assert "ap-south-1" == seen[0].region_name
    assert (5, 60) == (seen[0].config.connect_timeout, seen[0].config.read_timeout)
    for request in aws.received:
        assert "Credential=mine/" in request.headers["authorization"]
        assert "/ap-south-1/sqs/" in request.headers["authorization"]
        assert "team/storage" in request.headers["user-agent"]


@pytest.mark.parametrize("names", [{"repeat": {"send_message"}}, {"once": {"SendMail"}}])
def test_operations_that_there_are_not(aws, stack, names):
    """
    A name in repeat= or once= that the service does not have is an error, not a silence.
    """
    answered = stack(sends(aws, **names)).create("Thing")

    assert "sqs has no operation" in answered.reason
    assert [] == aws.received


def test_a_stream_is_refused_before_it_acts(aws, stack):
    """
    An answer that could not be kept is refused before the call leaves; inside a step it is whole.
    """
    aws.answers["POST /2015-03-31/functions/f/invocations"] = answer(200, b"made", acts=True)

    def create(self):
        self.client("lambda", **aws.options).invoke(FunctionName="f")

    answered = stack(create).create("Thing")

    assert "Invoke answers with a stream, which cannot be kept: call it inside" in answered.reason
    assert [] == aws.received

    def inside(self):
        functions = self.client("lambda", **aws.options)
        made = self.step(
            "invoke", lambda step: functions.invoke(FunctionName="f")["Payload"].read().decode()
        )
        return {"Made": made}

    assert {"Made": "made"} == stack(inside).create("Thing").data


ACCESS_KEY = f"""
<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <CreateAccessKeyResult><AccessKey>
    <UserName>me</UserName><AccessKeyId>AKIA1</AccessKeyId><Status>Active</Status>
    <SecretAccessKey>{SECRET}</SecretAccessKey><CreateDate>2026-01-02T03:04:05Z</CreateDate>
  </AccessKey></CreateAccessKeyResult>
</CreateAccessKeyResponse>"""


@pytest.mark.parametrize(
    "read", [lambda key: key["SecretAccessKey"], lambda key: key.get("SecretAccessKey")]
)
def test_a_secret_in_an_answer(aws, stack, read, caplog):
    """
    What the model marks sensitive is neither kept nor returned: reading it says what to do. At
    DEBUG botocore quotes other answers, and not this one.
    """
    aws.answers["CreateAccessKey"] = xml(ACCESS_KEY)
    seen = []

    def create(self):
        key = self.client("iam", **aws.options).create_access_key(UserName="me")["AccessKey"]
        seen.append((key["AccessKeyId"], key["CreateDate"], key.get("Nothing"), "Nothing" in key))
        self.client("ssm", **aws.options).delete_parameter(Name="done")
        with pytest.raises(KeyError):
            key["Nothing"]
        with pytest.raises(SecretNotKept, match="SecretAccessKey is a secret, and never kept"):
            read(key)

    cloudformation = stack(create)
    with caplog.at_level(logging.DEBUG):
        answered = crashed(cloudformation, crash_before="ssm.DeleteParameter")

    assert answered.succeeded
    assert "OperationModel(name=DeleteParameter)" in caplog.text
    assert [("AKIA1", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None, False)] * 2 == seen
    assert 1 == aws.operations().count("CreateAccessKey")
    assert SECRET not in str(vars(cloudformation.ledger))
    assert SECRET not in caplog.text


def test_a_secret_that_is_stored_where_it_is_made(aws, stack):
    """
    Inside a step the whole answer is there: make and store the secret, return where it is.
    """
    aws.answers["CreateAccessKey"] = xml(ACCESS_KEY)
    aws.answers["CreateSecret"] = {"ARN": ARN}

    def make(step, iam, secrets):
        key = iam.create_access_key(UserName="me")["AccessKey"]
        return secrets.create_secret(Name="db", SecretString=key["SecretAccessKey"])["ARN"]

    def create(self):
        iam, secrets = (
            self.client(service, **aws.options) for service in ("iam", "secretsmanager")
        )
        return {"Arn": self.step("key", lambda step: make(step, iam, secrets))}

    cloudformation = stack(create)

    assert {"Arn": ARN} == cloudformation.create("Thing").data
    assert SECRET == aws.received[1].json["SecretString"]
    assert SECRET not in str(vars(cloudformation.ledger))


def test_what_a_step_has_no_room_for(aws, stack):
    """
    A second call that can neither be repeated nor bear a token is refused before it leaves.
    """
    aws.answers["SendMessage"] = {"MessageId": "1"}

    def both(step, queue):
        for _ in range(2):
            queue.send_message(QueueUrl=aws.url, MessageBody="hello")

    def create(self):
        queue = self.client("sqs", **aws.options)
        self.step("both", lambda step: both(step, queue))

    assert "second mutating call inside one step" in stack(create).create("Thing").reason
    assert ["SendMessage"] == aws.operations()


def test_inside_a_step_botocore_repeats_nothing(aws, stack):
    """
    A step that can be looked up finds what a lost call made, for nobody called again before.
    """
    aws.then(lost())

    def create(self):
        queue = self.client("sqs", **aws.options)
        made = self.step(
            "send",
            lambda step: queue.send_message(QueueUrl=aws.url, MessageBody="hello"),
            find=lambda step: {"MessageId": "found"} if aws.acted else None,
        )
        return {"Id": made["MessageId"]}

    assert {"Id": "found"} == stack(create).create("Thing").data
    assert ["SendMessage"] == aws.operations()


@pytest.mark.parametrize("code", ["ParameterNotFound", "ResourceNotFoundException"])
def test_gone_already_is_done_in_a_delete_hook(aws, stack, code):
    """
    In a delete hook, what is not there is no error; elsewhere it is one.
    """

    def remove(self):
        made = self.client("ssm", **aws.options).delete_parameter(Name="p")
        return {"Status": made["ResponseMetadata"]["HTTPStatusCode"]} and None

    cloudformation = stack(lambda self: None, delete=remove)
    cloudformation.create("Thing")
    aws.then(refusal(code))

    assert cloudformation.delete("Thing").succeeded

    aws.then(refusal(code))

    assert f"({code}) when calling the DeleteParameter" in stack(remove).create("Thing").reason


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("AccessDeniedException", lambda ssm: ssm.delete_parameter(Name="p")),
        ("ParameterNotFound", lambda ssm: ssm.create_document(Content="c", Name="d")),
    ],
)
def test_errors_that_a_delete_hook_gets(aws, stack, code, call):
    """
    Whatever else goes wrong in a delete hook is an error, and so is what a new thing lacks.
    """
    cloudformation = stack(
        lambda self: None, delete=lambda self: call(self.client("ssm", **aws.options))
    )
    cloudformation.create("Thing")
    aws.then(refusal(code))

    assert code in cloudformation.delete("Thing").reason


def test_a_removal_in_a_create_is_not_replayed(aws, stack):
    """
    What a create hook removed before it made something is not removed again by the next delivery.
    """

    def create(self):
        self.client("ssm", **aws.options).delete_parameter(Name="p")
        self.client("secretsmanager", **aws.options).create_secret(Name="p")

    assert crashed(stack(create), crash_before=LABEL).succeeded
    assert ["DeleteParameter", "CreateSecret"] == aws.operations()


def test_a_removal_that_finds_its_own_work_done(aws, stack):
    """
    A delete whose answer was lost and that finds nothing the second time has done its work.
    """
    aws.then(lost(), refusal("ParameterNotFound"))

    def create(self):
        self.client("ssm", **aws.options).delete_parameter(Name="p")

    assert stack(create).create("Thing").succeeded
    assert ["DeleteParameter"] * 2 == aws.operations()


def test_a_replay_raises_the_same_error(aws, stack):
    """
    What AWS refuses for certain raises the same class, text and members in both runs.
    """
    told = {"__type": "InvalidRequestException", "message": "no such key"}
    aws.then(answer(400, {**told, "Detail": "x"}))
    seen = []

    def create(self):
        secrets = self.client("secretsmanager", **aws.options)
        try:
            secrets.create_secret(Name="db")
        except secrets.exceptions.InvalidRequestException as error:
            response = error.response
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            seen.append((str(error), response["Error"], status, error.operation_name))
        self.client("ssm", **aws.options).delete_parameter(Name="done")

    assert crashed(stack(create), crash_before="ssm.DeleteParameter").succeeded

    text = (
        "An error occurred (InvalidRequestException) when calling the CreateSecret operation:"
        " no such key"
    )
    error = {"Message": "no such key", "Code": "InvalidRequestException"}

    assert [(text, error, 400, "CreateSecret")] * 2 == seen
    assert 1 == aws.operations().count("CreateSecret")


def test_an_error_under_the_name_of_an_older_protocol(aws, stack):
    """
    SQS tells the code of its older protocol in a header; the class is found by it, twice.
    """
    code = "AWS.SimpleQueueService.NonExistentQueue;Sender"
    aws.then(
        answer(
            400,
            {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"},
            x_amzn_query_error=code,
        )
    )
    seen = []

    def create(self):
        queue = self.client("sqs", **aws.options)
        try:
            queue.send_message(QueueUrl=aws.url, MessageBody="hello")
        except queue.exceptions.QueueDoesNotExist as error:
            seen.append((type(error).__name__, str(error)))
        self.client("ssm", **aws.options).delete_parameter(Name="done")

    assert crashed(stack(create), crash_before="ssm.DeleteParameter").succeeded
    assert 2 == len(seen)
    assert seen[0] == seen[1]


def test_what_boto3_finds_wrong(aws, stack, caplog):
    """
    A call that boto3 refuses has failed for certain; no value of it is told, for it may be secret.
    """
    seen = []

    def create(self):
        secrets = self.client("secretsmanager", **aws.options)
        try:
            secrets.create_secret(Name=[SECRET, "x\n, type"], SecretString={"a": SECRET})
        except botocore.exceptions.ParamValidationError as error:
            seen.append(str(error))
        self.client("ssm", **aws.options).delete_parameter(Name="done")
        self.client("sqs", **aws.options).send_message(QueueUrl=[SECRET], MessageBody="")

    cloudformation = stack(create)
    with caplog.at_level(logging.INFO):
        answered = crashed(cloudformation, crash_before="ssm.DeleteParameter")

    assert 2 == len(seen)
    assert seen[0] == seen[1]
    assert "Invalid type for parameter Name, type: <class 'list'>, valid types" in seen[0]
    assert "Parameter validation failed" in answered.reason
    assert SECRET not in seen[0] + answered.reason + caplog.text
    assert SECRET not in str(vars(cloudformation.ledger))
    assert ["DeleteParameter"] == aws.operations()


@pytest.mark.parametrize("condition", [{}, {"IfNoneMatch": "*"}], ids=["repeat", "once"])
def test_a_file_is_sent_whole_again(aws, stack, condition):
    """
    A file that is sent a second time is sent from where it began.
    """
    aws.answers["PUT /b/k"] = answer(200, b"")
    aws.then(*[xml("<Error><Code>SlowDown</Code></Error>", 503)] * 4)

    def create(self):
        s3 = self.client("s3", **aws.options)
        s3.put_object(Bucket="b", Key="k", Body=io.BytesIO(b"content"), **condition)

    assert stack(create).create("Thing").succeeded
    assert [b"content"] * 5 == [request.body for request in aws.received]


def test_an_external_api_that_is_not_there(aws, stack):
    """
    When the time is over, a call that found nobody has failed for certain, twice in the same way.
    """
    seen = []

    def create(self):
        queue = self.client("sqs", endpoint_url="http://127.0.0.1:1", region_name="eu-west-1")
        try:
            queue.send_message(QueueUrl="http://127.0.0.1:1/q", MessageBody="hello")
        except botocore.exceptions.EndpointConnectionError as error:
            seen.append(str(error))
        self.client("ssm", **aws.options).delete_parameter(Name="done")

    crashed(stack(create), crash_before="ssm.DeleteParameter")

    assert ['Could not connect to the endpoint URL: "http://127.0.0.1:1/"'] * 2 == seen


def test_a_hook_that_asks_for_something_else(aws, stack):
    """
    A replay with other arguments is refused; of the arguments nothing but a digest is kept.
    """
    values = [SECRET, SECRET + "!"]

    def create(self):
        secrets = self.client("secretsmanager", **aws.options)
        secrets.create_secret(Name="db", SecretString=values.pop(0))
        self.client("ssm", **aws.options).delete_parameter(Name="done")

    cloudformation = stack(create)
    answered = crashed(cloudformation, crash_before="ssm.DeleteParameter")

    assert "step secretsmanager.CreateSecret#0" in answered.reason
    assert SECRET not in str(vars(cloudformation.ledger))


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        datetime(2026, 1, 2),  # noqa: DTZ001 - some services tell none
        b"\x00\xff",
        Decimal("1.10"),
        [1, 2.5, None, True, "text"],
        {"$datetime": "a tag"},
        {"$map": {"$left_out": ["x"]}},
        {"$left_out": ["x"], "$map": {}, "$bytes": b"1"},
        {"deep": [{"$decimal": {"$bytes": [b"x", Decimal(1)]}}]},
    ],
    ids=repr,
)
def test_values_come_back(value):
    """
    What AWS answers comes out of the record as it went in; so does a map that looks like our tags.
    """
    assert {"it": value} == from_record(to_record({"it": value}))


def client_error(code, status):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Anything")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (client_error("InternalError", 500), Verdict.IN_DOUBT),
        (client_error("InternalFailure", 400), Verdict.IN_DOUBT),
        (client_error("InternalServerError", 200), Verdict.IN_DOUBT),
        (client_error("RequestTimeout", 400), Verdict.IN_DOUBT),
        (client_error("RequestTimeoutException", 408), Verdict.IN_DOUBT),
        (client_error("ServiceUnavailable", 503), Verdict.IN_DOUBT),
        (client_error("Unavailable", 400), Verdict.IN_DOUBT),
        (client_error("", 502), Verdict.IN_DOUBT),
        (client_error("Throttling", 400), Verdict.THROTTLED),
        (client_error("TooManyRequestsException", 429), Verdict.THROTTLED),
        (client_error("Whatever", 429), Verdict.THROTTLED),
        (client_error("SlowDown", 503), Verdict.THROTTLED),
        (client_error("EC2ThrottledException", 503), Verdict.THROTTLED),
        (client_error("RequestLimitExceeded", 503), Verdict.THROTTLED),
        (client_error("LimitExceededException", 400), Verdict.DEFINITIVE),  # a quota
        (client_error("ExpiredToken", 400), Verdict.DEFINITIVE),
        (client_error("ExpiredTokenException", 403), Verdict.DEFINITIVE),
        (client_error("RequestExpired", 400), Verdict.DEFINITIVE),
        (client_error("AccessDenied", 403), Verdict.DEFINITIVE),
        (client_error("IdempotentParameterMismatch", 400), Verdict.DEFINITIVE),
        (botocore.exceptions.ParamValidationError(report="x"), Verdict.DEFINITIVE),
        (botocore.exceptions.NoCredentialsError(), Verdict.DEFINITIVE),
        (botocore.exceptions.TokenRetrievalError(provider="p", error_msg="e"), Verdict.DEFINITIVE),
        (botocore.exceptions.UnauthorizedSSOTokenError(), Verdict.DEFINITIVE),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="u"), Verdict.NOT_SENT),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="u"), Verdict.NOT_SENT),
        (botocore.exceptions.ProxyConnectionError(proxy_url="u"), Verdict.NOT_SENT),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="u"), Verdict.IN_DOUBT),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="u"), Verdict.IN_DOUBT),
        (botocore.exceptions.SSLError(endpoint_url="u", error="EOF"), Verdict.IN_DOUBT),
        (
            botocore.exceptions.SSLError(
                endpoint_url="u", error="[SSL: CERTIFICATE_VERIFY_FAILED]"
            ),
            Verdict.DEFINITIVE,
        ),
        (botocore.exceptions.HTTPClientError(error="x"), Verdict.IN_DOUBT),
        (ValueError("a response that nobody can read"), Verdict.IN_DOUBT),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}"[:60],
)
def test_verdicts(error, expected):
    """
    In doubt is what may have been acted on, and whatever is not known for certain.
    """
    assert expected == verdict(error)
