"""Module-level boto3 with init_failure: an address."""

import logging

import boto3
from crhelper import CfnResource

logger = logging.getLogger(__name__)
helper = CfnResource(json_logging=False, log_level="DEBUG", sleep_on_delete=0)

try:
    ec2 = boto3.client("ec2", region_name="us-east-1")
except Exception as error:
    helper.init_failure(error)


@helper.create
def create(event, context):
    logger.info("Got Create")
    address = ec2.allocate_address(Domain="vpc")
    helper.Data["PublicIp"] = address["PublicIp"]
    return address["AllocationId"]


@helper.update
def update(event, context):
    logger.info("Got Update")


@helper.delete
def delete(event, context):
    logger.info("Got Delete")
    ec2.release_address(AllocationId=event["PhysicalResourceId"])


def handler(event, context):
    helper(event, context)
