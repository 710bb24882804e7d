"""An event that cannot be brought back: who may change that is told, and nothing secret is."""

import pytest
import urllib3

from cfn_once import PermanentError, TemporaryError
from cfn_once._lambda.continuation import ContinuationRefused, ContinuationUnavailable
from continuation.ways import FUNCTION, SECRETS, URLS, error, event, fail, send, way
from support.host import RESET, Host, Status

MISSING = {
    "scheduler": ("ResourceNotFoundException", "make the group"),
    "sqs": ("AWS.SimpleQueueService.NonExistentQueue", "make the queue"),
    "lambda": ("ResourceNotFoundException", "no such thing"),
}
ACTIONS = {
    "scheduler": ("scheduler:CreateSchedule", "iam:PassRole"),
    "sqs": ("sqs:SendMessage",),
    "lambda": ("lambda:InvokeFunction",),
}
TOO_LARGE = {
    "scheduler": error(400, "ValidationException", "must have length less than or equal to"),
    "sqs": error(400, "InvalidParameterValue", "Message must be shorter than 262144 bytes."),
    "lambda": error(413, "RequestTooLargeException", "262144 byte payload is too large"),
}
every_way = pytest.mark.parametrize("kind", URLS)


def test_what_becomes_of_the_request():
    """
    What nothing but a person can change fails the request at once; what may pass is tried again
    with Lambda's next delivery.
    """
    assert issubclass(ContinuationRefused, PermanentError)
    assert issubclass(ContinuationUnavailable, TemporaryError)


@every_way
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        pytest.param(Status(503), "503", id="503"),
        pytest.param(error(500, "InternalServerException", "later"), "Internal", id="500"),
        pytest.param(error(429, "TooManyRequestsException", "slow"), "TooMany", id="429"),
        pytest.param(error(400, "ThrottlingException", "slow"), "Throttling", id="throttled"),
        pytest.param(RESET, "Connection", id="reset"),
    ],
)
def test_a_fault_that_may_pass(start, waiting, kind, fault, named):
    """
    A fault of the service, or of the way to it, is tried three times, and is then for another
    delivery of the request; when it has passed, the event goes its way.
    """
    host = start(fault)

    failure, tries = fail(kind, host, waiting), len(host.received)
    host.behaviours[:] = [fault, Status(200, body=b"{}")]
    send(way(kind, host), waiting)

    assert isinstance(failure, ContinuationUnavailable)
    assert named in str(failure)
    assert (3, 5) == (tries, len(host.received))


@every_way
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(error(402, "ServiceQuotaExceededException", "full"), id="quota"),
        pytest.param(error(409, "ResourceConflictException", "updating"), id="conflict"),
        pytest.param(error(403, "ExpiredTokenException", "expired"), id="expired"),
    ],
)
def test_what_passes_in_minutes(start, waiting, kind, fault):
    """
    Trying again at once is useless, and in a minute it is not.
    """
    host = start(fault)

    assert isinstance(fail(kind, host, waiting), ContinuationUnavailable)
    assert 1 == len(host.received)


@every_way
def test_nobody_listens(waiting, kind):
    """
    What cannot be reached may be reached later, or needs a way out of a VPC.
    """
    failure = fail(kind, Host(), waiting)

    assert isinstance(failure, ContinuationUnavailable)
    assert "EndpointConnectionError" in str(failure)
    assert "In a VPC it needs an interface endpoint" in str(failure)


DENIED = "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: what it does"


@pytest.mark.parametrize(
    ("kind", "fault", "says"),
    [
        # AWS's own words say who may not do what; ours say what to allow.
        *(
            (kind, error(403, "AccessDeniedException", DENIED), [DENIED, *ACTIONS[kind]])
            for kind in URLS
        ),
        # A queue under a key of one's own needs two permissions more.
        ("sqs", error(400, "KMS.AccessDeniedException", "no"), ["kms:GenerateDataKey"]),
        *(
            (kind, error(404, code, "no such thing"), [hint])
            for kind, (code, hint) in MISSING.items()
        ),
        # Lambda stops a function that invokes itself near sixteen times.
        (
            "lambda",
            error(400, "RecursiveInvocationException", "recursive loop"),
            ["RecursiveLoop: Allow"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_person_has_to_change(start, waiting, kind, fault, says):
    """
    What the role may not do, what does not exist, and a loop that Lambda ends are told with the
    remedy, and not tried again.
    """
    host = start(fault)

    failure = fail(kind, host, waiting)

    assert isinstance(failure, ContinuationRefused)
    assert [] == [words for words in says if words not in str(failure)]
    assert 1 == len(host.received)


@every_way
def test_a_refusal_that_quotes_the_event(start, waiting, kind):
    """
    Some services quote a member that they refuse: then there is the code, and our own hint.
    """
    quoting = f"Value '{waiting}' at 'target.input' failed to satisfy constraint"

    failure = fail(kind, start(error(400, "ValidationException", quoting)), waiting)

    assert isinstance(failure, ContinuationRefused)
    assert "ValidationException (status 400)" in str(failure)
    assert ("may scheduler.amazonaws.com assume the role" in str(failure)) == (kind == "scheduler")


@every_way
def test_an_event_that_the_service_finds_too_large(start, kind):
    """
    The size is told, and by name the property that makes most of it; not what is in it.
    """
    large = event(Small="s" * 1_000, Config="c" * 300_000)

    failure = fail(kind, start(TOO_LARGE[kind]), large)

    assert isinstance(failure, ContinuationRefused)
    assert "300,002 of them in the property Config" in str(failure)
    assert "ccc" not in str(failure)


@every_way
def test_an_event_that_no_service_takes(start, kind):
    """
    Over a mebibyte it is not even sent.
    """
    host = start()

    failure = fail(kind, host, event(Config="c" * 2**20))

    assert "1,048,578 of them in the property Config" in str(failure)
    assert [] == host.received


def test_an_event_that_is_too_large_without_properties(start, waiting):
    """
    With nothing to name, nothing is.
    """
    del waiting["ResourceProperties"]

    failure = fail("lambda", start(TOO_LARGE["lambda"]), waiting)

    assert "bytes. Keep that" in str(failure)


@every_way
def test_no_credentials(start, waiting, kind, monkeypatch):
    """
    What botocore itself refuses is told by its kind, for its text may quote what it was given.
    """
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    host = start()

    failure = fail(kind, host, waiting)

    assert isinstance(failure, ContinuationRefused)
    assert "NoCredentialsError" in str(failure)
    assert [] == host.received


def test_only_what_is_sent_here_is_not_logged(start, waiting, caplog):
    """
    Another thread that asks for something meanwhile is logged, and so is what this one asks later.
    """
    host, other = start(Status(200, body=b"{}")), start()
    host.watch = lambda _: urllib3.request("GET", other.url + "/meanwhile")

    send(way("sqs", host), waiting)
    urllib3.request("GET", other.url + "/later")

    told = [
        record.getMessage() for record in caplog.records if record.name == "urllib3.connectionpool"
    ]
    assert 1 == len([line for line in told if "/meanwhile" in line])
    assert 1 == len([line for line in told if "/later" in line])
    assert [] == [line for line in told if host.name in line]


def test_what_would_be_logged_is_secret(start, waiting, caplog):
    """
    The silence is needed: what botocore says of a call holds the whole event.
    """
    host = start(Status(200, body=b"{}"))
    client = way("sqs", host)._client

    client.send_message(QueueUrl="http://queue", MessageBody=FUNCTION + waiting["ResponseURL"])

    assert [line for line in caplog.messages for secret in SECRETS if secret in line]
    caplog.clear()
