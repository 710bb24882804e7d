"""Clients: made once and kept, of a user's own, and the words that are the same everywhere."""

from datetime import timedelta

import boto3
import pytest
from botocore.config import Config

from cfn_once._steps.aws_clients import MOST_KEPT, Clients
from cfn_once.testing import Crashed
from hooks.fake_aws import refusal
from hooks.planned_host import PlannedHost, answer, lost

ENDPOINT = {"endpoint_url": "http://127.0.0.1:1", "region_name": "eu-west-1"}


@pytest.fixture
def clients(aws):
    """The clients of one process, of a session of its own."""
    return Clients()


def test_a_client_is_kept_for_the_next_event(clients):
    """
    The same service and the same options are the same client; another Region is another one.
    """
    first = clients.get("sqs", {**ENDPOINT, "config": Config(user_agent_extra="mine")})
    again = clients.get("sqs", {**ENDPOINT, "config": Config(user_agent_extra="mine")})

    assert first is again
    assert first is not clients.get("sqs", {**ENDPOINT, "region_name": "us-east-1"})
    assert first is not clients.get("sns", ENDPOINT)


def test_what_is_of_one_event_is_not_kept(clients):
    """
    Credentials that a hook gives are of its event: nobody else gets the client that has them.
    """
    mine = {**ENDPOINT, "aws_access_key_id": "mine", "aws_secret_access_key": "s"}

    assert clients.get("sqs", mine) is not clients.get("sqs", mine)


def test_an_environment_that_changes(clients, monkeypatch):
    """
    What botocore reads of the environment is a part of a client: a test that sets it gets its own.
    """
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    before = clients.get("sqs", {})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")

    assert "http://127.0.0.1:2" == clients.get("sqs", {}).meta.endpoint_url
    assert before.meta.endpoint_url != "http://127.0.0.1:2"


def test_another_default_session(clients):
    """
    A new default session of boto3 has new credentials: no client of the old one is kept.
    """
    before = clients.get("sqs", ENDPOINT)
    boto3.setup_default_session()

    assert before is not clients.get("sqs", ENDPOINT)


def test_no_more_are_kept_than_there_is_room_for(clients):
    """
    A hook that takes another endpoint in each event does not fill the function's memory.
    """
    urls = [f"http://127.0.0.1:{port}" for port in range(1, MOST_KEPT + 2)]
    made = [clients.get("sqs", {**ENDPOINT, "endpoint_url": url}) for url in urls]

    assert made[-1] is clients.get("sqs", {**ENDPOINT, "endpoint_url": urls[-1]})
    assert made[0] is not clients.get("sqs", {**ENDPOINT, "endpoint_url": urls[0]})


def test_what_cannot_be_compared_is_not_kept(clients):
    """
    An option that is equal to nothing makes a client of its own, and no error.
    """
    config = Config(proxies_config={"proxy_ca_bundle": {"a", "b"}})

    one, other = (clients.get("sqs", {**ENDPOINT, "config": config}) for _ in range(2))

    assert one is not other


def test_hooks_share_a_client_and_not_their_steps(aws, stack):
    """
    The client behind is one; each hook's calls are steps of its own request.
    """
    seen = []

    def create(self):
        queue = self.client("sqs", **aws.options)
        seen.append(queue)
        return {"Id": queue.send_message(QueueUrl=aws.url, MessageBody="hello")["MessageId"]}

    aws.answers["SendMessage"] = {"MessageId": "1"}
    cloudformation = stack(create)

    assert cloudformation.create("One").succeeded
    assert cloudformation.create("Two").succeeded
    assert seen[0].meta is seen[1].meta
    assert seen[0] is not seen[1]
    assert ["SendMessage"] * 2 == aws.operations()


def test_a_call_that_must_not_be_made_twice_trusts_no_old_connection(aws, stack):
    """
    A connection that the function's freeze has cut is lost as soon as it is used, and nobody could
    say then whether the call has acted: what is `once` leaves on a new one.
    """
    aws.answers["SendMessage"] = {"MessageId": "1"}
    used = []

    def create(self):
        queue = self.client("sqs", **aws.options)
        queue.list_queues()
        pool = queue._endpoint.http_session._manager.pools
        used.append(len(pool))
        queue.send_message(QueueUrl=aws.url, MessageBody="hello")
        used.append(queue._endpoint.http_session._manager.connection_from_url(aws.url))

    stack(create).create("Thing")

    assert 1 == used[0]
    assert 1 == used[1].num_connections  # of a pool made anew: it has sent one call
    assert 1 == used[1].num_requests


def test_a_redirect_of_a_call_that_must_not_be_made_twice(aws, stack):
    """
    A Region that sends a call elsewhere has done nothing: botocore follows, and no error comes.
    """
    moved = b"<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"
    done = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
    aws.then(
        answer(301, moved, acts=False, x_amz_bucket_region="us-east-2"),
        answer(200, done, acts=True),
    )

    def create(self):
        s3 = self.client("s3", **aws.options, config=Config(s3={"addressing_style": "path"}))
        copied = s3.copy_object(Bucket="b", Key="k", CopySource="b/c")
        return {"Tag": copied["CopyObjectResult"]["ETag"]}

    assert {"Tag": "e"} == stack(create).create("Thing").data
    assert 1 == len(aws.acted)
    assert "/us-east-2/s3/" in aws.received[1].headers["authorization"]


def wrapped(aws, **words):
    def create(self):
        queue = self.wrap(boto3.client("sqs", **aws.options), **words)
        return {"Id": queue.send_message(QueueUrl=aws.url, MessageBody="hello")["MessageId"]}

    return create


def test_a_client_of_your_own(aws, stack):
    """
    self.wrap makes steps of a client's calls, sends what is `once` once, and leaves it as it was.
    """
    aws.then(lost())
    mine = boto3.client("sqs", **aws.options)

    def create(self):
        self.wrap(mine).send_message(QueueUrl=aws.url, MessageBody="hello")

    assert "in doubt: step sqs.SendMessage#0" in stack(create).create("Thing").reason
    assert ["SendMessage"] == aws.operations()
    assert "_make_api_call" not in vars(mine)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda self, aws: self.wrap("sqs"), "self.wrap takes a client, as in"),
        (
            lambda self, aws: self.wrap(self.client("sqs", **aws.options)),
            "comes from self.client or self.wrap",
        ),
        (
            lambda self, aws: self.wrap(boto3.client("sqs", **aws.options), once={"SendMail"}),
            "sqs has no operation SendMail",
        ),
        (lambda self, aws: self.resource("s3"), 'Take self.client("s3")'),
        (
            lambda self, aws: self.client("sqs", **aws.options, find={"SendMail": print}),
            "sqs has no operation SendMail",
        ),
        (
            lambda self, aws: self.client("sqs", **aws.options, find=print),
            "self.client takes find= by operation",
        ),
        (
            lambda self, aws: self.client("sqs", **aws.options, window={"SendMessage": 60}),
            "window= takes a timedelta",
        ),
    ],
)
def test_what_is_no_client(aws, stack, given, told):
    """
    What could not work is refused in words, before anything is sent.
    """
    assert told in stack(lambda self: given(self, aws)).create("Thing").reason
    assert [] == aws.received


def test_an_operation_that_is_looked_up(aws, stack):
    """
    find= by operation: a lost call is looked up, and what is found is the answer.
    """
    aws.then(lost())
    looked = []

    def found(step):
        looked.append(step.token)
        return {"MessageId": "found"}

    assert {"Id": "found"} == stack(wrapped(aws, find={"SendMessage": found})).create("T").data
    assert 1 == len(looked)
    assert ["SendMessage"] == aws.operations()


def test_an_operation_whose_window_the_hook_knows(aws, stack):
    """
    window= by operation: a member that the hook fills itself is a token for so long.
    """
    aws.answers["SendMessage"] = {"MessageId": "1"}
    cloudformation = stack(wrapped(aws, window={"SendMessage": timedelta(minutes=5)}))
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, crash_after="sqs.SendMessage")

    assert cloudformation.deliver(event).succeeded
    assert ["SendMessage"] * 2 == aws.operations()


def test_two_words_that_exclude_each_other(aws, stack):
    """
    repeat= and once= of one operation: as in a step, one of them is wrong.
    """
    words = {"repeat": {"SendMessage"}, "once": {"SendMessage"}}

    assert "say one of them" in stack(wrapped(aws, **words)).create("Thing").reason
    assert [] == aws.received


@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_write_that_the_hook_says_is_idempotent(api, stack, method):
    """
    repeat=True of a POST or PATCH: made again at will, and not recorded, as a step would be.
    """
    api.then(lost())
    cloudformation = stack(lambda self: getattr(self.http, method)(api.url, repeat=True) and None)

    assert cloudformation.create("Thing").succeeded
    assert 2 == len(api.received)


def test_a_write_whose_window_the_hook_knows(stack):
    """
    window= of one call: this API remembers the key for that long, whatever the class says of it.
    """
    with PlannedHost(honours=True) as api:
        window = timedelta(minutes=10)
        cloudformation = stack(lambda self: self.http.post(api.url, window=window) and None)
        event = cloudformation.event("Create", "Thing")
        with pytest.raises(Crashed):
            cloudformation.send(event, crash_after="http.POST.127.0.0.1")

        assert cloudformation.deliver(event).succeeded
        assert 2 == len(api.received)
        assert 1 == len(api.acted)


def test_words_of_a_write_that_exclude_each_other(api, stack):
    """
    As in a step: repeat=True and once=True cannot both be meant.
    """

    def create(self):
        self.http.post(api.url, repeat=True, once=True)

    assert "say one of them" in stack(create).create("Thing").reason
    assert [] == api.received


def test_a_read_in_delete_that_finds_nothing(aws, stack):
    """
    A read is not made twice over: what it finds missing is caught by its own class, in delete too.
    """

    def delete(self):
        ssm = self.client("ssm", **aws.options)
        try:
            ssm.get_parameter(Name="p")
        except ssm.exceptions.ParameterNotFound:
            return
        ssm.delete_parameter(Name="p")

    cloudformation = stack(lambda self: None, delete=delete)
    cloudformation.create("Thing")
    aws.then(refusal("ParameterNotFound"))

    assert cloudformation.delete("Thing").succeeded
    assert ["GetParameter"] == aws.operations()
