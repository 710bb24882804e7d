"""The prose in a module: its comments, docstrings and messages."""

import io
import re
import tokenize
from collections.abc import Iterator

from . import prose

_FIELD = re.compile(r"\{[^{}]*\}")
_MARK = "# Seeded bug:"
_SENTENCE = 3  # words; a string of fewer is a key, or a value
_TEXTS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def texts(source: str) -> Iterator[str]:
    """Yield each comment and each string of a module that is a sentence, without its fields."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = _FIELD.sub("", token.string)
        if token.type in _TEXTS and _MARK not in text and len(text.split()) >= _SENTENCE:
            yield text


def banned(source: str) -> list[str]:
    """Return each banned word of a module's prose, with what to write instead."""
    return [found for text in texts(source) for found in prose.banned(text.lstrip("# "))]
