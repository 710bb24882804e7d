"""What takes long to find out and stays the same: found out once a machine, and kept in build/."""

import hashlib
import os
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

FOLDER = Path(__file__).resolve().parents[2] / "build" / "kept"
T = TypeVar("T")


def kept(name: str, version: str, sources: Iterable[Path], make: Callable[[], T]) -> T:
    """Return what `make` makes, or what it made of the same version and sources before.

    Args:
        name: What it is called.
        version: Of what it describes.
        sources: The files whose code it comes of.
        make: Makes it; what comes of it can be pickled.
    """
    digest = hashlib.sha256(version.encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    path = FOLDER / f"{name}-{digest.hexdigest()[:16]}"
    if path.exists():
        found: T = pickle.loads(path.read_bytes())
        return found
    made = make()
    FOLDER.mkdir(parents=True, exist_ok=True)
    half_made = path.with_suffix(f".{os.getpid()}")
    half_made.write_bytes(pickle.dumps(made))
    half_made.replace(path)
    return made
