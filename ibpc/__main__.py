"""`python -m ibpc` is `ibpc`."""

import sys

from ibpc.cli import main

if __name__ == "__main__":
    sys.exit(main())
