"""Where in the user's own code a call is made."""

import linecache
import sysconfig
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from .._provider import Provider

HOOKS = ("create", "update", "delete")
LIBRARIES = (
    str(Path(__file__).parent.parent),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib")),
    "<",
)


class Place(NamedTuple):
    """A line of the user's code, and the line of the hook that led there."""

    file: str
    line: int
    hook: "Place | None" = None

    def __str__(self) -> str:
        path = Path(self.file)
        near = path.is_relative_to(Path.cwd())
        return f"{path.relative_to(Path.cwd()) if near else path}:{self.line}"

    @property
    def source(self) -> str:
        """Both lines, each with its number."""
        before = f"{self.hook.source}\n" if self.hook is not None else ""
        return f"{before}{self}\n    {linecache.getline(self.file, self.line).strip()}"


def files_of(provider: Provider) -> set[str]:
    """Return where a provider's hooks are written."""
    served = provider._served  # noqa: SLF001 - the provider is ours
    hooks = [getattr(kind, name) for kind in served for name in HOOKS]
    codes = [getattr(hook, "__code__", None) for hook in hooks]
    files = {code.co_filename for code in codes if code is not None}
    return {file for file in files if not file.startswith(LIBRARIES)}


def place_of(frame: FrameType | None, files: set[str]) -> Place | None:
    """Return the innermost line of these files, or else of the user's code."""
    ours, others = list[Place](), list[Place]()
    while frame is not None:
        file = frame.f_code.co_filename
        if file in files:
            ours.append(Place(file, frame.f_lineno))
            if frame.f_code.co_name in HOOKS:
                break
        elif not file.startswith(LIBRARIES):
            others.append(Place(file, frame.f_lineno))
        frame = frame.f_back
    if len(ours) > 1:
        return ours[0]._replace(hook=ours[-1])
    return next(iter([*ours, *others]), None)
