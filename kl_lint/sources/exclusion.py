"""Files and directories that are left out because of their names."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from re import Pattern

__all__ = ["DEFAULT", "Exclusion"]

DEFAULT = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "CVS",
    "__pycache__",
    "__pypackages__",
    "_build",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)
"""Names of directories that hold no source of the project's own."""


class Exclusion:
    """Patterns as of the shell (`*`, `?`, `[a-z]`), in which `*` stands for a slash as well.

    A pattern without a slash is matched with the name of each file and directory, one with a slash with its path from
    the working directory. What is below an excluded directory is excluded with it.
    """

    __slots__ = ("_names", "_paths", "_wildcards")

    def __init__(self, patterns: Sequence[str] = DEFAULT) -> None:
        tidy = [pattern.rstrip("/" + os.sep) for pattern in patterns]
        paths = [pattern for pattern in tidy if "/" in pattern or os.sep in pattern]
        names = [pattern for pattern in tidy if pattern not in paths]
        self._names = frozenset(name for name in names if not _has_wildcard(name))
        self._wildcards = [_compile(name) for name in names if _has_wildcard(name)]
        self._paths = [_compile(os.path.abspath(path)) for path in paths]

    def excludes(self, name: str, path: str) -> bool:
        """Whether the file or directory at `path`, called `name`, is left out, its parents being none that are."""
        if name in self._names or any(pattern.match(name) for pattern in self._wildcards):
            return True
        if not self._paths:
            return False
        absolute = os.path.normcase(os.path.abspath(path))
        return any(pattern.match(absolute) for pattern in self._paths)

    def excludes_path(self, path: str, directory: str | None = None) -> bool:
        """Whether `path`, or a directory on the way to it from `directory`, the working directory by default, is left
        out.

        Of a path elsewhere only the last name is looked at: what its parents are called is not the project's doing.
        """
        absolute, here = os.path.abspath(path), directory or os.getcwd()
        inside = absolute.startswith(os.path.join(here, ""))
        while absolute != here:
            if self.excludes(os.path.basename(absolute), absolute):
                return True
            if not inside:
                return False
            absolute = os.path.dirname(absolute)
        return False


def _has_wildcard(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def _compile(pattern: str) -> Pattern[str]:
    import fnmatch
    import re

    return re.compile(fnmatch.translate(os.path.normcase(pattern)))
