"""A name that was probably meant."""

from collections.abc import Iterable

CUSTOM = "Custom::"
LIKE = 0.6  # of difflib, whose default it is
TYPES_LIKE = 0.75  # two types that are less alike are rather two types


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Ask whether a known name was meant, for the end of a message; nothing where none is near."""
    return _asked(name, {other: other for other in known}, LIKE)


def did_you_mean_type(name: str, known: Iterable[str]) -> str:
    """Ask whether a known type was meant: that all begin with Custom:: makes none like another."""
    bare = {kind.removeprefix(CUSTOM): kind for kind in known}
    return _asked(name.removeprefix(CUSTOM), bare, TYPES_LIKE)


def _asked(name: str, known: dict[str, str], like: float) -> str:
    import difflib  # only where somebody mistyped

    close = [other for other in known if other.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, known, n=1, cutoff=like)
    return f"; did you mean {known[close[0]]}?" if close else ""
