"""`python -m kl_lint`: the command `kl-lint`."""

import os
import sys

# Python looks for modules in the working directory first, which may be that of the code to be checked: an `ast.py` in
# it would be run. To what `-m` itself needs, that may have happened by now: not so with `python -P -m kl_lint`.
try:
    _here = os.getcwd()
except OSError:  # it is gone, which the command tells of
    _here = ""
if not getattr(sys.flags, "safe_path", False) and sys.path and sys.path[0] in ("", _here):
    del sys.path[0]

from kl_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
