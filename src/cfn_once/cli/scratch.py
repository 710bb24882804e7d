"""A folder for a while: gone afterwards, even if Ctrl-C comes while it is removed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scratch_folder(prefix: str, parent: str | None = None) -> Iterator[str]:
    """Make a folder, in a parent or where temporary files lie, and remove it with what it holds."""
    folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:  # what is left of it goes, too, before that ends the verb
            shutil.rmtree(folder, ignore_errors=True)
            raise
