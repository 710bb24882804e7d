"""Stacks of a local AWS, one operation at a time, each waited for to its end."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

Template = Path | Mapping[str, Any]
LONGEST = 180  # seconds for one operation; the emulator takes one or two
PAUSE = 0.2  # seconds between two looks; each costs the emulator and us some milliseconds


class Stack:
    """One stack, from its creation to its end.

    Attributes:
        name: As in CloudFormation.
    """

    def __init__(self, cloudformation: Any, name: str) -> None:
        self._client, self.name = cloudformation, name

    def create(self, template: Template, **parameters: str) -> str:
        """Create it, and return the status that it ends in."""
        return self._ended(self._client.create_stack(**self._asked(template, parameters)))

    def update(self, template: Template, **parameters: str) -> str:
        """Update it, and return the status that it ends in."""
        return self._ended(self._client.update_stack(**self._asked(template, parameters)))

    def delete(self) -> str:
        """Delete it, and return the status that it ends in."""
        stack_id = self._described(self.name)["StackId"]
        self._client.delete_stack(StackName=self.name)
        return self._ended({"StackId": stack_id})

    @property
    def outputs(self) -> dict[str, str]:
        """What its template says under Outputs."""
        stack = self._described(self.name)
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    @property
    def resources(self) -> dict[str, str]:
        """The physical id of each resource that it has now, by logical id."""
        answer = self._client.describe_stack_resources(StackName=self.name)
        return {
            resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
            for resource in answer["StackResources"]
        }

    @property
    def reasons(self) -> list[str]:
        """Why resources failed, the latest first."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        return [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED") and "ResourceStatusReason" in event
        ]

    def _asked(self, template: Template, parameters: Mapping[str, str]) -> dict[str, Any]:
        body = template.read_text() if isinstance(template, Path) else json.dumps(template)
        return {
            "StackName": self.name,
            "TemplateBody": body,
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM"],
        }

    def _ended(self, answer: Mapping[str, Any]) -> str:
        over = time.monotonic() + LONGEST
        while time.monotonic() < over:
            status = str(self._described(answer["StackId"])["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(PAUSE)
        raise TimeoutError(f"{self.name} is still {status} after {LONGEST} s")

    def _described(self, name: str) -> dict[str, Any]:
        try:
            stack: dict[str, Any] = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return {"StackId": name, "StackStatus": "DELETE_COMPLETE"}
        return stack
