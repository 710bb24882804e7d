"""The stacks of CloudFormation, as far as operators' verbs read them."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from .clients import client_of, troubled
from .console import Stop

TRIES = 10  # CloudFormation throttles hundreds of requests now and then
KEPT = "DELETE_SKIPPED"  # CloudFormation's status of what a policy retains
Retained = tuple[str, str]  # a logical and a physical id
NESTED = "AWS::CloudFormation::Stack"
TYPES = ("Custom::", "AWS::CloudFormation::CustomResource")


class NoStack(Stop):
    """There is no such stack."""


class StackResource(NamedTuple):
    """One resource of a stack.

    Attributes:
        status: CloudFormation's own, such as CREATE_IN_PROGRESS.
        physical_id: The one that the stack holds; empty before there is any.
    """

    stack_id: str
    logical_resource_id: str
    resource_type: str
    status: str
    physical_id: str = ""


class StackReader:
    """CloudFormation, asked for stacks.

    Args:
        client: boto3's; one for the Region of the environment, unless given.

    Attributes:
        requests: How many were made.
    """

    def __init__(self, client: Any = None) -> None:
        self._client = client or client_of("cloudformation", tries=TRIES)
        self.requests = 0

    @property
    def region(self) -> str:
        """The Region that is asked."""
        return str(self._client.meta.region_name)

    def living(self) -> dict[str, str]:
        """Return the status of each stack that is not deleted, by its ARN."""
        every = self._client.meta.service_model.shape_for("StackStatus").enum
        living = [status for status in every if status != "DELETE_COMPLETE"]
        asked: dict[str, Any] = {"StackStatusFilter": living}
        found: dict[str, str] = {}
        while True:
            answer = self._ask("", "list_stacks", **asked)
            for stack in answer["StackSummaries"]:
                found[stack["StackId"]] = stack["StackStatus"]
            if "NextToken" not in answer:
                return found
            asked["NextToken"] = answer["NextToken"]

    def status_of(self, stack_id: str) -> str:
        """Return the status of a stack by its ARN, for 90 days after its deletion; else nothing."""
        try:
            answer = self._ask(stack_id, "describe_stacks", StackName=stack_id)
        except NoStack:
            return ""
        return str(answer["Stacks"][0]["StackStatus"])

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
        listed = self._listed(name)
        return (resource for resource in listed if resource.resource_type.startswith(TYPES))

    def resources_below(self, name: str) -> Iterator[tuple[str, StackResource]]:
        """Yield the custom resources of a stack, and of the stacks nested in it, each with a name.

        That of a nested stack is its ARN.

        Raises:
            Stop: There is no such stack, or it cannot be asked for.
        """
        for resource in self._listed(name):
            if resource.resource_type.startswith(TYPES):
                yield name, resource
            elif resource.resource_type == NESTED and resource.physical_id:
                try:
                    yield from self.resources_below(resource.physical_id)
                except NoStack:  # it was deleted meanwhile, or has failed to be made
                    continue

    def _listed(self, name: str) -> Iterator[StackResource]:
        stack_id, asked = self.id_of(name), {"StackName": name}
        while True:
            answer = self._ask(name, "list_stack_resources", **asked)
            for resource in answer["StackResourceSummaries"]:
                logical_id, kind = resource["LogicalResourceId"], resource["ResourceType"]
                status, held = resource["ResourceStatus"], resource.get("PhysicalResourceId")
                yield StackResource(stack_id, logical_id, kind, status, held or "")
            if "NextToken" not in answer:
                return
            asked["NextToken"] = answer["NextToken"]

    def retained_by(self, stack_id: str, wanted: Collection[str]) -> set[Retained]:
        """Return what a stack has let go of and kept, by its DeletionPolicy or UpdateReplacePolicy.

        Only its events tell that of what it holds no more. They come newest first, and are read
        until each wanted id is found.

        Args:
            stack_id: Its ARN; for 90 days after its deletion too.
            wanted: Physical ids.
        """
        found: set[Retained] = set()
        missing, asked = set(wanted), {"StackName": stack_id}
        while True:
            answer = self._ask(stack_id, "describe_stack_events", **asked)
            for event in answer["StackEvents"]:
                if event.get("ResourceStatus") == KEPT:
                    physical_id = event.get("PhysicalResourceId", "")
                    found.add((event["LogicalResourceId"], physical_id))
                    missing.discard(physical_id)
            if "NextToken" not in answer or not missing:
                return found
            asked["NextToken"] = answer["NextToken"]

    def _ask(self, name: str, operation: str, **members: Any) -> Any:
        what = f"the stack {name}" if name else "its stacks"
        self.requests += 1
        try:
            return getattr(self._client, operation)(**members)
        except ClientError as error:
            details = error.response["Error"]
            if details["Code"] == "ValidationError" and "does not exist" in details["Message"]:
                raise NoStack(
                    f"there is no stack {name} in {self._client.meta.region_name}. Give the ARN of"
                    " one that is deleted; or look for it in the ledger itself, with --scan"
                ) from None
            raise Stop(f"CloudFormation does not tell of {what}: {error}") from None
        except BotoCoreError as error:
            why = troubled(error, "cloudformation")
            raise Stop(f"CloudFormation does not tell of {what}: {why}") from None
