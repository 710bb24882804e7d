"""The least that a function with a table does at its start."""

import boto3

client = boto3.client("dynamodb")


def handler(_event, _context):
    return None
