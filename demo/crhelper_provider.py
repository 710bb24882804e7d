"""Custom::Elastigroup as one writes it with crhelper: the resource of examples/elastigroup."""

import os

import boto3
import requests
from crhelper import CfnResource

helper = CfnResource(log_level="ERROR", sleep_on_delete=0)
API = os.environ.get("SPOT_API_URL", "https://api.spotinst.io") + "/aws/ec2/group"


@helper.create
def create(event, context):
    answer = ask("POST", event, json={"group": group(event["ResourceProperties"])})
    group_id = answer.json()["response"]["items"][0]["id"]
    helper.Data["GroupId"] = group_id
    return group_id


@helper.update
def update(event, context):
    new, old = event["ResourceProperties"], event["OldResourceProperties"]
    if new["Product"] != old["Product"]:
        return create(event, context)  # another id: CloudFormation deletes the old group
    changes = group(new)
    del changes["compute"]["product"]
    ask("PUT", event, f"/{event['PhysicalResourceId']}", json={"group": changes})
    helper.Data["GroupId"] = event["PhysicalResourceId"]
    return event["PhysicalResourceId"]


@helper.delete
def delete(event, context):
    try:
        ask("DELETE", event, f"/{event['PhysicalResourceId']}")
    except requests.HTTPError as error:
        if error.response.status_code != 404:
            raise


def provider(event, context):
    helper(event, context)


def ask(method, event, path="", **options):
    secret = event["ResourceProperties"]["AccessTokenSecret"]
    token = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, API + path, headers=headers, timeout=20, **options)
    answer.raise_for_status()
    return answer


def group(properties):
    """Describe a group in Spot's words; CloudFormation sends every number as text."""
    capacity = properties["Capacity"]
    launch = properties["LaunchSpecification"]
    instances = properties["InstanceTypes"]
    return {
        "name": properties["Name"],
        "capacity": {name.lower(): int(capacity[name]) for name in capacity},
        "compute": {
            "product": properties["Product"],
            "subnetIds": properties["SubnetIds"],
            "instanceTypes": {"ondemand": instances["Ondemand"], "spot": instances["Spot"]},
            "launchSpecification": {
                "imageId": launch["ImageId"],
                "securityGroupIds": launch["SecurityGroupIds"],
            },
        },
    }
