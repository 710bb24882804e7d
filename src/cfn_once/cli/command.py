"""The way of a call: which verb, its arguments, its run, its exit code."""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from .console import Console, Exit, Stop, give_up_output, printable

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
LONGEST_FAULT = 1_000  # characters of an error that nobody has foreseen
EXIT_CODES = "exit codes: 0 clean, 1 something found or failed, 2 wrong call, 3 could not tell"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    _prepare_signals()
    try:
        return _run(given)
    except Stop as stop:
        return _ended(stop, given)
    except KeyboardInterrupt:
        words = "stopped; nothing was left behind, and nothing runs on"
        return _ended(Stop(words, Exit.INTERRUPTED), given)
    except BrokenPipeError:  # who read it has seen enough
        give_up_output()
        return Exit.CLEAN
    except Exception as error:  # noqa: BLE001 - our own faults, too, are one line
        return _ended(_of_fault(error), given)


def _prepare_signals() -> None:
    """Let a lost terminal, and SIGTERM, end a verb as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _prepare_streams() -> None:
    """Let nothing be printed that a stream cannot spell; a closed input is an empty one."""
    if sys.stdin is None:  # closed by the shell, as is the next
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as we run
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as we run
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _ended(stop: Stop, given: list[str]) -> int:
    """Tell why a verb has ended early; as JSON as well, where the result was to be JSON."""
    if stop.code is Exit.INTERRUPTED and sys.stderr.isatty():
        sys.stderr.write("\n")  # behind the ^C of the terminal
    sys.stderr.write(f"{stop.detail}cfn-once: {printable(str(stop))}\n")
    if "--json" in _own(given) and sys.stdout is not None and not stop.is_of_output:
        document = {"error": str(stop), "exit_code": int(stop.code)}
        try:
            Console(as_json=True).document(document)
        except (Stop, BrokenPipeError):
            give_up_output()
    return stop.code


def _of_fault(error: Exception) -> Stop:
    """Return what to say of an error that no verb has foreseen, without secret settings."""
    from .._described.importing import trace_of, without_secrets  # only where we are at fault

    detail = trace_of(error) if os.environ.get("CFN_ONCE_TRACEBACK") else ""
    words = without_secrets(f"{type(error).__name__}: {error}")[:LONGEST_FAULT]
    how = "" if detail else "; CFN_ONCE_TRACEBACK=1 shows where"
    return Stop(f"this is a fault of cfn-once: {words}{how}", detail=detail)


def _own(given: list[str]) -> list[str]:
    """Return the arguments that are not another command's."""
    return given[: given.index("--")] if "--" in given else given


def _check(given: list[str]) -> None:
    """Refuse a call that cannot be read, or that has nothing to print to.

    Raises:
        Stop: It is such a call.
    """
    for argument in _own(given):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise Stop(f"{argument!r} is no text in UTF-8", Exit.WRONG_CALL) from None
    if sys.stdout is None:
        raise Stop("standard output is closed: there is nothing to print to", Exit.WRONG_CALL)
    try:
        os.getcwd()
    except OSError:
        raise Stop("the working directory is gone: go to another one", Exit.WRONG_CALL) from None


def _run(given: list[str]) -> int:
    _check(given)
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
    try:
        code: int = verb.run(known, console)
    except BrokenPipeError:  # who read it has seen enough
        give_up_output()
        return console.outcome
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

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is given and empty, as by a shell's variable that is not set.

        A verb would take it for something that is not given. Defaults do not come here.
        """
        if value == "" and action.nargs != "*":  # a list is another command's, or of files
            self.error(f"{'/'.join(action.option_strings) or action.metavar} is empty")
        super()._check_value(action, value)

    def exit(self, status: int = 0, message: str | None = None) -> Any:
        if message:
            sys.stderr.write(message)
        sys.exit(status)
