"""A host that does not take the answer: it is kept, told again, and never becomes another one."""

import ssl

import pytest
import trustme
import urllib3

from cfn_once import InvalidRequest, Provider
from cfn_once.testing import VirtualClock
from support.host import RESET, SILENCE, Host, Status

HEALTHY = Status(200)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        pytest.param(Status(503), "status 503", id="503"),
        pytest.param(Status(500), "status 500", id="500"),
        pytest.param(Status(429), "status 429", id="429"),
        pytest.param(RESET, "ProtocolError", id="reset"),
        pytest.param(SILENCE, "ReadTimeoutError", id="silence"),
    ],
)
class TestAFaultThatPasses:
    def test_is_waited_out_in_the_same_delivery(self, start, deploy, fault, named):
        """
        A fault of the host or of the way to it costs a second try, with the same bytes.
        """
        host = start(fault, HEALTHY)
        deployed = deploy(host, pauses=(0.01,))

        deployed.deliver()

        assert 2 == len(host.received)
        assert ("SUCCESS", "thing-1") == (
            deployed.answer["Status"],
            deployed.answer["PhysicalResourceId"],
        )
        assert 1 == len(deployed.made)

    def test_that_lasts_is_raised_and_told_next_time(self, start, deploy, fault, named):
        """
        Tries go on until the time is over; then it is raised, so that Lambda delivers again. The
        outcome was kept before: the hook does not run again, and SUCCESS does not become FAILED.
        """
        host, clock = start(fault), VirtualClock()
        deployed = deploy(host, clock=clock, read=0.1)
        begun = clock.now()

        error = deployed.fail_to_deliver()
        tries, spent, recorded = len(host.received), clock.now() - begun, deployed.recorded
        host.heal()
        clock.advance(60)
        deployed.deliver()

        assert f"after {tries} tries: {named}" in str(error)
        assert tries > 5, "pauses grow to 8 seconds, and there were 31"
        assert 31 - 8 - 1 <= spent < 31
        assert {recorded} == set(deployed.bodies)
        assert tries + 1 == len(host.received)
        assert "SUCCESS" == deployed.answer["Status"]
        assert 1 == len(deployed.made)


@pytest.mark.parametrize("code", [400, 403, 404, 301, 302, 307, 308])
def test_a_refusal_is_final(start, deploy, code):
    """
    A host that understands and refuses is not asked again: 403 is a URL over two hours old or a
    bucket that nobody may write to. A redirect is not followed: the answer would go to whoever
    the host names.
    """
    elsewhere = start()
    host = start(Status(code, headers={"location": elsewhere.url + "/taken"}))
    deployed = deploy(host, pauses=(0.01,))

    error = deployed.fail_to_deliver()
    recorded = deployed.recorded
    host.heal()
    deployed.deliver()

    assert f"status {code}" in str(error)
    assert "after 1 try:" in str(error)
    assert [] == elsewhere.received
    assert [recorded, recorded] == deployed.bodies
    assert "SUCCESS" == deployed.answer["Status"]
    assert 1 == len(deployed.made)


def test_a_403_says_what_may_be_wrong(start, deploy):
    """
    The two usual causes are named, with the Region and the bucket that an endpoint must allow.
    """
    error = deploy(start(Status(403))).fail_to_deliver()

    assert "over two hours old" in str(error)
    assert "S3 in eu-central-1" in str(error)
    assert "s3:PutObject on cloudformation-custom-resource-response-eucentral1" in str(error)


def test_a_refused_request_that_nobody_takes_the_answer_of(start, deploy):
    """
    A request too damaged to name its Region is refused all the same, and told again.
    """
    host = start(Status(403), HEALTHY)
    deployed = deploy(host)
    deployed.event["StackId"] = "no ARN"

    error = deployed.fail_to_deliver()
    deployed.deliver()

    assert "S3 in the Region" in str(error)
    assert "StackId must be the ARN of a stack" in deployed.answer["Reason"]
    assert [] == deployed.made


def test_nobody_listens(deploy):
    """
    A host that cannot be reached is tried until the time is over.
    """
    deployed = deploy(Host(), clock=VirtualClock())

    error = deployed.fail_to_deliver()

    assert "NewConnectionError" in str(error)
    assert "SUCCESS" in deployed.recorded.decode()
    assert 1 == len(deployed.made)


def test_a_host_that_answers_slowly_is_told_once(start, deploy):
    """
    Slow is not broken: within the read timeout there is one try.
    """
    host = start(Status(200, after=0.2))
    deployed = deploy(host, read=2)

    deployed.deliver()

    assert 1 == len(host.received)


def test_an_answer_that_never_ends_holds_nobody(start, deploy):
    """
    The status says it all; what follows it is not waited for.
    """
    host = start(Status(200, length=1000, body=b"and then"))
    deployed = deploy(host)

    deployed.deliver()

    assert 1 == len(host.received)


def test_it_is_kept_before_it_is_told(start, deploy):
    """
    When CloudFormation hears an answer, the ledger holds it already.
    """
    host = start()
    deployed = deploy(host)
    kept = []
    host.watch = lambda _: kept.append(deployed.recorded)

    deployed.deliver()

    assert deployed.bodies == kept


def test_a_failure_is_kept_and_told_again_too(start, deploy):
    """
    A FAILED answer that was not heard is told again, byte for byte, and the hook stays done.
    """
    host = start(Status(403), HEALTHY)

    def fail(resource):
        raise RuntimeError("no capacity")

    deployed = deploy(host, fail)

    deployed.fail_to_deliver()
    deployed.deliver()

    assert 2 == len(host.received)
    assert ("FAILED", "thing-1") == (
        deployed.answer["Status"],
        deployed.answer["PhysicalResourceId"],
    )
    assert deployed.answer["Reason"].startswith("no capacity (test_undelivered.py:")
    assert 1 == len(deployed.made)


class TestHttps:
    @pytest.fixture
    def authority(self):
        return trustme.CA()

    @pytest.fixture
    def context(self, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def test_a_host_with_a_certificate_is_told(
        self, start, deploy, authority, context, monkeypatch, tmp_path
    ):
        """
        An answer goes over TLS to a host whose certificate is trusted.
        """
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        deployed = deploy(start(tls=context))

        deployed.deliver()

        assert "SUCCESS" == deployed.answer["Status"]

    def test_a_host_that_nobody_vouches_for_is_told_nothing(self, start, deploy, context):
        """
        Without a certificate that is trusted, not a byte of the answer leaves.
        """
        host = start(tls=context)
        deployed = deploy(host, clock=VirtualClock())

        error = deployed.fail_to_deliver()

        assert "SSLError" in str(error)
        assert [] == host.received


@pytest.mark.parametrize("named_in", ["the provider", "the environment"])
def test_a_host_that_is_named(start, deploy, monkeypatch, named_in):
    """
    An emulator's host is told where the provider or its environment names it, and else refused
    with the line to add, before anything is made.
    """
    host = start()
    deployed = deploy(host)
    monkeypatch.delenv("CFN_ONCE_RESPONSE_HOSTS", raising=False)
    options = {"ledger": deployed.ledger}

    with pytest.raises(InvalidRequest, match=f"CFN_ONCE_RESPONSE_HOSTS={host.name}"):
        Provider(deployed.thing, **options)(deployed.event)
    nothing = list(deployed.made)
    if named_in == "the provider":
        options["response_hosts"] = [host.name]
    else:
        monkeypatch.setenv("CFN_ONCE_RESPONSE_HOSTS", f"localhost:4566, {host.name}")
    Provider(deployed.thing, **options)(deployed.event)

    assert [] == nothing
    assert "SUCCESS" == deployed.answer["Status"]


def test_the_request_on_the_wire(start, deploy):
    """
    One PUT to the very URL, with an empty content-type, as the signature wants it, and with the
    length in bytes.
    """
    host = start()
    deployed = deploy(host, lambda resource: {"Name": "grün"})

    deployed.deliver()

    [put] = host.received
    assert ("PUT", deployed.event["ResponseURL"]) == (put.method, host.url + put.target)
    assert [""] == put.headers.get_all("content-type")
    assert [str(len(put.body))] == put.headers.get_all("content-length")
    assert "transfer-encoding" not in put.headers
    assert "grün".encode() in put.body


def test_what_others_ask_for_is_still_logged(start, deploy, caplog):
    """
    Only the lines about the answer are dropped: not those of a hook that uses urllib3 too, nor
    those of another thread meanwhile.
    """
    api, host = start(), start()
    deployed = deploy(host, lambda resource: resource.http.get(api.url + "/hook") and None)
    host.watch = lambda _: urllib3.request("GET", api.url + "/meanwhile")

    deployed.deliver()

    told = [record for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert ["/hook", "/meanwhile"] == [request.target for request in api.received]
    assert [record for record in told if "/hook" in record.getMessage()]
    assert [record for record in told if "/meanwhile" in record.getMessage()]
