"""`cfn-once ledger` where stacks and ledger are AWS's: MiniStack has both.

MiniStack lists no resource of a stack before the stack is done: what CloudFormation says of one
that is in progress is botocore's Stubber's to say.
"""

import io
import json
import time
import zipfile
from contextlib import nullcontext

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber

from cfn_once.cli.console import Stop
from cfn_once.cli.forget import refuse_held
from cfn_once.cli.ledger import rows_of_stack
from cfn_once.cli.log_group import LogGroup
from cfn_once.cli.lookup import key_of
from cfn_once.cli.sources import of_queue, of_schedule
from cfn_once.cli.stacks import StackReader
from cfn_once.ledger import MemoryStore
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.store import Absent, Write
from cfn_once.testing import create_event
from ledger.engines import make_table
from ledger.told import a_head, an_operation
from support.shell import call

ANSWERS = """
import json, urllib.request

def handler(event, context):
    told = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps({**told, "Status": "SUCCESS", "PhysicalResourceId": "thing-1"}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"))
"""
SHOP = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"


@pytest.fixture(scope="module")
def stack(ministack):
    """A stack on MiniStack with a custom resource, which a function of a few lines answers for."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("answers.py", ANSWERS)
    function = ministack.client("lambda").create_function(
        FunctionName="of-ledger-on-aws",
        Runtime="python3.11",
        Handler="answers.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    things = {
        name: {"Type": "Custom::Thing", "Properties": {"ServiceToken": function}}
        for name in ("Thing", "Unknown")
    }
    template = {"Resources": {**things, "Topic": {"Type": "AWS::SNS::Topic"}}}
    client = ministack.client("cloudformation")
    client.create_stack(StackName="hangs", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(
        StackName="hangs", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return client.describe_stacks(StackName="hangs")["Stacks"][0]["StackId"]


@pytest.fixture(scope="module")
def table(ministack, stack):
    """A ledger of 10,000 items, of which one died."""
    client = ministack.client("dynamodb")
    name = make_table(client, "ledger-of-10000")
    store = DynamoDBStore(name, client=client)
    operation = an_operation(typ="Create", st="RUNNING", lu=1_000, beg=500)
    head = a_head(stk=stack, lid="Thing", rt="Custom::Thing", op=operation)
    store.write(key_of(stack, "Thing"), Write(Absent(("v",)), head))
    item = client.get_item(
        TableName=name, Key={"pk": {"S": key_of(stack, "Thing")}, "sk": {"S": "H"}}
    )["Item"]
    others = [{**item, "pk": {"S": f"r{n:026}"}, "lid": {"S": f"Other{n}"}} for n in range(9_999)]
    for start in range(0, len(others), 25):
        puts = [{"PutRequest": {"Item": other}} for other in others[start : start + 25]]
        client.batch_write_item(RequestItems={name: puts})
    return name


@pytest.fixture
def ask(command):
    return lambda *arguments: command("ledger", *arguments)


@pytest.fixture
def command(tmp_path, ministack, table):
    def command(*arguments):
        return call(
            tmp_path,
            *arguments,
            CFN_ONCE_LEDGER=f"dynamodb://{table}?endpoint={ministack.url}",
            AWS_ENDPOINT_URL=ministack.url,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
        )

    return command


def test_one_command_names_the_cause_among_10000_items(ask):
    """
    CloudFormation names the resources, and each is read by itself: the table's size costs nothing.
    """
    ask("list", "--stack", "hangs")
    began = time.monotonic()
    told = ask("list", "--stack", "hangs", "--unfinished")
    seconds = time.monotonic() - began

    assert (
        "Thing (Custom::Thing): Create r1: its execution died: nobody is at work on it since"
        " 1970-01-01T00:00:01Z\n"
        "  next: cfn-once respond hangs Thing --from-queue URL | --event FILE | --schedule NAME\n"
        "1 resource, 1 in need of somebody\n"
    ) == told.out
    print(f"\n{seconds:.2f} s over 10,000 items")
    assert seconds < 10  # 2 on a machine that does nothing else


def test_a_resource_of_which_the_ledger_knows_nothing(ask):
    """
    It is named; a resource of another kind is none of ours.
    """
    told = ask("list", "--stack", "hangs")

    assert "Unknown (Custom::Thing): CREATE_COMPLETE: no delivery of a request has" in told.out
    assert "Topic" not in told.out


def test_all_of_a_table(ask):
    """
    Where it is asked for, every item is read, and the stack is found in the items themselves.
    """
    whole, scanned = ask("list"), ask("list", "--stack", "hangs", "--scan")

    assert whole.out.endswith("10000 resources, 10000 in need of somebody\n")
    assert scanned.out.endswith("10000 resources, 10000 in need of somebody\n")


def test_one_resource(ask, stack):
    """
    By the stack's name, or by its ARN.
    """
    by_name, by_arn = ask("show", "hangs", "Thing"), ask("show", stack, "Thing")

    assert f"Thing (Custom::Thing) in {stack}\n" in by_name.out
    assert "next: cfn-once respond hangs Thing " in by_name.out
    assert f"next: cfn-once respond {stack} Thing " in by_arn.out


WRONG = {
    "list --stack nobody": "there is no stack nobody in us-east-1. Give the ARN of one that is",
    "show hangs Topic": "the ledger has nothing of Topic in hangs: no delivery of a request has",
    "list --ledger dynamodb://no-table": "us-east-1 was asked: check the table's name, its Region",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_not_there(ask, arguments):
    """
    It is said, with where to look; the exit code is 3.
    """
    told = ask(*arguments.split())

    assert 3 == told.code
    assert WRONG[arguments] in told.err


def test_a_stack_of_which_cloudformation_lists_nothing(ask, ministack):
    """
    It lists nothing of what it has rolled back, so an empty list is no sign that all is well: the
    command that looks in all of the ledger is named.
    """
    client = ministack.client("cloudformation")
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    client.create_stack(StackName="back", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(
        StackName="back", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    told = ask("list", "--stack", "back", "--unfinished")

    assert (3, "") == (told.code, told.out)
    assert "CloudFormation lists no custom resource of a stack back: it lists none that" in told.err
    assert told.err.endswith("cfn-once ledger list --stack back --unfinished --scan\n")


WHY = ("--reason", "x", "--by", "ada", "--yes")
OF_SOMEBODY = {
    "list": ("ledger", "list"),
    "list, scanned": ("ledger", "list", "--stack", "shop", "--scan"),
    "show": ("ledger", "show", SHOP, "Thing"),
    "show by an id": ("ledger", "show", "thing-1"),
    "resolve": ("resolve", SHOP, "Thing", "thing", "--not-made", *WHY),
    "forget": ("forget", SHOP, "Thing", *WHY),
    "respond": ("respond", SHOP, "Thing", "--event", "event.json", "--yes"),
}


@pytest.fixture(scope="module")
def of_customers(ministack):
    """A table of somebody else's, with an item."""
    client = ministack.client("dynamodb")
    name = make_table(client, "of-customers", keys=("id", "order"))
    client.put_item(TableName=name, Item={"id": {"S": "r1"}, "order": {"S": "H"}})
    return name


@pytest.mark.parametrize("arguments", OF_SOMEBODY.values(), ids=OF_SOMEBODY)
def test_a_table_without_our_keys(command, ministack, of_customers, tmp_path, arguments):
    """
    A table of somebody else's is named as such, and nothing is written.
    """
    (tmp_path / "event.json").write_text(json.dumps(create_event("Thing", stack_id=SHOP)))
    client = ministack.client("dynamodb")
    before = client.scan(TableName=of_customers)["Items"]

    told = command(*arguments, "--ledger", f"dynamodb://{of_customers}?endpoint={ministack.url}")

    assert 3 == told.code, told.out
    assert "its keys must be pk and sk, both text" in told.err
    assert before == client.scan(TableName=of_customers)["Items"]


def test_what_a_stack_still_has_is_not_forgotten(command, ministack, table, stack):
    """
    Its Delete would remove nothing any more. Once CloudFormation has let go of it, it is forgotten.
    """
    store = DynamoDBStore(table, client=ministack.client("dynamodb"))
    before = {}
    for name in ("Unknown", "Gone"):
        operation = an_operation(typ="Create", st="SUCCEEDED", lu=1_000)
        held = {"id": "thing-1"}
        head = a_head(stk=stack, lid=name, rt="Custom::Thing", op=operation, held=held)
        before[name] = store.write(key_of(stack, name), Write(Absent(("v",)), head)).head

    held, gone = (command("forget", "hangs", name, *WHY) for name in ("Unknown", "Gone"))

    assert (3, 0) == (held.code, gone.code), gone.err
    assert f"CloudFormation has Unknown in {stack} (CREATE_COMPLETE): after a forget" in held.err
    assert before["Unknown"] == store.read(key_of(stack, "Unknown"))


@pytest.mark.parametrize(
    ("status", "is_let_go"),
    [
        ("", True),
        ("DELETE_COMPLETE", True),
        ("DELETE_SKIPPED", True),
        ("DELETE_FAILED", False),
        ("UPDATE_IN_PROGRESS", False),
    ],
)
def test_what_cloudformation_has_let_go_of(status, is_let_go):
    """
    What is deleted, or retained, or in the stack no more; a Delete that failed is sent again.
    """
    head = MemoryStore().write("r", Write(Absent(("v",)), a_head(stk=SHOP, lid="Thing"))).head
    with nullcontext() if is_let_go else pytest.raises(Stop, match=f"in {SHOP} .{status}."):
        refuse_held(head, status)


@pytest.mark.parametrize(
    ("physical_id", "is_taken"),
    [
        ("thing-2", True),
        ("thing-1", False),
        ("thing-0", False),
        ("cfn-once.none.c.o.1", False),
        ("shop-Thing-1ABCDEFGHIJKL", False),
        ("FAILED", False),
    ],
)
def test_a_stack_with_an_id_that_the_ledger_never_knew(physical_id, is_taken):
    """
    The ledger's object is forgotten, and hooks go by the stack's id. Under an id that the ledger
    has known, or that stands for no object, a Delete would remove nothing.
    """
    change = a_head(stk=SHOP, lid="Thing", held={"id": "thing-1"}, gone=["thing-0"])
    head = MemoryStore().write("r", Write(Absent(("v",)), change)).head
    with nullcontext() if is_taken else pytest.raises(Stop, match="would remove nothing"):
        refuse_held(head, "UPDATE_COMPLETE", physical_id)


def listed(statuses):
    """Return what CloudFormation answers of a stack, on two pages."""
    client = boto3.client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    described = {"StackName": "shop", "CreationTime": 0, "StackStatus": "UPDATE_IN_PROGRESS"}
    stubber.add_response("describe_stacks", {"Stacks": [{**described, "StackId": SHOP}]})
    for page, (name, status) in enumerate(statuses.items(), 1):
        summary = {
            "LogicalResourceId": name,
            "ResourceType": "Custom::Thing",
            "ResourceStatus": status,
            "LastUpdatedTimestamp": 0,
        }
        more = {"NextToken": str(page)} if page < len(statuses) else {}
        stubber.add_response("list_stack_resources", {"StackResourceSummaries": [summary], **more})
    stubber.activate()
    return StackReader(client).resources_below("shop")


def test_what_cloudformation_waits_for():
    """
    Where it waits, and the ledger has answered or knows nothing, the two together name the cause.
    """
    store = MemoryStore()
    operation = an_operation(typ="Create", st="SUCCEEDED", lu=60_000)
    head = a_head(stk=SHOP, lid="Told", rt="Custom::Thing", op=operation)
    store.write(key_of(SHOP, "Told"), Write(Absent(("v",)), head))
    resources = listed({"Told": "UPDATE_IN_PROGRESS", "Never": "CREATE_IN_PROGRESS"})

    told, never = rows_of_stack(store, resources, 120_000)

    assert "waited-for" == told.found.kind
    assert (
        "CloudFormation waits for the answer to its Update. The newest request here is its Create,"
        " answered SUCCESS at 1970-01-01T00:01:00Z: either that answer was lost, or no delivery of"
        " the Update has come to this ledger"
    ) == told.found.words
    assert "cfn-once respond shop Told" in told.found.next
    assert ("unknown", True) == (never.found.kind, never.found.is_open)
    assert "did CloudFormation's event arrive?" in never.found.next


def test_no_way_to_cloudformation():
    """
    Whoever may not ask is told so.
    """
    client = boto3.client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    stubber.add_client_error("describe_stacks", "AccessDenied", "not you")
    stubber.activate()

    with pytest.raises(Stop, match=r"does not tell of the stack shop: .*not you"):
        StackReader(client).id_of("shop")


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("cloudformation", lambda client: StackReader(client).id_of("shop")),
        ("logs", lambda client: list(LogGroup("/aws/lambda/shop", client).lines(0, 1))),
        ("sqs", lambda client: of_queue("https://sqs.us-east-1.amazonaws.com/1/q", client)),
        ("scheduler", lambda client: of_schedule("shop", client)),
    ],
)
def test_no_credentials(service, ask):
    """
    It is told how to log in, whatever is asked.
    """
    session = botocore.session.get_session()
    session.get_component("credential_provider").providers = []
    client = session.create_client(service, "us-east-1")

    with pytest.raises(Stop, match=r"there are no AWS credentials .*: set AWS_PROFILE, or log in"):
        ask(client)


def test_a_stack_that_hangs_in_one_of_its_nested_stacks():
    """
    Its resources are listed with those of the stack around it, by its ARN; one that could not be
    made is passed over.
    """
    client = boto3.client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber, inner = Stubber(client), SHOP.replace("shop", "shop-Inner-1")
    described = {"StackName": "shop", "CreationTime": 0, "StackStatus": "CREATE_IN_PROGRESS"}
    summary = {"ResourceStatus": "CREATE_IN_PROGRESS", "LastUpdatedTimestamp": 0}
    nested = {**summary, "ResourceType": "AWS::CloudFormation::Stack"}
    children = [
        {**nested, "LogicalResourceId": "Failed", "PhysicalResourceId": f"{inner}0"},
        {**nested, "LogicalResourceId": "Inner", "PhysicalResourceId": inner},
        {**nested, "LogicalResourceId": "NotYet"},
    ]
    thing = {**summary, "ResourceType": "Custom::Thing", "LogicalResourceId": "Thing"}
    stubber.add_response("describe_stacks", {"Stacks": [{**described, "StackId": SHOP}]})
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": children})
    stubber.add_client_error("list_stack_resources", "ValidationError", "it does not exist")
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": [thing]})
    stubber.activate()

    (row,) = rows_of_stack(MemoryStore(), StackReader(client).resources_below("shop"), 0)

    assert (inner, "Thing", "unknown", True) == (
        *(row.stack, row.logical_resource_id),
        *(row.found.kind, row.found.is_open),
    )
