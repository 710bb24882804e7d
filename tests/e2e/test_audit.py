"""How long `cfn-once audit` takes over a large ledger, and what it asks for."""

import json
import subprocess
import sys
import time

import pytest

from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.store import Absent, Write
from ledger.engines import make_table
from ledger.told import a_head, an_operation
from support.audited import TOPIC

pytestmark = pytest.mark.e2e
STACKS, ITEMS = 500, 10_000


def test_10000_items_and_500_stacks_take_no_minute(ministack):
    """
    Each stack is asked for once, its events too where it has let go of something, and the table is
    read in pages: under 60 s, and the requests are counted. Each stack has 19 resources of which
    nothing is left, and one that it has let go.
    """
    formation = ministack.client("cloudformation")
    for n in range(STACKS):
        formation.create_stack(StackName=f"many-{n}", TemplateBody=TOPIC)
    pages = formation.get_paginator("list_stacks").paginate()
    ids = [
        stack["StackId"]
        for page in pages
        for stack in page["StackSummaries"]
        if stack["StackName"].startswith("many-")
    ]
    table = _table(ministack, ids)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cfn_once", "audit", "--stack-prefix", "many-", "--json"],
        env={
            "AWS_ENDPOINT_URL": ministack.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "CFN_ONCE_LEDGER": f"dynamodb://{table}?endpoint={ministack.url}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    told = json.loads(done.stdout)

    assert (ITEMS, STACKS) == (told["items"], told["stacks"])
    assert {"ORPHAN"} == {finding["kind"] for finding in told["findings"]}
    assert STACKS == len(told["findings"])
    assert told["cloudformation_requests"] <= 2 * STACKS + 10
    assert told["ledger_pages"] < 50
    print(
        f"\n{seconds:.1f} s, {told['cloudformation_requests']} requests of CloudFormation,"
        f" {told['ledger_pages']} pages of the ledger"
    )
    assert seconds < 60


def _table(ministack, ids):
    """Make a ledger of 20 items a stack."""
    client = ministack.client("dynamodb")
    name = make_table(client, "audit-of-10000")
    store = DynamoDBStore(name, client=client)
    heads = {
        "gone": a_head(op=an_operation(typ="Delete", lu=1_000), rt="Custom::Thing", ttl=2**40),
        "held": a_head(op=an_operation(typ="Create"), rt="Custom::Thing", held={"id": "thing-1"}),
    }
    items = {}
    for key, head in heads.items():
        store.write(key, Write(Absent(("v",)), head))
        place = {"pk": {"S": key}, "sk": {"S": "H"}}
        items[key] = client.get_item(TableName=name, Key=place)["Item"]
        client.delete_item(TableName=name, Key=place)
    each = ITEMS // len(ids)
    rows = [
        {
            **items["held" if n == 0 else "gone"],
            "pk": {"S": f"r{stack}-{n}"},
            "stk": {"S": stack_id},
            "lid": {"S": f"Thing{n}"},
        }
        for stack, stack_id in enumerate(ids)
        for n in range(each)
    ]
    for start in range(0, len(rows), 25):
        puts = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
        client.batch_write_item(RequestItems={name: puts})
    return name
