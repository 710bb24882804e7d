"""A delivery leaves a trace from its first moment: whoever dies has told what it worked on."""

import logging
import re
from contextlib import suppress
from pathlib import Path

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import Crashed, FakeCloudFormation, sns_event, sqs_event

IDS = ("correlation_id", "request_id", "request_type", "logical_resource_id", "resource_type")


class Thing(CustomResource[dict, dict]):
    def create(self):
        if "Waits" in self.properties:
            self.wait(1_800)
        self.step("thing", lambda step: "made", once=True)

    def delete(self):
        pass


@pytest.fixture
def lines(caplog):
    """Returns the lines of deliveries so far, as what they bear."""
    caplog.set_level("INFO", logger="cfn_once.delivery")
    return lambda: [vars(record) for record in caplog.records if record.name == "cfn_once.delivery"]


@pytest.mark.parametrize(
    ("envelope", "transport", "has_message"),
    [(dict, "lambda", False), (sns_event, "sns", True), (sqs_event, "sqs", True)],
)
def test_it_begins_and_it_ends(lines, caplog, envelope, transport, has_message):
    """
    One line says how it came, before anything is asked of anybody; one says what came of it. Both
    bear the ids, and neither where the answer goes.
    """
    cloudformation = FakeCloudFormation(Provider(Thing, ledger="memory://"), envelope=envelope)
    cloudformation.create("Thing", {})

    begins, ends = lines()
    assert ("begins", transport, False, cloudformation.stack_id) == (
        *(begins[name] for name in ("phase", "transport", "resumes", "stack_id")),
    )
    assert has_message == bool(begins.get("message_id"))
    assert (transport == "sqs") == (begins.get("receive_count") == 1)
    assert begins["function_request_id"] == ends["function_request_id"]
    assert ("ends", "SUCCESS", 1) == (ends["phase"], ends["outcome"], ends["deliveries"])
    assert [begins[name] for name in IDS] == [ends[name] for name in IDS]
    assert f"Create of Thing (Custom::Thing) {begins['request_id']} begins" == begins["message"]
    assert "https://" not in caplog.text


def test_one_that_dies(lines):
    """
    It has begun, and has not ended: the next one does both.
    """
    cloudformation = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    event = cloudformation.event("Create", "Thing", {})
    with suppress(Crashed):
        cloudformation.send(event, crash_after="thing")
    cloudformation.deliver(event)

    told = lines()
    assert "begins begins ends begins ends" == " ".join(line["phase"] for line in told)
    assert ["InProgress", "FAILED"] == [line["outcome"] for line in (told[2], told[4])]
    assert told[-1]["in_doubt"] == [f"thing#0 of {event['RequestId']}"]
    assert told[-1]["reason"].endswith(
        "; then: cfn-once resolve stack Thing thing#0 --made JSON | --not-made, --reason WHY"
    )


def test_one_that_comes_back(lines):
    """
    A continuation brings the event back, and the line says so.
    """
    provider = Provider(
        Thing,
        ledger="memory://",
        continuation="scheduler://g?role=arn:aws:iam::123456789012:role/r",
    )
    FakeCloudFormation(provider).create("Thing", {"Waits": "yes"})

    told = lines()
    assert [False, True] == [line["resumes"] for line in told if line["phase"] == "begins"]
    assert ["Suspended", "SUCCESS"] == [line["outcome"] for line in told if line["phase"] == "ends"]


def test_the_line_of_the_users_code(lines):
    """
    The reason of an error that is none of ours names the line that it came from, also where a
    library raises it.
    """

    class Bad(CustomResource[dict, dict]):
        def create(self):
            import json

            json.loads("no JSON")

        delete = None

    FakeCloudFormation(Provider(Bad, ledger="memory://")).create("Bad", {})

    reason = next(line["reason"] for line in lines() if line["phase"] == "ends")
    assert reason.startswith("Expecting value: line 1 column 1 (char 0) (test_trace.py:")


SETTLES = "Look for what it made; then: cfn-once resolve stack Thing thing#0"
EITHER = f"{SETTLES} --made JSON | --not-made, --reason WHY"
AT = r"at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def test_each_answer_with_a_doubt_has_its_time_and_the_command_that_settles_it():
    """
    Whoever reads the Reason in a stack's events can go on from there: after a crash, after an
    error in a step, for a Delete that cannot tell, and where a guardian or an operator answers.
    """
    by_crash = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    create = by_crash.event("Create", "Thing", {})
    with suppress(Crashed):
        by_crash.send(create, crash_after="thing")
    crashed = by_crash.deliver(create)
    deleted = by_crash.deliver(
        by_crash.event("Delete", "Thing", physical_resource_id=crashed.physical_resource_id)
    )
    left = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    create = left.event("Create", "Thing", {})
    with suppress(Crashed):
        left.send(create, crash_after="thing")
    left.clock.advance(600)
    guardian = Provider.unable("the function failed", guards=True, ledger=left.ledger)
    guarded = left.send(create, provider=guardian)

    assert re.search(f"may have run {AT} .*; then: cfn-once resolve stack", crashed.reason)
    assert re.fullmatch(
        f"in doubt: thing#0 of .* {AT}. {SETTLES} --not-made --reason WHY", deleted.reason
    )
    assert re.fullmatch(
        f"the function failed. In doubt: step thing#0 may have run {AT}. " + re.escape(EITHER),
        guarded.reason,
    )


@pytest.mark.parametrize("place", ["step", "find"])
def test_the_line_of_the_users_code_inside_a_step(place):
    """
    An error of a step's function, or of its look-up, names the line that it came from as well.
    """

    def fails(step):
        raise ValueError("bad")

    class Bad(CustomResource[dict, dict]):
        def create(self):
            if place == "step":
                self.step("thing", fails, once=True)
            self.step("thing", lambda step: "made", find=fails)

        delete = None

    cloudformation = FakeCloudFormation(Provider(Bad, ledger="memory://"))
    create = cloudformation.event("Create", "Thing", {})
    with suppress(Crashed):
        cloudformation.send(create, crash_after="thing")
    reason = cloudformation.deliver(create).reason

    line = fails.__code__.co_firstlineno + 1
    assert f"ValueError: bad (test_trace.py:{line})" in reason
    assert reason.endswith(EITHER.partition("; ")[2])


PAGE = Path(__file__).resolve().parents[2] / "docs" / "observability.md"
NAMES = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", PAGE.read_text(), re.MULTILINE)
OWN = {"message", "asctime", *vars(logging.makeLogRecord({}))}
BOTH = {*IDS, "phase", "function_request_id"}


def test_each_field_is_on_the_page_and_each_stable_one_is_there(lines):
    """
    Of a delivery, of one that a continuation brings back, of one that died, and of the guardian's.
    """
    way = "scheduler://g?role=arn:aws:iam::123456789012:role/r"
    stack = FakeCloudFormation(Provider(Thing, ledger="memory://", continuation=way))
    stack.create("Waits", {"Waits": "yes"})
    create = stack.event("Create", "Dies", {})
    with suppress(Crashed):
        stack.send(create, crash_after="thing")
    stack.clock.advance(600)
    stack.send(create, provider=Provider.unable("it died", guards=True, ledger=stack.ledger))

    told = [{name for name in line if name not in OWN} for line in lines()]
    begins = [names for names in told if "transport" in names]
    ends = [names for names in told if "outcome" in names]
    documented = {name for names in NAMES for name in re.findall("[a-z_]+", names)}
    assert (4, 3) == (len(begins), len(ends))
    assert set() == set.union(*told) - documented
    assert [set()] * 7 == [BOTH - names for names in told]
    assert [set()] * 4 == [{"stack_id", "resumes"} - names for names in begins]
