"""Tokens and ids against fixed vectors: a version that computes others would act twice."""

import uuid

import pytest

from cfn_once._cloudformation.identity import Token
from cfn_once._cloudformation.request import Request

USERS = (
    "arn:aws:cloudformation:us-east-1:123456789012:stack/prod-database-users/"
    "bd60ba70-37b6-11ea-a7cb-0e3b177c99d5"
)
OFFICE = (
    "arn:aws-cn:cloudformation:cn-north-1:210987654321:stack/büro/"
    "0f7a1f60-52a3-11ee-8c99-0242ac120002"
)


def request(stack_id, logical_id, request_id):
    return Request.from_event(
        {
            "RequestType": "Create",
            "RequestId": request_id,
            "StackId": stack_id,
            "LogicalResourceId": logical_id,
            "ResourceType": "Custom::Thing",
            "ResponseURL": "https://example.com",
        }
    )


DB_USER = request(USERS, "DbUser", "e5da4114-bb37-49a7-a3c3-2ca5272fc52c")
SIZE = request(OFFICE, "Größe", "00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("named", "resource", "operation"),
    [
        (
            DB_USER,
            ("r5cv4bjomdunkk4mswn7mrcxdp",),
            ("306104345a429bd7f5824335b4d771f19fd10211cd0c3bac5aa12f8ac71babc0", "gbqqinc2ikn5"),
        ),
        (
            SIZE,
            ("rlsf5u6r3d5hz2psxgkmbnjdld",),
            ("9d9e265762c9deebceebf87105036f5f77ff860f9790901e8daf7a87827d6d88", "twpcmv3czhpo"),
        ),
    ],
)
def test_names_of_a_resource_and_of_a_request(named, resource, operation):
    """
    The correlation id comes of StackId and logical id alone, the operation of the RequestId too.
    """
    digest, short = operation

    assert resource == (named.correlation_id,)
    assert digest == named.operation.hex()
    assert f"{named.stack_name}-{named.logical_resource_id}-{short}" == named.default_physical_id


@pytest.mark.parametrize(
    ("named", "key", "generation", "as_uuid", "hex64"),
    [
        (
            DB_USER,
            "rds.CreateDBInstance#0",
            0,
            "1b6e211c-2650-8557-956e-4111b3c4a6ed",
            "1b6e211c26500557156e4111b3c4a6ed8339e8e520c716fafbc32052410ca0b1",
        ),
        (
            DB_USER,
            "rds.CreateDBInstance#0",
            1,
            "dc09e6d8-f02c-8420-84c0-4f84726dcd0e",
            "dc09e6d8f02c542044c04f84726dcd0e4f385f600d5eb881de0ff2998e264557",
        ),
        (
            SIZE,
            "mail#0",
            0,
            "a393d464-44c9-8e34-80a1-30c65cdaa75b",
            "a393d46444c92e3480a130c65cdaa75b11d248f65474ed081648e1776aff4bde",
        ),
    ],
)
def test_tokens(named, key, generation, as_uuid, hex64):
    """
    A token is the same in every copy of a step, in each form that an external API may take.
    """
    token = Token.of(named.operation, key, generation)

    assert as_uuid == token.uuid
    assert as_uuid.replace("-", "") == token.hex32
    assert hex64 == token.hex64
    assert (8, uuid.RFC_4122) == (uuid.UUID(token.uuid).version, uuid.UUID(token.uuid).variant)


def test_a_replacement_has_the_same_correlation_id_and_another_default_id():
    """
    The request is part of the default id, or a replacement would collide with what it replaces.
    """
    again = request(USERS, "DbUser", "another-request")

    assert DB_USER.correlation_id == again.correlation_id
    assert DB_USER.default_physical_id != again.default_physical_id


def test_parts_cannot_be_shifted():
    """
    Each part is hashed with its length: two resources never share a text.
    """
    stack = USERS.removesuffix("d5")

    assert request(stack + "d5", "X", "1").correlation_id != (
        request(stack + "d", "5X", "1").correlation_id
    )
