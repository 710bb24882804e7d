"""Where the response to a request may go: CloudFormation's own bucket, the request's own key.

S3's names are global: anybody can register `cloudformation-custom-resource-response-anything`. So
nothing here is a pattern. The Region names the bucket and its hosts, letter by letter, and the
request names the key. What a URL says of itself decides nothing.
"""

from collections.abc import Set as AbstractSet
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

BUCKET = "cloudformation-custom-resource-response-"
PORTS = {"http": 80, "https": 443}

# Partitions by what the names of their Regions begin with; all others are of `aws`. The suffixes
# and the Regions are botocore's (partitions.json), which lacks the hosts that were recorded.
PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "eu-isoe-": ("aws-iso-e", "cloud.adc-e.uk"),
    "us-isof-": ("aws-iso-f", "csp.hci.ic.gov"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
}
_NAMES = """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1
    ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
    ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1
    eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1
    me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1 us-east-2 us-west-1 us-west-2
    cn-north-1 cn-northwest-1 us-gov-east-1 us-gov-west-1 us-iso-east-1 us-iso-west-1
    us-isob-east-1 us-isob-west-1 eu-isoe-west-1 us-isof-east-1 us-isof-south-1 eusc-de-east-1
"""
KNOWN_REGIONS = frozenset(_NAMES.split())
BARE = frozenset({"us-east-1"})  # whose recorded host names no Region; protocol, "ResponseURL"


class Addressee(NamedTuple):
    """Whom an answer is for: what CloudFormation names the object after that it reads."""

    stack_id: str
    logical_resource_id: str
    request_id: str


class Trusted(NamedTuple):
    """What the deployment says, and no event.

    Attributes:
        own: The function's Region; empty off Lambda, where each request's Region is its own.
        regions: Regions that the provider lists besides.
        hosts: Hosts that the provider lists, `name` or `name:port` in lower case; emulators', which
            may use http, and have buckets, keys and Regions as they like.
    """

    own: str = ""
    regions: AbstractSet[str] = frozenset()
    hosts: AbstractSet[str] = frozenset()

    def serves(self, region: str) -> bool:
        """Tell whether requests of stacks in a Region are served."""
        return region == self.own or region in self.regions or not self.own


class Own(NamedTuple):
    """The answer may be sent there."""


class OtherRegion(NamedTuple):
    """It is CloudFormation's and the request's own, in a Region that is not served."""

    region: str


class Foreign(NamedTuple):
    """Nothing may be sent there, and the text says why."""

    problem: str


Verdict = Own | OtherRegion | Foreign


def judge(url: str, addressee: Addressee, trusted: Trusted) -> Verdict:
    """Tell whether the answer to a request may be sent to a URL: of these three alone."""
    endpoint, region = Endpoint.of(url), region_of(addressee.stack_id)
    known = region in KNOWN_REGIONS or region in {trusted.own, *trusted.regions} - {""}
    if not endpoint.is_plain:
        return Foreign("is written as CloudFormation never writes one")
    if endpoint.scheme not in PORTS or not endpoint.host:
        return Foreign("is no https URL")
    if endpoint.host in trusted.hosts:
        return Own()
    if not known:
        return Foreign(_of_no_region(endpoint, region))
    if endpoint.host not in hosts_of(region):
        return Foreign(_of_no_host(endpoint, f"CloudFormation's in {region}"))
    if endpoint.scheme != "https":
        return Foreign("is not https")
    target = url.removeprefix(f"https://{endpoint.host}/")
    if target == url or "#" in url:  # capitals, a port, no path
        return Foreign("is written as CloudFormation never writes one")
    if not _is_named_after(target.partition("?")[0], addressee):
        return Foreign("belongs to the response to another request: who sent this one?")
    return Own() if trusted.serves(region) else OtherRegion(region)


def _of_no_host(endpoint: "Endpoint", whose: str) -> str:
    return (
        f"has the host {endpoint.host}, which is not {whose}. If it is your emulator's:"
        f' Provider(..., response_hosts=["{endpoint.host}"]), or'
        f" CFN_ONCE_RESPONSE_HOSTS={endpoint.host}"
    )


def _of_no_region(endpoint: "Endpoint", region: str) -> str:
    text = _of_no_host(endpoint, "CloudFormation's in any Region known here")
    if is_region(region):
        text += (
            f'. If its stack is in {region}, a Region of AWS: Provider(..., regions=["{region}"])'
        )
    return text


class Endpoint(NamedTuple):
    """Where a ResponseURL leads.

    Attributes:
        scheme: In lower case.
        host: As a provider lists it: with the port where that is not the scheme's own.
        is_plain: Nothing odd is in it, and every parser reads it alike.
    """

    scheme: str
    host: str
    is_plain: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the endpoint of a URL; without scheme and host where there is none to read."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return cls("", "", is_plain=False)
        is_clean = url.isascii() and url.isprintable() and not set(url) & set(" \\")
        name = parts.hostname or ""
        return cls(
            scheme=parts.scheme,
            host=name if port in (None, PORTS.get(parts.scheme)) else f"{name}:{port}",
            is_plain=is_clean and "@" not in parts.netloc,
        )


def _is_named_after(path: str, addressee: Addressee) -> bool:
    """Tell whether a path, without its first slash, is of the object that answers a request.

    Slashes stay as they are in each recorded URL. A client removes dots between them, and spells a
    percent sign again that no two hex digits follow: such a path would not be sent as it was read.
    """
    escapes = [escape[:2] for escape in path.split("%")[1:]]
    if any(
        len(escape) < 2 or set(escape) - _HEX_DIGITS or escape in _SLASHES for escape in escapes
    ):
        return False
    try:
        key = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return key == "|".join(addressee) and not {".", ".."} & set(key.split("/"))


_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_SLASHES = ("2f", "2F")


def region_of(stack_id: str) -> str:
    """Return the Region in a stack's ARN; empty where it is none, or of another partition."""
    parts = stack_id.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "cloudformation":
        return ""
    partition, region = parts[1], parts[3]
    return region if partition == _partition_of(region)[0] else ""


def is_region(text: str) -> bool:
    """Tell whether a text is written as a Region's name."""
    parts = text.split("-")
    is_name = text.isascii() and text.islower() and text.replace("-", "").isalnum()
    return is_name and len(parts) >= 3 and parts[-1].isdigit() and all(parts)


def hosts_of(region: str) -> frozenset[str]:
    """Return the hosts of CloudFormation's bucket in a Region, in each form that S3 has for it."""
    names = ("s3.{}", "s3-{}", "s3.dualstack.{}", "s3-fips.{}", *(["s3"] if region in BARE else []))
    suffix, bucket = _partition_of(region)[1], bucket_of(region)
    return frozenset(f"{bucket}.{name.format(region)}.{suffix}" for name in names)


def written_host_of(region: str) -> str:
    """Return the host that CloudFormation writes into URLs of a Region, as recorded."""
    name = "s3" if region in BARE else f"s3.{region}"
    return f"{bucket_of(region)}.{name}.{_partition_of(region)[1]}"


def _partition_of(region: str) -> tuple[str, str]:
    """Return a Region's partition, and the suffix of its hosts."""
    for start, partition in PARTITIONS.items():
        if region.startswith(start):
            return partition
    return "aws", "amazonaws.com"


def dns_suffix_of(region: str) -> str:
    """Return the suffix of the hosts of AWS's services in a Region."""
    return _partition_of(region)[1]


def suffix_of(partition: str) -> str:
    """Return the suffix of a partition's hosts."""
    return dict(PARTITIONS.values()).get(partition, "amazonaws.com")


def bucket_of(region: str) -> str:
    """Return the name of CloudFormation's bucket for a Region."""
    return BUCKET + region.replace("-", "")
