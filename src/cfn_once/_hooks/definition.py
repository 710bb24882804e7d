"""What a class says of itself, and what is refused when it is defined.

Each would else show at the first event, or never: a hook that nobody awaits answers SUCCESS.
"""

import inspect
import re
import sys
from collections.abc import Collection, Mapping
from types import NoneType, SimpleNamespace
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from .._callables import deferring, misfit
from .._errors import ConfigurationError
from .._properties import Shape
from .._properties.fields import is_map, is_record, plain

# "AWS::CloudFormation::CustomResource": 60 characters after `Custom::`, of these.
TYPE_NAME = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}")
EVERY_TYPE = "*"  # a class that serves what no other class does
GENERAL_TYPE = "AWS::CloudFormation::CustomResource"  # the type of a resource that names none
HOOKS = ("create", "update", "delete", "replaces", "on_timeout")
FLAGS = ("update_may_replace", "always_delete", "allow_unknown", "no_echo")
OPTIONS = ("resource_type", "replace_on", *FLAGS, "unresolved", "honours_idempotency_key")


class Declared(NamedTuple):
    """The two types that a class was derived with; type variables where it leaves them open."""

    properties: Any
    attributes: Any

    @property
    def open(self) -> bool:
        """Tell whether who derives from the class has to name a type."""
        return any(_variables(declared) for declared in self)


def declared_types(cls: type, root: type) -> Declared:
    """Return the types that a class, or the nearest of its bases, was derived with.

    Args:
        cls: The class.
        root: The class that all resources derive from.

    Raises:
        ConfigurationError: It names none, names what is not there, or what nothing can be read as.
    """
    found = _types(cls, root, {})
    declared = Declared(*(dict if kind in (None, NoneType) else kind for kind in found))
    if not declared.open:
        for what, kind in zip(("properties", "attributes"), declared, strict=True):
            _check_kind(cls, what, kind)
    elif not getattr(cls, "__parameters__", ()):
        base = next(base for base in cls.__mro__[1:] if getattr(base, "__parameters__", ()))
        names = ", ".join(
            str(variable).lstrip("~") for variable in getattr(base, "__parameters__", ())
        )
        raise ConfigurationError(
            f"{cls.__name__} leaves the types of {base.__name__} open: derive it from"
            f" {base.__name__}[...], with a type for {names}"
        )
    return declared


def _types(cls: type, root: type, given: Mapping[Any, Any]) -> tuple[Any, Any]:
    bases = cls.__dict__.get("__orig_bases__") or cls.__bases__
    base = next(base for base in bases if issubclass(get_origin(base) or base, root))
    origin: type = get_origin(base) or base
    arguments = [_filled(_resolved(argument, cls), given) for argument in get_args(base)]
    if origin is not root:
        variables = getattr(origin, "__parameters__", ())
        named = dict(zip(variables, arguments, strict=False))
        return _types(origin, root, {v: named.get(v, _default_of(v)) for v in variables})
    if len(arguments) != 2:
        raise ConfigurationError(
            f"{cls.__name__} must name two types: CustomResource[Properties, Attributes]"
        )
    return arguments[0], arguments[1]


def _variables(declared: Any) -> tuple[Any, ...]:
    if isinstance(declared, TypeVar):
        return (declared,)
    return () if isinstance(declared, type) else getattr(declared, "__parameters__", ())


def _default_of(variable: Any) -> Any:
    """Return the default of a type variable, which has one from Python 3.13 on, or itself."""
    has_default = getattr(variable, "has_default", lambda: False)()
    return variable.__default__ if has_default else variable


def _filled(declared: Any, given: Mapping[Any, Any]) -> Any:
    """Put the types that a derived class names into those that its base left open."""
    if isinstance(declared, TypeVar):
        return given.get(declared, declared)
    variables = _variables(declared)
    return declared[tuple(given.get(v, v) for v in variables)] if variables else declared


def _resolved(declared: Any, cls: type) -> Any:
    """Return the type that is meant by its name."""
    name = getattr(declared, "__forward_arg__", None)
    if name is None:
        return declared
    names = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    holder: Any = SimpleNamespace(__annotations__={"it": declared})
    try:
        return get_type_hints(holder, globalns=names)["it"]
    except Exception:  # noqa: BLE001 - evaluates what the author wrote, which may raise anything
        raise ConfigurationError(
            f"{cls.__name__} names {name!r}, which {cls.__module__} does not have where the class"
            " is defined: define it above, at the module's level, and name it without quotes"
        ) from None


def _check_kind(cls: type, what: str, declared: Any) -> None:
    bare = plain(declared)
    origin = get_origin(bare) or bare
    is_plain_map = is_map(origin) and not is_record(origin)
    if is_record(bare) or bare in (Any, object) or is_plain_map:
        return
    named = getattr(bare, "__name__", None) or str(bare)
    raise ConfigurationError(
        f"{cls.__name__} declares its {what} as {named}: declare a dataclass, a msgspec.Struct, a"
        " pydantic model or a TypedDict, or dict where nothing is declared"
    )


def resource_type_of(cls: type, root: type) -> str:
    """Return the type that a class serves: one that it names, or a generic base, or its own name.

    Raises:
        ConfigurationError: CloudFormation refuses it.
    """
    own = f"Custom::{cls.__name__}"
    named = _named_type(cls, root)
    resource_type = own if named is None else named
    if resource_type in (GENERAL_TYPE, EVERY_TYPE) or TYPE_NAME.fullmatch(str(resource_type)):
        return str(resource_type)
    instead = own if TYPE_NAME.fullmatch(own) else "Custom::Thing"
    raise ConfigurationError(
        f"{cls.__name__} serves {resource_type!r}, which CloudFormation refuses: a type is Custom::"
        f' and 1 to 60 of A-Z, a-z, 0-9, _, @ and -. Write resource_type = "{instead}"'
    )


def _named_type(cls: type, root: type) -> Any:
    """Return the type that a class names, or a generic base or a mixin; None where none does.

    A base that serves a type of its own does not hand it down.
    """
    for base in cls.__mro__:
        serves = base is root or (base is not cls and "_properties_shape" in vars(base))
        if not serves and "resource_type" in vars(base):
            return vars(base)["resource_type"]
    return None


def check_definition(cls: Any) -> None:
    """Refuse what could not work: when a class is defined, and when it is handed over.

    Raises:
        ConfigurationError: Says what to write instead.
    """
    if cls.delete is None:  # as its author wrote it
        cls.delete = nothing_to_remove
    check_hooks(cls)
    check_constructor(cls)


def check_hooks(cls: type) -> None:
    """Refuse hooks that would do nothing, or could not be called.

    Raises:
        ConfigurationError: Says what to write instead.
    """
    for name in HOOKS:
        hook, called = inspect.getattr_static(cls, name), getattr(cls, name)
        where = f"{cls.__name__}.{name}"
        if kind := deferring(hook):
            raise ConfigurationError(
                f"{where} is {kind}, and its call does nothing: write `def {name}(self)`. Run async"
                " code inside a step, with asyncio.run(...)"
            )
        if not callable(called):
            raise ConfigurationError(
                f"{where} is not a function: write `def {name}(self)`, or leave it out"
            )
        given = () if isinstance(hook, staticmethod | classmethod) else ("self",)
        if why := misfit(called, *given):
            raise ConfigurationError(
                f"{where} {why}: write `def {name}(self)`. The properties are in self.properties,"
                " and the request is self.request"
            )


def check_constructor(cls: type) -> None:
    """Refuse an `__init__` that cfn-once could not call.

    Raises:
        ConfigurationError: Says what to write instead.
    """
    if why := misfit(inspect.getattr_static(cls, "__init__"), "self", "its input"):
        raise ConfigurationError(
            f"{cls.__name__}.__init__ {why}: write `def __init__(self, given)`, and call"
            " super().__init__(given) in it; or make what the hooks share in a cached_property"
        )


def check_options(cls: Any, properties: Shape) -> None:
    """Refuse options that say nothing, or what nothing knows.

    Raises:
        ConfigurationError: Says what to write instead.
    """
    _refuse_misspelled(cls)
    _check_flags(cls)
    replace_on = cls.replace_on
    if isinstance(replace_on, str) or not isinstance(replace_on, Collection):
        example = replace_on if isinstance(replace_on, str) else "Name"
        raise ConfigurationError(
            f'{cls.__name__}.replace_on takes a set of names: replace_on = {{"{example}"}}'
        )
    declared = properties.is_declared
    unknown = sorted(set(map(str, replace_on)) - set(properties.names)) if declared else []
    if unknown:
        hint = properties.did_you_mean(unknown[0])
        raise ConfigurationError(
            f"{cls.__name__}.replace_on names {', '.join(unknown)}, which"
            f" its properties do not declare{hint}"
        )
    _check_apis(cls)
    if cls.unresolved not in ("report", "fail"):
        raise ConfigurationError(f"{cls.__name__}.unresolved must be 'report' or 'fail'")


def _check_flags(cls: Any) -> None:
    for name in FLAGS:
        given = getattr(cls, name)
        if isinstance(given, str | int) and not isinstance(given, bool):
            raise ConfigurationError(f"{cls.__name__}.{name} is {given!r}: write True or False")


def _check_apis(cls: Any) -> None:
    for api, window in dict(cls.honours_idempotency_key).items():
        if not re.fullmatch(r"https?://[^/]+", str(api)) or not hasattr(window, "total_seconds"):
            raise ConfigurationError(
                f"{cls.__name__}.honours_idempotency_key names {api!r}: write"
                ' {"https://api.example.com": timedelta(hours=24)}, without a path'
            )


def _refuse_misspelled(cls: type) -> None:
    """Refuse an option in another spelling: it would be ignored, and a secret be shown."""
    options = {_letters(name): name for name in OPTIONS}
    options["honorsidempotencykey"] = "honours_idempotency_key"
    for name in cls.__dict__:
        meant = options.get(_letters(name), name)
        if meant != name:
            raise ConfigurationError(
                f"{cls.__name__}.{name} is not read: the option is called {meant}"
            )


def _letters(name: str) -> str:
    return name.lower().replace("_", "")


def nothing_to_remove(resource: Any) -> None:
    """Stand for `delete = None`."""
    del resource
