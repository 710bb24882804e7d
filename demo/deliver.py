"""The ServiceToken of the demo's stacks: delivers each event at least once, as Lambda does.

A stack's name ends in the way its events are delivered. What is sent here as {"Again": event} is
an event that comes once more, long after.
"""

import json
import os
import urllib.request
from functools import cache
from urllib.parse import urlsplit

import boto3

ONCE, TWICE = 1, 2
COPIES = {"in-a-row": TWICE, "at-once": TWICE, "late": ONCE, "killed": ONCE}


def handler(event, context):
    if "Again" in event:
        invoke(event["Again"], "RequestResponse")
        return
    way = next(way for way in COPIES if event["StackId"].split("/")[1].endswith(way))
    # The answer goes by way of the host that counts answers; the rest of the URL stays.
    event["ResponseURL"] = os.environ["RESPONSE_HOST"] + urlsplit(event["ResponseURL"]).path
    tell("/events", {"event": event, "copies": COPIES[way]})
    for _ in range(COPIES[way]):
        # Lambda works on asynchronous invocations at the same time, on others one after another.
        invoke(event, "RequestResponse" if way == "in-a-row" else "Event")


@cache
def lambdas():
    return boto3.client("lambda")


def invoke(event, how):
    lambdas().invoke(
        FunctionName=os.environ["PROVIDER"], InvocationType=how, Payload=json.dumps(event)
    )


def tell(path, said):
    asked = urllib.request.Request(
        os.environ["RESPONSE_HOST"] + path, json.dumps(said).encode(), method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        answer.read()
