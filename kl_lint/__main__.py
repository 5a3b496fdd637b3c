"""`python -m kl_lint`: the command `kl-lint`."""

from __future__ import annotations

import sys

from kl_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
