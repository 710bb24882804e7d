"""Data: numbers, booleans, lists and text."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)


@helper.create
def create(event, context):
    thing = things.make(event["ResourceProperties"]["Name"])
    helper.Data.update({"Id": thing, "Size": 3, "Ready": True, "Zones": ["a", "b"]})
    return thing


@helper.update
def update(event, context):
    things.change(event["PhysicalResourceId"], event["ResourceProperties"]["Name"])
    helper.Data = {"Id": event["PhysicalResourceId"], "Was": event["OldResourceProperties"]["Name"]}


@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
