"""Polls of every kind, which say True."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(polling_interval=2, sleep_on_delete=0)


@helper.create
def create(event, context):
    return things.make(event["ResourceProperties"]["Name"])


@helper.update
def update(event, context):
    things.change(event["PhysicalResourceId"], event["ResourceProperties"]["Name"])
    return event["PhysicalResourceId"]


@helper.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


@helper.poll_create
@helper.poll_update
@helper.poll_delete
def poll(event, context):
    return bool(things.is_ready(event["RequestId"]))


def handler(event, context):
    helper(event, context)
