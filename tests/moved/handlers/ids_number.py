"""Returned ids: whole numbers."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)


@helper.create
def create(event, context):
    return int(things.make(event["ResourceProperties"]["Name"]).removeprefix("thing-"))


@helper.update
def update(event, context):
    things.change(f"thing-{event['PhysicalResourceId']}", event["ResourceProperties"]["Name"])
    return int(event["PhysicalResourceId"])


@helper.delete
def delete(event, context):
    things.remove(f"thing-{event['PhysicalResourceId']}")


def handler(event, context):
    helper(event, context)
