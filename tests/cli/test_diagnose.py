"""`cfn-once diagnose`: duplicates in logs, by kind, and what came of each."""

import json
import random
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from cfn_once import InProgress
from cfn_once.cli.console import Console, Stop
from cfn_once.cli.diagnose import followed
from cfn_once.cli.duplicates import requests_of
from cfn_once.cli.invocations import read
from cfn_once.cli.line_content import content_of
from cfn_once.cli.log_group import LogGroup
from cfn_once.cli.log_lines import CutDocument, InOrder, LogLine, lines_of, milliseconds
from cfn_once.testing import VirtualClock
from support.duplicated import three_kinds
from support.lambda_log import STREAM, LambdaLog, lambdas
from support.shell import call

TESTS = Path(__file__).resolve().parents[1]
# As the study published them, but for what it cut off: the ids' last parts, and the stack's name.
FOUNDING = (
    "2017-02-14T06:06:54.054Z\tc87ea13a-f27b-11e6-8a00-000000000001\t"
    "CREATE SUCCESSFUL: mock-elastigroup-rkXw7Yc\n"
    "2017-02-14T06:16:54.045Z\t2e1c509e-f27d-11e6-8a00-000000000002\t"
    "CREATE SUCCESSFUL: mock-elastigroup-rkXw7Yc\n"
)


SUMMARY = (
    "9 deliveries of 6 requests, 3 delivered more than once: 1 lambda-retry, 1 lambda-twice,"
    " 1 sender"
)


@pytest.fixture
def log():
    """A log of cfn-once with a request of each kind, and three that came once."""
    return three_kinds()


def repeated(lines):
    """Return the kinds of what came again, by request."""
    requests = requests_of(read(lines).deliveries)
    return {request.name: [str(again.kind) for again in request.again] for request in requests}


def test_each_kind_with_what_came_of_it(log, tmp_path):
    """
    Of cfn-once's own log: which kind each is, when it came, and that none had a second effect.
    """
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.document())

    assert called.out.splitlines() == [
        "Orders Create r-10 (Custom::Thing)",
        f"  2027-01-15T08:00:00.012Z  {lambdas(10)}  timeout",
        f"  2027-01-15T08:01:00.000Z  {lambdas(10)}  success  SUCCESS",
        "    lambda-retry, 59.988 s later: did the work: SUCCESS",
        "Customers Create r-11 (Custom::Thing)",
        f"  2027-01-15T08:01:00.004Z  {lambdas(11)}  success  SUCCESS",
        f"  2027-01-15T08:11:00.000Z  {lambdas(11)}  success  SUCCESS",
        "    lambda-twice, 599.996 s later: no effect: it sent the recorded response again",
        "Invoices Create r-12 (Custom::Thing)",
        f"  2027-01-15T08:11:00.004Z  {lambdas(12)}  success  SUCCESS",
        f"  2027-01-15T08:11:01.000Z  {lambdas(13)}  success  SUCCESS",
        "    sender, 0.996 s later: no effect: it sent the recorded response again",
        "kind          times  seconds later  what came of it",
        "lambda-retry  1      59.988         did the work",
        "lambda-twice  1      599.996        no effect",
        "sender        1      0.996          no effect",
        *called.out.splitlines()[16:19],
        SUMMARY,
    ]
    assert "" == called.err
    assert 0 == called.code


@pytest.mark.parametrize("form", ["document", "rows", "plain"])
def test_every_form_of_a_file_says_the_same(form, log, tmp_path):
    """
    The CLI's JSON, its events one a line and its plain lines come to the same result.
    """
    (tmp_path / "log").write_text(getattr(log, form)())
    called = call(tmp_path, "diagnose", "--file", "log", "--json")
    told = json.loads(called.out)

    assert {"lambda-retry": 1, "lambda-twice": 1, "sender": 1} == {
        kind: count for kind, count in told["kinds"].items() if count
    }
    assert [59.988, 599.996, 0.996] == [
        request["again"][0]["gap_seconds"] for request in told["repeated"]
    ]
    assert STREAM == told["repeated"][0]["first"]["log_stream"]


def test_the_founding_lines(tmp_path):
    """
    The two lines of the study: another request id each, ten minutes apart, so it was sent twice.
    """
    (tmp_path / "log").write_text(FOUNDING)
    called = call(
        tmp_path, "diagnose", "--file", "log", "--json", "--by", r"CREATE SUCCESSFUL: (\S+)"
    )
    ((found),) = json.loads(called.out)["repeated"]
    (again,) = found["again"]

    assert "mock-elastigroup-rkXw7Yc" == found["request"]
    assert ("sender", 599.991, True) == (
        again["kind"],
        again["gap_seconds"],
        again["may_have_acted_twice"],
    )
    assert 1 == called.code


def test_a_table_of_duplicates_by_kind(tmp_path):
    """
    Duplicates of one kind of which the same came are one row, with the shortest and longest gap.
    """
    log = LambdaLog()
    for n, (ids, gap) in enumerate({("a", "b"): 600, ("c", "d"): 60, ("e", "e"): 5}.items()):
        for copy, physical_id in enumerate(ids):
            log.now += gap
            log.lines([a_response(f"r-{n}", physical_id)], lambdas(10 * n + copy))
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.rows())
    told = json.loads(call(tmp_path, "diagnose", "--file", "-", "--json", stdin=log.rows()).out)

    assert (
        "kind    times  seconds later  what came of it\n"
        "sender  2      60 to 600      acted twice\n"
        "sender  1      5              acted again\n"
    ) in called.out
    assert [("sender", 2, "acted twice"), ("sender", 1, "acted again")] == [
        (row["kind"], row["times"], row["effect"]) for row in told["table"]
    ]


def test_without_a_name_nothing_is_claimed_of_lines_that_bear_no_request(tmp_path):
    """
    Two ids of Lambda's alone prove nothing: it says what is missing, and which option names it.
    """
    (tmp_path / "log").write_text(FOUNDING)
    called = call(tmp_path, "diagnose", "--file", "log")

    assert "2 deliveries of 2 requests, 0 delivered more than once" in called.out
    assert "cannot be seen there. Let the handler print it, or give --by" in called.err


def test_crhelpers_log(tmp_path):
    """
    crhelper has no record: its create ran again, and the two responses name two things. Neither
    the ResponseURL nor a property that stands in its log is shown.
    """
    made = subprocess.run(
        [sys.executable, TESTS / "cli" / "crhelper_log.py"],
        env={"PYTHONPATH": str(TESTS), "AWS_DEFAULT_REGION": "us-east-1", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    called = call(tmp_path, "diagnose", "--file", "-", stdin=made.stdout)
    as_json = call(tmp_path, "diagnose", "--file", "-", "--json", stdin=made.stdout)

    assert "hunter2" in made.stdout
    assert "Thing Create 7f3b1a52-0000-4000-8000-000000000001 (Custom::Thing)\n" in called.out
    assert "s later: acted twice: it responded thing-1 and thing-2\n" in called.out
    assert "1 lambda-twice" in called.out
    assert 1 == called.code
    assert "hunter2" not in called.out + as_json.out


def a_response(request, physical_id):
    """What AWS's cfnresponse prints."""
    return json.dumps(
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": physical_id,
            "StackId": "s",
            "RequestId": request,
            "LogicalResourceId": "Thing",
        }
    )


PRINTED = {
    "another id": (("a", "b"), "acted twice: it responded a and b", True),
    "the same id": (("a", "a"), "acted again, and responded the same id, a", False),
}


@pytest.mark.parametrize("case", PRINTED)
def test_a_plain_handler_that_prints_its_response(case):
    """
    Whether it acted twice is seen by the physical ids in the responses that it has printed.
    """
    ids, words, is_bad = PRINTED[case]
    log = LambdaLog()
    for n, physical_id in enumerate(ids):
        log.lines(["Response body:", a_response("r-1", physical_id)], lambdas(n))
    (request,) = requests_of(read(lines_of(log.rows().splitlines())).deliveries)

    assert (words, is_bad) == request.again[0].effect
    assert "sender" == request.again[0].kind


def test_requests_of_other_services_are_no_request():
    """
    A handler that prints what boto3 returned prints a RequestId that is not CloudFormation's.
    """
    log = LambdaLog()
    printed = "{'ResponseMetadata': {'RequestId': 'of-dynamodb', 'HTTPStatusCode': 200}}"
    for n in range(2):
        log.lines([printed], lambdas(n))

    assert [[], []] == list(repeated(lines_of(log.rows().splitlines())).values())


def ours(request, invocation, **fields):
    """A line of metrics, as cfn-once prints it."""
    about = {"correlation_id": "c", "request_id": request, "Deliveries": 1}
    return json.dumps({**about, "function_request_id": invocation, **fields})


NO_DUPLICATES = {
    "a hook that waits": (
        [
            ours("r", lambdas(1), outcome="Suspended", deliveries=1),
            ours("r", lambdas(2), outcome="SUCCESS", deliveries=1),
        ],
        ["continuation"],
    ),
    "a hook that waits, by its own word": (
        [
            ours("r", lambdas(1), outcome="Suspended"),
            ours("r", lambdas(2), phase="begins", resumes=True),
        ],
        ["continuation"],
    ),
    "a copy while it waits": (
        [
            ours("r", lambdas(1), outcome="Suspended", deliveries=1),
            ours("r", lambdas(2), outcome="InProgress", DuplicatesSuppressed=1),
        ],
        ["sender"],
    ),
    "the guardian": (
        [
            ours("r", lambdas(1), outcome="DeliveryError", error="DeliveryError", FunctionName="f"),
            ours("r", lambdas(2), outcome="FAILED", FunctionName="guardian"),
        ],
        ["other-function"],
    ),
    "crhelper polls": (
        [
            '{"RequestId": "r", "LogicalResourceId": "T", "message": "Setting up polling"}',
            '{"RequestId": "r", "LogicalResourceId": "T", "message": {"CrHelperPoll": true}}',
            '{"RequestId": "r", "LogicalResourceId": "T", "message": "no word of polling"}',
        ],
        ["continuation", "continuation"],
    ),
}


@pytest.mark.parametrize("case", NO_DUPLICATES)
def test_what_is_meant_to_come_is_no_duplicate(case):
    """
    A continuation, the guardian and crhelper's polling are further invocations for a request, and
    no duplicates of it.
    """
    printed, kinds = NO_DUPLICATES[case]
    log = LambdaLog()
    for n, line in enumerate(printed, 1):
        log.lines([line], lambdas(n), stream=f"stream-{n}")

    assert {"r": kinds} == repeated(lines_of(log.rows().splitlines()))


def test_a_delivery_that_raised_is_retried(log):
    """
    InProgress, and whatever else cfn-once raises, is a failure to Lambda, although no REPORT says
    so: what follows under the same id is a retry.
    """
    lines = [ours("r", lambdas(1), outcome="InProgress", error=InProgress.__name__)]
    log = LambdaLog()
    log.lines(lines, lambdas(1))
    log.lines([ours("r", lambdas(1), outcome="SUCCESS")], lambdas(1))

    assert {"r": ["lambda-retry"]} == repeated(lines_of(log.rows().splitlines()))


def test_a_batch_that_holds_a_message_twice():
    """
    SQS may hand out a message twice in one batch: two deliveries in one invocation, by the sender.
    """
    log = LambdaLog()
    log.lines([ours("r", lambdas(1), outcome="SUCCESS")] * 2, lambdas(1))

    assert {"r": ["sender"]} == repeated(lines_of(log.rows().splitlines()))


def test_a_trace_of_each_delivery_tells_those_that_died():
    """
    A delivery that has said that it begins, and died, is known by that line alone; its retry has a
    further one. Without Lambda's own lines they are told apart by it.
    """
    dies = {"correlation_id": "c", "request_id": "r", "phase": "begins", "receive_count": 2}
    lines = [json.dumps({**dies, "function_request_id": lambdas(1)})] * 2
    log = LambdaLog()
    log.lines(lines[:1], lambdas(1), ends="timeout")
    log.lines(lines[:1], lambdas(1))
    (request,) = requests_of(read(lines_of(log.rows().splitlines())).deliveries)
    (bare,) = requests_of(read(lines_of(lines)).deliveries)

    assert [("lambda-retry", 2)] == [
        (again.kind, again.delivery.receives) for again in request.again
    ]
    assert ["lambda-unclear"] == [again.kind for again in bare.again]


BEGINS = {
    "correlation_id": "a" * 26,
    "request_id": "r",
    "logical_resource_id": "Thing",
    "resource_type": "Custom::Thing",
    "request_type": "Create",
    "phase": "begins",
    "function_request_id": lambdas(1),
}
NEXT = f"  next: cfn-once ledger show {'a' * 26}"


@pytest.mark.parametrize(
    ("ends", "why"),
    [
        ("timeout", "its process died"),
        (None, "its process died, or it is still at work"),
    ],
)
def test_a_delivery_without_an_end(ends, why, tmp_path):
    """
    A request that came once, and of whose delivery no line tells an end, is found: CloudFormation
    may wait for it, and a step may have run.
    """
    log = LambdaLog()
    log.lines([json.dumps(BEGINS)], lambdas(1), ends=ends)
    log.events = log.events if ends else log.events[:2]  # START, and what cfn-once says
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.rows())
    as_json = json.loads(call(tmp_path, "diagnose", "--file", "-", "--json", stdin=log.rows()).out)

    at = "2027-01-15T08:00:00.000Z"
    assert called.out.splitlines() == [
        "Thing Create r (Custom::Thing)",
        f"  {at}  {lambdas(1)}  {ends or 'no end'}",
        f"  the delivery of {at} began, and no line tells what came of it: {why}",
        NEXT,
        "1 delivery of 1 request, 0 delivered more than once; 1 without an end",
    ]
    assert 1 == called.code
    (unfinished,) = as_json["unfinished"]
    assert ("r", NEXT) == (unfinished["request"], f"  next: {unfinished['next']}")


SUSPENDED = {**BEGINS, "phase": "ends", "outcome": "Suspended"}
WAITED = ({"outcome": "SUCCESS"}, {"outcome": "FAILED"}, {"outcome": "Ignored"})


@pytest.mark.parametrize(
    ("follows", "is_unfinished"),
    [
        *(({**BEGINS, "phase": "ends", **outcome}, False) for outcome in WAITED),
        (SUSPENDED, False),
        ({**BEGINS, "phase": "ends", "outcome": "InProgress"}, True),
        (BEGINS, True),
    ],
)
def test_what_goes_on_after_a_delivery_that_died(follows, is_unfinished):
    """
    A request is finished if a later delivery has answered, or has it wait; not by one that only
    found another at work, nor by one that died as well.
    """
    log = LambdaLog()
    log.lines([json.dumps(BEGINS)], lambdas(1), ends="timeout")
    log.lines([json.dumps(follows)], lambdas(1), ends="timeout" if follows is BEGINS else "")
    (request,) = requests_of(read(lines_of(log.rows().splitlines())).deliveries)

    assert is_unfinished == (request.unfinished is not None)


@pytest.mark.parametrize("form", ["document", "rows", "plain"])
def test_a_file_that_windows_has_marked(form, log, tmp_path):
    """
    The mark that PowerShell writes before a text hides nothing of the first line.
    """
    text = getattr(log, form)()
    (tmp_path / "plain.log").write_text(text, encoding="utf-8")
    (tmp_path / "marked.log").write_text(text, encoding="utf-8-sig")
    plain, marked = (
        call(tmp_path, "diagnose", "--file", f"{name}.log") for name in ("plain", "marked")
    )

    assert (plain.code, plain.out, plain.err) == (marked.code, marked.out, marked.err)


def test_how_often_a_queue_has_handed_it_out(tmp_path):
    """
    An event that a handler prints with its SQS record tells how often it was received.
    """
    log = LambdaLog()
    for n in (1, 2):
        body = json.dumps({"RequestId": "r", "LogicalResourceId": "T", "RequestType": "Create"})
        record = {"body": body, "attributes": {"ApproximateReceiveCount": str(n)}}
        log.lines([f"event: {json.dumps({'Records': [record]})}"], lambdas(n))
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.rows())

    assert "T Create r\n" in called.out
    assert "sender, 0.004 s later" in called.out
    assert "; its queue has handed it out 2 times" in called.out


def test_lambdas_own_lines_in_json():
    """
    A function that logs JSON has Lambda's lines as objects: a timeout in one, a retry after it.
    """
    log = LambdaLog()
    for status in ("timeout", "success"):
        told = {"requestId": lambdas(1), "status": status}
        log.line(json.dumps({"type": "platform.start", "record": {"requestId": lambdas(1)}}))
        log.line(json.dumps({"type": "platform.report", "record": told}))

    assert [["lambda-retry"]] == list(repeated(lines_of(log.rows().splitlines())).values())


def test_the_end_of_the_first_is_missing():
    """
    Where no line tells how the first invocation ended, no cause is claimed.
    """
    lines = [LogLine(f"START RequestId: {lambdas(1)} Version: 1", n, f"s{n}") for n in (1, 2)]

    assert [["lambda-unclear"]] == list(repeated(lines).values())


def test_several_functions_mixed_in_plain_lines():
    """
    Lines of several functions at the same time, without log streams, belong to whom their id says.
    """
    event = '{"RequestId": "r-%s", "LogicalResourceId": "T", "aws_request_id": "%s"}'
    one, other = lambdas(1), lambdas(2)
    rows = [
        f"START RequestId: {one} Version: 1",
        f"START RequestId: {other} Version: 1",
        event % (1, one),
        f"REPORT RequestId: {other}\tDuration: 1 ms",
        event % (2, other),
        f"REPORT RequestId: {one}\tDuration: 1 ms",
        f"START RequestId: {lambdas(3)} Version: 1",
        event % (1, lambdas(3)),
    ]

    assert {"r-1": ["sender"], "r-2": []} == repeated(lines_of(rows))


BAD = {
    "cut document": ('{"events": [{"mess', (), 3, "standard input is cut: it begins as the JSON"),
    "nothing": ("", (), 3, "there is no line in standard input: is it the right range?"),
    "no Lambda": ("hello\nworld\n", (), 3, "none of the 2 lines in standard input is of a Lambda"),
    "out of range": (FOUNDING, ("--since", "2h"), 3, "there is no line in standard input, since"),
    "no moment": (FOUNDING, ("--since", "two hours"), 2, "write 90m, 2h, 3d, or a time"),
    "no span": (FOUNDING, ("--since", "1h", "--until", "2h"), 2, "--since is not before --until"),
    "no pattern": (FOUNDING, ("--by", "("), 2, "--by is no regular expression"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, tmp_path):
    """
    What cannot be read, or asked for, ends with one line that says so, and with 2 or 3.
    """
    text, flags, code, words = BAD[case]
    if case == "cut document":
        text = LambdaLog().document()[:-9]
    called = call(tmp_path, "diagnose", "--file", "-", *flags, stdin=text)

    assert code == called.code
    assert words in called.err
    assert "" == called.out
    assert 1 == len(called.err.splitlines())


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ((), 2, "one of the arguments --log-group --file is required"),
        (("--file", "none.log"), 2, "there is no file none.log"),
        (("--file", "."), 3, ". cannot be read: "),
        (("--file", "x", "--log-group", "y"), 2, "not allowed with argument"),
    ],
)
def test_no_source(flags, code, words, tmp_path):
    """
    A file that is not there is a wrong call; one that cannot be read is not known.
    """
    called = call(tmp_path, "diagnose", *flags)

    assert (code, "") == (called.code, called.out)
    assert words in called.err


def test_a_line_cut_in_the_middle(log, tmp_path):
    """
    Of a line that is cut, all that stands in it is read; it says how many there were.
    """
    event = {"RequestId": "r-9", "LogicalResourceId": "T", "RequestType": "Create", "More": "x" * 9}
    log = LambdaLog()
    for n in (1, 2):
        log.lines([json.dumps(event)[:-4]], lambdas(n))
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.rows())

    assert "T Create r-9\n" in called.out
    assert "2 lines of JSON cut in the middle" in called.err


@pytest.mark.parametrize("form", ["document", "rows", "plain"])
def test_whatever_is_in_a_log_it_is_read_or_refused(form, log):
    """
    Lines cut, doubled, mixed and filled with other bytes come to some result, or to what is said of
    a document that is cut: to no other error.
    """
    chance, text = random.Random(form), getattr(log, form)()
    for _ in range(300):
        begins = chance.randrange(len(text))
        ends = min(len(text), begins + chance.randrange(200))
        put = chance.choice(
            ["", "\n", "\0", '"', "{", "[" * 5_000, "null", text[begins:ends] * 2, "9"]
        )
        changed = text[:begins] + put + text[ends:]
        try:
            told = read(lines_of(changed.splitlines(keepends=True)))
        except CutDocument:
            continue
        assert len(told.deliveries) == sum(
            1 + len(request.again) for request in requests_of(told.deliveries)
        )


def test_a_clock_that_goes_back(tmp_path):
    """
    A log stream whose times go back is read in its own order, and it says that gaps may be wrong.
    """
    log = LambdaLog()
    log.lines([], lambdas(1), ends="error")
    log.set_back(5)
    log.lines([], lambdas(2))
    called = call(tmp_path, "diagnose", "--file", "-", "--json", stdin=log.rows())
    told = json.loads(called.out)

    assert "1 line older than the one before in the same log stream" in called.err
    assert (2, []) == (told["deliveries"], told["repeated"])


@pytest.mark.parametrize("order", ["reversed", "shuffled", "nearly"])
def test_a_file_in_no_order(order, log):
    """
    Lines are read by their times: a file in whatever order says what it says in its own.
    """
    chance, events = random.Random(1), list(log.events)
    if order == "reversed":
        events.reverse()
    elif order == "shuffled":
        chance.shuffle(events)
    else:
        events.sort(key=lambda event: event["timestamp"] + chance.randrange(4))
    rows = [json.dumps(event) for event in events]
    told = read(lines_of(rows))

    assert told.backwards > 0
    assert requests_of(read(lines_of(log.rows().splitlines())).deliveries) == requests_of(
        told.deliveries
    )


def test_lines_are_put_in_order_where_they_lie_near():
    """
    Lines come out by their times from a window of bounded size; one without a time stays behind the
    one before it.
    """
    lines = [
        LogLine("b", 2),
        LogLine("of b"),
        LogLine("a", 1),
        LogLine("d", 4),
        LogLine("c", 3),
        LogLine("of c"),
    ]
    whole, narrow = InOrder(lines), InOrder(lines, span=1)

    assert ["a", "b", "of b", "c", "of c", "d"] == [line.text for line in whole]
    assert 2 == whole.backwards
    assert {line.text for line in lines} == {line.text for line in narrow}


def of_group(log, group, printed, invocation, **options):
    """Write an invocation whose lines bear their log group."""
    begins = len(log.events)
    log.lines(printed, invocation, **options)
    for event in log.events[begins:]:
        event["logGroupName"] = f"/aws/lambda/{group}"


def test_two_functions_with_the_same_ids_of_lambda():
    """
    An invocation that died without a word is of no request of another log group, and neither
    function's delivery is a duplicate of the other's: also where their log streams have one name.
    """
    log = LambdaLog()
    of_group(log, "a", [ours("r-a", lambdas(1), FunctionName="a")], lambdas(1))
    of_group(log, "b", [], lambdas(1))
    of_group(log, "c", [ours("r-c", lambdas(1), FunctionName="c")], lambdas(1))

    assert {"r-a": [], "r-c": [], f"invocation {lambdas(1)}": []} == repeated(
        lines_of(log.rows().splitlines())
    )


def test_one_that_died_is_of_the_function_whose_log_group_it_is_in():
    """
    A line of cfn-once names its function, and one that died has only its log group: its retry is no
    delivery to another function.
    """
    log = LambdaLog()
    of_group(log, "f", [], lambdas(1), ends="timeout")
    of_group(log, "f", [ours("r", lambdas(1), FunctionName="f", outcome="SUCCESS")], lambdas(1))
    of_group(log, "g", [ours("r", lambdas(2), FunctionName="g", outcome="FAILED")], lambdas(2))

    assert {"r": ["lambda-retry", "other-function"]} == repeated(lines_of(log.rows().splitlines()))


@pytest.mark.parametrize(("second", "counted"), [("x", []), ("y", ["other-function"])])
def test_two_functions_that_each_made_something(second, counted):
    """
    A topic may lead to two functions: that is a duplicate if each responds an id of its own.
    """
    log = LambdaLog()
    for n, (group, physical_id) in enumerate([("f", "x"), ("g", second)], 1):
        answer = {"RequestId": "r", "LogicalResourceId": "T", "StackId": "s", "Status": "SUCCESS"}
        line = json.dumps({**answer, "PhysicalResourceId": physical_id})
        of_group(log, group, [line], lambdas(n))

    (request,) = requests_of(read(lines_of(log.rows().splitlines())).deliveries)

    assert counted == [str(again.kind) for again in request.duplicates]


def test_an_event_that_python_has_printed_is_not_cut(tmp_path):
    """
    A map of Python's is no JSON, and whole all the same: nothing is said to be missing.
    """
    log = LambdaLog()
    log.lines([str({"RequestId": "r", "LogicalResourceId": "T"})], lambdas(1))
    called = call(tmp_path, "diagnose", "--file", "-", stdin=log.rows())

    assert ("1 delivery of 1 request, 0 delivered more than once\n", "") == called[1:]


def test_lines_that_no_id_of_lambda_tells_apart(tmp_path):
    """
    Where lines bear neither Lambda's id nor its own lines, it says that there may be more in them.
    """
    bare = "CREATE SUCCESSFUL: shop\nCREATE SUCCESSFUL: shop\n"
    called = call(tmp_path, "diagnose", "--file", "-", "--by", r": (\S+)", stdin=bare)

    assert "1 delivery without Lambda's request id in any line: there may be more" in called.err


def test_a_long_range_says_how_far_it_is(capsys):
    """
    Where reading takes long, it says every five seconds how much is read, and up to which time.
    """
    clock = VirtualClock(0.0)

    def slowly():
        for n in range(3_000):
            clock.advance(0.004)
            yield LogLine("x", n * 1_000)

    assert 3_000 == len(list(followed(slowly(), Console(), clock)))
    assert capsys.readouterr().err.splitlines() == [
        "cfn-once: 2,000 lines read, up to 1970-01-01T00:33:19.000Z",
    ]


def test_times():
    """
    RFC 3339 with and without a zone, and Python's logging; a time that is none is nothing.
    """
    assert 1_800_000_000_250 == milliseconds("2027-01-15T08:00:00.250Z")
    assert 1_800_000_000_250 == milliseconds("2027-01-15T10:00:00.25+02:00")
    assert 1_800_000_000_250 == milliseconds("2027-01-15 08:00:00,250")
    assert milliseconds("2027-13-15T08:00:00Z") is None
    assert milliseconds("yesterday") is None


def test_a_log_group_on_aws(log, ministack, tmp_path):
    """
    A log group is read page by page, the same duplicates in it; a group that is not there is told.
    """
    client, name = ministack.client("logs"), "/aws/lambda/of-diagnose"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName=STREAM)
    events = [{key: event[key] for key in ("timestamp", "message")} for event in log.events]
    client.put_log_events(logGroupName=name, logStreamName=STREAM, logEvents=events)
    aws = {
        "AWS_ENDPOINT_URL": ministack.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    span = ("--since", "2027-01-15T07:00:00Z", "--until", "2027-01-15T09:00:00Z")
    called = call(tmp_path, "diagnose", "--log-group", name, *span, **aws)
    missing = call(tmp_path, "diagnose", "--log-group", "/aws/lambda/none", **aws)

    assert "3 delivered more than once: 1 lambda-retry, 1 lambda-twice, 1 sender" in called.out
    assert 0 == called.code
    assert 3 == missing.code
    assert "the log group /aws/lambda/none cannot be read" in missing.err
    assert "is it another Region's, or another account's?" in missing.err


def test_a_log_group_of_several_pages(log):
    """
    Pages are read to the last, also behind one that is empty: CloudWatch Logs has such.
    """
    client = boto3.client(
        "logs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    half = len(log.events) // 2
    pages = [log.events[:half], [], log.events[half:]]
    asked = {"logGroupName": "g", "startTime": 1, "endTime": 2}
    with Stubber(client) as stub:
        for n, page in enumerate(pages):
            token = {"nextToken": f"t{n}"} if n else {}
            following = {"nextToken": f"t{n + 1}"} if n + 1 < len(pages) else {}
            answer = {"events": page, "searchedLogStreams": [], **following}
            stub.add_response("filter_log_events", answer, {**asked, **token})
        told = read(LogGroup("g", client).lines(1, 2))
        stub.assert_no_pending_responses()

    assert len(log.events) == told.lines
    assert 3 == sum(bool(request.again) for request in requests_of(told.deliveries))


def test_a_log_group_without_permission():
    """
    It says what is missing: logs:FilterLogEvents.
    """
    client = boto3.client(
        "logs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub, pytest.raises(Stop, match="you need logs:FilterLogEvents"):
        stub.add_client_error("filter_log_events", "AccessDeniedException", "no")
        list(LogGroup("g", client).lines(1, 2))


SECRET = "hunter2"
FIELDS = {"RequestType": "Create", "RequestId": "r-9", "LogicalResourceId": "L"}
HIDDEN = {
    "Password": SECRET,
    "RequestId": SECRET,
    "LogicalResourceId": SECRET,
    "Status": "SUCCESS",
    "PhysicalResourceId": SECRET,
}
EVENTS = {
    "as it comes": {**FIELDS, "ResourceProperties": HIDDEN},
    "sorted": {"OldResourceProperties": HIDDEN, **FIELDS, "ResourceProperties": HIDDEN},
    "in a queue's message": {"Records": [{"body": json.dumps({"Data": HIDDEN, **FIELDS})}]},
}
SPELT = {
    "JSON": json.dumps,
    "behind a text": lambda event: f"event {json.dumps(event)}",
    "Python's": lambda event: f"event {event!r}",
    "in JSON": lambda event: json.dumps({"level": "INFO", "message": f"event {event}"}),
    "cut": lambda event: json.dumps(event)[:-3],
}


@pytest.mark.parametrize("spelt", SPELT)
@pytest.mark.parametrize("case", EVENTS)
def test_a_property_is_never_taken_for_a_field_of_cloudformations(case, spelt):
    """
    Where a handler prints the event, only the event's own fields are read, in whichever order.
    """
    found = content_of(SPELT[spelt](EVENTS[case])).facts

    assert SECRET not in str(found)
    assert "outcome" not in found
    if spelt != "cut":
        assert ("r-9", "L") == (found["request"], found["resource"])


def test_a_request_that_comes_thousands_of_times():
    """
    Each delivery is compared with what the ones before were, and not with each of them.
    """
    lines = [LogLine(f"START RequestId: {lambdas(7)}", at=place) for place in range(20_000)]

    (request,) = requests_of(read(lines).deliveries)

    assert {"lambda-unclear"} == {str(again.kind) for again in request.again}
