"""crhelper, as its README shows."""

from crhelper import CfnResource
from plain_api import create_group, delete_group

helper = CfnResource(sleep_on_delete=0)  # its default makes each Delete two minutes longer


@helper.create
def create(event, _context):
    return create_group(event["ResourceProperties"])


@helper.delete
def delete(event, _context):
    delete_group(event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
