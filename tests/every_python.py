"""
The tests on each Python that is here: `make test-all`, or `make test-all ARGS='-k twice'`.

Each version has a virtual environment of its own below build/pythons, made anew when the pins
change. The arguments are pytest's.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
ROOT = Path(__file__).resolve().parents[1]


def main(arguments):
    """Return 1 where the tests fail on a Python, or where there is none of these."""
    results = {version: result_on(version, arguments) for version in VERSIONS}
    print()
    for version, result in results.items():
        print(f"Python {version}: {result}")
    has_failed = any(result.startswith("FAILED") for result in results.values())
    return int(has_failed or "passed" not in results.values())


def result_on(version, arguments):
    """Return in words what came of the tests on one Python."""
    python = interpreter(version)
    if python is None:
        return "not found"
    print(f"\nPython {version}: {python}", flush=True)
    try:
        run(environment(version, python), "-m", "pytest", *arguments)
    except subprocess.CalledProcessError as error:
        return f"FAILED with status {error.returncode}: {' '.join(error.cmd[1:4])}"
    return "passed"


def interpreter(version):
    """Return the path of an interpreter; None where there is none of the version."""
    name, environ = f"python{version}", dict(os.environ)
    if shutil.which(name) is None:
        return None
    if shutil.which("pyenv") is not None:
        # Its shims run only versions that are selected: for this question all of them are.
        listed = subprocess.run(["pyenv", "versions", "--bare"], stdout=subprocess.PIPE, check=True)
        environ["PYENV_VERSION"] = ":".join(listed.stdout.decode().split())
    asked = [name, "-c", "import sys; print(sys.executable)"]
    answer = subprocess.run(asked, env=environ, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def environment(version, python):
    """Return the interpreter of the version's own virtual environment, made where it has to be."""
    home = ROOT / "build" / "pythons" / version
    stamp, inside = home / "installed.txt", str(home / "bin" / "python")
    pins = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    wanted = hashlib.sha256(pins + python.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        run(python, "-m", "venv", "--clear", str(home))
        run(inside, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
        options = ("--constraint", "constraints.txt", "--group", "dev", "--editable", ".")
        run(inside, "-m", "pip", "install", "--quiet", *options)
        stamp.write_text(wanted)
    return inside


def run(*command):
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
