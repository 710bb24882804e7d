"""Finds a ledger, and a resource in it, by whatever its operator knows."""

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .._cloudformation.identity import base32, resource_digest
from .._errors import ConfigurationError, LedgerUnavailable
from ..ledger import Head, Listed, Store, open_store
from ..ledger.document import CorruptHead
from ..ledger.table_errors import NoClient
from .console import Console, Exit, Stop, several

MOST_TOLD = 5  # items that cannot be read
CORRELATION_ID = re.compile("[a-z2-7]{26}")


class Found(NamedTuple):
    """A resource in the ledger.

    Attributes:
        key: Of its item.
        stack: Its stack, as the operator names it.
    """

    key: str
    head: Head
    stack: str

    @property
    def logical_resource_id(self) -> str:
        """The resource's name in its template."""
        return self.head.logical_resource_id


def add_ledger_url(parser: argparse.ArgumentParser) -> None:
    """Let a call name the ledger."""
    parser.add_argument(
        "--ledger", metavar="URL", help="the ledger's URL; else CFN_ONCE_LEDGER in the environment"
    )


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Let a call name the ledger, and how a stack is found."""
    add_ledger_url(parser)
    parser.add_argument(
        "--scan",
        action="store_true",
        help="look for the stack in all of the ledger, and do not ask CloudFormation",
    )


def add_resource(parser: argparse.ArgumentParser) -> None:
    """Let a call name a resource."""
    add_ledger(parser)
    parser.add_argument("stack", metavar="STACK", help="the stack's name, or its ARN")
    parser.add_argument("logical_id", metavar="LOGICAL-ID", help="its name in the template")


def ledger_of(given: argparse.Namespace) -> Store:
    """Open the ledger; where there is none, none is made.

    Raises:
        Stop: It is not named, or named wrongly.
    """
    url = given.ledger or os.environ.get("CFN_ONCE_LEDGER")
    if not url:
        raise Stop(
            "no ledger is named: give --ledger URL, or set CFN_ONCE_LEDGER, to what the function"
            " has in its environment",
            Exit.WRONG_CALL,
        )
    with reading():
        return open_store(url, in_lambda=False, allow_local=True, makes=False)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """End the verb where the ledger cannot be read."""
    try:
        yield
    except NoClient as error:
        raise Stop(str(error)) from None
    except ConfigurationError as error:
        raise Stop(str(error), Exit.WRONG_CALL) from None
    except LedgerUnavailable as error:
        raise Stop(str(error)) from None
    except CorruptHead as error:
        raise Stop(f"the ledger's item cannot be read: {error}. Nothing was written") from None


def every(store: Store) -> Iterator[Listed]:
    """Yield every item of a ledger.

    One is asked for by its key first: a table that has other keys refuses that, and no scan.
    """
    store.read("r")
    page = store.page()
    yield from page.listed
    while page.following:
        page = store.page(page.following)
        yield from page.listed


def is_in_table(given: argparse.Namespace) -> bool:
    """Tell whether reading all of the ledger has its price, so that it has to be asked for."""
    url = given.ledger or os.environ.get("CFN_ONCE_LEDGER", "")
    return url.lower().startswith("dynamodb:") and not given.scan


def is_of_stack(stack_id: str, stack: str) -> bool:
    """Tell whether the ARN of a stack is what is meant by its name or ARN."""
    return stack in (stack_id, *stack_id.split("/")[1:2])


def may_be_of(item: Listed, stack: str, logical_resource_id: str = "") -> bool:
    """Tell whether an item that cannot be read may be of a stack, or of a resource in it."""
    if item.stack_id and not is_of_stack(item.stack_id, stack):
        return False
    return logical_resource_id in ("", item.logical_resource_id) or not item.logical_resource_id


def key_of(stack_id: str, logical_resource_id: str) -> str:
    """Return the key of a resource's item."""
    return "r" + base32(resource_digest(stack_id, logical_resource_id), 26)


def find(store: Store, given: argparse.Namespace, console: Console) -> Found:
    """Find a resource by its stack and logical id, by its correlation id or a physical id.

    Raises:
        Stop: It is not there, or there are several.
    """
    with reading():
        if given.logical_id is not None:
            return _by_stack(store, given)
        if CORRELATION_ID.fullmatch(given.stack):
            key = f"r{given.stack}"
            head = store.read(key)
            if head is None:
                raise Stop(f"the ledger has no item {key}: is its namespace in the URL?")
            return Found(key, head, head.stack_id)
        console.say("all of the ledger is read, to find a physical id")
        items = list(every(store))
        matching = [
            Found(item.key, item.head, item.head.stack_id)
            for item in items
            if item.head is not None and given.stack in ids_of(item.head)
        ]
        unread = [item for item in items if item.head is None]
        return _the_one(matching, f"an object {given.stack}", unread)


def _by_stack(store: Store, given: argparse.Namespace) -> Found:
    stack, logical_id = given.stack, given.logical_id
    if stack.startswith("arn:") or is_in_table(given):
        key = key_of(_stack_id(stack), logical_id)
        head = store.read(key)
        if head is None:
            raise Stop(
                f"the ledger has nothing of {logical_id} in {stack}: no delivery of a request has"
                " come to it. Is the URL the function's, with its namespace?"
            )
        return Found(key, head, stack)
    items = list(every(store))
    matching = [
        Found(item.key, item.head, stack)
        for item in items
        if item.head is not None
        and is_of_stack(item.head.stack_id, stack)
        and item.head.logical_resource_id == logical_id
    ]
    unread = [item for item in items if item.head is None and may_be_of(item, stack, logical_id)]
    return _the_one(matching, f"{logical_id} in a stack {stack}", unread)


def _stack_id(stack: str) -> str:
    if stack.startswith("arn:"):
        return stack
    from .stacks import StackReader  # loads boto3, which a local ledger does not need

    return StackReader().id_of(stack)


def _the_one(matching: list[Found], what: str, unread: list[Listed]) -> Found:
    """Return the one that matches; where none does, tell what may be it and cannot be read."""
    if not matching and unread:
        items = "; ".join(f"{item.key}: {item.problem}" for item in unread[:MOST_TOLD])
        raise Stop(
            f"the ledger has nothing of {what} that can be read, and {several(len(unread), 'item')}"
            f" that cannot be: {items}. Nothing was written"
        )
    if not matching:
        raise Stop(f"the ledger has nothing of {what}")
    if len(matching) > 1:
        places = ", ".join(
            f"{found.head.stack_id} {found.logical_resource_id}" for found in matching
        )
        raise Stop(f"the ledger has {what} more than once: {places}. Give the ARN", Exit.WRONG_CALL)
    return matching[0]


def ids_of(head: Head) -> set[str | None]:
    """Return every physical id that the ledger knows of a resource."""
    objects = [old.id for old in (*head.replaced, *head.forgotten)]
    operations = [left.assigned_id for left in (head.operation, *head.pending_cleanup)]
    return {head.held_id, *objects, *operations, *head.removed}
