"""Signs what DynamoDB is asked: AWS's Signature Version 4, of a POST to `/`."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from time import gmtime, strftime
from typing import NamedTuple

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """The function's own, at one moment; no token is empty text."""

    access_key: str
    secret_key: str
    token: str = ""


def signed(
    headers: Mapping[str, str], body: bytes, credentials: Credentials, region: str, now: float
) -> dict[str, str]:
    """Return the headers with what signs all of them, and the body.

    Args:
        headers: What is sent, `Host` among it.
        body: The same.
        credentials: Whose request it is.
        region: The table's.
        now: Seconds since 1970.
    """
    date = strftime("%Y%m%dT%H%M%SZ", gmtime(now))
    headers = {**headers, "X-Amz-Date": date}
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lines)
    spelt = "".join(f"{name}:{value}\n" for name, value in lines)
    canonical = f"POST\n/\n\n{spelt}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{date[:8]}/{region}/dynamodb/aws4_request"
    text = f"{ALGORITHM}\n{date}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names},"
        f" Signature={key.hex()}"
    )
    return headers
