"""
What can go wrong, and who acts on it.

* CfnOnceError               between CloudFormation and the hook
  x InvalidRequest           not a request of ours: answered FAILED where it can be, else raised
  x InvalidProperties        answered FAILED before any hook
  x ConfigurationError       a class, a ledger URL or a setting is wrong: raised where it is defined
  x InProgress               another delivery works on it, too little time: Lambda delivers again
  x LedgerUnavailable        raised, Lambda delivers again; FAILED when over 5 min. old, or full
  x DeliveryError            recorded but not sent: raised, and the next delivery sends it
* HookError                  raised in or by hooks; answered FAILED unless said otherwise
  x PermanentError           answered FAILED at once
  x TemporaryError           the claim is given back; raised, Lambda delivers again
  x StepFailed               a step failed for certain: its effect did not happen
  x InDoubt                  a step may have taken effect, and cfn-once cannot tell
  x NonDeterminism           the hook did not do again what it did before
  x WaitTimeout              what a hook waited for did not come in time
  x SecretNotKept            a replay needs a value that is never stored
* Interrupt (BaseException)  a hook's `except Exception` must not swallow it
  x Superseded               somebody newer holds the resource: stop and stay silent
  x Suspended                goes on in a later invocation
  x ReplayEnd                a recovering replay has reached the end of what is known
"""

from enum import StrEnum


class CfnOnceError(Exception):
    """Something between CloudFormation and the hook went wrong."""


class InvalidRequest(CfnOnceError):
    """The event is not a custom resource request that this provider may answer."""


class InvalidProperties(CfnOnceError):
    """The properties in the template do not fit the declared ones."""


class ConfigurationError(CfnOnceError):
    """The provider itself is set up in a way that cannot work."""


class InProgress(CfnOnceError):
    """Another delivery of the same request is at work and our own time is short."""


class LedgerTrouble(StrEnum):
    """Why the ledger could not be read or written."""

    PASSING = "passing"  # it may be over with the next try
    DENIED = "denied"  # nobody may touch it; a grant may be on its way, or have been lost
    MISSING = "missing"  # there is no ledger here: nothing was ever begun in it
    FULL = "full"  # what is written has no room: it never will


class LedgerUnavailable(CfnOnceError):
    """The ledger could not be read or written.

    Attributes:
        trouble: Why.
    """

    def __init__(self, text: str, *, trouble: LedgerTrouble = LedgerTrouble.PASSING) -> None:
        super().__init__(text)
        self.trouble = trouble


class DeliveryError(CfnOnceError):
    """The response is recorded, and could not be sent to CloudFormation."""


class HookError(Exception):
    """A hook could not do its work."""


class PermanentError(HookError):
    """The work cannot be done, now or later: the request fails at once."""


class TemporaryError(HookError):
    """The work cannot be done now: another delivery of the request may try again."""


class StepFailed(HookError):
    """A step failed for certain: its effect did not happen."""


class InDoubt(HookError):
    """A step may have taken effect, and cfn-once cannot tell whether it did."""


class NonDeterminism(HookError):
    """The hook did not repeat the steps that the ledger holds of it."""


class WaitTimeout(HookError):
    """What a hook waited for did not come in time."""


class SecretNotKept(HookError):
    """A replay needs a value that is never written to the ledger."""


class Interrupt(BaseException):
    """Ends a hook from outside; never to be caught by it."""

    passes_hooks = True


class Superseded(Interrupt):
    """A newer delivery or request holds the resource: this execution stops and stays silent.

    Attributes:
        again: Nobody else is sure to end the request: let Lambda come again.
    """

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(text)
        self.again = again


class Suspended(Interrupt):
    """The work goes on in a later invocation."""


class ReplayEnd(Interrupt):
    """A recovering replay has reached the end of what is known."""


def is_raised_by_hook(error: BaseException) -> bool:
    """Tell whether an error is the hook's own, and so ends its request, not the process.

    That is everything but what says of itself that it `passes_hooks`, and the outcomes of a test:
    `sys.exit`, a cancelled task, a timeout of gevent's. A process that ended would be started
    again, and would see nothing.
    """
    if isinstance(error, Exception):
        return True
    homes = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return not getattr(type(error), "passes_hooks", False) and homes.isdisjoint(_TEST_TOOLS)


def text_of(error: BaseException) -> str:
    """Return the text of an error; where its own `__str__` raises, its kind."""
    try:
        return str(error)
    except Exception as failed:  # noqa: BLE001 - anybody's code
        return f"{type(error).__name__} (its __str__ raised {type(failed).__name__})"


_TEST_TOOLS = frozenset({"_pytest", "hypothesis"})  # a test that fails inside a hook has failed
