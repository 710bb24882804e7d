"""What makes one starter differ from another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Starter(NamedTuple):
    """The texts of a provider; `@Type@` and the like are filled in.

    Attributes:
        provider: Its module.
        test: Its tests.
        property: The property that the template gives.
        value: Its value.
        other: Another one, which replaces the resource unless `changes_in_place`.
        attribute: What the template reads.
        object: What of the module serves the types.
        external_api: Module and name of what makes the stand-in; "none" where hooks call nothing.
        settings: Tables of `[tool.cfn-once]` besides the usual ones.
        more: Lines of `[tool.cfn-once]` itself.
        dev: What its tests and type checks need.
        files: Other files.
    """

    provider: str
    test: str
    property: str
    value: str
    other: str
    attribute: str
    changes_in_place: bool = False
    object: str = "provider"
    external_api: str = "none"
    settings: str = ""
    more: str = ""
    dev: tuple[str, ...] = ()
    files: Mapping[str, str] = MappingProxyType({})
