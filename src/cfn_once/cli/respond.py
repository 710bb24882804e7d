"""`cfn-once respond`: answers a request that nobody has answered, so that its stack goes on."""

import argparse
import contextlib
import json
from typing import Any

from .._clock import Deadline, utc
from .._cloudformation.delivery import HttpsDelivery
from .._cloudformation.request import Request, RequestType
from .._errors import ConfigurationError, DeliveryError, InProgress, InvalidRequest
from .._hooks.resource import CustomResource
from .._lambda.environment import hosts_besides
from .._provider import Provider
from ..ledger import Head, Store
from ..ledger.claim import Wait, admit
from ..ledger.operator import Operator, note
from ..ledger.transitions import Candidate
from . import sources
from .console import Console, Exit, Stop
from .lookup import add_resource, key_of, ledger_of, reading
from .operating import (
    AsLookedAt,
    Meanwhile,
    add_operator,
    at_work,
    confirm,
    is_typed,
    milliseconds_now,
    operator_of,
    refuse_while_at_work,
)
from .resource_report import comes_until

DESCRIPTION = (
    "Answer a request that nobody has answered, so that its stack goes on. What the ledger has\n"
    "recorded of it is sent. Where nothing is, a Create or Update responds FAILED, as the\n"
    "guardian does, and a Delete SUCCESS, if you type its logical id: you have removed everything."
)
EXAMPLE = "cfn-once respond shop Invoices --from-queue https://sqs.eu-west-1.amazonaws.com/1/dead"
WHY = "no delivery of the request has answered it"
MOST_NOTES = 5  # tries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_resource(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from-queue", metavar="URL", help="the event is in this SQS queue")
    source.add_argument(
        "--event", metavar="FILE", help="the event, or Lambda's record of a failure"
    )
    source.add_argument("--schedule", metavar="NAME", help="a schedule is to bring it back")
    parser.add_argument("--fail", metavar="WHY", help="answer FAILED, a Delete too, and say why")
    add_operator(parser, reason=False)


class WatchedDelivery:
    """Delivers answers, and keeps the last one.

    Attributes:
        body: What is recorded, and is to be sent; empty before that.
        is_sent: It was.
    """

    def __init__(self, console: Console) -> None:
        self._real, self._console = HttpsDelivery(hosts=hosts_besides(())), console
        self.body, self.is_sent = b"", False

    def check(self, request: Request) -> str:
        """Say why a request is answered, and not served."""
        return self._real.check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        """Deliver an answer, which is recorded by now."""
        self.body = body
        until = utc(deadline.ends_at())
        self._console.say(
            f"the answer is recorded, and is sent now; if that fails, it is tried until {until}"
        )
        self._real.put(request, body, deadline)
        self.is_sent = True


def run(given: argparse.Namespace, console: Console) -> int:
    """Answer."""
    why = WHY if given.fail is None else given.fail
    operator = operator_of(given, why, "--fail")
    store = ledger_of(given)
    event, request = _newest(_events(given, console), given)
    key = key_of(request.stack_id, request.logical_resource_id)
    with reading():
        head = store.read(key)
    if head is None:
        console.say(
            f"the ledger has nothing of {request.logical_resource_id} in {request.stack_id}: is the"
            " URL the function's, with its namespace?"
        )
    else:
        _refuse(head, request)
    looked = AsLookedAt(store, head, request.logical_resource_id)
    provider = _provider(request, head, given, operator, looked)
    delivery = WatchedDelivery(console)
    try:
        _deliver(provider.using(delivery=delivery), event)
    except Stop:
        _note(store, key, delivery, operator)
        raise
    except KeyboardInterrupt:
        _note(store, key, delivery, operator)
        raise _stopped(delivery) from None
    answer = _answer(delivery, request)
    _note(store, key, delivery, operator)
    console.line(f"{request}: answered {answer['Status']} {answer['PhysicalResourceId']}")
    if answer["Reason"]:
        console.line(f"  {answer['Reason']}")
    console.result(answer)
    return Exit.CLEAN


def _note(store: Store, key: str, delivery: WatchedDelivery, operator: Operator) -> None:
    """Keep who has answered, also where the answer could not be sent."""
    if not delivery.body:
        return
    outcome = str(json.loads(delivery.body)["Status"]) + ("" if delivery.is_sent else " NOT SENT")
    with reading():
        for _ in range(MOST_NOTES):  # CloudFormation's next request may come with its answer
            after = store.read(key)
            if after is None:
                return
            with contextlib.suppress(Meanwhile):
                looked = AsLookedAt(store, after, after.logical_resource_id)
                looked.write(key, note(after, outcome, operator))
                return


def _events(given: argparse.Namespace, console: Console) -> list[sources.Event]:
    if given.event is not None:
        return sources.of_file(given.event)
    if given.schedule is not None:
        return sources.of_schedule(given.schedule)
    events, messages = sources.of_queue(given.from_queue)
    console.say(f"{messages} messages were looked at, and all were left in the queue")
    return events


def _newest(
    events: list[sources.Event], given: argparse.Namespace
) -> tuple[sources.Event, Request]:
    """Return the newest request of the resource, and its event."""
    found: list[tuple[sources.Event, Request]] = []
    for event in events:
        try:
            request = Request.from_event(event)
        except InvalidRequest:
            continue
        is_of_stack = given.stack in (request.stack_id, request.stack_name)
        if is_of_stack and request.logical_resource_id == given.logical_id:
            found.append((event, request))
    if not found:
        raise Stop(
            f"there is no request of {given.logical_id} in {given.stack} there; of {len(events)}"
            " events of other resources, none was touched"
        )
    stacks = sorted({request.stack_id for _, request in found})
    if len(stacks) > 1:
        raise Stop(f"of which stack: {', '.join(stacks)}? Give the ARN", Exit.WRONG_CALL)
    return max(found, key=lambda pair: pair[1].issued_at or 0)


def _refuse(head: Head, request: Request) -> None:
    """Refuse while somebody is at work, or is about to be: a delivery would wait for him."""
    refuse_while_at_work(head)
    now = milliseconds_now()
    match admit(head, request, Candidate(owner="", lease=0, sandbox_id=None, now=now)):
        case Wait(until):
            raise at_work(head, until)
        case _:
            pass
    until = comes_until(head.operation)
    if now < until:
        raise Stop(
            f"its hook waits, and its continuation may come until {utc(until / 1000)}: nothing was"
            " answered. Look again then"
        )


def _provider(
    request: Request,
    head: Head | None,
    given: argparse.Namespace,
    operator: Operator,
    store: AsLookedAt,
) -> Provider:
    """Return what answers: with what is recorded, FAILED, or SUCCESS for a Delete.

    Raises:
        Stop: Its operator has not confirmed it.
    """
    logical_id, reason = request.logical_resource_id, f"{operator.by} answered: {operator.why}"
    unable = Provider.unable(reason, guards=True, ledger=store)
    if _is_recorded(head, request):
        confirm(given, logical_id, f"{request} is answered with what is recorded.")
        return unable
    if request.type is not RequestType.DELETE or given.fail is not None:
        confirm(given, logical_id, f"{request} will respond FAILED.")
        return unable
    if given.yes:
        raise Stop(
            "a Delete is answered SUCCESS only if you type its logical id: leave --yes out, or"
            " give --fail WHY",
            Exit.WRONG_CALL,
        )
    if not is_typed(logical_id, f"{request} is answered SUCCESS: you have removed everything."):
        raise Stop("that is not its logical id: nothing was answered", Exit.WRONG_CALL)
    return Provider(_confirmed(request.resource_type), ledger=store)


def _is_recorded(head: Head | None, request: Request) -> bool:
    if head is None or head.operation.request_id != request.request_id:
        return False
    return head.operation.is_over


def _confirmed(resource_type: str) -> type[CustomResource[Any, Any]]:
    """Return a class of which everything is removed already."""

    class Confirmed(CustomResource[dict[str, Any], None]):
        def create(self) -> None:
            """Make nothing: only a Delete comes to it."""

        def delete(self) -> None:
            """Remove nothing."""

    Confirmed.resource_type = resource_type
    return Confirmed


def _deliver(provider: Provider, event: sources.Event) -> None:
    try:
        with reading():
            provider(event)
    except DeliveryError as error:
        raise Stop(f"the response is recorded, but was not sent: {error}", Exit.FOUND) from None
    except (InvalidRequest, InProgress, ConfigurationError) as error:
        raise Stop(f"nothing was answered: {error}") from None


def _stopped(delivery: WatchedDelivery) -> Stop:
    """Return what to say of a Ctrl-C."""
    if delivery.body:
        words = "stopped: the answer is recorded, and was not sent; the same command sends it"
    else:
        words = "stopped: nothing was sent; cfn-once ledger show says what is recorded"
    return Stop(words, Exit.INTERRUPTED)


def _answer(delivery: WatchedDelivery, request: Request) -> dict[str, str]:
    if not delivery.body:
        raise Stop(
            f"nothing was answered: CloudFormation no longer waits for {request}, or a newer"
            " request has followed it. Look again, with cfn-once ledger show"
        )
    answer = json.loads(delivery.body)
    names = ("Status", "PhysicalResourceId", "Reason")
    return {name: answer.get(name, "") for name in names}
