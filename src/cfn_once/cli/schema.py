"""`cfn-once schema`: the types of a provider, for cfn-lint and for editors."""

import argparse
from collections.abc import Mapping
from typing import Any

from .._cloudformation.canonical import Json
from .._described.description import TypeDescription, to_document
from .._described.outline import definitions_in, followed
from .console import Console, Exit
from .project import add_provider, types_in

DESCRIPTION = "Print the JSON Schema of the provider's types: for cfn_once.lint, or for an editor."
EXAMPLE = "cfn-once schema --editor > template.schema.json"

# In a template each value may be the result of a function instead.
FUNCTION: Mapping[str, Json] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "patternProperties": {"^(Ref|Condition|Fn::[A-Za-z0-9:]+)$": {}},
    "additionalProperties": False,
}
OF_CLOUDFORMATION: Mapping[str, Json] = {
    "ServiceToken": {"description": "The ARN of the provider's function, or of its topic"},
    "ServiceTimeout": {"description": "Seconds that CloudFormation waits, 1 to 3600"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_provider(parser)
    parser.add_argument(
        "--editor", action="store_true", help="one schema of whole templates, for an editor"
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Print the document."""
    types = types_in(given)
    console.document(for_editors(types) if given.editor else to_document(types))
    return Exit.CLEAN


def for_editors(types: Mapping[str, TypeDescription]) -> dict[str, Any]:
    """Return one JSON Schema of templates that use the types."""
    definitions: dict[str, Json] = {"Function": dict(FUNCTION)}
    choices: list[Json] = []
    for number, (name, kind) in enumerate(types.items()):
        prefix = f"{number}."
        root = _loose(followed(kind.properties, definitions_in(kind.properties)), prefix)
        for inner, part in definitions_in(kind.properties).items():
            definitions[prefix + inner] = _loose(part, prefix)
        root["properties"] = {**OF_CLOUDFORMATION, **root.get("properties", {})}
        root["required"] = ["ServiceToken", *root.get("required", [])]
        if kind.text:
            root["description"] = kind.text
        definitions[name] = root
        choices.append(
            {
                "if": {"properties": {"Type": {"const": name}}, "required": ["Type"]},
                "then": {
                    "properties": {"Properties": _or_function({"$ref": f"#/$defs/{name}"})},
                    "required": ["Properties"],
                },
            }
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"Resources": {"additionalProperties": {"allOf": choices}}},
        "$defs": definitions,
    }


def _or_function(node: Json) -> Json:
    return {"anyOf": [node, {"$ref": "#/$defs/Function"}]}


def _loose(node: Json, prefix: str) -> Json:
    """Return a schema that takes text for each scalar, and a function everywhere inside."""
    if not isinstance(node, dict):
        return node
    loose = dict(node)
    if "$ref" in loose:
        loose["$ref"] = f"#/$defs/{prefix}{loose['$ref'].rpartition('/')[2]}"
    if loose.get("type") in ("integer", "number", "boolean"):
        loose["type"] = [loose["type"], "string"]
    elif loose.get("type") == "string":
        loose["type"] = ["string", "number", "boolean"]
    return {**loose, **_inside(loose, prefix)}


def _inside(node: Mapping[str, Json], prefix: str) -> dict[str, Json]:
    """Return what a schema says of the names and places inside a value, with functions there."""

    def each(part: Json) -> Json:
        return _or_function(_loose(part, prefix))

    inside: dict[str, Json] = {}
    if "properties" in node:
        inside["properties"] = {name: each(part) for name, part in node["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            inside[name] = each(node[name])
    for name in ("anyOf", "oneOf", "prefixItems"):
        if name in node:
            inside[name] = [each(part) for part in node[name]]
    return inside
