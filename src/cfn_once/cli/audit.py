"""`cfn-once audit`: the ledger beside CloudFormation's stacks, and who has to act on what."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from .._clock import SYSTEM_CLOCK
from ..ledger import Head, Listed, Store
from .console import Console, Exit, Stop, several
from .findings import AuditFinding, Class, KnownStack, findings_of, is_of_interest, untold
from .lookup import add_ledger_url, ledger_of, reading
from .resource_report import UPDATE
from .stacks import StackReader

DESCRIPTION = (
    "Compare all of the ledger with the stacks that CloudFormation has: objects that no stack\n"
    "holds, ids that differ, what was not removed, what is in doubt, who waits for a response.\n"
    "Nothing is written, and only CloudFormation and the ledger are read."
)
EXAMPLE = "cfn-once audit --stack-prefix shop-"
PROGRESS_EVERY = 5.0  # seconds between two words of progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_ledger_url(parser)
    parser.add_argument(
        "--stack-prefix", default="", metavar="P", help="only stacks whose names begin so"
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Compare, and tell."""
    now = int(SYSTEM_CLOCK.now() * 1000)
    progress = ProgressLine(console)
    with reading():
        items, pages = _items(ledger_of(given), given.stack_prefix, progress)
    if not items:
        named = f" of stacks named {given.stack_prefix}..." if given.stack_prefix else ""
        raise Stop(f"the ledger has no item{named}: is its namespace in the URL?")
    world = World(StackReader(), progress)
    heads = [item.head for item in items if item.head is not None]
    of_interest = [head for head in heads if is_of_interest(head, now)]
    found = [
        *(_unreadable(item) for item in items if item.head is None),
        *(
            finding
            for stack_id, group in _by_stack(of_interest)
            for finding in _of_stack(world, stack_id, group, now)
        ),
    ]
    world.check_any(of_interest)
    return _report(found, len(items), pages, world, console)


class ProgressLine:
    """Says how far it is, where it takes long."""

    def __init__(self, console: Console) -> None:
        self._console, self._said_at = console, SYSTEM_CLOCK.now()

    def say(self, text: str) -> None:
        """Say it, unless something was said just now."""
        if SYSTEM_CLOCK.now() - self._said_at >= PROGRESS_EVERY:
            self._said_at = SYSTEM_CLOCK.now()
            self._console.say(text)


class World:
    """CloudFormation's stacks, each asked for once.

    Attributes:
        stacks: How many were looked for.
        known: How many of them CloudFormation knows.
    """

    def __init__(self, stacks: StackReader, progress: ProgressLine) -> None:
        self._stacks, self._progress = stacks, progress
        self._living = stacks.living()
        self._accounts = {stack_id.split(":")[4] for stack_id in self._living}
        self.stacks = self.known = 0

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self._stacks.requests

    def stack(self, stack_id: str) -> KnownStack:
        """Return a stack by its ARN."""
        self.stacks += 1
        self._progress.say(f"{self.stacks:,} stacks looked at, {self.requests:,} requests")
        status = self._living.get(stack_id) or self._status(stack_id)
        if not status:
            return KnownStack("", {})
        self.known += 1
        resources = self._stacks.resources_of(stack_id)
        return KnownStack(
            status, {resource.logical_resource_id: resource for resource in resources}
        )

    def with_events(self, stack_id: str, stack: KnownStack, wanted: Sequence[str]) -> KnownStack:
        """Return a stack with what its events say of objects that it holds no more."""
        return stack._replace(retained=self._stacks.retained_by(stack_id, wanted))

    def _status(self, stack_id: str) -> str:
        """Return the status of a stack that does not live; of another place's, nothing."""
        account, region = _place_of(stack_id)
        is_here = region == self._stacks.region and account in (self._accounts or {account})
        return self._stacks.status_of(stack_id) if is_here else ""

    def check_any(self, heads: Sequence[Head]) -> None:
        """Refuse to judge where CloudFormation knows no stack, and none of the same place lives.

        Raises:
            Stop: It is so.
        """
        places = {_place_of(head.stack_id) for head in heads}
        here = {(account, self._stacks.region) for account in self._accounts}
        if self.known or not heads or places & here:
            return
        spelt = ", ".join(sorted(f"{account} in {region}" for account, region in places))
        raise Stop(
            f"CloudFormation in {self._stacks.region} knows none of the ledger's"
            f" {several(self.stacks, 'stack')}, of {spelt}: are these credentials of another"
            " account, or is it another Region?"
        )


def _place_of(stack_id: str) -> tuple[str, str]:
    """Return the account and the Region of a stack."""
    *_, region, account = stack_id.split(":")[:5]
    return account, region


def _items(store: Store, prefix: str, progress: ProgressLine) -> tuple[list[Listed], int]:
    """Return the items of the stacks that are asked for, and how many pages were read."""
    items: list[Listed] = []
    after, pages = "", 0
    while True:
        page = store.page(after)
        pages += 1
        items += [item for item in page.listed if item.head is None or _is_named(item.head, prefix)]
        progress.say(f"{len(items):,} items of the ledger read")
        after = page.following
        if not after:
            return items, pages


def _is_named(head: Head, prefix: str) -> bool:
    return _name_of(head.stack_id).startswith(prefix)


def _name_of(stack_id: str) -> str:
    return stack_id.rpartition(":")[2].removeprefix("stack/").partition("/")[0]


def _by_stack(heads: Sequence[Head]) -> Iterator[tuple[str, list[Head]]]:
    groups: dict[str, list[Head]] = {}
    for head in heads:
        groups.setdefault(head.stack_id, []).append(head)
    yield from sorted(groups.items(), key=lambda group: (_name_of(group[0]), group[0]))


def _of_stack(
    world: World, stack_id: str, heads: Sequence[Head], now: int
) -> Iterator[AuditFinding]:
    stack = world.stack(stack_id)
    wanted = [let_go for head in heads for let_go in untold(head, stack, now)]
    if wanted:
        stack = world.with_events(stack_id, stack, wanted)
    for head in sorted(heads, key=lambda head: head.logical_resource_id):
        yield from findings_of(head, stack, now)


def _unreadable(item: Listed) -> AuditFinding:
    words = f"the item {item.key} cannot be read: {item.problem}"
    return AuditFinding(Class.UNREADABLE, "", item.key, "", words, UPDATE)


def _report(
    found: Sequence[AuditFinding], items: int, pages: int, world: World, console: Console
) -> int:
    needy = sum(bool(finding.next) for finding in found)
    console.outcome = Exit.FOUND if needy else Exit.CLEAN
    for finding in found:
        about = [finding.kind, _name_of(finding.stack_id), finding.logical_resource_id]
        kind = f" ({finding.resource_type})" if finding.resource_type else ""
        console.row(f"{' '.join(filter(None, about))}{kind}: {finding.words}")
        if finding.next:
            console.row(f"  next: {finding.next}")
    counts = Counter(finding.kind for finding in found)
    kinds = "".join(f", {counts[kind]} {kind}" for kind in Class if counts[kind])
    compared = f"{several(items, 'item')}, {several(world.stacks, 'stack')}"
    console.line(f"{compared}{kinds}; {needy} in need of somebody")
    read, asked = several(pages, "page"), several(world.requests, "request")
    console.say(f"{read} of the ledger, {asked} of CloudFormation")
    console.result(_document(found, items, pages, world))
    return console.outcome


def _document(
    found: Sequence[AuditFinding], items: int, pages: int, world: World
) -> dict[str, Any]:
    return {
        "items": items,
        "stacks": world.stacks,
        "ledger_pages": pages,
        "cloudformation_requests": world.requests,
        "findings": [{**finding._asdict(), "kind": str(finding.kind)} for finding in found],
    }
