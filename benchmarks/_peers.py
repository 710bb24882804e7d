"""The peers' virtual environment, made when it is first needed."""

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from . import ROOT

HOME = ROOT / ".venv-peers"
PYTHON = HOME / "bin" / "python"
# What Lambda brings along for everybody: the runtime's client, and boto3.
RUNTIME = ("awslambdaric", "boto3")
NAMES = ("aws-lambda-powertools", "boto3", "cfn-handler", "crhelper")


@cache
def install() -> Path:
    """Make the environment unless it is there and up to date; returns its interpreter."""
    pins = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    wanted = hashlib.sha256(b"".join([*(pin.read_bytes() for pin in pins), sys.version.encode()]))
    stamp = HOME / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted.hexdigest():
        print(f"making {HOME.name}, once", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(HOME))
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
        run(*pip, "--upgrade", "pip>=25.1")  # the first that knows --group
        run(*pip, "--constraint", "constraints.txt", "--group", "peers", *RUNTIME)
        stamp.write_text(wanted.hexdigest())
    return PYTHON


def versions() -> dict[str, str]:
    """Return which versions of the peers were measured."""
    code = (
        "import importlib.metadata as m, json, sys;"
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    command = [str(install()), "-c", code, *NAMES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def site_packages() -> Path:
    """Return the folder that the peers lie in."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = [str(install()), "-c", code]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def run(*command: str) -> None:
    """Run a command in this folder; what it printed is told where it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
