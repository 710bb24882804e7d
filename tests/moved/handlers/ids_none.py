"""No returned ids: the name of the thing is its own."""

from crhelper import CfnResource

from moved.things import things

helper = CfnResource(sleep_on_delete=0)
made = {}


@helper.create
def create(event, context):
    name = event["ResourceProperties"]["Name"]
    made[event["LogicalResourceId"]] = things.make(name)
    return True


@helper.update
def update(event, context):
    things.change(made[event["LogicalResourceId"]], event["ResourceProperties"]["Name"])


@helper.delete
def delete(event, context):
    things.remove(made.get(event["LogicalResourceId"]))


def handler(event, context):
    helper(event, context)
