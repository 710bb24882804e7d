"""The types that templates are compared with, read from where the configuration says.

A source is `module:name` of a provider, or a JSON file of `cfn-once schema`.
"""

import glob
import json
import os
from collections.abc import Iterator, Sequence

from .._described.description import TypeDescription, from_document, types_of
from .._described.importing import Unreadable, import_here
from .._described.settings import settings_of
from .._errors import ConfigurationError

UNNAMED = (
    "no provider is named: write `configure_rules: {E9701: {providers: [provider:provider]}}`"
    ' into .cfnlintrc, or `[tool.cfn-once] provider = "provider:provider"` into pyproject.toml'
)


class Catalogue:
    """What is known of the types of all providers.

    Attributes:
        types: What is served, by type.
        problems: Why some of it is not known, a sentence each.
    """

    def __init__(self) -> None:
        self.types: dict[str, TypeDescription] = {}
        self.problems: list[str] = []
        self._state: object = None

    def load(self, sources: Sequence[str]) -> None:
        """Read the sources, unless they are those of the last time and have not changed."""
        try:
            named = list(sources) or _by_settings()
        except ConfigurationError as error:
            named, self.types, self.problems, self._state = [], {}, [str(error)], None
            return
        files = [path for source in named for path in _files(source)]
        state = (os.getcwd(), named, [(path, _changed(path)) for path in files])
        if state == self._state:
            return
        self._state, self.types, self.problems = state, {}, []
        self._read_all(named)
        if not named:
            self.problems.append(UNNAMED)

    def _read_all(self, named: Sequence[str]) -> None:
        origins: dict[str, str] = {}
        for source in named:
            for origin, name, kind in self._read(source):
                if name in origins:
                    self.problems.append(
                        f"{name} is served by {origins[name]} and by {origin}: name one of them"
                    )
                origins[name], self.types[name] = origin, kind

    def _read(self, source: str) -> Iterator[tuple[str, str, TypeDescription]]:
        if not source.endswith(".json"):
            try:
                types = types_of(import_here(source, told_by="providers"))
            except Unreadable as error:
                self.problems.append(f"{source}: {error}")
                return
            yield from ((source, name, kind) for name, kind in types.items())
            return
        for path in _files(source) or [source]:
            try:
                with open(path, encoding="utf-8") as file:
                    found = from_document(json.load(file))
            except RecursionError:
                self.problems.append(f"{path}: it is nested without end")
                continue
            except (OSError, ValueError, ConfigurationError) as error:
                self.problems.append(f"{path}: {_why(error)}")
                continue
            yield from ((path, name, kind) for name, kind in found.items())


def _by_settings() -> list[str]:
    settings = settings_of(os.getcwd())
    return [settings.provider] if settings.names_provider else []


def _files(source: str) -> list[str]:
    return sorted(glob.glob(source)) if source.endswith(".json") else []


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return f"it is no JSON: {error}" if isinstance(error, ValueError) else str(error)


# All rules of a process look into one; the rule that is configured, E9701, has it read.
CATALOGUE = Catalogue()
