"""The stacks of CloudFormation, as far as operators' verbs read them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .console import Stop

TYPES = ("Custom::", "AWS::CloudFormation::CustomResource")


class StackResource(NamedTuple):
    """One custom resource of a stack.

    Attributes:
        status: CloudFormation's own, such as CREATE_IN_PROGRESS.
    """

    stack_id: str
    logical_resource_id: str
    resource_type: str
    status: str


class Stacks:
    """CloudFormation, asked for stacks.

    Args:
        client: boto3's; one for the Region of the environment, unless given.
    """

    def __init__(self, client: Any = None) -> None:
        try:
            self._client = client or boto3.client("cloudformation")
        except BotoCoreError as error:
            raise Stop(f"CloudFormation cannot be asked: {error}") from None

    def id_of(self, name: str) -> str:
        """Return the ARN of a stack; one that is an ARN already is not asked for.

        Raises:
            Stop: There is no such stack, or it cannot be asked for.
        """
        if name.startswith("arn:"):
            return name
        answer = self._ask(name, "describe_stacks", StackName=name)
        return str(answer["Stacks"][0]["StackId"])

    def resources_of(self, name: str) -> Iterator[StackResource]:
        """Yield the custom resources of a stack.

        Raises:
            Stop: There is no such stack, or it cannot be asked for.
        """
        stack_id, asked = self.id_of(name), {"StackName": name}
        while True:
            answer = self._ask(name, "list_stack_resources", **asked)
            for resource in answer["StackResourceSummaries"]:
                if resource["ResourceType"].startswith(TYPES):
                    logical_id, kind = resource["LogicalResourceId"], resource["ResourceType"]
                    yield StackResource(stack_id, logical_id, kind, resource["ResourceStatus"])
            if "NextToken" not in answer:
                return
            asked["NextToken"] = answer["NextToken"]

    def _ask(self, name: str, operation: str, **members: str) -> Any:
        try:
            return getattr(self._client, operation)(**members)
        except ClientError as error:
            details = error.response["Error"]
            if details["Code"] == "ValidationError" and "does not exist" in details["Message"]:
                raise Stop(
                    f"there is no stack {name} in {self._client.meta.region_name}. Give the ARN of"
                    " one that is deleted; or look for it in the ledger itself, with --scan"
                ) from None
            raise Stop(f"CloudFormation does not tell of the stack {name}: {error}") from None
        except BotoCoreError as error:
            raise Stop(f"CloudFormation does not tell of the stack {name}: {error}") from None
