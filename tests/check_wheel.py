"""Look inside the built wheel: the licence, the type marker and the templates must be there."""

import sys
import zipfile
from pathlib import Path

NEEDED = (
    *("cfn_once/py.typed", "cfn_once/_provider.py", "licenses/LICENSE"),
    *("cfn_once/cli/command.py", "cfn_once/lint/__init__.py", "entry_points.txt"),
)

(wheel,) = Path(sys.argv[1]).glob("*.whl")
names = zipfile.ZipFile(wheel).namelist()
needed = [
    *NEEDED,
    *(f"cfn_once/templates/{template.name}" for template in Path("templates").glob("*.yaml")),
]
missing = [file for file in needed if not any(name.endswith(file) for name in names)]
sys.exit(f"the wheel lacks {', '.join(missing)}" if missing else 0)
