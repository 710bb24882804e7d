"""A JSON Schema, as a reader wants it: names, and what each takes, in words."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .._cloudformation.canonical import Json

WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
PLURALS = {
    "text": " of texts",
    "an integer": " of integers",
    "a number": " of numbers",
    "a list": " of lists",
    "a map": " of maps",
}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "multipleOf": "a multiple of",
    "pattern": "matching",
    "minLength": "length at least",
    "maxLength": "length at most",
    "minItems": "length at least",
    "maxItems": "length at most",
}


class Name(NamedTuple):
    """One declared name.

    Attributes:
        name: As a template has it.
        node: Its part of the schema, with all references followed.
        takes: What it takes, in words.
        is_required: It must be there.
        is_secret: Its value is never printed.
    """

    name: str
    node: Json
    takes: str
    is_required: bool
    is_secret: bool


def definitions_in(schema: Json) -> Mapping[str, Json]:
    """Return the parts that the references in a schema name."""
    found: Mapping[str, Json] = schema.get("$defs") or schema.get("definitions") or {}
    return found


def followed(node: Json, definitions: Mapping[str, Json]) -> Json:
    """Return a part of a schema without references; what stands beside one is kept."""
    seen: set[str] = set()
    while "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        name = node["$ref"].rpartition("/")[2]
        if name in seen:  # of a file that nobody has made with the command
            return beside
        seen.add(name)
        node = {**definitions[name], **beside}
    return node


def names_in(schema: Json) -> Iterator[Name]:
    """Yield the declared names at the top of a schema; none where any are taken."""
    definitions = definitions_in(schema)
    root = followed(schema, definitions)
    for name, part in root.get("properties", {}).items():
        node = followed(part, definitions)
        yield Name(
            name=name,
            node=node,
            takes=takes(node, definitions),
            is_required=name in root.get("required", ()),
            is_secret=is_secret(node, definitions),
        )


def is_secret(node: Json, definitions: Mapping[str, Json]) -> bool:
    """Tell whether a value, or one of the kinds that it may have, is secret."""
    node = followed(node, definitions)
    return bool(node.get("writeOnly")) or any(
        is_secret(branch, definitions) for branch in branches(node)
    )


def branches(node: Json) -> list[Json]:
    """Return the kinds that a value may have, of which none is nothing."""
    found = node.get("anyOf") or node.get("oneOf") or []
    return [branch for branch in found if branch.get("type") != "null"]


def takes(node: Json, definitions: Mapping[str, Json]) -> str:
    """Say in words what a part of a schema takes."""
    node = followed(node, definitions)
    if kinds := branches(node):
        return " or ".join(takes(kind, definitions) for kind in kinds)
    options = [node["const"]] if "const" in node else node.get("enum")
    if options is not None:
        return "one of " + ", ".join(dict.fromkeys(map(_as_text, options)))
    words = WORDS.get(node.get("type", ""), "any value")
    if isinstance(node.get("items"), dict) and node["items"]:
        each = takes(node["items"], definitions)
        words += PLURALS.get(each, f", each {each}")
    said = [f"{word} {node[limit]}" for limit, word in LIMITS.items() if limit in node]
    return words + (f" ({', '.join(said)})" if said else "")


def _as_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_names(schema: Json) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names that `Fn::GetAtt` reads, and the beginnings of those that nothing declares.

    A map inside is answered flat: `Endpoint.Port`.
    """
    definitions = definitions_in(schema)
    closed: set[str] = set()
    open_: set[str] = set()
    for name, ends in _flat(followed(schema, definitions), "", definitions, depth=0):
        (closed if ends else open_).add(name)
    return frozenset(closed), tuple(sorted(open_))


def _kinds(node: Json, definitions: Mapping[str, Json]) -> list[Json]:
    node = followed(node, definitions)
    return [followed(kind, definitions) for kind in branches(node) or [node]]


def _flat(
    node: Json, prefix: str, definitions: Mapping[str, Json], *, depth: int
) -> Iterator[tuple[str, bool]]:
    declared = node.get("properties")
    if declared is None or depth > 5:  # a record may hold itself
        yield prefix, False
        return
    for name, part in declared.items():
        for kind in _kinds(part, definitions):
            if kind.get("type") == "object":
                yield from _flat(kind, f"{prefix}{name}.", definitions, depth=depth + 1)
            elif not {"type", "enum", "const"} & set(kind):  # anything, a map as well
                yield from ((f"{prefix}{name}", True), (f"{prefix}{name}.", False))
            else:
                yield f"{prefix}{name}", True
    if node.get("additionalProperties"):
        yield prefix, False
