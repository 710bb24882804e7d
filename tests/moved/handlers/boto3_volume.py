"""Module-level boto3 with init_failure: a volume, whose size is a property."""

from crhelper import CfnResource

helper = CfnResource(log_level="INFO", sleep_on_delete=0)

try:
    import boto3

    ec2 = boto3.client("ec2", region_name="us-east-1")
    zone = "us-east-1a"
except Exception as e:
    helper.init_failure(e)


@helper.create
def create(event, _):
    size = int(event["ResourceProperties"].get("Size", "1"))
    return ec2.create_volume(AvailabilityZone=zone, Size=size)["VolumeId"]


@helper.delete
def delete(event, _):
    ec2.delete_volume(VolumeId=event["PhysicalResourceId"])


def lambda_handler(event, context):
    helper(event, context)
