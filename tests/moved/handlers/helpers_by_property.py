"""Two helpers in one module, by a property; one helper's function calls the other's."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)
plain = CfnResource(sleep_on_delete=0)


@plain.create
@plain.update
def make(event, context):
    plain.Data["Plain"] = "yes"
    return things.make(event["ResourceProperties"]["Name"])


@helper.create
def create(event, context):
    thing = make(event, context)
    helper.Data["Thing"] = thing
    return thing


@helper.delete
@plain.delete
def delete(event, context):
    things.remove(event["PhysicalResourceId"])


def handler(event, context):
    (plain if event["ResourceProperties"].get("Plain") else helper)(event, context)
