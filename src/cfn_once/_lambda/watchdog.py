"""Answers for a hook that does not come back in time, from a thread of its own.

It beats sleep, I/O, C code that lets other threads run, and a hook that swallows every exception.
Where C code keeps Python's lock to itself, nothing runs here, and the guardian answers.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Self

from .._clock import Deadline

log = logging.getLogger("cfn_once")

DEEPEST = 12  # calls of a stack that are logged, from the hook inwards


class Watchdog:
    """Barks while its `with` block is still at work shortly before the deadline.

    Args:
        bark: Called in another thread; what it raises is raised where the block ends, if it does.
    """

    def __init__(self, deadline: Deadline, bark: Callable[[], None]) -> None:
        self._deadline, self._bark = deadline, bark
        self._failed: Exception | None = None

    def __enter__(self) -> Self:
        self._call_off = self._deadline.alarm(partial(copy_context().run, self._ring))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call_off()
        if self._failed is not None:
            raise self._failed from None

    def _ring(self) -> None:
        try:
            self._bark()
        except Exception as error:  # noqa: BLE001 - the block's thread raises it
            # The block may be stuck for good, and then this line is all that is heard of it.
            log.error("the watchdog could not answer: %s", error)  # noqa: TRY400 - causes may hold URLs
            self._failed = error


def whereabouts(thread: int, module: str) -> tuple[str, str]:
    """Return the line of a module that a thread is at, and its stack from there on inwards."""
    innermost = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way
    stack = traceback.StackSummary.extract(traceback.walk_stack(innermost), lookup_lines=False)
    modules = [frame.f_globals.get("__name__") for frame, _ in traceback.walk_stack(innermost)]
    if module not in modules:
        return "a line that is not in its module", ""
    inwards = stack[modules.index(module) :: -1][:DEEPEST]
    line = f"{inwards[0].filename.rpartition(os.sep)[2]}:{inwards[0].lineno}"
    return line, "".join(traceback.format_list(inwards)).rstrip()
