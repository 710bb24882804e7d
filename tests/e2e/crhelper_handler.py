"""A file system, by a handler that was written for crhelper: two Creates make two."""

import uuid

import boto3
from crhelper import CfnResource

helper = CfnResource(json_logging=False, log_level="INFO", sleep_on_delete=0)

try:
    efs = boto3.client("efs")
except Exception as error:
    helper.init_failure(error)


@helper.create
def create(event, context):
    mode = event["ResourceProperties"].get("ThroughputMode", "bursting")
    made = efs.create_file_system(CreationToken=str(uuid.uuid4()), ThroughputMode=mode)
    helper.Data["FileSystemId"] = made["FileSystemId"]
    return made["FileSystemId"]


@helper.update
def update(event, context):
    new, old = event["ResourceProperties"], event["OldResourceProperties"]
    if new.get("Generation") != old.get("Generation"):
        return create(event, context)  # another id: CloudFormation deletes the old one
    if new["ThroughputMode"] == "provisioned" and "Mibps" not in new:
        raise ValueError("provisioned throughput needs Mibps")
    physical_id = event["PhysicalResourceId"]
    efs.update_file_system(FileSystemId=physical_id, ThroughputMode=new["ThroughputMode"])
    helper.Data["FileSystemId"] = physical_id
    return physical_id


@helper.delete
def delete(event, context):
    try:
        efs.delete_file_system(FileSystemId=event["PhysicalResourceId"])
    except efs.exceptions.FileSystemNotFound:
        pass


def handler(event, context):
    helper(event, context)
