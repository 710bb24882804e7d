"""The command by which an operator says of a step in doubt whether it was made."""

import re


def settling(place: str, step: str, *, may_be_made: bool = True) -> str:
    """Spell the command, as a shell takes it.

    Args:
        place: The stack and the logical id.
        step: The step's key; empty for one that is not recorded.
        may_be_made: A hook will still remove what it made.
    """
    if not step:
        return f"cfn-once resolve {place} --unrecorded --not-made --reason WHY"
    said = "--made JSON | --not-made," if may_be_made else "--not-made"
    return f"cfn-once resolve {place} {_quoted(step)} {said} --reason WHY"


def _quoted(step: str) -> str:
    """Spell a step's key for a shell, where a # inside a word is no comment."""
    if re.fullmatch(r"[\w.:/-][\w.:/#-]*", step, re.ASCII):
        return step
    return "'" + step.replace("'", "'\"'\"'") + "'"
