"""A provider's JSON Schema, as cfn-lint reads it; and what of a template stands under a schema.

cfn-lint knows `definitions` and not `$defs`, and compares a template's scalars by their kinds,
where CloudFormation makes text of them all.
"""

from collections.abc import Mapping
from typing import Any

from .._cloudformation.canonical import Json
from .._described.outline import branches, definitions_in, followed

OF_CLASS = "cfn-once"  # tells a schema of ours from those that cfn-lint has of functions
KEPT = frozenset(
    {
        *("type", "pattern", "minLength", "maxLength", "minItems", "maxItems", "required"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        "writeOnly",
    }
)
TOKEN = {
    "type": "string",
    "pattern": r"^arn:aws[a-z-]*:(lambda:[a-z0-9-]+:\d{12}:function:[\w.$:-]+"
    r"|sns:[a-z0-9-]+:\d{12}:[\w-]+)$",
}
# The range of a ServiceTimeout, and that a ServiceToken must be there: other rules check them.
OURS: Mapping[str, Json] = {"ServiceToken": TOKEN, "ServiceTimeout": {}}


def for_cfn_lint(schema: Json) -> dict[str, Json]:
    """Return a schema of properties as cfn-lint reads it, with CloudFormation's own properties."""
    definitions = definitions_in(schema)
    root: dict[str, Json] = _converted(followed(schema, definitions))
    root["properties"] = {**root.get("properties", {}), **OURS}
    root["$comment"] = OF_CLASS
    root["definitions"] = {name: _converted(part) for name, part in definitions.items()}
    return root


def _converted(node: Json) -> Json:
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return {"$ref": f"#/definitions/{name}"}
    kinds = [_converted(kind) for kind in branches(node)]
    if len(kinds) == 1:
        return kinds[0]
    kept = {name: value for name, value in node.items() if name in KEPT}
    if kinds:
        kept["anyOf"] = kinds
    options = [node["const"]] if "const" in node else node.get("enum")
    if options is not None:
        kept["type"], kept["enum"] = "string", _as_texts(options)
    return {**kept, **_inside(node)}


def _inside(node: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a schema says of the names and places inside a value."""
    inside: dict[str, Json] = {}
    if "properties" in node:
        inside["properties"] = {name: _converted(p) for name, p in node["properties"].items()}
    if isinstance(node.get("items"), dict):
        inside["items"] = _converted(node["items"])
    if "additionalProperties" in node:
        inside["additionalProperties"] = _converted(node["additionalProperties"])
    if "prefixItems" in node:
        inside["prefixItems"] = [_converted(part) for part in node["prefixItems"]]
    return inside


def _as_texts(options: list[Json]) -> list[str]:
    """Return the choices as CloudFormation sends them."""
    return [str(o).lower() if isinstance(o, bool) else str(o) for o in options if o is not None]


def part_of(node: Json, step: Any, definitions: Mapping[str, Json]) -> Json:
    """Return the schema of what stands under a name or a place; one that says nothing if none."""
    node = followed(node, definitions)
    for kind in branches(node):
        if found := part_of(kind, step, definitions):
            return found
    if isinstance(step, int):
        places = node.get("prefixItems", [])
        found = places[step] if step < len(places) else node.get("items")
    else:
        found = node.get("properties", {}).get(step, node.get("additionalProperties"))
    return found if isinstance(found, dict) else {}
