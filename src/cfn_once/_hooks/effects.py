"""What a hook does to the world: its steps, values and waits, and what it calls through."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from .._errors import ConfigurationError, PermanentError
from .._steps.call import OF_HTTP, Call, Step, declared_repetition, kinds_of_refusals, seconds_of
from .._steps.steps import Steps

if TYPE_CHECKING:
    from datetime import timedelta

    from .._steps.http import Session

C = TypeVar("C")
T = TypeVar("T")


class Effects:
    """The part of a resource through which its hooks reach the world.

    Attributes:
        honours_idempotency_key: APIs that honour `Idempotency-Key`, by `https://host[:port]`, and
            how long they remember it.
    """

    honours_idempotency_key: ClassVar[Mapping[str, "timedelta"]] = {}

    _steps: Steps

    def step(  # nine words, of which a call says one or two: each is a rule of its own
        self,
        name: str,
        fn: Callable[[Step], T],
        *,
        find: Callable[[Step], T | None] | None = None,
        window: "timedelta | None" = None,
        repeat: bool = False,
        once: bool = False,
        refused: tuple[type[Exception], ...] = (),
        undo: Callable[[T], object] | None = None,
        secret: bool = False,
    ) -> T:
        """Run `fn(step)` once, and return its result, now and in every later run of the hook.

        Args:
            fn: Makes the side effect, and returns what JSON can hold: a tuple comes back as a list.
            name: Unique among what happens in this place; without # and /.
            find: Looks up by `step.token` what a call in doubt has made, or returns None.
            window: `fn` passes `step.token` on, and the external API remembers it that long.
            repeat: `fn` is idempotent: repeated as needed, its result not recorded.
            once: Never run it twice; a call in doubt fails.
            refused: Errors of `fn` by which the external API says that it has done nothing.
            undo: What a Delete runs, given the result, for a Create that stopped half way.
            secret: The result is not kept.

        Raises:
            StepFailed: It did not happen.
            InDoubt: It may have taken effect, and cfn-once cannot tell.
        """
        if isinstance(name, str) and name.startswith(OF_HTTP):
            raise PermanentError(f"step {name}: names beginning with {OF_HTTP} are of self.http")
        repetition, seconds = declared_repetition(
            repeat=repeat, once=once, window=seconds_of("window", window)
        )
        returned: T = self._steps.run(
            Call(
                name=name,
                run=fn,
                arguments=getattr(fn, "__qualname__", ""),
                repetition=repetition,
                window=seconds,
                find=None if once else find,
                refused=kinds_of_refusals(refused),
                undo=undo,
                secret=secret,
            )
        )
        return returned

    def value(self, name: str, fn: Callable[[], T]) -> T:
        """Return what `fn()` returns, the same in every later run of the hook: a time, a name.

        It is recorded before the hook goes on, so it is never in doubt. It is in the ledger: no
        secrets.

        Args:
            fn: Computes or reads something, and changes nothing; returns what JSON can hold.
            name: As for a step.

        Raises:
            SecretNotKept: It holds a secret property, or what `self.mask` hides.
        """
        found: T = self._steps.value(name, fn)
        return found

    def mask(self, text: str) -> None:
        """Hide what the hook has read, from now on and for as long as this delivery works.

        It is replaced in log lines, in the Reason, and in what the ledger keeps of errors. The
        result of a step that holds it is not kept, as with `secret=True`.

        Args:
            text: A password, say; four characters at least.
        """
        if not isinstance(text, str):
            raise PermanentError(f"self.mask(...) hides text, not {type(text).__name__}")
        self._steps.mask.hide({text})

    def wait(self, seconds: float) -> None:
        """Let time pass; longer than an invocation where there is a continuation.

        A long wait ends the invocation: the hook runs again later, and comes by its steps.

        Raises:
            PermanentError: CloudFormation does not wait so long, or there is no continuation.
        """
        self._steps.wait(seconds)

    def wait_until(
        self,
        condition: Callable[[], T | Literal[False] | None],
        *,
        every: float = 30,
        timeout: float | None = None,
    ) -> T:
        """Call `condition` until it returns something, and return that; None and False are nothing.

        Args:
            condition: Reads, and returns what JSON can hold.
            every: Seconds between two looks.
            timeout: Seconds in all; unless given, as long as CloudFormation waits.

        Raises:
            WaitTimeout: There was nothing in time; `on_timeout` is called where the hook lets it
                pass.
        """
        found: T = self._steps.wait_until(condition, every, timeout)
        return found

    @cached_property
    def http(self) -> "Session":
        """A `requests.Session` whose writes are steps."""
        from .._steps.http import Session  # loads requests: paid by the hook that calls

        return Session(self._steps, self.honours_idempotency_key)

    def client(
        self,
        service: str,
        *positional: Any,
        repeat: AbstractSet[str] = frozenset(),
        once: AbstractSet[str] = frozenset(),
        find: "Mapping[str, Callable[[Step], Any]] | None" = None,
        window: "Mapping[str, timedelta] | None" = None,
        **options: Any,
    ) -> Any:
        """Return a boto3 client whose changing operations are steps.

        Args:
            service: As for `boto3.client`.
            *positional: As for `boto3.client`: a Region, for example.
            **options: As for `boto3.client`.
            repeat: Operations that are idempotent as you call them.
            once: Operations that must never run twice.
            find: By operation, what looks up a call in doubt, as for a step.
            window: By operation, how long the service remembers its token.

        Raises:
            ConfigurationError: boto3 has no such service, or the service no such operation.
        """
        from .._steps.aws import (  # loads boto3: paid by the hook that calls
            DeclaredOperations,
            client,
        )

        said = DeclaredOperations(repeat, once, find, window)
        return client(self._steps, service, *positional, said=said, **options)

    def wrap(
        self,
        client: C,
        *,
        repeat: AbstractSet[str] = frozenset(),
        once: AbstractSet[str] = frozenset(),
        find: "Mapping[str, Callable[[Step], Any]] | None" = None,
        window: "Mapping[str, timedelta] | None" = None,
    ) -> C:
        """Return a client of your own, such as `boto3.client("s3")`, with steps as in `client`.

        The type stays: with boto3-stubs, a checker knows what the client has. The client itself is
        left as it is, so a module may keep it for all events.

        Args:
            client: A boto3 client.
            repeat: As for `client`.
            once: As for `client`.
            find: As for `client`.
            window: As for `client`.

        Raises:
            ConfigurationError: It is no boto3 client, or has no such operation.
        """
        from .._steps.aws import DeclaredOperations, wrap  # as in `client`

        wrapped: C = wrap(self._steps, client, said=DeclaredOperations(repeat, once, find, window))
        return wrapped

    if not TYPE_CHECKING:  # a checker says by itself that there is none

        def resource(self, *_: Any, **__: Any) -> Any:
            """Refuse what boto3.resource would be."""
            raise ConfigurationError(
                "there is no self.resource: objects of boto3.resource make calls that are not"
                ' steps. Take self.client("s3"), and call its operations'
            )
