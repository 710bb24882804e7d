"""`cfn-once ledger` at 2 a.m.: from a stack that hangs to its cause, and to the next command."""

import json
import re
import sqlite3
import time

import pytest

from cfn_once.ledger.sqlite import SQLiteStore
from support import operated
from support.shell import call, contents


@pytest.fixture
def shop(tmp_path):
    return operated.stack(tmp_path / "ledger.sqlite3")


@pytest.fixture
def ask(tmp_path):
    def ask(*arguments, **options):
        url = f"sqlite://{tmp_path / 'ledger.sqlite3'}"
        return call(tmp_path, "ledger", *arguments, CFN_ONCE_LEDGER=url, **options)

    return ask


def test_each_state_has_its_cause_and_the_next_command(shop, ask):
    """
    A line says why a resource is not done; below it stands what to do, where somebody must.
    """
    past = int(time.time() * 1000) - 180_000
    shop.create("Lives")
    operated.dies(shop, "Died")
    operated.doubts(shop, "Doubted")
    operated.at_work(shop, "Works")
    operated.at_work(shop, "Waits", st="PARKED", due=past + 600_000)
    operated.at_work(shop, "Late", st="PARKED", due=past + 120_000)
    operated.at_work(shop, "Lost", st="PARKED", due=past)
    operated.at_work(shop, "Left", st="PARKED", lu=past)

    told = ask("list", "--stack", "shop", "--unfinished", "--json")

    found = {row["logical_resource_id"]: row for row in json.loads(told.out)}
    resolve = "cfn-once resolve shop {} thing#0 --made JSON | --not-made, --reason WHY"
    respond = "cfn-once respond shop {} --from-queue URL | --event FILE | --schedule NAME"
    assert {
        "Died": ("died", resolve.format("Died")),
        "Doubted": ("in-doubt", resolve.format("Doubted")),
        "Works": ("at-work", ""),
        "Waits": ("waits", ""),
        "Late": ("waits", ""),  # a schedule fires within a minute of its time, and Lambda retries
        "Lost": ("not-come-back", respond.format("Lost")),
        "Left": ("given-back", respond.format("Left")),
    } == {name: (row["finding"], row["next"]) for name, row in found.items()}
    assert "nobody is at work on it since 20" in found["Died"]["words"]
    assert "(lambda-1), until 20" in found["Works"]["words"]
    assert "a takeover is automatic then" in found["Works"]["words"]
    assert "was its schedule deleted?" in found["Lost"]["words"]


def test_the_list_for_people(shop, ask):
    """
    A person reads the same; what is done is left out of what is unfinished.
    """
    shop.create("Lives")
    operated.dies(shop, "Died")

    everything, unfinished = ask("list"), ask("list", "--stack", "shop", "--unfinished")

    assert "Lives (Custom::Thing): Create " in everything.out
    assert everything.out.endswith("2 resources, 1 in need of somebody\n")
    assert "Lives" not in unfinished.out
    assert unfinished.out.endswith(
        "  next: cfn-once resolve shop Died thing#0 --made JSON | --not-made, --reason WHY\n"
        "1 resource, 1 in need of somebody\n"
    )
    assert (0, 0) == (everything.code, unfinished.code)


def test_all_that_is_known_of_one(shop, ask):
    """
    Who, when, which steps, what is in doubt, why, and what to do; all of it in UTC.
    """
    event = operated.doubts(shop, "Doubted")

    told = ask("show", "shop", "Doubted")

    assert 0 == told.code
    assert f"Doubted (Custom::Thing) in {shop.stack_id}\n" in told.out
    assert f"  Create {event['RequestId']}, begun 20" in told.out
    assert "  reason: in doubt: step thing#0 of request" in told.out
    found = re.search(r"  step thing#0: may have run, 20\S+Z, under token (\S+)\n", told.out)
    assert shop.api.token == found[1]
    assert f"  in doubt: thing#0 of Create {event['RequestId']} may have run at 20" in told.out
    assert told.out.endswith(
        "next: cfn-once resolve shop Doubted thing#0 --made JSON | --not-made, --reason WHY\n"
    )


def test_one_by_any_of_its_names(shop, ask):
    """
    By stack and logical id, by the stack's ARN, by the correlation id, by a physical id.
    """
    shop.create("Lives")
    shown = json.loads(ask("show", "shop", "Lives", "--json").out)

    by_arn = ask("show", shop.stack_id, "Lives", "--json")
    by_correlation = ask("show", shown["correlation_id"], "--json")
    by_object = ask("show", "thing-1", "--json")

    assert "thing-1" == shown["physical_resource_id"]
    assert [shown["revision"]] * 3 == [
        json.loads(told.out)["revision"] for told in (by_arn, by_correlation, by_object)
    ]
    assert "all of the ledger is read" in by_object.err


def test_no_secret_is_shown(shop, ask):
    """
    Neither attributes nor results of steps are told, nor where the response goes.
    """
    shop.create("Lives")
    shop.update("Lives", {"Size": "2"})

    told = [ask("show", "shop", "Lives"), ask("show", "shop", "Lives", "--json"), ask("list")]

    assert 'Key":"hunter2' in shop.ledger.page().listed[0].head.response
    assert [] == [said for said in told if operated.SECRET in said.out + said.err]
    assert [] == [said for said in told if "https://" in said.out + said.err]


WRONG = {
    "list shop": (2, "list takes --stack STACK"),
    "show": (2, "show takes STACK LOGICAL-ID, or an id"),
    "list --stack nobody": (
        3,
        "the ledger has nothing of a stack nobody: no delivery of a request",
    ),
    "show nobody Lives": (3, "the ledger has nothing of Lives in a stack nobody"),
    "show shop Nothing": (3, "the ledger has nothing of Nothing in a stack shop"),
    "show thing-7": (3, "the ledger has nothing of an object thing-7"),
    f"show {'a' * 26}": (3, f"the ledger has no item r{'a' * 26}: is its namespace in the URL?"),
    "list --ledger sqlite:///none.sqlite3": (2, "there is no ledger file /none.sqlite3"),
    "list --ledger postgres://x": (2, "the ledger URL is of no kind that we know"),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_not_there(shop, ask, arguments):
    """
    A wrong call ends with 2, and what is not there with 3; each says what it is.
    """
    shop.create("Lives")
    code, words = WRONG[arguments]

    told = ask(*arguments.split())

    assert code == told.code
    assert words in told.err
    assert "" == told.out


@pytest.mark.parametrize("flags", [(), ("--unfinished",), ("--json",)])
def test_a_ledger_that_has_nothing(ask, tmp_path, flags):
    """
    It is no sign that all is well, for its namespace may be another one than the function's: 3.
    """
    SQLiteStore(tmp_path / "empty.sqlite3").read("r")

    told = ask("list", *flags, "--ledger", f"sqlite://{tmp_path / 'empty.sqlite3'}")

    assert 3 == told.code
    assert "no delivery of a request has come to this ledger. Is the URL the function's" in told.err
    assert "0 resources" not in told.out


def test_a_logical_id_twice(shop, ask, tmp_path):
    """
    Two stacks of one name, of which one is deleted: each is named, and the ARN tells them apart.
    """
    shop.create("Lives")
    before = shop.stack_id
    shop.recreate_stack()
    shop.create("Lives")

    told, first = ask("show", "shop", "Lives"), ask("show", before, "Lives")

    assert 2 == told.code
    assert "more than once: arn:" in told.err
    assert f"{before} Lives" in told.err
    assert f"{shop.stack_id} Lives" in told.err
    assert 0 == first.code


def test_no_ledger_is_named(tmp_path):
    """
    Without a URL nothing is opened, and no file is made.
    """
    told = call(tmp_path, "ledger", "list", CFN_ONCE_LEDGER="")

    assert 2 == told.code
    assert "give --ledger URL, or set CFN_ONCE_LEDGER, to what the function has" in told.err
    assert {} == contents(tmp_path)


def test_an_item_of_another_version(shop, ask, tmp_path):
    """
    It is listed with the reason, and shown with it; the others are listed as ever.
    """
    shop.create("Lives")
    shop.create("Older")
    shown = json.loads(ask("show", "shop", "Older", "--json").out)
    key = f"r{shown['correlation_id']}"
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as file:
        file.execute(
            "update ledger set doc = replace(doc, '\"v\":2', '\"v\":1') where pk = ?", [key]
        )

    listed, told = ask("list"), ask("show", shop.stack_id, "Older")

    assert f"{key}: cannot be read: its schema version is 1, this provider knows 2" in listed.out
    assert "Lives (Custom::Thing)" in listed.out
    assert 3 == told.code
    assert "its schema version is 1, this provider knows 2. Nothing was written" in told.err


def test_a_file_that_is_no_ledger(ask, tmp_path):
    """
    Somebody else's file is left as it is.
    """
    path = tmp_path / "ledger.sqlite3"
    with sqlite3.connect(path) as file:
        file.execute("create table customers (name text)")
    before = path.read_bytes()

    told = ask("list")

    assert 3 == told.code
    assert "it is no ledger of ours: name another file" in told.err
    assert before == path.read_bytes()


DAMAGED = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "null": "null",
    "bytes": b"\xff\xfe\x00",
    "without end": "[" * 100_000,
    "another version": '{"v": 99, "stk": "STACK", "lid": "Older"}',
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_item_hides_no_other(shop, ask, tmp_path, case):
    """
    It is open and needs somebody; `show` says why it cannot be read; the others are listed.
    """
    shop.create("Lives")
    shop.create("Older")
    shown = json.loads(ask("show", "shop", "Older", "--json").out)
    key = f"r{shown['correlation_id']}"
    doc = DAMAGED[case]
    doc = doc.replace("STACK", shop.stack_id) if isinstance(doc, str) else doc
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as file:
        file.execute("update ledger set doc = ? where pk = ? and sk = 'H'", [doc, key])

    listed, unfinished = ask("list"), ask("list", "--stack", "shop", "--unfinished", "--json")
    told = ask("show", "shop", "Older")

    assert "Lives (Custom::Thing)" in listed.out
    assert "2 resources, 1 in need of somebody" in listed.out
    assert ["unreadable"] == [row["finding"] for row in json.loads(unfinished.out)]
    assert 3 == told.code
    assert f"1 item that cannot be: {key}: it" in told.err


def test_a_response_that_is_cut(shop, ask, tmp_path):
    """
    Of an item whose response is cut, the rest is told all the same.
    """
    operated.dies(shop, "Died")
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as file:
        (text,) = file.execute("select doc from ledger where sk = 'H'").fetchone()
        doc = json.loads(text)
        doc["op"] |= {"st": "FAILED", "out": "{"}
        file.execute("update ledger set doc = ? where sk = 'H'", [json.dumps(doc)])

    told = ask("show", "shop", "Died")

    assert 0 == told.code
    assert "reason: its response cannot be read" in told.out


def test_what_was_forgotten_is_finished(tmp_path, ask):
    """
    Nobody waits for a request that was never answered and is forgotten: nothing is to be done.
    """
    shop = operated.stack(tmp_path / "ledger.sqlite3", minutes=120)
    operated.dies(shop, "Died")
    url = f"sqlite://{tmp_path / 'ledger.sqlite3'}"
    why = ("--reason", "removed by hand", "--by", "ada", "--yes")
    forgotten = call(tmp_path, "forget", "shop", "Died", *why, CFN_ONCE_LEDGER=url)

    assert "next: nothing" in forgotten.out
    assert "forgotten by ada" in ask("list").out
    assert "0 resources, 0 in need of somebody\n" == ask("list", "--unfinished").out
