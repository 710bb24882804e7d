"""Functions as they are written for crhelper, on the ledger."""

from .starter import Starter

PROVIDER = '''"""@Type@: functions as crhelper has them, grown into steps."""

import os
from typing import Any

from cfn_once import Step
from cfn_once.crhelper import CfnResource  # in the place of crhelper's

helper = CfnResource()

Event = dict[str, Any]


@helper.create(steps=True)
def create(event: Event, context: Any) -> str:
    def make(step: Step) -> Any:
        wanted = {"name": event["ResourceProperties"]["Name"], "tag": step.token}
        return helper.http.post(things(), json=wanted).json()["id"]

    # If the process dies during the step, `look_up` finds what it has made.
    thing: str = helper.step("thing", make, find=look_up)
    helper.Data["Id"] = thing
    return thing


def look_up(step: Step) -> Any:
    found = helper.http.get(things(), params={"tag": step.token}).json()
    return next((thing["id"] for thing in found), None)


@helper.update(steps=True)
def update(event: Event, context: Any) -> None:
    thing = event["PhysicalResourceId"]
    helper.http.put(f"{things()}/{thing}", json={"name": event["ResourceProperties"]["Name"]})
    helper.Data["Id"] = thing


@helper.delete(steps=True)
def delete(event: Event, context: Any) -> None:
    helper.http.delete(f"{things()}/{event['PhysicalResourceId']}")


def things() -> str:
    return os.environ.get("API_URL", "https://api.example.com") + "/things"


def handler(event: Event, context: Any) -> None:
    helper(event, context)
'''

TEST = '''"""@Type@, as CloudFormation meets it. `cfn-once test` runs more."""

import os

from cfn_once.testing import FakeApi, FakeCloudFormation
from provider import helper


def external_api() -> FakeApi:
    """Return a stand-in for the API, and let the functions call it: pyproject.toml names this."""
    api = FakeApi(tokens=False)
    os.environ["API_URL"] = api.url
    return api


def test_a_process_that_dies() -> None:
    """A process that dies after the POST makes nothing twice."""
    api = external_api()
    cloudformation = FakeCloudFormation(helper.provider)

    answer = cloudformation.create(
        "Thing", {"Name": "web"}, resource_type="@Type@", crash_after="thing"
    )

    assert answer.status == "SUCCESS"
    assert list(api.objects) == [answer.physical_resource_id]
    api.close()
'''

STARTER = Starter(
    provider=PROVIDER,
    test=TEST,
    property="Name",
    value="web",
    other="mail",
    attribute="Id",
    object="helper",
    external_api="test_provider:external_api",
    changes_in_place=True,
)
