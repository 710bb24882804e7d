"""Powertools' idempotency as its documentation shows, around a handler and each of its effects."""

import os
import sys
from types import SimpleNamespace
from uuid import uuid4

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
    idempotent_function,
)

client = boto3.client("dynamodb", endpoint_url=os.environ["DYNAMODB"])


def table():
    # A layer takes the settings of whoever uses it first: one for each.
    return DynamoDBPersistenceLayer(table_name="powertools", boto3_client=client)


steps = IdempotencyConfig(event_key_jmespath="key")


@idempotent_function(data_keyword_argument="step", config=steps, persistence_store=table())
def make(*, step):
    return {"made": step["key"]}


@idempotent(
    config=IdempotencyConfig(event_key_jmespath="RequestId"),
    persistence_store=table(),
)
def handler(event, context):
    steps.register_lambda_context(context)
    for number in range(event["Steps"]):
        make(step={"key": f"{event['RequestId']}#{number}"})
    return {"done": True}


if __name__ == "__main__":
    context = SimpleNamespace(
        function_name="peer",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:peer",
        aws_request_id=str(uuid4()),
        get_remaining_time_in_millis=lambda: 30000,
    )
    handler({"RequestId": str(uuid4()), "Steps": int(sys.argv[1])}, context)
