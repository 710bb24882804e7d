"""Polls: a thing that takes its time, and its id is told by the last look."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(polling_interval=1, sleep_on_delete=0)


@helper.create
def create(event, context):
    thing = things.make(event["ResourceProperties"]["Name"])
    helper.Data["Thing"] = thing
    return thing


@helper.poll_create
def poll_create(event, context):
    if not things.is_ready(helper.Data["Thing"]):
        return None
    helper.Data["Ready"] = "yes"
    return event["CrHelperData"]["PhysicalResourceId"]


@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
