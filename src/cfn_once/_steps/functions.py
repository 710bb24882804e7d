"""The functions that a hook gives to a step: refused before anything has run."""

from typing import Any

from .._callables import deferring, discard, fits_plainly, misfit, spelled, unfinished
from .._errors import PermanentError
from .call import Call


def refuse_unusable(of: str, role: str, fn: Any, *arguments: str) -> None:
    """Refuse what cannot be called so, or whose call does nothing.

    Args:
        of: What it is given to, as the message begins.
        role: What it is there.
        fn: The function.
        arguments: What it is called with, in words.

    Raises:
        PermanentError: Nothing has been done, and nothing is in doubt.
    """
    if why := _unusable(fn, arguments):
        raise PermanentError(f"{of}: {role} {why}. Nothing was done")


def refuse_unusable_call(call: Call) -> None:
    """Refuse a call whose functions could not be called, or would do nothing.

    Raises:
        PermanentError: Nothing of it has been done, and nothing is in doubt.
    """
    if not isinstance(call.name, str):
        raise PermanentError(
            f"{spelled(call.name)} is not a name for a step: write self.step(name, function)"
        )
    of = f"step {call.name}"
    refuse_unusable(of, "its function", call.run, "the step")
    if call.find is not None:
        refuse_unusable(of, "find=", call.find, "the step")
    if call.undo is not None:
        refuse_unusable(of, "undo=", call.undo, "the result")


def _unusable(fn: Any, arguments: tuple[str, ...]) -> str:
    if fits_plainly(fn, len(arguments)):
        return ""
    if not callable(fn):
        is_result = bool(unfinished(fn))
        what = spelled(fn)
        discard(fn)
        hint = ", which nothing runs" if is_result else ""
        return (
            f"is {what}{hint}: pass the function itself, self.make, and not its result, self.make()"
        )
    if kind := deferring(fn):
        return (
            f"is {kind}, and its call does nothing: write it with `def`, and run async code in it"
            " with asyncio.run(...)"
        )
    why = misfit(fn, *arguments)
    given = "(" + ", ".join(word.removeprefix("the ") for word in arguments) + ")"
    return f"{why}: write it as `def name{given}`" if why else ""
