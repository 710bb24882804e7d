"""
MiniStack, an AWS on this machine, as `cfn-once local` starts it.

    with MiniStack() as aws:
        aws.client("dynamodb").list_tables()

Its environment lies in the checkout: one for each version of Python, made when it is first needed.
"""

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from cfn_once.cli import ministack
from cfn_once.cli.ministack import REGION, locked

__all__ = ["REGION", "ROOT", "MiniStack", "install", "locked", "run"]

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / f".venv-ministack-{sys.version_info.major}.{sys.version_info.minor}"
_ONE_AT_A_TIME = threading.Lock()  # boto3 makes clients in one session, which threads may not share


def install() -> Path:
    """Make the virtual environment unless it is there, and return its folder."""
    ministack.install(str(HOME))
    return HOME


def run(*command: str | Path, cwd: str | Path | None = None) -> None:
    """Run a command to its end; what it printed is told only where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-4000:]
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{said}")


class MiniStack(ministack.MiniStack):
    """One server, from `with` to its end.

    Args:
        environment: Settings besides the usual ones.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(str(HOME), environment)

    def __enter__(self) -> Self:
        install()
        return super().__enter__()

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process whose AWS this is, and whose zips are for this machine."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "CFN_ONCE_TARGET": "this-machine",
        }

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
