"""
MiniStack, an AWS on this machine, without Docker: installed once, started for a while.

It pins botocore, so it has an environment of its own, one for each version of Python: its functions
run on the Python that it was installed with.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Self

from .._clock import SYSTEM_CLOCK, Clock
from . import installers
from .console import Stop

# boto3 is what Lambda's runtime would bring along.
PINS = ("ministack==1.5.33", "boto3==1.43.106")
REGION = "us-east-1"
START = 60.0  # seconds; two at most on an idle machine
TRIES = 5  # a port that was free may be taken before it is bound

# The kernel ends it when its parent dies, even by SIGKILL; the setting outlives the exec.
_TIED = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit("its parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def home() -> str:
    """Return the folder of its environment, in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return os.path.join(cache, "cfn-once", f"{PINS[0].replace('==', '-')}-py{python}")


def is_installed(folder: str) -> bool:
    """Tell whether the environment is there, whole and for this very Python."""
    try:
        with open(_stamp(folder), encoding="utf-8") as file:
            return file.read() == _wanted()
    except OSError:
        return False


def install(folder: str) -> None:
    """Make the environment unless it is there. Two that call at once come one after the other.

    Raises:
        Stop: It cannot be made.
    """
    with locked(folder):
        if is_installed(folder):
            return
        try:
            _run(sys.executable, "-m", "venv", "--clear", folder)
            python = os.path.join(folder, "bin", "python")
            _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS)
            with open(_stamp(folder), "w", encoding="utf-8") as file:
                file.write(_wanted())
        except BaseException:
            _clear(folder)
            raise


class MiniStack:
    """One server, from `with` to its end.

    Args:
        folder: Where it is installed.
        environment: Settings of its own besides the usual ones.
        is_kept: It goes on after its block, and after this process.

    Attributes:
        url: Where it answers, `http://127.0.0.1:PORT`.
        host: The same as CFN_ONCE_RESPONSE_HOSTS wants it, `127.0.0.1:PORT`.
        folder: Its scratch disk and its log, `ministack.log`; gone when it has ended.
    """

    def __init__(
        self,
        folder: str,
        environment: Mapping[str, str] | None = None,
        *,
        is_kept: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._home, self._environment = folder, dict(environment or {})
        self._is_kept, self._clock = is_kept, clock
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.host = self.folder = ""

    def __enter__(self) -> Self:
        self.folder = tempfile.mkdtemp(prefix="ministack-")
        try:
            self._start()
        except BaseException:  # Ctrl-C while it starts leaves nothing behind either
            self.stop()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._is_kept or kind is not None:
            self.stop()

    @property
    def process(self) -> int:
        """The id of its process, which leads a group with its workers."""
        return self._process.pid if self._process is not None else 0

    def log(self) -> str:
        """Return what it has printed so far."""
        try:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def stop(self) -> None:
        """End it and what it started; nothing happens where it has ended before."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> str:
        return os.path.join(self.folder, "ministack.log")

    def _start(self) -> None:
        for _ in range(TRIES):
            self._launch()
            if self._is_up():
                return
        raise Stop("MiniStack does not start, see above", detail=installers.last_of(self.log()))

    def _launch(self) -> None:
        self.host = f"127.0.0.1:{_free_port()}"
        self.url = f"http://{self.host}"
        settings = {
            "PATH": os.pathsep.join([os.path.join(self._home, "bin"), os.environ["PATH"]]),
            "HOME": self.folder,
            "TMPDIR": self.folder,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": self.host.rpartition(":")[2],
            "AWS_DEFAULT_REGION": REGION,
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
            **self._environment,
        }
        server = os.path.join(self._home, "bin", "ministack")
        tied = [sys.executable, "-c", _TIED, str(os.getpid()), server]
        with open(self._log, "wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end it with its workers.
            self._process = subprocess.Popen(  # noqa: S603 - what we have installed
                [server] if self._is_kept else tied,
                env=settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_up(self) -> bool:
        """Wait until it answers; False where it has ended instead."""
        over = self._clock.now() + START
        while self._process is not None and self._process.poll() is None:
            with (
                contextlib.suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2),  # noqa: S310 - http, of this machine
            ):
                return self._process.poll() is None
            if self._clock.now() > over:
                raise Stop(
                    "MiniStack does not answer, see above",
                    detail=installers.last_of(self.log()),
                )
            self._clock.sleep(0.05)
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a server with its Lambda workers: it leads a session of its own.

    At once, since it holds nothing that is worth an end in order, which takes it ten seconds where
    a function is at work.
    """
    if process.returncode is None:  # not collected yet, so its id is still its own
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _stamp(folder: str) -> str:
    return os.path.join(folder, "installed.txt")


def _wanted() -> str:
    return "\n".join([*PINS, sys.version])


def _run(*command: str) -> None:
    done = installers.run(command)
    if done.failed:
        raise Stop("MiniStack cannot be installed, see above", detail=done.last)


def _clear(folder: str) -> None:
    """Remove what a folder holds; it stays, since others may wait for its lock."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Let one process after the other see to what a folder holds."""
    import fcntl  # no Windows has it, and no other verb needs it

    os.makedirs(folder, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
