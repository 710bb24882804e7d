"""The ways of one delivery to the world: to the ledger, to the far side, to CloudFormation."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from .._clock import Deadline
from .._cloudformation.delivery import HttpsDelivery
from .._cloudformation.request import Request
from ..ledger import Head, Store, Write, Written

T = TypeVar("T")

# What the actions are called that are no calls of the far side.
READ, WRITE, TELL = "reads the ledger", "writes to the ledger", "tells CloudFormation"


class Crashed(BaseException):
    """The function's process died here: nothing after it ran."""


class Faults(NamedTuple):
    """What befalls one delivery; `FakeCloudFormation.send` says what each means."""

    crash_before: str | None = None
    crash_after: str | None = None
    crash_at: int | None = None
    meanwhile: Mapping[str, Callable[[], object]] = {}


class Ports:
    """The store, the calls and the delivery of one process; all closed once it has died.

    Args:
        store: The ledger's.
        receive: Takes an answer for CloudFormation.
        faults: What befalls this process.

    Attributes:
        made: The names of the calls that it made, in order.
    """

    def __init__(
        self, store: Store, receive: Callable[[Request, bytes], None], faults: Faults
    ) -> None:
        self._store, self._receive, self._faults = store, receive, faults
        self._points, self._dead = 0, False
        self.made: list[str] = []
        self.keeps_secrets = store.keeps_secrets

    def judge(self) -> None:
        """Refuse faults that could not befall, as the call that they speak of was not made.

        Raises:
            AssertionError: Says which, and which calls there were.
        """
        before, after, _, meanwhile = self._faults
        named = {name for name in (before, after, *meanwhile) if name is not None}
        if missing := named - set(self.made):
            raise AssertionError(
                f"there was no call of {', '.join(sorted(missing))}; there were:"
                f" {', '.join(self.made) or 'none'}"
            )

    def call(self, name: str, fn: Callable[[], T]) -> T:
        def act() -> T:
            self.made.append(name)
            self._die_if(name == self._faults.crash_before, name)
            self._faults.meanwhile.get(name, _nothing)()
            return fn()

        result = self._act(name, act)
        self._die_if(name == self._faults.crash_after, name)
        return result

    def check(self, request: Request) -> None:
        HttpsDelivery().check(request)

    def put(self, request: Request, body: bytes, deadline: Deadline) -> None:
        del deadline
        self._act(TELL, lambda: self._receive(request, body))

    def read(self, key: str) -> Head | None:
        return self._act(READ, lambda: self._store.read(key))

    def write(self, key: str, write: Write) -> Written:
        return self._act(WRITE, lambda: self._store.write(key, write))

    def spill(self, key: str, name: str, data: str, expires: int) -> None:
        self._act(WRITE, lambda: self._store.spill(key, name, data, expires))

    def unspill(self, key: str, name: str) -> str | None:
        return self._act(READ, lambda: self._store.unspill(key, name))

    def _act(self, name: str, action: Callable[[], T]) -> T:
        self._die_if(self._dead, "it died before")
        self._pass_a_point(name)
        result = action()
        self._pass_a_point(name, after=True)
        return result

    def _pass_a_point(self, name: str, *, after: bool = False) -> None:
        """Count a point, before or after an action; `assert_safe` lets more happen here."""
        del name, after
        self._points += 1
        at = self._faults.crash_at
        self._die_if(self._points - 1 == at, f"at point {at}")

    def _die_if(self, dies: bool, where: str) -> None:  # noqa: FBT001 - reads as a sentence
        if dies:
            self._dead = True
            raise Crashed(where)


def _nothing() -> None:
    """Do nothing: a test says nothing of what happens meanwhile."""
