"""What a hook sees: the class that users derive from."""

import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, Self, TypeVar

from .._cloudformation.canonical import Json, is_utf8
from .._cloudformation.request import Request, RequestType
from .._cloudformation.response import LONGEST_ID
from .._errors import ConfigurationError, PermanentError, SecretNotKept
from .._properties import Shape
from .definition import (
    check_definition,
    check_options,
    declared_types,
    resource_type_of,
)
from .effects import Effects
from .hook_input import HookInput

P = TypeVar("P")
A = TypeVar("A")

log = logging.getLogger("cfn_once.resource")

_DELETE = RequestType.DELETE


class Shapes(NamedTuple):
    """What a class declares."""

    properties: Shape
    attributes: Shape


class CustomResource(Effects, Generic[P, A]):
    """A type of custom resource: derive from it, name its properties and attributes, write hooks.

    A hook makes every side effect through `self.step`, `self.http` or `self.client`, and is a
    function of its request and of what they return: after a crash it runs again from the top.

    Attributes:
        resource_type: `Custom::<class name>` unless given; "*" serves what no other class does.
        replace_on: Names of properties whose change means a new resource under a new id.
        update_may_replace: An `update` that sets another physical id has made another object.
        always_delete: Hooks act outside steps: `delete` runs whatever a Create came to.
        allow_unknown: Properties that are not declared are let through.
        no_echo: The attributes are secret: CloudFormation masks them, and the ledger must be
            under a key of your own. A hook may set it for one answer, before its first step.
        unresolved: What a Delete does about steps in doubt: "report" or "fail".
        honours_idempotency_key: By the URL of an API, without a path: how long it remembers the
            `Idempotency-Key` of a POST or PATCH.
        reason: What a SUCCESS says besides; a hook may set it.
        request: What CloudFormation asks for.
        replaced_ids: Ids of objects that were replaced and are not removed yet.
        is_rollback: A hint: the properties of an Update are those of the held object.
        partial: In a `delete` that cleans up: what the request's steps returned, by their names.
        recovered: A `delete` cleans up what a request left that failed or was overtaken.
        log: A logger; secret properties are masked in its lines.
    """

    resource_type: ClassVar[str] = ""
    replace_on: ClassVar[AbstractSet[str]] = frozenset()
    update_may_replace: ClassVar[bool] = False
    always_delete: ClassVar[bool] = False
    allow_unknown: ClassVar[bool] = False
    no_echo: bool = False
    reason: str = ""
    unresolved: ClassVar[Literal["report", "fail"]] = "report"

    _tells_secrets_once: ClassVar[bool] = False  # and does not keep them where it must not
    _properties_shape: ClassVar[Shape]
    _attributes_shape: ClassVar[Shape]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        declared = declared_types(cls, CustomResource)
        check_definition(cls)
        if declared.open:
            return  # a base class of the user's own, still generic
        cls._properties_shape = Shape(declared.properties, allow_unknown=cls.allow_unknown)
        cls._attributes_shape = Shape(declared.attributes, is_read=False)
        cls.resource_type = resource_type_of(cls, CustomResource)
        check_options(cls, cls._properties_shape)

    if not TYPE_CHECKING:  # whose rules for a generic class are the same

        def __class_getitem__(cls, types: Any) -> Any:
            try:
                return super().__class_getitem__(types)
            except TypeError:
                names = ", ".join(str(name).lstrip("~") for name in cls.__parameters__)
                takes = "Properties, Attributes" if cls is CustomResource else names
                raise ConfigurationError(
                    f"derive from {cls.__name__} with a type for each that it leaves open:"
                    f" {cls.__name__}[{takes}]. Write None if there are no attributes"
                ) from None

    def __new__(cls, *given: Any, **_: Any) -> Self:
        if not given or not isinstance(given[0], HookInput):
            raise ConfigurationError(
                f"cfn-once makes an instance of {cls.__name__} for each request: give the class,"
                f" Provider({cls.__name__}), and drive it with FakeCloudFormation"
            )
        return super().__new__(cls)

    def __init__(self, given: HookInput[P]) -> None:
        self.request = given.request
        self._given, self._steps = given, given.steps
        self._physical_id = given.physical_resource_id
        self.replaced_ids, self.recovered = given.replaced_ids, given.recovered
        self.partial, self.is_rollback = given.partial, given.is_rollback
        self.log = log

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "no_echo":
            self._refuse_no_echo(is_secret=bool(value))
        super().__setattr__(name, value)

    def _refuse_no_echo(self, *, is_secret: bool) -> None:
        """Refuse what cannot be kept, where the hook says so: before it has made anything."""
        keeps = self._given.keeps_secrets or self._tells_secrets_once
        if is_secret and not keeps and self.request.type is not _DELETE:
            raise secrets_not_kept(type(self).__name__)
        if type(self).no_echo and not is_secret:
            raise PermanentError(
                f"{type(self).__name__} says no_echo = True for all its responses: a hook cannot"
                " make one less secret. Leave it out of the class, and set self.no_echo = True in"
                " a hook"
            )

    def create(self) -> A | None:
        """Make the resource, and return what Fn::GetAtt may ask for."""
        raise PermanentError(f"{type(self).__name__} has no create")

    def update(self) -> A | None:
        """Change the resource in place; never called for a change of `replace_on`."""
        raise PermanentError(
            f"{type(self).__name__} cannot change {', '.join(sorted(self.changed))} in place: no"
            " update is written, and replace_on does not name them"
        )

    if TYPE_CHECKING:  # where a method could not be overridden by None
        delete: Any
    else:

        def delete(self) -> None:
            """Remove the resource; what is gone already is done. None: nothing is to be removed."""
            raise PermanentError(f"{type(self).__name__} has no delete")

    def on_timeout(self) -> None:
        """Clean up after a wait that timed out; the request is FAILED afterwards."""

    def replaces(self) -> bool:
        """Tell whether an Update needs a new resource; override it where names are too coarse."""
        return bool(self.changed & set(self.replace_on))

    @property
    def properties(self) -> P:
        """What the template asks for."""
        return self._given.properties

    @property
    def old_properties(self) -> P:
        """What the template asked for before this Update; where it does not fit, it is absent."""
        return self._old_properties

    @cached_property
    def _old_properties(self) -> P:
        # Most hooks never ask for them.
        old: P = self._properties_shape.convert_softly(self.request.old_properties)
        return old

    @property
    def raw_properties(self) -> Mapping[str, Json]:
        """The properties as CloudFormation sent them: every scalar is text."""
        return self.request.properties

    @cached_property
    def changed(self) -> frozenset[str]:
        """The names of top-level properties whose values differ."""
        return self._properties_shape.changed(self.request.properties, self.request.old_properties)

    @property
    def correlation_id(self) -> str:
        """The resource's name for its whole life: 26 lower-case letters and digits."""
        return self.request.correlation_id

    @property
    def physical_resource_id(self) -> str:
        """The resource's id; set it right after the step that makes the thing."""
        return self._physical_id

    @physical_resource_id.setter
    def physical_resource_id(self, value: str) -> None:
        if not isinstance(value, str) or not value:
            raise PermanentError("physical_resource_id must be text, and not empty")
        if not is_utf8(value):
            raise PermanentError(
                "physical_resource_id has half a character, which UTF-8 cannot hold"
            )
        if len(value.encode()) > LONGEST_ID:
            raise PermanentError(
                f"physical_resource_id is {len(value.encode())} bytes long; CloudFormation takes"
                f" {LONGEST_ID}. Set a shorter name for the object, and return the long one as an"
                " attribute"
            )
        given, held = self._given, self._given.physical_resource_id
        if not (given.may_set_id or given.may_replace) and value != held:
            raise PermanentError(
                f"update set the physical id to {value}: CloudFormation would then delete"
                f" {held}. To replace it, name the property in replace_on, or say"
                " update_may_replace = True"
            )
        self._physical_id = value
        # Seeded bug: replaced-by-update
        if given.may_set_id or value != held:
            self._steps.assign_id(value)

    @property
    def context(self) -> Any:
        """Lambda's context, as the handler was given it."""
        return self._given.deadline.context

    @classmethod
    def _default_id(cls, request: Request) -> str:
        return request.default_physical_id

    @property
    def time_left(self) -> float:
        """Seconds until Lambda ends this invocation."""
        return self._given.deadline.remaining()

    @classmethod
    def property_schema(cls) -> Json:
        """Return the JSON Schema of the properties."""
        return cls._properties_shape.json_schema()

    @classmethod
    def attribute_schema(cls) -> Json:
        """Return the JSON Schema of the attributes."""
        return cls._attributes_shape.json_schema()


def secrets_not_kept(kind: str) -> SecretNotKept:
    """Return why a type may answer no secrets."""
    return SecretNotKept(
        f"{kind} returns secrets and its ledger is not declared to keep them: put the table under a"
        " customer-managed key and say keeps_secrets=true in its URL"
    )


def default_id(served: type[CustomResource[Any, Any]], request: Request) -> str:
    """Return the id of what a request makes, where its hook sets none."""
    return served._default_id(request)  # noqa: SLF001 - other names are its users'


def is_kept(resource: CustomResource[Any, Any]) -> bool:
    """Tell whether the ledger may have what a resource answers."""
    return resource._given.keeps_secrets or not resource._tells_secrets_once or not resource.no_echo  # noqa: SLF001 - as above


def shapes_of(served: type[CustomResource[Any, Any]]) -> Shapes:
    """Return the properties and attributes that a class declares."""
    return Shapes(served._properties_shape, served._attributes_shape)  # noqa: SLF001 - as above


def writes_update(served: type[CustomResource[Any, Any]]) -> bool:
    """Tell whether a class has an `update` of its own."""
    return served.update is not CustomResource.update
