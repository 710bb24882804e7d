"""What the environment says of the function that this process runs."""

import os
from collections.abc import Sequence

from .._errors import ConfigurationError
from .continuation import Continuation


def is_in_lambda() -> bool:
    """Tell whether Lambda runs this process."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def is_managed() -> bool:
    """Tell whether Lambda Managed Instances run it: beside others, and past its time."""
    # Lambda Developer Guide, "Defined runtime environment variables".
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "lambda-managed-instances"


def own_region() -> str:
    """Return the function's Region; nothing off Lambda, where each request's is its own."""
    return os.environ.get("AWS_REGION", "") if is_in_lambda() else ""


def hosts_besides(named: Sequence[str]) -> list[str]:
    """Return the hosts besides CloudFormation's that may be answered: these, and those it names.

    Raises:
        ConfigurationError: What is given as a host has no name of one.
    """
    hosts = [*_listed("CFN_ONCE_RESPONSE_HOSTS"), *named]
    if isinstance(named, str) or any("/" in host for host in hosts):
        raise ConfigurationError(
            f'response_hosts={named!r}: give names of hosts, such as ["localhost:4566"]'
        )
    return hosts


def ledger_url() -> str:
    """Return the URL of the ledger that the environment names; nothing where it names none."""
    return os.environ.get("CFN_ONCE_LEDGER", "")


def continuation_of(url: str | None) -> Continuation | None:
    """Open the continuation that a URL names, or else the environment; None where neither does.

    Raises:
        ConfigurationError: The URL is wrong; the text repeats nothing of it.
    """
    url = url or os.environ.get("CFN_ONCE_CONTINUATION")
    if not url:
        return None
    from .continuation_services import open_continuation  # who does not wait needs none of them

    return open_continuation(url)


def guarded() -> list[str]:
    """Return the ARNs of what a guardian guards: everything, where there is none."""
    return _listed("CFN_ONCE_GUARDS")


def _listed(variable: str) -> list[str]:
    names = os.environ.get(variable, "").split(",")
    return [name.strip() for name in names if name.strip()]
