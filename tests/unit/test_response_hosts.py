"""Where an answer may go: whoever gets it, or chooses its host, has a say in the stack."""

import dataclasses

import pytest

from cfn_once import InvalidRequest, Request
from cfn_once._cloudformation.delivery import HttpsDelivery
from support.requests_of_cloudformation import recorded

BUCKET = "cloudformation-custom-resource-response"
EMULATOR = "127.0.0.1:4566"
CREATE = Request.from_event(recorded("create"))


def check(url, *hosts):
    HttpsDelivery(hosts=hosts).check(dataclasses.replace(CREATE, response_url=url))


@pytest.mark.parametrize(
    "host",
    [
        f"{BUCKET}-useast1.s3.amazonaws.com",
        f"{BUCKET}-euwest1.s3-eu-west-1.amazonaws.com",
        f"{BUCKET}-uswest2.s3-us-west-2.amazonaws.com",
        f"{BUCKET}-apsoutheast1.s3-ap-southeast-1.amazonaws.com",
        f"{BUCKET}-useast2.s3-us-east-2.amazonaws.com",
        f"{BUCKET}-eucentral1.s3.eu-central-1.amazonaws.com",
        f"{BUCKET}-euwest2.s3.eu-west-2.amazonaws.com",
        f"{BUCKET}-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
    ],
)
def test_every_recorded_host_is_cloudformations(host):
    """
    The forms of all recordings from 2013 to 2024; the port may be spelt out, as may the case.
    """
    check(f"https://{host}/key?X-Amz-Signature=0")
    check(f"https://{host}:443/key?X-Amz-Signature=0")
    check(f"HTTPS://{host.upper()}/key?X-Amz-Signature=0")


GOOD = f"{BUCKET}-useast1.s3.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{GOOD}.example.com/key",
        f"https://example.com/{GOOD}/key",
        f"https://example.com?{GOOD}",
        f"https://example.com#{GOOD}",
        f"https://{GOOD}@example.com/key",
        f"https://{GOOD}:443@example.com/key",
        f"https://user:word@{GOOD}/key",
        f"https://{GOOD}:8443/key",
        f"https://{GOOD}:80/key",
        f"https://{GOOD}:port/key",
        f"https://{GOOD}.:443/key",
        f"https://x.{GOOD}/key",
        f"https://{GOOD}%2eexample.com/key",
        f"https://{GOOD}%00.example.com/key",
        f"https://{GOOD}\\.example.com/key",
        f"https://example.com\\@{GOOD}/key",
        f"https:\\\\{GOOD}/key",
        f"https://{GOOD}/\\example.com/key",
        f"https://{GOOD}\n.example.com/key",
        f"https://{GOOD}/key\r\nHost: example.com",
        f"https://{GOOD}/key with spaces",
        f"https://{GOOD}\t/key",
        f" https://{GOOD}/key",
        f"https://{GOOD.replace('amazonaws', 'amazonaws-')}/key",
        f"https://{GOOD.replace('amazonaws.com', 'amazonaws.com.au')}/key",
        f"https://{GOOD.replace('amazonaws.com', 'amazonawsxcom')}/key",
        f"https://{GOOD.replace('.s3.', '.s3.evil.example.')}/key",
        f"https://{GOOD.replace('s3', 's3-website')}.com/key",
        f"https://{GOOD.replace('-useast1', '')}/key",
        f"https://{GOOD.replace('useast1', 'us-east-1')}/key",
        f"https://{GOOD.replace('useast1', 'us' + chr(0x430) + 'st1')}/key",
        f"https://{GOOD.replace('useast1', 'u' + chr(0x17F) + 'east1')}/key",
        f"https://{GOOD.replace('useast1', chr(0x212A) + 'east1')}/key",
        f"https://{GOOD.replace('.com', chr(0x3002) + 'com')}/key",
        f"https://{GOOD.replace('amazonaws.com', 'amazonaws' + chr(0x200B) + '.com')}/key",
        f"http://{GOOD}/key",
        f"ftp://{GOOD}/key",
        f"file:///{GOOD}/key",
        f"//{GOOD}/key",
        f"{GOOD}/key",
        "https:///key",
        "https://[::1/key",
        "https://169.254.169.254/latest/meta-data",
        f"http://{EMULATOR}/key",
        "no URL",
    ],
    ids=ascii,
)
def test_other_hosts_are_refused(url):
    """
    Whatever is not written as CloudFormation writes it is refused, before anything is done.
    """
    with pytest.raises(InvalidRequest, match="nothing was done, for its ResponseURL"):
        check(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://{GOOD}/key", "is not https"),
        ("no URL", "is written as CloudFormation never writes one"),
        (f"ftp://{GOOD}/key", "is no https URL"),
        (f"https://{GOOD}@example.com/key", "is written as CloudFormation never writes one"),
        (
            f"http://{EMULATOR}/key?token=secret",
            (
                "has the host 127.0.0.1:4566, which is not CloudFormation's. If it is your"
                ' emulator\'s: Provider(..., response_hosts=["127.0.0.1:4566"]), or'
                " CFN_ONCE_RESPONSE_HOSTS=127.0.0.1:4566"
            ),
        ),
    ],
    ids=ascii,
)
def test_a_refusal_says_what_to_do(url, words):
    """
    An emulator's user finds the very line to add; nobody finds the secret in it.
    """
    with pytest.raises(InvalidRequest) as raised:
        check(url)

    assert str(raised.value).endswith(words)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_listed_host_may_use_http(scheme):
    """
    Emulators do; the port is part of the name, and of no other host anything is let through.
    """
    check(f"{scheme}://{EMULATOR}/key", EMULATOR)
    check(f"{scheme}://LocalStack/key", "localstack")
    check(f"{scheme}://localstack/key", "LocalStack")
    for url in (
        f"{scheme}://127.0.0.1:4567/key",
        f"{scheme}://127.0.0.1/key",
        f"{scheme}://user@{EMULATOR}/key",
        f"ftp://{EMULATOR}/key",
        f"http://{GOOD}/key",
    ):
        with pytest.raises(InvalidRequest):
            check(url, EMULATOR)
