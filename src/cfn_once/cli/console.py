"""What all verbs share: exit codes, what is printed where, and how a verb ends early."""

import json
import os
import re
import sys
from enum import IntEnum
from typing import Any, TextIO


class Exit(IntEnum):
    """What a shell learns of a run."""

    CLEAN = 0
    FOUND = 1  # something was found, or failed
    WRONG_CALL = 2
    UNKNOWN = 3  # it could not tell: nothing to read, or no access
    INTERRUPTED = 130  # 128 and SIGINT, as shells have it


class Stop(Exception):
    """Ends a verb, with a line for its user.

    Attributes:
        code: What the shell learns.
        detail: More lines, which stand before it: a traceback.
        is_of_output: Standard output takes no more.
    """

    def __init__(
        self,
        text: str,
        code: Exit = Exit.UNKNOWN,
        *,
        detail: str = "",
        is_of_output: bool = False,
    ) -> None:
        super().__init__(text)
        self.code, self.detail, self.is_of_output = code, detail, is_of_output


class Console:
    """Results go to standard output, and all that is said of them to standard error.

    Args:
        as_json: Print the result as JSON, and nothing else on standard output.
        has_color: Colours may be used, where a person looks.
        out: Where results go, if not to standard output.

    Attributes:
        outcome: The exit code, where the reader of the result leaves before its end.
    """

    def __init__(
        self, *, as_json: bool = False, has_color: bool = True, out: TextIO | None = None
    ) -> None:
        self.as_json, self.outcome = as_json, Exit.CLEAN
        self._out = sys.stdout if out is None else out
        self._has_color = has_color and not os.environ.get("NO_COLOR") and self._out.isatty()

    def line(self, text: str = "") -> None:
        """Print a line of the result for people."""
        if not self.as_json:
            _print(printable(text, has_color=self._has_color), self._out)

    def row(self, text: str) -> None:
        """Print a line that names what others have named: it stays one line."""
        self.line(text.replace("\n", "\\n"))

    def result(self, value: Any) -> None:
        """Print the result for programs."""
        if self.as_json:
            self.document(value)

    def document(self, value: Any) -> None:
        """Print a result that is JSON for everybody."""
        is_ascii = (self._out.encoding or "utf-8").lower().replace("-", "") != "utf8"
        _print(json.dumps(value, indent=2, ensure_ascii=is_ascii), self._out)

    def say(self, text: str) -> None:
        """Say something that is no part of the result."""
        _print(f"cfn-once: {printable(text)}", sys.stderr)

    def word(self, text: str, *, is_good: bool) -> str:
        """Return a word in green or red, where a person looks."""
        return f"\033[{32 if is_good else 31}m{text}\033[0m" if self._has_color else text


def several(count: int, thing: str, things: str = "") -> str:
    """Spell a number of things."""
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"


# What moves a terminal's cursor, or turns the direction of a text; a newline and a tab stay.
_CONTROL = re.compile(
    r"(?P<color>\033\[(?:31|32|0)m)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)


def printable(text: str, *, has_color: bool = False) -> str:
    """Return a text that does nothing to a terminal but colour words, where that is wanted."""

    def spelled(found: re.Match[str]) -> str:
        if found["color"] and has_color:
            return found[0]
        return found[0].encode("unicode_escape").decode()

    return _CONTROL.sub(spelled, text)


def give_up_output() -> None:
    """Let what is left to be printed go nowhere, so that the process ends without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(text: str, stream: TextIO) -> None:
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk
        if stream is not sys.stdout:
            raise
        give_up_output()
        words = f"standard output cannot be written: {error.strerror}"
        raise Stop(words, is_of_output=True) from None
