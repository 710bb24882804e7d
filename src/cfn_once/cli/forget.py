"""`cfn-once forget`: has the ledger forget what a resource holds, and keep the rest."""

import argparse

from .._clock import utc
from ..ledger import Head
from ..ledger.operator import forget
from .clients import client_of
from .console import Console, Exit, Stop
from .lookup import add_resource, find, is_in_table, ledger_of
from .operating import (
    add_operator,
    confirm,
    milliseconds_now,
    operator_of,
    refuse_while_at_work,
    write,
)
from .resource_report import is_foreign, may_come_until

DESCRIPTION = (
    "Have the ledger forget what a resource holds, and what is left to be cleaned up. You have\n"
    "removed all of it by hand, and CloudFormation has let go of it. The item stays: late copies\n"
    "of old requests find it."
)
LET_GO = ("", "DELETE_COMPLETE", "DELETE_SKIPPED")  # empty: there is no such resource any more
EXAMPLE = "cfn-once forget shop Customers --reason 'removed by hand, the provider is gone'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_resource(parser)
    add_operator(parser)


def run(given: argparse.Namespace, console: Console) -> int:
    """Forget."""
    operator, store = operator_of(given, given.reason), ledger_of(given)
    found = find(store, given, console)
    head = found.head
    if is_in_table(given):
        _refuse_held(head, console)
    refuse_while_at_work(head, head.operation, *head.pending_cleanup)
    _refuse_unanswered(head)
    things = [old.id for old in (*head.replaced, *head.forgotten)]
    things += [] if head.held is None else [head.held.id]
    what = ", ".join(things) or "no object that it knows"
    confirm(given, found.logical_resource_id, f"No Delete will remove {what} any more.")
    write(store, found, forget(head, operator), console)
    return Exit.CLEAN


def _refuse_held(head: Head, console: Console) -> None:
    """Refuse while CloudFormation has the resource: its Delete would remove nothing any more."""
    from .stacks import (
        TRIES,
        NoStack,
        StackReader,
    )  # loads boto3, which a local ledger does not need

    logical_id, stack_id = head.logical_resource_id, head.stack_id
    stacks = StackReader(client_of("cloudformation", stack_id.split(":")[3], tries=TRIES))
    try:
        listed = list(stacks.resources_of(stack_id))
    except NoStack:
        console.say(f"CloudFormation knows no stack {stack_id}, with these credentials")
        return
    found = [(r.status, r.physical_id) for r in listed if r.logical_resource_id == logical_id]
    refuse_held(head, *next(iter(found), ("", "")))


def refuse_held(head: Head, status: str, physical_id: str = "") -> None:
    """Refuse by CloudFormation's status of a resource; it is empty where there is none.

    It is not refused where the stack has an id that the ledger has never known, as `cfn-once audit`
    finds it: hooks go by that one.
    """
    is_settled = status.endswith("_COMPLETE")
    if status in LET_GO or (is_settled and is_foreign(head, physical_id)):
        return
    raise Stop(
        f"CloudFormation has {head.logical_resource_id} in {head.stack_id} ({status}): after a"
        " forget, its Delete would remove nothing. Delete it there, or have the stack keep it with"
        " --retain-resources, and forget it then. Nothing was written"
    )


def _refuse_unanswered(head: Head) -> None:
    """Refuse while CloudFormation may wait for an answer: a late delivery would act again."""
    operation, until = head.operation, may_come_until(head.operation)
    if milliseconds_now() < until:
        raise Stop(
            f"{operation.type} {operation.request_id} is not answered, and a late delivery of it"
            f" may act until {utc(until / 1000)}: if its event is left, answer it first, with"
            " cfn-once respond; if not, forget it after that time. Nothing was written",
            Exit.UNKNOWN,
        )
