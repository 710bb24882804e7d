"""ResponseURLs that are real: signed, served on this machine, refused as S3 refuses."""

import re
import urllib.error
import urllib.request

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cfn_once.testing import FakeCloudFormation, VirtualClock
from cfn_once.testing.responses import ResponseBucket
from cfn_once.testing.signing import KEY_ID, SECRET

ONE = {"Product": "a", "Target": 1}
HOURS = 3600


@pytest.fixture
def bucket():
    kept = []
    clock = VirtualClock()
    bucket = ResponseBucket(lambda url, body: kept.append(body), clock.now)
    bucket.kept, bucket.clock = kept, clock
    bucket.serve()
    yield bucket
    bucket.close()


def put(url, body=b"{}", content_type=""):
    """PUT to a URL; returns the status, and what S3 says."""
    request = urllib.request.Request(url, body, {"content-type": content_type}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_whole_life_over_http(provider, external_api):
    """
    The provider's own delivery PUTs each answer to a URL on this machine.
    """
    with FakeCloudFormation(provider, over_http=True) as stack:
        stack.create("Group", ONE, times=2)
        stack.update("Group", {"Product": "b"})
        stack.delete("Group")
        urls = {event["ResponseURL"] for event, _ in stack.answers}

    assert 5 == len(stack.answers)
    assert all(url.startswith(f"http://{stack.response_host}/arn%3Aaws") for url in urls)
    assert {} == external_api.objects


def test_an_answer_that_is_lost_over_http(provider, external_api):
    """
    The delivery tries again by itself after a 503, in virtual time.
    """
    with FakeCloudFormation(provider, over_http=True) as stack:
        assert stack.create("Group", ONE, lost_answers=3).succeeded

    assert 1 == stack.deliveries
    assert 1 == len(stack.answers)


def test_a_signed_url(bucket):
    """
    What was signed is taken once, and again, by the day's own key.
    """
    url = bucket.sign("a|b|c", bucket.clock.now())

    assert [(200, ""), (200, "")] == [put(url, body) for body in (b"1", b"2")]
    assert [b"1", b"2"] == bucket.kept
    assert [] == [name for name in re.findall(r"X-Amz-(\w+)=", url) if name == "Security"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda url: url.replace("%7Cc", "%7Cd"), "SignatureDoesNotMatch"),
        (
            lambda url: url.replace("X-Amz-Expires=7200", "X-Amz-Expires=72000"),
            "SignatureDoesNotMatch",
        ),
        (lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"), "SignatureDoesNotMatch"),
        (lambda url: url.partition("?")[0], "AccessDenied"),
    ],
)
def test_a_url_that_was_not_signed(bucket, change, code):
    """
    Another key, a longer life, another signature or none: 403, in S3's words.
    """
    status, said = put(change(bucket.sign("a|b|c", bucket.clock.now())))

    assert 403 == status
    assert f"<Code>{code}</Code>" in said
    assert [] == bucket.kept


def test_a_content_type(bucket):
    """
    A PUT with a content-type does not match what was signed.
    """
    status, said = put(bucket.sign("a|b|c", bucket.clock.now()), content_type="application/json")

    assert 403 == status
    assert "<Code>SignatureDoesNotMatch</Code>" in said


@pytest.mark.parametrize(("seconds", "status"), [(2 * HOURS, 200), (2 * HOURS + 1, 403)])
def test_a_url_that_has_expired(bucket, seconds, status):
    """
    It lives for two hours.
    """
    url = bucket.sign("a|b|c", bucket.clock.now())
    bucket.clock.advance(seconds)
    found, said = put(url)

    assert status == found
    assert (status == 403) == ("<Code>AccessDenied</Code><Message>Request has expired" in said)


def test_the_signature_is_amazons(bucket):
    """
    botocore signs the same request in the same way.
    """
    url = bucket.sign("arn:aws:cloudformation:x:y:stack/a/b|Group|1", bucket.clock.now())
    path, _, query = url.partition("?")
    asked = dict(pair.split("=") for pair in query.split("&"))
    request = AWSRequest("PUT", path, params={})

    class At(S3SigV4QueryAuth):
        def add_auth(self, request):
            request.context["timestamp"] = asked["X-Amz-Date"]
            self._modify_request_before_signing(request)
            text = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(text, request))

    At(Credentials(KEY_ID, SECRET), "s3", "us-east-1", expires=7200).add_auth(request)

    assert f"X-Amz-Signature={asked['X-Amz-Signature']}" in request.url


def test_an_answer_after_two_hours(provider):
    """
    A provider that is asked too late for the URL's life is refused, not heard.
    """
    with FakeCloudFormation(provider, over_http=True) as stack:
        event = stack.event("Create", "Group", {**ONE, "ServiceTimeout": 3600})
        stack.clock.advance(3 * HOURS)
        answer = stack.send(event)

    assert answer is None
