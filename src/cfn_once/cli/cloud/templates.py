"""The project's own templates, policies that go into the provider's, and any one's parameters."""

import json
import os
import re
from collections.abc import Iterable

from ..console import Exit, Stop

PLACE = "        # What your hooks call besides goes here"  # in templates/provider.yaml
# Their section at the top of a template: the rest of its line, and the lines that are indented.
_PARAMETERS = re.compile(
    r"""^(?P<quote>["']?)Parameters(?P=quote)[ ]*:(?P<rest>.*)$(?P<block>(?:\n(?:[ #].*)?$)*)""",
    re.MULTILINE,
)
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = (
    os.path.join(_PACKAGE, "templates"),  # of the wheel
    os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), "templates"),  # of a checkout
)


def template(name: str) -> str:
    """Return the text of one of the project's templates."""
    folder = next(folder for folder in FOLDERS if os.path.isdir(folder))
    with open(os.path.join(folder, f"{name}.yaml"), encoding="utf-8") as file:
        return file.read()


def parameters_in(text: str) -> list[str] | None:
    """Return the names of a template's parameters; None where they are written in a rare way.

    Only CloudFormation knows all that YAML allows: what is no plain block is left to it.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        return _parameters_in_json(text)
    if not re.search(r"^Resources:", text, re.MULTILINE):
        return None
    section = _PARAMETERS.search(text)
    if section is None:
        return []
    return None if re.match(r"\s*[^\s#]", section["rest"]) else _keys(section["block"])


def _keys(block: str) -> list[str] | None:
    """Return the keys of a block of YAML; None where one of its lines is another thing."""
    lines = [line for line in block.splitlines() if re.match(r" *[^ #]", line)]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    keys = [
        re.match(r"""(["']?)([A-Za-z0-9]+)\1\s*:(?:\s|$)""", line[indent:])
        for line in lines
        if line[indent] != " "
    ]
    names = [key[2] for key in keys if key is not None]
    return names if len(names) == len(keys) else None


def _parameters_in_json(text: str) -> list[str] | None:
    try:
        return list(json.loads(text).get("Parameters", {}))
    except (ValueError, RecursionError, TypeError):
        return None


def with_policies(text: str, paths: Iterable[str]) -> str:
    """Return the provider's template with policies in its role.

    Args:
        text: The template.
        paths: Files, each with one policy document, as JSON or YAML; YAML may use Ref and Sub.

    Raises:
        Stop: A file cannot be read, or holds no policy document.
    """
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(PLACE))
    added = [line for path in paths for line in _policy(path)]
    return "\n".join([*lines[: at + 1], *added, *lines[at + 1 :], ""])


def _policy(path: str) -> list[str]:
    name = re.sub(r"[^A-Za-z0-9]+", "-", os.path.splitext(os.path.basename(path))[0]).strip("-")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise Stop(f"--policy {path} cannot be read: {error}", Exit.WRONG_CALL) from None
    if text.lstrip().startswith("{"):
        text = _from_json(path, text)
    elif not re.search(r"^Statement:", text, re.MULTILINE):
        raise _no_policy(path)
    body = [f"            {line}" for line in text.splitlines() if line.strip() not in ("", "---")]
    return [f"        - PolicyName: hooks-{name}", "          PolicyDocument:", *body]


def _from_json(path: str, text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Stop(f"--policy {path} is no JSON: {error}", Exit.WRONG_CALL) from None
    if "Statement" not in document:
        raise _no_policy(path)
    return json.dumps(document)  # which YAML contains


def _no_policy(path: str) -> Stop:
    return Stop(
        f"--policy {path} holds no policy document: it has no Statement at its top",
        Exit.WRONG_CALL,
    )
