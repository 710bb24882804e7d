"""
An API that acts, counts, and fails as it is told: a `Host` with plans for the next requests.

    with PlannedHost() as api:
        api.then(lost())               # it acts, and its answer is lost
        api.then(answer(429))          # then it is busy once; afterwards all goes well
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from support.host import RESET, Host, Received, Reply, Status


@dataclass(frozen=True)
class Plan:
    """What becomes of one request."""

    reply: Reply
    acts: bool = True


def answer(status=200, body=None, *, acts=None, content_type="application/json", **headers):
    """Answer; what is no success has not acted, unless the test says so."""
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = Status(status, headers={"content-type": content_type, **named}, body=data)
    return Plan(reply, status < 300 if acts is None else acts)


def lost():
    """Act, and close the connection in place of an answer."""
    return Plan(RESET)


def refused():
    """Close the connection before anything is done."""
    return Plan(RESET, acts=False)


class PlannedHost(Host):
    """The server.

    Args:
        usual: What becomes of a request that no test planned for.
        honours: It answers a repeated `Idempotency-Key` as before, and does nothing.

    Attributes:
        acted: The requests that had an effect.
    """

    def __init__(
        self, usual: Callable[[Received], Plan] | None = None, *, honours: bool = False
    ) -> None:
        super().__init__(self._take)
        self.acted: list[Received] = []
        self._plans: list[Plan] = []
        self._honours, self._made = honours, dict[str | None, Plan]()
        self._usual = usual or (lambda _: answer(body={"id": f"thing-{len(self.acted)}"}))

    def then(self, *plans: Plan) -> None:
        """Do this with the next requests, one after the other; afterwards the usual."""
        self._plans += plans

    def methods(self) -> list[str]:
        return [request.method for request in self.received]

    def _take(self, request: Received) -> Reply:
        plan = self._plans.pop(0) if self._plans else None
        if plan is None or plan.acts:
            key = request.headers.get("idempotency-key")
            if not (self._honours and key in self._made):
                self.acted.append(request)
                self._made[key] = self._usual(request)
            plan = plan or self._made[key]
        return plan.reply
