"""crhelper, as its README shows."""

import settings
from crhelper import CfnResource
from dying import die
from plain_api import create_group, delete_group

helper = CfnResource(sleep_on_delete=0)  # its default makes each Delete two minutes longer

try:
    settings.load()
except Exception as error:
    helper.init_failure(error)


@helper.create
def create(event, _context):
    properties = event["ResourceProperties"]
    group_id = create_group(properties)
    die(properties["Death"])
    return group_id


@helper.delete
def delete(event, _context):
    delete_group(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
