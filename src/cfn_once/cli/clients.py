"""boto3's clients, as the verbs make them: the Region of AWS_REGION, and errors in words."""

import os
import re
from typing import Any

from .console import Stop

LOG_IN = "set AWS_PROFILE, or log in with `aws sso login` or `aws configure`"
_NO_CREDENTIALS = re.compile(r"Credential|Token|SSO|Profile|Login")


def client_of(service: str, region: str = "", *, tries: int = 4) -> Any:
    """Return a client of a service.

    Args:
        service: As for `boto3.client`.
        region: Its Region; else that of AWS_REGION, which boto3 does not read outside Lambda, else
            the one that boto3 finds.
        tries: How often a request is made at most.

    Raises:
        Stop: The settings or the credentials of the environment are broken.
    """
    import boto3  # only for those who ask AWS
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    named = region or os.environ.get("AWS_REGION") or None
    config = Config(retries={"mode": "standard", "total_max_attempts": tries})
    try:
        return boto3.client(service, region_name=named, config=config)  # type: ignore[call-overload]  # any service
    except (BotoCoreError, ValueError) as error:  # an endpoint that is none: ValueError
        raise troubled(error, service) from None


def troubled(error: Exception, service: str) -> Stop:
    """Return what to say where the SDK has not asked a service, or has no answer of it."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    if "NoRegionError" in kinds:
        return Stop("no Region is set: give --region, or set AWS_REGION")
    if any(_NO_CREDENTIALS.search(kind) for kind in kinds):
        return Stop(f"there are no AWS credentials ({error}): {LOG_IN}")
    if "ConfigParseError" in kinds:
        return Stop(f"the AWS settings cannot be read: {error}; see AWS_CONFIG_FILE")
    if isinstance(error, ValueError):
        return Stop(f"{service} has no endpoint that can be asked: {error}; see AWS_ENDPOINT_URL")
    return Stop(f"{service} cannot be reached: {error}")
