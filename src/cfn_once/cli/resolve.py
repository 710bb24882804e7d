"""`cfn-once resolve`: says of a step in doubt whether it was made."""

import argparse
import json

from .._steps.call import OF_HTTP
from ..ledger import Write
from ..ledger.operator import (
    LONGEST_MADE,
    OpenStep,
    Operator,
    open_steps,
    settle,
    without_doubts,
)
from ..ledger.step_record import step_of
from .console import Console, Exit, Stop
from .lookup import Found, add_resource, find, ledger_of
from .operating import add_operator, confirm, operator_of, refuse_while_at_work, write
from .resource_report import is_deleted

DESCRIPTION = (
    "Say of a step in doubt whether it was made. You have looked for it, and say what its find=\n"
    "would have said. Where it was made, give what the step's function would have returned, as\n"
    "JSON: look in its code, it is often more than the id. What is said is final."
)
EXAMPLE = (
    "cfn-once resolve shop Customers thing#0 --made '\"thing-7\"' --reason 'found in the console'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_resource(parser)
    parser.add_argument("step", nargs="?", metavar="STEP", help="its key, or its name")
    parser.add_argument(
        "--unrecorded", action="store_true", help="in the place of STEP: one that is not recorded"
    )
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument("--made", metavar="JSON", help="it was made, and its function returned this")
    said.add_argument("--not-made", action="store_true", help="it was not made, or is gone")
    parser.add_argument("--request", metavar="ID", help="its RequestId, where several have it")
    add_operator(parser)


def run(given: argparse.Namespace, console: Console) -> int:
    """Settle the step."""
    if (given.step is None) != given.unrecorded:
        raise Stop("name the STEP, or give --unrecorded", Exit.WRONG_CALL)
    if given.unrecorded and given.made is not None:
        raise Stop(
            "of a step that is not recorded only --not-made can be said: remove what it made by"
            " hand first",
            Exit.WRONG_CALL,
        )
    operator, store = operator_of(given, given.reason), ledger_of(given)
    found = find(store, given, console)
    made = _write(found, given, operator)
    said = "was made" if given.made is not None else "was not made, or is gone"
    step = given.step or "what is not recorded"
    confirm(given, found.logical_resource_id, f"You say that {step} {said}.")
    write(store, found, made, console)
    return Exit.CLEAN


def _write(found: Found, given: argparse.Namespace, operator: Operator) -> Write:
    head = found.head
    steps = [step for step in open_steps(head) if _is_meant(step, given)]
    words = [doubt for doubt in head.doubts if _is_doubt_of(doubt, given)]
    if given.made is not None and (is_deleted(head) or (words and not steps)):
        raise Stop(
            "its resource is deleted, and no hook will remove it: remove it by hand, and say"
            " --not-made then",
            Exit.WRONG_CALL,
        )
    if not steps and words:
        refuse_while_at_work(head)
        return without_doubts(head, words, operator)
    step = _the_one(steps, found, given)
    if given.made is not None and step.is_made:
        raise Stop(
            f"{step.key} was made, and the code of today has no such step, so that no hook will"
            " remove it: remove it by hand, and say --not-made then",
            Exit.WRONG_CALL,
        )
    refuse_while_at_work(head, step.operation)
    return settle(head, step, _result(step, given), operator)


def _is_meant(step: OpenStep, given: argparse.Namespace) -> bool:
    if given.request is not None and step.operation.request_id != given.request:
        return False
    if given.step is None:
        return not step.key
    return given.step in (step.key, step.key.partition("#")[0]) and step.key != ""


def _is_doubt_of(doubt: str, given: argparse.Namespace) -> bool:
    """Tell whether words of a Delete's answer are of the step that is meant."""
    step, rest = step_of(doubt), doubt.partition(" of ")[2]
    if given.request is not None and not rest.startswith(f"{given.request} "):
        return False
    return not step if given.step is None else given.step in (step, step.partition("#")[0])


def _the_one(steps: list[OpenStep], found: Found, given: argparse.Namespace) -> OpenStep:
    if not steps:
        known = [step.key or "--unrecorded" for step in open_steps(found.head)]
        known += [step_of(doubt) or "--unrecorded" for doubt in found.head.doubts]
        what = f": in doubt are {', '.join(known)}" if known else ": nothing of it is in doubt"
        raise Stop(f"no step {given.step or '--unrecorded'} is in doubt{what}", Exit.WRONG_CALL)
    if len(steps) > 1:
        places = ", ".join(f"{step.key} --request {step.operation.request_id}" for step in steps)
        raise Stop(f"several are in doubt; which one: {places}", Exit.WRONG_CALL)
    return steps[0]


def _result(step: OpenStep, given: argparse.Namespace) -> str | None:
    """Return what the ledger keeps of the result: of self.http it is a response."""
    if given.made is None:
        return None
    try:
        made = json.loads(given.made)
        text = json.dumps(made, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):  # NaN, 1e400 and halves of characters are no JSON
        raise Stop(
            "--made takes what the step returned, as JSON: a text in double quotes, such as"
            " --made '\"thing-7\"'",
            Exit.WRONG_CALL,
        ) from None
    if step.key.startswith(OF_HTTP):
        text = json.dumps({"status": 200, "type": "application/json", "text": text})
    if len(text.encode()) > LONGEST_MADE:
        raise Stop(f"--made takes {LONGEST_MADE} bytes at most", Exit.WRONG_CALL)
    return text
