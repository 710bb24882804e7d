"""What a provider serves, and what it says of the rest."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .._callables import spelled
from .._cloudformation.request import Request, RequestType
from .._errors import ConfigurationError
from .._properties.suggestions import did_you_mean_type
from .definition import EVERY_TYPE, GENERAL_TYPE, check_definition
from .resource import CustomResource, shapes_of

NEVER_ENDS = (
    "the function runs on Lambda Managed Instances, which end no invocation at its Timeout: what is"
    " taken for dead could still act. Let Lambda run it as by default, or say"
    " Provider(..., ends_process=True): then cfn-once ends the worker process at the Timeout"
)

Resource = CustomResource[Any, Any]


class Served(NamedTuple):
    """What a provider serves.

    Attributes:
        classes: The served classes by type.
        keeps_secrets: The ledger may hold answers marked NoEcho.
        unable: Why no class can serve the request, whatever its type.
    """

    classes: Mapping[str, type[Resource]]
    keeps_secrets: bool = False
    unable: str = ""

    def class_of(self, resource_type: str) -> type[Resource] | None:
        """Return the class that serves a type: its own, else one that serves every type."""
        return self.classes.get(resource_type) or self.classes.get(EVERY_TYPE)

    def secrets_of(self, request: Request) -> set[str]:
        """Return the texts of a request that must be neither printed nor kept."""
        served = self.class_of(request.resource_type)
        if served is None:
            return set()
        shape = shapes_of(served).properties
        return shape.secrets(request.properties) | shape.secrets(request.old_properties)

    def unable_to_serve(self, request: Request) -> str:
        """Return why no class can serve a request; nothing where one can."""
        if self.unable:
            return self.unable
        if self.class_of(request.resource_type) is not None:
            return ""
        serves, kind = ", ".join(sorted(self.classes)), request.resource_type
        if request.type is RequestType.DELETE:
            gone = f"{kind} is served no more: deploy the version of the provider that made it;"
            return f"{gone} this one serves {serves}"
        hint = did_you_mean_type(kind, self.classes)
        return f"this provider serves {serves}, not {kind}{hint}"


def by_type(classes: Sequence[Any]) -> dict[str, type[Resource]]:
    """Return the classes that a provider is given, by the type that each serves.

    Raises:
        ConfigurationError: One cannot serve, or two serve one type.
    """
    if not classes:
        raise ConfigurationError(
            "Provider() needs the classes that it serves: Provider(MyResource)"
        )
    served: dict[str, type[Resource]] = {}
    for given in classes:
        resource = _able(given)
        if resource.resource_type in served:
            raise ConfigurationError(
                f"two classes serve {resource.resource_type}: rename one of them"
            )
        served[resource.resource_type] = resource
    if len(classes) == 1:
        served.setdefault(GENERAL_TYPE, classes[0])
    return served


def _able(given: Any) -> type[Resource]:
    """Return a class that can serve, or say what it lacks."""
    if not isinstance(given, type) or not issubclass(given, CustomResource):
        names = ""
        if isinstance(given, list | tuple | set) and all(isinstance(kind, type) for kind in given):
            names = f": Provider({', '.join(kind.__name__ for kind in given)})"
        raise ConfigurationError(
            "Provider takes classes that derive from CustomResource, one after the other, not"
            f" {spelled(given)}{names}"
        )
    name = given.__name__
    if not given.resource_type:
        raise ConfigurationError(
            f"{name} serves no type, because it is a base class that leaves its types open."
            " Derive from it,"
            " and give the Provider that class"
        )
    check_definition(given)  # what was put into it since
    if open_ := sorted(getattr(given, "__abstractmethods__", ())):
        raise ConfigurationError(f"{name} leaves {', '.join(open_)} abstract: write it")
    if not _writes(given, "create"):
        raise ConfigurationError(f"{name} has no create: write `def create(self)`{_near(given)}")
    if not _writes(given, "delete"):
        raise ConfigurationError(
            f"{name} has no delete: write `def delete(self)`, or `delete = None` where there is"
            f" nothing to remove{_near(given)}"
        )
    return given


def _writes(served: type[Resource], hook: str) -> bool:
    """Tell whether a class, or a base of it, writes a hook; a protocol's stub only names it."""
    base = next(base for base in served.__mro__ if hook in vars(base))
    code = getattr(vars(base)[hook], "__code__", None)
    is_stub = code is not None and code.co_code == _stub.__code__.co_code
    return base is not CustomResource and not (is_stub and getattr(base, "_is_protocol", False))


def _stub(_: Any) -> None: ...


def accounts_of(named: Collection[str]) -> frozenset[str]:
    """Return the accounts that are served.

    Raises:
        ConfigurationError: They are no list of accounts' ids.
    """
    if isinstance(named, str) or not all(map(_is_account, named)):
        raise ConfigurationError(
            f'accounts={named!r}: give ids of accounts as texts, such as accounts=["123456789012"]'
        )
    return frozenset(named)


def _is_account(named: object) -> bool:
    return isinstance(named, str) and re.fullmatch("[0-9]{12}", named) is not None


def _near(served: type[Resource]) -> str:
    """Name a method that may have been meant."""
    import difflib  # only where somebody mistyped

    written = [name for name in vars(served) if not name.startswith("__")]
    for hook in ("create", "delete"):
        if hook not in written and (near := difflib.get_close_matches(hook, written, 1, 0.7)):
            return f". Did you mean {near[0]}?"
    return ""
