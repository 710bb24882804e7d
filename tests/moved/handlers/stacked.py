"""Stacked create and update: each change makes a new thing, under another id."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)


@helper.create
@helper.update
def create_or_update(event, context):
    thing = things.make(event["ResourceProperties"]["Name"])
    helper.Data["Url"] = f"https://{thing}.example.com"
    return thing


@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
