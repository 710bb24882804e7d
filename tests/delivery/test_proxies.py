"""The answer goes the way of every other call: through the proxy that the environment names."""

import logging
import ssl
import time

import pytest
import trustme

from cfn_once._cloudformation.proxies import proxy_for
from cfn_once.testing import VirtualClock
from support.forward_proxy import ForwardProxy
from support.host import Host
from support.requests_of_cloudformation import target

BUCKET = "bucket.example"
WORD = "proxy-word-9f2b"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """A host with a certificate for a name that only the proxy can resolve."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(BUCKET).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Host(tls=context) as host:
        yield host


def deployed_to(deploy, url, *, clock=None):
    """Deploy a provider whose answer goes to a URL's host."""
    hosts = [url.partition("//")[2]]
    told = deploy(Host(), clock=clock or VirtualClock(time.time()), read=2, hosts=hosts)
    told.event["ResponseURL"] = url + target(told.event, told.clock.now())
    return told


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("with_scheme", [True, False])
def test_https_goes_by_a_tunnel(monkeypatch, deploy, bucket, name, with_scheme):
    """
    The proxy is asked to CONNECT, and sees neither path nor signature: TLS ends at the host, whose
    certificate is asked for as without a proxy. The name is not resolved here.
    """
    with ForwardProxy({f"{BUCKET}:443": bucket.name}) as proxy:
        monkeypatch.setenv(name, proxy.url if with_scheme else proxy.name)
        told = deployed_to(deploy, f"https://{BUCKET}")

        told.deliver()

    assert [f"{BUCKET}:443"] == proxy.asked
    assert ["PUT"] == [request.method for request in bucket.received]
    assert "SUCCESS" == bucket.received[0].json["Status"]
    assert b"Signature" not in b"".join(proxy.heads)


def test_a_host_that_nobody_vouches_for(monkeypatch, deploy, bucket):
    """
    A proxy that leads elsewhere learns nothing: the certificate is of another name.
    """
    with ForwardProxy({"other.example:443": bucket.name}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        told = deployed_to(deploy, "https://other.example")

        error = told.fail_to_deliver()

    assert "SSLError" in str(error)
    assert [] == bucket.received


def test_http_of_an_emulator(monkeypatch, deploy, start):
    """
    An emulator's http goes through HTTP_PROXY, byte for byte what goes there directly.
    """
    host = start()
    with ForwardProxy({"emulator.example:4566": host.name}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        told = deployed_to(deploy, "http://emulator.example:4566")

        told.deliver()

    assert ["emulator.example:4566"] == proxy.asked
    [put] = host.received
    assert told.event["ResponseURL"] == f"http://emulator.example:4566{put.target}"
    assert [""] == put.headers.get_all("content-type")


def test_credentials(monkeypatch, deploy, bucket, caplog):
    """
    A proxy's credentials, quoted as in URLs, reach the proxy, and no log.
    """
    caplog.set_level(logging.DEBUG)
    with ForwardProxy({f"{BUCKET}:443": bucket.name}, credentials=f"me:{WORD}@ü") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{WORD}%40%C3%BC@{proxy.name}")
        told = deployed_to(deploy, f"https://{BUCKET}")

        told.deliver()

    assert "SUCCESS" == bucket.received[0].json["Status"]
    assert WORD not in caplog.text


@pytest.mark.parametrize(
    ("named", "status", "words"),
    [
        ("http://me:{word}@{name}", 403, "refuses with 403"),
        ("http://me:{word}@{name}", 407, "refuses with 407"),
        ("socks5://me:{word}@{name}", 0, "give HTTPS_PROXY as http://host:port"),
        ("http://me:{word}@{name}x", 0, "give HTTPS_PROXY as http://host:port"),
        ("http://me:{word}@", 0, "give HTTPS_PROXY as http://host:port"),
    ],
)
def test_a_proxy_that_refuses(monkeypatch, deploy, caplog, named, status, words):
    """
    What will not change is tried once, and said with what to do; the answer is kept.
    """
    caplog.set_level(logging.DEBUG)
    with ForwardProxy(refuses=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", named.format(word=WORD, name=proxy.name))
        told = deployed_to(deploy, f"https://{BUCKET}")

        error = told.fail_to_deliver()

    assert "after 1 try" in str(error)
    assert words in str(error)
    assert WORD not in str(error) + caplog.text
    assert "SUCCESS" in told.recorded.decode()


@pytest.mark.parametrize("status", [502, 503])
def test_a_proxy_that_is_in_trouble(monkeypatch, deploy, status):
    """
    What may pass is tried until the time is over.
    """
    with ForwardProxy(refuses=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        told = deployed_to(deploy, f"https://{BUCKET}")

        error = told.fail_to_deliver()

    assert len(proxy.asked) > 5
    assert f"goes through http://{proxy.name}" in str(error)
    assert f"let it connect to {BUCKET}" in str(error)


def test_a_proxy_that_is_gone(monkeypatch, deploy):
    """
    A proxy out of reach is named, for it is the first thing to look at.
    """
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{WORD}@127.0.0.1:1")
    told = deployed_to(deploy, f"https://{BUCKET}")

    error = told.fail_to_deliver()

    assert "ProxyError (by HTTPS_PROXY the response goes through http://127.0.0.1:1" in str(error)
    assert WORD not in str(error)


@pytest.mark.parametrize(
    ("no_proxy", "goes_past"),
    [
        ("127.0.0.1", True),
        ("{host}", True),
        ("127.0.0.1:1", False),
        ("example.com, 127.0.0.1 ,", True),
        ("*", True),
        ("127.0.0.0/8", True),
        ("10.0.0.0/8,127.0.0.1/32", True),
        ("10.0.0.0/8", False),
        ("no/network", False),
        (".0.0.1", True),
        ("7.0.0.1", False),
        ("", False),
    ],
)
def test_no_proxy(monkeypatch, deploy, start, no_proxy, goes_past):
    """
    NO_PROXY takes the forms that boto3 and requests take.
    """
    host = start()
    with ForwardProxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(host=host.name))
        deployed_to(deploy, host.url).deliver()

    assert 1 == len(host.received)
    assert ([] if goes_past else [host.name]) == proxy.asked


BUCKET_OF_AWS = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"


@pytest.mark.parametrize(
    ("no_proxy", "goes_past"),
    [
        (".amazonaws.com", True),
        ("amazonaws.com", True),
        (f"localhost,{BUCKET_OF_AWS.upper()}:443", False),  # as boto3: the URL has no port
        ("localhost, .S3.amazonaws.com", True),
        ("aws.com", False),
        ("s3.us-east-1.amazonaws.com", False),
    ],
)
def test_an_endpoint_in_the_vpc(monkeypatch, no_proxy, goes_past):
    """
    Where S3 has an endpoint in the VPC, its names are in NO_PROXY: then no proxy is asked.
    """
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{WORD}@10.0.0.1:3128")
    monkeypatch.setenv("no_proxy", no_proxy)

    proxy = proxy_for(f"https://{BUCKET_OF_AWS}/key?X-Amz-Signature=0")

    assert goes_past == (proxy is None)
    assert WORD not in repr(proxy)
