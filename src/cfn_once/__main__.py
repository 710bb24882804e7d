"""`python -m cfn_once` is the command `cfn-once`."""

import sys

from .cli.command import main

if __name__ == "__main__":
    sys.exit(main())
