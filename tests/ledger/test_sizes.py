"""How large a resource's item is: DynamoDB charges a write for every kilobyte of the item."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.testing import FakeCloudFormation, VirtualClock
from ledger.engines import make_table

ARN = "arn:aws:ec2:us-east-1:123456789012:thing/sig-0123456789"
STACK = "prod-eu-orders-network-NetworkStack-1M3QXZ5T8W2KD"  # as a nested stack is called
NOW = 1_812_345_678.987  # its milliseconds do not end in zeros, which would take no room
AROUND = 3  # bytes of a list or a map besides what is in it
LARGEST = {0: 1_000, 10: 1_400, 40: 2_000}  # bytes after so many Updates

Item = Mapping[str, Mapping[str, Any]]


class Thing(CustomResource[dict[str, str], dict[str, str]]):
    """Makes a thing in one step, and changes it in one step."""

    def create(self) -> dict[str, str]:
        made = self.step("make", lambda _: {"id": "sig-0123456789", "arn": ARN})
        self.physical_resource_id = made["id"]
        return {"Arn": made["arn"]}

    def update(self) -> dict[str, str]:
        self.step("change", lambda _: {"ok": True})
        return {"Arn": ARN}

    def delete(self) -> None:
        self.step("gone", lambda _: None, repeat=True)


def size_of(value: Mapping[str, Any]) -> int:
    """Return the bytes that a value takes in an item.

    Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats".
    """
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.strip("0")) / 2) + 1
        case "BOOL":
            return 1
        case "L":
            return AROUND + sum(1 + size_of(element) for element in content)
        case "M":
            return AROUND + sum(1 + size for size in sizes_of(content).values())
    raise TypeError(f"the ledger keeps nothing of the kind {kind}")


def sizes_of(attributes: Item) -> dict[str, int]:
    """Return the bytes that each attribute takes, its name included."""
    return {name: len(name.encode()) + size_of(value) for name, value in attributes.items()}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "Größe"}, 7),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1812345678987"}, 8),
        ({"N": "1800000000000"}, 2),
        ({"BOOL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + 3 + 2),
        ({"M": {}}, 3),
        ({"M": {"key": {"S": "ab"}, "n": {"N": "123"}}}, 3 + (1 + 3 + 2) + (1 + 1 + 3)),
    ],
    ids=str,
)
def test_the_rule(value: Mapping[str, Any], size: int) -> None:
    """Text counts in UTF-8, a number by its digits, and each element one byte more."""
    assert size == size_of(value)


def test_an_item_after_many_updates(dynamodb: Any) -> None:
    """
    An item names its resource and the invocation that wrote it, and stays small, however often
    its resource has changed.
    """
    table = make_table(dynamodb, "ledger-of-sizes")
    ledger = DynamoDBStore(table, client=dynamodb)
    stack = FakeCloudFormation(
        Provider(Thing, ledger=ledger),
        ledger=ledger,
        clock=VirtualClock(NOW),
        stack_name=STACK,
    )
    items: dict[int, Item] = {}

    stack.create("PeeringConnection", {"Number": 0})
    for number in range(max(LARGEST) + 1):
        if number > 0:
            stack.update("PeeringConnection", {"Number": number})
        if number in LARGEST:
            (items[number],) = dynamodb.scan(TableName=table)["Items"]

    for number, item in items.items():
        sizes = sizes_of(item)
        assert sum(sizes.values()) <= LARGEST[number], sizes
        assert stack.stack_id == item["stk"]["S"]
        assert "PeeringConnection" == item["lid"]["S"]
        assert "Custom::Thing" == item["rt"]["S"]
        assert item["op"]["M"]["inv"]["S"]
    assert set(LARGEST) == set(items)
