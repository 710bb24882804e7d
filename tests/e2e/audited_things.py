"""Custom::Thing, whose function dies where it is told to, and what took its place afterwards."""

import json
import os
import urllib.request
from dataclasses import dataclass

import boto3

from cfn_once import CustomResource, Provider
from cfn_once._clock import SystemClock


@dataclass(frozen=True)
class ThingProperties:
    """Properties of Custom::Thing."""

    Api: str
    Size: str = "small"
    Dies: str = ""


class Thing(CustomResource[ThingProperties, dict]):
    """A thing of an API that knows no tokens, and by which nothing can be looked up."""

    replace_on = {"Size"}

    def create(self):
        if self.properties.Dies == "at once":
            os._exit(1)
        self.physical_resource_id = self.step("thing", self.make, once=True)
        return {}

    def make(self, step):
        asked = json.dumps({"stack": self.request.stack_id.split("/")[1]}).encode()
        headers = {"content-type": "application/json"}
        url = f"{self.properties.Api}/things"
        with urllib.request.urlopen(urllib.request.Request(url, asked, headers)) as answer:
            made = json.load(answer)["id"]
        if self.properties.Dies == "in the call":
            os._exit(1)
        return made

    def delete(self):
        self.http.delete(f"{self.properties.Api}/things/{self.physical_resource_id}")


class LongAgo(SystemClock):
    """The clock of ten minutes ago: what dies in it has been dead for long."""

    def now(self):
        return super().now() - 600


provider = Provider(Thing, clock=LongAgo() if "LONG_AGO" in os.environ else SystemClock())


def handler(event, context):
    """Serve an event, of which a queue gets a copy as well, like from a topic."""
    boto3.client("sqs").send_message(QueueUrl=os.environ["INBOX"], MessageBody=json.dumps(event))
    return provider(event, context)


def by_hand(event, context):
    """Answer without a ledger: each Update gives another id."""
    held = event.get("PhysicalResourceId", "by-hand-0")
    told = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    told["PhysicalResourceId"] = "by-hand-1" if event["RequestType"] == "Update" else held
    body = json.dumps({**told, "Status": "SUCCESS"}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"))
