"""How an execution reaches the world."""

from typing import NamedTuple

from .._clock import Deadline
from .._cloudformation.canonical import Json
from .._cloudformation.envelopes import DUE
from .._lambda.continuation import Continuation
from .._observability.mask import Mask
from .call import Calls


class Resumption(NamedTuple):
    """How an event can be delivered again later.

    Attributes:
        continuation: Brings it back; None where nothing does.
        event: What CloudFormation sent.
        function: The ARN of the function at work.
    """

    continuation: Continuation | None = None
    event: Json = None
    function: str = ""

    def send(self, continuation: Continuation, until: float, *, now: float) -> None:
        """Have the event come back, at `until` or soon after it."""
        event = {**self.event, DUE: until}
        continuation.send(event, until, now=now, function=self.function)


class Ports(NamedTuple):
    """What an execution has of the world.

    Attributes:
        calls: The way of every call.
        deadline: How long there is; and the clock.
        mask: Hides what is secret, for this delivery.
        visible_after: Seconds after which a look-up that finds nothing is believed.
        resumption: How the event can be delivered again, for waits that outlast the invocation.
    """

    calls: Calls
    deadline: Deadline
    mask: Mask
    visible_after: float
    resumption: Resumption = Resumption()
