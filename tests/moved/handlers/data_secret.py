"""Data that is secret, and a Reason beside SUCCESS."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(json_logging=True, sleep_on_delete=0)


@helper.create
def create(event, context):
    helper.NoEcho = True
    helper.Data["Password"] = "correct horse"
    helper.Reason = "a password was drawn"
    return things.make(event["ResourceProperties"]["Name"])


@helper.update
def update(event, context):
    helper.Data["Name"] = event["ResourceProperties"]["Name"]
    return event["PhysicalResourceId"]


@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
