"""Where an answer may go: whoever gets it, or chooses its place, has a say in the stack."""

import dataclasses
from urllib.parse import quote, unquote_to_bytes

import pytest
import urllib3
from botocore.loaders import Loader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfn_once import ConfigurationError, InvalidRequest, Request
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once._cloudformation.endpoints import (
    KNOWN_REGIONS,
    Addressee,
    Foreign,
    OtherRegion,
    Own,
    Trusted,
    hosts_of,
    judge,
    written_host_of,
)
from support.requests_of_cloudformation import recorded

BUCKET = "cloudformation-custom-resource-response"
EMULATOR = "127.0.0.1:4566"
PARTITIONS = {  # what botocore says; the response hosts of some are in no recording
    partition["id"]: partition for partition in Loader().load_data("partitions")["partitions"]
}
REGIONS = {
    region: partition["id"]
    for partition in PARTITIONS.values()
    for region in partition["regions"]
    if not region.endswith("-global")
}


def named(region="eu-west-1", partition="aws", *, stack="shop/5c6d7e80", request_id="1f2e3d4c"):
    """Return whom an answer is for, of a stack in a Region."""
    arn = f"arn:{partition}:cloudformation:{region}:123456789012:stack/{stack}"
    return Addressee(arn, "Group", request_id)


def path_of(addressee):
    """Return the path as in each recorded URL: slashes are left as they are."""
    return "/" + quote("|".join(addressee), safe="/-")


def url(host, addressee):
    return f"https://{host}{path_of(addressee)}?X-Amz-Date=20240701T100000Z&X-Amz-Signature=0"


def is_own(host, region, partition="aws", **trusted):
    addressee = named(region, partition)
    return isinstance(judge(url(host, addressee), addressee, Trusted(**trusted)), Own)


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("us-east-1", "aws", "useast1.s3.amazonaws.com"),
        ("eu-west-1", "aws", "euwest1.s3-eu-west-1.amazonaws.com"),
        ("us-west-2", "aws", "uswest2.s3-us-west-2.amazonaws.com"),
        ("ap-southeast-1", "aws", "apsoutheast1.s3-ap-southeast-1.amazonaws.com"),
        ("us-east-2", "aws", "useast2.s3-us-east-2.amazonaws.com"),
        ("eu-central-1", "aws", "eucentral1.s3.eu-central-1.amazonaws.com"),
        ("eu-west-2", "aws", "euwest2.s3.eu-west-2.amazonaws.com"),
        ("cn-north-1", "aws-cn", "cnnorth1.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_every_recorded_host_is_cloudformations(region, partition, host):
    """
    The forms of all recordings from 2013 to 2024, each of them in its own Region.
    """
    assert is_own(f"{BUCKET}-{host}", region, partition)


@pytest.mark.parametrize(("region", "partition"), REGIONS.items())
def test_each_region_has_its_hosts(region, partition):
    """
    In every partition that botocore knows: each form that S3 has, under the partition's suffix, and
    of no other Region.
    """
    suffix, bucket = PARTITIONS[partition]["outputs"]["dnsSuffix"], region.replace("-", "")
    forms = [f"s3.{region}", f"s3-{region}", f"s3.dualstack.{region}", f"s3-fips.{region}"]
    neighbours = {"eu-west-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"} - {region}

    for form in forms:
        host = f"{BUCKET}-{bucket}.{form}.{suffix}"
        assert is_own(host, region, partition)
        assert not any(is_own(host, other, REGIONS[other]) for other in neighbours)
    assert is_own(f"{BUCKET}-{bucket}.s3.{suffix}", region, partition) == (region == "us-east-1")
    assert is_own(written_host_of(region), region, partition)


def test_the_regions_are_those_of_botocore():
    """
    A Region that botocore knows is known here.
    """
    assert set() == set(REGIONS) - KNOWN_REGIONS


ASKED = named()
HOST = f"{BUCKET}-euwest1.s3.eu-west-1.amazonaws.com"
PATH = path_of(ASKED)
GOOD = HOST + PATH


@pytest.mark.parametrize(
    "odd",
    [
        f"https://{HOST}.example.com{PATH}",
        f"https://example.com/{GOOD}",
        f"https://example.com?{GOOD}",
        f"https://example.com#{GOOD}",
        f"https://{HOST}@example.com{PATH}",
        f"https://{HOST}:443@example.com{PATH}",
        f"https://user:word@{GOOD}",
        f"https://{HOST}:443{PATH}",
        f"https://{HOST}:8443{PATH}",
        f"https://{HOST}:80{PATH}",
        f"https://{HOST}:port{PATH}",
        f"https://{HOST}:{PATH}",
        f"https://{HOST}.{PATH}",
        f"https://{HOST}.:443{PATH}",
        f"https://x.{GOOD}",
        f"https://{HOST}%2eexample.com{PATH}",
        f"https://{HOST}%00.example.com{PATH}",
        f"https://{HOST}\\.example.com{PATH}",
        f"https://example.com\\@{GOOD}",
        f"https:\\\\{GOOD}",
        f"https:{GOOD}",
        f"https:/{GOOD}",
        f"https:///{GOOD}",
        f"https://{HOST}\n.example.com{PATH}",
        f"https://{GOOD}\r\nHost: example.com",
        f"https://{GOOD} with spaces",
        f"https://{HOST}\t{PATH}",
        f" https://{GOOD}",
        f"HTTPS://{GOOD}",
        f"https://{HOST.upper()}{PATH}",
        f"https://{HOST.replace('amazonaws', 'AmazonAWS')}{PATH}",
        f"https://{GOOD}#fragment",
        f"https://{HOST}?{PATH}",
        f"https://{HOST}",
        f"https://{HOST}?x=/{PATH}",
        f"https://{HOST};{PATH}",
        f"https://{GOOD.replace('amazonaws', 'amazonaws-')}",
        f"https://{GOOD.replace('amazonaws.com', 'amazonaws.com.cn')}",
        f"https://{GOOD.replace('amazonaws.com', 'amazonaws.eu')}",
        f"https://{GOOD.replace('amazonaws.com', 'amazonawsxcom')}",
        f"https://{GOOD.replace('.s3.', '.s3.evil.')}",
        f"https://{GOOD.replace('.s3.eu-west-1', '.s3')}",
        f"https://{GOOD.replace('s3.eu', 's3-website.eu')}",
        f"https://{GOOD.replace('s3.eu', 's3-website-eu')}",
        f"https://{GOOD.replace('s3.eu-west-1', 's3-accelerate')}",
        f"https://{GOOD.replace('s3.eu-west-1', 's3-external-1')}",
        f"https://{GOOD.replace('s3.eu-west-1', 's3.us-east-1')}",
        f"https://s3.eu-west-1.amazonaws.com/{BUCKET}-euwest1{PATH}",
        f"https://{GOOD.replace('-euwest1', '')}",
        f"https://{GOOD.replace('-euwest1', '-evil')}",
        f"https://{GOOD.replace('-euwest1', '-useast1')}",
        f"https://{GOOD.replace('euwest1', 'eu-west-1', 1)}",
        f"https://{GOOD.replace('euwest1', 'euw' + chr(0x435) + 'st1', 1)}",
        f"https://{GOOD.replace('response', 're' + chr(0x17F) + 'ponse')}",
        f"https://{GOOD.replace('.com', chr(0x3002) + 'com')}",
        f"https://{GOOD.replace('amazonaws.com', 'amazonaws' + chr(0x200B) + '.com')}",
        f"https://xn--{GOOD}",
        f"http://{GOOD}",
        f"ftp://{GOOD}",
        f"file:///{GOOD}",
        f"//{GOOD}",
        GOOD,
        "https:///key",
        "https://[::1/key",
        f"https://[::1]{PATH}",
        "https://169.254.169.254/latest/meta-data",
        f"http://{EMULATOR}{PATH}",
        "no URL",
        "",
    ],
    ids=ascii,
)
def test_other_places_are_refused(odd):
    """
    Whatever is not, letter by letter, as CloudFormation writes it is refused.
    """
    assert isinstance(judge(odd, ASKED, Trusted()), Foreign)
    assert isinstance(judge(odd, ASKED, Trusted(own="eu-west-1", regions={"eu-west-2"})), Foreign)


@pytest.mark.parametrize(
    "path",
    [
        "/k",
        "/",
        path_of(named(stack="shop/another")),
        path_of(named(request_id="another")),
        path_of(named("us-east-1")),
        f"/{PATH}",
        f"{PATH}/",
        f"{PATH}%00",
        f"{PATH}%20",
        f"{PATH}%7C",
        f"/x/..{PATH}",
        f"/.{PATH}",
        f"{PATH}/../x",
        PATH.replace("/shop", "/shop/."),
        PATH.replace("/shop", "/%2e/shop"),
        PATH.replace("/shop", "%2Fshop"),
        PATH.replace("/shop", "%2fshop"),
        PATH.replace("%7C", "%257C"),
        PATH.replace("%7C", "%7"),
        PATH.replace("%7C", "%"),
        PATH.replace("%7C", "%7G"),
        PATH.replace("shop", "sh%C3op"),
        PATH.replace("Group", "group"),
        PATH.replace("Group", "Gro\u00adup"),
        PATH.replace("Group", "Group;x"),
        PATH.replace("shop", "sh+op"),
    ],
    ids=ascii,
)
def test_the_key_of_another_answer_is_refused(path):
    """
    In CloudFormation's bucket lie everybody's answers: a URL for another one is of another stack.
    """
    verdict = judge(f"https://{HOST}{path}?X-Amz-Signature=0", ASKED, Trusted())

    assert isinstance(verdict, Foreign)


@pytest.mark.parametrize(
    "stack_id",
    [
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/../x",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/./x",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/%zz",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/\ud800",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/\ufffd",
        "arn:aws:s3:eu-west-1:123456789012:stack/x",
        "arn:aws-cn:cloudformation:eu-west-1:123456789012:stack/x",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/x:y",
        "arn:aws:cloudformation::123456789012:stack/x",
        "eu-west-1",
        "",
    ],
    ids=ascii,
)
def test_a_stack_that_cannot_be_one_is_refused(stack_id):
    """
    A forged StackId chooses the key, and may not choose a place with it: no dots that a client
    takes out, no half a character, no other service and no partition that is not its Region's.
    """
    forged = Addressee(stack_id, "Group", "1")
    path = "/" + stack_id.replace("\ufffd", "%FF").replace("\ud800", "%ED%A0%80") + "%7CGroup%7C1"

    assert isinstance(judge(f"https://{HOST}{path}", forged, Trusted()), Foreign)


@pytest.mark.parametrize(
    "region",
    [
        "accelerate",
        "external-1",
        "website-eu-west-1",
        "fips-us-gov-west-1",
        "1",
        "us-evil-1",
        "evil",
    ],
)
def test_a_region_that_the_event_makes_up(region):
    """
    S3 has hosts such as s3-external-1 and s3-accelerate: the Region is one of AWS's, or none.
    """
    for host in hosts_of(region):
        assert not is_own(host, region)
        assert not is_own(host, region, own="eu-west-1")


def test_a_region_that_is_newer_than_this_version():
    """
    The function's own, and those that the provider lists, need not be known here.
    """
    host = f"{BUCKET}-euwest9.s3.eu-west-9.amazonaws.com"

    assert is_own(host, "eu-west-9", own="eu-west-9")
    assert is_own(host, "eu-west-9", own="eu-west-1", regions={"eu-west-9"})
    assert not is_own(host, "eu-west-9")


@pytest.mark.parametrize(
    ("trusted", "verdict"),
    [
        (Trusted(), Own()),
        (Trusted(own="eu-west-1"), Own()),
        (Trusted(own="us-east-1"), OtherRegion("eu-west-1")),
        (Trusted(own="us-east-1", regions={"us-west-2"}), OtherRegion("eu-west-1")),
        (Trusted(own="us-east-1", regions={"eu-west-1"}), Own()),
        (Trusted(own="us-east-1", hosts={HOST}), Own()),
    ],
)
def test_the_regions_that_are_served(trusted, verdict):
    """
    The function's own, and those that the provider lists; off Lambda that of each request.
    """
    assert verdict == judge(f"https://{GOOD}?X-Amz-Signature=0", ASKED, trusted)
    if isinstance(verdict, OtherRegion):  # and that is no weaker check than any other
        assert isinstance(judge(f"https://{HOST}/k", ASKED, trusted), Foreign)


HARMLESS = "aZ09-._~/%|:?#@&=+;,!$'()*[]\\ \t\n\x00\x7f\u00e9\u3002\u0455"
PIECES = (
    *(
        "https://",
        "http://",
        "//",
        "/",
        "/../",
        "/./",
        "?",
        "#",
        "@",
        ":",
        ":443",
        ".",
        "%2F",
        "%2f",
    ),
    *("%7C", "|", "%257C", "%", "%00", "\\", "example.com", "s3", "s3-accelerate", "eu-west-1"),
    *(
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        HOST,
        PATH,
        BUCKET,
        "euwest1",
        "useast1",
    ),
)


@st.composite
def mangled(draw):
    """A right URL with some places cut out, doubled or written over."""
    text = f"https://{draw(st.sampled_from(sorted(hosts_of('eu-west-1'))))}{PATH}?X-Amz-Signature=0"
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        new = draw(st.sampled_from(PIECES) | st.text(HARMLESS, max_size=3))
        text = text[:start] + new + text[end:]
    return text


@settings(max_examples=1_000, deadline=None)
@given(mangled())
@example(f"https://{GOOD}")
@example(f"https://{GOOD.replace('%3A', ':').replace('%7C', '|')}")
def test_what_is_taken_is_sent_to_the_place_that_was_meant(text):
    """
    Whatever is made of a URL: if it is taken, the client that sends the answer goes to
    CloudFormation's own host, over https, and to the request's own key.
    """
    if not isinstance(judge(text, ASKED, Trusted()), Own):
        return

    sent = urllib3.util.parse_url(text)

    assert ("https", None, None) == (sent.scheme, sent.auth, sent.port)
    assert sent.host in hosts_of("eu-west-1")
    assert f"/{'|'.join(ASKED)}".encode() == unquote_to_bytes(sent.path)


CREATE = Request.from_event(recorded("create"))


def check(response_url, *hosts):
    return HttpsDelivery(hosts=hosts).check(dataclasses.replace(CREATE, response_url=response_url))


def test_recorded_requests_are_taken():
    """
    The recorded events, as they are.
    """
    for name in ("create", "update", "delete", "delete_of_cancelled_create"):
        assert "" == HttpsDelivery().check(Request.from_event(recorded(name)))


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (CREATE.response_url.replace("https", "http"), "is not https"),
        ("no URL", "is written as CloudFormation never writes one"),
        (CREATE.response_url.replace("https", "ftp"), "is no https URL"),
        (CREATE.response_url.replace("https://", "https://x@"), "CloudFormation never writes one"),
        (CREATE.response_url.replace(".com", ".com:443"), "CloudFormation never writes one"),
        (
            CREATE.response_url.replace("Group", "Other"),
            "belongs to the response to another request: ",
        ),
        (
            f"http://{EMULATOR}/key?token=secret",
            (
                "has the host 127.0.0.1:4566, which is not CloudFormation's in eu-central-1. If it"
                ' is your emulator\'s: Provider(..., response_hosts=["127.0.0.1:4566"]), or'
                " CFN_ONCE_RESPONSE_HOSTS=127.0.0.1:4566"
            ),
        ),
    ],
    ids=ascii,
)
def test_a_refusal_says_what_to_do(odd, words):
    """
    An emulator's user finds the very line to add; nobody finds the secret in it.
    """
    with pytest.raises(InvalidRequest, match="nothing was done, for its ResponseURL") as raised:
        check(odd)

    assert words in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "Signature" not in str(raised.value)


def test_a_region_that_is_not_known_is_named():
    """
    Whoever deploys in a Region that is newer than this version finds the line to add.
    """
    stack_id = CREATE.stack_id.replace("eu-central-1", "eu-west-9")
    other = dataclasses.replace(CREATE, stack_id=stack_id)

    with pytest.raises(InvalidRequest, match=r'Provider\(\.\.\., regions=\["eu-west-9"\]\)'):
        HttpsDelivery().check(other)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_listed_host_may_use_http(scheme):
    """
    Emulators do, with keys as they like; the port is part of the name, and of no other host
    anything is let through.
    """
    assert "" == check(f"{scheme}://{EMULATOR}/key", EMULATOR)
    assert "" == check(f"{scheme}://LocalStack/key", "localstack")
    assert "" == check(f"{scheme}://localstack/key", "LocalStack")
    for odd in (
        f"{scheme}://127.0.0.1:4567/key",
        f"{scheme}://127.0.0.1/key",
        f"{scheme}://user@{EMULATOR}/key",
        f"ftp://{EMULATOR}/key",
        CREATE.response_url.replace("https", "http"),
    ):
        with pytest.raises(InvalidRequest):
            check(odd, EMULATOR)


@pytest.mark.parametrize("regions", [["eu_west_1"], ["EU-WEST-1"], "eu-west-1", ["eu-west"], [""]])
def test_what_is_no_region(regions):
    """
    A Region that nobody can be in is a mistake of whoever writes the provider.
    """
    with pytest.raises(ConfigurationError, match="give names of Regions"):
        HttpsDelivery(regions=regions)
