"""What a provider says of its types, as a document: `cfn-once schema` writes it, lint reads it."""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._cloudformation.canonical import Json
from .._errors import ConfigurationError
from .._provider import Provider

VERSION = 1  # of the document; another one cannot be read


class TypeDescription(NamedTuple):
    """One type of a provider.

    Attributes:
        properties: The JSON Schema of its properties; secret ones are `writeOnly`.
        attributes: That of what `Fn::GetAtt` reads.
        replace_on: The properties whose change replaces the resource.
        text: The docstring of its class.
    """

    properties: Json
    attributes: Json
    replace_on: tuple[str, ...]
    text: str


Types = Mapping[str, TypeDescription]


def types_of(provider: Provider) -> dict[str, TypeDescription]:
    """Return what a provider says of its types, by their names, in its order."""
    return {
        served.resource_type: TypeDescription(
            properties=served.property_schema(),
            attributes=served.attribute_schema(),
            replace_on=tuple(sorted(served.replace_on)),
            text=inspect.cleandoc(vars(served).get("__doc__") or ""),
        )
        for served in provider.classes
    }


def to_document(types: Types) -> dict[str, Any]:
    """Return the types as a document of plain values."""
    described = {
        name: {**kind._asdict(), "replace_on": list(kind.replace_on)}
        for name, kind in types.items()
    }
    return {"version": VERSION, "types": described}


def from_document(document: Json) -> dict[str, TypeDescription]:
    """Return the types that a document describes.

    Raises:
        ConfigurationError: It is none, or of another version.
    """
    again = "write it with `cfn-once schema > FILE`"
    if not isinstance(document, dict) or "version" not in document:
        raise ConfigurationError(f"this is no schema of cfn-once: {again}")
    if document["version"] != VERSION:
        raise ConfigurationError(
            f"this schema has version {document['version']!r}, and this cfn-once reads"
            f" {VERSION}: {again}"
        )
    try:
        return {
            str(name): TypeDescription(
                properties=dict(kind["properties"]),
                attributes=dict(kind["attributes"]),
                replace_on=tuple(kind["replace_on"]),
                text=str(kind["text"]),
            )
            for name, kind in document["types"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConfigurationError(f"this schema is damaged: {again}") from None
