"""`cfn-once ledger`: what the ledger says of the resources of a stack, or of all."""

import argparse
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .._clock import SYSTEM_CLOCK
from ..ledger import Head, Listed, Store
from ..ledger.document import CorruptHead
from . import resource_report
from .console import Console, Exit, Stop
from .lookup import (
    add_ledger,
    every,
    find,
    is_in_table,
    is_of_stack,
    key_of,
    ledger_of,
    may_be_of,
    reading,
)
from .resource_report import Finding

DESCRIPTION = (
    "Say what the ledger knows: `list` a line for each resource of a stack, or of all of the\n"
    "ledger; `show` everything of one, by its stack and logical id, its correlation id or a\n"
    "physical id. Results of steps and attributes are not shown."
)
EXAMPLE = "cfn-once ledger list --stack shop --unfinished"
NOTHING = "no delivery of a request has come to this ledger"
WHERE = "look at the function's log and its dead-letter queue: did CloudFormation's event arrive?"


class ResourceRow(NamedTuple):
    """One resource in the list."""

    stack: str
    logical_resource_id: str
    resource_type: str
    request: str
    found: Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument("what", choices=("list", "show"))
    parser.add_argument("stack", nargs="?", metavar="STACK", help="of show: its name, ARN or an id")
    parser.add_argument("logical_id", nargs="?", metavar="LOGICAL-ID", help="of show")
    parser.add_argument("--stack", dest="of_stack", metavar="STACK", help="of list: one stack's")
    parser.add_argument(
        "--unfinished", action="store_true", help="of list: only those with something to be done"
    )
    add_ledger(parser)


def run(given: argparse.Namespace, console: Console) -> int:
    """List, or show."""
    now = int(SYSTEM_CLOCK.now() * 1000)
    if given.what == "show":
        return _show(given, console, now)
    if given.stack is not None:
        raise Stop("list takes --stack STACK", Exit.WRONG_CALL)
    store = ledger_of(given)
    with reading():
        rows = sorted(_rows(store, given, now))
    if not rows:
        raise Stop(_nothing_listed(given))
    rows = [row for row in rows if row.found.is_open or not given.unfinished]
    for row in rows:
        for line in _lines(row):
            console.row(line)
    console.line(resource_report.summary([row.found for row in rows]))
    console.result([_document(row) for row in rows])
    return Exit.CLEAN


def _nothing_listed(given: argparse.Namespace) -> str:
    """Say why there is no resource to tell of: it is no sign that all is well."""
    if given.of_stack is None:
        return f"the ledger has nothing: {NOTHING}. Is the URL the function's, with its namespace?"
    if not is_in_table(given):
        return f"the ledger has nothing of a stack {given.of_stack}: {NOTHING}"
    unfinished = " --unfinished" if given.unfinished else ""
    return (
        f"CloudFormation lists no custom resource of a stack {given.of_stack}: it lists none that"
        " is not made yet, and none that it has rolled back or deleted. Look in all of the ledger:"
        f" cfn-once ledger list --stack {shlex.quote(given.of_stack)}{unfinished} --scan"
    )


def _show(given: argparse.Namespace, console: Console, now: int) -> int:
    if given.stack is None or given.of_stack is not None:
        raise Stop("show takes STACK LOGICAL-ID, or an id", Exit.WRONG_CALL)
    found = find(ledger_of(given), given, console)
    head = found.head
    place = resource_report.place_of(found.stack, head.logical_resource_id)
    report = resource_report.document(head, now, resource_report.finding(head, now, place))
    report["correlation_id"] = found.key.removeprefix("r")
    for line in resource_report.lines(report):
        console.row(line)
    console.result(report)
    return Exit.CLEAN


def _rows(store: Store, given: argparse.Namespace, now: int) -> Iterator[ResourceRow]:
    if given.of_stack is not None and is_in_table(given):
        from .stacks import StackReader  # loads boto3, which a local ledger does not need

        yield from rows_of_stack(store, StackReader().resources_below(given.of_stack), now)
        return
    for item in every(store):
        if item.head is None:
            if given.of_stack is None or may_be_of(item, given.of_stack):
                yield _unreadable(item)
        elif given.of_stack is None or is_of_stack(item.head.stack_id, given.of_stack):
            yield _row(item.head, given.of_stack or item.head.stack_id, now)


def rows_of_stack(
    store: Store, resources: Iterable[tuple[str, Any]], now: int
) -> Iterator[ResourceRow]:
    """Yield the resources that CloudFormation lists, each with what the ledger has of it.

    Args:
        store: The ledger.
        resources: Each with its stack's name, as a command takes it.
        now: Milliseconds since 1970.
    """
    for stack, resource in resources:
        logical_id = resource.logical_resource_id
        key = key_of(resource.stack_id, logical_id)
        try:
            head = store.read(key)
        except CorruptHead as error:  # the others are shown all the same
            yield _unreadable(Listed(key, None, error.problem, resource.stack_id, logical_id))
            continue
        if head is not None:
            yield _row(head, stack, now, resource.status)
            continue
        waits = resource.status.endswith("_IN_PROGRESS")
        found = Finding("unknown", NOTHING, WHERE if waits else "", is_open=waits)
        yield ResourceRow(stack, logical_id, resource.resource_type, resource.status, found)


def _row(head: Head, stack: str, now: int, status: str = "") -> ResourceRow:
    place = resource_report.place_of(stack, head.logical_resource_id)
    found = resource_report.finding(head, now, place, status)
    request = f"{head.operation.type} {head.operation.request_id}"
    return ResourceRow(stack, head.logical_resource_id, head.resource_type, request, found)


def _unreadable(item: Listed) -> ResourceRow:
    about = " ".join(filter(None, (item.logical_resource_id, item.key)))
    return ResourceRow(item.stack_id, about, "", "", resource_report.unreadable(item.problem))


def _lines(row: ResourceRow) -> Iterator[str]:
    kind = f" ({row.resource_type})" if row.resource_type else ""
    request = f" {row.request}:" if row.request else ""
    yield f"{row.logical_resource_id}{kind}:{request} {row.found.words}"
    if row.found.next:
        yield f"  next: {row.found.next}"


def _document(row: ResourceRow) -> dict[str, Any]:
    return {
        "stack": row.stack,
        "logical_resource_id": row.logical_resource_id,
        "resource_type": row.resource_type,
        "request": row.request,
        "finding": row.found.kind,
        "words": row.found.words,
        "next": row.found.next,
        "open": row.found.is_open,
    }
