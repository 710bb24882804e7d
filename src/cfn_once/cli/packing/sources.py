"""Which files of the provider's folder, and of cfn-once, go into the zip."""

import fnmatch
import glob
import os
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution

from ..console import Exit, Stop
from .wheels import OURS

TESTS = ("test_*.py", "*_test.py", "conftest.py")
OF_TESTS = ("test", "tests")
CACHES = "__pycache__"
# What of cfn-once a function never imports: the command, the rules of lint, the test kit.
TOOLS = ("__main__.py", "cli", "lint", "templates", "testing")


def of_project(folder: str, provider: str, include: Iterable[str]) -> dict[str, str]:
    """Return the provider's own files, by their names in the zip.

    Those are the modules in the folder, and each package with all that is in it; no tests.

    Raises:
        Stop: The module of the provider is not among them, or a pattern finds nothing.
    """
    module = provider.partition(":")[0].partition(".")[0]
    found = _code_in(folder, module)
    if not any(name.partition("/")[0] in (module, f"{module}.py") for name in found):
        raise Stop(f"provider={provider}: there is no {module}.py here")
    for pattern in include:
        paths = [path for path in glob.glob(os.path.join(folder, pattern)) if os.path.isfile(path)]
        if not paths:
            raise Stop(f"[tool.cfn-once] include: there is no {pattern} here", Exit.WRONG_CALL)
        found.update({_relative(path, folder): path for path in paths})
    return found


def _code_in(folder: str, module: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_file() and _is_module(entry.name) and entry.name != "__init__.py":
            found[entry.name] = entry.path
        elif entry.is_dir() and (entry.name == module or _is_package(entry)):
            found.update(_whole(entry.path, folder))
    return found


def of_cfn_once() -> dict[str, str]:
    """Return the files of the cfn-once that runs here, less its tools."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parent = os.path.dirname(package)
    return {
        name: path
        for name, path in _whole(package, parent).items()
        if name.split("/")[1] not in TOOLS
    }


def metadata_of_cfn_once() -> tuple[str, str]:
    """Return the name and the text of cfn-once's METADATA: scanners find its version there."""
    ours = distribution(OURS)
    return f"cfn_once-{ours.version}.dist-info/METADATA", ours.read_text("METADATA") or ""


def requirements_of(folder: str) -> list[str]:
    """Return `dependencies` of the folder's pyproject.toml.

    Raises:
        Stop: It cannot be read.
    """
    path = os.path.join(folder, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            project = tomllib.load(file).get("project", {})
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise Stop(f"{path} cannot be read: {error}", Exit.WRONG_CALL) from None
    return [str(text) for text in project.get("dependencies", [])]


def _is_module(name: str) -> bool:
    return name.endswith(".py") and not _is_test(name)


def _is_test(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in TESTS)


def _is_package(entry: "os.DirEntry[str]") -> bool:
    has_init = os.path.isfile(os.path.join(entry.path, "__init__.py"))
    return has_init and entry.name not in OF_TESTS


def _whole(folder: str, root: str) -> dict[str, str]:
    """Return all files of a folder but caches, hidden ones and tests, by their names below root."""
    return {_relative(path, root): path for path in _walk(folder)}


def _walk(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in (CACHES, *OF_TESTS) and name[:1] != "."
        )
        for name in sorted(files):
            if name[:1] != "." and not _is_test(name) and not name.endswith(".pyc"):
                yield os.path.join(place, name)


def _relative(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
