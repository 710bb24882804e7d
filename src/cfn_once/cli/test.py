"""`cfn-once test`: the contract, every single fault, and the user's own tests."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from .._cloudformation.canonical import Json
from .._described.description import types_of
from .._described.outline import names_in
from .._described.settings import FILE, NO_API, TABLES, Settings
from .._hooks.definition import EVERY_TYPE, GENERAL_TYPE
from .._properties.suggestions import did_you_mean_type
from .._provider import Provider
from .console import Console, Exit, Stop
from .project import add_provider, description_of, provider_of, settings
from .snippet import sample
from .stand_in import stand_in

DESCRIPTION = (
    "Run, with pytest: the contract that CloudFormation expects of every type; assert_safe, which\n"
    "lets every single fault happen; then your own tests. The first two need a stand-in for the\n"
    'API that your hooks call: [tool.cfn-once] external-api = "module:factory", or "none".'
)
EXAMPLE = "cfn-once test -- -k twice"
SUITE = "cfn_once.cli.suite"
PATIENCE = 3  # seconds, for its summary
NOTHING_COLLECTED = 5  # pytest's exit code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    add_provider(parser)


def run(given: argparse.Namespace, console: Console) -> int:
    """Run both suites, and tell of each."""
    for name in ("pytest", "greenlet"):
        if find_spec(name) is None:
            raise Stop(f"{name} is not installed: pip install 'cfn-once[testing]'")
    configured = settings()
    if configured.external_api:
        stand_in(configured.external_api)  # first: a provider reads the environment too
    provider = provider_of(given)
    _check_types(given, configured, provider)
    results: dict[str, str] = {}
    if configured.external_api:
        for kind in types_to_test(configured, provider):
            sample_properties(configured, provider, kind)
        place = given.provider or configured.provider
        own = ["--pyargs", SUITE, "--rootdir", os.getcwd(), "-p", "no:cacheprovider"]
        results["contract"] = _pytest(own, console, {"CFN_ONCE_TESTED": place})
    else:
        results["contract"] = "not run"
        console.say(
            "no external-api in [tool.cfn-once]: the contract and assert_safe are not run, for they"
            f' would call the real one. Name a stand-in, or "{NO_API}" where hooks call nothing'
        )
    results["own tests"] = _pytest(given.pytest, console, {})
    for name, result in results.items():
        console.line(f"{name}: {console.word(result, is_good=result == 'passed')}")
    console.result(results)
    if "could not run" in results.values():
        return Exit.UNKNOWN
    return Exit.FOUND if "failed" in results.values() else Exit.CLEAN


def _pytest(arguments: list[str], console: Console, more: Mapping[str, str]) -> str:
    """Run pytest in a process of its own, and return what came of it in words."""
    environment = {**os.environ, **more}
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own Python
        command, env=environment, stdout=sys.stderr if console.as_json else None
    ) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            _end(process)
            raise
    return {0: "passed", 1: "failed", NOTHING_COLLECTED: "none"}.get(code, "could not run")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End pytest, which the terminal interrupts as well; a hook may take that for an error."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def _check_types(given: argparse.Namespace, configured: Settings, provider: Provider) -> None:
    """Refuse settings for a type that nobody serves: a mistyped one would be tested without them.

    Raises:
        Stop: There are such settings.
    """
    served = provider.resource_types
    is_another = given.provider not in (None, configured.provider)  # it may serve other types
    if is_another or EVERY_TYPE in served:
        return
    for table in TABLES:
        for kind in getattr(configured, table):
            if kind not in served:
                raise Stop(
                    f'{FILE}, [tool.cfn-once]: {table}."{kind}": the provider serves'
                    f" {', '.join(served)}, and no {kind}{did_you_mean_type(kind, served)}",
                    Exit.WRONG_CALL,
                )


def types_to_test(configured: Settings, provider: Provider) -> list[str]:
    """Return the types to test; of a class that serves every type, those that settings name."""
    served = [kind for kind in provider.resource_types if kind != EVERY_TYPE]
    if EVERY_TYPE in provider.resource_types:
        served += [kind for kind in configured.properties if kind not in served] or [GENERAL_TYPE]
    return served


def sample_properties(configured: Settings, provider: Provider, kind: str) -> Mapping[str, Json]:
    """Return properties that a Create of a type takes: the settings', else guessed ones.

    Raises:
        Stop: Some cannot be guessed.
    """
    if kind in configured.properties:
        given: Mapping[str, Json] = configured.properties[kind]
        return given
    described = description_of(types_of(provider), kind)
    required = [n for n in names_in(described.properties) if n.is_required]
    guessed = {name.name: sample(name) for name in required}
    unknown = [
        name.name for name in required if name.is_secret or str(guessed[name.name])[:1] == "<"
    ]
    if unknown:
        raise Stop(
            f"say in pyproject.toml what {kind} is created with, for nobody can guess"
            f' {", ".join(unknown)}:\n\n[tool.cfn-once.properties."{kind}"]\n'
            + "\n".join(f'{name} = "..."' for name in guessed)
        )
    return guessed
