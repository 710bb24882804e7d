"""A ledger and stacks that do not say the same, on MiniStack: what `cfn-once audit` finds."""

import json
import time

from cfn_once.cli.lookup import key_of
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, Write
from ledger.told import a_head, an_operation

TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
HOUR = 3_600_000


def stacks(aws, living, deleted):
    """Make two stacks without custom resources, delete one, and return the ARNs by the names."""
    client = aws.client("cloudformation")
    ids = {}
    for name in (living, deleted):
        client.create_stack(StackName=name, TemplateBody=TOPIC)
        client.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        ids[name] = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=deleted)
    return ids


def write(path, items):
    """Write a ledger of items: the stack's ARN, the logical id, the operation and the rest."""
    store, ended = SQLiteStore(path), int(time.time() * 1000) - HOUR
    for stack_id, logical_id, operation, rest in items:
        kept = {"typ": "Create", "st": "SUCCEEDED", "lu": ended, "beg": ended, **operation}
        change = a_head(
            stk=stack_id, lid=logical_id, rt="Custom::Thing", op=an_operation(**kept), **rest
        )
        store.write(key_of(stack_id, logical_id), Write(Absent(("v",)), change))


def ledger(aws, path, living="audited", deleted="audit-gone"):
    """Write a ledger with most classes of findings, beside its stacks."""
    ids = stacks(aws, living, deleted)
    never = ids[living].replace(living, "never")
    ended = int(time.time() * 1000) - HOUR
    doubt = {"st": "FAILED", "out": "{}", "steps": {"thing#0": {"s": "S", "t": ended}}}
    items = [
        (ids[living], "Customers", doubt, {}),
        (ids[living], "Nothing", {}, {}),
        (ids[living], "Orders", {}, {"held": {"id": "thing-1"}}),
        (ids[deleted], "Orders", {}, {"held": {"id": "thing-2"}}),
        (never, "Orders", {}, {"held": {"id": "thing-3"}}),
    ]
    write(path, items)
