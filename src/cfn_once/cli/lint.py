"""`cfn-once lint`: cfn-lint, with the rules of the provider's classes."""

import argparse
import glob
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from .console import Console, Exit, Stop
from .project import add_provider, settings

DESCRIPTION = "Run cfn-lint over templates, with the rules of the provider's classes."
EXAMPLE = "cfn-once lint stack.yaml"
RULES = "cfn_once.lint"
KINDS = ("*.yaml", "*.yml", "*.json", "*.template")
UNREADABLE = ("E0000", "E9700")  # no YAML, no provider: nothing was compared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument(
        "templates",
        nargs="*",
        help="files; else those of .cfnlintrc, else each one here that has Resources",
    )
    add_provider(parser)
    parser.add_argument(
        "--schema",
        action="append",
        default=[],
        metavar="FILE",
        help="a file of `cfn-once schema`, in the place of the provider",
    )
    parser.add_argument(
        "-i",
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help="leave out a rule, or all whose ids begin so",
    )
    parser.add_argument(
        "-c",
        "--include",
        action="append",
        default=[],
        metavar="RULE",
        help="show notes too, such as I9794",
    )


def run(given: argparse.Namespace, console: Console) -> int:
    """Print what was found, a line each."""
    if find_spec("cfnlint") is None:
        raise Stop("cfn-lint is not installed: pip install 'cfn-once[lint]'")
    for path in given.templates:
        if not os.path.isfile(path):
            raise Stop(f"there is no template {path}", Exit.WRONG_CALL)
    for path in given.schema:
        if not path.endswith(".json"):
            raise Stop(f"--schema {path}: give a file whose name ends in .json", Exit.WRONG_CALL)
    matches = sorted(_matches(given, _sources(given)), key=_place)
    for match in matches:
        console.line("{}:{}:{}: {} {}".format(*_place(match), match.rule.id, match.message))
    console.result([_match_document(match) for match in matches])
    if any(match.rule.id in UNREADABLE for match in matches):
        return Exit.UNKNOWN
    return Exit.FOUND if matches else Exit.CLEAN


def _sources(given: argparse.Namespace) -> list[str]:
    """Return what the call names, else what the settings do; .cfnlintrc may name others."""
    configured = settings()
    named = (
        [given.provider] if given.provider else [configured.provider] * configured.names_provider
    )
    return given.schema or named


def _matches(given: argparse.Namespace, sources: Sequence[str]) -> Iterator[Any]:
    import cfnlint.rules
    from cfnlint.config import ConfigMixIn, ManualArgs
    from cfnlint.exceptions import CfnLintExitException
    from cfnlint.runner import Runner

    of_folder = _of_folder()
    configured = dict(of_folder.configure_rules)
    if sources:
        configured["E9701"] = {"providers": list(sources)}
    elif "E9701" not in configured:
        configured["E9701"] = {"providers": [settings().provider]}
    # Its own folder is among them, and it would add that once more.
    its_own = os.path.dirname(cfnlint.rules.__file__)
    rules = [folder for folder in of_folder.append_rules if folder != its_own]
    options: dict[str, Any] = {
        "templates": given.templates or _templates(of_folder),
        "configure_rules": configured,
        "ignore_checks": [*of_folder.ignore_checks, *given.ignore],
        "include_checks": [*of_folder.include_checks, *given.include],
    }
    if RULES not in rules:
        options["append_rules"] = [*rules, RULES]
    try:
        yield from Runner(ConfigMixIn(**ManualArgs(**options))).run()
    except CfnLintExitException as error:
        raise Stop(f"cfn-lint: {error}") from None


def _of_folder() -> Any:
    """Return cfn-lint's settings of the folder.

    Raises:
        Stop: They cannot be read.
    """
    from cfnlint.config import ConfigMixIn, ManualArgs

    try:
        found = ConfigMixIn(**ManualArgs())
        templates = found.templates
    except (Exception, SystemExit) as error:  # noqa: BLE001 - cfn-lint has no error of its own for them
        message = str(error).replace("\n", " ")
        raise Stop(f".cfnlintrc cannot be read: {message}", Exit.WRONG_CALL) from None
    if not all(isinstance(path, str) for path in templates or ()):
        raise Stop(".cfnlintrc, templates: expected a list of paths", Exit.WRONG_CALL)
    return found


def _templates(of_folder: Any) -> list[str]:
    """Return the templates of the folder."""
    if of_folder.templates:
        return list(of_folder.templates)
    found = [path for kind in KINDS for path in sorted(glob.glob(kind)) if _is_template(path)]
    if not found:
        raise Stop("there is no template here: name one, or write `templates:` into .cfnlintrc")
    return found


def _is_template(path: str) -> bool:
    with open(path, encoding="utf-8", errors="replace") as file:
        return "Resources" in file.read() and not path.endswith(".schema.json")


def _place(match: Any) -> tuple[str, int, int]:
    return str(match.filename), match.linenumber, match.columnnumber


def _match_document(match: Any) -> dict[str, Any]:
    file, line, column = _place(match)
    rule = match.rule.id
    return {"file": file, "line": line, "column": column, "rule": rule, "message": match.message}
