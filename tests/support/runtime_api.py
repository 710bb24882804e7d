"""
Lambda, as far as a function's process can tell.

    Function ── sandbox() ──► Sandbox ── invoke ──► Runtime: a process of `awslambdaric`, and the
    events, retries           /tmp stays, its       Runtime API it asks for events and tells answers
                              process may die

Each process has an API server of its own on 127.0.0.1, as each of Lambda's sandboxes has. Whatever
is started is ended by the `Function` that started it, at the latest when its `with` block ends.
Should whoever holds it be killed, an idle process ends at once, and one at work with its event.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from support.host import HANG_UP, Host, Received, Reply, Status

ATTEMPTS = 3  # how often Lambda delivers an asynchronous event at most
INIT_TIMEOUT = 60.0  # seconds; Lambda gives 10, on a machine that nobody shares
API = "/2018-06-01/runtime"
TESTS = Path(__file__).resolve().parents[1]
PAGE = os.sysconf("SC_PAGE_SIZE")
TAKEN = Status(202, body=b"{}")


class Ending(StrEnum):
    """How an invocation ended."""

    RESPONSE = "response"
    ERROR = "error"  # the handler raised
    DIED = "died"  # the process ended, or was killed
    TIMEOUT = "timeout"  # it was killed at its deadline
    INIT_ERROR = "init error"  # the handler's module could not be imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What became of one delivery to one sandbox.

    Attributes:
        request_id: Lambda's own, the same in every attempt at an event.
        document: What the handler returned, or the error that it raised, as Lambda tells it.
        log: What the process printed meanwhile, its start included where it was started for this.
        init: Seconds from the start of the process until it asked for an event; None when warm.
        began: When it was asked for, by the monotonic clock; a cold start is part of it.
    """

    request_id: str
    ending: Ending
    document: Any
    log: str
    init: float | None
    began: float

    @property
    def succeeded(self) -> bool:
        """Tell whether Lambda is content, and delivers no more."""
        return self.ending is Ending.RESPONSE


class Function:
    """A Lambda function: how its processes are started, and how events are delivered to them.

    Args:
        handler: `module.name`, as in a function's configuration.
        task_root: The folder with the module.
        scratch: A folder for the sandboxes' own.
        timeout: Seconds that an invocation has.
        pauses: Seconds before the second and the third attempt; Lambda waits 60 and 120.
        environment: Variables of the processes, besides Lambda's.
        python: The interpreter, with `awslambdaric` installed.
        overtime: Seconds that a process lives on after its deadline.
        memory: Bytes of resident memory over which a process is killed, as Lambda kills it; 0 for
            none.
    """

    def __init__(
        self,
        handler: str,
        *,
        task_root: Path,
        scratch: Path,
        timeout: float = 30.0,
        pauses: Sequence[float] = (0.05, 0.05),
        environment: Mapping[str, str] | None = None,
        python: str | Path = sys.executable,
        overtime: float = 0.0,
        memory: int = 0,
    ) -> None:
        self.handler, self.task_root, self.scratch = handler, task_root, scratch
        self.timeout, self.pauses, self.overtime = timeout, tuple(pauses), overtime
        self.memory = memory
        self.environment, self.python = dict(environment or {}), str(python)
        self.closed = threading.Event()
        self._sandboxes: list[Sandbox] = []
        self._deliveries = ThreadPoolExecutor(thread_name_prefix="delivery")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process and server; deliveries under way end, too."""
        self.closed.set()
        for sandbox in self._sandboxes:
            sandbox.close()
        self._deliveries.shutdown()

    def sandbox(self) -> "Sandbox":
        """Return a new execution environment, with a scratch disk of its own and no process yet."""
        sandbox = Sandbox(self, self.scratch / f"sandbox-{len(self._sandboxes)}")
        self._sandboxes.append(sandbox)
        return sandbox

    def deliver(self, event: Any, *sandboxes: "Sandbox") -> list[Invocation]:
        """Deliver an event as Lambda delivers asynchronous ones: until it succeeds, or three times.

        Args:
            event: What the handler gets.
            sandboxes: Where the first, second and third attempt run; the last one given takes the
                rest; a new one unless given.
        """
        request_id, made = str(uuid4()), []
        places = sandboxes or (self.sandbox(),)
        for attempt in range(ATTEMPTS):
            if attempt and self.closed.wait(self.pauses[min(attempt, len(self.pauses)) - 1]):
                break
            place = places[min(attempt, len(places) - 1)]
            made.append(place.invoke(event, request_id=request_id))
            if made[-1].succeeded or self.closed.is_set():
                break
        return made

    def enqueue(self, event: Any, *sandboxes: "Sandbox") -> "Future[list[Invocation]]":
        """Deliver an event as `deliver` does, while the caller goes on."""
        return self._deliveries.submit(self.deliver, event, *sandboxes)


class Sandbox:
    """One execution environment: at most one process, one event at a time, and a disk that stays.

    A process that dies is followed by another one in the same place, as on Lambda.
    """

    def __init__(self, function: Function, folder: Path) -> None:
        self._function, self.folder = function, folder
        self._busy = threading.Lock()
        self._runtime: Runtime | None = None
        folder.mkdir(parents=True)

    def warm_up(self) -> float:
        """Start the process unless it runs; returns the seconds that its init took.

        Raises:
            RuntimeError: The handler could not be loaded.
        """
        runtime = self._started()
        if runtime.init is None:
            raise RuntimeError(f"init failed: {runtime.init_error}\n{runtime.log()}")
        return runtime.init

    def invoke(self, event: Any, *, request_id: str | None = None) -> Invocation:
        """Deliver an event once, and return what became of it."""
        with self._busy:
            began = time.monotonic()
            warm = self._runtime is not None and self._runtime.is_alive()
            runtime = self._started()
            request_id = request_id or str(uuid4())
            invocation = runtime.invoke(
                request_id, json.dumps(event).encode(), began=began, warm=warm
            )
            if not runtime.is_alive():
                runtime.close()
            return invocation

    def memory(self) -> int:
        """Return the bytes of resident memory that the process has."""
        return 0 if self._runtime is None else self._runtime.memory()

    def kill(self) -> None:
        """End the process at once, as the kernel ends one that is out of memory."""
        if self._runtime is not None:
            self._runtime.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process where it is, as Lambda does between two invocations."""
        if self._runtime is not None:
            self._runtime.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        if self._runtime is not None:
            self._runtime.signal(signal.SIGCONT)

    def close(self) -> None:
        """End the process and its server."""
        if self._runtime is not None:
            self._runtime.close()

    def _started(self) -> "Runtime":
        runtime = self._runtime
        if runtime is None or not runtime.is_alive():
            if runtime is not None:
                runtime.close()
            if self._function.closed.is_set():
                raise RuntimeError("the function is closed")
            runtime = self._runtime = Runtime(self._function, self.folder)
            if self._function.closed.is_set():  # it was closed meanwhile, and saw no process
                runtime.close()
        runtime.wait_for_init()
        return runtime


class Runtime:
    """One process of the function, and the Runtime API that it talks to.

    Attributes:
        init: Seconds from its start until it asked for its first event; None if it never did.
        init_error: Why the handler could not be loaded, as the process told it.
    """

    def __init__(self, function: Function, folder: Path) -> None:
        self._function = function
        self._change = threading.Condition()
        self._waiting: tuple[str, bytes, float] | None = None  # an event nobody has taken yet
        self._ended: tuple[Ending, Any] | None = None  # how the event at work ended
        self._deadline, self._current = 0.0, ""
        self._closed = False
        self.init: float | None = None
        self.init_error: Any = None
        self._api = Host(self._reply).__enter__()
        self._log = (folder / "log").open("ab+")
        self._from = self._log.seek(0, os.SEEK_END)
        self._began = time.monotonic()
        try:
            self._process = subprocess.Popen(
                [function.python, "-m", "awslambdaric", function.handler],
                cwd=function.task_root,
                env=_environment(function, folder, self._api.name),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # what it starts ends with it
            )
        except BaseException:
            self._stop_serving()
            raise
        self._watch = threading.Thread(target=self._wait_for_its_end, daemon=True)
        self._watch.start()
        if function.memory:
            threading.Thread(target=self._watch_memory, daemon=True).start()

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    def wait_for_init(self) -> None:
        """Wait until the process asks for an event, or cannot."""
        with self._change:
            done = self._change.wait_for(
                lambda: self.init is not None or self._process.poll() is not None, INIT_TIMEOUT
            )
        if not done:
            self.signal(signal.SIGKILL)

    def invoke(self, request_id: str, body: bytes, *, began: float, warm: bool) -> Invocation:
        """Hand an event over, and wait for its end."""
        if warm:
            self._from = self._log.seek(0, os.SEEK_END)
        timeout = self._function.timeout
        with self._change:
            self._waiting, self._ended = (request_id, body, timeout), None
            self._change.notify_all()
            over = self._change.wait_for(self._is_over, timeout + self._function.overtime)
            ended = self._ended or (Ending.DIED, None)
            if self.init is None:
                ended = (Ending.INIT_ERROR, self.init_error)
            if not over:
                ended = (Ending.TIMEOUT, None)
            self._waiting, self._current = None, ""
        if not over:
            self.signal(signal.SIGKILL)
        return Invocation(
            request_id=request_id,
            ending=ended[0],
            document=ended[1],
            log=self.log(),
            init=None if warm else self.init,
            began=began,
        )

    def _reply(self, request: Received) -> Reply:
        """Speak a runtime's protocol. Source: Lambda Developer Guide, "Runtime API"."""
        if request.target == f"{API}/invocation/next":
            event = self._next_event()
            return HANG_UP if event is None else event
        if request.target == f"{API}/init/error":
            self.init_error = request.json
            return TAKEN
        request_id, _, kind = request.target.removeprefix(f"{API}/invocation/").partition("/")
        ending = {"response": Ending.RESPONSE, "error": Ending.ERROR}.get(kind)
        document = request.json if request.body else None
        known = ending is not None and self._end_event(request_id, ending, document)
        return TAKEN if known else Status(400)

    def _next_event(self) -> Status | None:
        """Wait for an event; None when there will be no more."""
        with self._change:
            if self.init is None:
                self.init = time.monotonic() - self._began
                self._change.notify_all()
            self._change.wait_for(lambda: self._waiting is not None or not self._may_work())
            if self._waiting is None or not self._may_work():
                return None
            request_id, body, timeout = self._waiting
            self._waiting, self._current = None, request_id
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": (
                "arn:aws:lambda:us-east-1:123456789012:function:provider"
            ),
            "Content-Type": "application/json",
        }
        return Status(200, headers=headers, body=body)

    def _end_event(self, request_id: str, ending: Ending, document: Any) -> bool:
        """Take a handler's result; False for one that nobody waits for any more."""
        with self._change:
            if request_id != self._current:
                return False
            self._ended = (ending, document)
            self._change.notify_all()
            return True

    def log(self) -> str:
        """Return what the process has printed since its event was handed over."""
        with open(self._log.name, "rb") as file:
            file.seek(self._from)
            return file.read().decode(errors="replace")

    def memory(self) -> int:
        """Return the bytes of resident memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()
        return int(pages[1]) * PAGE

    def signal(self, number: int) -> None:
        """Send a signal; SIGKILL returns when the process has ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def close(self) -> None:
        """End the process, whatever it started, and the server."""
        if self._closed:
            return
        self._closed = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it and all that it started have ended
        self._process.wait()
        self._watch.join()
        self._stop_serving()

    def _stop_serving(self) -> None:
        self._api.__exit__()
        self._log.close()

    def _wait_for_its_end(self) -> None:
        self._process.wait()
        with self._change:
            self._change.notify_all()

    def _watch_memory(self) -> None:
        table = Path(f"/proc/{self._process.pid}/statm")
        while self._process.poll() is None:
            try:
                pages = table.read_text(encoding="ascii").split()
            except OSError:
                return  # it has just ended
            if pages and int(pages[1]) * PAGE > self._function.memory:
                self.signal(signal.SIGKILL)
            time.sleep(0.01)

    def _may_work(self) -> bool:
        return not self._closed and self._process.poll() is None

    def _is_over(self) -> bool:
        return self._ended is not None or not self._may_work()


def _environment(function: Function, folder: Path, api: str) -> dict[str, str]:
    """Return the variables that Lambda sets, and nothing of ours but what was asked for."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(folder),
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": "provider",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/provider",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/01/01/[$LATEST]{folder.name}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",  # no credentials but these are ever looked for
        "LAMBDA_TASK_ROOT": str(function.task_root),
        "_HANDLER": function.handler,
        **function.environment,
    }
