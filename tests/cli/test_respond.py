"""`cfn-once respond`: a stack that hangs goes on, and nobody copies a ResponseURL out of a log."""

import json
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from support import operated
from support.response_host import ResponseHost
from support.shell import call, start


@pytest.fixture
def host():
    with ResponseHost() as host:
        yield host


@pytest.fixture
def shop(tmp_path):
    return operated.stack(tmp_path / "ledger.sqlite3")


@pytest.fixture
def ask(tmp_path, host):
    def ask(*arguments, **options):
        return call(
            tmp_path,
            "respond",
            *arguments,
            CFN_ONCE_LEDGER=f"sqlite://{tmp_path / 'ledger.sqlite3'}",
            CFN_ONCE_RESPONSE_HOSTS=host.url.removeprefix("http://"),
            **options,
        )

    return ask


@pytest.fixture
def died(shop, host, tmp_path):
    """The event of a Create whose only delivery died, in a file."""
    event = shop.event("Create", "Thing", {})
    at = shop.clock.now()
    operated.crashes(shop, event)
    event = operated.to_host(event, host, at)
    (tmp_path / "event.json").write_text(json.dumps(event))
    return event


def told(host, event):
    return [json.loads(body) for body in host.bodies_for(event)]


def by_ada(*more):
    return ("shop", "Thing", "--event", "event.json", "--by", "ada", *more)


def test_what_nobody_has_answered_is_answered_failed(ask, host, died, shop):
    """
    As the guardian does: under the id that the ledger knows, recorded before it is sent.
    """
    called = ask(*by_ada("--yes", "--fail", "the function is gone"))

    (answer,) = told(host, died)
    assert 0 == called.code
    assert "FAILED" == answer["Status"]
    # What is not settled before the answer is told with it.
    assert answer["Reason"].startswith("ada answered: the function is gone. In doubt: step thing#0")
    assert "; then: cfn-once resolve shop Thing thing#0 --made JSON" in answer["Reason"]
    assert f"{died['RequestId']}: answered FAILED cfn-once.none." in called.out
    kept = shop.ledger.read(operated.key_of(shop.stack_id, "Thing"))
    assert answer["Reason"] in kept.response
    assert ("Respond", "FAILED", "ada") == (
        kept.history[-1].type,
        kept.history[-1].outcome,
        kept.history[-1].by,
    )
    assert "https://" not in called.out + called.err
    assert "X-Amz" not in called.out + called.err


def test_what_is_recorded_is_sent(ask, host, died, shop):
    """
    The same bytes that every delivery gets, whatever the operator says.
    """
    ask(*by_ada("--yes", "--fail", "first"))
    again = ask(*by_ada("--yes", "--fail", "second"))

    first, second = told(host, died)
    assert 0 == again.code
    assert first == second


@pytest.fixture
def delete(shop, host, tmp_path):
    """The event of a Delete that reached nobody."""
    shop.create("Thing")
    at = shop.clock.now() + 60
    event = operated.to_host(
        shop.event("Delete", "Thing", physical_resource_id="thing-1"), host, at
    )
    (tmp_path / "event.json").write_text(json.dumps(event))
    return event


def test_a_delete_succeeds_if_its_logical_id_is_typed(ask, host, delete, shop):
    """
    The operator has removed everything; the ledger keeps a tombstone, as of any Delete.
    """
    wrong = ask(*by_ada(), stdin="thing\n")
    yes = ask(*by_ada("--yes"))
    before = told(host, delete)
    right = ask(*by_ada(), stdin="Thing\n")

    (answer,) = told(host, delete)
    assert (2, 2, 0) == (wrong.code, yes.code, right.code)
    assert [] == before
    assert "SUCCESS only if you type its logical id: leave --yes out" in yes.err
    assert ("SUCCESS", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    kept = shop.ledger.read(operated.key_of(shop.stack_id, "Thing"))
    assert (None, True) == (kept.held, kept.ttl is not None)
    assert ["thing-1"] == shop.api  # no hook of the provider has run


def test_a_delete_that_is_to_fail(ask, host, delete):
    """
    With a reason it is FAILED, since the ledger knows that something is there.
    """
    called = ask(*by_ada("--yes", "--fail", "not now"))

    (answer,) = told(host, delete)
    assert 0 == called.code
    assert ("FAILED", "ada answered: not now") == (answer["Status"], answer["Reason"])


def test_a_create_that_never_came(ask, host, shop, tmp_path):
    """
    Of a request that the ledger does not know, too; it may be the wrong ledger, and that is said.
    """
    shop.create("Lives")
    event = operated.to_host(shop.event("Create", "Thing", {}), host, shop.clock.now())
    (tmp_path / "event.json").write_text(json.dumps({"requestPayload": event}))

    called = ask(*by_ada("--yes"))

    assert 0 == called.code
    assert ["FAILED"] == [answer["Status"] for answer in told(host, event)]
    assert f"the ledger has nothing of Thing in {shop.stack_id}: is the URL the" in called.err


def test_while_somebody_is_at_work(ask, host, shop, tmp_path):
    """
    Nothing is answered while a lease runs, nor while a hook waits for its continuation.
    """
    now = int(time.time() * 1000)
    waiting = {"Waits": {"st": "PARKED", "lu": now, "due": now + 600_000}}
    # Its schedule has a minute, and Lambda may have to try again.
    late = {"Late": {"st": "PARKED", "lu": now, "due": now - 60_000}}
    for name, operation in {"Works": {}, **waiting, **late}.items():
        event = operated.to_host(shop.event("Create", name, {}), host, shop.clock.now())
        operated.at_work(shop, name, rid=event["RequestId"], **operation)
        (tmp_path / f"{name}.json").write_text(json.dumps(event))

    works = ask("shop", "Works", "--event", "Works.json", "--yes")
    waits = ask("shop", "Waits", "--event", "Waits.json", "--yes")
    late = ask("shop", "Late", "--event", "Late.json", "--yes")

    assert (3, 3, 3) == (works.code, waits.code, late.code)
    assert "an execution may be at work on Works until 20" in works.err
    words = "its hook waits, and its continuation may come until 20"
    assert [True, True] == [words in told.err for told in (waits, late)]
    assert [] == host.told


def test_what_cloudformation_waits_for_no_more(ask, host, shop, tmp_path):
    """
    An hour later nothing is answered, and it is said.
    """
    shop.create("Lives")
    event = operated.to_host(shop.event("Create", "Thing", {}), host, time.time() - 4_200)
    (tmp_path / "event.json").write_text(json.dumps(event))

    called = ask(*by_ada("--yes"))

    assert 3 == called.code
    assert "nothing was answered: CloudFormation no longer waits for Create of Thing" in called.err
    assert [] == host.told


WRONG = {
    "shop Thing --event none.json --yes": (2, "none.json holds no event: No such file"),
    "shop Thing --event text.json --yes": (2, "text.json holds no event: it is not JSON"),
    "shop Other --event event.json --yes": (3, "no request of Other in shop there; of 1 events"),
    "bank Thing --event event.json --yes": (3, "there is no request of Thing in bank there"),
    "shop Thing --yes": (2, "one of the arguments --from-queue --event --schedule is required"),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call(ask, host, died, tmp_path, arguments):
    """
    It says what is wrong, and nothing is answered.
    """
    (tmp_path / "text.json").write_text("text")
    code, words = WRONG[arguments]

    called = ask(*arguments.split())

    assert code == called.code
    assert words in called.err
    assert [] == host.told


def test_a_url_of_somebody_elses(ask, host, died, tmp_path):
    """
    An event whose answer would go elsewhere is not answered; its URL is not told.
    """
    forged = {**died, "ResponseURL": "https://example.com/secret?X-Amz-Signature=abc"}
    (tmp_path / "event.json").write_text(json.dumps(forged))

    called = ask(*by_ada("--yes"))

    assert 3 == called.code
    assert "nothing was answered: Create of Thing" in called.err
    assert "X-Amz-Signature=abc" not in called.err


@pytest.fixture
def on_aws(ministack):
    return {
        "AWS_ENDPOINT_URL": ministack.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_a_queue_that_holds_other_peoples_messages(ask, host, died, ministack, on_aws):
    """
    The event is found among them, the newest of its resource; every message stays, and is visible.
    """
    sqs = ministack.client("sqs")
    url = sqs.create_queue(QueueName="of-respond")["QueueUrl"]
    bodies = [
        "a letter",
        json.dumps({"order": 7}),
        json.dumps({**died, "LogicalResourceId": "Other"}),
        json.dumps({"requestContext": {}, "requestPayload": died}),
        *(json.dumps({"number": number}) for number in range(12)),
    ]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)

    called = ask("shop", "Thing", "--from-queue", url, "--yes", **on_aws)

    assert 0 == called.code, called.err
    assert "16 messages were looked at, and all were left in the queue" in called.err
    assert ["FAILED"] == [answer["Status"] for answer in told(host, died)]
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert ("16", "0") == (
        left["ApproximateNumberOfMessages"],
        left["ApproximateNumberOfMessagesNotVisible"],
    )


def test_a_schedule(ask, host, died, ministack, on_aws):
    """
    The event that a schedule is to bring back, at whatever time.
    """
    scheduler = ministack.client("scheduler")
    scheduler.create_schedule_group(Name="of-respond")
    scheduler.create_schedule(
        Name="cfn-once-1",
        GroupName="of-respond",
        ScheduleExpression="at(2030-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "RoleArn": "arn:aws:iam::000000000000:role/r",
            "Input": json.dumps({**died, "CfnOnceDue": time.time() + 1_000}),
        },
    )

    called = ask("shop", "Thing", "--schedule", "of-respond/cfn-once-1", "--yes", **on_aws)
    missing = ask("shop", "Thing", "--schedule", "of-respond/none", "--yes", **on_aws)

    assert 0 == called.code, called.err
    assert ["FAILED"] == [answer["Status"] for answer in told(host, died)]
    assert 3 == missing.code
    assert "the schedule of-respond/none cannot be read" in missing.err


@pytest.fixture
def nowhere(died, tmp_path):
    """The event, whose answer goes to a port at which nobody listens; and that host."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    url = urlsplit(died["ResponseURL"])._replace(netloc=host).geturl()
    (tmp_path / "event.json").write_text(json.dumps({**died, "ResponseURL": url}))
    return host


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_control_c_while_it_cannot_be_sent(number, nowhere, shop, tmp_path):
    """
    It has said until when it tries; what is recorded, and who did it, stays, and is told. A lost
    terminal ends it as Ctrl-C does.
    """
    around = {
        "CFN_ONCE_LEDGER": f"sqlite://{tmp_path / 'ledger.sqlite3'}",
        "CFN_ONCE_RESPONSE_HOSTS": nowhere,
    }
    running = start(tmp_path, "respond", *by_ada("--yes", "--fail", "gone"), **around)
    first = running.stderr.readline()
    running.send_signal(number)
    rest = running.stderr.read()

    assert "the answer is recorded, and is sent now; if that fails, it is tried until 20" in first
    assert 130 == running.wait(20)
    assert "the answer is recorded, and was not sent; the same command sends it" in rest
    kept = shop.ledger.read(operated.key_of(shop.stack_id, "Thing"))
    assert ("FAILED NOT SENT", "ada") == (kept.history[-1].outcome, kept.history[-1].by)


@pytest.mark.parametrize("said", [" ", "a" * 201])
@pytest.mark.parametrize("flag", ["--fail", "--by"])
def test_words_that_are_not_kept(ask, died, flag, said):
    """
    A blank, and more than 200 bytes, is refused, and named as it was given.
    """
    called = ask(*by_ada("--yes", flag, said))

    assert 2 == called.code
    assert f"{flag} takes 1 to 200 bytes" in called.err


def test_a_list_of_events(ask, host, died, tmp_path):
    """
    A file may hold several events, one after another in a list.
    """
    (tmp_path / "event.json").write_text(json.dumps([{"any": "thing"}, died]))
    called = ask(*by_ada("--yes"))

    assert 0 == called.code
    assert 1 == len(told(host, died))
