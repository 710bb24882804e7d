"""One run of a hook: its instance, and what it returns."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .._callables import discard, spelled, unfinished, unfinished_parts
from .._cloudformation.canonical import Json
from .._cloudformation.response import Success
from .._errors import ConfigurationError, PermanentError, WaitTimeout
from .hook_input import HookInput
from .resource import CustomResource, is_kept

T = TypeVar("T")


def instance_of(
    served: type[CustomResource[Any, Any]], given: HookInput[Any]
) -> CustomResource[Any, Any]:
    """Return an instance of a class, for one run of a hook.

    Raises:
        ConfigurationError: Its own `__init__` has left out the one that it overrides.
    """
    resource = served(given)
    if "_given" not in vars(resource):
        raise ConfigurationError(
            f"{served.__name__}.__init__ does not call super().__init__(given), which it must"
        )
    return resource


def run(resource: CustomResource[Any, Any], hook: Callable[[], T]) -> T:
    """Run a hook, and its cleanup after a wait that timed out.

    Raises:
        PermanentError: It returned what stands for its work, and nobody does that.
    """
    try:
        return _done(hook, hook())
    except WaitTimeout:
        _do(resource.on_timeout)
        raise


def remove(resource: CustomResource[Any, Any]) -> None:
    """Run the delete hook.

    Raises:
        PermanentError: As for `run`, also where it returned a list of such.
    """
    run(resource, lambda: _do(resource.delete))


def needs_replacement(resource: CustomResource[Any, Any]) -> bool:
    """Ask whether an Update needs a new resource.

    Raises:
        PermanentError: The answer is neither True nor False: a coroutine or a filter would be
            true, whatever it stands for, and the old resource would be deleted.
    """
    returned: Any = resource.replaces()
    if isinstance(returned, bool):
        return returned
    discard(returned)
    raise PermanentError(
        f"{type(resource).__name__}.replaces returned {spelled(returned)}, and not True or False:"
        ' write it with `def`, as in `return "Name" in self.changed` or `return bool(...)`'
    )


def _do(hook: Callable[[], Any]) -> None:
    """Run a hook of which nothing is wanted but its work."""
    returned = hook()
    parts = list(unfinished_parts(returned))
    for part in parts[1:]:
        discard(part)
    _done(hook, parts[0] if parts else returned)


def success_of(
    resource: CustomResource[Any, Any], attributes: Mapping[str, Json], mask: Callable[[str], str]
) -> Success:
    """Return the answer to a hook that has ended well."""
    return Success(
        physical_resource_id=resource.physical_resource_id,
        attributes=attributes,
        no_echo=resource.no_echo,
        reason=mask(str(resource.reason or "")),
        is_kept=is_kept(resource),
    )


def _done(hook: Callable[[], Any], returned: T) -> T:
    kind = unfinished(returned)
    if isinstance(returned, Iterator) or callable(returned):
        kind = kind or spelled(returned)
    if kind:
        discard(returned)
        raise PermanentError(
            f"{getattr(hook, '__qualname__', hook)} returned {kind}, and nothing runs it: what it"
            " stands for was not done. Write the hook with `def`, and call in it what it should do"
        )
    return returned
