"""`kl-lint`, killed at a moment of its work on files; a script: `python killed.py MOMENT ARGUMENT...`."""

from __future__ import annotations

import os
import signal
import sys

from kl_lint.cli import main


class Watch:
    """Counts what this process asks of files below the working directory, from 1, and kills it before `last`."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last
        self._here = os.path.realpath(os.getcwd())

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """To be told of every event of the interpreter's own audit: a file opened, listed, renamed, given a mode, ..."""
        paths = arguments[:1] if event == "open" else arguments  # a mode is no path, though it could be one
        if event.startswith(("open", "os.", "tempfile.")) and any(map(self._is_here, paths)):
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)

    def _is_here(self, argument: object) -> bool:
        return isinstance(argument, str | os.PathLike) and os.path.abspath(argument).startswith(self._here)


if __name__ == "__main__":
    watch = Watch(int(sys.argv[1]))
    sys.addaudithook(watch)
    status = main(sys.argv[2:])
    print(watch.count)
    sys.exit(status)
