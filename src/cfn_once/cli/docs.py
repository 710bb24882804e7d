"""`cfn-once docs`: the reference of a provider's types, in Markdown."""

import argparse
import json
from collections.abc import Iterator

from .._described.description import TypeDescription, to_document
from .._described.outline import Name, attribute_names, names_in
from .._hooks.definition import EVERY_TYPE
from .console import Console, Exit
from .project import add_provider, types_in

DESCRIPTION = "Print the reference of each type: what a template gives it, and what it reads of it."
EXAMPLE = "cfn-once docs > README.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    add_provider(parser)
    parser.add_argument("--type", help="the type; all of the provider's unless given")


def run(given: argparse.Namespace, console: Console) -> int:
    """Print the reference."""
    types = types_in(given)
    for name, kind in types.items():
        for line in reference(name, kind):
            console.line(line)
    console.result(to_document(types))
    return Exit.CLEAN


def reference(resource_type: str, kind: TypeDescription) -> Iterator[str]:
    """Yield the page of one type."""
    title = "Every other type" if resource_type == EVERY_TYPE else resource_type
    yield from (f"# {title}", "")
    if kind.text:
        yield from (kind.text, "")
    yield from ("## Properties", "")
    names = list(names_in(kind.properties))
    if names:
        yield from ("| name | takes | default | a change |", "| --- | --- | --- | --- |")
        yield from (_row(name, replaces=name.name in kind.replace_on) for name in names)
    else:
        yield "The class declares none: any are taken."
    yield from ("", "## Attributes", "")
    known, beginnings = attribute_names(kind.attributes)
    takes = {name.name: name.takes for name in names_in(kind.attributes)}
    if known:
        yield from ("| `Fn::GetAtt` | is |", "| --- | --- |")
        yield from (f"| `{name}` | {_cell(takes.get(name, ''))} |" for name in sorted(known))
    for beginning in beginnings:
        yield f"What begins with `{beginning}` may be there." if beginning else "Any may be there."
    yield from ("", "`Ref` is the physical id.", "")


def _row(name: Name, *, replaces: bool) -> str:
    default = "required" if name.is_required else "optional"
    if "default" in name.node:
        default = f"`{json.dumps(name.node['default'], ensure_ascii=False)}`"
    takes = _cell(name.takes) + (", secret" if name.is_secret else "")
    return f"| `{name.name}` | {takes} | {default} | {'replaces' if replaces else 'in place'} |"


def _cell(text: str) -> str:
    """Return a text that ends no cell of a table."""
    return text.replace("|", "\\|")
