"""What git ignores: the `.gitignore` files of a repository, from its root down to a directory.

`.git/info/exclude` and the user's own list of excludes are not looked at: what is checked must not differ from one
machine to the next.
"""

from __future__ import annotations

import os

from kl_lint.sources.problem import Problem
from kl_lint.sources.reading import read

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Container

    from pathspec import GitIgnoreSpec

__all__ = ["Ignores", "above", "extend"]


class Ignores:
    """The patterns that hold in a directory: those of its own `.gitignore`, then its parent's, up to the root's."""

    __slots__ = ("_base", "_parent", "_spec")

    def __init__(self, base: str, spec: GitIgnoreSpec | None = None, parent: Ignores | None = None) -> None:
        self._base = base
        self._spec = spec
        self._parent = parent

    def match(self, path: str, *, directory: bool = False) -> bool:
        """Whether git ignores `path`, absolute and below this directory. The innermost file that names it decides."""
        level: Ignores | None = self
        while level is not None:
            verdict = level._verdict(path, directory)
            if verdict is not None:
                return verdict
            level = level._parent
        return False

    def _verdict(self, path: str, directory: bool) -> bool | None:
        if self._spec is None:
            return None
        relative = os.path.relpath(path, self._base).replace(os.sep, "/")
        return self._spec.check_file(relative + "/" if directory else relative).include


def above(directory: str) -> Ignores | None:
    """What holds in `directory` because of the directories above it; None outside of a repository.

    Nothing holds in a directory that is ignored itself: whoever names it wants it checked.
    """
    path = os.path.abspath(directory)
    ancestors = []
    while not os.path.exists(os.path.join(path, ".git")):
        parent = os.path.dirname(path)
        if parent == path:
            return None
        path = parent
        ancestors.append(path)
    ignores = Ignores(path)
    for ancestor in reversed(ancestors):
        ignores = _with_own(ignores, ancestor)
    return Ignores(path) if ignores.match(os.path.abspath(directory), directory=True) else ignores


def extend(ignores: Ignores | None, directory: str, names: Container[str]) -> Ignores | None:
    """What holds in `directory`, which has entries called `names`, where `ignores` holds because of those above it."""
    if ".git" in names:
        ignores = Ignores(os.path.abspath(directory))  # a repository of its own, where the outer one has no say
    if ignores is None or ".gitignore" not in names:
        return ignores
    return _with_own(ignores, os.path.abspath(directory))


def _with_own(ignores: Ignores, directory: str) -> Ignores:
    """`ignores`, and before it what the `.gitignore` of `directory` says, where there is one that can be read."""
    try:
        patterns = os.fsdecode(read(os.path.join(directory, ".gitignore")))
    except Problem:
        return ignores
    return Ignores(directory, _compile(patterns), ignores)


MOST_STARS = 5
"""A pattern with more wildcards than this is passed over: matching may take a time exponential in their number."""


def _compile(patterns: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    every = patterns.removeprefix("\ufeff").split("\n")
    lines = [line for line in every if line.replace("**", "*").count("*") <= MOST_STARS]
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(filter(_is_valid, lines))


def _is_valid(line: str) -> bool:
    """Whether `line` is a pattern. git passes over those that are none."""
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
