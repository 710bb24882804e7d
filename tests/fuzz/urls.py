"""
ResponseURLs, good and forged, and another opinion on which of them CloudFormation reads.

The oracle knows the protocol and urllib3's own parser, which is the one that says where an answer
really goes; of the check it knows nothing.
"""

import random
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import urllib3

from cfn_once import InvalidRequest, Request
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once._cloudformation.request import RequestType

BUCKET = "cloudformation-custom-resource-response-"
SIGNATURE = "5e1f6ac0de5e1f6ac0de5e1f6ac0de5e1f6ac0de5e1f6ac0de5e1f6ac0de0042"
QUERY = (
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-SignedHeaders=host"
    "&X-Amz-Expires=7200&X-Amz-Credential=AKIAEXAMPLE%2F20240701%2Fs3%2Faws4_request"
    f"&X-Amz-Signature={SIGNATURE}"
)
# By partition: Regions, and the suffix of its hosts. Protocol reference; botocore's partitions.json
PARTITIONS = {
    "aws": ("amazonaws.com", ["us-east-1", "eu-central-1", "ap-southeast-3", "me-south-1"]),
    "aws-cn": ("amazonaws.com.cn", ["cn-north-1", "cn-northwest-1"]),
    "aws-us-gov": ("amazonaws.com", ["us-gov-west-1"]),
    "aws-iso": ("c2s.ic.gov", ["us-iso-east-1"]),
    "aws-eusc": ("amazonaws.eu", ["eusc-de-east-1"]),
}
REGIONS = {
    region: (partition, suffix)
    for partition, (suffix, regions) in PARTITIONS.items()
    for region in regions
}
DELIVERY = HttpsDelivery()
FORMS = ("s3.{}", "s3-{}", "s3.dualstack.{}", "s3-fips.{}", "s3")
ODD = [
    *"\\@#?%/:;.|\t\r\n \x00-_~[]<>'\"",
    "%2f",
    "%00",
    "//",
    "..",
    "/../",
    "%2e",
    "@evil.example",
]
# A dot, an s, an s, a K, nothing, a turn, an a, an é, half a character and an emoji.
ODD += [*"\u3002\uff53\u017f\u212a\u200b\u202e\u0430\u00e9\ud800\U0001f600"]
EVIL = ["evil.example", "127.0.0.1", "[::1]", "169.254.169.254", "bucket.s3.amazonaws.com"]


class Asked(NamedTuple):
    """What a request says of itself, and where its answer is to go."""

    stack_id: str
    logical_id: str
    request_id: str
    url: str


def asked(chance: random.Random, date: str = "20270115T080000Z") -> Asked:
    """Return a request and the URL that CloudFormation would give it."""
    region = chance.choice(list(REGIONS))
    partition, suffix = REGIONS[region]
    number = f"{chance.getrandbits(128):032x}"
    uuid = f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:]}"
    stack_id = f"arn:{partition}:cloudformation:{region}:123456789012:stack/shop/{uuid}"
    names = (stack_id, "Group", uuid)
    forms = FORMS if region == "us-east-1" else FORMS[:-1]
    host = f"{BUCKET}{region.replace('-', '')}.{chance.choice(forms).format(region)}.{suffix}"
    key = quote("|".join(names), safe="/")
    return Asked(*names, f"https://{host}/{key}{QUERY.format(date=date)}")


def mutated(url: str, chance: random.Random) -> str:
    """Return a URL with one to four things done to it."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        url = chance.choice(WAYS)(url, chance)
    return url


def is_own(request: Asked) -> bool:
    """Tell whether an answer that is PUT to the URL is CloudFormation's, and this request's own."""
    try:
        parts = urllib3.util.parse_url(request.url)
    except (urllib3.exceptions.LocationParseError, ValueError):
        return False
    if parts.scheme != "https" or parts.auth or parts.port not in (None, 443):
        return False
    region = request.stack_id.split(":")[3]
    if region not in REGIONS or parts.host not in _hosts(region):
        return False
    path = unquote_to_bytes((parts.path or "")[1:])
    wanted = f"{request.stack_id}|{request.logical_id}|{request.request_id}"
    return path == wanted.encode()


def _hosts(region: str) -> set[str]:
    forms = FORMS if region == "us-east-1" else FORMS[:-1]
    suffix = REGIONS[region][1]
    return {f"{BUCKET}{region.replace('-', '')}.{form.format(region)}.{suffix}" for form in forms}


def _insert(url: str, chance: random.Random) -> str:
    at = chance.randrange(len(url) + 1)
    return url[:at] + chance.choice(ODD) + url[at:]


def _insert_into_host(url: str, chance: random.Random) -> str:
    at = chance.randrange(min(len(url), 120) + 1)
    return url[:at] + chance.choice(ODD) + url[at:]


def _drop(url: str, chance: random.Random) -> str:
    at = chance.randrange(len(url) + 1)
    return url[:at] + url[at + chance.choice((1, 1, 2, 8)) :]


def _flip(url: str, chance: random.Random) -> str:
    at = chance.randrange(max(len(url), 1))
    return url[:at] + chance.choice("abcz019.-/:@%A") + url[at + 1 :]


def _other_host(url: str, chance: random.Random) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    evil = chance.choice(EVIL)
    made = chance.choice(
        (
            evil,
            f"{host}.{evil}",
            f"{evil}/{host}",
            f"{host}@{evil}",
            f"{evil}@{host}",
            f"{host}:443@{evil}",
            f"{evil}#{host}",
            f"{evil}\\{host}",
            f"x.{host}",
            f"{host}:{chance.choice(('80', '443', '8443', '0443', '65536', '', '+443', ' 443'))}",
            f"{host}.",
            host.upper(),
            host.replace(BUCKET, f"{BUCKET}x"),
            host.replace("amazonaws", "amazonavvs"),
            f"{BUCKET}{chance.randrange(10**6)}.s3.{chance.choice(list(REGIONS))}.amazonaws.com",
        )
    )
    return f"{scheme}://{made}{slash}{path}"


def _other_key(url: str, chance: random.Random) -> str:
    head, slash, rest = url.partition(".com")
    key, mark, query = rest.partition("?")
    made = chance.choice(
        (
            key + "x",
            key.swapcase(),
            key.replace("%7C", "|"),
            key.replace("%7C", "%7c"),
            key.replace("/", "%2F"),
            key.replace("/", "//", 1),
            f"/x/..{key}",
            f"/.{key}",
            key.replace("Group", "Other"),
            quote(key, errors="replace"),
            "/" + "".join(f"%{byte:02X}" for byte in key[1:].encode("utf-8", "replace")),
            "",
        )
    )
    return head + slash + made + mark + query


def _other_scheme(url: str, chance: random.Random) -> str:
    made = chance.choice(
        ("http", "HTTPS", "ftp", "file", "", "https:", "http\u017f", " https", "javascript")
    )
    return made + ":" + url.partition(":")[2]


def _other_region(url: str, chance: random.Random) -> str:
    old, new = chance.choice(list(REGIONS)), chance.choice(list(REGIONS))
    return url.replace(old, new, 1).replace(old.replace("-", ""), new.replace("-", ""), 1)


WAYS: list[Any] = [
    _insert,
    _insert_into_host,
    _insert_into_host,
    _drop,
    _flip,
    _other_host,
    _other_host,
    _other_key,
    _other_scheme,
    _other_region,
]


def is_accepted(request: Asked) -> bool:
    """Tell whether the package would send an answer there."""
    wanted = Request(
        type=RequestType.CREATE,
        request_id=request.request_id,
        stack_id=request.stack_id,
        logical_resource_id=request.logical_id,
        resource_type="Custom::Group",
        response_url=request.url,
    )
    try:
        DELIVERY.check(wanted)
    except InvalidRequest:
        return False
    return True
