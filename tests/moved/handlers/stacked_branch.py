"""Stacked create, update and delete: one function that asks which it is."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(log_level="WARNING", sleep_on_delete=0)


@helper.create
@helper.update
@helper.delete
def anything(event, context):
    kind, name = event["RequestType"], event["ResourceProperties"]["Name"]
    if kind == "Create":
        return things.make(name)
    if kind == "Update":
        things.change(event["PhysicalResourceId"], name)
        return event["PhysicalResourceId"]
    return things.remove(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
