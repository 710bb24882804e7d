"""A duplicate that waits for the delivery at work: how often it reads, and when it goes on."""

from types import SimpleNamespace

from cfn_once._clock import Deadline
from cfn_once._cloudformation.request import Request
from cfn_once.ledger import Lease, Ledger, MemoryStore
from cfn_once.testing import VirtualClock, create_event

LEASE = 300.0  # seconds: the rest of an invocation, what Lambda takes to end it, and clocks' slack
MOST_READS = 27  # in these five minutes; each is a read unit


class Read(MemoryStore):
    """A ledger that counts its reads."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    def read(self, key):
        self.reads += 1
        return super().read(key)


def test_a_twin_that_died():
    """It reads ever less often, and takes over as soon as the twin's lease is over."""
    clock, store = VirtualClock(), Read()
    ledger = Ledger(store)
    request = Request.from_event(create_event(now=clock.now()))
    dying, patient = (
        SimpleNamespace(get_remaining_time_in_millis=lambda left=left: left * 1000)
        for left in (LEASE - 3, 900)
    )
    ledger.claim(request, Deadline(clock, dying))
    began = clock.now()

    claimed = ledger.claim(request, Deadline(clock, patient))

    assert isinstance(claimed, Lease)
    assert LEASE <= clock.now() - began < LEASE + 0.03
    assert store.reads <= MOST_READS
