"""AWS, asked with the caller's credentials; what it refuses, in words for the caller."""

import re
from functools import cached_property
from typing import Any

from ..clients import LOG_IN, client_of, troubled
from ..console import Exit, Stop

# Source: IAM User Guide, "Troubleshoot access denied error messages".
_DENIED = re.compile(r"not authorized to perform: (\S+?)(?: on resource: (\S+))?(?: |,|$)")
_DENIED_CODES = re.compile(r"AccessDenied|Unauthorized|Forbidden|^403$")
_INVALID = re.compile(
    r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|AuthFailure"
    r"|InvalidAccessKeyId|IncompleteSignature|RequestExpired"
)
# Operations whose permission has another name. Source: Service Authorization Reference, Amazon S3.
_ACTIONS = {"s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}


class Refusal(Stop):
    """AWS refused a call for a reason that the caller may know what to do about.

    Attributes:
        error: AWS's code of it.
    """

    def __init__(self, text: str, error: str) -> None:
        super().__init__(text, Exit.FOUND)
        self.error = error


class Aws:
    """An account and a Region.

    Args:
        region: Its name; that of the environment or the profile, where it is empty.
    """

    def __init__(self, region: str = "") -> None:
        self._region = region
        self._clients: dict[str, Any] = {}

    @cached_property
    def account(self) -> str:
        """The account's number."""
        return str(self.ask("sts", "get_caller_identity", on="your credentials")["Account"])

    def ask(self, service: str, operation: str, *, on: str, **members: Any) -> Any:
        """Call an operation.

        Args:
            service: As for `boto3.client`.
            operation: As a method of the client.
            on: What it is about, for messages.
            members: What it is given.

        Raises:
            Refusal: AWS answered with an error.
            Stop: There are no credentials, they may not do it, or AWS cannot be reached.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # only for those who deploy

        try:
            return getattr(self._client(service), operation)(**members)
        except ClientError as error:
            failure = _refused(error.response.get("Error", {}), service, operation, on)
        except BotoCoreError as error:
            failure = troubled(error, service)
        raise failure

    def endpoint(self, service: str) -> str:
        """Return where a service answers."""
        return str(self._client(service).meta.endpoint_url)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = client_of(service, self._region)
        return self._clients[service]


def _refused(error: Any, service: str, operation: str, on: str) -> Stop:
    code, said = str(error.get("Code", "")), str(error.get("Message", ""))
    action = f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"
    action = _ACTIONS.get(action, action)
    if _INVALID.search(code):
        return Stop(f"the AWS credentials are not valid ({code}): {LOG_IN}")
    denied = _DENIED.search(said)
    if denied or _DENIED_CODES.search(code):
        action, on = (denied[1], denied[2] or on) if denied else (action, on)
        return Stop(f"these credentials may not {action} on {on}: have that allowed, or use others")
    return Refusal(f"{action} on {on}: {said or code}", code)
