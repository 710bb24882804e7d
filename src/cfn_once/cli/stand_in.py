"""The stand-in for the external API, which `[tool.cfn-once] external-api` names."""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from typing import Any, Self

from .._described.importing import end_of, without_secrets
from .._described.settings import NO_API
from .console import Stop

URL = "API_URL"  # where templates/provider.yaml tells a function its API's URL
# What brings a module that stand-ins import.
PACKAGES = {"greenlet": "cfn-once[testing]", "moto": "moto", "pytest": "cfn-once[testing]"}
KEPT = "kept"
PATIENCE = 3.0  # seconds, for what its factory has to put away


class OfDict:
    """A dict, as `assert_safe` wants an external API."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def reset(self) -> None:
        """Forget all."""
        self.objects.clear()


def stand_in(place: str) -> Any:
    """Return what the factory makes; None where hooks call nothing, or only read.

    Raises:
        Stop: There is no such factory, or it fails, or what it makes is no stand-in.
    """
    if place == NO_API:
        return None
    module, _, name = place.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        made = getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise Stop(f"external-api = {place!r}: {_what_is_missing(error, module)}") from None
    except Exception as error:  # noqa: BLE001 - a factory of the user's may do anything
        raise Stop(f"external-api = {place!r}: {end_of(error)}") from None
    made = OfDict(made) if isinstance(made, dict) else made
    if made is not None and not (hasattr(made, "objects") and hasattr(made, "reset")):
        raise Stop(f"external-api = {place!r}: what it makes has no objects, or no reset()")
    return made


def _what_is_missing(error: ModuleNotFoundError, of_factory: str) -> str:
    """Say in one line which module is missing, and what to install for it."""
    if error.name == of_factory.partition(".")[0]:
        return f"there is no {error.name}.py here"
    frames = traceback.walk_tb(error.__traceback__)
    is_of_moto = any(frame.f_globals.get("__name__", "").startswith("moto.") for frame, _ in frames)
    package = "moto[all]" if is_of_moto else PACKAGES.get(str(error.name).partition(".")[0], "")
    how = f"pip install {package!r}" if package else "install it where cfn-once runs"
    return f"{without_secrets(f'{type(error).__name__}: {error}')}: {how}"


def set_clock(made: Any, clock: Any) -> None:
    """Let a stand-in that has a clock go by a stack's, as `assert_safe` does."""
    if hasattr(made, "clock"):
        made.clock = clock


class StandIn:
    """The stand-in, in a process of its own, from `with` to its end.

    Only there: its factory may turn what boto3 calls in its process into something else.

    Args:
        place: Module and name of its factory.
        is_kept: It goes on after its block, and after this process.
    """

    def __init__(self, place: str, *, is_kept: bool = False) -> None:
        self._place, self._is_kept = place, is_kept
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, self._place, *([KEPT] if self._is_kept else [])]
        self._running = subprocess.Popen(  # noqa: S603 - our own Python
            command,
            stdin=subprocess.PIPE,  # which ends when this process does, and so does the stand-in
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL
            if self._is_kept
            else None,  # who reads ours waits for its end
            start_new_session=True,  # Ctrl-C reaches this process alone
        )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._is_kept or kind is not None:
            self.stop()

    @property
    def process(self) -> int:
        """The id of its process, which leads a group; 0 where it has ended."""
        return self._running.pid if self._running is not None else 0

    def url(self) -> str:
        """Return where it listens; nothing where its factory has set no URL.

        Raises:
            Stop: The factory fails.
        """
        said = self._running.stdout.readline() if self._running and self._running.stdout else b""
        message = json.loads(said or '{"error": "its process has ended, see above"}')
        if "error" in message:
            raise Stop(message["error"])
        if not message["url"]:
            self.stop()
        return str(message["url"])

    def stop(self) -> None:
        """End it; nothing happens where it has ended before."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            running.communicate(timeout=0 if self._is_kept else PATIENCE)  # its input ends
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()


def serve(place: str, *, is_kept: bool) -> None:
    """Let the stand-in listen until the parent of this process is gone, and say where."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the parent may ignore
    if not is_kept:
        threading.Thread(target=_interrupt_at_the_end_of_input, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        _serve(place)


def _interrupt_at_the_end_of_input() -> None:
    """End also a factory that hangs, when the parent has gone."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGINT)


def _serve(place: str) -> None:
    os.environ.pop(URL, None)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the factory prints, or starts, prints there
    try:
        made = stand_in(place)
        message = {"url": os.environ.get(URL, "") if made is not None else ""}
    except Stop as stop:
        message = {"error": str(stop)}
    with answer:
        answer.write(json.dumps(message) + "\n")
    if message.get("url"):
        signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1], is_kept=KEPT in sys.argv[2:])
