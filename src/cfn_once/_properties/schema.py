"""The JSON Schema of a declared class, with what msgspec and pydantic leave out of theirs.

They do not say which values are secret, nor that no further names are allowed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from .._cloudformation.canonical import Json
from .fields import LISTS, fields_of, is_map, is_model, is_record, is_secret, is_union, plain


def schema_of(declared: Any, *, allow_unknown: bool) -> Json:
    """Return the JSON Schema of a record; secret values are `writeOnly`."""
    if is_model(declared):
        schema: Json = declared.model_json_schema()
    else:
        import msgspec  # only for those who ask for a schema

        schema = msgspec.json.schema(declared)
    _mark_secrets(declared, schema, schema, set())
    return schema if allow_unknown else _closed(schema)


def _closed(schema: Json) -> Json:
    """Return the schema with unknown names refused wherever names are declared."""
    if isinstance(schema, dict):
        inner = {name: _closed(part) for name, part in schema.items()}
        if inner.get("type") == "object" and "properties" in inner:
            inner.setdefault("additionalProperties", False)
        return inner
    return [_closed(part) for part in schema] if isinstance(schema, list) else schema


def _mark_secrets(hint: Any, node: Json, root: Json, seen: set[Any]) -> None:
    bare = plain(hint)
    if is_secret(hint) or (is_union(bare) and any(map(is_secret, get_args(bare)))):
        node["writeOnly"] = True
    if is_record(bare):
        if bare in seen:
            return
        seen.add(bare)
    for part_hint, part in _parts(bare, _resolved(node, root), root):
        _mark_secrets(part_hint, part, root, seen)


def _parts(bare: Any, node: Json, root: Json) -> Iterator[tuple[Any, Json]]:
    """Yield the hints inside a type, each with its part of the schema."""
    inner, origin = get_args(bare), get_origin(bare)
    if is_record(bare):
        for field in fields_of(bare).values():
            yield field.hint, node["properties"][field.name]
    elif is_union(bare):
        yield from _branches(inner, node.get("anyOf", [node]), root)
    elif is_map(origin) and isinstance(node.get("additionalProperties"), dict):
        yield inner[1], node["additionalProperties"]
    elif origin in LISTS and isinstance(node.get("items"), dict):
        yield inner[0], node["items"]


def _branches(
    members: Sequence[Any], nodes: Sequence[Json], root: Json
) -> Iterator[tuple[Any, Json]]:
    """Pair the members of a union that hold more hints with their branches of the schema."""
    for member in members:
        bare = plain(member)
        kind = "array" if get_origin(bare) in LISTS else "object"
        if get_args(bare) or is_record(bare):
            yield from (
                (member, node) for node in nodes if _resolved(node, root).get("type") == kind
            )


def _resolved(node: Json, root: Json) -> Json:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node
