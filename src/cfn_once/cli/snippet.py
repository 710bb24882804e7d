"""`cfn-once snippet`: a resource for a template, with what it may be given."""

import argparse
import json
import re
from collections.abc import Iterator

from .._cloudformation.canonical import Json
from .._described.description import TypeDescription
from .._described.outline import Name, names_in
from .._hooks.definition import EVERY_TYPE, GENERAL_TYPE
from .console import Console, Exit
from .project import add_provider, types_in

DESCRIPTION = "Print a resource of each type for a template: what is required is filled in."
EXAMPLE = "cfn-once snippet --type Custom::Thing >> stack.yaml"
TOKEN = "my-provider-ServiceToken"  # noqa: S105 - the name of an export
TIMEOUT = 600  # seconds: three tries of 120, and Lambda's pauses between them
SECRET = "{{resolve:secretsmanager:NAME:SecretString:KEY}}"  # noqa: S105 - a reference to one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_provider(parser)
    parser.add_argument("--type", help="the type; all of the provider's unless given")
    parser.add_argument(
        "--export", default=TOKEN, help=f"the export with the ServiceToken; {TOKEN}"
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Print the snippets."""
    types = types_in(given)
    console.line("Resources:")
    for name, kind in types.items():
        for line in snippet(name, kind, given.export):
            console.line(line)
    console.result(
        {"Resources": {logical(name): plain(name, types[name], given.export) for name in types}}
    )
    return Exit.CLEAN


def logical(resource_type: str) -> str:
    """Return a logical id for a type."""
    return re.sub(r"[^A-Za-z0-9]", "", resource_type.rpartition("::")[2]) or "Resource"


def snippet(resource_type: str, kind: TypeDescription, export: str) -> Iterator[str]:
    """Yield the lines of a resource: what is optional is a comment with its default."""
    yield f"  {logical(resource_type)}:"
    yield f"    Type: {spelled_type(resource_type)}"
    yield "    Properties:"
    yield f"      ServiceToken: !ImportValue {export}"
    yield f'      ServiceTimeout: "{TIMEOUT}"'
    for name in names_in(kind.properties):
        value = _spelled(sample(name)) if name.is_required else _default(name)
        said = [name.takes, "secret" if name.is_secret else ""]
        said.append("a change replaces" if name.name in kind.replace_on else "")
        comment = "; ".join(filter(None, said))
        mark = "" if name.is_required else "# "
        yield f"      {mark}{name.name}: {value} # {comment}"


def spelled_type(resource_type: str) -> str:
    """Return a type as a template names it."""
    return GENERAL_TYPE if resource_type == EVERY_TYPE else resource_type


def plain(resource_type: str, kind: TypeDescription, export: str) -> dict[str, Json]:
    """Return a resource with what is required, as JSON has it."""
    required = {name.name: sample(name) for name in names_in(kind.properties) if name.is_required}
    token = {"Fn::ImportValue": export}
    return {
        "Type": spelled_type(resource_type),
        "Properties": {"ServiceToken": token, "ServiceTimeout": str(TIMEOUT), **required},
    }


def sample(name: Name) -> Json:
    """Return a value that fits, where one can be guessed; else a text that says what fits."""
    node = name.node
    if name.is_secret:
        return SECRET
    if options := node.get("enum"):
        return options[0]
    kind = node.get("type")
    if kind in ("integer", "number"):
        return node.get("minimum", max(1, node.get("exclusiveMinimum", 0) + 1))
    if kind == "string" and not {"pattern", "minLength", "maxLength"} & set(node):
        return "example"
    usual: dict[str, Json] = {"boolean": True, "array": [], "object": {}}
    return usual.get(kind, f"<{name.takes}>")


def _default(name: Name) -> str:
    """Spell a default; a schema tells none that a function makes."""
    usual: dict[str, Json] = {"array": [], "object": {}}
    return _spelled(name.node.get("default", usual.get(name.node.get("type", ""))))


def _spelled(value: Json) -> str:
    """Spell a value so that YAML reads it as it is: as JSON, which YAML contains."""
    is_word = isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", value)
    is_plain = is_word and value.lower() not in ("true", "false", "yes", "no", "on", "off", "null")
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False)
