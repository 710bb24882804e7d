"""cfn-handler, as its README shows."""

import settings
from cfn_handler import CustomResource
from dying import die
from plain_api import create_group, delete_group

resource = CustomResource()

try:
    settings.load()
except Exception as error:
    resource.init_failure(error)


@resource.create
def on_create(event, _context):
    properties = event["ResourceProperties"]
    resource.physical_resource_id = create_group(properties)
    die(properties["Death"])
    return {"GroupId": resource.physical_resource_id}


@resource.delete
def on_delete(event, _context):
    delete_group(event["PhysicalResourceId"])


def handler(event, context):
    return resource(event, context)
