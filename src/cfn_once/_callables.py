"""Functions that users give: can they be called so, and is their work done when they return?"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial, partialmethod
from types import FunctionType, MethodType
from typing import Any

from ._cloudformation.canonical import kind_of

_KINDS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (inspect.iscoroutinefunction, "a coroutine function (async def)"),
    (inspect.isasyncgenfunction, "an async generator function"),
    (inspect.isgeneratorfunction, "a generator function (it has a yield)"),
)
_LAZY = ("builtins", "itertools")  # a file, or an answer that is read as it comes, is none of them
# Of these nothing is still to be done; of the others, what they hold is looked at.
_FINISHED = (str, int, float, dict, list, type(None))
_HOLDING = (dict, list, tuple, set, frozenset)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


_DEFERS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_GENERATOR


def fits_plainly(fn: Any, count: int) -> bool:
    """Tell at once that a function takes so many arguments, and acts when it is called.

    It answers for plain functions and methods that nothing has been said of besides; a step has one
    of these each time. Of all others it says False, and `deferring` and `misfit` look closer.
    """
    plain: Any = fn
    if type(fn) is MethodType:
        plain, count = fn.__func__, count + 1
    if type(plain) is not FunctionType or vars(plain):
        return False
    code, needed = plain.__code__, plain.__code__.co_argcount - len(plain.__defaults__ or ())
    acts = not code.co_flags & _DEFERS and not code.co_kwonlyargcount
    return bool(acts and needed <= count <= code.co_argcount)


def deferring(fn: Any) -> str:
    """Say of what kind a function is whose call does nothing yet; empty for any other.

    A plain function that returns a coroutine looks like any other: see `unfinished`.
    """
    while fn is not None:
        for is_one, kind in _KINDS:
            if is_one(fn):
                return kind
        fn = _behind(fn)
    return ""


def _behind(fn: Any) -> Any:
    """Return what a partial, a bound method or an object with `__call__` calls; None for others."""
    if isinstance(fn, partial | partialmethod):
        return fn.func
    if isinstance(fn, staticmethod | classmethod) or inspect.ismethod(fn):
        return fn.__func__
    if inspect.isroutine(fn) or isinstance(fn, type):
        return None
    return getattr(type(fn), "__call__", None)  # noqa: B004 - its value is wanted


def misfit(fn: Any, *arguments: str) -> str:
    """Say why these arguments cannot be given to a function; empty where they can.

    What lies behind `*args`, and what is built in, shows when it is called.

    Args:
        fn: Can be called.
        arguments: What each argument is called, in the words of the message.
    """
    try:
        signature = inspect.signature(fn, follow_wrapped=False)
    except (TypeError, ValueError):  # built in, and tells nothing
        return ""
    try:
        signature.bind(*arguments)
    except TypeError:
        needed = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        takes = ", ".join(needed) or "no argument"
        return f"takes {takes}, and cfn-once passes {', '.join(arguments) or 'none'}"
    return ""


def unfinished(value: Any) -> str:
    """Say of what kind a value is that stands for work which is still to be done; else nothing."""
    if isinstance(value, _FINISHED):
        return ""  # at once: there may be many
    if value is NotImplemented:
        return "NotImplemented"
    if inspect.iscoroutine(value):
        return "a coroutine"
    if inspect.isasyncgen(value):
        return "an async generator"
    if inspect.isgenerator(value):
        return "a generator"
    is_lazy = isinstance(value, Iterator) and type(value).__module__ in _LAZY
    if is_lazy or inspect.isroutine(value):
        return _with_article(value)
    promises = hasattr(type(value), "__await__") or hasattr(type(value), "add_done_callback")
    return f"a {type(value).__name__}" if promises else ""


def unfinished_parts(value: Any) -> Iterator[Any]:
    """Yield what is unfinished of a value: itself, or what lists and maps in it hold."""
    seen, left = set[int](), [value]
    while left:
        part = left.pop()
        if not isinstance(part, _HOLDING):
            if unfinished(part):
                yield part
        elif id(part) not in seen:  # a list may hold itself
            seen.add(id(part))
            left += part.values() if isinstance(part, dict) else part


def discard(value: Any) -> None:
    """Close a coroutine or a generator, which would complain later that nobody has run it."""
    if inspect.iscoroutine(value) or inspect.isgenerator(value):
        value.close()


def spelled(value: Any) -> str:
    """Name the kind of what was given in the place of a function."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None:
        return "None"
    return unfinished(value) or _with_article(value)


def _with_article(value: Any) -> str:
    kind = kind_of(value)
    return f"a {kind}" if kind == type(value).__name__ else kind
