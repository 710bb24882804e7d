"""The way of a call: which verb, its arguments, its run, its exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from .console import Console, Exit, Stop

VERBS = {
    "new": "make a folder with a provider, its test and its template",
    "invoke": "send a request to the provider, in this process",
    "test": "run the contract, every single fault, and your own tests",
    "lint": "run cfn-lint with the rules of your classes",
    "schema": "print the JSON Schema of your types",
    "snippet": "print a resource for a template",
    "package": "make the zip of the provider's function",
    "deploy": "deploy the provider, or a stack that uses it",
    "local": "run a command on an AWS of this machine, with the provider on it",
    "docs": "print the reference of your types, in Markdown",
    "ledger": "say what the ledger knows: of a stack, of a resource",
    "resolve": "say of a step in doubt whether it was made",
    "respond": "answer a request that nobody has answered",
    "forget": "have the ledger forget what a resource holds",
    "audit": "compare the ledger with the stacks that CloudFormation has",
    "diagnose": "tell why requests were delivered more than once, from a log",
}
EXIT_CODES = "exit codes: 0 clean, 1 something found or failed, 2 wrong call, 3 could not tell"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except Stop as stop:
        sys.stderr.write(f"{stop.detail}cfn-once: {stop}\n")
        return stop.code
    except KeyboardInterrupt:
        sys.stderr.write("\ncfn-once: stopped; nothing was left behind, and nothing runs on\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # who read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CLEAN


def _run(given: list[str]) -> int:
    if not given or given[0].startswith("-"):
        return _without_verb(given)
    name, *rest = given
    if name not in VERBS:
        raise Stop(f"there is no verb {name!r}{_meant(name)}", Exit.WRONG_CALL)
    verb = import_module(f".{name}", __package__)
    parser = _Parser(
        prog=f"cfn-once {name}",
        description=verb.DESCRIPTION,
        epilog=f"example:\n  {verb.EXAMPLE}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--no-color", action="store_true", help="no colours; NO_COLOR does the same"
    )
    known = parser.parse_args(rest)
    console = Console(as_json=known.json, has_color=not known.no_color)
    code: int = verb.run(known, console)
    return code


def _without_verb(given: list[str]) -> int:
    verbs = "\n".join(f"  {name:<10}{text}" for name, text in VERBS.items())
    parser = _Parser(
        prog="cfn-once",
        usage="cfn-once VERB ...",
        description="CloudFormation custom resources whose side effects happen once.",
        epilog=f"verbs:\n{verbs}\n\n`cfn-once VERB --help` has an example of each.\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    if parser.parse_args(given).version:
        from importlib.metadata import version  # only for those who ask

        sys.stdout.write(f"cfn-once {version('cfn-once')}\n")
        return Exit.CLEAN
    parser.print_help(sys.stderr)
    return Exit.WRONG_CALL


def _meant(name: str) -> str:
    from .._properties.suggestions import did_you_mean  # only where somebody mistyped

    return did_you_mean(name, VERBS) or f"; there are {', '.join(VERBS)}"


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a call."""

    def error(self, message: str) -> NoReturn:
        raise Stop(f"{message}; see {self.prog} --help", Exit.WRONG_CALL)

    def exit(self, status: int = 0, message: str | None = None) -> Any:
        if message:
            sys.stderr.write(message)
        sys.exit(status)
