"""What a delivery tells of itself: one line of metrics, log lines with its ids, spans."""

import io
import json
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import pytest
from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_log_utils import LogFormat

from cfn_once import (
    ConfigurationError,
    CustomResource,
    DeliveryError,
    InProgress,
    InvalidRequest,
    PermanentError,
    Provider,
    Secret,
    TemporaryError,
)
from cfn_once.testing import (
    Crashed,
    FakeCloudFormation,
    LambdaContext,
    VirtualClock,
    create_event,
    sqs_event,
)
from support.taken import Taken

INVENTED = (
    "stack-Thing-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)

# Until steps, recovery and watchdog tell of themselves.
IDS = {"correlation_id", "request_id", "request_type", "logical_resource_id", "resource_type"}
SECRET = 'hunter"22\\zwei'  # JSON and Python spell it otherwise than it is
HALF = "hunter"


@dataclass(frozen=True)
class ThingProperties:
    Password: Annotated[str, Secret] = ""
    Size: int = 1


class Thing(CustomResource[ThingProperties, dict]):
    def create(self):
        self.step("thing", lambda step: "made", find=lambda step: "found")

    def delete(self):
        pass


class InThreads(VirtualClock):
    """Rings in another thread, as the real clock does."""

    def alarm(self, seconds, ring):
        def in_a_thread():
            thread = threading.Thread(target=ring)
            thread.start()
            thread.join()

        return super().alarm(seconds, in_a_thread)


@pytest.fixture(autouse=True)
def as_before():
    """Let our loggers be as they were before."""
    ours = logging.getLogger("cfn_once")
    before = ours.handlers, ours.propagate, ours.level
    yield
    ours.handlers, ours.propagate = before[:2]
    ours.setLevel(before[2])


@pytest.fixture
def stack(monkeypatch):
    """A stack whose provider runs as a Lambda function; its class is this one, unless another."""

    def make(kind=Thing, clock=None, **options):
        provider = Provider(kind, ledger="memory://", ends_process=True, **options)
        made = FakeCloudFormation(provider, clock=clock)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "the-provider")
        # Else the death of a predecessor would be proven by there being one process a sandbox.
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
        return made

    return make


@pytest.fixture
def lines(capsys):
    """Read what was printed since the last time: each line is one JSON object."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@contextmanager
def runtime(log_format):
    """Set logging up as Lambda's Python runtime does, and nothing besides."""
    before = logging.root.handlers, logging.Formatter.converter
    logging.root.handlers = []
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)
            sink = bootstrap.StandardLogSink()
            bootstrap._setup_logging(LogFormat.from_str(log_format), "", sink)
            yield
    finally:
        logging.root.handlers, logging.Formatter.converter = before


def metrics(line):
    """Return the metrics that CloudWatch reads out of a line."""
    (about,) = line["_aws"]["CloudWatchMetrics"]
    assert ("cfn-once", [["FunctionName"]]) == (about["Namespace"], about["Dimensions"])
    assert "the-provider" == line["FunctionName"]
    for metric in about["Metrics"]:
        assert metric["Unit"] == ("Seconds" if metric["Name"] == "SecondsToAnswer" else "Count")
    return {metric["Name"]: line[metric["Name"]] for metric in about["Metrics"]}


def counted(line):
    """Return what is counted besides the delivery itself."""
    counts = metrics(line)
    assert 1 == counts.pop("Deliveries")
    counts.pop("SecondsToAnswer", None)
    assert {1} >= set(counts.values())
    return set(counts)


def test_a_create_and_its_copy(stack, lines):
    """
    Each delivery prints one line: what came of it, for whom, and its metrics. A copy of an answered
    request is a duplicate suppressed, and told again.
    """
    cloudformation = stack()
    create = cloudformation.event("Create", "Thing")

    cloudformation.clock.advance(1)
    cloudformation.send(create)
    cloudformation.clock.advance(2.5)
    cloudformation.send(create)
    first, copy = lines()

    waited = metrics(first)["SecondsToAnswer"]
    assert {"Deliveries": 1, "AnswersPosted": 1, "SecondsToAnswer": waited} == metrics(first)
    assert waited + 2.5 == metrics(copy)["SecondsToAnswer"]
    assert {"DuplicatesSuppressed", "Replays", "AnswersPosted"} == counted(copy)
    said = {
        "request_id": create["RequestId"],
        "request_type": "Create",
        "logical_resource_id": "Thing",
        "resource_type": "Custom::Thing",
        "outcome": "SUCCESS",
        "level": "INFO",
    }
    assert said.items() <= first.items()
    assert said.items() <= copy.items()
    assert first["correlation_id"] == copy["correlation_id"]
    assert (1, False) == (first["deliveries"], "deliveries" in copy)
    assert 2500 == copy["_aws"]["Timestamp"] - first["_aws"]["Timestamp"]


def test_a_process_that_died_and_the_next_one(stack, lines):
    """
    The dead delivery says nothing; the one that goes on is a takeover.
    """
    cloudformation = stack()
    create = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="thing")
    cloudformation.clock.advance(180)

    assert [] == lines()
    cloudformation.send(create)
    (line,) = lines()

    assert {"Takeovers", "AnswersPosted"} == counted(line)
    assert (2, "SUCCESS") == (line["deliveries"], line["outcome"])


def test_a_hook_that_asks_for_another_try(stack, lines):
    """
    What the hook itself gives back is neither a duplicate nor, when it goes on, a takeover.
    """

    class Later(Thing):
        resource_type = "Custom::Thing"
        tries = 0

        def create(self):
            Later.tries += 1
            if Later.tries == 1:
                raise TemporaryError("not yet")

    cloudformation = stack(Later)
    cloudformation.create("Thing")
    first, second = lines()

    assert set() == counted(first)
    assert ("TemporaryError", "TemporaryError", "ERROR") == (
        first["outcome"],
        first["error"],
        first["level"],
    )
    assert ({"AnswersPosted"}, 2) == (counted(second), second["deliveries"])


def test_an_answer_that_cannot_be_told(stack, lines):
    """
    The line says both: what came of the request, and that nobody could be told.
    """
    cloudformation = stack()
    create = cloudformation.event("Create", "Thing")
    cloudformation.lose_answers(1)
    with pytest.raises(DeliveryError):
        cloudformation.send(create)
    cloudformation.send(create)
    failed, told = lines()

    assert {"AnswersFailed"} == counted(failed)
    assert "SecondsToAnswer" not in failed
    assert ("SUCCESS", "DeliveryError", "ERROR") == (
        failed["outcome"],
        failed["error"],
        failed["level"],
    )
    assert {"DuplicatesSuppressed", "Replays", "AnswersPosted"} == counted(told)


def test_a_twin_and_a_request_that_was_overtaken(stack, lines):
    """
    A twin that lets Lambda come again, a copy of what newer requests have followed, and a first
    delivery that comes too late are duplicates suppressed; only the last one is answered.
    """
    cloudformation = stack()
    create = cloudformation.event("Create", "Thing")

    def twin():
        with pytest.raises(InProgress):
            cloudformation.send(create)

    late = cloudformation.event("Update", "Thing", physical_resource_id="thing-1")
    delete = cloudformation.event("Delete", "Thing", physical_resource_id="thing-1")
    cloudformation.send(create, meanwhile={"thing": twin})
    for event in (delete, create, late):
        cloudformation.send(event)
    twins, first, deleted, ignored, stale = lines()

    assert ({"DuplicatesSuppressed"}, "InProgress") == (counted(twins), twins["outcome"])
    assert ({"AnswersPosted"}, {"AnswersPosted"}) == (counted(first), counted(deleted))
    assert ({"DuplicatesSuppressed"}, "Ignored") == (counted(ignored), ignored["outcome"])
    assert {"DuplicatesSuppressed", "AnswersPosted"} == counted(stale)
    assert ("FAILED", "ERROR") == (stale["outcome"], stale["level"])
    assert "a newer request" in stale["reason"]


def test_one_that_lost_its_resource(stack, lines):
    """
    An execution that was superseded answers nobody, and its line says so.
    """
    cloudformation = stack()
    create = cloudformation.event("Create", "Thing")
    delete = cloudformation.event("Delete", "Thing", physical_resource_id=INVENTED)

    def overtake():
        with pytest.raises(InProgress):
            cloudformation.send(delete)

    cloudformation.send(create, meanwhile={"thing": overtake})
    waiting, superseded = lines()

    assert (set(), "InProgress") == (counted(waiting), waiting["outcome"])
    assert (set(), "Superseded") == (counted(superseded), superseded["outcome"])


def test_a_request_whose_answer_would_go_elsewhere(stack, lines):
    """
    What is raised before any work was done has its line as well.
    """
    cloudformation = stack()
    event = cloudformation.event("Create", "Thing")
    event["ResponseURL"] = "https://example.com/?X-Amz-Date=20270115T080000Z"

    with pytest.raises(InvalidRequest):
        cloudformation.send(event)
    (line,) = lines()

    assert (set(), "InvalidRequest") == (counted(line), line["error"])
    assert "example.com" not in json.dumps(line)


def test_a_url_without_a_date(stack, lines):
    """
    Where nobody knows when a request was made, nothing says how long its answer took.
    """
    stack()
    provider = Provider(Thing, ledger="memory://", allow_local_ledger=True).using(delivery=Taken())

    provider(create_event("Thing", response_url="https://example.com/undated"))
    (line,) = lines()

    assert {"Deliveries": 1, "AnswersPosted": 1} == metrics(line)


def test_a_batch_from_a_queue(stack, lines):
    """
    Each request of a batch has its own line; all bear the id of the one invocation.
    """
    stack()
    provider = Provider(Thing, ledger="memory://", allow_local_ledger=True).using(delivery=Taken())
    batch = sqs_event(create_event("Thing", request_id="1"), create_event("Thing", request_id="2"))

    provider(batch, LambdaContext(aws_request_id="invocation-1"))
    first, second = lines()

    assert ["1", "2"] == [first["request_id"], second["request_id"]]
    assert "invocation-1" == first["function_request_id"] == second["function_request_id"]


@pytest.mark.parametrize("setting", ["AWS_LAMBDA_FUNCTION_NAME", "CFN_ONCE_METRICS"])
def test_where_nothing_is_printed(stack, lines, monkeypatch, setting):
    """
    No line is printed off Lambda, or where CFN_ONCE_METRICS=off.
    """
    cloudformation = stack()
    monkeypatch.delenv(setting, raising=False)
    if setting == "CFN_ONCE_METRICS":
        monkeypatch.setenv(setting, "off")

    answer = cloudformation.create("Thing")

    assert ([], True) == (lines(), answer.succeeded)


class Talks(Thing):
    """Says what it should not, in every way there is."""

    resource_type = "Custom::Thing"

    def create(self):
        password = self.properties.Password
        self.log.info("made with %s", password, extra={"key": password, "size": 3})
        try:
            raise RuntimeError(f"no {password}")
        except RuntimeError:
            self.log.exception("tried in vain")
        self.step("thing", self.fail)

    def fail(self, step):
        self.log.info("at it")
        raise PermanentError(f"{self.properties.Password} is wrong")


def printed(cloudformation, read):
    """Send a request with a secret, and return what was printed, as objects and as text."""
    event = cloudformation.event("Create", "Thing", {"Password": SECRET, "Size": 3})
    cloudformation.send(event)
    text = read()
    assert HALF not in text
    assert event["ResponseURL"].partition("?")[2] not in text
    return [json.loads(line) for line in text.splitlines()], text


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_log_lines_in_lambda(stack, capsys, log_format):
    """
    Whatever the function's log format, each of our log lines is one JSON object that bears the ids,
    once, and no secret.
    """
    cloudformation = stack(Talks)
    logger = logging.getLogger("cfn_once")
    logger.setLevel("INFO")
    with runtime(log_format):
        found, text = printed(cloudformation, lambda: capsys.readouterr().out)
    metric = found.pop()

    assert (log_format == "JSON") == logger.propagate  # the runtime's own JSON will do
    assert 1 == text.count("tried in vain")
    assert 1 == text.count("at it")
    assert {"cfn_once", "cfn_once.resource", "cfn_once.delivery"} == {
        hit["logger"] for hit in found
    }
    ours = found
    for our in ours:
        assert {name: metric[name] for name in IDS}.items() <= our.items()
        assert {"timestamp", "level", "message"} <= set(our)
        assert our.get("phase") == "begins" or metric["deliveries"] == our["deliveries"]
    by_message = {our["message"]: our for our in ours}
    assert {"key": "*****", "size": 3}.items() <= by_message["made with *****"].items()


def test_the_text_of_an_error(stack, capsys):
    """
    A log line tells its error with what is secret masked, and one without a secret as it is.
    """

    class Fails(Talks):
        resource_type = "Custom::Thing"

        def create(self):
            try:
                raise LookupError("nothing of that size")
            except LookupError:
                self.log.exception("looked in vain")
            super().create()

    cloudformation = stack(Fails)
    with runtime("Text"):
        found, _ = printed(cloudformation, lambda: capsys.readouterr().out)
    told = {hit["message"]: hit.get("exception", "") for hit in found}

    assert "LookupError: nothing of that size" in told["looked in vain"]
    assert "RuntimeError: no *****" in told["tried in vain"]
    assert "***** is wrong" in found[-1]["reason"]


def test_where_logging_is_set_up(stack, capsys):
    """
    Where somebody has set logging up, our lines go where all lines go, and bear the ids there.
    """
    cloudformation = stack(Talks)
    ours = logging.getLogger("cfn_once")
    ours.setLevel("INFO")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        logging.Formatter("%(request_id)s %(step)s %(message)s", defaults={"step": "-"})
    )
    with runtime("Text"):
        logging.getLogger().addHandler(handler)
        event = cloudformation.event("Create", "Thing", {"Password": SECRET})
        cloudformation.send(event)

    assert ([], True) == (ours.handlers, ours.propagate)
    assert f"{event['RequestId']} - made with *****" in stream.getvalue()
    assert "made with" in capsys.readouterr().out


def test_off_lambda(caplog):
    """
    Off Lambda nothing is set up; records bear the ids for whoever wants to print them, and what
    is said between two requests bears none.
    """
    cloudformation = FakeCloudFormation(Provider(Talks, ledger="memory://"))
    caplog.set_level("INFO", "cfn_once")
    event = cloudformation.event("Create", "Thing", {"Password": SECRET})

    cloudformation.send(event)
    logging.getLogger("cfn_once.resource").info("nobody's")
    *hooks, nobodys = (record for record in caplog.records if record.name == "cfn_once.resource")

    assert {event["RequestId"]} == {hook.request_id for hook in hooks}
    assert not hasattr(nobodys, "request_id")


@pytest.mark.parametrize("has_handlers", [True, False], ids=["own handlers", "its parents'"])
def test_a_logger_of_the_users_own(stack, capsys, has_handlers):
    """
    Our lines go through the logger that was handed in, by its level; its own lines bear the ids
    while a request is at work.
    """
    tree = f"mine {has_handlers}"
    mine = logging.getLogger(f"{tree}.lines")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(request_id)s %(levelname)s %(message)s"))
    of = mine if has_handlers else logging.getLogger(tree)
    of.handlers, of.propagate = [handler], False

    class Mine(Talks):
        resource_type = "Custom::Thing"

        def create(self):
            mine.warning("by the hook: %s", self.properties.Password)
            if has_handlers:
                mine.getChild("part").error("by a part of it")
            super().create()

    mine.setLevel("WARNING")
    cloudformation = stack(Mine, logger=mine)
    event = cloudformation.event("Create", "Thing", {"Password": SECRET})

    with runtime("Text"):
        cloudformation.send(event)
    text = stream.getvalue()

    start = f"{mine.name} {event['RequestId']}"
    assert f"{start} WARNING by the hook: *****\n" in text
    assert f"{start} ERROR tried in vain\n" in text
    assert has_handlers == (f"{mine.name}.part {event['RequestId']} ERROR by a part" in text)
    assert "made with" not in text
    assert HALF not in text
    assert "tried in vain" not in capsys.readouterr().out


def test_a_logger_that_is_ours():
    """
    cfn-once's own logger cannot be handed in.
    """
    with pytest.raises(ConfigurationError, match="hand in one of yours"):
        Provider(Thing, ledger="memory://", logger=logging.getLogger("cfn_once.resource"))


def test_powertools(stack, capsys):
    """
    Through Powertools' Logger our lines have its keys and ours, each line comes once, and lines
    that the hook prints through it have ours as well, while the request is at work.
    """
    import aws_lambda_powertools as powertools

    stream = io.StringIO()

    class Mine(Talks):
        resource_type = "Custom::Thing"

        def create(self):
            logger.info("by the hook: %s", self.properties.Password)
            super().create()

    with runtime("Text"):
        logger = powertools.Logger(service="groups", stream=stream, level="INFO")
        found, text = printed(stack(Mine, logger=logger), stream.getvalue)
        logger.info("after it")
    (metric,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    after = json.loads(stream.getvalue().splitlines()[-1])

    said = ["by the hook: *****", "made with *****", "tried in vain", "at it"]
    assert said == [hit["message"] for hit in found][1:5]
    assert ["begins", "ends"] == [found[0]["phase"], found[-1]["phase"]]
    for hit in found:
        assert "groups" == hit["service"]
        assert {name: metric[name] for name in IDS}.items() <= hit.items()
    assert 1 == text.count("tried in vain")
    assert "after it" == after["message"]
    assert not IDS & set(after)


@pytest.mark.parametrize("size", [1, 2], ids=["replayed", "only read"])
def test_steps_in_doubt(stack, lines, size):
    """
    A step that may have run is counted and named where its request is answered, and again where
    the Delete tells of it, once each.
    """

    class Mail(Thing):
        resource_type = "Custom::Thing"

        def create(self):
            self.step("mail", lambda step: "sent", once=True)

    cloudformation = stack(Mail)
    create = cloudformation.event("Create", "Thing", {"Size": 1})
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="mail")
    cloudformation.clock.advance(180)
    cloudformation.send(create)
    cloudformation.send(create)
    delete = cloudformation.event("Delete", "Thing", {"Size": size}, physical_resource_id="none")
    cloudformation.send(delete)
    failed, copy, deleted = lines()

    mail, unseen = (
        f"{what} of {create['RequestId']}" for what in ("mail#0", "a step that is not recorded")
    )
    assert (1, [mail]) == (metrics(failed)["StepsInDoubt"], failed["in_doubt"])
    assert [mail, unseen][:size] == deleted["in_doubt"]
    assert size == metrics(deleted)["StepsInDoubt"]
    assert ("SUCCESS", "ERROR") == (deleted["outcome"], deleted["level"])
    assert "StepsInDoubt" not in metrics(copy)


def test_a_doubt_that_the_next_delivery_resolves(stack, lines):
    """
    What one delivery cannot tell and leaves to the next one is no step in doubt.
    """

    class Looked(Thing):
        resource_type = "Custom::Thing"
        is_down = True

        def create(self):
            self.step("thing", lambda step: "made", find=self.find)

        def find(self, step):
            if Looked.is_down:
                raise TimeoutError
            return "found"

    cloudformation = stack(Looked)
    with pytest.raises(Crashed):
        cloudformation.send(cloudformation.event("Create", "Thing"), crash_after="thing")
    cloudformation.clock.advance(180)
    delete = cloudformation.event("Delete", "Thing", {}, physical_resource_id="none")
    with pytest.raises(InProgress):
        cloudformation.send(delete)
    Looked.is_down = False
    cloudformation.send(delete)
    first, second = lines()

    assert (set(), "InProgress", "INFO") == (counted(first), first["outcome"], first["level"])
    assert ({"AnswersPosted"}, "SUCCESS") == (counted(second), second["outcome"])


def test_lines_of_a_step(stack, caplog):
    """
    What is said inside a step bears its name, and what is said after one that failed as well.
    """

    class Steps(Thing):
        resource_type = "Custom::Thing"

        def create(self):
            self.step("one", lambda step: self.log.info("in one"), find=lambda step: None)
            self.log.info("between")
            self.step("two", self.fail)

        def fail(self, step):
            self.log.info("in two")
            raise PermanentError("no room")

    caplog.set_level("INFO", "cfn_once")
    cloudformation = stack(Steps)
    cloudformation.send(cloudformation.event("Create", "Thing"))
    steps = {record.message: getattr(record, "step", None) for record in caplog.records}

    assert {"in one": "one", "between": None, "in two": "two"}.items() <= steps.items()
    assert "two" == next(step for said, step in steps.items() if said.endswith("failed"))


def test_spans(stack):
    """
    A delivery is a span and each call of a step is one inside it; an error is told by its kind
    alone.
    """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracers)  # of the whole process, as the API has it
    cloudformation = stack(Talks)
    event = cloudformation.event("Create", "Thing", {"Password": SECRET})

    cloudformation.send(event)
    with pytest.raises(InvalidRequest):
        cloudformation.send({**event, "ResponseURL": "https://example.com/"})
    step, delivery, refused = exporter.get_finished_spans()

    assert ("thing", "cfn_once Create") == (step.name, delivery.name)
    assert delivery.context.span_id == step.parent.span_id
    assert {
        "cfn_once.request_id": event["RequestId"],
        "cfn_once.resource_type": "Custom::Thing",
        "cfn_once.outcome": "FAILED",
        "cfn_once.deliveries": 1,
    }.items() <= delivery.attributes.items()
    assert "cfn_once.correlation_id" in delivery.attributes
    assert ["PermanentError", "FAILED"] == [span.status.description for span in (step, delivery)]
    assert HALF not in step.to_json() + delivery.to_json()
    assert "InvalidRequest" == refused.attributes["cfn_once.outcome"]
    assert "example" not in refused.to_json()


def test_a_hook_that_does_not_come_back(stack, lines):
    """
    Its watchdog prints the line of a hook that is cut short, and it stays the only one.
    """

    class Hangs(Thing):
        resource_type = "Custom::Thing"

        def create(self):
            self.step("thing", lambda step: cloudformation.clock.sleep(500))

    cloudformation = stack(Hangs, clock=InThreads())
    create = cloudformation.event("Create", "Thing")
    cloudformation.send(create)
    (line,) = lines()

    assert ({"AnswersPosted"}, "FAILED") == (counted(line), line["outcome"])
    assert "was still at work" in line["reason"]
