"""`cfn-once invoke`: one request, in this process, with what may happen to it."""

import argparse
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .._described.importing import end_of
from .console import Console, Exit, Stop
from .project import add_provider, provider_of, settings, type_named
from .stand_in import set_clock, stand_in

DESCRIPTION = (
    "Send a request to the provider in this process, with a ledger in memory and virtual time.\n"
    "An update or a delete is sent after the create that it needs. The hooks' calls are real,\n"
    "unless [tool.cfn-once] external-api names a stand-in."
)
EXAMPLE = "cfn-once invoke create -p Name=web --times 2"
VERBS = ("create", "update", "delete")
ID = "Resource"
MOST_TIMES = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument("what", help="create, update, delete, a file with an event, or - for stdin")
    add_provider(parser)
    parser.add_argument("--type", help="the type, where the provider serves several")
    _add_pairs(parser, "-p", "--property", "a property; JSON where it is a list or a map")
    _add_pairs(parser, "--from", "--before", "a property before the update; else the same")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="deliver it N times")
    parser.add_argument(
        "--crash-after", metavar="CALL", help="let the process die after a call: thing, POST /x"
    )


def _add_pairs(parser: argparse.ArgumentParser, short: str, long: str, text: str) -> None:
    name = long.strip("-")
    parser.add_argument(
        short, long, dest=name, action="append", default=[], metavar="NAME=VALUE", help=text
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Send the request, and tell what came of it."""
    if not 1 <= given.times <= MOST_TIMES:
        raise Stop(f"--times is from 1 to {MOST_TIMES:,}", Exit.WRONG_CALL)
    event = None if given.what in VERBS else _event(given.what)
    before, after = _pairs(given.before), _pairs(given.property)
    place = settings().external_api
    api = stand_in(place) if place else None  # first: a provider reads the environment too
    provider = provider_of(given)
    kind = type_named(given.type, list(provider.resource_types)) if event is None else ""
    if not place:
        console.say("no external-api in pyproject.toml: the calls of the hooks are real")
    logging.getLogger("cfn_once").setLevel(logging.CRITICAL + 1)  # the story tells it all
    stack, faults = _stack(provider), _faults(given)
    set_clock(api, stack.clock)
    if event is not None:
        _send(lambda: stack.deliver(stack.asked_again(event), **faults), stack, console)
    else:
        properties = (before or after, after)
        _send(lambda: _operate(stack, given.what, kind, properties, faults), stack, console)
    return _report(stack, console, api)


def _faults(given: argparse.Namespace) -> dict[str, Any]:
    faults: dict[str, Any] = {"times": given.times} if given.times > 1 else {}
    return {**faults, "crash_after": given.crash_after} if given.crash_after else faults


def _send(deliver: Callable[[], Any], stack: Any, console: Console) -> None:
    """Let it be delivered, whatever the hooks do.

    Raises:
        Stop: Nobody was answered.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr), _interruptible():  # hooks print no result
            deliver()
    except AssertionError as error:
        raise Stop(str(error), Exit.WRONG_CALL) from None
    except KeyboardInterrupt:
        text = "stopped: nothing runs on. A call that was under way may have had its effect"
        raise Stop(text, Exit.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - Lambda would deliver no more
        console.line(stack.story)
        raise Stop(f"no delivery was answered: {end_of(error)}", Exit.FOUND) from None


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end it, also where a hook has taken that for an error of its own."""
    came: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt


def _stack(provider: Any) -> Any:
    from ..testing import FakeCloudFormation  # the kit loads in half a second

    return FakeCloudFormation(provider, watchdog=0)


def _operate(
    stack: Any, verb: str, kind: str, properties: tuple[Any, Any], faults: dict[str, Any]
) -> None:
    """Do a whole operation; the create that another one needs goes undisturbed."""
    before, after = properties
    if verb == "create":
        stack.create(ID, after, resource_type=kind, **faults)
    elif not stack.create(ID, before, resource_type=kind).succeeded:
        return
    elif verb == "update":
        stack.update(ID, after, **faults)
    else:
        stack.delete(ID, **faults)


def _report(stack: Any, console: Console, api: Any) -> int:
    """Print each response, then the story."""
    responses = [_response_document(event, answer) for event, answer in stack.answers]
    for answer in responses:
        word = console.word(answer["Status"], is_good=answer["Status"] == "SUCCESS")
        console.line(f"{answer['RequestType']}: {word} {answer['PhysicalResourceId']}")
        if answer["Data"]:
            console.line(f"  {json.dumps(answer['Data'], ensure_ascii=False)}")
        if answer["Reason"]:
            console.line(f"  {answer['Reason']}")
    console.line()
    console.line(stack.story)
    if api is not None:
        console.line(f"\nthe stand-in holds {', '.join(map(str, api.objects)) or 'nothing'}")
    console.result({"responses": responses, "story": stack.story.splitlines()})
    failed = any(answer["Status"] != "SUCCESS" for answer in responses)
    return Exit.FOUND if failed or not responses else Exit.CLEAN


def _response_document(event: Any, answer: Any) -> dict[str, Any]:
    hidden = dict.fromkeys(answer.data, "****")
    return {
        "RequestType": event["RequestType"],
        "Status": answer.status,
        "PhysicalResourceId": answer.physical_resource_id,
        "Data": hidden if answer.no_echo else dict(answer.data),
        "Reason": answer.reason,
    }


def _pairs(given: list[str]) -> dict[str, Any]:
    """Read `Name=value`; a value that is a list or a map is JSON."""
    pairs: dict[str, Any] = {}
    for pair in given:
        name, separator, text = pair.partition("=")
        if not name or not separator:
            raise Stop("-p takes Name=value", Exit.WRONG_CALL)
        try:
            pairs[name] = json.loads(text) if text[:1] in ("[", "{") else text
        except (ValueError, RecursionError):
            raise Stop(f"-p {name}: it begins as JSON, and is none", Exit.WRONG_CALL) from None
    return pairs


def _event(path: str) -> dict[str, Any]:
    """Read an event.

    Raises:
        Stop: There is none.
    """
    from .._cloudformation.request import Request
    from .._errors import InvalidRequest

    try:
        if path == "-":
            event = json.load(sys.stdin)
        else:
            with open(path, encoding="utf-8") as file:
                event = json.load(file)
        Request.from_event(event)
    except FileNotFoundError:
        verbs = ", ".join(VERBS)
        raise Stop(f"{path} is none of {verbs}, and no file", Exit.WRONG_CALL) from None
    except RecursionError:
        raise Stop(f"{path} holds no event: it is nested without end") from None
    except (OSError, ValueError, InvalidRequest) as error:
        raise Stop(f"{path} holds no event: {error}") from None
    found: dict[str, Any] = event
    return found
