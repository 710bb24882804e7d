"""A name that was probably meant."""

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Ask whether a known name was meant, for the end of a message; nothing where none is near."""
    import difflib  # only where somebody mistyped

    names = list(known)
    close = [other for other in names if other.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""
