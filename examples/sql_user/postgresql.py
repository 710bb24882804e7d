"""
A PostgreSQL of this machine for a test: on a free port of 127.0.0.1, with a data folder of its own.

    with PostgreSQL() as server:
        server.run("create role web")

The server refuses to run as root. Root starts it as the user that Debian's package makes.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import psycopg

ADMINISTRATOR = "administrator"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # nothing here outlives the test
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
}
ROOM = 500_000_000  # bytes, for a server with a few databases and its log
START = 60  # seconds; one on an idle machine
TRIES = 5  # a port that was free may be taken before it is bound


def binaries() -> Path | None:
    """Return where the newest server's programs are; None where there are none."""
    path = os.pathsep.join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]))
    found = shutil.which("postgres", path=f"{path}{os.pathsep}{os.environ['PATH']}")
    return Path(found).resolve().parent if found else None


class PostgreSQL:
    """One server, from `with` to its end.

    Attributes:
        port: Where it listens on 127.0.0.1.
        password: The administrator's.
    """

    def __init__(self) -> None:
        self.port, self.password = 0, secrets.token_hex()
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=_fast_folder()))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator, and return its rows."""
        connection = self._connection or self.connect(ADMINISTRATOR, self.password)
        self._connection = connection
        cursor = connection.execute(statement.encode(), tuple(values) or None)
        return cursor.fetchall() if cursor.description else []

    def connect(self, user: str, password: str, database: str = "postgres") -> Any:
        """Connect as a user."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            dbname=database,
            autocommit=True,
        )

    def log(self) -> str:
        """Return the last of what the server has said."""
        return (self._folder / "log").read_text()[-4000:]

    def stop(self) -> None:
        """End it; nothing happens where it has ended before."""
        connection, self._connection = self._connection, None
        process, self._process = self._process, None
        if connection is not None:
            connection.close()
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # at once, but it takes its memory away
            process.wait()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        programs = binaries()
        if programs is None:
            raise RuntimeError("there is no PostgreSQL: apt-get install postgresql")
        secret, data = self._folder / "password", self._folder / "data"
        secret.write_text(self.password)
        if os.getuid() == 0:
            for path in (self._folder, secret):
                shutil.chown(path, "postgres", "postgres")
        made = ("--no-sync", "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256")
        whose = ("--username", ADMINISTRATOR, "--pwfile", str(secret))
        self._run(programs / "initdb", "--pgdata", data, *made, *whose).check_returncode()
        for _ in range(TRIES):
            self.port = _free_port()
            if self._is_up(programs, data):
                return
        raise RuntimeError(f"PostgreSQL does not start:\n{self.log()}")

    def _run(self, *command: object) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            _as_user(*command), cwd=self._folder, capture_output=True, check=False
        )

    def _is_up(self, programs: Path, data: Path) -> bool:
        """Start it, and wait until it answers; False where it has ended instead."""
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_user(programs / "postgres", "-D", data, "-p", self.port, *settings),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        over = time.monotonic() + START
        while self._process.poll() is None:
            try:
                self.run("select 1")
            except psycopg.OperationalError as error:
                if time.monotonic() > over:
                    raise RuntimeError(f"PostgreSQL does not answer:\n{self.log()}") from error
                time.sleep(0.05)
            else:
                return True
        return False


def _as_user(*command: object) -> list[str]:
    """Return a command that runs without root's rights, and ends when we do, even by SIGKILL."""
    whose = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    root = os.getuid() == 0
    return ["setpriv", "--pdeathsig=QUIT", *(whose if root else []), *map(str, command)]


def _fast_folder() -> Path | None:
    """Return a folder in memory: each database that is made or dropped is 300 files."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return memory if has_room else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
