"""Where in the user's own code an error came from."""

import os
import re
import traceback

_SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Code of others: installed, the standard library's, or packed beside the user's for Lambda.
_OTHERS = re.compile(
    rf"/(?:site|dist)-packages/|/var/runtime/|^{re.escape(os.path.dirname(os.__file__))}/"
    r"|/(?:boto3|botocore|requests|s3transfer|urllib3)/"
)


def line_of(error: BaseException) -> str:
    """Name the innermost line of the user's own code that the error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not frame.filename.startswith((_SOURCE + os.sep, "<"))]
    own = [frame for frame in ours if not _OTHERS.search(frame.filename)] or ours
    return f" ({os.path.basename(own[-1].filename)}:{own[-1].lineno})" if own else ""
