"""What Lambda has to load: the zip of the minimal example, as `cfn-once package` makes it."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import ROOT
from ._figures import Figure, Measured

MOST = 2.0  # MB


def run() -> Measured:
    """Make the zip in a folder of its own, for this Python."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "examples" / "minimal" / "provider.py", folder)
        command = [sys.executable, "-m", "cfn_once", "package", "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        told = json.loads(done.stdout)
        size = (Path(folder) / told["file"]).stat().st_size
    figure = Figure(
        name="zip of the minimal example",
        ours=size / 1e6,
        unit="MB",
        bar=MOST,
        aim=MOST,
        absolute=True,
        how=f"for Python {told['python']} on {told['architecture']}; boto3 is Lambda's own",
    )
    return Measured([figure], told)
