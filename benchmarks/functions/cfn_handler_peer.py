"""cfn-handler, as its README shows."""

from cfn_handler import CustomResource
from plain_api import create_group, delete_group

resource = CustomResource()


@resource.create
def on_create(event, _context):
    resource.physical_resource_id = create_group(event["ResourceProperties"])
    return {"GroupId": resource.physical_resource_id}


@resource.delete
def on_delete(event, _context):
    delete_group(event["PhysicalResourceId"])


def handler(event, context):
    return resource(event, context)
