"""What is delivered in the month, and when: a function of its figures and seed alone."""

import heapq
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

CREATES = 491_699
MULTIPLES = 112
TRIPLES = 3  # among the multiples; the study saw none delivered four times
DAY = 86_400  # seconds
# The study began no later than its published log lines, of 14 February 2017.
START = 1_485_907_200  # 2017-02-01T00:00:00Z
LIFE = (30, 90)  # seconds until a stack is deleted: the study did it as soon as it was complete

STACKS = "arn:aws:cloudformation:us-east-1:123456789012:stack"
TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:elastigroup"
HOST = "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
Event = dict[str, Any]


class Delivery(NamedTuple):
    """One event on its way to a provider.

    Attributes:
        at: Seconds since 1970, in virtual time.
        stack: The stack's number, from 0.
        copy: 0 for the first delivery of an event, 1 and 2 for those that should not be.
    """

    at: int
    stack: int
    request_type: str
    copy: int

    @property
    def day(self) -> int:
        """The day of the month, from 0."""
        return (self.at - START) // DAY


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A month, or the beginning of one.

    Attributes:
        seed: Picks the creates that are delivered more than once, and how long stacks live.
        days: How much of the month is replayed; all of it where None.
        rate: The share of creates that are delivered more than once.
        delay: Seconds between two deliveries of one event.
        every: Seconds between two creates.
    """

    seed: int = 2017
    days: float | None = None
    rate: float = MULTIPLES / CREATES
    delay: int = 600
    every: int = 5

    def __post_init__(self) -> None:
        longest = CREATES * 5 / DAY
        if self.days is not None and not 0 < self.days <= longest + 1:
            raise ValueError(f"--days: the month has {longest:.2f} days; {self.days:g} is no part")
        if not 0 <= self.rate <= 1:
            raise ValueError(f"--rate is a share from 0 to 1, such as 0.000228; not {self.rate:g}")
        if self.delay < 1:
            raise ValueError(f"--delay is 1 second or more; not {self.delay}")
        if self.every < 1:
            raise ValueError(f"--every is 1 second or more; not {self.every}")

    @property
    def whole(self) -> int:
        """How many creates the whole month has."""
        return CREATES * 5 // self.every

    @property
    def creates(self) -> int:
        """How many creates are asked for."""
        if self.days is None:
            return self.whole
        return max(1, min(self.whole, int(self.days * DAY) // self.every))

    @cached_property
    def copies(self) -> dict[int, int]:
        """How often creates are delivered again, by stack, in the part that is replayed."""
        multiples = round(self.rate * self.whole)
        triples = round(multiples * TRIPLES / MULTIPLES)
        chosen = random.Random(f"multiples {self.seed}").sample(range(self.whole), multiples)
        again = {stack: 2 if n < triples else 1 for n, stack in enumerate(chosen)}
        return {stack: again[stack] for stack in sorted(again) if stack < self.creates}

    @property
    def multiples(self) -> int:
        """How many creates are delivered more than once."""
        return len(self.copies)

    @property
    def triples(self) -> int:
        """How many of them are delivered three times."""
        return sum(1 for copies in self.copies.values() if copies == 2)

    @property
    def size(self) -> int:
        """How many deliveries there are."""
        return 2 * self.creates + sum(self.copies.values())

    @property
    def end(self) -> int:
        """The moment at which groups that are left are counted: nothing is delivered after it."""
        return START + self.creates * self.every + max(LIFE[1], 2 * self.delay)

    def deliveries(self) -> Iterator[Delivery]:
        """Yield every delivery, in the order of virtual time."""
        lives, due = random.Random(f"lives {self.seed}"), list[tuple[int, int, str, int]]()
        shortest, span = LIFE[0], LIFE[1] - LIFE[0] + 1
        copies, draw = self.copies, lives.random
        for stack in range(self.creates):
            at = START + stack * self.every
            while due and due[0][0] <= at:
                yield Delivery(*heapq.heappop(due))
            yield Delivery(at, stack, "Create", 0)
            heapq.heappush(due, (at + shortest + int(draw() * span), stack, "Delete", 0))
            for copy in range(1, copies.get(stack, 0) + 1):
                heapq.heappush(due, (at + copy * self.delay, stack, "Create", copy))
        while due:
            yield Delivery(*heapq.heappop(due))

    def event(self, delivery: Delivery, physical_id: str = "") -> Event:
        """Return the event as CloudFormation sends it; the same for every copy of it."""
        stack, created = delivery.stack, START + delivery.stack * self.every
        create = delivery.request_type == "Create"
        kind, sent = (1, created) if create else (2, delivery.at)
        name = f"mock-elastigroup-{stack:06d}"
        signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(sent))
        event: Event = {
            "RequestType": delivery.request_type,
            "RequestId": f"{stack:08x}-f27a-41e6-8a00-{kind:012x}",
            "StackId": f"{STACKS}/{name}/{stack:08x}-f27a-11e6-9a00-50a68a2012ba",
            "LogicalResourceId": "Elastigroup",
            "ResourceType": "Custom::elastigroup",
            "ServiceToken": TOKEN,
            "ResponseURL": f"https://{HOST}/{name}?X-Amz-Date={signed}&X-Amz-Expires=7200",
            "ResourceProperties": {"ServiceToken": TOKEN, "Name": name, "Target": "1"},
        }
        if not create:
            event["PhysicalResourceId"] = physical_id
        return event

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
