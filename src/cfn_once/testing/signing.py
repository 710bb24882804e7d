"""ResponseURLs: pre-signed as S3 does it, by Signature Version 4 of a PUT."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from .._cloudformation.endpoints import region_of, written_host_of

REGION = "us-east-1"  # of what is no stack's
LIFE = 7200  # seconds; every recorded URL
# The sample credentials of AWS's documentation: what they sign is worth nothing elsewhere.
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = f"{REGION}/s3/aws4_request"
ALGORITHM = "AWS4-HMAC-SHA256"
DATE = "%Y%m%dT%H%M%SZ"
MOST_KEPT = 1024  # the hundreds of runs of one scenario sign the same few URLs


def key_of(event: Mapping[str, Any]) -> str:
    """Return the key of a request's answer: the same for every URL of the request."""
    return "|".join(str(event[part]) for part in ("StackId", "LogicalResourceId", "RequestId"))


def bucket_url(key: str = "") -> str:
    """Return where CloudFormation takes the answer of a key: in the Region of its stack."""
    return f"https://{written_host_of(region_of(key.partition('|')[0]) or REGION)}"


@lru_cache(MOST_KEPT)
def sign(key: str, now: float, base: str = "") -> str:
    """Return the URL under which `key` may be PUT for the next two hours.

    The base is scheme and host: CloudFormation's own, unless given.
    """
    base = base or bucket_url(key)
    date = datetime.fromtimestamp(now, UTC).strftime(DATE)
    path = "/" + quote(key, safe="/-_.~")
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Date": date,
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Expires": str(LIFE),
        "X-Amz-Credential": f"{KEY_ID}/{date[:8]}/{SCOPE}",
    }
    signature = _signature(urlsplit(base).netloc, path, query)
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{base}{path}?{asked}&X-Amz-Signature={signature}"


@lru_cache(MOST_KEPT)
def verify(url: str) -> float | None:
    """Return when a URL expires; None where its signature is wrong, KeyError where it has none."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    signature = query.pop("X-Amz-Signature")
    if not hmac.compare_digest(signature, _signature(parts.netloc, parts.path, query)):
        return None
    signed = datetime.strptime(query["X-Amz-Date"], DATE).replace(tzinfo=UTC)
    return signed.timestamp() + int(query["X-Amz-Expires"])


def _signature(host: str, path: str, query: Mapping[str, str]) -> str:
    """Return the signature of a request whose only signed header is its host."""
    date = query.get("X-Amz-Date", "")
    asked = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(query.items())
    )
    canonical = f"PUT\n{path}\n{asked}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{date}\n{date[:8]}/{SCOPE}\n{digest}"
    return _hmac(_signing_key(date[:8]), text).hex()


@lru_cache(maxsize=64)
def _signing_key(day: str) -> bytes:
    key = f"AWS4{SECRET}".encode()
    for part in (day, *SCOPE.split("/")):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()
