"""What a JSON Schema of msgspec or pydantic lacks: which values are secret, and that names end."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from .._cloudformation.canonical import Json
from .fields import LISTS, fields_of, is_map, is_record, is_secret, is_union, plain


def mark_secrets(declared: Any, schema: Json) -> None:
    """Mark as `writeOnly` what is declared secret, at any depth."""
    _mark(declared, schema, schema, set())


def closed(schema: Json) -> Json:
    """Return the schema with unknown names refused wherever names are declared."""
    if isinstance(schema, dict):
        inner = {name: closed(one) for name, one in schema.items()}
        if inner.get("type") == "object" and "properties" in inner:
            inner.setdefault("additionalProperties", False)
        return inner
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def _mark(hint: Any, node: Json, root: Json, seen: set[Any]) -> None:
    bare = plain(hint)
    inner = get_args(bare)
    if is_secret(hint) or (is_union(bare) and any(is_secret(one) for one in inner)):
        node["writeOnly"] = True
    node = _resolved(node, root)
    if is_record(bare) and bare not in seen:
        seen.add(bare)
        for field in fields_of(bare).values():
            _mark(field.hint, node["properties"][field.name], root, seen)
    elif is_union(bare):
        for member, branch in _branches(inner, node.get("anyOf", [node]), root):
            _mark(member, branch, root, seen)
    elif is_map(get_origin(bare)) and isinstance(node.get("additionalProperties"), dict):
        _mark(inner[1], node["additionalProperties"], root, seen)
    elif get_origin(bare) in LISTS and isinstance(node.get("items"), dict):
        _mark(inner[0], node["items"], root, seen)


def _branches(
    members: Sequence[Any], nodes: Sequence[Json], root: Json
) -> Iterator[tuple[Any, Json]]:
    """Pair the members of a union that hold more hints with their branches of the schema."""
    for member in members:
        bare = plain(member)
        kind = "array" if get_origin(bare) in LISTS else "object"
        if get_args(bare) or is_record(bare):
            yield from ((member, one) for one in nodes if _resolved(one, root).get("type") == kind)


def _resolved(node: Json, root: Json) -> Json:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node
