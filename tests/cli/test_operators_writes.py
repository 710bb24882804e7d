"""`cfn-once resolve` and `forget`: what an operator says of the world, and what comes of it."""

import json
import sqlite3
import time
from contextlib import suppress
from email.utils import formatdate

import pytest

from cfn_once import Provider
from cfn_once.testing import Crashed, create_event
from support import operated
from support.host import Host, Status
from support.shell import call

WHY = ("--reason", "found in the console", "--by", "ada", "--yes")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ask(tmp_path, file):
    def ask(*arguments, **options):
        return call(tmp_path, *arguments, CFN_ONCE_LEDGER=f"sqlite://{file}", **options)

    return ask


def head_of(cloudformation, logical_id):
    return cloudformation.ledger.read(operated.key_of(cloudformation.stack_id, logical_id)).to_doc()


def test_a_step_that_was_made_is_removed_by_the_next_delete(file, ask):
    """
    A Delete that failed for a doubt succeeds once it is known what was made, and removes that.
    """
    shop = operated.stack(file, minutes=60, unresolved="fail")
    create = operated.doubts(shop, "Thing")
    failed = operated.deletes(shop, create)
    shop.clock.advance(600)

    told = ask("resolve", "shop", "Thing", "thing#0", "--made", '"thing-1"', *WHY)
    succeeded = operated.deletes(shop, create)

    assert ("FAILED", "SUCCESS") == (failed.status, succeeded.status)
    assert "in doubt: thing#0 of" in failed.reason
    assert 0 == told.code
    again = "next: have CloudFormation delete it again, as it did when this failed\n"
    said = 'Resolve thing#0 MADE by ada: found in the console; it returned "thing-1"'
    assert f"{said}\n{again}" in told.out
    assert f"{said}\n" in ask("ledger", "show", "shop", "Thing").out
    assert [] == shop.api
    assert "" == succeeded.reason


def test_what_was_made_by_a_create_that_failed_may_be_left(file, ask):
    """
    Only CloudFormation knows whether a Delete will come, which removes it: until then it is not
    said that nothing is to be done.
    """
    shop = operated.stack(file, minutes=60)
    create = operated.doubts(shop, "Thing")
    told = ask("resolve", "shop", "Thing", "thing#0", "--made", '"thing-1"', *WHY)
    listed = ask("ledger", "list", "--unfinished")
    operated.deletes(shop, create)
    after = ask("ledger", "show", "shop", "Thing")
    operated.doubts(shop, "Other")
    shop.clock.advance(600)
    other = ask("resolve", "shop", "Other", "thing#0", "--not-made", *WHY)

    assert other.out.endswith("\nnext: nothing\n")
    assert told.out.endswith("if its stack has none to send: cfn-once audit\n")
    assert "answered FAILED at " in listed.out
    assert "; its Delete removes what it made\n" in listed.out
    assert after.out.endswith("next: nothing\n")


def test_a_step_that_was_not_made_is_called_again(file, ask):
    """
    Of a request that nobody has answered, the next delivery goes on, as after a look-up that has
    found nothing.
    """
    shop = operated.stack(file)
    event = operated.dies(shop, "Thing")
    shop.api.clear()  # the call never arrived
    shop.clock.advance(200)

    told = ask("resolve", "shop", "Thing", "thing", "--not-made", *WHY)
    answer = shop.deliver(event)

    assert 0 == told.code
    assert "SUCCESS" == answer.status
    assert ["thing-1"] == shop.api


def test_a_delete_that_reports_keeps_its_doubts(file, ask):
    """
    With the default setting a Delete succeeds; its tombstone says for 14 days what it could not
    tell, and an operator settles it there.
    """
    shop = operated.stack(file, minutes=60)
    shop.create("Thing")
    update = shop.event("Update", "Thing", {"Size": "2"}, physical_resource_id="thing-1")
    with suppress(Crashed):
        shop.send(update, crash_after="change")
    shop.deliver(update)
    answer = operated.deletes(shop, update)
    before = ask("ledger", "list", "--unfinished")
    made = ask("resolve", "shop", "Thing", "change", "--made", '"x"', *WHY)
    kept = head_of(shop, "Thing")

    step = ask("resolve", "shop", "Thing", "change#0", "--not-made", *WHY)
    told = ask("resolve", "shop", "Thing", "--unrecorded", "--not-made", *WHY)

    assert "SUCCESS" == answer.status
    assert f"in doubt: {kept['dbt'][0]}" in answer.reason
    assert 14 * 86_400 == kept["ttl"] - kept["op"]["lu"] // 1000
    assert "Thing (Custom::Thing): Delete " in before.out
    next_command = f"cfn-once resolve {shop.stack_id} Thing change#0 --not-made --reason WHY"
    assert f"  next: {next_command}\n" in before.out
    assert 2 == made.code
    assert "no hook will remove it: remove it by hand, and say --not-made then" in made.err
    assert (0, 0) == (step.code, told.code)
    assert step.out.endswith("resolve shop Thing --unrecorded --not-made --reason WHY\n")
    assert told.out.endswith("\nnext: nothing\n")
    assert "dbt" not in head_of(shop, "Thing")


def test_what_is_written_says_who_and_why(file, ask):
    """
    It lies in the item, however many requests follow, and is shown.
    """
    shop = operated.stack(file, minutes=60)
    event = operated.dies(shop, "Thing")
    shop.clock.advance(200)
    ask("resolve", "shop", "Thing", "thing", "--made", '"thing-1"', *WHY)
    shop.deliver(event)
    resource = shop.event("Create", "Thing")["LogicalResourceId"]
    for size in range(6):
        shop.deliver(
            shop.event("Update", resource, {"Size": str(size)}, physical_resource_id="thing-1")
        )

    shown = json.loads(ask("ledger", "show", "shop", "Thing", "--json").out)

    entry = next(entry for entry in shown["history"] if entry["by"])
    assert ("Resolve", "MADE", "thing#0", "found in the console", "ada") == (
        *(entry[name] for name in ("type", "outcome", "step", "reason", "by")),
    )
    assert entry["at"].startswith("20")
    assert '"thing-1"' == entry["made"]
    assert 5 == len(shown["history"])


def test_the_logical_id_is_typed(file, ask):
    """
    Without --yes it has to be typed; anything else writes nothing.
    """
    shop = operated.stack(file)
    operated.doubts(shop, "Thing")
    said = ("resolve", "shop", "Thing", "thing", "--not-made", "--reason", "x")
    before = head_of(shop, "Thing")

    wrong, unsaid = ask(*said, stdin="Thingy\n"), ask(*said)
    between = head_of(shop, "Thing")
    right = ask(*said, stdin="Thing\n")

    assert (2, 2, 0) == (wrong.code, unsaid.code, right.code)
    assert "You say that thing was not made, or is gone. Type its logical id, Thing" in wrong.err
    assert "that is not its logical id: nothing was written" in wrong.err
    assert before == between
    assert before["w"] + 1 == head_of(shop, "Thing")["w"]


def test_nothing_is_written_while_somebody_may_act(file, ask):
    """
    Neither while a lease runs, nor while a call of a dead execution may still land.
    """
    shop = operated.stack(file)
    steps = {"thing#0": {"s": "S"}}
    operated.at_work(shop, "Works", steps=steps)
    operated.at_work(shop, "Lands", st="FAILED", steps=steps)
    before = [head_of(shop, name) for name in ("Works", "Lands")]

    told = [
        *(ask("resolve", "shop", name, "thing", "--not-made", *WHY) for name in ("Works", "Lands")),
        *(ask("forget", "shop", name, *WHY) for name in ("Works", "Lands")),
    ]

    assert [3] * 4 == [said.code for said in told]
    assert all("an execution may be at work on" in said.err for said in told)
    assert before == [head_of(shop, name) for name in ("Works", "Lands")]


def test_a_long_result_is_shown_as_far_as_it_tells_it_apart(file, ask):
    """
    The history of an item keeps the beginning: every later write pays for it. What is said of a
    step is final: a second word about it is refused.
    """
    shop = operated.stack(file, unresolved="fail", minutes=60)
    operated.doubts(shop, "Thing")
    long = json.dumps({"Id": "thing-1", "Text": "x" * 300})

    told = ask("resolve", "shop", "Thing", "thing", "--made", long, *WHY)
    again = ask("resolve", "shop", "Thing", "thing", "--made", '"thing-1"', *WHY)

    assert f"; it returned {long[:200]}...\n" in told.out
    assert long == head_of(shop, "Thing")["op"]["steps"]["thing#0"]["r"]
    assert 2 == again.code


WRONG = {
    "resolve shop Thing thing --not-made": "the following arguments are required: --reason",
    "resolve shop Thing thing --reason x": "one of the arguments --made --not-made is required",
    "resolve shop Thing --not-made --reason x": "name the STEP, or give --unrecorded",
    "resolve shop Thing thing --made thing-1 --reason x --yes": "a text in double quotes, such as",
    "resolve shop Thing thng --not-made --reason x": "no step thng is in doubt: in doubt are thing",
    "resolve shop Thing --unrecorded --made 1 --reason x": "only --not-made can be said",
    "resolve shop Lives thing --not-made --reason x": "is in doubt: nothing of it is in doubt",
    "forget shop Thing --reason": "expected one argument",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call(file, ask, arguments):
    """
    It ends with 2 and says what is right; nothing is written.
    """
    shop = operated.stack(file)
    operated.doubts(shop, "Thing")
    shop.create("Lives")
    before = [head_of(shop, name) for name in ("Thing", "Lives")]

    told = ask(*arguments.split())

    assert 2 == told.code
    assert WRONG[arguments] in told.err
    assert before == [head_of(shop, name) for name in ("Thing", "Lives")]


def test_a_step_of_several_requests(file, ask):
    """
    Where two requests have a step of that name in doubt, their ids tell them apart.
    """
    shop = operated.stack(file, unresolved="fail", minutes=60)
    first = operated.doubts(shop, "Thing")
    shop.clock.advance(60)
    second = operated.doubts(shop, "Thing")

    several = ask("resolve", "shop", "Thing", "thing", "--not-made", *WHY)
    named = ask(
        *("resolve", "shop", "Thing", "thing", "--not-made", "--request", first["RequestId"], *WHY)
    )

    assert (2, 0) == (several.code, named.code)
    assert f"thing#0 --request {second['RequestId']}" in several.err
    assert f"thing#0 --request {first['RequestId']}" in several.err


def test_what_is_forgotten(file, ask):
    """
    A Delete of it removes nothing and succeeds, and a copy of the Create is told what it was told.
    """
    shop = operated.stack(file)
    shop.create("Thing")
    event, answer = shop.answers[0]
    shop.api.clear()

    told = ask("forget", "shop", "Thing", *WHY)
    shown = ask("ledger", "show", "shop", "Thing")
    copy = shop.deliver(event)
    shop.api.append("thing-1")  # somebody else's, under the same name
    deleted = operated.deletes(shop, event)

    assert 0 == told.code
    assert "Forget FORGOTTEN by ada: found in the console" in told.out
    assert "  forgotten by ada\n" in shown.out
    assert "  holds: nothing\n" in shown.out
    assert answer == copy
    assert "SUCCESS" == deleted.status
    assert ["thing-1"] == shop.api
    assert "ttl" in head_of(shop, "Thing")


def test_what_is_not_answered_is_not_forgotten(file, ask):
    """
    While CloudFormation may wait for an answer, a late delivery would make anew what is forgotten;
    an hour later it would not.
    """
    shop, later = operated.stack(file), operated.stack(file, minutes=120, name="later")
    operated.dies(shop, "Thing")
    operated.dies(later, "Thing")

    early = ask("forget", "shop", "Thing", *WHY)
    late = ask("forget", "later", "Thing", *WHY)

    assert (3, 0) == (early.code, late.code)
    assert "is not answered, and a late delivery of it may act until 20" in early.err
    assert "if its event is left, answer it first, with cfn-once respond" in early.err
    assert "if not, forget it after that time. Nothing was written" in early.err
    assert "PARKED" == head_of(later, "Thing")["op"]["st"]


def test_what_was_made_of_a_resource_that_is_deleted(file, ask):
    """
    After the Delete that rolled a Create back no hook runs any more: what was made is removed by
    hand, and the command says so in the place of taking it.
    """
    shop = operated.stack(file)
    create = operated.doubts(shop, "Thing")
    deleted = operated.deletes(shop, create)
    shop.clock.advance(600)

    made = ask("resolve", "shop", "Thing", "thing#0", "--made", '"thing-1"', *WHY)
    gone = ask("resolve", "shop", "Thing", "thing#0", "--not-made", *WHY)

    assert "SUCCESS" == deleted.status
    assert 2 == made.code
    assert "its resource is deleted, and no hook will remove it: remove it by hand" in made.err
    assert 0 == gone.code


NO_RESULT = ["NaN", "1e400", '"\\ud800"', "[" * 50_000]


@pytest.mark.parametrize("made", NO_RESULT)
def test_what_is_no_json_is_no_result(file, ask, made):
    """
    What no hook could be given back is refused, and nothing is written.
    """
    shop = operated.stack(file)
    operated.doubts(shop, "Thing")
    before = head_of(shop, "Thing")

    told = ask("resolve", "shop", "Thing", "thing#0", "--made", made, *WHY)

    assert 2 == told.code
    assert "--made takes what the step returned, as JSON" in told.err
    assert before == head_of(shop, "Thing")


def test_an_empty_name_of_a_step(file, ask):
    """
    It names no step, and is not --unrecorded either.
    """
    operated.doubts(operated.stack(file), "Thing")

    told = ask("resolve", "shop", "Thing", "", "--not-made", *WHY)

    assert 2 == told.code
    assert "STEP is empty" in told.err


class Renamed(operated.Thing):
    """A later version, in which the step has another name."""

    unresolved = "fail"

    def create(self):
        self.physical_resource_id = self.step("item", self.make, once=True)


class FailsAfterwards(operated.Thing):
    unresolved = "fail"

    def create(self):
        self.step("thing", self.make, once=True)
        raise ValueError("no")


def test_a_step_that_new_code_no_longer_has(file, ask):
    """
    It was made, and no hook knows it any more: the Delete fails until somebody says that it is
    gone. That it was made is known already, and helps nobody.
    """
    shop = operated.stack(file, minutes=60, served=FailsAfterwards)
    create = shop.event("Create", "Thing", {})
    shop.deliver(create)
    own = {"api": shop.api, "resource_type": "Custom::Thing"}
    later = Provider(type("Thing", (Renamed,), own), ledger=shop.ledger)
    placeholder = shop.answers[-1][1].physical_resource_id
    delete, again = (
        shop.event("Delete", "Thing", physical_resource_id=placeholder) for _ in range(2)
    )
    failed = shop.send(delete, provider=later)

    shown = ask("ledger", "show", "shop", "Thing")
    made = ask("resolve", "shop", "Thing", "thing#0", "--made", '"thing-1"', *WHY)
    gone = ask("resolve", "shop", "Thing", "thing#0", "--not-made", *WHY)
    deleted = shop.send(again, provider=later)

    assert ("FAILED", "SUCCESS") == (failed.status, deleted.status)
    assert "thing#0 of Create" in shown.out
    assert "was made since 20" in shown.out
    assert "and the code of today has no such step" in shown.out
    assert shown.out.endswith("resolve shop Thing thing#0 --not-made --reason WHY\n")
    assert (2, 0) == (made.code, gone.code)
    assert "so that no hook will remove it: remove it by hand, and say --not-made" in made.err


class CallsAtWill(operated.Thing):
    """Its `update` makes a call that is repeated at will, and fails after it."""

    unresolved = "fail"

    def update(self):
        self.step("put", lambda step: None, repeat=True)
        raise ValueError("no")


def test_a_doubt_about_calls_without_a_record(file, ask):
    """
    The command that the ledger names settles it: the next Delete does not fail for it again.
    """
    shop = operated.stack(file, minutes=60, served=CallsAtWill)
    shop.create("Thing")
    shop.deliver(shop.event("Update", "Thing", {"A": "2"}, physical_resource_id="thing-1"))
    failed = shop.deliver(shop.event("Delete", "Thing", {"A": "3"}, physical_resource_id="thing-1"))

    shown = ask("ledger", "show", "shop", "Thing")
    told = ask("resolve", "shop", "Thing", "--unrecorded", "--not-made", *WHY)
    shop.clock.advance(60)
    deleted = shop.deliver(
        shop.event("Delete", "Thing", {"A": "3"}, physical_resource_id="thing-1")
    )

    assert ("FAILED", "SUCCESS") == (failed.status, deleted.status)
    assert "next: cfn-once resolve shop Thing --unrecorded --not-made --reason WHY" in shown.out
    assert 0 == told.code, told.err


SHOP = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"
BY_A_CLOCK = {
    "show": ("ledger", "show", SHOP, "Thing"),
    "list": ("ledger", "list"),
    "resolve": ("resolve", SHOP, "Thing", "thing", "--not-made", *WHY),
    "forget": ("forget", SHOP, "Thing", *WHY),
    "respond": ("respond", SHOP, "Thing", "--event", "event.json", "--yes"),
}


@pytest.mark.parametrize("arguments", BY_A_CLOCK.values(), ids=BY_A_CLOCK)
def test_an_operators_clock_that_is_ahead(tmp_path, arguments):
    """
    By such a clock a lease that runs would be over: nothing is told or written, and it is said.
    """
    (tmp_path / "event.json").write_text(json.dumps(create_event("Thing", stack_id=SHOP)))
    date = formatdate(time.time() - 120, usegmt=True)
    headers = {"content-type": "application/x-amz-json-1.0", "date": date}
    with Host(Status(200, headers=headers, body=b"{}")) as host:
        told = call(
            tmp_path,
            *arguments,
            CFN_ONCE_LEDGER=f"dynamodb://ledger?endpoint={host.url}",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
        )

    assert (3, "") == (told.code, told.out)
    assert "this machine's clock is 12" in told.err
    assert " s ahead of DynamoDB's: correct it" in told.err
    assert ["DynamoDB_20120810.GetItem"] == [r.headers["x-amz-target"] for r in host.received]


EACH_VERB = {
    "resolve": ("resolve", "shop", "Thing", "thing", "--not-made", *WHY),
    "forget": ("forget", "shop", "Thing", *WHY),
    "respond": ("respond", "shop", "Thing", "--event", "event.json", "--by", "ada", "--yes"),
}


@pytest.fixture(params=EACH_VERB.values(), ids=EACH_VERB)
def verb(request):
    return request.param


def kept(file):
    with sqlite3.connect(file) as ledger:
        return ledger.execute("select * from ledger order by 1, 2").fetchall()


def test_an_item_of_another_version(file, tmp_path, ask, verb):
    """
    No verb writes over what another version has written; each says which version that is.
    """
    shop = operated.stack(file)
    (tmp_path / "event.json").write_text(json.dumps(operated.doubts(shop, "Thing")))
    with sqlite3.connect(file) as ledger:
        ledger.execute("update ledger set doc = replace(doc, '\"v\":2', '\"v\":3')")
    before = kept(file)

    told = ask(*verb)

    assert 3 == told.code
    assert "its schema version is 3, this provider knows 2. Nothing was written" in told.err
    assert before == kept(file)


def test_two_stacks_of_one_name(file, tmp_path, ask, verb):
    """
    One of them may be deleted, or of another account in a table that was copied: each is named,
    and nothing is written before the ARN says which is meant.
    """
    shop = operated.stack(file, minutes=30)
    events = [operated.doubts(shop, "Thing")]
    here, there = "123456789012", "210987654321"
    mine = shop.stack_id
    shop.stack_id = mine.replace(here, there)
    events.append(operated.doubts(shop, "Thing"))
    (tmp_path / "event.json").write_text(json.dumps(events))
    before = kept(file)

    told = ask(*verb)

    assert 2 == told.code, told.err
    assert mine in told.err
    assert shop.stack_id in told.err
    assert "ive the ARN" in told.err
    assert before == kept(file)
