"""
The ways to a provider, end to end: real topics, queues and event source mappings of a local AWS.

    CloudFormation ──► topic ──► function
                         └─────► queue ──► function ──► CloudFormation is told
                                   └──► failed ──► guardian ──────┘
The local CloudFormation takes no topic for a ServiceToken, so the tests publish what it would.
"""

import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from cfn_once.testing import DeployedLambda, FakeApi, FakeCloudFormation, create_event
from support.host import Host, Status
from support.ministack import ROOT
from support.requests_of_cloudformation import target
from support.stacks import Stack

pytestmark = pytest.mark.e2e

TEMPLATE = ROOT / "docs" / "templates" / "transports.yaml"
SUBJECT = "AWS CloudFormation custom resource request"  # of what CloudFormation publishes
TYPE = "Custom::Thing"
AGAIN = 5  # seconds until a message that was not deleted comes again; a run takes a tenth of one
TRIES = 2  # then it is given up
PATIENCE = 60


class Carrier:
    """Takes a request in the place of `boto3.client("lambda")`, and carries it another way."""

    def __init__(self):
        self.send = None

    def invoke(self, *, Payload, **_):
        self.send(Payload.decode())


@pytest.fixture(scope="module")
def api():
    """An external API that makes a thing whenever it is asked to."""
    with FakeApi(tokens=False) as api:
        yield api


@pytest.fixture(scope="module")
def host():
    with Host() as host:
        yield host


@pytest.fixture(scope="module")
def shaky_host():
    with Host() as host:
        yield host


@pytest.fixture(autouse=True)
def forgetful(api, host, shaky_host):
    """What one story told and made is forgotten before the next."""
    api.reset()
    api.listeners.clear()
    host.received.clear()
    shaky_host.received.clear()


@pytest.fixture(scope="module")
def carrier():
    return Carrier()


@pytest.fixture(scope="module")
def cloudformation(carrier):
    # Every copy is answered here, so that however late, each one is waited for.
    things = DeployedLambda("things", carrier, resource_type=TYPE, quiet=PATIENCE)
    with FakeCloudFormation(things) as cloudformation:
        yield cloudformation


@pytest.fixture(scope="module")
def things(aws, deploy, cloudformation, host, shaky_host):
    """A provider's stack, whose function may answer where the tests listen."""
    stack, functions = deploy(Path(__file__).with_name("things.py"), "things"), aws.client("lambda")
    hosts = f"{cloudformation.response_host},{host.name},{shaky_host.name}"
    for name in (stack.resources["Function"], stack.resources["Guardian"]):
        before = functions.get_function_configuration(FunctionName=name)["Environment"]
        variables = {**before["Variables"], "CFN_ONCE_RESPONSE_HOSTS": hosts}
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
    return stack


@pytest.fixture(scope="module")
def topic(aws, things):
    """The stack of a topic before the function."""
    stack = Stack(aws.client("cloudformation"), "things-topic")

    assert "CREATE_COMPLETE" == stack.create(TEMPLATE, ProviderStackName=things.name), stack.reasons
    yield stack

    assert "DELETE_COMPLETE" == stack.delete()


@pytest.fixture(scope="module")
def queue(aws, things):
    """The stack of a topic and a queue, whose messages come again after seconds."""
    stack = Stack(aws.client("cloudformation"), "things-queue")
    status = stack.create(
        TEMPLATE,
        ProviderStackName=things.name,
        Through="queue",
        BatchSize="10",
        **{
            name: things.resources[name]
            for name in ("Role", "Guardian", "GuardianRole", "Unhandled")
        },
    )

    assert "CREATE_COMPLETE" == status, stack.reasons
    come_again(aws, stack.outputs["QueueUrl"], after=AGAIN)
    yield stack

    assert "DELETE_COMPLETE" == stack.delete()


def come_again(aws, url, *, after):
    """Let the messages of a queue come again after seconds, and be given up after TRIES."""
    sqs, name = aws.client("sqs"), "RedrivePolicy"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    policy = {**json.loads(before[name]), "maxReceiveCount": TRIES}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": str(after), name: json.dumps(policy)}
    )


@contextmanager
def idle(aws, mapping):
    """Let an event source mapping rest: what comes in meanwhile lies there for one batch."""
    functions = aws.client("lambda")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def send_at_once(aws, queue, *bodies):
    """Send messages that come in one batch, and return when that was."""
    url = queue.outputs["QueueUrl"]
    wait_until(lambda: not messages(aws, url))
    with idle(aws, queue.resources["Mapping"]):
        began = time.time()
        answer = aws.client("sqs").send_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)],
        )

        assert [] == answer.get("Failed", [])
    return began


def create(api, host, name, **properties):
    """The text of a Create that is answered to a host."""
    event = create_event(name, {"Api": api.url, **properties}, resource_type=TYPE)
    return json.dumps({**event, "ResponseURL": host.url + target(event, time.time())})


def messages(aws, url):
    """How many messages a queue holds, those included that are being worked on."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def received(aws, url):
    """What lies in a queue, and stays there."""
    sqs = aws.client("sqs")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {message["Body"] for message in answer["Messages"]}


def wait_until(holds):
    over = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < over:
        time.sleep(0.1)

    assert holds()


def answers(host):
    """What a host was told, in order, as names and answers."""
    told = [json.loads(request.body) for request in host.received]
    return [(answer["LogicalResourceId"], answer["Status"]) for answer in told]


@pytest.fixture
def through_the_topic(aws, topic):
    sns, arn = aws.client("sns"), topic.outputs["ServiceToken"]
    return lambda text: sns.publish(TopicArn=arn, Subject=SUBJECT, Message=text)


@pytest.fixture
def through_topic_and_queue(aws, queue):
    sns, arn = aws.client("sns"), queue.outputs["ServiceToken"]
    return lambda text: sns.publish(TopicArn=arn, Subject=SUBJECT, Message=text)


@pytest.fixture
def through_topic_and_queue_wrapped(aws, queue, through_topic_and_queue):
    """Without raw delivery, which SNS does unless told otherwise."""
    sns, subscription = aws.client("sns"), queue.resources["QueueSubscription"]
    raw = {"SubscriptionArn": subscription, "AttributeName": "RawMessageDelivery"}
    sns.set_subscription_attributes(**raw, AttributeValue="false")
    yield through_topic_and_queue
    sns.set_subscription_attributes(**raw, AttributeValue="true")


@pytest.fixture
def through_the_queue(aws, queue):
    sqs, url = aws.client("sqs"), queue.outputs["QueueUrl"]
    return lambda text: sqs.send_message(QueueUrl=url, MessageBody=text)


@pytest.mark.parametrize(
    "way",
    [
        "through_the_topic",
        "through_topic_and_queue",
        "through_topic_and_queue_wrapped",
        "through_the_queue",
    ],
)
def test_a_request_that_comes_twice(way, request, api, carrier, cloudformation):
    """
    Each copy is answered, the thing is made once, and the Delete removes it.
    """
    carrier.send = request.getfixturevalue(way)
    name = way.title().replace("_", "")
    created = cloudformation.create(name, {"Api": api.url}, times=2)
    live = list(api.objects)
    deleted = cloudformation.delete(name, times=2)
    told = [event["RequestType"] for event, _ in cloudformation.answers[-4:]]

    assert (True, True) == (created.succeeded, deleted.succeeded)
    assert [created.physical_resource_id] == api.created == live
    assert {} == api.objects
    assert ["Create", "Create", "Delete", "Delete"] == told


def slot_at_the_second_look(api):
    looks = []

    def look(call):
        if call.operation == "find":
            looks.append(call)
        if len(looks) == 2:
            api.objects["slot"] = {"slot": "s"}

    api.listeners.append(look)


def runs(aws, things, since):
    """How often the function has run, by its own log."""
    told = aws.client("logs").filter_log_events(
        logGroupName=things.outputs["LogGroupName"], startTime=int(since * 1000)
    )
    return [event for event in told["events"] if event["message"].startswith("START")]


def test_a_batch_of_which_a_part_comes_again(aws, things, queue, api, host, shaky_host):
    """
    What could not be answered comes again, alone: the rest of its batch is neither run nor told
    twice, and what was made for it is not made again.
    """
    shaky_host.behaviours[:] = [Status(403), Status(200)]
    slot_at_the_second_look(api)
    began = send_at_once(
        aws,
        queue,
        create(api, host, "First"),
        create(api, host, "Busy", Slot="s"),
        create(api, shaky_host, "Unheard"),
        create(api, host, "Last"),
    )
    wait_until(lambda: not messages(aws, queue.outputs["QueueUrl"]))
    made = [call.properties["name"] for call in api.calls if call.operation == "create"]

    assert 2 == len(runs(aws, things, began))
    assert [("First", "SUCCESS"), ("Last", "SUCCESS"), ("Busy", "SUCCESS")] == answers(host)
    assert [("Unheard", "SUCCESS"), ("Unheard", "SUCCESS")] == answers(shaky_host)
    assert shaky_host.received[0].body == shaky_host.received[1].body
    assert ["First", "Unheard", "Last", "Busy"] == made
    assert 0 == messages(aws, queue.outputs["FailedQueueUrl"])


def test_what_is_given_up(aws, things, queue, api, host):
    """
    After so many tries a message lies in the dead-letter queue as it was sent, and what came in its
    batch was answered once. From there the guardian answers a request FAILED, and drops what is
    none.
    """
    failed, hopeless = queue.outputs["FailedQueueUrl"], create(api, host, "Hopeless", Slot="never")
    with idle(aws, queue.resources["GuardianMapping"]):
        send_at_once(
            aws,
            queue,
            create(api, host, "First"),
            "no request",
            hopeless,
            create(api, host, "Last"),
        )
        wait_until(lambda: messages(aws, failed) == 2)
        before, kept = answers(host), received(aws, failed)
    wait_until(lambda: not messages(aws, failed))

    assert {"no request", hopeless} == kept
    assert [("First", "SUCCESS"), ("Last", "SUCCESS")] == before
    assert [*before, ("Hopeless", "FAILED")] == answers(host)
    assert b"the function failed (Lambda: dead-letter queue)" in host.received[-1].body
    assert ["create", "find", "create", "find"] == [call.operation for call in api.calls]
    assert 0 == messages(aws, queue.outputs["QueueUrl"])
    assert 0 == messages(aws, things.outputs["UnhandledQueueUrl"])


def test_what_the_guardian_cannot_answer_either(aws, things, queue, api, shaky_host):
    """
    It is kept in the queue of the provider's stack, whose alarm calls somebody.
    """
    shaky_host.behaviours[:] = [Status(403)]
    failed, unhandled = queue.outputs["FailedQueueUrl"], things.outputs["UnhandledQueueUrl"]
    come_again(aws, failed, after=1)
    unheard = create(api, shaky_host, "Unheard")
    aws.client("sqs").send_message(QueueUrl=failed, MessageBody=unheard)
    wait_until(lambda: messages(aws, unhandled))

    assert {unheard} == received(aws, unhandled)
    assert 0 == messages(aws, failed)
    assert {("Unheard", "FAILED")} == set(answers(shaky_host))
