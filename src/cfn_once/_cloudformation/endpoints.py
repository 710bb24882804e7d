"""Which endpoints may get an answer: CloudFormation's buckets, and hosts that a provider lists."""

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Self
from urllib.parse import urlsplit

BUCKET = "cloudformation-custom-resource-response-"
# Every host in recordings since 2013; protocol reference, "ResponseURL".
HOST = re.compile(BUCKET + r"[a-z0-9]+\.s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")
PORTS = {"http": 80, "https": 443}


class Endpoint(NamedTuple):
    """Where a ResponseURL leads.

    Attributes:
        scheme: In lower case.
        host: As a provider lists it: with the port where that is not the scheme's own.
        is_plain: It is written as CloudFormation writes a URL; nothing odd is in it.
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

    def problem(self, listed: AbstractSet[str]) -> str:
        """Say why nothing may be sent there; empty where it may.

        Args:
            listed: Hosts that a provider allows besides; they may use http, as emulators do.
        """
        if not self.is_plain:
            return "is written as CloudFormation never writes one"
        if self.scheme not in PORTS or not self.host:
            return "is no https URL"
        if self.host in listed:
            return ""
        if not HOST.fullmatch(self.host):
            return (
                f"has the host {self.host}, which is not CloudFormation's. If it is your"
                f' emulator\'s: Provider(..., response_hosts=["{self.host}"]), or'
                f" CFN_ONCE_RESPONSE_HOSTS={self.host}"
            )
        return "" if self.scheme == "https" else "is not https"


def bucket_of(region: str) -> str:
    """Return the name of CloudFormation's bucket for a Region."""
    return BUCKET + region.replace("-", "")
