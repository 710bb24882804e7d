"""What operators' writes share: who, why, the word that confirms, and when nothing is written."""

import argparse
import getpass
import os
import sys

from .._clock import SYSTEM_CLOCK, utc
from ..ledger import Head, Operation, Store, Write, Written
from ..ledger.operator import LONGEST_WHY, Operator, at_work_until
from ..ledger.store import COUNT, Absent, AllOf, Equals, is_as_made
from . import resource_report
from .console import Console, Exit, Stop
from .lookup import Found, reading


def add_operator(parser: argparse.ArgumentParser, *, reason: bool = True) -> None:
    """Let a call say who writes, and why."""
    if reason:
        parser.add_argument(
            "--reason", required=True, metavar="WHY", help="why; kept in the ledger's item"
        )
    parser.add_argument("--by", metavar="NAME", help="who; else the name of this machine's user")
    parser.add_argument("--yes", action="store_true", help="do not ask for the logical id")


def operator_of(given: argparse.Namespace, why: str, told_by: str = "--reason") -> Operator:
    """Return who writes, and why, which `told_by` tells.

    Raises:
        Stop: The reason or the name is empty, or longer than what is kept.
    """
    by = _user() if given.by is None else given.by
    for flag, text in ((told_by, why), ("--by", by)):
        if not text.strip() or len(text.encode()) > LONGEST_WHY:
            raise Stop(f"{flag} takes 1 to {LONGEST_WHY} bytes", Exit.WRONG_CALL)
    return Operator(by=by, why=why, now=milliseconds_now())


def milliseconds_now() -> int:
    """Return milliseconds since 1970."""
    return int(SYSTEM_CLOCK.now() * 1000)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a user without a name
        return f"uid {os.getuid()}"


def confirm(given: argparse.Namespace, logical_resource_id: str, what: str) -> None:
    """Have the logical id typed, unless the call says yes.

    Raises:
        Stop: Something else was typed; nothing is written.
    """
    if not given.yes and not is_typed(logical_resource_id, what):
        raise Stop("that is not its logical id: nothing was written", Exit.WRONG_CALL)


def is_typed(logical_resource_id: str, what: str) -> bool:
    """Ask for the logical id, and tell whether it was typed."""
    sys.stderr.write(f"{what} Type its logical id, {logical_resource_id}, to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == logical_resource_id


def refuse_while_at_work(head: Head, *operations: Operation) -> None:
    """End the verb while an execution may still act.

    Raises:
        Stop: It says until when.
    """
    until = at_work_until(head, milliseconds_now(), *operations)
    if until:
        raise at_work(head, until)


def at_work(head: Head, until: int) -> Stop:
    """Return what to say while an execution may act, in milliseconds since 1970."""
    return Stop(
        f"an execution may be at work on {head.logical_resource_id} until {utc(until / 1000)}:"
        " nothing was written. Look again then"
    )


class Meanwhile(Stop):
    """Somebody has written since the look."""

    def __init__(self, logical_resource_id: str) -> None:
        super().__init__(
            f"something was written of {logical_resource_id} meanwhile: nothing of yours was. Look"
            " again, with cfn-once ledger show"
        )


class AsLookedAt:
    """A ledger whose resource an operator has looked at: his first write is made of that, or not.

    A writer in between has decided on something else than what he has seen. What was
    his own write, whose answer was lost, is distinguished from that.

    Args:
        store: The ledger.
        head: As it was looked at.
        logical_resource_id: The resource's.
    """

    def __init__(self, store: Store, head: Head | None, logical_resource_id: str) -> None:
        self._store, self._logical_id = store, logical_resource_id
        self._revision = _revision(head)
        self._is_written = False
        self.keeps_secrets = store.keeps_secrets
        self.spill, self.unspill, self.page = store.spill, store.unspill, store.page

    def read(self, key: str) -> Head | None:
        """Return the head.

        Raises:
            Meanwhile: It is another one than what was looked at.
        """
        head = self._store.read(key)
        if not self._is_written and _revision(head) != self._revision:
            raise Meanwhile(self._logical_id)
        return head

    def write(self, key: str, write: Write) -> Written:
        """Make a change, the first one only of what was looked at.

        Raises:
            Meanwhile: Somebody has written since.
        """
        if self._is_written:
            return self._store.write(key, write)
        looked = Absent((COUNT,)) if not self._revision else Equals((COUNT,), self._revision)
        guarded = write._replace(guard=AllOf([write.guard, looked]))
        applied, head = self._store.write(key, guarded)
        self._is_written = applied or (head is not None and self._is_own(write, head))
        if not self._is_written and _revision(head) != self._revision:
            raise Meanwhile(self._logical_id)
        return Written(applied=self._is_written, head=head)

    def _is_own(self, write: Write, head: Head) -> bool:
        return head.revision == self._revision + 1 and is_as_made(write.change, head)


def _revision(head: Head | None) -> int:
    return 0 if head is None else head.revision


def write(store: Store, found: Found, made: Write, console: Console) -> Head:
    """Make a write, and say what comes next.

    Raises:
        Meanwhile: Somebody has written since the look.
    """
    looked = AsLookedAt(store, found.head, found.logical_resource_id)
    with reading():
        written = looked.write(found.key, made)
    if written.head is None:
        raise Meanwhile(found.logical_resource_id)
    head, now = written.head, milliseconds_now()
    place = resource_report.place_of(found.stack, head.logical_resource_id)
    report = resource_report.document(head, now, resource_report.finding(head, now, place))
    entry = report["history"][-1]
    console.row(resource_report.entry_line(entry))
    console.row(resource_report.next_line(report["next"], report["open"]))
    console.result(report)
    return head
