"""The provider that a verb works on: from the call, or from the settings of the folder."""

import argparse
import os

from .._described.description import TypeDescription, Types, types_of
from .._described.importing import Unreadable, import_here
from .._described.settings import Settings, settings_of
from .._errors import ConfigurationError
from .._hooks.definition import EVERY_TYPE, GENERAL_TYPE
from .._properties.suggestions import did_you_mean_type
from .._provider import Provider
from .console import Exit, Stop


def add_provider(parser: argparse.ArgumentParser) -> None:
    """Let a call name the provider."""
    parser.add_argument(
        "--provider",
        metavar="MODULE:NAME",
        help="where the provider is; else `provider` of [tool.cfn-once] in pyproject.toml, else"
        " provider:provider",
    )


def settings() -> Settings:
    """Read the settings of the working directory.

    Raises:
        Stop: They cannot be read.
    """
    try:
        return settings_of(os.getcwd())
    except ConfigurationError as error:
        raise Stop(str(error), Exit.WRONG_CALL) from None


def provider_of(given: argparse.Namespace) -> Provider:
    """Import the provider.

    Raises:
        Stop: There is none, or its import fails.
    """
    place = given.provider or settings().provider
    try:
        return import_here(place)
    except Unreadable as error:
        text = str(error) if not error.trace else f"{place} cannot be imported, see above"
        raise Stop(text, detail=error.trace) from None


def types_in(given: argparse.Namespace) -> dict[str, TypeDescription]:
    """Return what the provider says of its types, or of the one that `--type` names.

    Raises:
        Stop: There is no provider, or it does not serve the type.
    """
    types = types_of(provider_of(given))
    wanted = getattr(given, "type", None)
    if wanted is None:
        return types
    named = type_named(wanted, list(types))
    return {named: description_of(types, named)}


def description_of(types: Types, name: str) -> TypeDescription:
    """Return what is said of a type, by its own class or by the one that serves all others."""
    return types.get(name) or types[EVERY_TYPE]


def type_named(wanted: str | None, types: list[str]) -> str:
    """Return the type that is meant: the one that is named, or the only one.

    A class that serves every type is asked for the general one, unless another is named.

    Raises:
        Stop: It is not served, or several are and none is named.
    """
    if wanted is None and len(types) == 1:
        return GENERAL_TYPE if types[0] == EVERY_TYPE else types[0]
    if wanted is not None and (wanted in types or EVERY_TYPE in types):
        return wanted
    serves = ", ".join(types)
    if wanted is None:
        raise Stop(f"the provider serves {serves}: name one with --type", Exit.WRONG_CALL)
    hint = did_you_mean_type(wanted, types) or f"; it serves {serves}"
    raise Stop(f"the provider does not serve {wanted}{hint}", Exit.WRONG_CALL)
