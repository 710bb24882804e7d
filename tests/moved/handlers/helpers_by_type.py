"""Two helpers in one module, by the type."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)
others = CfnResource(sleep_on_delete=0)


@helper.create
def create(event, context):
    helper.Data["Kind"] = "one"
    return things.make(event["ResourceProperties"]["Name"])


@helper.delete
@others.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


@others.create
def create_other(event, context):
    others.Data["Kind"] = "other"
    return things.make(event["ResourceProperties"]["Name"])


def handler(event, context):
    {"Custom::Other": others}.get(event["ResourceType"], helper)(event, context)
