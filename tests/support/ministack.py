"""
MiniStack, an AWS on this machine: CloudFormation, Lambda, DynamoDB and more behind one port.

    with MiniStack() as aws:
        aws.client("dynamodb").list_tables()

It pins botocore, so it has a virtual environment of its own, made when it is first needed: one for
each version of Python, for its Lambda workers run on the Python that runs the tests.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / f".venv-ministack-{sys.version_info.major}.{sys.version_info.minor}"
# boto3 is what Lambda's runtime would bring along.
PINS = ("ministack==1.5.33", "boto3==1.43.106")
REGION = "us-east-1"
START = 60  # seconds; two at most on an idle machine
_ONE_AT_A_TIME = threading.Lock()  # boto3 makes clients in one session, which threads may not share
TRIES = 5  # a port that was free may be taken before it is bound

# The kernel ends it when whoever started it dies, even by SIGKILL; the setting outlives the exec.
_TIED = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit("whoever started this is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def install() -> Path:
    """Make the virtual environment unless it is there, and return its folder.

    Two that call at the same time come one after the other.
    """
    with locked(HOME):
        stamp = HOME / "installed.txt"
        wanted = "\n".join([*PINS, sys.version])
        if not stamp.exists() or stamp.read_text() != wanted:
            run(sys.executable, "-m", "venv", "--clear", HOME)
            run(HOME / "bin/python", "-m", "pip", "install", "--quiet", *PINS)
            stamp.write_text(wanted)
    return HOME


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process after the other see to what a folder holds."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def run(*command: str | Path, cwd: str | Path | None = None) -> None:
    """Run a command to its end; what it printed is told only where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-4000:]
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{said}")


class MiniStack:
    """One server, from `with` to its end.

    Args:
        environment: Settings besides the usual ones.

    Attributes:
        url: Where it answers, `http://127.0.0.1:PORT`.
        host: The same as CFN_ONCE_RESPONSE_HOSTS wants it, `127.0.0.1:PORT`.
        folder: Its scratch disk, and its log; gone when it has ended.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.host = ""
        self.folder = Path()

    def __enter__(self) -> Self:
        home = install()
        self.folder = Path(tempfile.mkdtemp(prefix="ministack-"))
        try:
            self._start(home)
        except BaseException:  # Ctrl-C while it starts leaves nothing behind either
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client of this AWS."""
        with _ONE_AT_A_TIME:
            return boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
                **options,
            )

    def log(self) -> str:
        """Return what it has printed so far."""
        path = self.folder / "ministack.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """End it and what it started; nothing happens where it has ended before."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, home: Path) -> None:
        for _ in range(TRIES):
            self._launch(home)
            if self._is_up():
                return
        raise RuntimeError(f"MiniStack does not start:\n{self.log()[-4000:]}")

    def _launch(self, home: Path) -> None:
        port = _free_port()
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"
        settings = {
            "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_DEFAULT_REGION": REGION,
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
            **self._environment,
        }
        with (self.folder / "ministack.log").open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end it with its workers.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _TIED, str(os.getpid()), home / "bin/ministack"],
                env=settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_up(self) -> bool:
        """Wait until it answers; False where it has ended instead."""
        assert self._process is not None
        over = time.monotonic() + START
        while self._process.poll() is None:
            with (
                contextlib.suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2),
            ):
                return self._process.poll() is None
            if time.monotonic() > over:
                raise RuntimeError(f"MiniStack does not answer:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server with its Lambda workers: it leads a session of its own.

    At once, since it holds nothing that is worth an end in order, which takes it ten seconds where
    a function is at work.
    """
    if process.returncode is None:  # not collected yet, so its id is still its own
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
