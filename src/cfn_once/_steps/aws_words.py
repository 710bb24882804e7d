"""What a hook says of a service's operations: the words of a step, by their names."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from botocore.model import ServiceModel

from .._errors import ConfigurationError
from .call import Step, seconds_of

Find = Callable[[Step], Any | None]


class DeclaredOperations(NamedTuple):
    """What a hook says of operations, by their names.

    Attributes:
        repeat: They are idempotent as they are called.
        once: They must never run twice.
        find: What looks a call in doubt up.
        window: How long the service remembers a token.
    """

    repeat: Collection[str] = ()
    once: Collection[str] = ()
    find: Mapping[str, Find] | None = None
    window: Mapping[str, timedelta] | None = None

    def checked(self, model: ServiceModel) -> "Words":
        """Return it as it is read, of a service that has these operations.

        Raises:
            ConfigurationError: It names what the service does not have, or is no names.
        """
        self._refuse_no_names()
        find, window = self.find or {}, self.window or {}
        named = {*self.repeat, *self.once, *find, *window}
        if named and (unknown := sorted(named - set(model.operation_names))):
            raise ConfigurationError(
                f"{model.service_name} has no operation {', '.join(unknown)}: repeat=, once=, find="
                " and window= name operations as the service does, PutParameter for put_parameter"
            )
        seconds = {name: seconds_of("window", given) for name, given in window.items()}
        return Words(frozenset(self.repeat), frozenset(self.once), find, seconds)

    def _refuse_no_names(self) -> None:
        for name, names in (("repeat", self.repeat), ("once", self.once)):
            if not isinstance(names, Collection) or isinstance(names, str):
                raise ConfigurationError(
                    f'self.client takes {name}= as names of operations: {name}={{"PutParameter"}}'
                )
        for name, by_name in (("find", self.find), ("window", self.window)):
            if not isinstance(by_name or {}, Mapping):
                raise ConfigurationError(
                    f'self.client takes {name}= by operation: {name}={{"PutParameter": ...}}'
                )


class Words(NamedTuple):
    """The same, checked; windows in seconds."""

    repeat: frozenset[str]
    once: frozenset[str]
    find: Mapping[str, Find]
    window: Mapping[str, float | None]
