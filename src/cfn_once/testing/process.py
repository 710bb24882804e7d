"""
One process of a function: all its ways to the world, each past an interceptor.

    provider ──► read, write, call, tell ──► before ──► the action ──► after ──► provider
                                                └── it dies: nothing gets through any more
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from .._clock import Deadline
from .._cloudformation.delivery import Delivery
from .._cloudformation.request import Request
from .._lambda.continuation import Continuation
from ..ledger import Head, Page, Store, Write, Written

T = TypeVar("T")

# What the actions are called that are no calls of the external API.
READ, WRITE, RESPOND = "reads the ledger", "writes to the ledger", "tells CloudFormation"


class Crashed(BaseException):
    """The function's process died here: nothing after it ran."""

    passes_hooks = True


class Point(NamedTuple):
    """A moment before or after an action of a process."""

    name: str
    after: bool

    def __str__(self) -> str:
        does = f"calls {self.name}" if self.is_call else self.name
        return f"{'after' if self.after else 'before'} it {does}"

    @property
    def is_call(self) -> bool:
        """Tell whether the action is a call of the external API."""
        return self.name not in (READ, WRITE, RESPOND)


class Interceptor(Protocol):
    """An observer at each point of a process."""

    def at(self, point: Point) -> None:
        """See a point pass; the process raises what is raised here, and dies of `Crashed`."""

    def end(self, error: BaseException | None) -> None:
        """See the invocation end; what is raised here is raised in the place of `error`."""


class Process:
    """The store, the calls and the delivery of one invocation."""

    def __init__(self, store: Store, delivery: Delivery, interceptor: Interceptor) -> None:
        self._store, self._delivery, self._interceptor = store, delivery, interceptor
        self._is_dead = False
        self.keeps_secrets = store.keeps_secrets

    def call(self, name: str, fn: Callable[[], T]) -> T:
        return self._act(name, fn)

    def check(self, request: Request) -> str:
        return self._delivery.check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        self._act(RESPOND, lambda: self._delivery.put(request, body, deadline))

    def read(self, key: str) -> Head | None:
        return self._act(READ, lambda: self._store.read(key))

    def write(self, key: str, write: Write) -> Written:
        return self._act(WRITE, lambda: self._store.write(key, write))

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        self._act(WRITE, lambda: self._store.spill(key, name, data, expires))

    def unspill(self, key: str, name: str) -> str | None:
        return self._act(READ, lambda: self._store.unspill(key, name))

    def page(self, after: str = "", *, prefix: str = "", most: int | None = None) -> Page:
        return self._store.page(after, prefix=prefix, most=most)  # for operators: no delivery asks

    def _act(self, name: str, action: Callable[[], T]) -> T:
        self._pass(Point(name, after=False))
        result = action()
        self._pass(Point(name, after=True))
        return result

    def _pass(self, point: Point) -> None:
        self._refuse_the_dead()
        try:
            self._interceptor.at(point)
        except Crashed:
            self._is_dead = True
            raise
        self._refuse_the_dead()  # its watchdog may have ended it while others had their turn

    def _refuse_the_dead(self) -> None:
        if self._is_dead:
            raise Crashed("it died before")


class VirtualContinuation:
    """Brings events back in virtual time, where a provider's own would ask AWS to.

    Args:
        real: The provider's own: how long it may wait stays the same.
        waiting: Is given what is to come back, by the moment when it is due.
    """

    def __init__(self, real: Continuation, waiting: dict[float, Mapping[str, Any]]) -> None:
        self.shortest, self.longest = real.shortest, real.longest
        self._waiting = waiting

    def send(self, event: Mapping[str, Any], due: float, *, now: float, function: str) -> None:
        del function  # there is one
        self._waiting[min(due, now + self.longest)] = event
