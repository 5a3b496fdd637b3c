"""`kl-lint check --watch`: checked again whenever a file changes, until it is interrupted."""

from __future__ import annotations

import os
import sys
from time import sleep

from kl_lint.commands.common import FAILED, complain, configure, tell
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.sources.exclusion import Exclusion
from kl_lint.sources.files import File, find

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

__all__ = ["watch"]

PAUSE = 0.5
"""Seconds between two looks at the files. A look at 7,000 takes some 0.05."""

_CONFIGURATION = ("pyproject.toml", ".gitignore")


def watch(arguments: argparse.Namespace, check: Callable[[argparse.Namespace], int]) -> int:
    """Check now, and again after each change of a file that is checked, or says how. Returns what the last check did,
    once this is interrupted; raises KeyboardInterrupt where none has come to its end.

    The files are looked at every `PAUSE`: that works on every disk, also where no system tells of changes.
    """
    status: int | None = None
    before = None
    try:
        while True:
            now = _stamps(arguments)
            if now != before:
                before = now
                status = _checked(arguments, check)
                tell("kl-lint: waiting for changes; Ctrl+C ends it")
            sleep(PAUSE)
    except KeyboardInterrupt:
        if status is None:
            raise
        return status


def _checked(arguments: argparse.Namespace, check: Callable[[argparse.Namespace], int]) -> int:
    _clear()
    try:
        status = check(arguments)
    except WrongConfiguration as wrong:  # it may be in the middle of being written
        complain(*wrong.troubles)
        status = FAILED
    if sys.stdout is not None:
        sys.stdout.flush()
    if "kl_lint.flow.project" in sys.modules:
        from kl_lint.flow.project import forget

        forget()
    return status


def _clear() -> None:
    """Begin a new screen, where there is one."""
    if sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        print("\033[H\033[2J\033[3J", end="")


def _stamps(arguments: argparse.Namespace) -> Mapping[str, object]:
    """What changes when a file does, of each that is checked, and of those around it that say how."""
    try:
        exclusion = configure(arguments).here.exclusion()
    except WrongConfiguration:  # told when it is checked
        exclusion = Exclusion()
    paths = [source.path for source in find(arguments.paths, exclusion) if isinstance(source, File)]
    folders = {os.path.dirname(os.path.abspath(path)) for path in (*paths, os.path.join(os.curdir, "*"))}
    folders |= {above for folder in folders for above in _above(folder)}
    settings = [os.path.join(folder, name) for folder in sorted(folders) for name in _CONFIGURATION]
    if arguments.config:
        settings.append(arguments.config)
    return {path: _stamp(path) for path in (*paths, *settings)}


def _above(folder: str) -> list[str]:
    found = []
    while (parent := os.path.dirname(folder)) != folder:
        found.append(folder := parent)
    return found


def _stamp(path: str) -> object:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
