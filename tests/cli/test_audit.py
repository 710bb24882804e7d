"""`cfn-once audit`: the table of findings; then the verb over stacks on a local AWS."""

import contextlib
import json
import os
import shlex
import sqlite3
import subprocess
import sys

import boto3
import pytest
from botocore.stub import Stubber

from cfn_once.cli.audit import World
from cfn_once.cli.console import Stop
from cfn_once.cli.findings import Class, KnownStack, findings_of, is_of_interest
from cfn_once.cli.stacks import StackReader, StackResource
from cfn_once.ledger import MemoryStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, Write
from ledger.told import a_head, an_operation
from support import audited
from support.shell import call

NOW = 1_800_000_000_000
LONG_AGO = NOW - 3_600_000
SHOP = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"
OVER = {"typ": "Create", "st": "SUCCEEDED", "lu": LONG_AGO, "beg": LONG_AGO}
FAILED = {**OVER, "st": "FAILED", "out": '{"Status": "FAILED"}'}
STARTED = {"thing#0": {"s": "S", "t": LONG_AGO}}
DONE = {"thing#0": {"s": "D", "r": '"thing-9"', "t": LONG_AGO}}
LEFT = an_operation(rid="r0", typ="Create", st="FAILED", steps=DONE, id="thing-0")
HELD = {"held": {"id": "thing-1"}}
KEPT = {("Thing", "thing-1")}
FORGOTTEN = [{"typ": "Forget", "st": "FORGOTTEN", "at": LONG_AGO, "by": "ada"}]


def head(operation=OVER, **attributes):
    """The ledger's item of Thing in the stack shop."""
    store, change = MemoryStore(), {"stk": SHOP, "lid": "Thing", "rt": "Custom::Thing"}
    change = a_head(**change, op=an_operation(**operation), **attributes)
    return store.write("r1", Write(Absent(("v",)), change)).head


def stack(
    status="CREATE_COMPLETE", of_stack="UPDATE_COMPLETE", held="thing-1", kind="Custom::Thing"
):
    """CloudFormation's stack; where `status` is empty it has no such resource."""
    resource = StackResource(SHOP, "Thing", kind, status, held)
    return KnownStack(of_stack, {"Thing": resource} if status else {})


GONE = stack("")
DELETED = stack("", "DELETE_COMPLETE")
REMOVED = head({**OVER, "typ": "Delete"}, ttl=NOW // 1000)
CASES = {
    "as it should be": (head(**HELD), stack(), []),
    "nothing left of a deleted one": (REMOVED, DELETED, []),
    "its stack is deleted": (head(**HELD), DELETED, ["ORPHAN!"]),
    "its stack has let it go": (head(**HELD), GONE, ["ORPHAN!"]),
    "deleted, and listed still": (head(**HELD), stack("DELETE_COMPLETE"), ["ORPHAN!"]),
    "a replaced one of a deleted stack": (head(repl=[{"id": "thing-0"}]), DELETED, ["ORPHAN!"]),
    "left by a failed Create": (head(FAILED, pend=[LEFT]), DELETED, ["ORPHAN!"]),
    "a failed Create that left something": (
        head({**FAILED, "steps": DONE}),
        stack("CREATE_FAILED"),
        ["NOT-REMOVED"],
    ),
    "the same, and its Delete never came": (
        head({**FAILED, "steps": DONE}, ttl=NOW // 1000),
        DELETED,
        ["ORPHAN!"],
    ),
    "died with its stack": (head({**OVER, "st": "RUNNING"}), DELETED, ["ORPHAN!"]),
    "another id": (head(**HELD), stack(held="thing-2"), ["DIFFERS!"]),
    "another type": (head(**HELD), stack(kind="Custom::Other"), ["DIFFERS!"]),
    "the ledger holds nothing": (head(), stack(), ["DIFFERS!"]),
    "its stack is at it": (head(**HELD), stack(held="thing-2", of_stack="UPDATE_IN_PROGRESS"), []),
    "a failed Create": (head(FAILED), stack("CREATE_FAILED"), []),
    "replaced, never deleted": (head(**HELD, repl=[{"id": "thing-0"}]), stack(), ["NOT-REMOVED!"]),
    "left, and removed by the next": (head(**HELD, pend=[LEFT]), stack(), ["NOT-REMOVED"]),
    "a step in doubt": (head({**FAILED, "steps": STARTED}, **HELD), stack(), ["IN-DOUBT!"]),
    "in doubt, and its stack gone": (
        head({**FAILED, "steps": STARTED}),
        DELETED,
        ["IN-DOUBT!"],
    ),
    "its execution died": (
        head({**OVER, "st": "RUNNING"}),
        stack("CREATE_IN_PROGRESS"),
        ["UNANSWERED!"],
    ),
    "it died just now": (head({**OVER, "st": "RUNNING", "lu": NOW - 9_000}), stack(), []),
    "it is at work": (head({**OVER, "st": "RUNNING", "lu": NOW + 9_000}), stack(), []),
    "CloudFormation still waits": (
        head(**HELD),
        stack("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"),
        ["UNANSWERED!"],
    ),
    "its continuation did not come": (
        head({**OVER, "st": "PARKED", "due": LONG_AGO}),
        stack("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS"),
        ["UNANSWERED!"],
    ),
    "retained": (head(**HELD), stack("DELETE_SKIPPED", "DELETE_COMPLETE"), ["RETAINED"]),
    "retained, as the events say": (head(**HELD), GONE._replace(retained=KEPT), ["RETAINED"]),
    "another one was retained": (
        head(held={"id": "thing-2"}),
        stack("DELETE_SKIPPED", "DELETE_COMPLETE"),
        ["ORPHAN!"],
    ),
    "replaced and retained": (
        head(held={"id": "thing-2"}, repl=[{"id": "thing-1"}]),
        stack(held="thing-2")._replace(retained=KEPT),
        ["RETAINED"],
    ),
    "another id, and the stack's is known to be removed": (
        head(held={"id": "thing-2"}, gone=["thing-1"]),
        stack(),
        ["DIFFERS!"],
    ),
    "forgotten, and the stack has another": (head(hist=FORGOTTEN), stack(), []),
    "an unknown stack": (head(**HELD), KnownStack("", {}), ["UNKNOWN-STACK!"]),
    "nothing left, unknown stack": (head(), KnownStack("", {}), []),
}


@pytest.mark.parametrize("case", CASES)
def test_the_table(case):
    """
    What the ledger has of a resource, and what its stack has: the classes of what is found, with
    an exclamation mark where somebody has to act, and the words that say so.
    """
    kept, beside, wanted = CASES[case]
    found = list(findings_of(kept, beside, NOW))

    assert wanted == [f"{finding.kind}{'!' if finding.next else ''}" for finding in found]
    assert is_of_interest(kept, NOW) or not wanted


def next_of(kept, beside):
    """What is said to do, of a resource with one finding."""
    (finding,) = findings_of(kept, beside, NOW)
    return finding.next


def test_what_is_not_answered_is_not_to_be_forgotten_before_its_time():
    """
    What `forget` refuses until CloudFormation's longest wait is over, it is told with that time.
    """
    died = {**OVER, "st": "RUNNING"}
    just_now, long_ago = ({**died, "iss": NOW // 1000 - ago} for ago in (600, 3_600))
    until = "after 2027-01-15T08:50:00Z, until when a late delivery may act, look for it"

    assert next_of(head(just_now), DELETED).startswith(until)
    assert next_of(head(long_ago), DELETED).startswith("look for it")


def test_what_is_said_of_two_ids_depends_on_whether_the_ledger_knows_both():
    """
    A Delete under an id that was forgotten, or removed, removes nothing: an operator is not told to
    forget the id that the stack has.
    """
    other = stack(held="thing-2")

    assert "Then: cfn-once forget shop Thing" in next_of(head(**HELD), other)
    for known in ({"gone": ["thing-2"]}, {"repl": [{"id": "thing-2"}]}):
        found = [f.next for f in findings_of(head(**HELD, **known), other, NOW)]

        assert "the ledger has had both. cfn-once ledger show shop Thing" in found[0]
        assert not [words for words in found if "forget" in words]


def test_what_is_said_of_a_replaced_one_depends_on_whether_its_delete_came():
    """
    The resource's Delete removes a replaced object again whose own Delete failed, and no other.
    """
    failed = {**OVER, "typ": "Delete", "st": "FAILED", "eid": "thing-0"}
    again = "delete the resource, which removes both"
    old = {"id": "thing-0"}

    assert again in next_of(head(**HELD, repl=[{**old, "del": True}]), stack())
    assert again in next_of(head(failed, **HELD, repl=[old]), stack())
    assert "CloudFormation has not asked for its Delete" in next_of(
        head(**HELD, repl=[old]), stack()
    )


def events(*rows):
    return [
        {
            "StackId": SHOP,
            "EventId": f"e-{n}",
            "StackName": "shop",
            "LogicalResourceId": "Thing",
            "PhysicalResourceId": physical_id,
            "ResourceStatus": status,
            "Timestamp": 0,
        }
        for n, (physical_id, status) in enumerate(rows)
    ]


def test_the_events_of_a_stack_are_read_until_what_was_let_go_is_found():
    """
    They come newest first, in pages. What is found on one is not looked for on the next.
    """
    client = boto3.client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    newest = events(("thing-2", "UPDATE_COMPLETE"), ("thing-0", "DELETE_COMPLETE"))
    older = events(("thing-1", "DELETE_SKIPPED"))
    stacks = StackReader(client)
    with Stubber(client) as stub:
        for asked, page in (
            ({}, {"StackEvents": newest, "NextToken": "2"}),
            ({"NextToken": "2"}, {"StackEvents": older, "NextToken": "3"}),
        ):
            stub.add_response("describe_stack_events", page, {"StackName": SHOP, **asked})
        found = stacks.retained_by(SHOP, ["thing-1"])
        stub.assert_no_pending_responses()

    assert (KEPT, 2) == (found, stacks.requests)


def test_every_class_has_a_case():
    """
    The table above has each class but that of items which cannot be read: the verb's own test does.
    """
    seen = {word.strip("!") for *_, wanted in CASES.values() for word in wanted}

    assert set(Class) - {Class.UNREADABLE} == seen


class Few:
    """CloudFormation with some stacks, which counts its requests."""

    region, requests = "us-east-1", 0

    def __init__(self, *living):
        self._living = dict.fromkeys(living, "CREATE_COMPLETE")

    def living(self):
        return self._living

    def status_of(self, stack_id):
        self.requests += 1
        return ""

    def resources_of(self, stack_id):
        return []


class Silent:
    def say(self, text):
        pass


@pytest.mark.parametrize("place", ["eu-west-1:123456789012", "us-east-1:999999999999"])
def test_stacks_of_another_place_are_not_asked_for(place):
    """
    A stack of another Region, or of another account than those that live, is unknown at once.
    """
    few = Few(SHOP)
    world = World(few, Silent())

    assert "" == world.stack(f"arn:aws:cloudformation:{place}:stack/other/1").status
    assert "CREATE_COMPLETE" == world.stack(SHOP).status
    assert 0 == few.requests


def test_a_ledger_of_another_account():
    """
    Where CloudFormation knows none of the stacks, nothing is judged: it says whose they are.
    """
    world = World(Few(), Silent())
    world.stack(SHOP)

    with pytest.raises(Stop, match=r"knows none of the ledger's 1 stack, of 123456789012"):
        world.check_any([head(**HELD)])


def test_a_single_unknown_stack_of_this_account():
    """
    Where other stacks of the same account live, a stack that is not known is judged by itself.
    """
    world = World(Few(SHOP.replace("shop", "other")), Silent())
    unknown = head(**HELD)

    assert "" == world.stack(SHOP).status
    assert world.check_any([unknown]) is None


@pytest.fixture(scope="module")
def of_most_classes(ministack, tmp_path_factory):
    """A ledger with most classes, and its stacks on MiniStack."""
    path = tmp_path_factory.mktemp("audit") / "ledger.sqlite3"
    audited.ledger(ministack, path)
    return path


@pytest.fixture
def audit(tmp_path, ministack, of_most_classes):
    def audit(*arguments, ledger=None):
        return call(
            tmp_path,
            "audit",
            "--ledger",
            f"sqlite://{ledger or of_most_classes}",
            *arguments,
            **audit.environment,
        )

    audit.environment = {
        "AWS_ENDPOINT_URL": ministack.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return audit


def test_the_verb(audit):
    """
    Each finding is a line with what to do below it; the last line counts, and the exit code says
    that somebody has to act.
    """
    called = audit()
    found = json.loads(audit("--json").out)["findings"]

    assert {
        ("ORPHAN", "audited", "Orders"),
        ("ORPHAN", "audit-gone", "Orders"),
        ("IN-DOUBT", "audited", "Customers"),
        ("UNKNOWN-STACK", "never", "Orders"),
    } == {
        (told["kind"], told["stack_id"].split("/")[1], told["logical_resource_id"])
        for told in found
    }
    assert (
        "ORPHAN audited Orders (Custom::Thing): the ledger holds thing-1, and its stack has let it"
        " go\n  next: look for it, and remove it by hand if it is there. Then: cfn-once forget"
        " audited Orders --reason WHY\n"
    ) in called.out
    assert called.out.endswith(
        "5 items, 3 stacks, 2 ORPHAN, 1 IN-DOUBT, 1 UNKNOWN-STACK; 4 in need of somebody\n"
    )
    assert "1 page of the ledger, " in called.err
    assert 1 == called.code


def test_who_reads_its_first_line_only_learns_that_something_was_found(audit, of_most_classes):
    """
    The exit code does not depend on how much of the findings is read, as before `head`.
    """
    reads, writes = os.pipe()
    os.close(reads)  # a reader who has left, at the first line already
    told = subprocess.run(
        [sys.executable, "-m", "cfn_once", "audit", "--ledger", f"sqlite://{of_most_classes}"],
        env={**os.environ, **audit.environment},
        check=False,
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writes)

    assert (1, "") == (told.returncode, told.stderr)


def test_what_it_says_to_do_ends_the_finding(audit, of_most_classes, tmp_path):
    """
    The command below an ORPHAN is one that the shell takes, and after it there is none.
    """
    path = tmp_path / "copy.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(of_most_classes)) as kept,
        contextlib.closing(sqlite3.connect(path)) as copy,
    ):
        kept.backup(copy)
    only = ("--stack-prefix", "audit-gone")
    (finding,) = json.loads(audit(*only, "--json", ledger=path).out)["findings"]
    _, verb, *arguments = shlex.split(finding["next"].partition("Then: ")[2])
    done = call(tmp_path, verb, *arguments, "--yes", CFN_ONCE_LEDGER=f"sqlite://{path}")
    after = audit(*only, ledger=path)

    assert ("ORPHAN", "forget", 0) == (finding["kind"], verb, done.code)
    assert "1 item, 1 stack; 0 in need of somebody\n" == after.out
    assert 0 == after.code


def test_a_prefix(audit):
    """
    Only stacks whose names begin so are looked at; a prefix that none has is no clean result.
    """
    called = audit("--stack-prefix", "audit-", "--json")
    none = audit("--stack-prefix", "nothing")

    assert ["ORPHAN"] == [finding["kind"] for finding in json.loads(called.out)["findings"]]
    assert 3 == none.code
    assert "the ledger has no item of stacks named nothing...: is its namespace" in none.err


def test_no_credentials(tmp_path, of_most_classes):
    """
    Without access to CloudFormation nothing is judged: 3.
    """
    called = call(
        tmp_path,
        "audit",
        "--ledger",
        f"sqlite://{of_most_classes}",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE="/none",
        AWS_SHARED_CREDENTIALS_FILE="/none",
        HOME=str(tmp_path),
    )

    assert 3 == called.code
    assert "CloudFormation does not tell of its stacks" in called.err


def test_a_ledger_of_another_account_as_a_whole(audit, tmp_path):
    """
    Beside stacks of this account it is judged by nobody, and no finding is printed: 3.
    """
    path = tmp_path / "theirs.sqlite3"
    theirs = SHOP.replace("123456789012", "999999999999")
    audited.write(path, [(theirs, "Orders", {}, {"held": {"id": "thing-1"}})])
    called = audit(ledger=path)

    assert (3, "") == (called.code, called.out)
    assert "knows none of the ledger's 1 stack, of 999999999999 in us-east-1: are" in called.err


def test_an_item_that_cannot_be_read(audit, tmp_path):
    """
    An item of a newer version is a finding of its own, and the others are judged.
    """
    path = tmp_path / "newer.sqlite3"
    SQLiteStore(path).write("r1", Write(Absent(("v",)), a_head(stk=SHOP)))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("update ledger set doc = json_set(doc, '$.v', 99)")
        connection.commit()
    called = audit(ledger=path)

    assert "UNREADABLE r1: the item r1 cannot be read: its schema version is 99" in called.out
    assert 1 == called.code
